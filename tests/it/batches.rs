//! Batches: what is sent, what comes back, and the wait for the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dari::{
    AgentId, Batch, BatchId, BatchItem, BatchItemStatus, BatchStatus, ContentBlock, Error, NewBatch,
};
use serde_json::{Value, json};

use crate::round_trip::assert_round_trip;
use crate::support::raw::{RawServer, Step, json as reply_json};
use crate::support::{client, expired, sample};

fn agent() -> AgentId {
    "agt_a1".parse().unwrap()
}

fn id() -> BatchId {
    "batch_a1".parse().unwrap()
}

fn items(count: usize) -> Vec<BatchItem> {
    (0..count).map(|n| BatchItem::new(&agent(), format!("Run case {n}."))).collect()
}

/// Returns a batch as the service would tell of it, with one item of this status.
fn told(status: &str, item: &str) -> String {
    let item = json!({"index": 0, "status": item, "agent_id": "agt_a1"});
    json!({"batch_id": "batch_a1", "status": status, "sessions": [item]}).to_string()
}

/// Returns a server that tells of these states in order, and of the last one from then on.
async fn telling(states: impl IntoIterator<Item = (&'static str, &'static str)>) -> RawServer {
    let told: Vec<_> = states.into_iter().map(|(status, item)| told(status, item)).collect();
    RawServer::start(move |n, _| {
        vec![Step::Write(reply_json("200 OK", &told[n.min(told.len() - 1)]))]
    })
    .await
}

#[test]
fn the_sample_reply_decodes_and_encodes_back() {
    let batch: Batch = assert_round_trip(&sample("get-session-batch.response"));
    assert_eq!(batch.status, BatchStatus::PartialFailed);
    assert_eq!((batch.progress().completed, batch.progress().failed), (1, 1));
    let done = batch.session(0).unwrap();
    assert_eq!(done.status, BatchItemStatus::Completed);
    assert_eq!(done.transcript_url.as_deref(), Some("/v1/sessions/sess_a1/transcript"));
    assert_eq!(done.metadata.as_ref().unwrap()["task_index"], "1");
    let failed: Vec<_> = batch.failed().map(|item| (item.index, item.error_text())).collect();
    assert_eq!(failed, [(1, Some("The item could not be started.".into()))]);
    assert!(batch.extra.is_empty() && batch.sessions.iter().all(|item| item.extra.is_empty()));
}

#[test]
fn what_a_batch_does_not_know_yet_survives_and_what_is_broken_is_named() {
    let odd = json!({"batch_id": "batch_a1", "status": "paused", "region": "eu",
    "counts": {"queued": 1, "running": 0, "completed": 0, "failed": 0, "cancelled": 3},
    "sessions": [
        {"index": 7, "status": "cancelled", "agent_id": "agt_a1", "cost": 1.10,
         "error": {"code": 3, "of": [null]}}
    ]});
    let batch: Batch = assert_round_trip(&odd.to_string());
    assert!(!batch.status.is_terminal() && !batch.sessions[0].status.is_terminal());
    assert_eq!(batch.counts.as_ref().unwrap().extra.get("cancelled").unwrap().get(), "3");
    for body in [r#"{"batch_id": "b", "status": "queued"}"#, &told("queued", "queued")] {
        let batch: Batch = serde_json::from_str(body).unwrap();
        assert!(batch.sessions.len() < 2 && batch.counts.is_none());
    }
    for (broken, named) in [
        (json!({"batch_id": ".."}), "batch_id"),
        (json!({"sessions": [{"status": "failed", "agent_id": "a"}]}), "index"),
        (json!({"sessions": [{"index": -1, "status": "failed", "agent_id": "a"}]}), "index"),
        (json!({"counts": {"failed": "2"}}), "counts.failed"),
    ] {
        let mut body = json!({"batch_id": "b", "status": "queued", "sessions": []});
        body.as_object_mut().unwrap().extend(broken.as_object().unwrap().clone());
        let text = body.to_string();
        let mut json = serde_json::Deserializer::from_str(&text);
        let error = serde_path_to_error::deserialize::<_, Batch>(&mut json).unwrap_err();
        assert!(error.to_string().contains(named), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_batch_reaches_the_wire_as_the_sample_shows() {
    let server = RawServer::always(reply_json("201 Created", &told("queued", "queued"))).await;
    let content = ["Run case one.".into(), ContentBlock::file("file_a1".parse().unwrap())];
    let item = BatchItem::new(&agent(), content)
        .version_id("ver_2".parse().unwrap())
        .llm_id("medium-claude");
    let metadata = [
        ("managed_run_id", "run_a1"),
        ("kind", "tester"),
        ("task_index", "1"),
        ("llm_id", "medium-claude"),
    ];
    let item = metadata.into_iter().fold(item, |item, (name, value)| item.metadata(name, value));
    let client = client(&server.url);
    let call = client.batches().create(NewBatch::new([item.clone()]));
    let batch = call.idempotency_key("nightly-2026-05-20").with_meta().await.unwrap();
    assert_eq!(batch.value.id, "batch_a1");
    assert_eq!(batch.meta.idempotency_key.as_deref(), Some("nightly-2026-05-20"));
    let sent = &server.requests()[0];
    assert_eq!(sent.line(), "POST /v1/session-batches");
    assert_eq!(sent.header("idempotency-key"), None, "a batch has its key in the body");
    let expected: Value = serde_json::from_str(&sample("create-session-batch.request")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&sent.body).unwrap(), expected);

    let item = item.secret("TOKEN", "hush").message_metadata("try", 1);
    assert!(!format!("{item:?}").contains("hush"));
    client.batches().create(NewBatch::new([item])).await.unwrap();
    let sent: Value = serde_json::from_str(&server.requests()[1].body).unwrap();
    assert_eq!(sent["items"][0]["secrets"], json!({"TOKEN": "hush"}));
    assert_eq!(sent["items"][0]["message"]["metadata"], json!({"try": 1}));
    assert_eq!(sent["idempotency_key"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn what_cannot_be_a_batch_is_refused_before_anything_is_sent() {
    let server = RawServer::always("HTTP/1.1 500 Oops\r\n\r\n").await;
    let client = client(&server.url);
    let create = |items| client.batches().create(NewBatch::new(items));
    let other = BatchItem::new(&"agt_b2".parse().unwrap(), "hi");
    let with_third = |third| items(2).into_iter().chain([third]).collect();
    let empty = || BatchItem::new(&agent(), Vec::<ContentBlock>::new());
    let long = "ß".repeat(129);
    let refusals = [
        (create(Vec::new()).await, "items", "there is none"),
        (create(items(101)).await, "items", "there are 101, at most 100 are allowed"),
        (create(with_third(other.clone())).await, "agent_id", "item 2 is for another agent"),
        (create(with_third(empty())).await, "content", "item 2: it has no block"),
        (
            create(with_third(empty().secret("a", "hush"))).await,
            "content",
            "item 2: it has no block",
        ),
        (
            create(vec![BatchItem::new(&agent(), "hi").secret("lower", "hush")]).await,
            "secret name",
            "item 0: it is not of the form",
        ),
        (
            create(items(1)).idempotency_key(long.as_str()).await,
            "idempotency key",
            "it has 129 characters, at most 128 are allowed",
        ),
        (create(items(1)).idempotency_key("").await, "idempotency key", "it is empty"),
    ];
    for (result, field, reason) in refusals {
        let Err(Error::Invalid(error)) = result else { panic!("{field} {reason}: {result:?}") };
        assert_eq!(error.field(), field);
        let line = format!("batches.create: invalid {field}: {reason}");
        assert!(error.to_string().starts_with(&line), "{error}");
    }
    for (items, key) in [
        (items(0), "k"),
        (items(250).into_iter().chain([other]).collect(), "k"),
        (items(250).into_iter().chain([empty()]).collect(), "k"),
        (items(250), &long[..246]),
        (items(250), ""),
    ] {
        let refused = NewBatch::split(items, key);
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert!(server.requests().is_empty());
    let full = create(items(100)).idempotency_key("ß".repeat(128)).await.unwrap_err();
    assert_eq!(full.attempts(), 4, "what is just allowed is sent, and repeated");
}

#[tokio::test]
async fn a_wait_ends_with_a_final_status_and_not_with_an_unknown_one() {
    for last in ["completed", "failed", "partial_failed"] {
        let states = [("queued", "queued"), ("paused", "new"), ("running", "running"), (last, "x")];
        let server = telling(states).await;
        let mut seen = Vec::new();
        let client = client(&server.url);
        let wait = client.batches().wait(&id()).poll_interval(Duration::ZERO);
        let batch = wait.on_progress(|it| seen.push(it.status.to_string())).await.unwrap();
        assert_eq!(batch.status.as_str(), last);
        assert_eq!(seen, ["queued", "paused", "running", last]);
        assert_eq!(server.requests().len(), 4);
    }
}

#[tokio::test]
async fn a_wait_goes_through_passing_faults_and_tells_of_progress_within_a_status() {
    let failures = AtomicUsize::new(0);
    let server = RawServer::start(move |n, _| {
        let item = ["queued", "running", "running", "completed"][(n / 2).min(3)];
        let status = if item == "completed" { "completed" } else { "running" };
        let broken = n % 2 == 0 && failures.fetch_add(1, Ordering::SeqCst) < 4;
        let good = reply_json("200 OK", &told(status, item));
        vec![Step::Write(if broken { reply_json("503 Later", "") } else { good })]
    })
    .await;
    let client = dari::Client::builder("dari_1").base_url(&*server.url);
    let client = client.retry(dari::RetryPolicy::none()).build().unwrap();
    let mut seen = Vec::new();
    let wait = client.batches().wait(&id()).poll_interval(Duration::ZERO);
    let wait = wait.on_progress(|batch| {
        let progress = batch.progress();
        seen.push([progress.queued, progress.running, progress.completed]);
    });
    wait.await.unwrap().into_completed().unwrap();
    assert_eq!(seen, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
}

#[tokio::test]
async fn a_wait_that_expires_carries_the_last_batch_and_one_that_is_refused_ends() {
    let server = telling([("running", "running")]).await;
    let client = client(&server.url);
    let (limit, error) = expired(|limit| client.batches().wait(&id()).timeout(limit)).await;
    assert_eq!(error.last_seen::<Batch>().unwrap().session(0).unwrap().agent_id, agent());
    let line = format!(
        "batches.wait: nothing final within {limit:?}, last seen: batch_a1 is running \
         (0 queued, 1 running, 0 completed, 0 failed)"
    );
    assert!(error.to_string().starts_with(&line), "{error}");

    let server = RawServer::always(reply_json("404 Not Found", "{}")).await;
    let error = self::client(&server.url).batches().wait(&id()).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(server.requests().len(), 1);
}
