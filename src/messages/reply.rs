//! What a reader wants of a message: its text, its tool calls, its error.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;

use crate::content::{Part, ToolCall, ToolResult};
use crate::error::Error;
use crate::ids::ToolCallId;
use crate::json::RawJson;
use crate::messages::Message;
use crate::status::MessageStatus;

impl Message {
    /// Returns the agent's text, without its tool traffic.
    ///
    /// Texts between which something else happened are set apart by an empty line. Empty when there
    /// is no reply.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let mut text = Cow::Borrowed("");
        let mut follows_text = true;
        for part in self.output_parts() {
            let Some(more) = part.as_text() else {
                follows_text = false;
                continue;
            };
            if text.is_empty() {
                text = Cow::Borrowed(more);
            } else {
                let gap = if follows_text { "" } else { "\n\n" };
                let text = text.to_mut();
                text.push_str(gap);
                text.push_str(more);
            }
            follows_text = true;
        }
        text
    }

    /// Returns the tool calls in order, each with its result.
    ///
    /// ```no_run
    /// # fn example(message: dari::Message) {
    /// for exchange in message.tool_calls() {
    ///     let failed = exchange.result.is_some_and(|result| result.is_error);
    ///     println!("{} {}", exchange.call.name, if failed { "failed" } else { "ran" });
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn tool_calls(&self) -> Vec<ToolExchange<'_>> {
        // An id may come twice: each call takes the first result that no call before it took.
        let mut results: HashMap<&ToolCallId, VecDeque<&ToolResult>> = HashMap::new();
        for part in self.output_parts() {
            if let Part::ToolResult(result) = part {
                results.entry(&result.tool_call_id).or_default().push_back(result);
            }
        }
        let calls = self.output_parts().iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        let mut take = |call: &ToolCall| results.get_mut(&call.id)?.pop_front();
        calls.map(|call| ToolExchange { call, result: take(call) }).collect()
    }

    /// Returns why the message failed, if it did.
    ///
    /// Also present when the service gave an error without the status `failed`.
    #[must_use]
    pub fn error(&self) -> Option<MessageError<'_>> {
        let json = self.output.as_ref().and_then(|output| output.error.as_ref());
        let failed = self.status == MessageStatus::Failed || json.is_some();
        failed.then_some(MessageError { json })
    }

    /// Returns the message if it is completed.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when it failed, or is not final yet. The message is in
    /// [`Error::last_seen`].
    pub fn into_completed(self) -> Result<Self, Error> {
        if self.status == MessageStatus::Completed {
            return Ok(self);
        }
        let what = format!(
            "message {} {}",
            self.id,
            match self.status {
                MessageStatus::Failed => "failed".to_owned(),
                ref status => format!("is {status}, not completed"),
            }
        );
        let text = self.error().map(|error| error.text().into_owned()).unwrap_or_default();
        Err(Error::failed(&what, &text, self))
    }

    fn output_parts(&self) -> &[Part] {
        self.output.as_ref().map_or(&[], |output| &output.parts)
    }
}

/// A tool call, and its result once there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolExchange<'a> {
    /// The call.
    pub call: &'a ToolCall,
    /// What the tool answered.
    pub result: Option<&'a ToolResult>,
}

/// Why a message failed; `Display` is its text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MessageError<'a> {
    json: Option<&'a RawJson>,
}

impl<'a> MessageError<'a> {
    /// Returns the error as the service gave it, in a shape that is not documented.
    #[must_use]
    pub fn json(&self) -> Option<&'a RawJson> {
        self.json
    }

    /// Returns what a person would read in it.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self.json {
            None => Cow::Borrowed("the service gave no reason"),
            Some(json) => json.readable(),
        }
    }
}

impl fmt::Display for MessageError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use crate::messages::Message;
    use serde_json::{Value, json};

    fn message(status: &str, output: &Value) -> Message {
        let json = json!({
            "id": "msg_1", "session_id": "sess_1", "sequence_number": 1, "parts": [],
            "status": status, "attempt": 1, "output": output, "created_at": "2026-04-21T18:40:00Z",
        });
        serde_json::from_str(&json.to_string()).unwrap()
    }

    fn call(id: &str, arguments: &str) -> Value {
        json!({"type": "tool_call", "id": id, "name": "t", "arguments": {"a": arguments}})
    }

    fn result(id: &str, text: &str) -> Value {
        let content = json!([{"type": "text", "text": text}]);
        json!({"type": "tool_result", "tool_call_id": id, "tool_name": "t", "content": content})
    }

    #[test]
    fn text_leaves_tools_out_and_sets_what_they_part_apart() {
        let text = |text: &str| json!({"type": "text", "text": text});
        let parts = json!([text("a"), text("b"), call("1", "x"), result("1", "y"), text("c")]);
        assert_eq!(message("completed", &json!({"parts": parts})).text(), "ab\n\nc");
        assert_eq!(message("running", &Value::Null).text(), "");
        let parts = json!([call("1", "x"), text("only")]);
        assert_eq!(message("completed", &json!({"parts": parts})).text(), "only");
    }

    #[test]
    fn calls_are_paired_with_their_results_in_order() {
        let parts = json!([
            call("a", "1"),
            call("b", "2"),
            result("b", "two"),
            result("a", "one"),
            call("a", "3"),
            result("a", "three"),
            call("c", "4"),
            result("nobody", "lost"),
        ]);
        let message = message("completed", &json!({"parts": parts}));
        let told: Vec<_> = message
            .tool_calls()
            .iter()
            .map(|e| (e.call.arguments.get(), e.result.map(|r| r.content[0].as_text().unwrap())))
            .collect();
        assert_eq!(
            told,
            [
                (r#"{"a":"1"}"#, Some("one")),
                (r#"{"a":"2"}"#, Some("two")),
                (r#"{"a":"3"}"#, Some("three")),
                (r#"{"a":"4"}"#, None),
            ]
        );
    }

    #[test]
    fn a_failure_says_why_in_whatever_shape_it_came() {
        for (error, text) in [
            (json!("overloaded"), "overloaded"),
            (json!({"code": 529, "message": "overloaded"}), "overloaded"),
            (json!({"code": 529}), r#"{"code":529}"#),
            (Value::Null, "the service gave no reason"),
        ] {
            let message = message("failed", &json!({"error": error}));
            assert_eq!(message.error().unwrap().text(), text);
            let error = message.into_completed().unwrap_err();
            assert_eq!(error.to_string(), format!("message msg_1 failed: {text}"));
            assert_eq!(error.last_seen::<Message>().unwrap().id, "msg_1");
        }
    }

    #[test]
    fn a_message_that_is_not_final_is_not_completed() {
        let error = message("running", &Value::Null).into_completed().unwrap_err();
        assert_eq!(error.to_string(), "message msg_1 is running, not completed");
        assert!(message("completed", &json!({})).into_completed().is_ok());
        assert!(message("completed", &json!({})).error().is_none());
    }
}
