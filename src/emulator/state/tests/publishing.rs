//! Agents, their versions, and the sources that versions are made of.

use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, Header};

use super::{Bench, refused, value};
use crate::emulator::body::{NewSession, new_session};
use crate::emulator::bundle::{Announced, sha256};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn};
use crate::emulator::state::{Organization, State, Visit};

fn source(manifest: &str) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = Header::new_gnu();
    header.set_size(manifest.len() as u64);
    tar.append_data(&mut header, "dari.yml", manifest.as_bytes()).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

fn announced(archive: &[u8]) -> Announced {
    Announced { sha256: sha256(archive), size_bytes: archive.len() as u64 }
}

impl Bench {
    fn reserve(&mut self, archive: &[u8]) -> (String, String) {
        let visit = self.visit();
        let reserved = value(self.state.reserve(visit, announced(archive), "http://h/uploads/"));
        let url = reserved["upload_url"].as_str().unwrap();
        let token = url.strip_prefix("http://h/uploads/").unwrap();
        (reserved["source_snapshot_id"].as_str().unwrap().to_owned(), token.to_owned())
    }

    fn put(&mut self, token: &str, archive: &[u8]) -> Result<(), Refusal> {
        self.state.upload(self.visit(), token, Bytes::copy_from_slice(archive))
    }

    fn finalize(&mut self, id: &str) -> Value {
        value(self.state.finalize(self.visit(), id))
    }

    /// Uploads and finalizes a source with this manifest, and returns its id.
    fn ready(&mut self, manifest: &str) -> String {
        let archive = source(manifest);
        let (id, token) = self.reserve(&archive);
        self.put(&token, &archive).unwrap();
        assert_eq!(self.finalize(&id)["status"], "ready");
        id
    }

    fn publish(&mut self, manifest: &str) -> Value {
        let id = self.ready(manifest);
        value(self.state.publish_snapshot(self.visit(), None, &id))
    }

    fn names(&mut self) -> Vec<String> {
        let list = value(self.state.agents(self.visit()));
        let agents = list["agents"].as_array().unwrap().iter();
        agents.map(|agent| agent["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_reservation_has_the_shape_of_the_contract() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let reserved = value(bench.state.reserve(bench.visit(), announced(b"x"), "http://h/uploads/"));
    let url = reserved["upload_url"].as_str().unwrap();
    assert_eq!(url.len(), "http://h/uploads/".len() + 32, "{url}");
    let expected = json!({
        "source_snapshot_id": "src_1", "upload_url": url,
        "upload_headers": {"Content-Type": "application/gzip",
            "x-emulator-upload": "source-snapshot"},
        "expires_at": "2026-03-31T18:55:00Z", "status": "pending_upload",
    });
    assert_eq!(reserved, expected);
    let (_, other) = bench.reserve(b"x");
    assert!(!url.ends_with(&other), "each address is its own");
}

#[test]
fn a_source_becomes_an_agent_that_runs() {
    let mut bench = Bench::new(ScriptedAgent::named("first"));
    let created = bench.publish("name: support-agent");
    let expected = json!({"agent_id": "agt_2", "version_id": "ver_2", "id": "agt_2",
        "name": "support-agent", "active_version_id": "ver_2",
        "created_at": "2026-03-31T18:40:00Z", "deleted_at": null});
    assert_eq!(created, expected);
    assert_eq!(bench.names(), ["first", "support-agent"]);
    let body = crate::emulator::body::agent_message(super::body("Hi").to_string().as_bytes());
    let sent = bench.state.send_agent_message(bench.visit(), "agt_2", body.unwrap());
    assert_eq!(value(sent)["session"]["version_id"], "ver_2");
    assert_eq!(bench.message("msg_1")["output"]["parts"][0]["text"], "Hi", "it echoes");
}

#[test]
fn a_known_name_makes_a_new_version_and_sessions_keep_theirs() {
    let agent = ScriptedAgent::named("support-agent").turns([Turn::reply("scripted")]);
    let mut bench = Bench::new(agent);
    let old = bench.create();
    let created = bench.publish("name: support-agent");
    assert_eq!((&created["agent_id"], &created["version_id"]), (&json!("agt_1"), &json!("ver_2")));
    let new = bench.create();
    assert_eq!(bench.session(&old)["version_id"], "ver_1");
    assert_eq!(bench.session(&new)["version_id"], "ver_2");
    for (version, exists) in [("ver_1", true), ("ver_2", true), ("ver_3", false)] {
        let options = new_session(json!({"version_id": version}).to_string().as_bytes()).unwrap();
        let answer = bench.state.create_session(bench.visit(), "agt_1", options);
        assert_eq!(answer.is_ok(), exists, "{version}");
    }
    bench.send(&new, "Hi");
    assert_eq!(bench.message("msg_1")["output"]["parts"][0]["text"], "scripted");
}

#[test]
fn versions_are_listed_with_the_active_one_marked() {
    let mut bench = Bench::new(ScriptedAgent::named("a"));
    bench.publish("name: b");
    let archive = source("name: a");
    bench.publish("name: a");
    let list = value(bench.state.versions(bench.visit(), "agt_1"));
    let expected = json!({
        "agent": {"id": "agt_1", "active_version_id": "ver_3"},
        "versions": [
            {"id": "ver_1", "is_active": false, "archive_sha256": sha256(b""), "size_bytes": null},
            {"id": "ver_3", "is_active": true, "archive_sha256": sha256(&archive),
             "size_bytes": archive.len()},
        ],
    });
    assert_eq!(list, expected);
    let one = value(bench.state.version(bench.visit(), "agt_1", "ver_1"));
    let expected = json!({"agent": {"id": "agt_1", "active_version_id": "ver_3"},
        "version": {"id": "ver_1", "agent_id": "agt_1"}});
    assert_eq!(one, expected);
    let other = bench.state.version(bench.visit(), "agt_1", "ver_2");
    assert_eq!(refused(other), Refusal::NotFound("Version"), "it belongs to another agent");
}

#[test]
fn a_deleted_agent_stays_to_be_seen_but_starts_nothing() {
    let mut bench = Bench::new(ScriptedAgent::named("a"));
    let session = bench.create();
    bench.pass(60);
    let deleted = value(bench.state.delete_agent(bench.visit(), "agt_1"));
    assert_eq!(deleted["deleted_at"], "2026-03-31T18:41:00Z");
    bench.pass(60);
    let again = value(bench.state.delete_agent(bench.visit(), "agt_1"));
    assert_eq!(
        (&again, value(bench.state.agent(bench.visit(), "agt_1"))),
        (&deleted, again.clone())
    );
    assert!(bench.names().is_empty());
    let created = bench.state.create_session(bench.visit(), "agt_1", NewSession::default());
    assert_eq!(refused(created), Refusal::NotFound("Agent"));
    let body = super::body("Hi").to_string();
    let body = crate::emulator::body::agent_message(body.as_bytes()).unwrap();
    let sent = bench.state.send_agent_message(bench.visit(), "agt_1", body);
    assert_eq!(refused(sent), Refusal::NotFound("Agent"));
    let batch = json!({"items": [{"agent_id": "agt_1", "message": super::body("Hi")}]});
    let batch = crate::emulator::body::new_batch(batch.to_string().as_bytes()).unwrap();
    let started = bench.state.create_batch(bench.visit(), batch);
    assert_eq!(refused(started), Refusal::NotFound("Agent"));
    let source = bench.ready("name: a");
    let published = bench.state.publish_snapshot(bench.visit(), Some("agt_1"), &source);
    assert_eq!(refused(published), Refusal::NotFound("Agent"));
    let anew = value(bench.state.publish_snapshot(bench.visit(), None, &source));
    assert_eq!(anew["agent_id"], "agt_2", "the name is free again");
    bench.send(&session, "Still there?");
    assert_eq!(bench.message("msg_1")["status"], "completed", "a session outlives its agent");
}

#[test]
fn a_source_that_fails_its_check_says_why_and_stays_failed() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let archive = source("name: a");
    let (unsent, _) = bench.reserve(&archive);
    assert_eq!(bench.finalize(&unsent)["failure_reason"], "Nothing was uploaded");
    let (cut, token) = bench.reserve(&archive);
    bench.put(&token, &archive[..10]).unwrap();
    let failed = bench.finalize(&cut);
    let reason = format!("size_bytes is {}, but 10 bytes were uploaded", archive.len());
    let expected = json!({"source_snapshot_id": cut, "status": "failed", "failure_reason": reason});
    assert_eq!((&failed, bench.finalize(&cut)), (&expected, failed.clone()));
    let late = bench.put(&token, &archive).unwrap_err();
    assert_eq!(late, Refusal::Conflict("This source snapshot is finalized"));
    let not_ready = Refusal::BadRequest("This source snapshot is not ready");
    assert_eq!(refused(bench.state.manifest(bench.visit(), &cut)), not_ready);
    assert_eq!(refused(bench.state.publish_snapshot(bench.visit(), None, &cut)), not_ready);
}

#[test]
fn an_upload_replaces_the_one_before_until_its_address_expires() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let archive = source("name: a");
    let (id, token) = bench.reserve(&archive);
    bench.put(&token, b"something else").unwrap();
    bench.put(&token, &archive).unwrap();
    assert_eq!(bench.finalize(&id)["status"], "ready");
    let (_, token) = bench.reserve(&archive);
    bench.now += Duration::from_secs(15 * 60);
    let late = bench.put(&token, &archive).unwrap_err();
    assert_eq!(late, Refusal::Locked("This upload address has expired"));
    assert_eq!(bench.put("guessed", &archive).unwrap_err(), Refusal::NotFound("Upload"));
}

#[test]
fn a_snapshot_tells_its_manifest_and_goes_unless_it_is_used() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let id = bench.ready("name: a\nharness: pi");
    let manifest = value(bench.state.manifest(bench.visit(), &id));
    let expected = json!({"source_snapshot_id": id, "manifest": {"name": "a", "harness": "pi"},
        "system_prompt": null});
    assert_eq!(manifest, expected);
    value(bench.state.delete_snapshot(bench.visit(), &id));
    let gone = Refusal::NotFound("Source snapshot");
    for answer in [State::manifest, State::finalize, State::delete_snapshot] {
        let visit = bench.visit();
        assert_eq!(refused(answer(&mut bench.state, visit, &id)), gone);
    }
    let used = bench.ready("name: a");
    assert_eq!(used, "src_2", "an id is never given again");
    value(bench.state.publish_snapshot(bench.visit(), None, &used));
    let kept = bench.state.delete_snapshot(bench.visit(), &used);
    assert_eq!(refused(kept), Refusal::Conflict("This source snapshot is in use"));
}

#[test]
fn another_organization_sees_no_agent_and_no_snapshot() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    let id = bench.ready("name: a");
    let stranger = Visit { organization: Organization::Stranger, now: bench.now };
    assert_eq!(value(bench.state.agents(stranger)), json!({"agents": []}));
    for answer in [
        bench.state.agent(stranger, "agt_1"),
        bench.state.delete_agent(stranger, "agt_1"),
        bench.state.versions(stranger, "agt_1"),
        bench.state.manifest(stranger, &id),
        bench.state.publish_snapshot(stranger, None, &id),
        bench.state.reserve(stranger, announced(b"x"), ""),
    ] {
        assert_eq!(refused(answer), Refusal::Forbidden);
    }
    assert_eq!(refused(bench.state.agent(stranger, "agt_9")), Refusal::NotFound("Agent"));
}
