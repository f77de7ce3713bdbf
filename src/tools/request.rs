//! A call of a tool, as its handler gets it.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::ids::{MessageId, SessionId, ToolCallId};
use crate::json::{RawJson, path_of, reason_of};

/// A call of one of the application's tools.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolRequest {
    /// The session.
    pub session_id: SessionId,
    /// The message whose turn waits for the answer.
    pub message_id: MessageId,
    /// The call; the same again when a process died before it could answer.
    pub tool_call_id: ToolCallId,
    /// The tool's name.
    pub tool_name: String,
    /// The arguments; `{}` when the service gave none.
    pub arguments: RawJson,
}

impl ToolRequest {
    /// Returns the arguments read as an `A`.
    ///
    /// # Errors
    ///
    /// Fails when they do not fit; the error names the field, and is fit for a model to read.
    pub fn parse<A: DeserializeOwned>(&self) -> Result<A, ArgumentsError> {
        self.arguments.parse().map_err(|error| ArgumentsError {
            path: path_of(self.arguments.get(), &error),
            // The model cannot see lines and columns.
            reason: reason_of(&error),
        })
    }
}

/// Arguments that do not fit a tool's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentsError {
    path: String,
    reason: String,
}

impl ArgumentsError {
    /// Returns where in the arguments, such as `items[1].price`.
    ///
    /// Empty when the arguments as a whole do not fit.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for ArgumentsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the arguments do not fit")?;
        if !self.path.is_empty() {
            write!(f, " at `{}`", self.path)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for ArgumentsError {}

#[cfg(test)]
mod tests {
    use super::ToolRequest;
    use crate::json::RawJson;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Order {
        items: Vec<Item>,
        #[allow(dead_code, reason = "only read from JSON")]
        note: Option<RawJson>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only read from JSON")]
    struct Item {
        price: f64,
    }

    fn request(arguments: &str) -> ToolRequest {
        ToolRequest {
            session_id: "sess_1".parse().unwrap(),
            message_id: "msg_1".parse().unwrap(),
            tool_call_id: "call_1".into(),
            tool_name: "order".to_owned(),
            arguments: arguments.parse().unwrap(),
        }
    }

    #[test]
    fn an_error_names_the_field_and_what_was_expected() {
        let refused = |arguments| request(arguments).parse::<Order>().unwrap_err();
        let deep = refused(r#"{"items":[{"price":1},{"price":"two"}]}"#);
        assert_eq!(deep.path(), "items[1].price");
        assert_eq!(
            deep.to_string(),
            r#"the arguments do not fit at `items[1].price`: invalid type: string "two", expected f64"#
        );
        let missing = refused("{}");
        assert_eq!(missing.to_string(), "the arguments do not fit: missing field `items`");
        assert_eq!(missing.path(), "");
        let null = refused("null").to_string();
        assert_eq!(null, "the arguments do not fit: invalid type: null, expected struct Order");
    }

    #[test]
    fn raw_json_passes_through_typed_arguments() {
        let order = request(r#"{"items":[],"note":{"n":1.10}}"#).parse::<Order>().unwrap();
        assert_eq!((order.items.len(), order.note.unwrap().get()), (0, r#"{"n":1.10}"#));
    }
}
