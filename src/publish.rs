//! Publishing an agent: from a directory to a version, in one call.

mod archive;
mod packing;
mod rules;
mod source;
mod step;
mod unusable;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use crate::agents::{Agents, PublishedVersion};
use crate::client::Client;
use crate::error::Error;
use crate::ids::{AgentId, SourceSnapshotId};
use crate::source_snapshots::ReservedSnapshot;
use crate::trace::workflow;

use step::Steps;

pub use archive::SourceArchive;
pub use source::{AgentSource, SourceDirectory};
pub use step::PublishStep;

/// How long cleaning up may hold back the error it follows.
const CLEANUP_LIMIT: Duration = Duration::from_secs(10);

impl<'a> Agents<'a> {
    /// Publishes a directory, or a ready archive, as an agent.
    ///
    /// Packs, reserves, uploads, finalizes, and makes the agent, contract §8. If an agent has the
    /// name that the source's manifest gives, it gets a new version; with
    /// [`new_version_of`](Publish::new_version_of) an agent of any name does. What of a directory goes
    /// into the archive is said at [`SourceDirectory`]. The archive is spooled to a temporary
    /// file, so memory stays the same for a source of any size.
    ///
    /// The upload goes to the address that the service gives, with its headers and without the key.
    /// What [`configure_http`](crate::ClientBuilder::configure_http) sets does not apply to it.
    /// It is repeated like a call that reads; the other steps are not repeated once they may have
    /// arrived.
    ///
    /// If a step fails after the reservation, the snapshot is deleted; the error is that of the step,
    /// whatever comes of the deletion. It stays where a version may have been made of it: when the
    /// last step was sent and its answer lost, unreadable or a 5xx
    /// ([`may_have_happened`](Error::may_have_happened)). Nothing is deleted when the future is
    /// dropped half-way, for then nothing of it runs any more; the place expires by itself, and
    /// [`on_step`](Publish::on_step) has told its id.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a source that breaks the rules, naming the path, and [`Error::File`]
    /// for one that cannot be read: nothing was sent then. [`Error::Failed`] with the service's
    /// reason when the source did not pass its check. Not found when the agent of `new_version_of`
    /// does not exist or is deleted.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// use dari::SourceDirectory;
    ///
    /// let source = SourceDirectory::new("agents/support").ignore(["*.log"]);
    /// let published = client.agents().publish(source).await?;
    /// println!("{} is version {}", published.agent_id, published.version_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(self, source: impl Into<AgentSource>) -> Publish<'a> {
        Publish {
            client: self.client(),
            source: source.into(),
            agent: None,
            metadata: BTreeMap::new(),
            steps: Steps::default(),
        }
    }
}

/// A publication; see [`Agents::publish`].
#[must_use = "nothing is published until this is awaited"]
pub struct Publish<'a> {
    client: &'a Client,
    source: AgentSource,
    agent: Option<AgentId>,
    metadata: BTreeMap<String, String>,
    steps: Steps,
}

impl<'a> Publish<'a> {
    /// Makes a new version of this agent.
    ///
    /// Whatever name the manifest gives.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let published = client.agents().publish("agents/support").new_version_of(&agent).await?;
    /// assert_eq!(published.agent_id, agent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_version_of(mut self, agent: &AgentId) -> Self {
        self.agent = Some(agent.clone());
        self
    }

    /// Adds a field to the metadata of the source snapshot.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// let publish = client.agents().publish("agents/support").metadata("commit", "1f3a9c2");
    /// let published = publish.await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Calls `watch` at each step, and with how far the upload is.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// use dari::PublishStep;
    ///
    /// let publish = client.agents().publish("agents/support").new_version_of(&agent);
    /// let published = publish
    ///     .on_step(|step| match step {
    ///         PublishStep::Uploading(progress) => println!("{} bytes sent", progress.bytes),
    ///         other => println!("{other:?}"),
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_step(mut self, watch: impl FnMut(&PublishStep) + Send + 'static) -> Self {
        self.steps = Steps::new(watch);
        self
    }

    async fn run(self) -> Result<PublishedVersion, Error> {
        let archive = SourceArchive::pack(self.source.clone()).await?;
        self.steps.tell(&PublishStep::Packed {
            sha256: archive.sha256().to_owned(),
            size_bytes: archive.size_bytes(),
            files: archive.paths().len(),
        });
        let mut reserve =
            self.client.source_snapshots().reserve(archive.sha256(), archive.size_bytes());
        for (name, value) in &self.metadata {
            reserve = reserve.metadata(name, value);
        }
        let reserved = reserve.await?;
        let id = &reserved.source_snapshot_id;
        self.steps.tell(&PublishStep::Reserved { source_snapshot_id: id.clone() });
        let published = match self.prepare(&reserved, archive).await {
            Ok(()) => self.create(id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &published {
            self.clean_up(id, error).await;
        }
        published
    }

    /// Uploads and finalizes: after this a version can be made.
    async fn prepare(&self, to: &ReservedSnapshot, archive: SourceArchive) -> Result<(), Error> {
        let snapshots = self.client.source_snapshots();
        let steps = self.steps.clone();
        let tell = move |progress| steps.tell(&PublishStep::Uploading(progress));
        snapshots.upload(to, archive).on_progress(tell).await?;
        self.steps.tell(&PublishStep::Uploaded);
        let found = snapshots.finalize(&to.source_snapshot_id).await?.into_ready()?;
        self.steps.tell(&PublishStep::Finalized { status: found.status });
        Ok(())
    }

    async fn create(&self, id: &SourceSnapshotId) -> Result<PublishedVersion, Error> {
        let agents = self.client.agents();
        match &self.agent {
            Some(agent) => agents.create_version(agent, id).await,
            None => agents.create(id).await,
        }
    }

    async fn clean_up(&self, id: &SourceSnapshotId, after: &Error) {
        let source_snapshot_id = id.clone();
        let reason = if may_be_in_use(after) {
            "a version may have been made of it".to_owned()
        } else {
            match self.client.source_snapshots().delete(id).timeout(CLEANUP_LIMIT).await {
                Ok(_) => return self.steps.tell(&PublishStep::CleanedUp { source_snapshot_id }),
                Err(error) => error.to_string(),
            }
        };
        self.steps.tell(&PublishStep::NotCleanedUp { source_snapshot_id, reason });
    }
}

impl<'a> IntoFuture for Publish<'a> {
    type Output = Result<PublishedVersion, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(workflow("agents.publish", self.run()))
    }
}

impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("source", &self.source)
            .field("new_version_of", &self.agent)
            .finish_non_exhaustive()
    }
}

/// Returns whether a failed step may have made a version.
///
/// Also behind an error that the service itself gave with a 5xx: it may have failed after that.
fn may_be_in_use(error: &Error) -> bool {
    let is_last = error.operation().is_some_and(|name| name.starts_with("agents.create"));
    is_last && error.may_have_happened()
}
