//! What the reply to an event that was sent says of the event's message.

use serde::{Deserialize, Serialize};

use crate::ids::MessageId;
use crate::object::{ExtraFields, growing};
use crate::status::MessageStatus;

/// What a reply to a send says of the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MessageSummary {
    /// The id, to wait for.
    pub id: MessageId,
    /// The status; `queued` when it was just sent.
    pub status: MessageStatus,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(MessageSummary);
