//! Setting a webhook: its options, and what is refused before it is sent.

use serde::Serialize;
use url::Url;

use crate::agents::WebhookConfig;
use crate::call::{Call, Operation};
use crate::error::Error;
use crate::ids::AgentId;
use crate::request::{Request, route};
use crate::status::WebhookEventType;

/// The options of [`AgentWebhook::set`](crate::AgentWebhook::set).
///
/// They are methods of its [`Call`](crate::Call): [`event_types`](crate::Call::event_types), beside
/// those of every call.
#[derive(Debug)]
pub struct SetWebhook {
    agent: AgentId,
    body: Body,
}

impl SetWebhook {
    pub(super) fn new(agent: &AgentId, url: String) -> Self {
        Self { agent: agent.clone(), body: Body { webhook_url: url, event_types: None } }
    }
}

impl Call<'_, WebhookConfig, SetWebhook> {
    /// Sets what is delivered. Default: `tool.call_requested` alone.
    pub fn event_types<T>(mut self, types: T) -> Self
    where
        T: IntoIterator<Item: Into<WebhookEventType>>,
    {
        let types = types.into_iter().map(Into::into).collect();
        self.operation.body.event_types = Some(types);
        self
    }
}

impl Operation for SetWebhook {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "agents.webhook.set";

        if let Some(reason) = refusal(&self.body.webhook_url) {
            return Err(Error::invalid(NAME, "webhook_url", reason));
        }
        if self.body.event_types.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid(NAME, "event_types", "there is none"));
        }
        let path = route!("/v1/agents/{agent_id}/webhook", self.agent);
        Request::put(NAME, path).confidential().json(&self.body)
    }
}

#[derive(Debug, Serialize)]
struct Body {
    webhook_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Vec<WebhookEventType>>,
}

/// Returns why no webhook can have this URL, without quoting it: it may hold a password.
fn refusal(url: &str) -> Option<&'static str> {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("it has white space or control characters");
    }
    let Ok(url) = Url::parse(url) else {
        return Some("it is not an absolute url");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("it is not an http or https url");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("it has a user name or password");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_url_is_refused_for_what_the_contract_rules_out() {
        for (url, reason) in [
            ("", "not an absolute url"),
            ("hooks.example.com/dari", "not an absolute url"),
            ("/dari", "not an absolute url"),
            ("https://", "not an absolute url"),
            ("ftp://hooks.example.com", "not an http or https url"),
            ("mailto:a@example.com", "not an http or https url"),
            ("https://user@hooks.example.com", "user name or password"),
            ("https://:secret@hooks.example.com", "user name or password"),
            ("https://hooks.example.com/\n", "white space"),
            (" https://hooks.example.com", "white space"),
            ("https://hooks.example.com/a\tb", "white space"),
        ] {
            assert!(refusal(url).is_some_and(|said| said.contains(reason)), "{url:?}");
        }
    }

    #[test]
    fn other_urls_are_left_to_the_service() {
        for url in [
            "https://hooks.example.com/dari",
            "https://hooks.example.com/dari?tenant=a@b",
            "http://127.0.0.1:4000/",
            "http://hooks.example.com",
            "HTTPS://[::1]:1/x",
        ] {
            assert_eq!(refusal(url), None, "{url}");
        }
    }
}
