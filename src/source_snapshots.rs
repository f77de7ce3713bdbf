//! Source snapshots: an agent's source on its way to becoming a version.

mod calls;
mod reserved;
mod upload;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::ids::SourceSnapshotId;
use crate::json::{RawJson, readable};
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::retry::Repeat;
use crate::status::SourceSnapshotStatus;

pub use calls::ReserveSnapshot;
pub use reserved::{ReservedSnapshot, UploadHeaders, UploadUrl};
pub use upload::{ArchiveContent, UploadSnapshot};

/// What finalizing a source snapshot found (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct FinalizedSnapshot {
    /// The snapshot.
    pub source_snapshot_id: SourceSnapshotId,
    /// Whether a version can be made of it.
    pub status: SourceSnapshotStatus,
    /// Why it failed; [`reason`](Self::reason) is its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<RawJson>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// What a source says of its agent (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct SourceManifest {
    /// The snapshot.
    pub source_snapshot_id: SourceSnapshotId,
    /// The manifest as JSON; its fields are not documented there.
    pub manifest: RawJson,
    /// The system prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(FinalizedSnapshot, SourceManifest);

/// A reply that says no more than that it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {}

impl<'de> Deserialize<'de> for Done {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self {})
    }
}

impl FinalizedSnapshot {
    /// Returns why it failed, as text.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let reason = self.failure_reason.as_ref()?;
        Some(reason.parse().map_or_else(|_| reason.to_string(), |value| readable(&value)))
    }

    /// Returns the snapshot unless it failed, for use with `?`.
    ///
    /// A failure is an answer of success, so the call itself does not end in an error. A status this
    /// crate does not know is no failure: the service says the rest when a version is made of it.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] with the reason; it carries the snapshot as
    /// [`last_seen`](Error::last_seen).
    ///
    /// ```
    /// let text = r#"{"source_snapshot_id": "src_1", "status": "failed",
    ///     "failure_reason": "no manifest"}"#;
    /// let snapshot: dari::FinalizedSnapshot = serde_json::from_str(text)?;
    /// let error = snapshot.into_ready().unwrap_err();
    /// assert_eq!(error.to_string(), "source snapshot src_1 failed: no manifest");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn into_ready(self) -> Result<Self, Error> {
        if self.status != SourceSnapshotStatus::Failed {
            return Ok(self);
        }
        let what = format!("source snapshot {} failed", self.source_snapshot_id);
        let reason = self.reason().unwrap_or_default();
        Err(Error::failed(&what, &reason, self))
    }
}

/// The single steps of publishing; see [`Client::source_snapshots`].
#[derive(Clone, Copy, Debug)]
pub struct SourceSnapshots<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the single steps of publishing an agent.
    ///
    /// With feature `publish`, `agents().publish(..)` does all of them in one call.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SourceSnapshotId) -> dari::Result<()> {
    /// let manifest = client.source_snapshots().manifest(&id).await?.manifest;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn source_snapshots(&self) -> SourceSnapshots<'_> {
        SourceSnapshots { client: self }
    }
}

impl<'a> SourceSnapshots<'a> {
    /// Reserves a place for a tar.gz archive of this sum and size.
    ///
    /// `POST /v1/source-snapshots`, contract §8. The sum is the archive's SHA-256 in hex, the size
    /// is in bytes. Not repeated once it may have arrived.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a sum that is not 64 hex digits; status 413 when the archive is
    /// larger than the service takes.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sha256: &str, archive: Vec<u8>) -> dari::Result<()> {
    /// let snapshots = client.source_snapshots();
    /// let reserved = snapshots.reserve(sha256, archive.len() as u64).metadata("run", "7").await?;
    /// snapshots.upload(&reserved, archive).await?;
    /// let id = &reserved.source_snapshot_id;
    /// snapshots.finalize(id).await?.into_ready()?;
    /// println!("{}", snapshots.manifest(id).await?.manifest);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reserve(
        self,
        sha256: impl Into<String>,
        size_bytes: u64,
    ) -> Call<'a, ReservedSnapshot, ReserveSnapshot> {
        Call::new(self.client, ReserveSnapshot::new(sha256.into(), size_bytes))
    }

    /// Has the service check what was uploaded.
    ///
    /// `POST /v1/source-snapshots/{id}/finalize`, contract §8. A source that fails the check is no
    /// error here but a status; [`into_ready`](FinalizedSnapshot::into_ready) makes it one. Not
    /// repeated once it may have arrived.
    ///
    /// # Errors
    ///
    /// Not found when there is no such snapshot.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SourceSnapshotId) -> dari::Result<()> {
    /// let snapshot = client.source_snapshots().finalize(&id).await?.into_ready()?;
    /// println!("{} is {}", snapshot.source_snapshot_id, snapshot.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn finalize(self, id: &SourceSnapshotId) -> Call<'a, FinalizedSnapshot> {
        let path = route!("/v1/source-snapshots/{id}/finalize", id);
        let request = Request::post("source_snapshots.finalize", path, Repeat::Unsafe);
        Call::plain(self.client, request)
    }

    /// Returns what an uploaded source says of its agent.
    ///
    /// `GET /v1/source-snapshots/{id}/manifest`, contract §8.
    ///
    /// # Errors
    ///
    /// Not found when there is no such snapshot.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SourceSnapshotId) -> dari::Result<()> {
    /// let source = client.source_snapshots().manifest(&id).await?;
    /// println!("{}", source.system_prompt.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn manifest(self, id: &SourceSnapshotId) -> Call<'a, SourceManifest> {
        let path = route!("/v1/source-snapshots/{id}/manifest", id);
        Call::plain(self.client, Request::get("source_snapshots.manifest", path))
    }

    /// Deletes a snapshot of which no version was made.
    ///
    /// `DELETE /v1/source-snapshots/{id}`, contract §8. What the answer says is not documented and
    /// not read. It is repeated like a call that reads; "not found" behind an attempt that may have
    /// arrived is success.
    ///
    /// # Errors
    ///
    /// Not found when there is no such snapshot, a conflict when it is in use.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SourceSnapshotId) -> dari::Result<()> {
    /// client.source_snapshots().delete(&id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(self, id: &SourceSnapshotId) -> Call<'a, Done> {
        let path = route!("/v1/source-snapshots/{id}", id);
        let mut request = Request::delete("source_snapshots.delete", path);
        request.repeat = Repeat::Gone;
        Call::plain(self.client, request)
    }
}
