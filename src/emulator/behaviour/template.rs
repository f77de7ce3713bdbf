//! Texts of a behaviour with places to fill in.

use serde_json::Value;

use crate::emulator::external::{CallResult, CallResults};
use crate::emulator::script::TurnInput;

/// What is known when a step is played.
pub(super) struct Known<'a> {
    pub(super) input: &'a TurnInput,
    pub(super) results: &'a CallResults,
}

/// Returns the text with its places filled in.
///
/// Other braces stay as they are, and so do those in what is filled in.
pub(super) fn fill(text: &str, known: &Known<'_>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        let value = after
            .split_once("}}")
            .and_then(|(name, behind)| known.value(name.trim()).map(|value| (value, behind)));
        match value {
            Some((value, behind)) => {
                filled += &value;
                rest = behind;
            }
            None => {
                filled += "{{";
                rest = after;
            }
        }
    }
    filled + rest
}

/// Returns the JSON with every string in it filled in.
pub(super) fn fill_json(json: &Value, known: &Known<'_>) -> Value {
    match json {
        Value::String(text) => fill(text, known).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, known)).collect(),
        Value::Object(fields) => {
            let filled = |(name, value): (&String, _)| (name.clone(), fill_json(value, known));
            Value::Object(fields.iter().map(filled).collect())
        }
        other => other.clone(),
    }
}

impl Known<'_> {
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "input" => Some(self.input.text()),
            "turn" => Some(self.input.number().to_string()),
            "session_id" => Some(self.input.session_id().to_owned()),
            _ => self.result(name.strip_prefix("result.")?),
        }
    }

    /// Returns the newest result of a tool, or a field of it: `lookup.owner.name`.
    fn result(&self, path: &str) -> Option<String> {
        let mut newest = self.results.all().iter().rev();
        let (result, fields) = newest.find_map(|result| Some((result, fields(result, path)?)))?;
        let value = fields.iter().try_fold(result.value(), |value, name| value.get(name))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

fn fields<'a>(result: &CallResult, path: &'a str) -> Option<Vec<&'a str>> {
    let rest = path.strip_prefix(result.tool_name())?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.strip_prefix('.').map(|names| names.split('.').collect())
}
