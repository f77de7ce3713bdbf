//! What the emulator makes of the bodies and keys of sends.

use std::collections::HashSet;

use dari::emulator::Emulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, hello, with_json};

const SEND: &str = "/v1/agents/agt_1/messages";
const EVENTS: &str = "/v1/sessions/sess_1/events";

/// Where each body goes, and which place its answer must name.
fn bad_bodies() -> Vec<(&'static str, Value, Value)> {
    let text = json!([{"type": "text", "text": "a"}]);
    let content = json!(["body", "content"]);
    let kind = json!(["body", "type"]);
    let half = json!([hello(), {"type": "user.message"}]);
    vec![
        (SEND, json!({"type": "user.message"}), content.clone()),
        (SEND, json!({"content": text}), kind.clone()),
        (EVENTS, json!({"type": "user.message", "content": []}), content),
        (EVENTS, json!({"type": "odd", "content": text}), kind),
        (EVENTS, json!({"events": half}), json!(["body", "events", 1, "content"])),
        ("/v1/agents/agt_1/sessions", json!({"metadata": 1}), json!(["body", "metadata"])),
    ]
}

#[tokio::test]
async fn a_bad_body_is_422_and_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.create().await;
    for (path, body, loc) in bad_bodies() {
        let (status, answer) = caller.post(path, &body).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(answer["detail"][0]["loc"], loc);
        assert!(answer["detail"][0]["msg"].is_string() && answer["detail"][0]["type"].is_string());
    }
    let (_, sessions) = caller.get("/v1/sessions").await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get(EVENTS).await.1, json!({"events": []}));
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let post = || caller.request(Method::POST, "/v1/agents/agt_1/messages");
    let (status, body) = answer(post().body(hello().to_string())).await;
    assert_eq!(
        (status.as_u16(), &body["detail"][0]["loc"]),
        (422, &json!(["header", "content-type"]))
    );
    let typed = |text: &'static str| {
        post().header("content-type", "Application/JSON; charset=utf-8").body(text)
    };
    let (status, body) = answer(typed("{\"type\": ")).await;
    assert_eq!((status.as_u16(), &body["detail"][0]["type"]), (422, &json!("json_invalid")));
    let (status, _) = answer(post()).await;
    assert_eq!(status, 422);
    let valid = r#"{"type": "user.message", "content": [{"type": "text", "text": "a"}]}"#;
    assert_eq!(answer(typed(valid)).await.0, 202);
    let bodyless = caller.request(Method::POST, "/v1/agents/agt_1/sessions");
    assert_eq!(answer(bodyless).await.0, 201);
}

#[tokio::test]
async fn a_body_over_8_mib_is_413() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let text = |size: usize| {
        let empty = json!({"type": "user.message", "content": [{"type": "text", "text": ""}]});
        let filler = "x".repeat(size - empty.to_string().len());
        json!({"type": "user.message", "content": [{"type": "text", "text": filler}]})
    };
    let (status, _) = caller.post("/v1/agents/agt_1/messages", &text(8 << 20)).await;
    assert_eq!(status, 202);
    for size in [(8 << 20) + 1, 24 << 20] {
        let (status, body) = caller.post("/v1/agents/agt_1/messages", &text(size)).await;
        assert_eq!(status, 413);
        assert!(body["detail"].is_string());
    }
    assert_eq!(emulator.requests()[2].body().len(), 8 << 20);
}

#[tokio::test]
async fn both_event_forms_are_answered_in_their_own_form() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    let (status, single) = caller.post(&path, &hello()).await;
    assert_eq!(status, 202);
    let keys: Vec<&String> = single.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["event", "message", "session"]);
    let (status, list) = caller.post(&path, &json!({"events": [hello(), hello()]})).await;
    assert_eq!(status, 202);
    assert_eq!(list.as_object().unwrap().keys().collect::<Vec<_>>(), ["events"]);
    assert_eq!(list["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn twenty_sends_at_once_under_one_key_are_one_turn() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let request = caller.request(Method::POST, &path).header("idempotency-key", "once");
            tokio::spawn(answer(with_json(request, &hello())))
        })
        .collect();
    let mut answers = HashSet::new();
    for send in sends {
        let (status, body) = send.await.unwrap();
        assert_eq!(status, 202);
        answers.insert(body.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let (_, messages) = caller.get("/v1/sessions/sess_1/messages").await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_does_not_count_in_the_list_form_or_when_empty() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    for (key, body) in [("k", json!({"events": [hello()]})), ("", hello())] {
        for _ in 0..2 {
            let request = caller.request(Method::POST, &path).header("idempotency-key", key);
            assert_eq!(answer(with_json(request, &body)).await.0, 202);
        }
    }
    let (_, messages) = caller.get("/v1/sessions/sess_1/messages").await;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 4);
}
