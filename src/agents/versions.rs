//! The versions of an agent.

use serde::{Deserialize, Serialize};

use crate::agents::Agents;
use crate::call::Call;
use crate::ids::{AgentId, VersionId};
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};

/// The versions of an agent (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AgentVersions {
    /// The agent.
    pub agent: AgentSummary,
    /// The versions.
    pub versions: Vec<AgentVersion>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// An agent as a list of its versions shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AgentSummary {
    /// The id.
    pub id: AgentId,
    /// The version that new sessions are pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_version_id: Option<VersionId>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A version of an agent: one published source.
///
/// Replies differ in which fields they carry: all but the id may be missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AgentVersion {
    /// The id.
    pub id: VersionId,
    /// The agent it is a version of; known when asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Whether new sessions are pinned to it; known in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The archive's SHA-256 in lower-case hex; known in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_sha256: Option<String>,
    /// The archive's size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// One version, with its agent (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AgentVersionDetails {
    /// The agent.
    pub agent: AgentSummary,
    /// The version.
    pub version: AgentVersion,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(AgentVersions, AgentSummary, AgentVersion, AgentVersionDetails);

impl AgentVersions {
    /// Returns the version that new sessions are pinned to.
    #[must_use]
    pub fn active(&self) -> Option<&AgentVersion> {
        let named = self.agent.active_version_id.as_ref();
        let is_active = |version: &&AgentVersion| match version.is_active {
            Some(is_active) => is_active,
            None => Some(&version.id) == named,
        };
        self.versions.iter().find(is_active)
    }
}

impl<'a> Agents<'a> {
    /// Lists the versions of an agent.
    ///
    /// `GET /v1/agents/{agent_id}/versions`, contract §8.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let list = client.agents().versions(&agent).await?;
    /// if let Some(active) = list.active() {
    ///     println!("{} of {} versions is active", active.id, list.versions.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn versions(self, agent: &AgentId) -> Call<'a, AgentVersions> {
        let path = route!("/v1/agents/{agent_id}/versions", agent);
        Call::plain(self.client, Request::get("agents.versions", path))
    }

    /// Returns one version of an agent.
    ///
    /// `GET /v1/agents/{agent_id}/versions/{version_id}`, contract §8.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent, or it has no such version.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::Session) -> dari::Result<()> {
    /// if let Some(version) = &session.version_id {
    ///     let pinned = client.agents().version(&session.agent_id, version).await?;
    ///     let outdated = pinned.agent.active_version_id.as_ref() != Some(&pinned.version.id);
    ///     println!("{version} is {}", if outdated { "outdated" } else { "current" });
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn version(self, agent: &AgentId, version: &VersionId) -> Call<'a, AgentVersionDetails> {
        let path = route!("/v1/agents/{agent_id}/versions/{version_id}", agent, version);
        Call::plain(self.client, Request::get("agents.version", path))
    }
}
