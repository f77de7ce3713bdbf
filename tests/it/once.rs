//! A send happens once, also when its reply is lost on the way.

use dari::emulator::Emulator;
use dari::{EventType, NewEvent};

use crate::support::client;
use crate::support::lossy::LossyProxy;

#[tokio::test]
async fn a_keyed_send_whose_reply_is_lost_is_one_turn_on_the_server() {
    let emulator = Emulator::start().await.unwrap();
    let direct = emulator.client().unwrap();
    let session = direct.sessions().create(&emulator.agent()).await.unwrap().id;
    let proxy = LossyProxy::start(emulator.url(), 3).await;

    let client = proxy.client(&emulator);
    let sent = client.messages().send(&session, "hi").with_meta().await.unwrap();
    assert_eq!((sent.meta.attempts, proxy.connections()), (4, 4));
    let messages = direct.messages().list(&session).await.unwrap().messages;
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert_eq!(messages[0].id, sent.value.message.id);
    let events = direct.sessions().events(&session).limit(100).await.unwrap().events;
    assert_eq!(events.iter().filter(|event| event.event_type == EventType::UserMessage).count(), 1);
    assert_eq!(events[0].id, sent.value.event.id);
}

#[tokio::test]
async fn a_key_given_again_after_a_failure_gives_the_first_turn() {
    let emulator = Emulator::start().await.unwrap();
    let direct = emulator.client().unwrap();
    let session = direct.sessions().create(&emulator.agent()).await.unwrap().id;
    let proxy = LossyProxy::start(emulator.url(), 4).await;

    let client = proxy.client(&emulator);
    let error = client.messages().send(&session, "hi").await.unwrap_err();
    assert!(error.may_have_happened(), "{error:?}");
    let key = error.idempotency_key().unwrap();
    let again = client.messages().send(&session, "hi").idempotency_key(key).await.unwrap();
    let messages = direct.messages().list(&session).await.unwrap().messages;
    assert_eq!(messages.iter().map(|message| &message.id).collect::<Vec<_>>(), [&again.message.id]);
}

#[tokio::test]
async fn an_unsafe_send_whose_reply_is_lost_is_not_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    let direct = emulator.client().unwrap();
    let session = direct.sessions().create(&emulator.agent()).await.unwrap().id;
    let proxy = LossyProxy::start(emulator.url(), usize::MAX).await;

    let client = proxy.client(&emulator);
    let error = client.agents().send_message(&emulator.agent(), "hi").await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(direct.sessions().list().await.unwrap().sessions.len(), 2, "it did happen, once");

    let events = [NewEvent::user_message("a"), NewEvent::user_message("b")];
    let error = client.sessions().send_events(&session, events).await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_retryable(), "{error:?}");
    assert_eq!(direct.messages().list(&session).await.unwrap().messages.len(), 2);
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn a_retry_after_is_waited_for() {
    use crate::support::raw::{RawServer, Step, json, reply};
    let server = RawServer::start(|n, _| {
        let busy = reply("429 Busy", "retry-after: 1\r\n", "");
        let body = crate::support::sample("get-message.response");
        vec![Step::Write(if n == 0 { busy } else { json("200 OK", &body) })]
    })
    .await;
    let start = std::time::Instant::now();
    client(&server.url).messages().get(&"msg_123".parse().unwrap()).await.unwrap();
    assert!(start.elapsed() >= std::time::Duration::from_secs(1));
}
