//! The steps of a turn as a behaviour file has them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::template::{Known, fill, fill_json};
use crate::emulator::cost::Decimal;
use crate::emulator::external::ExternalCall;
use crate::emulator::script::Turn;

/// One thing an agent does.
#[derive(Clone, Deserialize)]
#[serde(try_from = "StepFields")]
pub(super) enum Step {
    Text(String),
    Delay(Duration),
    ToolCall(ToolCall),
    /// Calls requested together, which the application answers.
    External(ExternalTools),
    Cost(String),
    File(File),
    Fail(Value),
}

/// A tool that the application runs.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected an object")]
pub(super) struct ExternalTool {
    name: String,
    #[serde(default = "no_arguments")]
    arguments: Value,
    output_schema: Option<Value>,
    timeout_ms: Option<u64>,
}

#[derive(Clone, Deserialize)]
#[serde(try_from = "Vec<ExternalTool>")]
pub(super) struct ExternalTools(Vec<ExternalTool>);

/// A file of text in the session's workspace.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected an object")]
pub(super) struct File {
    path: String,
    text: String,
}

/// A decimal number, as text so that no digit is lost.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Amount(String);

/// A tool that the agent runs itself.
#[derive(Clone, Deserialize)]
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
    external_tool: Option<ExternalTool>,
    external_tools: Option<ExternalTools>,
    cost_usd: Option<Amount>,
    file: Option<File>,
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
    /// Returns the turn with this step added.
    pub(super) fn add_to(&self, turn: Turn, known: &Known<'_>) -> Turn {
        match self {
            Self::Text(text) => turn.text(fill(text, known)),
            Self::Delay(pause) => turn.delay(*pause),
            Self::Cost(usd) => turn.cost(usd),
            Self::File(file) => turn.file(fill(&file.path, known), fill(&file.text, known)),
            Self::Fail(error) => turn.fail(fill_json(error, known)),
            Self::External(calls) => turn.external_tools(calls.0.iter().map(|it| it.call(known))),
            Self::ToolCall(call) => {
                let (name, arguments) = (call.name.clone(), fill_json(&call.arguments, known));
                match &call.outcome {
                    Ok(result) => turn.tool_call(name, arguments, fill_json(result, known)),
                    Err(error) => turn.failed_tool_call(name, arguments, fill_json(error, known)),
                }
            }
        }
    }

    /// Returns whether later steps may speak of its results.
    pub(super) fn is_external(&self) -> bool {
        matches!(self, Self::External(_))
    }
}

impl ExternalTool {
    fn call(&self, known: &Known<'_>) -> ExternalCall {
        let mut call = ExternalCall::new(&*self.name, fill_json(&self.arguments, known));
        if let Some(schema) = &self.output_schema {
            call = call.output_schema(schema.clone());
        }
        match self.timeout_ms {
            Some(limit) => call.timeout(Duration::from_millis(limit)),
            None => call,
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
            fields.external_tool.map(|call| Self::External(ExternalTools(vec![call]))),
            fields.external_tools.map(Self::External),
            fields.cost_usd.map(|usd| Self::Cost(usd.0)),
            fields.file.map(Self::File),
            fields.fail.map(Self::Fail),
        ];
        let mut given = kinds.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(step), None) => Ok(step),
            _ => Err("a step is one of `text`, `delay_ms`, `tool_call`, `external_tool`, \
                      `external_tools`, `file`, `cost_usd`, `fail`"),
        }
    }
}

impl TryFrom<Vec<ExternalTool>> for ExternalTools {
    type Error = &'static str;

    fn try_from(calls: Vec<ExternalTool>) -> Result<Self, Self::Error> {
        if calls.is_empty() { Err("must hold a call") } else { Ok(Self(calls)) }
    }
}

impl TryFrom<String> for Amount {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = Decimal::parse(&text).is_some();
        valid.then_some(Self(text)).ok_or("must be an amount as text, such as \"0.0123\"")
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
