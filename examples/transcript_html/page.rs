//! The page: markup is what stands here, all else is escaped by `html!`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dari::{
    AssistantItem, ContentBlock, ExtraFields, MessageStatus, RawJson, ToolCallItem, ToolCallStatus,
    Transcript, TranscriptItem, UserItem,
};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::text::{Piece, pieces, readable, visible};

const STYLE: &str = include_str!("page.css");

/// Returns the page of a transcript.
pub(crate) fn page(transcript: &Transcript) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title(transcript)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (heading(transcript))
                main {
                    @for item in transcript.items() { (entry(item)) }
                    @if transcript.items().is_empty() { p { "Nothing has been said yet." } }
                    (further(&transcript.timeline.extra))
                    (further(&transcript.extra))
                }
            }
        }
    }
}

/// Returns what a browser may do with the page: apply this one style, by its hash.
fn policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn title(transcript: &Transcript) -> String {
    let session = transcript.session.as_ref();
    match session.map(|session| (session.name.as_deref(), session.id.as_str())) {
        Some((Some(name), _)) if !name.trim().is_empty() => visible(name),
        Some((_, id)) => format!("Session {}", visible(id)),
        None => "Session".to_owned(),
    }
}

fn heading(transcript: &Transcript) -> Markup {
    html! {
        header {
            h1 dir="auto" { (title(transcript)) }
            dl {
                @if let Some(agent) = &transcript.agent {
                    div { dt { "Agent" } dd { bdi { (visible(&agent.name)) } " " (code(agent.id.as_str())) } }
                }
                @if let Some(session) = &transcript.session {
                    div { dt { "Session" } dd { (code(session.id.as_str())) } }
                    @if let Some(status) = &session.status {
                        div { dt { "Status" } dd { bdi { (visible(status.as_str())) } } }
                    }
                    @if let Some(at) = session.created_at {
                        div { dt { "Begun" } dd { (time(at)) } }
                    }
                    @for (name, value) in session.metadata.iter().flatten() {
                        div { dt { bdi { (visible(name)) } } dd { bdi { (visible(value)) } } }
                    }
                }
            }
        }
    }
}

fn entry(item: &TranscriptItem) -> Markup {
    match item {
        TranscriptItem::UserMessage(item) => user(item),
        TranscriptItem::AssistantMessage(item) => assistant(item),
        TranscriptItem::ToolCall(item) => tool_call(item),
        TranscriptItem::Unknown(item) => unknown("An item", item.kind(), item.json()),
        _ => html! { p { "An item that this program cannot show." } },
    }
}

fn user(item: &UserItem) -> Markup {
    html! {
        article.user {
            header { h2 { "User" } @if let Some(at) = item.created_at { (time(at)) } }
            @for block in &item.content { (part(block)) }
            (further(&item.extra))
        }
    }
}

fn assistant(item: &AssistantItem) -> Markup {
    let failed = item.status == Some(MessageStatus::Failed);
    html! {
        article.agent.failed[failed] {
            header {
                h2 { "Agent" }
                @if let Some(status) = item.status.as_ref().filter(|it| **it != MessageStatus::Completed) {
                    (badge(status.as_str()))
                }
                @if let Some(at) = item.created_at { (time(at)) }
            }
            @for block in &item.content { (part(block)) }
            @if let Some(error) = &item.error_message {
                p.error dir="auto" { (visible(error)) }
            }
            @if item.content.is_empty() && item.error_message.is_none() {
                p.note { @if failed { "No reason was given." } @else { "No reply yet." } }
            }
            (further(&item.extra))
        }
    }
}

fn tool_call(item: &ToolCallItem) -> Markup {
    let failed = item.is_error || item.status == Some(ToolCallStatus::Failed);
    let name = item.tool_name.as_deref().unwrap_or("a tool without a name");
    html! {
        details.tool.failed[failed] {
            summary {
                h3 { span { "Tool " } (code(name)) }
                @if let Some(status) = &item.status { (badge(status.as_str())) }
                @if let Some(at) = item.created_at { (time(at)) }
            }
            @if let Some(arguments) = &item.arguments { (json("Arguments", arguments)) }
            @if let Some(result) = &item.result {
                (json(if failed { "Error" } else { "Result" }, result))
            } @else {
                p.note { "There is no result." }
            }
            @if let Some(at) = item.completed_at { p.note { "Ended " (time(at)) } }
            (further(&item.extra))
        }
    }
}

fn part(block: &ContentBlock) -> Markup {
    match block {
        ContentBlock::Text(block) => html! {
            @for piece in pieces(&block.text) {
                @match piece {
                    Piece::Prose(text) => div.prose dir="auto" { (visible(text.trim_matches('\n'))) },
                    Piece::Code(text) => pre { code { (visible(text)) } },
                }
            }
            (further(&block.extra))
        },
        ContentBlock::File(file) => html! { p.note { "File " (code(file.file_id.as_str())) } },
        ContentBlock::Image(file) => html! { p.note { "Image " (code(file.file_id.as_str())) } },
        ContentBlock::Unknown(block) => unknown("A part", block.kind(), block.json()),
        _ => html! { p.note { "A part that this program cannot show." } },
    }
}

/// What a newer service sends is shown as it came.
fn unknown(what: &str, kind: &str, json: &RawJson) -> Markup {
    html! {
        details.unknown {
            summary { (what) " of the unknown kind " (code(kind)) }
            (block(&readable(json)))
        }
    }
}

fn further(fields: &ExtraFields) -> Markup {
    html! {
        @if !fields.is_empty() {
            details.unknown {
                summary { "Further fields" }
                dl { @for (name, value) in fields.iter() {
                    div { dt { (code(name)) } dd { (block(&readable(value))) } }
                } }
            }
        }
    }
}

fn json(title: &str, json: &RawJson) -> Markup {
    html! { h4 { (title) } (block(&readable(json))) }
}

fn block(text: &str) -> Markup {
    html! { pre { code { (visible(text)) } } }
}

fn code(text: &str) -> Markup {
    html! { code { bdi { (visible(text)) } } }
}

fn badge(text: &str) -> Markup {
    html! { span.badge { bdi { (visible(text)) } } }
}

fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}
