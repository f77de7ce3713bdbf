//! What request bodies say, once they are known to be what the contract asks for.

mod batch;
mod check;
mod snapshot;
mod webhook;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::refusal::{Problem, Refusal};
use check::At;

pub(super) use batch::{BatchItem, NewBatch, new_batch};
pub(super) use snapshot::{reservation, source};
pub(super) use webhook::{WebhookSettings, webhook_settings};

/// A user's message; free JSON keeps the text it was sent with.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UserMessage {
    pub(super) content: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(super) metadata: Option<Box<RawValue>>,
}

/// What a new session is to be.
///
/// Secrets are checked and then forgotten.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewSession {
    pub(super) name: Option<String>,
    pub(super) storage_binding_id: Option<String>,
    pub(super) llm_id: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) internet_access: Option<bool>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// Which external tool call is answered, and with what.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ToolAnswer {
    pub(super) message_id: String,
    pub(super) tool_call_id: String,
    /// Absent only from an error; `null` is a result.
    #[serde(default, deserialize_with = "given")]
    pub(super) result: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) is_error: bool,
}

/// The body of "send agent message".
#[derive(Clone, Debug)]
pub(super) struct AgentMessage {
    pub(super) message: UserMessage,
    pub(super) session: NewSession,
}

/// The body of "send session events", in the form it came in.
#[derive(Clone, Debug)]
pub(super) enum SessionEvents {
    Batch(Vec<UserMessage>),
    Message(UserMessage),
    ToolAnswer(ToolAnswer),
}

#[derive(Deserialize)]
struct Batch {
    events: Vec<UserMessage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SessionField {
    session: Option<NewSession>,
}

impl UserMessage {
    /// Returns the message with its free JSON on one line.
    pub(super) fn compacted(mut self) -> Self {
        for raw in self.content.iter_mut().chain(&mut self.metadata) {
            *raw = compact(raw);
        }
        self
    }
}

impl ToolAnswer {
    /// Returns the answer with its free JSON on one line.
    fn compacted(mut self) -> Self {
        self.result = self.result.map(|raw| compact(&raw));
        self
    }
}

/// Reads the body of "send agent message".
pub(super) fn agent_message(bytes: &[u8]) -> Result<AgentMessage, Refusal> {
    let document = parse(bytes)?;
    let mut problems = Vec::new();
    let body = At::body(&document);
    check::user_message(&body, &mut problems);
    if let Some(session) = body.field("session") {
        check::session(&session, &mut problems);
    }
    refuse(problems)?;
    let session = extract::<SessionField>(bytes)?.session.unwrap_or_default();
    Ok(AgentMessage { message: extract::<UserMessage>(bytes)?.compacted(), session })
}

/// Reads the body of "create session", which may be empty.
pub(super) fn new_session(bytes: &[u8]) -> Result<NewSession, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(NewSession::default());
    }
    let document = parse(bytes)?;
    if document.is_null() {
        return Ok(NewSession::default());
    }
    let mut problems = Vec::new();
    check::session(&At::body(&document), &mut problems);
    refuse(problems)?;
    extract(bytes)
}

/// Reads the body of "send session events" in either form.
pub(super) fn session_events(bytes: &[u8]) -> Result<SessionEvents, Refusal> {
    let document = parse(bytes)?;
    let mut problems = Vec::new();
    let body = At::body(&document);
    if document.get("events").is_some() {
        check::batch(&body, &mut problems);
        refuse(problems)?;
        let events = extract::<Batch>(bytes)?.events;
        return Ok(SessionEvents::Batch(events.into_iter().map(UserMessage::compacted).collect()));
    }
    if document.get("type").and_then(Value::as_str) == Some("tool.result_submitted") {
        check::tool_answer(&body, &mut problems);
        refuse(problems)?;
        let answer = extract::<ToolAnswer>(bytes)?.compacted();
        return Ok(SessionEvents::ToolAnswer(answer));
    }
    check::user_message(&body, &mut problems);
    refuse(problems)?;
    Ok(SessionEvents::Message(extract::<UserMessage>(bytes)?.compacted()))
}

fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let msg = format!("not JSON at line {}, column {}", error.line(), error.column());
        Problem::at(&["body"], "json_invalid", &msg).into()
    })
}

fn refuse(problems: Vec<Problem>) -> Result<(), Refusal> {
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
}

/// Reads checked fields; only one given twice still fails.
fn extract<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|_duplicate| {
        Problem::at(&["body"], "json_invalid", "a field is given twice").into()
    })
}

/// Reads a field that is there, `null` included.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(field).map(Some)
}

fn null_is_default<'de, D: Deserializer<'de>>(field: D) -> Result<bool, D::Error> {
    Option::deserialize(field).map(Option::unwrap_or_default)
}

/// Returns JSON without the whitespace between its tokens.
///
/// An event must fit on one line of the stream, whatever the sender's layout.
fn compact(raw: &RawValue) -> Box<RawValue> {
    let (mut in_string, mut escaped) = (false, false);
    let kept = raw.get().chars().filter(|&char| {
        if !in_string {
            in_string = char == '"';
            return !char.is_ascii_whitespace();
        }
        in_string = escaped || char != '"';
        escaped = !escaped && char == '\\';
        true
    });
    RawValue::from_string(kept.collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
