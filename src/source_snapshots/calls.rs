//! The operations on source snapshots that have options or a body.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::call::{Call, Operation};
use crate::error::Error;
use crate::request::{Request, route};
use crate::retry::Repeat;
use crate::source_snapshots::ReservedSnapshot;

/// The options of [`SourceSnapshots::reserve`](crate::SourceSnapshots::reserve).
///
/// They are methods of its [`Call`](crate::Call): [`metadata`](crate::Call::metadata), beside those
/// of every call.
#[derive(Debug, Serialize)]
pub struct ReserveSnapshot {
    format: &'static str,
    sha256: String,
    size_bytes: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl ReserveSnapshot {
    pub(super) fn new(mut sha256: String, size_bytes: u64) -> Self {
        sha256.make_ascii_lowercase();
        Self { format: "tar.gz", sha256, size_bytes, metadata: BTreeMap::new() }
    }
}

impl Call<'_, ReservedSnapshot, ReserveSnapshot> {
    /// Adds a field to the snapshot's metadata.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.operation.metadata.insert(name.into(), value.into());
        self
    }
}

impl Operation for ReserveSnapshot {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "source_snapshots.reserve";

        if self.sha256.len() != 64 || !self.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::invalid(NAME, "sha256", "it is not 64 hex digits"));
        }
        // The reply says where anyone may upload.
        Request::post(NAME, route!("/v1/source-snapshots"), Repeat::Unsafe)
            .confidential()
            .json(&self)
    }
}
