//! An agent's webhook: where events are delivered, which ones, and the secret they are signed with.

mod set;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::agents::Agents;
use crate::call::Call;
use crate::client::Client;
use crate::ids::AgentId;
use crate::json::or_default;
use crate::object::{ExtraFields, growing};
use crate::request::{Path, Request, route};
use crate::retry::Repeat;
use crate::secret::{self, Secret};
use crate::status::WebhookEventType;

pub use set::SetWebhook;

/// The configuration of an agent's webhook (contract §7).
///
/// `Debug` shows neither the secret nor the values of newer fields. Encoding writes them in clear,
/// so that they can be stored: encode only to where secrets are kept.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct WebhookConfig {
    /// Where events are delivered; `None` when there is no webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// Whether deliveries are signed.
    #[serde(default, deserialize_with = "or_default")]
    pub signing_enabled: bool,
    /// What is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<WebhookEventType>>,
    /// The secret, on the first set and on a rotation only: keep it.
    #[serde(with = "secret::option", default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<Secret>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(WebhookConfig);

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("webhook_url", &self.webhook_url)
            .field("signing_enabled", &self.signing_enabled)
            .field("event_types", &self.event_types)
            .field("signing_secret", &self.signing_secret)
            .field("extra", &self.extra.names())
            .finish()
    }
}

impl<'a> Agents<'a> {
    /// Returns the operations on an agent's webhook.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let webhook = client.agents().webhook(&agent);
    /// if webhook.get().await?.webhook_url.is_none() {
    ///     webhook.set("https://hooks.example.com/dari").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn webhook(self, agent: &'a AgentId) -> AgentWebhook<'a> {
        AgentWebhook { client: self.client, agent }
    }
}

/// The operations on one agent's webhook; see [`Agents::webhook`].
#[derive(Clone, Copy, Debug)]
pub struct AgentWebhook<'a> {
    client: &'a Client,
    agent: &'a AgentId,
}

impl<'a> AgentWebhook<'a> {
    /// Returns the configuration, without the secret.
    ///
    /// `GET /v1/agents/{agent_id}/webhook`, contract §7.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let config = client.agents().webhook(&agent).get().await?;
    /// println!("{:?} gets {:?}", config.webhook_url, config.event_types);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self) -> Call<'a, WebhookConfig> {
        let request = Request::get("agents.webhook.get", self.path());
        Call::plain(self.client, request.confidential())
    }

    /// Sets where events are delivered, and which.
    ///
    /// `PUT /v1/agents/{agent_id}/webhook`, contract §7. Without [`event_types`](Call::event_types)
    /// only `tool.call_requested` is delivered. The URL is absolute and has no user name or
    /// password; in production it is HTTPS, on a public address.
    ///
    /// The first set returns the secret; later only [`rotate_secret`](Self::rotate_secret) does.
    /// Should the first reply be lost, the set is repeated, and is no longer the first: there is a
    /// secret then that nobody has. Where `signing_secret` is missing and you have none, rotate.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a URL that is not absolute, not HTTP, or has a user name or password,
    /// and for an empty list of types; not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// # fn keep(secret: dari::Secret) {}
    /// use dari::WebhookEventType::{SessionCompleted, SessionFailed, ToolCallRequested};
    ///
    /// let webhook = client.agents().webhook(&agent);
    /// let config = webhook
    ///     .set("https://hooks.example.com/dari")
    ///     .event_types([ToolCallRequested, SessionCompleted, SessionFailed])
    ///     .await?;
    /// if let Some(secret) = config.signing_secret {
    ///     keep(secret);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn set(self, url: impl Into<String>) -> Call<'a, WebhookConfig, SetWebhook> {
        Call::new(self.client, SetWebhook::new(self.agent, url.into()))
    }

    /// Removes the webhook, and returns the empty configuration.
    ///
    /// `DELETE /v1/agents/{agent_id}/webhook`, contract §7. Without a webhook, tool calls are seen
    /// on the streams of their sessions.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let config = client.agents().webhook(&agent).clear().await?;
    /// assert_eq!(config.webhook_url, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear(self) -> Call<'a, WebhookConfig> {
        let request = Request::delete("agents.webhook.clear", self.path());
        Call::plain(self.client, request.confidential())
    }

    /// Replaces the secret, and returns the new one.
    ///
    /// `POST /v1/agents/{agent_id}/webhook/rotate-secret`, contract §7. The reply holds the only
    /// copy and a repeat would make another, so it is not repeated once it may have arrived. Let
    /// your handler accept both secrets for a while: deliveries under way may be signed with the
    /// old one.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent. Where [`Error::may_have_happened`](crate::Error::may_have_happened) is true, the
    /// secret may have been replaced and its reply lost: rotate again.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let config = client.agents().webhook(&agent).rotate_secret().await?;
    /// let secret = config.signing_secret.expect("a rotation returns the secret");
    /// # Ok(())
    /// # }
    /// ```
    pub fn rotate_secret(self) -> Call<'a, WebhookConfig> {
        let path = route!("/v1/agents/{agent_id}/webhook/rotate-secret", self.agent);
        let request = Request::post("agents.webhook.rotate_secret", path, Repeat::Unsafe);
        Call::plain(self.client, request.confidential())
    }

    fn path(self) -> Path {
        route!("/v1/agents/{agent_id}/webhook", self.agent)
    }
}
