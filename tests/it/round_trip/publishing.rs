//! Replies about agents, versions and sources.

use dari::{
    AgentList, AgentVersionDetails, AgentVersions, FinalizedSnapshot, PublishedVersion,
    ReservedSnapshot, SourceManifest, SourceSnapshotStatus,
};
use serde_json::json;

use super::{assert_round_trip, refusal};
use crate::support::sample;

#[test]
fn every_sample_decodes_and_encodes_back() {
    let agents: AgentList = assert_round_trip(&sample("list-agents.response"));
    assert_eq!((agents.agents[0].name.as_str(), agents.agents[0].deleted_at), ("demo-agent", None));
    let versions: AgentVersions = assert_round_trip(&sample("list-agent-versions.response"));
    let active = versions.active().unwrap();
    assert_eq!((active.id.as_str(), active.size_bytes), ("ver_2", Some(2048)));
    assert!(versions.extra.is_empty() && active.extra.is_empty());
    let reserved: ReservedSnapshot = assert_round_trip(&sample("create-source-snapshot.response"));
    assert_eq!(reserved.status, Some(SourceSnapshotStatus::PendingUpload));
    assert!(reserved.extra.is_empty());
}

#[test]
fn replies_without_a_sample_decode_and_encode_back() {
    let details = json!({"agent": {"id": "agt_1", "active_version_id": "ver_2"},
        "version": {"id": "ver_1", "agent_id": "agt_1"}});
    let details: AgentVersionDetails = assert_round_trip(&details.to_string());
    assert_eq!(details.version.agent_id.unwrap(), "agt_1");
    let failed = json!({"source_snapshot_id": "src_1", "status": "failed",
        "failure_reason": {"message": "no manifest", "line": 3}});
    let failed: FinalizedSnapshot = assert_round_trip(&failed.to_string());
    assert_eq!(failed.reason().unwrap(), "no manifest");
    let tomorrow = json!({"source_snapshot_id": "src_1", "status": "scanning", "eta": 3});
    let tomorrow: FinalizedSnapshot = assert_round_trip(&tomorrow.to_string());
    assert_eq!(tomorrow.into_ready().unwrap().status.as_str(), "scanning");
    let manifest = json!({"source_snapshot_id": "src_1", "manifest": {"name": "a", "b": null},
        "system_prompt": "Be kind."});
    let manifest: SourceManifest = assert_round_trip(&manifest.to_string());
    assert_eq!(manifest.manifest.get(), r#"{"b":null,"name":"a"}"#);
}

#[test]
fn a_new_version_is_read_under_either_name_of_each_field() {
    for (agent, version) in
        [("agent_id", "version_id"), ("id", "active_version_id"), ("id", "version_id")]
    {
        let body = json!({agent: "agt_1", version: "ver_2", "name": "a"});
        let made: PublishedVersion = serde_json::from_value(body).unwrap();
        assert_eq!((made.agent_id.as_str(), made.version_id.as_str()), ("agt_1", "ver_2"));
        assert_eq!(made.extra.len(), 1, "{:?}", made.extra);
    }
    let both = json!({"agent_id": "agt_1", "id": "ver_2", "version_id": "ver_2",
        "active_version_id": "ver_1"});
    let made: PublishedVersion = assert_round_trip(&both.to_string());
    assert_eq!((made.agent_id.as_str(), made.version_id.as_str()), ("agt_1", "ver_2"));
    let nulls = json!({"agent_id": null, "id": "agt_1", "version_id": null,
        "active_version_id": "ver_1"});
    let made: PublishedVersion = serde_json::from_value(nulls).unwrap();
    assert_eq!((made.agent_id.as_str(), made.version_id.as_str()), ("agt_1", "ver_1"));
    for (body, named) in [
        (json!({"version_id": "ver_1"}), "missing field `agent_id`"),
        (json!({"id": "agt_1"}), "missing field `version_id`"),
        (json!({"id": 7, "version_id": "ver_1"}), "id: invalid type: integer `7`"),
        (json!({"id": "", "version_id": "ver_1"}), "id: invalid agent id: it is empty"),
    ] {
        let error = refusal::<PublishedVersion>(&body);
        assert!(error.starts_with(named), "{body}: {error}");
    }
}
