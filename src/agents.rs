//! Agents, and the message that starts a session with one.

mod create;
mod versions;
mod webhook;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Operation};
use crate::client::Client;
use crate::content::IntoContent;
use crate::error::Error;
use crate::events::NewEvent;
use crate::ids::{AgentId, VersionId};
use crate::messages::SentMessage;
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::retry::Repeat;
use crate::sessions::NewSession;

pub use create::{CreateVersion, PublishedVersion};
pub use versions::{AgentSummary, AgentVersion, AgentVersionDetails, AgentVersions};
pub use webhook::{AgentWebhook, SetWebhook, WebhookConfig};

/// An agent (contract §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Agent {
    /// The id.
    pub id: AgentId,
    /// The name.
    pub name: String,
    /// The version that new sessions are pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_version_id: Option<VersionId>,
    /// When it was created.
    #[serde(with = "crate::time")]
    pub created_at: Timestamp,
    /// When it was deleted, if it was.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A list of agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AgentList {
    /// The agents, oldest first.
    pub agents: Vec<Agent>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Agent, AgentList);

impl IntoIterator for AgentList {
    type Item = Agent;
    type IntoIter = std::vec::IntoIter<Agent>;

    fn into_iter(self) -> Self::IntoIter {
        self.agents.into_iter()
    }
}

/// The operations on agents; see [`Client::agents`].
#[derive(Clone, Copy, Debug)]
pub struct Agents<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on agents.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// let agents = client.agents().list().await?.agents;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn agents(&self) -> Agents<'_> {
        Agents { client: self }
    }
}

impl<'a> Agents<'a> {
    #[cfg(feature = "publish")]
    pub(crate) fn client(self) -> &'a Client {
        self.client
    }

    /// Lists the agents that are not deleted, oldest first.
    ///
    /// `GET /v1/agents`, contract §8. The list is complete.
    ///
    /// # Errors
    ///
    /// Those of every call; see [`Error`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// for agent in client.agents().list().await? {
    ///     println!("{} {}", agent.id, agent.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> Call<'a, AgentList> {
        Call::plain(self.client, Request::get("agents.list", route!("/v1/agents")))
    }

    /// Returns an agent.
    ///
    /// `GET /v1/agents/{agent_id}`, contract §8. That this operation exists is an assumption, and so
    /// is that it still shows a deleted agent, with its `deleted_at`.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::AgentId) -> dari::Result<()> {
    /// let agent = client.agents().get(&id).await?;
    /// println!("{} runs {:?}", agent.name, agent.active_version_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self, id: &AgentId) -> Call<'a, Agent> {
        Call::plain(self.client, Request::get("agents.get", route!("/v1/agents/{agent_id}", id)))
    }

    /// Deletes an agent, and returns it with its `deleted_at`.
    ///
    /// `DELETE /v1/agents/{agent_id}`, contract §8. Deleting is soft: what the agent did stays, but
    /// starting a session with it or publishing to it is *not found* from then on. Deleting it again
    /// changes nothing, so the call is repeated like one that reads.
    ///
    /// # Errors
    ///
    /// Not found when there never was such an agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::AgentId) -> dari::Result<()> {
    /// let agent = client.agents().delete(&id).await?;
    /// assert!(agent.deleted_at.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(self, id: &AgentId) -> Call<'a, Agent> {
        Call::plain(
            self.client,
            Request::delete("agents.delete", route!("/v1/agents/{agent_id}", id)),
        )
    }

    /// Starts a session with an agent by its first message.
    ///
    /// `POST /v1/agents/{agent_id}/messages`, contract §3. No idempotency key is documented for it, so
    /// it is never repeated once it may have arrived. To be safe against a lost reply as well,
    /// create the session first and send with `messages().send(..)`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for empty content or a secret that breaks the contract's rules; not
    /// found when the agent does not exist. [`Error::may_have_happened`] tells that the session
    /// may have been started although the reply was lost.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// use dari::NewSession;
    ///
    /// let sent = client
    ///     .agents()
    ///     .send_message(&agent, "Summarize this ticket and draft a reply.")
    ///     .metadata("ticket_id", "T-1042")
    ///     .session(NewSession::new().name("Ticket T-1042"))
    ///     .await?;
    /// println!("{} in {}", sent.message.id, sent.session.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_message(
        self,
        agent: &AgentId,
        content: impl IntoContent,
    ) -> Call<'a, SentMessage, SendAgentMessage> {
        let event = NewEvent::user_message(content);
        let operation =
            SendAgentMessage { agent: agent.clone(), body: Body { event, session: None } };
        Call::new(self.client, operation)
    }
}

/// The options of [`Agents::send_message`].
///
/// They are methods of its [`Call`](crate::Call): [`metadata`](crate::Call::metadata) and
/// [`session`](crate::Call::session), beside those of every call.
#[derive(Debug)]
pub struct SendAgentMessage {
    agent: AgentId,
    body: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    #[serde(flatten)]
    event: NewEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<NewSession>,
}

impl Call<'_, SentMessage, SendAgentMessage> {
    /// Adds a field to the message's metadata, which is free JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let body = &mut self.operation.body;
        body.event = body.event.clone().metadata(name, value);
        self
    }

    /// Sets what the new session shall be like.
    pub fn session(mut self, session: NewSession) -> Self {
        self.operation.body.session = Some(session);
        self
    }
}

impl Operation for SendAgentMessage {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "agents.send_message";
        self.body.event.check(NAME)?;
        self.body.session.iter().try_for_each(|session| session.check(NAME))?;
        let path = route!("/v1/agents/{agent_id}/messages", self.agent);
        Request::post(NAME, path, Repeat::Unsafe).json(&self.body)
    }
}
