//! Texts of a behaviour with places to fill in.

use serde_json::Value;

use crate::emulator::script::TurnInput;

/// Returns the text with `{{input}}`, `{{turn}}` and `{{session_id}}` filled in.
///
/// Other braces stay as they are, and so do those in what is filled in.
pub(super) fn fill(text: &str, input: &TurnInput) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        let value = after
            .split_once("}}")
            .and_then(|(name, behind)| value(name.trim(), input).map(|value| (value, behind)));
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
pub(super) fn fill_json(json: &Value, input: &TurnInput) -> Value {
    match json {
        Value::String(text) => fill(text, input).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, input)).collect(),
        Value::Object(fields) => {
            let filled = |(name, value): (&String, _)| (name.clone(), fill_json(value, input));
            Value::Object(fields.iter().map(filled).collect())
        }
        other => other.clone(),
    }
}

fn value(name: &str, input: &TurnInput) -> Option<String> {
    match name {
        "input" => Some(input.text()),
        "turn" => Some(input.number().to_string()),
        "session_id" => Some(input.session_id().to_owned()),
        _ => None,
    }
}
