//! Ways to decode a body, each to what its users get.

use std::hint::black_box;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::bodies::{self, Tag};
use crate::derived;

/// What kind of body is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A list of messages of 10 MB.
    Messages,
    /// The same, with each `type` behind the other fields.
    MessagesTagLast,
    /// A transcript of 10 MB.
    Transcript,
    /// A list of 100,000 events.
    Events,
}

/// Who decodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// This crate's types.
    Dari,
    /// Plain derived types.
    Derived,
    /// `serde_json::Value`.
    Value,
    /// `IgnoredAny`: what it costs to look at every byte.
    Floor,
}

const LIST_BYTES: usize = 10_000_000;
const EVENTS: usize = 100_000;

impl Workload {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Messages, Self::MessagesTagLast, Self::Transcript, Self::Events];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::MessagesTagLast => "messages-tag-last",
            Self::Transcript => "transcript",
            Self::Events => "events",
        }
    }

    /// Returns the body.
    #[must_use]
    pub fn body(self) -> String {
        match self {
            Self::Messages => bodies::messages(LIST_BYTES, Tag::First),
            Self::MessagesTagLast => bodies::messages(LIST_BYTES, Tag::Last),
            Self::Transcript => bodies::transcript(LIST_BYTES),
            Self::Events => bodies::events(EVENTS),
        }
    }
}

impl Decoder {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dari, Self::Derived, Self::Value, Self::Floor];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dari => "dari",
            Self::Derived => "derived",
            Self::Value => "value",
            Self::Floor => "floor",
        }
    }

    /// Decodes a body, and drops what came out.
    ///
    /// # Errors
    ///
    /// Fails when the body does not fit.
    pub fn decode(self, workload: Workload, body: &str) -> serde_json::Result<()> {
        match (self, workload) {
            (Self::Floor, _) => read::<IgnoredAny>(body),
            (Self::Value, _) => read::<Value>(body),
            (Self::Dari, Workload::Transcript) => read_text::<dari::Transcript>(body),
            (Self::Dari, Workload::Events) => read_text::<dari::EventList>(body),
            (Self::Dari, _) => read_text::<dari::MessageList>(body),
            (Self::Derived, Workload::Transcript) => read::<derived::Transcript>(body),
            (Self::Derived, Workload::Events) => read::<derived::EventList>(body),
            (Self::Derived, _) => read::<derived::MessageList>(body),
        }
    }
}

/// Decodes as the client does: bytes are known to be text before they are decoded.
fn read_text<T: DeserializeOwned>(body: &str) -> serde_json::Result<()> {
    let text = std::str::from_utf8(black_box(body.as_bytes())).map_err(serde::de::Error::custom)?;
    serde_json::from_str::<T>(text).map(|value| drop(black_box(value)))
}

fn read<T: DeserializeOwned>(body: &str) -> serde_json::Result<()> {
    serde_json::from_slice::<T>(body.as_bytes()).map(|value| drop(black_box(value)))
}
