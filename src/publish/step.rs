//! What a publication tells of itself on the way.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::Progress;
use crate::ids::SourceSnapshotId;
use crate::status::SourceSnapshotStatus;

/// A step of publishing that is done, or how far the upload is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PublishStep {
    /// The archive is ready to be sent.
    #[non_exhaustive]
    Packed {
        /// The SHA-256 in lower-case hex.
        sha256: String,
        /// The size in bytes.
        size_bytes: u64,
        /// How many files are in it; 0 for an archive that was ready.
        files: usize,
    },
    /// The service has a place for it.
    #[non_exhaustive]
    Reserved {
        /// The snapshot.
        source_snapshot_id: SourceSnapshotId,
    },
    /// So much of it is sent; a repeat begins at zero.
    Uploading(Progress),
    /// All of it has arrived.
    Uploaded,
    /// The service has checked it.
    #[non_exhaustive]
    Finalized {
        /// What it found.
        status: SourceSnapshotStatus,
    },
    /// A later step failed, and the snapshot is deleted.
    #[non_exhaustive]
    CleanedUp {
        /// The snapshot.
        source_snapshot_id: SourceSnapshotId,
    },
    /// A later step failed, and the snapshot is still there.
    #[non_exhaustive]
    NotCleanedUp {
        /// The snapshot.
        source_snapshot_id: SourceSnapshotId,
        /// Why.
        reason: String,
    },
}

/// Who is told of the steps; its clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Steps(Option<Arc<Mutex<Callback>>>);

type Callback = dyn FnMut(&PublishStep) + Send;

impl Steps {
    pub(super) fn new(watch: impl FnMut(&PublishStep) + Send + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(watch))))
    }

    pub(super) fn tell(&self, step: &PublishStep) {
        if let Some(watch) = &self.0 {
            watch.lock().unwrap_or_else(PoisonError::into_inner)(step);
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a callback" } else { "nobody" })
    }
}
