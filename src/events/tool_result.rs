//! The answer of an application to a call of one of its tools.

use serde::Serialize;

use crate::error::Error;
use crate::ids::{MessageId, ToolCallId};
use crate::json::RawJson;

/// An answer to a tool call, to be submitted (contract §6).
///
/// A success is checked against the tool's output schema; an error is handed to the model as it is.
///
/// ```
/// use dari::{MessageId, NewToolResult, ToolCallId};
/// use serde_json::json;
///
/// let (message, call): (MessageId, ToolCallId) = ("msg_1".parse()?, "call_1".into());
/// let found = NewToolResult::success(&message, &call, json!({"priority": "high"}));
/// let nothing = NewToolResult::success(&message, &call, ());
/// let failed = NewToolResult::error(&message, &call, "there is no such ticket");
/// # Ok::<(), dari::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use = "a result does nothing until it is submitted"]
pub struct NewToolResult {
    r#type: &'static str,
    message_id: MessageId,
    tool_call_id: ToolCallId,
    is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<RawJson>,
    /// Why the value could not be encoded, kept until there is a call to refuse.
    #[serde(skip)]
    refused: Option<String>,
}

impl NewToolResult {
    /// Returns a success; what encodes as `null` is sent as `null`.
    pub fn success(message: &MessageId, call: &ToolCallId, result: impl Serialize) -> Self {
        Self { is_error: false, ..Self::bare_error(message, call) }.with(&result)
    }

    /// Returns an error that tells the model what went wrong, as text or JSON.
    pub fn error(message: &MessageId, call: &ToolCallId, reason: impl Serialize) -> Self {
        Self::bare_error(message, call).with(&reason)
    }

    /// Returns an error that tells nothing more.
    ///
    /// ```
    /// use dari::{MessageId, NewToolResult};
    ///
    /// let message: MessageId = "msg_1".parse()?;
    /// let failed = NewToolResult::bare_error(&message, &"call_1".into());
    /// # Ok::<(), dari::ParseIdError>(())
    /// ```
    pub fn bare_error(message: &MessageId, call: &ToolCallId) -> Self {
        Self {
            r#type: "tool.result_submitted",
            message_id: message.clone(),
            tool_call_id: call.clone(),
            is_error: true,
            result: None,
            refused: None,
        }
    }

    pub(crate) fn check(&self, operation: &'static str) -> Result<(), Error> {
        match &self.refused {
            Some(reason) => Err(Error::invalid(operation, "result", reason)),
            None => Ok(()),
        }
    }

    fn with(mut self, value: &impl Serialize) -> Self {
        match RawJson::new(value) {
            Ok(json) => self.result = Some(json),
            Err(error) => self.refused = Some(error.to_string()),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::NewToolResult;
    use crate::ids::{MessageId, ToolCallId};
    use serde_json::{Value, json};

    fn ids() -> (MessageId, ToolCallId) {
        ("msg_a1".parse().unwrap(), "call_a1".into())
    }

    fn encoded(result: &NewToolResult) -> Value {
        serde_json::from_str(&serde_json::to_string(result).unwrap()).unwrap()
    }

    #[test]
    fn a_success_is_the_sample_of_the_contract() {
        let (message, call) = ids();
        let found = NewToolResult::success(&message, &call, json!({"matches": ["a.txt"]}));
        assert_eq!(
            encoded(&found),
            json!({
                "type": "tool.result_submitted",
                "message_id": "msg_a1",
                "tool_call_id": "call_a1",
                "is_error": false,
                "result": {"matches": ["a.txt"]},
            })
        );
    }

    #[test]
    fn null_is_a_result_and_an_error_may_have_none() {
        let (message, call) = ids();
        let field = |result: &NewToolResult| encoded(result).get("result").cloned();
        for null in [
            NewToolResult::success(&message, &call, ()),
            NewToolResult::success(&message, &call, None::<u8>),
            NewToolResult::success(&message, &call, Value::Null),
        ] {
            assert_eq!(field(&null), Some(Value::Null));
            assert_eq!(encoded(&null)["is_error"], false);
        }
        let bare = NewToolResult::bare_error(&message, &call);
        assert_eq!((field(&bare), &encoded(&bare)["is_error"]), (None, &json!(true)));
        let error = NewToolResult::error(&message, &call, "no such ticket");
        assert_eq!(field(&error), Some(json!("no such ticket")));
        assert_eq!(field(&NewToolResult::error(&message, &call, ())), Some(Value::Null));
    }

    #[test]
    fn what_cannot_be_encoded_is_refused_by_the_call() {
        let (message, call) = ids();
        let map = std::collections::HashMap::from([((1, 2), 3)]);
        let refused = NewToolResult::success(&message, &call, map).check("test").unwrap_err();
        assert!(refused.to_string().starts_with("test: invalid result: key must be"), "{refused}");
    }
}
