//! A message: the user's content that opened a turn, and what came of it.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ledger::Mark;

/// Where a message stands (contract §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MessageStatus {
    Queued,
    Running,
    WaitingForTool,
    Completed,
    Failed,
}

/// A message, with what its transcript needs.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) session_id: String,
    pub(super) sequence_number: u64,
    pub(super) parts: Vec<Box<RawValue>>,
    pub(super) metadata: Option<Box<RawValue>>,
    pub(super) status: MessageStatus,
    pub(super) attempt: u32,
    /// Absent until the message is terminal.
    pub(super) output: Option<Output>,
    pub(super) created_at: String,
    pub(super) completed_at: Option<String>,
    /// The output so far.
    #[serde(skip)]
    pub(super) draft: Output,
    #[serde(skip)]
    pub(super) calls: Vec<ToolCall>,
    /// The event of the user's message.
    #[serde(skip)]
    pub(super) opened: Mark,
    /// The newest event of the reply; at first the user's.
    #[serde(skip)]
    pub(super) answered: Mark,
}

/// What a turn produced.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Output {
    /// Left out if a turn failed with nothing produced (§2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parts: Option<Vec<Part>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Value>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    Text { text: String },
    ToolCall { id: String, name: String, arguments: Value },
    ToolResult { tool_call_id: String, tool_name: String, content: Vec<TextBlock>, is_error: bool },
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct TextBlock {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
}

/// A tool call as the transcript shows it.
#[derive(Clone, Debug)]
pub(super) struct ToolCall {
    pub(super) requested: Mark,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: Value,
    /// Absent while the call is open.
    pub(super) outcome: Option<Outcome>,
}

/// How a tool call ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The result or the error; an error may say nothing.
    pub(super) result: Option<Box<RawValue>>,
    pub(super) is_error: bool,
    pub(super) at: String,
}

/// The short form of a message (contract §2).
#[derive(Serialize)]
pub(super) struct MessageSummary<'a> {
    id: &'a str,
    status: MessageStatus,
}

impl Message {
    pub(super) fn summary(&self) -> MessageSummary<'_> {
        MessageSummary { id: &self.id, status: self.status }
    }

    /// Returns the reply's text, once the turn is over.
    pub(super) fn reply(&self) -> Vec<TextBlock> {
        self.output.as_ref().map(Output::texts).unwrap_or_default()
    }
}

impl Output {
    pub(super) fn push(&mut self, part: Part) {
        self.parts.get_or_insert_default().push(part);
    }

    /// Returns the text parts as content blocks.
    pub(super) fn texts(&self) -> Vec<TextBlock> {
        let texts = self.parts.iter().flatten().filter_map(|part| match part {
            Part::Text { text } => Some(TextBlock::new(text.clone())),
            _ => None,
        });
        texts.collect()
    }
}

impl TextBlock {
    pub(super) fn new(text: String) -> Self {
        Self { kind: "text", text }
    }
}

/// Returns a string bare, other JSON written out.
pub(super) fn readable(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
