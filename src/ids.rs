//! Names of things: one distinct, checked type for each kind of id.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

/// An error for text that cannot be an id.
///
/// Ids stand in URL paths, so text that a URL parser would fold away or
/// cut (`""`, `"."`, `".."`, control characters) is refused before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind}: {reason}")]
pub struct ParseIdError {
    kind: &'static str,
    reason: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $label:literal) => {
        id!($(#[$doc])* $name(Box<str>), $label);
    };
    ($(#[$doc:meta])* $name:ident($text:ty), $label:literal) => {
        $(#[$doc])*
        ///
        /// The text is opaque and never read for order; any text but `""`, `"."`, `".."` and
        /// text with control characters is accepted (contract §1).
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                check(text, $label)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                check(&text, $label)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = ParseIdError;

            fn try_from(text: &str) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }

        text_traits!($name);
    };
}

macro_rules! text_traits {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                (*id.0).to_owned()
            }
        }
    };
}

id!(
    /// The id of an agent, such as `agt_123`.
    AgentId, "agent id"
);
id!(
    /// The id of one version of an agent, such as `ver_123`.
    VersionId, "version id"
);
id!(
    /// The id of a session, such as `sess_123`.
    SessionId, "session id"
);
id!(
    /// The id of a message, such as `msg_123`.
    MessageId, "message id"
);
id!(
    /// The id of an event: `sess_123:evt_1`, or a bare `evt_1`.
    // Shared, since a stream keeps the id of each event that it delivers.
    EventId(Arc<str>), "event id"
);
id!(
    /// The id of a batch of sessions, such as `batch_123`.
    BatchId, "batch id"
);
id!(
    /// The id of an uploaded file, such as `file_123`.
    FileId, "file id"
);
id!(
    /// The id of an event delivered to a webhook; the same in every delivery of it.
    WebhookId, "webhook id"
);
id!(
    /// The id of an uploaded source, such as `src_123`.
    SourceSnapshotId, "source snapshot id"
);

/// The id of a tool call; any text at all.
///
/// A model makes these up and they never stand in a path, so nothing is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolCallId(Box<str>);

impl ToolCallId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ToolCallId {
    fn from(text: String) -> Self {
        Self(text.into_boxed_str())
    }
}

impl From<&str> for ToolCallId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for ToolCallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

text_traits!(ToolCallId);

/// Parses text where it stands, so that an id costs one allocation.
struct TextVisitor<T>(PhantomData<fn() -> T>);

impl<T: FromStr<Err = ParseIdError>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

fn check(text: &str, kind: &'static str) -> Result<(), ParseIdError> {
    let reason = match text {
        "" => "it is empty",
        "." | ".." => "it is a relative path segment",
        _ if has_control(text) => "it contains a control character",
        _ => return Ok(()),
    };
    Err(ParseIdError { kind, reason })
}

fn has_control(text: &str) -> bool {
    // Bytes are looked at several at a time, and nearly every id is plain ASCII.
    let plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    !plain && text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::{AgentId, ToolCallId};

    #[test]
    fn text_that_a_url_would_fold_away_is_refused() {
        for bad in ["", ".", "..", "a\nb", "a\0", "\u{7f}", "\u{85}"] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad:?}");
            let json = serde_json::to_string(bad).unwrap();
            assert!(serde_json::from_str::<AgentId>(&json).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_names_the_kind_and_the_reason() {
        let error = "..".parse::<AgentId>().unwrap_err();
        assert_eq!(error.to_string(), "invalid agent id: it is a relative path segment");
    }

    #[test]
    fn odd_but_safe_text_is_kept() {
        for text in ["agt_1", "...", "a/b", "%2e%2e", "sess_1:evt_1", "ключ"] {
            let id: AgentId = text.parse().unwrap();
            assert_eq!(id, text);
            assert_eq!(serde_json::to_string(&id).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn a_tool_call_id_may_be_anything() {
        let id: ToolCallId = serde_json::from_str("\"\"").unwrap();
        assert_eq!(id, ToolCallId::from(""));
    }
}
