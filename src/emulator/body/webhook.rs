//! What the body of "set agent webhook" says (contract §7).

use serde_json::{Value, json};
use url::Url;

use crate::emulator::refusal::{Problem, Refusal};

/// The event types a webhook may ask for (contract §1).
const EVENT_TYPES: [&str; 6] = [
    "tool.call_requested",
    "session.completed",
    "session.failed",
    "batch.completed",
    "batch.failed",
    "batch.partial_failed",
];

/// What the webhook of an agent is to be.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) struct WebhookSettings {
    pub(in crate::emulator) url: String,
    pub(in crate::emulator) event_types: Vec<&'static str>,
}

/// Reads the body of "set agent webhook".
///
/// Without types, and with an empty list, it is the first one alone.
pub(in crate::emulator) fn webhook_settings(bytes: &[u8]) -> Result<WebhookSettings, Refusal> {
    let document = super::parse(bytes)?;
    if !document.is_object() {
        return Err(Problem::at(&["body"], "type_wrong", "must be an object").into());
    }
    let mut problems = Vec::new();
    let url = webhook_url(&document).map_err(|problem| problems.push(problem));
    let mut event_types = event_types(&document, &mut problems);
    super::refuse(problems)?;
    if event_types.is_empty() {
        event_types.extend(EVENT_TYPES.first());
    }
    Ok(WebhookSettings { url: url.unwrap_or_default(), event_types })
}

/// Returns the address as it was given, if deliveries could go there.
///
/// One that is not on this machine is taken too: the real service would take nothing else.
fn webhook_url(document: &Value) -> Result<String, Problem> {
    let problem = |kind, msg| Problem::at(&["body", "webhook_url"], kind, msg);
    let Some(value) = document.get("webhook_url").filter(|value| !value.is_null()) else {
        return Err(problem("missing", "this field is required"));
    };
    let text = value.as_str().ok_or_else(|| problem("type_wrong", "must be a string"))?;
    let url = Url::parse(text)
        .map_err(|_why| problem("url_invalid", "must be an absolute http or https URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(problem("url_invalid", "must be an absolute http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("url_invalid", "must not have a user name or a password"));
    }
    Ok(text.to_owned())
}

fn event_types(document: &Value, problems: &mut Vec<Problem>) -> Vec<&'static str> {
    let mut found = Vec::new();
    let Some(value) = document.get("event_types").filter(|value| !value.is_null()) else {
        return found;
    };
    let Some(names) = value.as_array() else {
        problems.push(Problem::at(&["body", "event_types"], "type_wrong", "must be a list"));
        return found;
    };
    for (index, name) in names.iter().enumerate() {
        match EVENT_TYPES.into_iter().find(|known| name == known) {
            Some(known) if found.contains(&known) => {}
            Some(known) => found.push(known),
            None => {
                let loc = vec![json!("body"), json!("event_types"), json!(index)];
                let msg = "not an event type of webhooks".to_owned();
                problems.push(Problem { loc, msg, kind: "value_unknown" });
            }
        }
    }
    found
}
