//! The same entities with plain serde derives, as most clients write them.
//!
//! Enums are `#[serde(tag = "type")]` with an arm for unknown types, so free JSON in them has to be
//! a `Value`: derived tags cannot hold raw text.

#![allow(dead_code, reason = "fields are there to be decoded")]

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A list of messages.
#[derive(Debug, Deserialize)]
pub struct MessageList {
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    session_id: String,
    sequence_number: u64,
    parts: Vec<Part>,
    metadata: Option<Value>,
    status: Status,
    attempt: u32,
    output: Option<Output>,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Output {
    parts: Vec<Part>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Queued,
    Running,
    WaitingForTool,
    Completed,
    Failed,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text {
        text: String,
    },
    ToolCall {
        id: String,
        name: String,
        arguments: Value,
    },
    ToolResult {
        tool_call_id: String,
        tool_name: String,
        content: Vec<Part>,
        is_error: bool,
    },
    #[serde(other)]
    Unknown,
}

/// A transcript.
#[derive(Debug, Deserialize)]
pub struct Transcript {
    agent: Option<Agent>,
    session: Option<Session>,
    timeline: Timeline,
}

#[derive(Debug, Deserialize)]
struct Agent {
    id: String,
    name: String,
    active_version_id: Option<String>,
    created_at: Timestamp,
    deleted_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    agent_id: String,
    version_id: Option<String>,
    storage_binding_id: Option<String>,
    status: Option<String>,
    last_message_id: Option<String>,
    last_message_status: Option<Status>,
    created_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Timeline {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    UserMessage {
        id: String,
        message_id: String,
        content: Vec<Part>,
        created_at: Timestamp,
    },
    AssistantMessage {
        id: String,
        message_id: String,
        status: Status,
        content: Vec<Part>,
        created_at: Timestamp,
        error_message: Option<String>,
    },
    ToolCall {
        id: String,
        message_id: String,
        tool_call_id: String,
        tool_name: String,
        arguments: Value,
        status: String,
        result: Option<Value>,
        is_error: bool,
        created_at: Timestamp,
        completed_at: Option<Timestamp>,
    },
    #[serde(other)]
    Unknown,
}

/// A list of events.
#[derive(Debug, Deserialize)]
pub struct EventList {
    events: Vec<Event>,
}

/// An event, told apart by its `type`.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "user.message")]
    UserMessage(Common<UserMessage>),
    #[serde(rename = "message.status_changed")]
    MessageStatus(Common<MessageStatus>),
    #[serde(rename = "tool.call_requested")]
    ToolRequested(Common<ToolRequested>),
    #[serde(rename = "assistant.message_completed")]
    AssistantMessage(Common<AssistantMessage>),
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Common<T> {
    id: String,
    session_id: String,
    sequence_number: Option<u64>,
    message_id: Option<String>,
    source: Option<String>,
    actor: Option<Actor>,
    data: T,
    created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Actor {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Debug, Deserialize)]
struct UserMessage {
    content: Vec<Part>,
    metadata: Option<Value>,
    message_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct MessageStatus {
    message_id: Option<String>,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
struct ToolRequested {
    message_id: Option<String>,
    tool_call_id: Option<String>,
    tool_name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct AssistantMessage {
    message_id: Option<String>,
    content: Vec<Part>,
}
