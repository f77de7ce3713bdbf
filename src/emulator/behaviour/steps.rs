//! The steps of a turn as a behaviour file has them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::template::{fill, fill_json};
use crate::emulator::script::{Turn, TurnInput};

/// One thing an agent does.
#[derive(Deserialize)]
#[serde(try_from = "StepFields")]
pub(super) enum Step {
    Text(String),
    Delay(Duration),
    ToolCall(ToolCall),
    Fail(Value),
}

/// A tool that the agent runs itself.
#[derive(Deserialize)]
#[serde(try_from = "ToolCallFields")]
pub(super) struct ToolCall {
    name: String,
    arguments: Value,
    outcome: Result<Value, Value>,
}

/// Every kind of step; a step has one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a step, such as {\"text\": \"Hello\"}")]
struct StepFields {
    text: Option<String>,
    delay_ms: Option<u64>,
    tool_call: Option<ToolCall>,
    fail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected an object")]
struct ToolCallFields {
    name: String,
    #[serde(default = "no_arguments")]
    arguments: Value,
    result: Option<Value>,
    error: Option<Value>,
}

impl Step {
    /// Adds the step to a turn that answers `input`.
    pub(super) fn add_to(&self, turn: Turn, input: &TurnInput) -> Turn {
        match self {
            Self::Text(text) => turn.text(fill(text, input)),
            Self::Delay(pause) => turn.delay(*pause),
            Self::Fail(error) => turn.fail(fill_json(error, input)),
            Self::ToolCall(call) => {
                let (name, arguments) = (call.name.clone(), fill_json(&call.arguments, input));
                match &call.outcome {
                    Ok(result) => turn.tool_call(name, arguments, fill_json(result, input)),
                    Err(error) => turn.failed_tool_call(name, arguments, fill_json(error, input)),
                }
            }
        }
    }
}

impl TryFrom<StepFields> for Step {
    type Error = &'static str;

    fn try_from(fields: StepFields) -> Result<Self, Self::Error> {
        let kinds = [
            fields.text.map(Self::Text),
            fields.delay_ms.map(|pause| Self::Delay(Duration::from_millis(pause))),
            fields.tool_call.map(Self::ToolCall),
            fields.fail.map(Self::Fail),
        ];
        let mut given = kinds.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(step), None) => Ok(step),
            _ => Err("a step is one of `text`, `delay_ms`, `tool_call`, `fail`"),
        }
    }
}

impl TryFrom<ToolCallFields> for ToolCall {
    type Error = &'static str;

    fn try_from(fields: ToolCallFields) -> Result<Self, Self::Error> {
        let outcome = match (fields.result, fields.error) {
            (Some(_), Some(_)) => return Err("a tool call has a `result` or an `error`, not both"),
            (result, None) => Ok(result.unwrap_or_default()),
            (None, Some(error)) => Err(error),
        };
        Ok(Self { name: fields.name, arguments: fields.arguments, outcome })
    }
}

fn no_arguments() -> Value {
    Value::Object(serde_json::Map::new())
}
