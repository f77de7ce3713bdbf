//! Costs: exact from end to end, and waited for while there are none.

use std::error::Error as _;
use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Cost, CostScope, SessionId};
use serde_json::json;

use crate::round_trip::assert_round_trip;
use crate::support::raw::{RawServer, Step, json as reply_json};
use crate::support::{client, expired, sample};

fn session() -> SessionId {
    "sess_a1".parse().unwrap()
}

/// Returns a server that has no cost for the first `without` looks at it.
async fn late(without: usize) -> RawServer {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    RawServer::start(move |_, request| {
        if request.line() == "GET /v1/sessions/sess_a1" {
            let session = r#"{"id": "sess_a1", "agent_id": "agt_1"}"#;
            return vec![Step::Write(reply_json("200 OK", session))];
        }
        let look = looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let none = reply_json("404 Not Found", r#"{"detail": "no cost yet"}"#);
        let cost = reply_json("200 OK", &sample("get-session-cost.response"));
        vec![Step::Write(if look < without { none } else { cost })]
    })
    .await
}

#[test]
fn the_sample_decodes_and_encodes_back() {
    let cost: Cost = assert_round_trip(&sample("get-session-cost.response"));
    assert_eq!((cost.scope_kind, cost.event_count), (CostScope::Session, 3));
    assert_eq!(cost.total_cost_usd.as_str(), "0.0421");
    assert!(cost.extra.is_empty());
    let odd = r#"{"scope_kind": "agent", "scope_id": "agt_1", "event_count": 0,
        "total_cost_usd": "-00.10", "currency": "USD"}"#;
    let cost: Cost = assert_round_trip(odd);
    assert_eq!(cost.scope_kind.as_str(), "agent");
}

#[test]
fn an_amount_that_is_none_is_named_and_a_number_is_read_exactly() {
    let body = |amount: &str| {
        format!(
            r#"{{"scope_kind": "session", "scope_id": "s", "event_count": 1,
                "total_cost_usd": {amount}}}"#
        )
    };
    let cost: Cost = serde_json::from_str(&body("0.12345678901234567891")).unwrap();
    assert_eq!(cost.total_cost_usd.as_str(), "0.12345678901234567891");
    for amount in ["null", "\"\"", "\"free\"", "[]", "\"1,50\"", "\"NaN\""] {
        let text = body(amount);
        let mut json = serde_json::Deserializer::from_str(&text);
        let error = serde_path_to_error::deserialize::<_, Cost>(&mut json).unwrap_err();
        let line = "total_cost_usd: invalid amount: it is no decimal number";
        assert!(error.to_string().starts_with(line), "{amount}: {error}");
    }
}

#[tokio::test]
async fn an_amount_of_20_decimals_comes_through_to_the_last_digit() {
    let agent = ScriptedAgent::named("dear").turns([
        Turn::reply("a").cost("0.12345678901234567890"),
        Turn::reply("b").cost("1000000000000000000000.5").cost("0.00000000000000000001"),
        Turn::new().cost("0.5").fail(json!("overloaded")),
    ]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "one").await.unwrap();
    let cost = client.costs().wait(&sent.session.id).await.unwrap();
    assert_eq!(cost.total_cost_usd.as_str(), "0.12345678901234567890");
    assert_eq!((cost.event_count, cost.scope_id.as_str()), (1, "sess_1"));
    for text in ["two", "three"] {
        let sent = client.messages().send(&sent.session.id, text).await.unwrap();
        client.messages().wait(&sent.message.id).await.unwrap();
    }
    let cost = client.costs().session(&sent.session.id).await.unwrap();
    assert_eq!(cost.total_cost_usd.to_string(), "1000000000000000000001.12345678901234567891");
    assert_eq!(cost.event_count, 4);
    assert!(cost.total_cost_usd > "1000000000000000000001.1234567890123456789".parse().unwrap());
}

#[tokio::test]
async fn a_wait_takes_404_as_not_yet_and_asks_for_the_session_once() {
    let server = late(5).await;
    let client = client(&server.url);
    let wait = client.costs().wait(&session()).poll_interval(Duration::ZERO);
    assert_eq!(wait.await.unwrap().total_cost_usd.as_str(), "0.0421");
    let lines: Vec<_> = server.requests().iter().map(|it| it.line().to_owned()).collect();
    let asked = |path: &str| lines.iter().filter(|line| **line == path).count();
    assert_eq!(asked("GET /v1/costs/sessions/sess_a1"), 6);
    assert_eq!(asked("GET /v1/sessions/sess_a1"), 1, "{lines:?}");
}

#[tokio::test]
async fn a_wait_without_a_cost_expires_and_says_what_it_was_told() {
    let server = late(usize::MAX).await;
    let client = client(&server.url);
    let (_, error) = expired(|limit| client.costs().wait(&session()).timeout(limit)).await;
    assert!(error.to_string().starts_with("costs.wait: nothing final within"), "{error}");
    assert!(error.last_seen::<Cost>().is_none() && !error.is_not_found());
    let told = error.source().unwrap().to_string();
    assert_eq!(told, "costs.session: 404 not found: no cost yet");
}

#[tokio::test]
async fn a_wait_for_a_session_that_does_not_exist_ends_at_once() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let error = client.costs().wait(&"sess_none".parse().unwrap()).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("Session not found"), "{error}");
    assert_eq!(emulator.requests().len(), 2);
}

#[tokio::test]
async fn other_refusals_end_the_wait_and_passing_faults_do_not() {
    let server = RawServer::always(reply_json("403 Forbidden", "{}")).await;
    let error = client(&server.url).costs().wait(&session()).await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(server.requests().len(), 1);

    let server = RawServer::start(|n, _| {
        let cost = reply_json("200 OK", &sample("get-session-cost.response"));
        vec![Step::Write(if n < 6 { reply_json("503 Later", "") } else { cost })]
    })
    .await;
    let client = client(&server.url);
    client.costs().wait(&session()).poll_interval(Duration::ZERO).await.unwrap();
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn the_emulator_has_no_cost_before_its_delay_is_over() {
    for (delay, comes) in [(Duration::from_millis(100), true), (Duration::MAX, false)] {
        let emulator = Emulator::builder().cost_delay(delay).start().await.unwrap();
        let client = emulator.client().unwrap();
        let sent = client.agents().send_message(&emulator.agent(), "hi").await.unwrap();
        client.messages().wait(&sent.message.id).await.unwrap();
        if comes {
            let wait = client.costs().wait(&sent.session.id);
            let cost = wait.poll_interval(Duration::from_millis(5)).await.unwrap();
            assert_eq!(cost.total_cost_usd.as_str(), "0.0042", "what a turn usually costs");
        } else {
            let error = client.costs().session(&sent.session.id).await.unwrap_err();
            assert!(error.to_string().contains("404 not found: Cost not found"), "{error}");
        }
    }
}
