//! Where an event names what it is about: the one place that assumes it.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{AgentId, BatchId, MessageId, SessionId};
use crate::json::{RawJson, lenient};

/// A field beside `data`: read if it fits, and kept as it came if it does not.
///
/// Assumption (contract §7): `created_at`, `agent_id`, `session_id`, `message_id` and `batch_id` stand beside
/// `data`. Should one of them be of another kind, no delivery is refused for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Assumed<T> {
    Fits(T),
    Other(RawJson),
}

/// The same fields inside `data`, where those beside it are missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Inside {
    #[serde(deserialize_with = "lenient")]
    pub(super) created_at: Option<Time>,
    #[serde(deserialize_with = "lenient")]
    pub(super) agent_id: Option<AgentId>,
    #[serde(deserialize_with = "lenient")]
    pub(super) session_id: Option<SessionId>,
    #[serde(deserialize_with = "lenient")]
    pub(super) message_id: Option<MessageId>,
    #[serde(deserialize_with = "lenient")]
    pub(super) batch_id: Option<BatchId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Time(#[serde(with = "crate::time")] pub(super) Timestamp);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Assumed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = RawJson::deserialize(deserializer)?;
        Ok(json.parse().map(Self::Fits).unwrap_or(Self::Other(json)))
    }
}

/// Returns the field beside `data`, if it fits.
pub(super) fn beside<T: Clone>(field: &Option<Assumed<T>>) -> Option<T> {
    match field {
        Some(Assumed::Fits(value)) => Some(value.clone()),
        Some(Assumed::Other(_)) | None => None,
    }
}
