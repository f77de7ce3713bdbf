//! Checks the shape of request bodies and names every place that is wrong.
//!
//! No message repeats a value: a body may hold secrets.

mod snapshot;

use serde_json::{Value, json};

use crate::emulator::refusal::Problem;

pub(super) use snapshot::{reservation, source};

/// The options of a session that are text.
const SESSION_TEXTS: [&str; 5] =
    ["name", "storage_binding_id", "llm_id", "version_id", "llm_api_key"];

/// A JSON value and where it stands in the request.
pub(super) struct At<'a> {
    pub(super) value: &'a Value,
    loc: Vec<Value>,
}

impl<'a> At<'a> {
    /// Returns the whole body.
    pub(super) fn body(value: &'a Value) -> Self {
        Self { value, loc: vec![json!("body")] }
    }

    /// Returns a field, unless it is absent or null.
    pub(super) fn field(&self, name: &str) -> Option<At<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(At { value, loc: self.inside(json!(name)) })
    }

    fn inside(&self, step: Value) -> Vec<Value> {
        let mut loc = self.loc.clone();
        loc.push(step);
        loc
    }

    pub(super) fn problem(&self, kind: &'static str, msg: &str) -> Problem {
        Problem { loc: self.loc.clone(), msg: msg.to_owned(), kind }
    }

    pub(super) fn items(&self) -> Vec<At<'a>> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| At { value, loc: self.inside(json!(index)) }).collect()
    }

    fn entries(&self) -> Vec<(&'a str, At<'a>)> {
        let entries = self.value.as_object().into_iter().flatten();
        let at = |name: &String, value| At { value, loc: self.inside(json!(name)) };
        entries.map(|(name, value)| (name.as_str(), at(name, value))).collect()
    }
}

/// Checks a `user.message`.
pub(super) fn user_message(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !is_object(at, problems) {
        return;
    }
    if let Some(kind) = required(at, "type", problems) {
        if kind.value != "user.message" {
            problems.push(kind.problem("value_unknown", "not an event type this body may have"));
        }
    }
    message(at, problems);
}

/// Checks content and metadata of a message.
pub(super) fn message(at: &At<'_>, problems: &mut Vec<Problem>) {
    if let Some(content) = required(at, "content", problems) {
        list(&content, problems);
        content.items().iter().for_each(|block| content_block(block, problems));
    }
    if let Some(metadata) = at.field("metadata") {
        is_object(&metadata, problems);
    }
}

/// Checks the form with a list of events.
pub(super) fn batch(at: &At<'_>, problems: &mut Vec<Problem>) {
    let Some(events) = required(at, "events", problems) else {
        return;
    };
    list(&events, problems);
    events.items().iter().for_each(|event| user_message(event, problems));
}

/// Checks a `tool.result_submitted`.
pub(super) fn tool_answer(at: &At<'_>, problems: &mut Vec<Problem>) {
    for name in ["message_id", "tool_call_id"] {
        if let Some(id) = required(at, name, problems) {
            is_string(&id, problems);
        }
    }
    let is_error = at.field("is_error");
    if let Some(flag) = &is_error {
        is_boolean(flag, problems);
    }
    let failed = is_error.is_some_and(|flag| flag.value == true);
    if at.value.get("result").is_none() && !failed {
        problems.push(missing(at, "result"));
    }
}

/// Checks the options of a new session.
pub(super) fn session(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !is_object(at, problems) {
        return;
    }
    for name in SESSION_TEXTS {
        if let Some(text) = at.field(name) {
            is_string(&text, problems);
        }
    }
    if let Some(key) = at.field("llm_api_key").filter(|key| key.value == "") {
        problems.push(key.problem("value_empty", "must not be empty"));
    }
    if let Some(flag) = at.field("internet_access") {
        is_boolean(&flag, problems);
    }
    if let Some(metadata) = at.field("metadata") {
        session_metadata(&metadata, problems);
    }
    if let Some(given) = at.field("secrets") {
        secrets(&given, problems);
    }
}

pub(super) fn session_metadata(at: &At<'_>, problems: &mut Vec<Problem>) {
    is_object(at, problems);
    for (_, value) in at.entries() {
        is_string(&value, problems);
    }
}

pub(super) fn secrets(at: &At<'_>, problems: &mut Vec<Problem>) {
    is_object(at, problems);
    for (name, secret) in at.entries() {
        if !is_secret_name(name) {
            // Without the name: someone may have swapped it with the value.
            problems.push(at.problem("name_invalid", "a name does not match ^[A-Z_][A-Z0-9_]*$"));
        } else if secret.value.as_str().is_none_or(str::is_empty) {
            problems.push(secret.problem("value_empty", "must be a string that is not empty"));
        }
    }
}

fn content_block(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !is_object(at, problems) {
        return;
    }
    let Some(kind) = required(at, "type", problems) else {
        return;
    };
    let name = match kind.value.as_str() {
        Some("text") => "text",
        Some("file" | "image") => "file_id",
        _ => return problems.push(kind.problem("value_unknown", "not a known content block")),
    };
    if let Some(field) = required(at, name, problems) {
        is_string(&field, problems);
        if name == "file_id" && field.value == "" {
            problems.push(field.problem("value_empty", "must not be empty"));
        }
    }
}

pub(super) fn required<'a>(at: &At<'a>, name: &str, problems: &mut Vec<Problem>) -> Option<At<'a>> {
    let field = at.field(name);
    if field.is_none() {
        problems.push(missing(at, name));
    }
    field
}

fn missing(at: &At<'_>, name: &str) -> Problem {
    Problem {
        loc: at.inside(json!(name)),
        msg: "this field is required".to_owned(),
        kind: "missing",
    }
}

pub(super) fn list(at: &At<'_>, problems: &mut Vec<Problem>) {
    match at.value.as_array() {
        None => problems.push(at.problem("type_wrong", "must be a list")),
        Some(items) if items.is_empty() => {
            problems.push(at.problem("value_empty", "must not be empty"));
        }
        Some(_) => {}
    }
}

pub(super) fn is_object(at: &At<'_>, problems: &mut Vec<Problem>) -> bool {
    if !at.value.is_object() {
        problems.push(at.problem("type_wrong", "must be an object"));
    }
    at.value.is_object()
}

pub(super) fn is_string(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !at.value.is_string() {
        problems.push(at.problem("type_wrong", "must be a string"));
    }
}

fn is_boolean(at: &At<'_>, problems: &mut Vec<Problem>) {
    if !at.value.is_boolean() {
        problems.push(at.problem("type_wrong", "must be true or false"));
    }
}

/// The pattern `^[A-Z_][A-Z0-9_]*$` (contract §3).
fn is_secret_name(name: &str) -> bool {
    let starts_well = name.starts_with(|char: char| char.is_ascii_uppercase() || char == '_');
    let goes_on = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    starts_well && name.bytes().all(goes_on)
}
