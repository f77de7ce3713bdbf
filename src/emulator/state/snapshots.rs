//! Source snapshots: reserved, uploaded, finalized, and made into versions.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::ledger::written;
use super::{Answer, State, Visit, place};
use crate::emulator::bundle::{Announced, Bundle};
use crate::emulator::refusal::Refusal;

/// The headers an upload is to have: one of HTTP's, and one that only a store would ask for.
pub(in crate::emulator) const UPLOAD_HEADERS: [(&str, &str); 2] =
    [("Content-Type", "application/gzip"), ("x-emulator-upload", "source-snapshot")];

/// How long a place waits for its archive.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

#[derive(Debug)]
pub(super) struct Snapshot {
    announced: Announced,
    /// What makes the address one that cannot be guessed.
    token: String,
    expires: Duration,
    upload: Option<Bytes>,
    /// What its check found.
    found: Option<Result<Bundle, String>>,
    is_used: bool,
}

#[derive(Serialize)]
struct Reserved {
    source_snapshot_id: String,
    upload_url: String,
    upload_headers: BTreeMap<&'static str, &'static str>,
    expires_at: String,
    status: &'static str,
}

#[derive(Serialize)]
struct Finalized<'a> {
    source_snapshot_id: &'a str,
    status: &'static str,
    failure_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    source_snapshot_id: &'a str,
    manifest: &'a Value,
    system_prompt: Option<&'a str>,
}

#[derive(Serialize)]
struct Deleted<'a> {
    source_snapshot_id: &'a str,
}

impl State {
    /// Makes a place for an archive, at an address below `base`.
    pub(in crate::emulator) fn reserve(
        &mut self,
        visit: Visit,
        announced: Announced,
        base: &str,
    ) -> Answer {
        visit.admitted(())?;
        let token = format!("{:032x}", fastrand::u128(..));
        let expires = visit.now + LIFETIME;
        let reserved = Reserved {
            source_snapshot_id: format!("src_{}", self.snapshots.len() + 1),
            upload_url: format!("{base}{token}"),
            upload_headers: UPLOAD_HEADERS.into_iter().collect(),
            expires_at: self.epoch.stamp(expires),
            status: "pending_upload",
        };
        let (upload, found) = (None, None);
        let snapshot = Snapshot { announced, token, expires, upload, found, is_used: false };
        self.snapshots.push(Some(snapshot));
        Ok(written(&reserved))
    }

    /// Takes an archive; another one replaces it until the snapshot is finalized.
    pub(in crate::emulator) fn upload(
        &mut self,
        visit: Visit,
        token: &str,
        archive: Bytes,
    ) -> Result<(), Refusal> {
        let mut snapshots = self.snapshots.iter_mut().flatten();
        let snapshot = snapshots.find(|snapshot| snapshot.token == token);
        let snapshot = snapshot.ok_or(Refusal::NotFound("Upload"))?;
        if snapshot.found.is_some() {
            return Err(Refusal::Conflict("This source snapshot is finalized"));
        }
        if visit.now >= snapshot.expires {
            return Err(Refusal::Locked("This upload address has expired"));
        }
        snapshot.upload = Some(archive);
        Ok(())
    }

    /// Returns what is to be checked before the snapshot is finalized.
    pub(in crate::emulator) fn unchecked(
        &mut self,
        visit: Visit,
        id: &str,
    ) -> Option<(Announced, Bytes)> {
        let Ok(Snapshot { announced, upload, found: None, .. }) = self.find_snapshot(visit, id)
        else {
            return None;
        };
        Some((announced.clone(), upload.clone()?))
    }

    /// Notes what a check found, unless another archive has come meanwhile.
    pub(in crate::emulator) fn checked(
        &mut self,
        visit: Visit,
        id: &str,
        (archive, result): (Bytes, Result<Bundle, String>),
    ) {
        let Ok(Snapshot { upload, found, .. }) = self.find_snapshot(visit, id) else { return };
        if found.is_none() && upload.as_ref().is_some_and(|kept| kept.as_ptr() == archive.as_ptr())
        {
            *found = Some(result);
            *upload = None;
        }
    }

    /// Checks what was uploaded; asked again, it says the same.
    pub(in crate::emulator) fn finalize(&mut self, visit: Visit, id: &str) -> Answer {
        let snapshot = self.find_snapshot(visit, id)?;
        let Snapshot { announced, upload, found, .. } = snapshot;
        let found = found.get_or_insert_with(|| match upload.take() {
            Some(archive) => announced.check(&archive),
            None => Err("Nothing was uploaded".to_owned()),
        });
        let failure_reason = found.as_ref().err().map(String::as_str);
        let status = if failure_reason.is_some() { "failed" } else { "ready" };
        Ok(written(&Finalized { source_snapshot_id: id, status, failure_reason }))
    }

    pub(in crate::emulator) fn manifest(&mut self, visit: Visit, id: &str) -> Answer {
        let bundle = self.find_snapshot(visit, id)?.ready()?;
        Ok(written(&Manifest {
            source_snapshot_id: id,
            manifest: &bundle.manifest,
            system_prompt: bundle.system_prompt.as_deref(),
        }))
    }

    /// Deletes a snapshot of which no version was made.
    pub(in crate::emulator) fn delete_snapshot(&mut self, visit: Visit, id: &str) -> Answer {
        if self.find_snapshot(visit, id)?.is_used {
            return Err(Refusal::Conflict("This source snapshot is in use"));
        }
        if let Some(snapshot) = place(id, "src_").and_then(|at| self.snapshots.get_mut(at)) {
            *snapshot = None;
        }
        Ok(written(&Deleted { source_snapshot_id: id }))
    }

    /// Makes a version of a snapshot: of a given agent, or of the one that the manifest names.
    pub(in crate::emulator) fn publish_snapshot(
        &mut self,
        visit: Visit,
        agent_id: Option<&str>,
        snapshot_id: &str,
    ) -> Answer {
        let agent = agent_id.map(|id| self.find_live_agent(visit, id)).transpose()?;
        let snapshot = self.find_snapshot(visit, snapshot_id)?;
        let bundle = snapshot.ready()?.clone();
        snapshot.is_used = true;
        let announced = snapshot.announced.clone();
        self.publish(visit.now, agent, (&bundle, &announced))
    }

    fn find_snapshot(&mut self, visit: Visit, id: &str) -> Result<&mut Snapshot, Refusal> {
        self.advance(visit.now);
        let found = place(id, "src_").and_then(|place| self.snapshots.get_mut(place)?.as_mut());
        visit.admitted(found.ok_or(Refusal::NotFound("Source snapshot"))?)
    }
}

impl Snapshot {
    fn ready(&self) -> Result<&Bundle, Refusal> {
        let ready = self.found.as_ref().and_then(|found| found.as_ref().ok());
        ready.ok_or(Refusal::BadRequest("This source snapshot is not ready"))
    }
}
