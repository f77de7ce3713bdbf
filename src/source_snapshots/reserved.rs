//! A reserved snapshot: where to put the archive, which nobody else should know.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::SourceSnapshotId;
use crate::object::{ExtraFields, growing};
use crate::status::SourceSnapshotStatus;

/// A place for an archive (contract §8).
///
/// Whoever knows address and headers may write there, so `Debug` shows neither,
/// and of newer fields their names alone.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ReservedSnapshot {
    /// The snapshot.
    pub source_snapshot_id: SourceSnapshotId,
    /// Where the archive goes.
    pub upload_url: UploadUrl,
    /// The headers it goes with.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub upload_headers: UploadHeaders,
    /// When the place is gone.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Where the snapshot is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SourceSnapshotStatus>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(ReservedSnapshot);

impl fmt::Debug for ReservedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReservedSnapshot")
            .field("source_snapshot_id", &self.source_snapshot_id)
            .field("upload_url", &self.upload_url)
            .field("upload_headers", &self.upload_headers)
            .field("expires_at", &self.expires_at)
            .field("status", &self.status)
            .field("extra", &self.extra.names())
            .finish()
    }
}

/// An address that lets whoever knows it upload.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadUrl(Box<str>);

impl UploadUrl {
    /// Returns the address itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadUrl(redacted)")
    }
}

/// The headers that an upload is sent with.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadHeaders(BTreeMap<String, String>);

impl UploadHeaders {
    /// Returns all headers, names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Shows the names.
impl fmt::Debug for UploadHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
