//! Deliveries of the emulator that do not arrive, arrive twice, or must not be made.

use std::time::{Duration, Instant};

use dari::emulator::{DeliveryAttempt, DeliveryPolicy, Emulator, ScriptedAgent, Turn};
use dari::{Event, EventKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::emulator_support::{Caller, hello};
use crate::support::raw::{PATIENCE, Step, reply};
use crate::support::receiver::Receiver;

fn quick() -> DeliveryPolicy {
    DeliveryPolicy::default().retry_delay(Duration::from_millis(1))
}

/// Starts an emulator and a turn whose call goes to this address.
async fn calling(policy: DeliveryPolicy, url: &str) -> Emulator {
    let turn = Turn::new().external_tool("lookup", json!({}));
    let agent = ScriptedAgent::named("triage").turns([turn]);
    let emulator = Emulator::builder().agent(agent).deliveries(policy).start().await.unwrap();
    let caller = Caller::new(&emulator);
    let (status, _) = caller.put("/v1/agents/agt_1/webhook", &json!({"webhook_url": url})).await;
    assert_eq!(status, 200);
    assert_eq!(caller.post("/v1/agents/agt_1/messages", &hello()).await.0, 202);
    emulator
}

/// Waits until so many attempts have ended.
pub(crate) async fn attempts(emulator: &Emulator, count: usize) -> Vec<DeliveryAttempt> {
    let start = Instant::now();
    while emulator.deliveries().len() < count {
        assert!(start.elapsed() < PATIENCE, "{:?}", emulator.deliveries());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    emulator.deliveries()
}

/// Waits for the event that says that a delivery was given up.
async fn given_up(emulator: &Emulator) -> Event {
    let client = emulator.client().unwrap();
    let mut stream = client.sessions().stream(&"sess_1".parse().unwrap());
    let follow = async {
        loop {
            let event = stream.try_next().await.unwrap().unwrap();
            if event.kind() == EventKind::WebhookDeliveryFailed {
                return event;
            }
        }
    };
    timeout(PATIENCE, follow).await.expect("the ledger says nothing")
}

fn status(line: &str) -> Vec<Step> {
    vec![Step::Write(reply(line, "", ""))]
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_under_the_same_id() {
    let mut receiver = Receiver::answering(|number| match number {
        0 => status("500 Internal Server Error"),
        1 => vec![Step::Reset],
        2 => vec![Step::Write(b"no HTTP at all\r\n\r\n".to_vec())],
        3 => vec![],
        _ => status("200 OK"),
    })
    .await;
    let emulator = calling(quick().attempts(9), &receiver.hook()).await;
    let first = receiver.next().await;
    for _ in 0..4 {
        let again = receiver.next().await;
        assert_eq!((&again.body, &again.head), (&first.body, &first.head));
    }
    let attempts = attempts(&emulator, 5).await;
    let statuses: Vec<_> = attempts.iter().map(DeliveryAttempt::status).collect();
    assert_eq!(statuses, [Some(500), None, None, None, Some(200)]);
    let numbers: Vec<_> = attempts.iter().map(DeliveryAttempt::number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    for attempt in &attempts {
        assert_eq!(attempt.webhook_id(), "webhook_1");
        assert_eq!(attempt.event_type(), "tool.call_requested");
        assert_eq!((attempt.url(), attempt.body()), (&*receiver.hook(), first.body.as_bytes()));
        assert_eq!(attempt.json().unwrap()["id"], "webhook_1");
        assert_eq!(attempt.error().is_none(), attempt.status().is_some());
    }
    let (_, events) = Caller::new(&emulator).get("/v1/sessions/sess_1/events").await;
    assert!(!events.to_string().contains("webhook.delivery_failed"));
}

#[tokio::test]
async fn a_delivery_that_never_arrives_stands_in_the_ledger() {
    let receiver = Receiver::answering(|_| status("503 Service Unavailable")).await;
    let emulator = calling(quick(), &receiver.hook()).await;
    let event = given_up(&emulator).await;
    let data: Value = event.data.parse().unwrap();
    let expected = json!({"webhook_id": "webhook_1", "event_type": "tool.call_requested",
        "attempts": 3, "error": "the answer was 503 Service Unavailable"});
    assert_eq!(data, expected);
    assert_eq!(emulator.deliveries().len(), 3);
    assert_eq!(receiver.server.requests().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_resets_its_connections_is_tried_as_often() {
    // It keeps its port, which nobody else can then get, and refuses every connection.
    let receiver = Receiver::answering(|_| vec![Step::Reset]).await;
    let emulator = calling(quick().attempts(2), &receiver.hook()).await;
    given_up(&emulator).await;
    let errors = emulator.deliveries();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|attempt| attempt.error().is_some()), "{errors:?}");
}

#[tokio::test]
async fn a_silent_receiver_costs_an_attempt_its_time_and_no_more() {
    let mut receiver = Receiver::answering(|number| match number {
        0 => vec![Step::Hold],
        1 => vec![Step::Trickle(b"HTTP/1.1 200".to_vec()), Step::Hold],
        _ => status("200 OK"),
    })
    .await;
    let policy = quick().timeout(Duration::from_secs(1)).attempts(20);
    let emulator = calling(policy, &receiver.hook()).await;
    for _ in 0..3 {
        receiver.next().await;
    }
    receiver.server.left(2).await;
    let statuses = attempts(&emulator, 3).await;
    let statuses: Vec<_> = statuses.iter().map(DeliveryAttempt::status).collect();
    // On a slow machine more may run out of time, and are made again.
    assert_eq!(statuses[..2], [None, None]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start().await;
    let location = format!("location: {}\r\n", elsewhere.hook());
    let script = move |_| vec![Step::Write(reply("307 Temporary Redirect", &location, ""))];
    let receiver = Receiver::answering(script).await;
    let emulator = calling(quick().attempts(2), &receiver.hook()).await;
    given_up(&emulator).await;
    assert_eq!(emulator.deliveries()[0].status(), Some(307));
    assert!(elsewhere.server.requests().is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
    let answer = [head.as_slice(), &[b'x'; 1 << 20]].concat();
    let script = move |_| vec![Step::Write(answer.clone()), Step::Hold];
    let receiver = Receiver::answering(script).await;
    let emulator = calling(quick().timeout(PATIENCE), &receiver.hook()).await;
    assert_eq!(attempts(&emulator, 1).await[0].status(), Some(200));
}

#[tokio::test]
async fn nothing_is_sent_to_another_machine() {
    for url in [
        "http://192.0.2.1/hook",
        "http://hooks.example.com/dari",
        "http://localhost.example.com/",
        "http://0.0.0.0:9/",
        "http://[::2]:9/",
        "http://[::ffff:192.0.2.1]:9/",
        "https://127.0.0.1:9/hook",
    ] {
        let emulator = calling(quick(), url).await;
        let event = given_up(&emulator).await;
        let data: Value = event.data.parse().unwrap();
        assert_eq!(data["attempts"], 1, "{url}");
        let reason = emulator.deliveries()[0].error().unwrap().to_owned();
        assert!(reason.starts_with("the emulator delivers"), "{url}: {reason}");
    }
}

#[tokio::test]
async fn duplicates_follow_what_has_arrived() {
    let mut receiver = Receiver::answering(|number| match number {
        0 => status("500 Internal Server Error"),
        _ => status("200 OK"),
    })
    .await;
    let emulator = calling(quick().duplicates(2), &receiver.hook()).await;
    let first = receiver.next().await;
    for _ in 0..3 {
        assert_eq!(receiver.next().await.body, first.body);
    }
    let numbers = attempts(&emulator, 4).await;
    let numbers: Vec<_> = numbers.iter().map(DeliveryAttempt::number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn other_deliveries_go_out_while_one_waits_to_be_tried_again() {
    let mut receiver = Receiver::answering(|number| match number {
        0 => status("500 Internal Server Error"),
        _ => status("200 OK"),
    })
    .await;
    let policy = DeliveryPolicy::default().retry_delay(Duration::from_secs(3600));
    let emulator = calling(policy, &receiver.hook()).await;
    receiver.next().await;
    let caller = Caller::new(&emulator);
    assert_eq!(caller.post("/v1/agents/agt_1/messages", &hello()).await.0, 202);
    let body: Value = serde_json::from_str(&receiver.next().await.body).unwrap();
    assert_eq!([&body["id"], &body["session_id"]], ["webhook_2", "sess_2"]);
}

#[tokio::test]
async fn dropping_the_emulator_ends_its_deliveries() {
    let mut receiver = Receiver::answering(|_| vec![Step::Hold]).await;
    let emulator = calling(quick().timeout(PATIENCE * 10), &receiver.hook()).await;
    receiver.next().await;
    drop(emulator);
    receiver.server.left(1).await;
    assert_eq!(receiver.server.requests().len(), 1);
}
