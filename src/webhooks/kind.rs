//! What a delivered event says: typed, lenient views of its data.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::events::ToolCallRequested;
use crate::ids::{BatchId, MessageId, SessionId};
use crate::json::{RawJson, lenient};
use crate::status::WebhookEventType;
use crate::webhooks::WebhookEvent;

/// What a delivered event says, by its type (contract §7).
///
/// A field that is missing, or that does not fit, is `None`; the data as it came stays in
/// [`WebhookEvent::data`]. The ids are those that the event names beside or inside its data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WebhookEventKind {
    /// `tool.call_requested`: the agent calls a tool that the application runs.
    ToolCallRequested(ToolCallRequested),
    /// `session.completed`: a session's work ended well.
    SessionCompleted(SessionEnded),
    /// `session.failed`: a session's work failed.
    SessionFailed(SessionEnded),
    /// `batch.completed`: all sessions of a batch ended well.
    BatchCompleted(BatchEnded),
    /// `batch.failed`: a batch failed.
    BatchFailed(BatchEnded),
    /// `batch.partial_failed`: some sessions of a batch failed.
    BatchPartialFailed(BatchEnded),
    /// An event of a type newer than this version of the crate.
    Other,
}

impl WebhookEvent {
    /// Returns what the event says, read from its data now.
    ///
    /// ```
    /// use dari::webhooks::{WebhookEvent, WebhookEventKind};
    ///
    /// fn handle(event: &WebhookEvent) {
    ///     match event.kind() {
    ///         WebhookEventKind::ToolCallRequested(call) => {
    ///             println!("calls {:?} with {:?}", call.tool_name, call.arguments);
    ///         }
    ///         WebhookEventKind::SessionFailed(session) => println!("failed: {session:?}"),
    ///         _ => println!("{}: {}", event.event_type, event.data),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn kind(&self) -> WebhookEventKind {
        match self.event_type {
            WebhookEventType::ToolCallRequested => {
                WebhookEventKind::ToolCallRequested(self.tool_call())
            }
            WebhookEventType::SessionCompleted => {
                WebhookEventKind::SessionCompleted(self.session())
            }
            WebhookEventType::SessionFailed => WebhookEventKind::SessionFailed(self.session()),
            WebhookEventType::BatchCompleted => WebhookEventKind::BatchCompleted(self.batch()),
            WebhookEventType::BatchFailed => WebhookEventKind::BatchFailed(self.batch()),
            WebhookEventType::BatchPartialFailed => {
                WebhookEventKind::BatchPartialFailed(self.batch())
            }
            WebhookEventType::Unknown(_) => WebhookEventKind::Other,
        }
    }

    fn tool_call(&self) -> ToolCallRequested {
        ToolCallRequested { message_id: self.message_id(), ..self.view() }
    }

    fn session(&self) -> SessionEnded {
        let (session_id, message_id) = (self.session_id(), self.message_id());
        SessionEnded { session_id, message_id, ..self.view() }
    }

    fn batch(&self) -> BatchEnded {
        BatchEnded { batch_id: self.batch_id(), ..self.view() }
    }

    fn view<T: DeserializeOwned + Default>(&self) -> T {
        // Data that is no object has none of the fields.
        self.data.parse().unwrap_or_default()
    }
}

/// The end of a session's work.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SessionEnded {
    /// The session.
    #[serde(skip)]
    pub session_id: Option<SessionId>,
    /// The message whose turn ended, if the event names it.
    #[serde(skip)]
    pub message_id: Option<MessageId>,
    /// The metadata the session was created with; that it stands in `data` is an assumption.
    #[serde(deserialize_with = "lenient")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// The end of a batch.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BatchEnded {
    /// The batch.
    #[serde(skip)]
    pub batch_id: Option<BatchId>,
    /// The metadata given at creation; that it stands in `data` is an assumption.
    #[serde(deserialize_with = "lenient")]
    pub metadata: Option<RawJson>,
}
