//! Statuses and kinds as open enums: a value the crate does not know is kept.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that this version of the crate has no name for.
///
/// It can only come from text outside the known list, so comparing with a known variant is sound.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnknownValue(Box<Box<str>>);

impl UnknownValue {
    /// Returns the text as the server sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value newer than this version of the crate, kept as it came.
            Unknown(UnknownValue),
        }

        impl $name {
            /// Returns the value as the contract spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(other) => other.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown(UnknownValue(Box::new(text.into()))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::from(text))
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }
    };
}

open_enum! {
    /// Where a message is in its life (contract §1).
    ///
    /// Only [`Completed`](Self::Completed) and [`Failed`](Self::Failed) are final; an unknown
    /// status is not.
    MessageStatus {
        /// Recorded, and waiting for its turn.
        Queued = "queued",
        /// The agent is at work on it.
        Running = "running",
        /// The agent waits for the application to answer an external tool call.
        WaitingForTool = "waiting_for_tool",
        /// Done: the message has its output.
        Completed = "completed",
        /// Ended without a reply; the output's error says why.
        Failed = "failed",
    }
}

impl MessageStatus {
    /// Returns whether the message will not change any more.
    ///
    /// ```
    /// use dari::MessageStatus;
    ///
    /// assert!(MessageStatus::Failed.is_terminal());
    /// assert!(!MessageStatus::from("paused").is_terminal());
    /// ```
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

open_enum! {
    /// What a session is doing (contract §1).
    ///
    /// Judge a turn by its [`MessageStatus`], never by this: the values differ between the
    /// service's own pages.
    SessionStatus {
        /// No message is queued or running.
        Idle = "idle",
        /// A message is queued or running.
        Running = "running",
        /// Open, on an older page of the service.
        Active = "active",
        /// Ended well, on an older page of the service.
        Completed = "completed",
        /// Ended badly, on an older page of the service.
        Failed = "failed",
        /// No longer usable, on an older page of the service.
        Expired = "expired",
    }
}

open_enum! {
    /// Where a tool call of a transcript is in its life (contract §1).
    ToolCallStatus {
        /// The agent has asked for it.
        Requested = "requested",
        /// The tool is at work.
        Running = "running",
        /// The tool has answered.
        Completed = "completed",
        /// The tool, or the call of it, failed.
        Failed = "failed",
    }
}

open_enum! {
    /// Where an uploaded source is in its life (contract §1).
    SourceSnapshotStatus {
        /// Reserved, and waiting for the archive.
        PendingUpload = "pending_upload",
        /// Checked: an agent or a version can be made of it.
        Ready = "ready",
        /// Refused; the failure reason says why.
        Failed = "failed",
    }
}

open_enum! {
    /// Where a batch of sessions is in its life (contract §1).
    ///
    /// The last three are final; an unknown status is not.
    BatchStatus {
        /// Recorded; no item has begun.
        Queued = "queued",
        /// Items are at work.
        Running = "running",
        /// Every item is completed.
        Completed = "completed",
        /// No item is completed.
        Failed = "failed",
        /// Some items are completed, and some failed.
        PartialFailed = "partial_failed",
    }
}

impl BatchStatus {
    /// Returns whether the batch will not change any more.
    ///
    /// ```
    /// use dari::BatchStatus;
    ///
    /// assert!(BatchStatus::PartialFailed.is_terminal());
    /// assert!(!BatchStatus::from("paused").is_terminal());
    /// ```
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::PartialFailed)
    }
}

open_enum! {
    /// Where one item of a batch is in its life (contract §1).
    ///
    /// The last two are final; an unknown status is not.
    BatchItemStatus {
        /// Recorded, and waiting for its turn.
        Queued = "queued",
        /// Its agent is at work.
        Running = "running",
        /// Its message is completed.
        Completed = "completed",
        /// It could not be started, or its message failed.
        Failed = "failed",
    }
}

impl BatchItemStatus {
    /// Returns whether the item will not change any more.
    ///
    /// ```
    /// use dari::BatchItemStatus;
    ///
    /// assert!(BatchItemStatus::Failed.is_terminal());
    /// assert!(!BatchItemStatus::from("paused").is_terminal());
    /// ```
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

open_enum! {
    /// What a cost was added up over (contract §8).
    CostScope {
        /// One session.
        Session = "session",
    }
}

open_enum! {
    /// Who caused an event (contract §2).
    EventSource {
        /// The application, by a call of the API.
        User = "user",
    }
}

open_enum! {
    /// What kind of actor stands behind an event (contract §2).
    ActorType {
        /// The organization whose key was used.
        User = "user",
    }
}

open_enum! {
    /// What happened, as an event says it (contract §5); the list is open.
    EventType {
        /// A user's turn was recorded.
        UserMessage = "user.message",
        /// A message moved on.
        MessageStatusChanged = "message.status_changed",
        /// A session became busy or idle.
        SessionStatusChanged = "session.status_changed",
        /// The agent has said something.
        AssistantMessageCompleted = "assistant.message_completed",
        /// The agent calls a tool.
        ToolCallRequested = "tool.call_requested",
        /// A tool has answered.
        ToolCallCompleted = "tool.call_completed",
        /// A tool, or the call of it, failed.
        ToolCallFailed = "tool.call_failed",
        /// The application has answered a call.
        ToolResultSubmitted = "tool.result_submitted",
        /// A webhook did not get through.
        WebhookDeliveryFailed = "webhook.delivery_failed",
    }
}

open_enum! {
    /// What a webhook can be told of (contract §1).
    WebhookEventType {
        /// The agent calls a tool that the application runs.
        ToolCallRequested = "tool.call_requested",
        /// A session's work ended well.
        SessionCompleted = "session.completed",
        /// A session's work failed.
        SessionFailed = "session.failed",
        /// All sessions of a batch ended well.
        BatchCompleted = "batch.completed",
        /// A batch failed.
        BatchFailed = "batch.failed",
        /// Some sessions of a batch failed.
        BatchPartialFailed = "batch.partial_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::{MessageStatus, SessionStatus};

    #[test]
    fn a_known_status_reads_and_writes_the_contract_word() {
        let status: MessageStatus = serde_json::from_str("\"waiting_for_tool\"").unwrap();
        assert_eq!(status, MessageStatus::WaitingForTool);
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"waiting_for_tool\"");
    }

    #[test]
    fn an_unknown_status_is_kept_and_not_final() {
        let status: MessageStatus = serde_json::from_str("\"paused\\u0021\"").unwrap();
        assert_eq!(status.as_str(), "paused!");
        assert!(!status.is_terminal());
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"paused!\"");
    }

    #[test]
    fn a_status_that_is_not_text_is_an_error() {
        assert!(serde_json::from_str::<SessionStatus>("3").is_err());
        assert!(serde_json::from_str::<SessionStatus>("null").is_err());
    }
}
