//! Agents and versions made of a source that was uploaded.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::agents::Agents;
use crate::call::{Call, Operation};
use crate::error::Error;
use crate::ids::{AgentId, SourceSnapshotId, VersionId};
use crate::json::RawJson;
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::retry::Repeat;

/// A version that was just made, and its agent (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CreatedReply")]
#[non_exhaustive]
pub struct PublishedVersion {
    /// The agent: a new one, or one that has a new version.
    pub agent_id: AgentId,
    /// The version.
    pub version_id: VersionId,
    /// Fields newer than this version of the crate.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// The reply, under either name of each field.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct CreatedReply {
    agent_id: Option<AgentId>,
    id: Option<RawJson>,
    version_id: Option<VersionId>,
    active_version_id: Option<RawJson>,
    #[serde(skip_deserializing, flatten)]
    extra: ExtraFields,
}

growing!(CreatedReply);

impl TryFrom<CreatedReply> for PublishedVersion {
    type Error = String;

    fn try_from(mut reply: CreatedReply) -> Result<Self, String> {
        let extra = &mut reply.extra;
        let agent_id = either(("agent_id", reply.agent_id), ("id", reply.id), extra)?;
        let active = ("active_version_id", reply.active_version_id);
        let version_id = either(("version_id", reply.version_id), active, extra)?;
        Ok(Self { agent_id, version_id, extra: reply.extra })
    }
}

/// Returns the value under the first name, else under the second; a second beside a first is kept.
fn either<T: DeserializeOwned>(
    (name, first): (&str, Option<T>),
    (other_name, second): (&str, Option<RawJson>),
    extra: &mut ExtraFields,
) -> Result<T, String> {
    match (first, second) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(other)) => {
            extra.push(other_name.to_owned(), other);
            Ok(value)
        }
        (None, Some(other)) => other.parse().map_err(|error| format!("{other_name}: {error}")),
        (None, None) => Err(format!("missing field `{name}`")),
    }
}

impl<'a> Agents<'a> {
    /// Makes an agent of a source that was uploaded and finalized.
    ///
    /// `POST /v1/agents`, contract §8. Where an agent already has the name that the source's
    /// manifest gives, the result is a new version of that agent. Not repeated once it may have
    /// arrived. With feature `publish`, `agents().publish(..)` does all steps in one call.
    ///
    /// # Errors
    ///
    /// Not found when there is no such source; status 400 when it is rejected.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SourceSnapshotId) -> dari::Result<()> {
    /// client.source_snapshots().finalize(&id).await?.into_ready()?;
    /// let created = client.agents().create(&id).await?;
    /// println!("{} {}", created.agent_id, created.version_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, source: &SourceSnapshotId) -> Call<'a, PublishedVersion, CreateVersion> {
        Call::new(self.client, CreateVersion { source: source.clone(), agent: None })
    }

    /// Makes a new version of an agent, of an uploaded source.
    ///
    /// `POST /v1/agents/{agent_id}/versions`, contract §8. Not repeated once it may have arrived.
    ///
    /// # Errors
    ///
    /// Not found when there is no such source, or the agent does not exist or is deleted; status 400
    /// when the source is rejected.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId, id: dari::SourceSnapshotId)
    /// # -> dari::Result<()> {
    /// let created = client.agents().create_version(&agent, &id).await?;
    /// assert_eq!(created.agent_id, agent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_version(
        self,
        agent: &AgentId,
        source: &SourceSnapshotId,
    ) -> Call<'a, PublishedVersion, CreateVersion> {
        let operation = CreateVersion { source: source.clone(), agent: Some(agent.clone()) };
        Call::new(self.client, operation)
    }
}

/// The inside of [`Agents::create`] and [`Agents::create_version`].
#[derive(Debug)]
pub struct CreateVersion {
    source: SourceSnapshotId,
    agent: Option<AgentId>,
}

impl Operation for CreateVersion {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        #[derive(Serialize)]
        struct Body {
            source_snapshot_id: SourceSnapshotId,
        }

        let request = match &self.agent {
            None => Request::post("agents.create", route!("/v1/agents"), Repeat::Unsafe),
            Some(agent) => {
                let path = route!("/v1/agents/{agent_id}/versions", agent);
                Request::post("agents.create_version", path, Repeat::Unsafe)
            }
        };
        request.json(&Body { source_snapshot_id: self.source })
    }
}
