//! The transcript of a session: its timeline in display order (contract §4).

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::agent::Agent;
use super::message::{Message, MessageStatus, TextBlock, ToolCall, readable};
use super::session::{Session, SessionView};

#[derive(Serialize)]
pub(super) struct Transcript<'a> {
    agent: &'a Agent,
    session: SessionView<'a>,
    timeline: Timeline<'a>,
}

#[derive(Serialize)]
struct Timeline<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item<'a> {
    UserMessage {
        id: &'a str,
        message_id: &'a str,
        content: &'a [Box<RawValue>],
        created_at: &'a str,
    },
    ToolCall {
        id: &'a str,
        message_id: &'a str,
        tool_call_id: &'a str,
        tool_name: &'a str,
        arguments: &'a Value,
        status: &'static str,
        result: Option<&'a RawValue>,
        is_error: bool,
        created_at: &'a str,
        completed_at: Option<&'a str>,
    },
    AssistantMessage {
        id: &'a str,
        message_id: &'a str,
        status: MessageStatus,
        content: Vec<TextBlock>,
        created_at: &'a str,
        error_message: Option<String>,
    },
}

impl<'a> Transcript<'a> {
    /// Returns the transcript, turn by turn.
    pub(super) fn of(session: &'a Session, agent: &'a Agent) -> Self {
        let items = session.messages.iter().flat_map(turn).collect();
        Self { agent, session: session.view(), timeline: Timeline { items } }
    }
}

fn turn(message: &Message) -> Vec<Item<'_>> {
    let mut items = vec![Item::UserMessage {
        id: &message.opened.event_id,
        message_id: &message.id,
        content: &message.parts,
        created_at: &message.opened.at,
    }];
    items.extend(message.calls.iter().map(|call| tool_call(message, call)));
    items.push(Item::AssistantMessage {
        id: &message.answered.event_id,
        message_id: &message.id,
        status: message.status,
        content: message.reply(),
        created_at: &message.answered.at,
        error_message: error_message(message),
    });
    items
}

fn tool_call<'a>(message: &'a Message, call: &'a ToolCall) -> Item<'a> {
    let outcome = call.outcome.as_ref();
    let status = match outcome {
        None => "requested",
        Some(outcome) if outcome.is_error => "failed",
        Some(_) => "completed",
    };
    Item::ToolCall {
        id: &call.requested.event_id,
        message_id: &message.id,
        tool_call_id: &call.id,
        tool_name: &call.name,
        arguments: &call.arguments,
        status,
        result: outcome.and_then(|outcome| outcome.result.as_deref()),
        is_error: status == "failed",
        created_at: &call.requested.at,
        completed_at: outcome.map(|outcome| outcome.at.as_str()),
    }
}

/// Returns an error's text, its `message`, or all of it.
pub(super) fn error_message(message: &Message) -> Option<String> {
    let error = message.output.as_ref()?.error.as_ref().filter(|error| !error.is_null())?;
    Some(readable(error.get("message").filter(|text| text.is_string()).unwrap_or(error)))
}
