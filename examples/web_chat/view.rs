//! What a browser gets to see of an event: what the page shows, and no more.

use dari::{ContentBlock, Event, EventKind, RawJson};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct View {
    sequence: Option<u64>,
    r#type: String,
    at: String,
    message: Option<String>,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum What {
    User { text: String },
    Agent { text: String },
    ToolCall { call: Option<String>, tool: Option<String>, arguments: Option<String> },
    ToolResult { call: Option<String>, tool: Option<String>, result: Option<String>, failed: bool },
    Turn { status: Option<String> },
    Session { status: Option<String> },
    Other,
}

impl View {
    pub(crate) fn of(event: &Event) -> Self {
        let kind = event.kind();
        let named = match &kind {
            EventKind::UserMessage(said) => said.message_id.as_ref(),
            EventKind::AssistantMessageCompleted(said) => said.message_id.as_ref(),
            EventKind::MessageStatusChanged(change) => change.message_id.as_ref(),
            _ => None,
        };
        Self {
            sequence: event.sequence_number,
            r#type: event.event_type.to_string(),
            at: event.created_at.to_string(),
            message: named.or(event.message_id.as_ref()).map(ToString::to_string),
            what: What::of(kind),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it is texts and numbers")
    }
}

impl What {
    fn of(kind: EventKind) -> Self {
        let json = |json: Option<RawJson>| json.map(|json| readable(&json));
        let id = |id: Option<dari::ToolCallId>| id.map(|id| id.to_string());
        match kind {
            EventKind::UserMessage(said) => Self::User { text: text(&said.content) },
            EventKind::AssistantMessageCompleted(said) => Self::Agent { text: text(&said.content) },
            EventKind::ToolCallRequested(call) => Self::ToolCall {
                call: id(call.tool_call_id),
                tool: call.tool_name,
                arguments: json(call.arguments),
            },
            EventKind::ToolCallCompleted(end) => Self::ToolResult {
                call: id(end.tool_call_id),
                tool: end.tool_name,
                result: json(end.result),
                failed: end.is_error.unwrap_or(false),
            },
            EventKind::ToolCallFailed(end) => Self::ToolResult {
                call: id(end.tool_call_id),
                tool: end.tool_name,
                result: json(end.result),
                failed: true,
            },
            EventKind::ToolResultSubmitted(end) => Self::ToolResult {
                call: id(end.tool_call_id),
                tool: None,
                result: json(end.result),
                failed: end.is_error.unwrap_or(false),
            },
            EventKind::MessageStatusChanged(change) => {
                Self::Turn { status: change.status.map(|status| status.to_string()) }
            }
            EventKind::SessionStatusChanged(change) => {
                Self::Session { status: change.status.map(|status| status.to_string()) }
            }
            _ => Self::Other,
        }
    }
}

fn text(content: &[ContentBlock]) -> String {
    let block = |block: &ContentBlock| match block {
        ContentBlock::Text(block) => block.text.clone(),
        ContentBlock::File(file) => format!("[file {}]", file.file_id),
        ContentBlock::Image(file) => format!("[image {}]", file.file_id),
        ContentBlock::Unknown(block) => format!("[{}]", block.kind()),
        _ => "[a part this page cannot show]".to_owned(),
    };
    content.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

/// Returns a text as it is, and other JSON as it was sent, so that no digit changes.
fn readable(json: &RawJson) -> String {
    json.parse().unwrap_or_else(|_| json.get().to_owned())
}
