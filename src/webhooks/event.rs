//! What a delivery says: the envelope of an event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, BatchId, MessageId, SessionId, WebhookId};
use crate::json::{RawJson, read};
use crate::object::{ExtraFields, growing};
use crate::status::WebhookEventType;
use crate::webhooks::WebhookError;
use crate::webhooks::assumed::{Assumed, Inside, Time, beside};

/// An event that was delivered to a webhook (contract §7).
///
/// The same event may come more than once, under the same [`id`](Self::id). What it says is
/// [`kind`](Self::kind).
///
/// Reading one does not verify it: take it from
/// [`WebhookVerifier::verify`](crate::webhooks::WebhookVerifier::verify).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The event's id; the same in every delivery of it.
    pub id: WebhookId,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: WebhookEventType,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Assumed<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<Assumed<AgentId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<Assumed<SessionId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<Assumed<MessageId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_id: Option<Assumed<BatchId>>,
    /// What belongs to this type of event, as it came; `null` if it was missing.
    #[serde(default)]
    pub data: RawJson,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(WebhookEvent);

impl WebhookEvent {
    /// Returns when the event happened, if it says so.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        let time = beside(&self.created_at).or_else(|| self.inside().created_at);
        time.map(|time| time.0)
    }

    /// Returns the agent, if the event names it.
    #[must_use]
    pub fn agent_id(&self) -> Option<AgentId> {
        beside(&self.agent_id).or_else(|| self.inside().agent_id)
    }

    /// Returns the session, if the event names it.
    ///
    /// ```
    /// use dari::webhooks::WebhookEvent;
    ///
    /// let event: WebhookEvent = serde_json::from_str(r#"{
    ///     "id": "wh_1", "type": "session.completed", "data": {"session_id": "sess_1"}
    /// }"#)?;
    /// assert_eq!(event.session_id().unwrap(), "sess_1");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        beside(&self.session_id).or_else(|| self.inside().session_id)
    }

    /// Returns the message, if the event names it.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        beside(&self.message_id).or_else(|| self.inside().message_id)
    }

    /// Returns the batch, if the event names it.
    #[must_use]
    pub fn batch_id(&self) -> Option<BatchId> {
        beside(&self.batch_id).or_else(|| self.inside().batch_id)
    }

    /// Reads a body whose signature was good.
    pub(super) fn read(body: &[u8]) -> Result<Self, WebhookError> {
        read(body).map_err(|misfit| WebhookError::body(&misfit))
    }

    fn inside(&self) -> Inside {
        self.data.parse().unwrap_or_default()
    }
}
