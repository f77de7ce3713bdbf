//! Publishing in one call.

#[cfg(feature = "emulator")]
mod emulator;
mod failures;

use std::sync::{Arc, Mutex};

use dari::{Publish, PublishStep};

use crate::support::folder::Folder;
use crate::support::raw::{RawRequest, RawServer, Step, json, reply};

/// A service that publishes well, but for what a test changes.
struct Service {
    raw: RawServer,
}

/// The answer to a request in place of the usual one.
type Change = fn(&RawRequest) -> Option<Vec<Step>>;

impl Service {
    async fn start(change: Change) -> Self {
        Self::start_with_place("/v1/put?signature=x", change).await
    }

    /// Starts a service that has archives put to this place, its own or another's.
    async fn start_with_place(place: impl Into<String>, change: Change) -> Self {
        let place = place.into();
        let raw = RawServer::start(move |_, request| {
            change(request).unwrap_or_else(|| vec![Step::Write(usual(request, &place))])
        });
        Self { raw: raw.await }
    }

    /// Returns the requests by method and path, in their order.
    fn lines(&self) -> Vec<String> {
        self.raw.requests().iter().map(|request| request.line().to_owned()).collect()
    }
}

fn usual(request: &RawRequest, place: &str) -> Vec<u8> {
    let own = format!("http://{}{place}", request.header("host").unwrap());
    let url = if place.starts_with('/') { &own } else { place };
    let reserved = format!(
        r#"{{"source_snapshot_id": "src_1", "status": "pending_upload", "upload_url": "{url}",
            "upload_headers": {{"Content-Type": "application/gzip", "x-a": "1"}}}}"#
    );
    match request.line() {
        "POST /v1/source-snapshots" => json("201 Created", &reserved),
        "POST /v1/source-snapshots/src_1/finalize" => {
            json("200 OK", r#"{"source_snapshot_id": "src_1", "status": "ready"}"#)
        }
        "POST /v1/agents" | "POST /v1/agents/agt_1/versions" => {
            json("201 Created", r#"{"id": "agt_1", "active_version_id": "ver_2"}"#)
        }
        "DELETE /v1/source-snapshots/src_1" => reply("204 No Content", "", ""),
        put if put.starts_with("PUT ") => reply("200 OK", "", ""),
        other => panic!("{other}"),
    }
}

fn source() -> Folder {
    Folder::with(&[("dari.yml", "name: support-agent\n"), ("prompt.md", "Be kind.")])
}

type Seen = Arc<Mutex<Vec<PublishStep>>>;

/// Notes the steps of a publication but for the progress of its upload.
fn watched(publish: Publish<'_>) -> (Publish<'_>, Seen) {
    let seen = Seen::default();
    let steps = seen.clone();
    let publish = publish.on_step(move |step| {
        if !matches!(step, PublishStep::Uploading(_)) {
            steps.lock().unwrap().push(step.clone());
        }
    });
    (publish, seen)
}

const STEPS: [&str; 4] = [
    "POST /v1/source-snapshots",
    "PUT /v1/put?signature=x",
    "POST /v1/source-snapshots/src_1/finalize",
    "POST /v1/agents",
];
const DELETE: &str = "DELETE /v1/source-snapshots/src_1";
