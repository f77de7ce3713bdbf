//! Events: the facts of a session, and the ones an application adds.

mod kind;
mod summary;
mod tool_result;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::content::{ContentBlock, IntoContent};
use crate::error::Error;
use crate::ids::{EventId, MessageId, SessionId};
use crate::json::RawJson;
use crate::object::{ExtraFields, growing};
use crate::status::{ActorType, EventSource, EventType};

pub use kind::{
    AssistantMessageCompleted, EventKind, MessageStatusChanged, SessionStatusChanged,
    ToolCallEnded, ToolCallRequested, ToolResultSubmitted, UserMessage,
};
pub use summary::MessageSummary;
pub use tool_result::NewToolResult;

/// A fact in a session's ledger (contract §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Event {
    /// The id; never read it for order.
    pub id: EventId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Its place in the session's order; some replies leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<u64>,
    /// The message it belongs to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What happened, such as `user.message` (contract §5).
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// Who caused it; some replies leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<EventSource>,
    /// Who stands behind it; some replies leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What belongs to this type of event.
    pub data: RawJson,
    /// When it was recorded.
    #[serde(with = "crate::time")]
    pub created_at: Timestamp,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// Who stands behind an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Actor {
    /// What kind of actor.
    #[serde(rename = "type")]
    pub actor_type: ActorType,
    /// The actor's id, such as the organization's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A list of events, in session order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct EventList {
    /// The events.
    #[serde(deserialize_with = "crate::json::list")]
    pub events: Vec<Event>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Event, Actor, EventList);

impl IntoIterator for EventList {
    type Item = Event;
    type IntoIter = std::vec::IntoIter<Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

/// An event to add to a session.
///
/// ```
/// use dari::NewEvent;
///
/// let event = NewEvent::user_message("Summarize this ticket.").metadata("ticket_id", "T-1042");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use = "an event does nothing until it is sent"]
pub struct NewEvent {
    r#type: &'static str,
    #[serde(flatten)]
    message: NewMessage,
}

impl NewEvent {
    /// Returns a `user.message`, which opens a turn.
    pub fn user_message(content: impl IntoContent) -> Self {
        Self { r#type: "user.message", message: NewMessage::new(content) }
    }

    /// Adds a field to the message's metadata, which is free JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.message.add_metadata(name.into(), &value);
        self
    }

    pub(crate) fn check(&self, operation: &'static str) -> Result<(), Error> {
        self.message.check(operation)
    }
}

/// What a user says, without the event that carries it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NewMessage {
    content: Vec<ContentBlock>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
}

impl NewMessage {
    pub(crate) fn new(content: impl IntoContent) -> Self {
        Self { content: content.into_content(), metadata: Metadata::default() }
    }

    pub(crate) fn add_metadata(&mut self, name: String, value: &impl Serialize) {
        self.metadata.insert(name, value);
    }

    pub(crate) fn check(&self, operation: &'static str) -> Result<(), Error> {
        if self.content.is_empty() {
            return Err(Error::invalid(operation, "content", "it has no block"));
        }
        match &self.metadata.refused {
            Some(reason) => Err(Error::invalid(operation, "metadata", reason)),
            None => Ok(()),
        }
    }
}

/// The free metadata of a message in the making.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
struct Metadata {
    fields: BTreeMap<String, RawJson>,
    /// Why a value could not be encoded, kept until there is a call to refuse.
    #[serde(skip)]
    refused: Option<String>,
}

impl Metadata {
    fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn insert(&mut self, name: String, value: &impl Serialize) {
        match RawJson::new(value) {
            Ok(json) => drop(self.fields.insert(name, json)),
            Err(error) => self.refused = Some(format!("{name}: {error}")),
        }
    }
}
