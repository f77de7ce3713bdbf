//! Batches over the emulator: each session starts once, and an item fails alone.

use std::collections::BTreeSet;
use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{AgentId, Batch, BatchItem, BatchStatus, Client, MessageStatus, NewBatch};
use serde_json::json;

use crate::support::lossy::LossyProxy;

fn items(agent: &AgentId, count: usize) -> Vec<BatchItem> {
    let item =
        |n: usize| BatchItem::new(agent, format!("Case {n}")).metadata("case", n.to_string());
    (0..count).map(item).collect()
}

async fn sessions(client: &Client) -> usize {
    client.sessions().list().await.unwrap().sessions.len()
}

#[tokio::test]
async fn an_item_fails_alone_and_shows_why() {
    let agent = ScriptedAgent::named("tester").respond(|input| {
        if input.text() == "Case 2" {
            return Turn::new().fail(json!({"message": "overloaded"}));
        }
        Turn::reply(format!("{} passed", input.text()))
    });
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    let mut items = items(&emulator.agent(), 4);
    items[1] = items[1].clone().version_id("ver_none".parse().unwrap());
    items[3] = items[3].clone().secret("TOKEN", "hush").message_metadata("n", 3);

    let created = client.batches().create(NewBatch::new(items)).await.unwrap();
    assert_eq!(created.status, BatchStatus::Running, "one item has failed at once");
    let wait = client.batches().wait(&created.id).poll_interval(Duration::from_millis(5));
    let batch = wait.await.unwrap();
    assert_eq!(batch.status, BatchStatus::PartialFailed);
    assert_eq!((batch.progress().completed, batch.progress().failed), (2, 2));
    let failed: Vec<_> = batch.failed().map(|it| (it.index, it.error_text().unwrap())).collect();
    assert_eq!(failed, [(1, "Version not found".into()), (2, "overloaded".into())]);
    assert!(batch.session(1).unwrap().session_id.is_none());
    assert_eq!(batch.session(2).unwrap().last_message_status, Some(MessageStatus::Failed));

    let done = batch.session(3).unwrap();
    let session = done.session_id.as_ref().unwrap();
    assert_eq!(done.transcript_url, Some(format!("/v1/sessions/{session}/transcript")));
    let message = client.messages().list(session).await.unwrap().messages.remove(0);
    assert_eq!(message.text(), "Case 3 passed");
    assert_eq!(message.metadata.unwrap().get(), r#"{"n":3}"#);
    let session = client.sessions().get(session).await.unwrap();
    assert_eq!(session.metadata.unwrap()["case"], "3");
    let error = batch.into_completed().unwrap_err();
    assert!(error.to_string().ends_with("the first is item 1: Version not found"), "{error}");
    assert_eq!(error.last_seen::<Batch>().unwrap().sessions.len(), 4);
}

#[tokio::test]
async fn a_lost_reply_is_repeated_under_the_same_key_and_is_one_batch() {
    let emulator = Emulator::start().await.unwrap();
    let direct = emulator.client().unwrap();
    let proxy = LossyProxy::start(emulator.url(), 3).await;
    let batch = NewBatch::new(items(&emulator.agent(), 5));
    let created = proxy.client(&emulator).batches().create(batch).with_meta().await.unwrap();
    assert_eq!((created.meta.attempts, proxy.connections()), (4, 4));
    assert_eq!(created.value.id, "batch_1");
    assert_eq!(sessions(&direct).await, 5);
    let bodies: BTreeSet<_> =
        emulator.requests()[..4].iter().map(|it| it.body().to_vec()).collect();
    assert_eq!(bodies.len(), 1, "every attempt has the same bytes");
    let sent = emulator.requests()[0].json().unwrap();
    assert_eq!(sent["idempotency_key"].as_str(), created.meta.idempotency_key.as_deref());
}

#[tokio::test]
async fn a_create_that_fails_for_good_hands_its_key_over() {
    let emulator = Emulator::start().await.unwrap();
    let proxy = LossyProxy::start(emulator.url(), 4).await;
    let client = proxy.client(&emulator);
    let batch = NewBatch::new(items(&emulator.agent(), 2));
    let error = client.batches().create(batch.clone()).await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    let key = error.idempotency_key().unwrap();
    let again = client.batches().create(batch.clone()).idempotency_key(key).await.unwrap();
    assert_eq!((again.id.as_str(), sessions(&client).await), ("batch_1", 2));
    let other = client.batches().create(batch).await.unwrap();
    assert_eq!((other.id.as_str(), sessions(&client).await), ("batch_2", 4), "a new call is new");

    let nowhere = LossyProxy::start(emulator.url(), usize::MAX).await;
    let batch = NewBatch::new(items(&emulator.agent(), 1));
    let call = nowhere.client(&emulator).batches().create(batch).idempotency_key("mine").await;
    assert!(call.unwrap_err().is_retryable(), "the caller's own key makes a repeat harmless");
}

#[tokio::test]
async fn a_split_that_was_cut_off_is_repeated_without_starting_anything_twice() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let agent = emulator.agent();
    let split = || NewBatch::split(items(&agent, 250), "nightly-05-20").unwrap();
    let mut first = Vec::new();
    for batch in split().into_iter().take(2) {
        first.push(client.batches().create(batch).await.unwrap().id);
    }
    assert_eq!(sessions(&client).await, 200, "here the program dies");

    let mut batches = Vec::new();
    for batch in split() {
        batches.push(client.batches().create(batch).await.unwrap());
    }
    assert_eq!(batches.len(), 3);
    assert_eq!(batches[..2].iter().map(|it| &it.id).collect::<Vec<_>>(), [&first[0], &first[1]]);
    assert_eq!(sessions(&client).await, 250);
    let keys: Vec<_> =
        emulator.requests().iter().filter(|it| it.method() == "POST").map(key).collect();
    let derived = ["nightly-05-20-1-of-3", "nightly-05-20-2-of-3", "nightly-05-20-3-of-3"];
    assert_eq!(keys, [&derived[..2], &derived[..]].concat());
    for item in [0, 99, 100, 199, 200, 249_usize] {
        let found = batches[item / NewBatch::MAX_ITEMS].session(item as u64 % 100).unwrap();
        assert_eq!(found.metadata.as_ref().unwrap()["case"], item.to_string());
    }
    assert!(batches[2].session(50).is_none());
}

fn key(request: &dari::emulator::ReceivedRequest) -> String {
    request.json().unwrap()["idempotency_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_derived_key_has_at_most_128_characters() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let (agent, longest) = (emulator.agent(), "k".repeat(128 - "-10-of-10".len()));
    let batches = NewBatch::split(items(&agent, 1_000), &longest).unwrap();
    assert_eq!(batches.len(), 10);
    for batch in batches {
        client.batches().create(batch).await.unwrap();
    }
    assert_eq!(key(&emulator.requests()[9]).len(), 128);
    assert!(NewBatch::split(items(&agent, 1_000), &format!("{longest}k")).is_err());
    let own = NewBatch::split(items(&agent, 1), "derived").unwrap().remove(0);
    client.batches().create(own).idempotency_key("own").await.unwrap();
    assert_eq!(key(&emulator.requests()[10]), "own", "the key of the call wins");
}

#[tokio::test]
async fn every_operation_says_what_the_service_refused() {
    let emulator = Emulator::builder().other_organization("dari_other").start().await.unwrap();
    let client = emulator.client().unwrap();
    let create = |client: &Client, agent: &AgentId| {
        let (client, batch) = (client.clone(), NewBatch::new(items(agent, 1)));
        async move { client.batches().create(batch).idempotency_key("k").await }
    };
    let batch = create(&client, &emulator.agent()).await.unwrap();
    let neighbour = Client::builder("dari_other").base_url(emulator.url()).build().unwrap();
    assert!(create(&neighbour, &emulator.agent()).await.unwrap_err().is_forbidden());
    assert!(neighbour.batches().get(&batch.id).await.unwrap_err().is_forbidden());
    let missing = client.batches().get(&"batch_9".parse().unwrap()).await.unwrap_err();
    assert!(missing.to_string().contains("Batch not found"), "{missing}");
    let unknown = NewBatch::new(items(&"agt_9".parse().unwrap(), 1));
    assert!(client.batches().create(unknown).await.unwrap_err().is_not_found());
    for hostile in ["a/../../sessions", "%2e%2e", "batch_1?x", "batch_01"] {
        assert!(client.batches().get(&hostile.parse().unwrap()).await.unwrap_err().is_not_found());
    }
}
