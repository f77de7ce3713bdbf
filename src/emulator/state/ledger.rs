//! The ledger of a session: its events in order, each written out once.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::message::{MessageStatus, TextBlock};

/// The organization that owns everything in the emulator.
const ORGANIZATION: &str = "org_1";

/// When the emulator started; makes time stamps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(pub(super) Timestamp);

/// One event, as every answer and stream shows it.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Event {
    pub(in crate::emulator) id: String,
    pub(in crate::emulator) kind: &'static str,
    pub(in crate::emulator) json: Box<RawValue>,
}

/// Which event something stands for, and when it happened.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) event_id: String,
    pub(super) at: String,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) session_id: String,
    pub(super) agent_id: String,
    pub(super) epoch: Epoch,
    pub(super) events: Vec<Event>,
}

/// The `data` of an event (contract §5).
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Data<'a> {
    UserMessage {
        content: &'a [Box<RawValue>],
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<&'a RawValue>,
        message_id: &'a str,
    },
    MessageStatus {
        message_id: &'a str,
        status: MessageStatus,
    },
    SessionStatus {
        status: &'static str,
    },
    AssistantMessage {
        message_id: &'a str,
        content: &'a [TextBlock],
    },
    ToolRequested {
        message_id: &'a str,
        tool_call_id: &'a str,
        tool_name: &'a str,
        arguments: &'a Value,
    },
    ToolFinished {
        tool_call_id: &'a str,
        tool_name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        is_error: bool,
    },
    DeliveryFailed {
        webhook_id: &'a str,
        event_type: &'a str,
        attempts: u32,
        error: &'a str,
    },
    ToolAnswered {
        message_id: &'a str,
        tool_call_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        is_error: bool,
    },
}

#[derive(Serialize)]
struct EventView<'a> {
    id: &'a str,
    session_id: &'a str,
    sequence_number: usize,
    message_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    source: &'static str,
    actor: Option<Actor<'a>>,
    data: &'a Data<'a>,
    created_at: &'a str,
}

#[derive(Serialize)]
struct Actor<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
}

impl Epoch {
    /// Returns the time stamp of a moment, in whole seconds.
    pub(super) fn stamp(self, at: Duration) -> String {
        let moment = self.0.checked_add(at).unwrap_or(Timestamp::MAX);
        Timestamp::from_second(moment.as_second()).unwrap_or(moment).to_string()
    }
}

impl Ledger {
    /// Adds an event and returns its mark.
    pub(super) fn record(
        &mut self,
        at: Duration,
        message_id: Option<&str>,
        data: &Data<'_>,
    ) -> Mark {
        let sequence_number = self.events.len() + 1;
        let (kind, source) = data.kind();
        let event_id = format!("{}:evt_{sequence_number}", self.session_id);
        let mark = Mark { event_id, at: self.epoch.stamp(at) };
        let json = written(&EventView {
            id: &mark.event_id,
            session_id: &self.session_id,
            sequence_number,
            message_id,
            kind,
            source,
            actor: self.actor(source),
            data,
            created_at: &mark.at,
        });
        let id = mark.event_id.clone();
        self.events.push(Event { id, kind, json });
        mark
    }

    fn actor(&self, source: &str) -> Option<Actor<'_>> {
        match source {
            "user" => Some(Actor { kind: "user", id: ORGANIZATION }),
            "agent" => Some(Actor { kind: "agent", id: &self.agent_id }),
            _ => None,
        }
    }
}

impl Data<'_> {
    /// Returns the event type, and who makes such events.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::UserMessage { .. } => ("user.message", "user"),
            Self::MessageStatus { .. } => ("message.status_changed", "system"),
            Self::SessionStatus { .. } => ("session.status_changed", "system"),
            Self::AssistantMessage { .. } => ("assistant.message_completed", "agent"),
            Self::ToolRequested { .. } => ("tool.call_requested", "agent"),
            Self::ToolFinished { is_error: true, .. } => ("tool.call_failed", "agent"),
            Self::ToolFinished { .. } => ("tool.call_completed", "agent"),
            Self::DeliveryFailed { .. } => ("webhook.delivery_failed", "system"),
            Self::ToolAnswered { .. } => ("tool.result_submitted", "user"),
        }
    }
}

/// Returns a value written out as JSON.
pub(super) fn written(value: &impl Serialize) -> Box<RawValue> {
    // Only a map with keys that are not text fails, and there is none here.
    to_raw_value(value).unwrap_or_default()
}
