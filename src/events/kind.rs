//! What an event says: typed, lenient views of its data.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::content::ContentBlock;
use crate::events::Event;
use crate::ids::{MessageId, ToolCallId};
use crate::json::{RawJson, lenient};
use crate::object::ObjectOnly;
use crate::status::{EventType, MessageStatus, SessionStatus};

/// What an event says, by its type (contract §5).
///
/// A field that is missing, or that does not fit, is `None` or empty; the data as it came stays in
/// [`Event::data`]. Only the data of `user.message` is documented, the others are assumptions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// `user.message`: a user's turn was recorded.
    UserMessage(UserMessage),
    /// `message.status_changed`: a message moved on.
    MessageStatusChanged(MessageStatusChanged),
    /// `session.status_changed`: a session became busy or idle.
    SessionStatusChanged(SessionStatusChanged),
    /// `assistant.message_completed`: the agent has said something.
    AssistantMessageCompleted(AssistantMessageCompleted),
    /// `tool.call_requested`: the agent calls a tool.
    ToolCallRequested(ToolCallRequested),
    /// `tool.call_completed`: a tool has answered.
    ToolCallCompleted(ToolCallEnded),
    /// `tool.call_failed`: a tool, or the call of it, failed.
    ToolCallFailed(ToolCallEnded),
    /// `tool.result_submitted`: the application has answered a call.
    ToolResultSubmitted(ToolResultSubmitted),
    /// `webhook.delivery_failed`: a webhook did not get through; its data is not documented.
    WebhookDeliveryFailed,
    /// An event of a type newer than this version of the crate.
    Other,
}

impl Event {
    /// Returns what the event says, read from its data now.
    ///
    /// ```
    /// use dari::{Event, EventKind};
    ///
    /// let event: Event = serde_json::from_str(r#"{
    ///     "id": "evt_3", "session_id": "sess_1", "type": "message.status_changed",
    ///     "data": {"message_id": "msg_1", "status": "running"},
    ///     "created_at": "2026-04-21T18:40:00Z"
    /// }"#)?;
    /// if let EventKind::MessageStatusChanged(change) = event.kind() {
    ///     println!("{:?} is {:?}", change.message_id, change.status);
    /// }
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn kind(&self) -> EventKind {
        match &self.event_type {
            EventType::UserMessage => EventKind::UserMessage(self.view()),
            EventType::MessageStatusChanged => EventKind::MessageStatusChanged(self.view()),
            EventType::SessionStatusChanged => EventKind::SessionStatusChanged(self.view()),
            EventType::AssistantMessageCompleted => {
                EventKind::AssistantMessageCompleted(self.view())
            }
            EventType::ToolCallRequested => EventKind::ToolCallRequested(self.view()),
            EventType::ToolCallCompleted => EventKind::ToolCallCompleted(self.view()),
            EventType::ToolCallFailed => EventKind::ToolCallFailed(self.view()),
            EventType::ToolResultSubmitted => EventKind::ToolResultSubmitted(self.view()),
            EventType::WebhookDeliveryFailed => EventKind::WebhookDeliveryFailed,
            EventType::Unknown(_) => EventKind::Other,
        }
    }

    fn view<T: DeserializeOwned + Default>(&self) -> T {
        // Data that is no object has none of the fields.
        let mut data = serde_json::Deserializer::from_str(self.data.get());
        T::deserialize(ObjectOnly(&mut data)).unwrap_or_default()
    }
}

/// The data of `user.message`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UserMessage {
    /// What the user said.
    #[serde(deserialize_with = "lenient")]
    pub content: Vec<ContentBlock>,
    /// The free JSON that came with it.
    #[serde(deserialize_with = "lenient")]
    pub metadata: Option<RawJson>,
    /// The message it opened.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<MessageId>,
}

/// The data of `message.status_changed`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MessageStatusChanged {
    /// The message.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<MessageId>,
    /// Its status from now on.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<MessageStatus>,
}

/// The data of `session.status_changed`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SessionStatusChanged {
    /// The session's status from now on.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<SessionStatus>,
}

/// The data of `assistant.message_completed`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AssistantMessageCompleted {
    /// The message it belongs to.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<MessageId>,
    /// What the agent said.
    #[serde(deserialize_with = "lenient")]
    pub content: Vec<ContentBlock>,
}

/// The data of `tool.call_requested`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolCallRequested {
    /// The message it belongs to.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<MessageId>,
    /// The call, to be named in an answer.
    #[serde(deserialize_with = "lenient")]
    pub tool_call_id: Option<ToolCallId>,
    /// The tool's name.
    #[serde(deserialize_with = "lenient")]
    pub tool_name: Option<String>,
    /// The arguments.
    #[serde(deserialize_with = "lenient")]
    pub arguments: Option<RawJson>,
}

/// The data of `tool.call_completed` and `tool.call_failed`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolCallEnded {
    /// The call.
    #[serde(deserialize_with = "lenient")]
    pub tool_call_id: Option<ToolCallId>,
    /// The tool's name.
    #[serde(deserialize_with = "lenient")]
    pub tool_name: Option<String>,
    /// The result or the error.
    #[serde(deserialize_with = "crate::json::present")]
    pub result: Option<RawJson>,
    /// Whether the tool failed, if the event says.
    #[serde(deserialize_with = "lenient")]
    pub is_error: Option<bool>,
}

/// The data of `tool.result_submitted`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolResultSubmitted {
    /// The message it belongs to.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<MessageId>,
    /// The call that was answered.
    #[serde(deserialize_with = "lenient")]
    pub tool_call_id: Option<ToolCallId>,
    /// The result or the error.
    #[serde(deserialize_with = "crate::json::present")]
    pub result: Option<RawJson>,
    /// Whether the tool failed, if the event says.
    #[serde(deserialize_with = "lenient")]
    pub is_error: Option<bool>,
}

#[cfg(test)]
mod tests {
    use crate::events::{Event, EventKind};

    fn kind(event_type: &str, data: &str) -> EventKind {
        let json = format!(
            r#"{{"id":"e","session_id":"s","type":"{event_type}","data":{data},
                "created_at":"2026-04-21T18:40:00Z"}}"#
        );
        serde_json::from_str::<Event>(&json).unwrap().kind()
    }

    #[test]
    fn every_type_of_the_contract_has_a_view() {
        let data = r#"{"message_id":"m","tool_call_id":"c","tool_name":"n","arguments":{},
            "result":null,"is_error":true,"status":"x","content":[{"type":"text","text":"hi"}],
            "metadata":{"a":1}}"#;
        let EventKind::UserMessage(view) = kind("user.message", data) else { panic!() };
        assert_eq!((view.content.len(), view.metadata.unwrap().get()), (1, r#"{"a":1}"#));
        let EventKind::ToolCallFailed(view) = kind("tool.call_failed", data) else { panic!() };
        assert!(view.result.unwrap().is_null() && view.is_error.unwrap());
        let kind = |event_type| kind(event_type, data);
        assert!(
            matches!(kind("message.status_changed"), EventKind::MessageStatusChanged(v) if v.status.is_some())
        );
        assert!(
            matches!(kind("session.status_changed"), EventKind::SessionStatusChanged(v) if v.status.is_some())
        );
        assert!(
            matches!(kind("assistant.message_completed"), EventKind::AssistantMessageCompleted(v) if v.content.len() == 1)
        );
        assert!(
            matches!(kind("tool.call_requested"), EventKind::ToolCallRequested(v) if v.arguments.is_some())
        );
        assert!(
            matches!(kind("tool.call_completed"), EventKind::ToolCallCompleted(v) if v.tool_name.is_some())
        );
        assert!(
            matches!(kind("tool.result_submitted"), EventKind::ToolResultSubmitted(v) if v.tool_call_id.is_some())
        );
        assert_eq!(kind("webhook.delivery_failed"), EventKind::WebhookDeliveryFailed);
        assert_eq!(kind("session.renamed"), EventKind::Other);
    }

    #[test]
    fn a_field_that_does_not_fit_is_missing_and_the_others_are_read() {
        let odd = r#"{"message_id":7,"status":"running","content":"hi","new":1}"#;
        let EventKind::MessageStatusChanged(view) = kind("message.status_changed", odd) else {
            panic!()
        };
        assert_eq!((view.message_id, view.status.unwrap().as_str()), (None, "running"));
        let list = kind("message.status_changed", r#"["msg_1", "running"]"#);
        let EventKind::MessageStatusChanged(view) = list else { panic!() };
        assert_eq!(view.status, None, "a list has no fields");
        for data in ["{}", "[]", "null", "3", "\"x\"", odd] {
            assert!(matches!(kind("user.message", data), EventKind::UserMessage(_)), "{data}");
        }
    }
}
