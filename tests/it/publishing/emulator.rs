//! Publishing to the emulator, from the directory to the reply of the new agent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dari::emulator::{Emulator, Fault, Route, ScriptedAgent, Turn};
use dari::{PublishStep, RetryPolicy, SourceArchive, SourceSnapshotStatus};

use super::{source, watched};
use crate::support::folder::Folder;

#[tokio::test]
async fn a_directory_becomes_an_agent_that_answers() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = source();
    let (publish, seen) = watched(client.agents().publish(folder.path()).metadata("run", "7"));
    let published = publish.await.unwrap();
    assert_eq!((published.agent_id.as_str(), published.version_id.as_str()), ("agt_2", "ver_2"));
    let agent = client.agents().get(&published.agent_id).await.unwrap();
    assert_eq!(agent.name, "support-agent");
    let sent = client.agents().send_message(&agent.id, "Hello").await.unwrap();
    assert_eq!(sent.session.version_id, Some(published.version_id));
    let message = client.messages().wait(&sent.message.id).await.unwrap();
    assert_eq!(message.text(), "Hello");
    let seen = seen.lock().unwrap();
    let [
        PublishStep::Packed { files: 2, .. },
        PublishStep::Reserved { .. },
        PublishStep::Uploaded,
        PublishStep::Finalized { status: SourceSnapshotStatus::Ready, .. },
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
}

#[tokio::test]
async fn no_key_reaches_the_place_of_the_upload() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = source();
    client.agents().publish(folder.path()).await.unwrap();
    let log = emulator.requests();
    let lines: Vec<_> = log.iter().map(|it| (it.method(), it.path())).collect();
    let ("PUT", path) = lines[1] else { panic!("{lines:?}") };
    assert!(path.starts_with("/uploads/"));
    let expected = [
        ("POST", "/v1/source-snapshots"),
        ("PUT", path),
        ("POST", "/v1/source-snapshots/src_1/finalize"),
        ("POST", "/v1/agents"),
    ];
    assert_eq!(lines, expected);
    for (request, is_api) in log.iter().zip([true, false, true, true]) {
        assert_eq!(request.header("authorization").is_some(), is_api, "{request:?}");
    }
    let archive = SourceArchive::pack(folder.path()).await.unwrap();
    assert_eq!(log[0].json().unwrap()["sha256"], archive.sha256());
    assert_eq!(log[1].body().len() as u64, archive.size_bytes());
}

#[tokio::test]
async fn a_known_name_or_a_given_agent_gets_a_new_version() {
    let scripted = ScriptedAgent::named("support-agent").turns([Turn::reply("scripted")]);
    let builder = Emulator::builder().agent(scripted).agent(ScriptedAgent::named("other"));
    let emulator = builder.start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = source();
    let by_name = client.agents().publish(folder.path()).await.unwrap();
    assert_eq!((by_name.agent_id.as_str(), by_name.version_id.as_str()), ("agt_1", "ver_3"));
    let other = "agt_2".parse().unwrap();
    let given = client.agents().publish(folder.path()).new_version_of(&other).await.unwrap();
    assert_eq!((given.agent_id.as_str(), given.version_id.as_str()), ("agt_2", "ver_4"));
    let versions = client.agents().versions(&other).await.unwrap();
    assert_eq!(versions.active().unwrap().id, "ver_4");
    let archive = SourceArchive::pack(folder.path()).await.unwrap();
    assert_eq!(versions.active().unwrap().archive_sha256.as_deref(), Some(archive.sha256()));
    let sent = client.agents().send_message(&by_name.agent_id, "Hi").await.unwrap();
    let message = client.messages().wait(&sent.message.id).await.unwrap();
    assert_eq!(message.text(), "scripted");
}

#[tokio::test]
async fn publishing_to_a_deleted_agent_is_not_found_and_cleaned_up() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let agent = emulator.agent();
    client.agents().delete(&agent).await.unwrap();
    let folder = source();
    let error = client.agents().publish(folder.path()).new_version_of(&agent).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("Agent not found"), "{error}");
    let last = emulator.requests().pop().unwrap();
    assert_eq!((last.method(), last.path()), ("DELETE", "/v1/source-snapshots/src_1"));
    let id = "src_1".parse().unwrap();
    assert!(client.source_snapshots().manifest(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_ready_archive_is_published_from_memory_and_from_a_file() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let archive = SourceArchive::pack(source().path()).await.unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut archive.open().unwrap(), &mut bytes).unwrap();
    let first = client.agents().publish(bytes.clone()).await.unwrap();
    let folder = Folder::new();
    let path = folder.write("agent.tar.gz", &bytes);
    let second = client.agents().publish(path).await.unwrap();
    assert_eq!(first.agent_id, second.agent_id);
    assert_eq!((first.version_id.as_str(), second.version_id.as_str()), ("ver_2", "ver_3"));
}

#[tokio::test]
async fn an_archive_that_is_not_an_agents_source_fails_with_the_reason() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = Folder::with(&[("readme.md", "no manifest")]);
    let error = client.agents().publish(folder.path()).await.unwrap_err();
    let expected = "source snapshot src_1 failed: There is no dari.yml in the root";
    assert_eq!(error.to_string(), expected);
    let half = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, 2, 3];
    let error = client.agents().publish(half.to_vec()).await.unwrap_err();
    assert!(error.to_string().contains("no readable tar.gz"), "{error}");
    assert_eq!(client.agents().list().await.unwrap().agents.len(), 1, "no agent was made");
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_announced_fails_its_check() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let archive = SourceArchive::pack(source().path()).await.unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut archive.open().unwrap(), &mut bytes).unwrap();
    let snapshots = client.source_snapshots();
    let mut flipped = bytes.clone();
    flipped[12] ^= 1;
    for (sent, reason) in
        [(bytes[..bytes.len() / 2].to_vec(), "size_bytes is "), (flipped, "sha256 is ")]
    {
        let reserved = snapshots.reserve(archive.sha256(), archive.size_bytes()).await.unwrap();
        snapshots.upload(&reserved, sent).await.unwrap();
        let id = &reserved.source_snapshot_id;
        let found = snapshots.finalize(id).await.unwrap();
        assert_eq!(found.status, SourceSnapshotStatus::Failed);
        assert!(found.reason().unwrap().starts_with(reason), "{found:?}");
        assert!(found.into_ready().is_err());
        snapshots.delete(id).await.unwrap();
    }
}

#[tokio::test]
async fn the_single_steps_lead_to_the_same_end() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let archive = SourceArchive::pack(source().path()).await.unwrap();
    let snapshots = client.source_snapshots();
    let reserved = snapshots.reserve(archive.sha256(), archive.size_bytes()).await.unwrap();
    assert!(reserved.expires_at.is_some());
    snapshots.upload(&reserved, &archive).await.unwrap();
    let id = &reserved.source_snapshot_id;
    snapshots.finalize(id).await.unwrap().into_ready().unwrap();
    let manifest = snapshots.manifest(id).await.unwrap();
    assert_eq!(manifest.manifest.get(), r#"{"name":"support-agent"}"#);
    assert_eq!(manifest.system_prompt, None);
    let created = client.agents().create(id).await.unwrap();
    let again = client.agents().create_version(&created.agent_id, id).await.unwrap();
    assert_ne!(created.version_id, again.version_id);
    assert!(snapshots.delete(id).await.unwrap_err().is_conflict(), "it is in use");
}

#[tokio::test]
async fn a_large_source_is_told_of_while_it_is_sent() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = source();
    let mut random = 1_u64;
    let noise = (0..1 << 20).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    });
    folder.write("noise.bin", noise.collect::<Vec<_>>());
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let progress = seen.clone();
    let publish = client.agents().publish(folder.path()).on_step(move |step| {
        if let PublishStep::Uploading(now) = step {
            assert!(now.total.is_some());
            progress.lock().unwrap().push(now.bytes);
        }
    });
    publish.await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 8 && seen.is_sorted(), "{seen:?}");
    assert_eq!(*seen.last().unwrap(), emulator.requests()[1].body().len() as u64);
}

#[tokio::test]
async fn faults_on_the_way_are_outlived_where_a_repeat_is_safe() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject(Fault::status(429).on(Route::ReserveSnapshot));
    emulator.inject(Fault::no_answer().on(Route::UploadSnapshot));
    emulator.inject(Fault::status(503).on(Route::UploadSnapshot));
    emulator.inject(Fault::status(429).on(Route::FinalizeSnapshot));
    let quick = RetryPolicy::default().first_delay(Duration::ZERO);
    let client = emulator.client_builder().retry(quick).build().unwrap();
    let folder = source();
    let published = client.agents().publish(folder.path()).await.unwrap();
    assert_eq!(published.version_id, "ver_2");
    assert_eq!(emulator.faults_left(), 0);
    let uploads: Vec<_> =
        emulator.requests().into_iter().filter(|request| request.method() == "PUT").collect();
    assert_eq!(uploads.len(), 3);
    assert!(uploads.iter().all(|upload| upload.body() == uploads[0].body()));
    assert!(uploads.iter().all(|upload| upload.header("authorization").is_none()));
}

#[tokio::test]
async fn a_version_whose_answer_is_lost_is_made_once_and_its_source_kept() {
    let emulator = Emulator::start().await.unwrap();
    emulator.inject(Fault::no_answer().on(Route::CreateAgent));
    let client = emulator.client().unwrap();
    let folder = source();
    let (publish, seen) = watched(client.agents().publish(folder.path()));
    let error = publish.await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert!(matches!(seen.lock().unwrap().last(), Some(PublishStep::NotCleanedUp { .. })));
    let agents = client.agents().list().await.unwrap().agents;
    assert_eq!(agents.len(), 2, "it did happen, and once");
    let last = emulator.requests().into_iter().rev().nth(1).unwrap();
    assert_eq!((last.method(), last.path()), ("POST", "/v1/agents"), "no deletion followed");
}
