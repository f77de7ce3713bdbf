//! Webhooks of the emulator: their configuration, and deliveries that verify.

use std::time::Duration;

use dari::WebhookEventType;
use dari::emulator::{DeliveryPolicy, Emulator, ExternalCall, ScriptedAgent, Turn, TurnInput};
use dari::webhooks::{WebhookEvent, WebhookEventKind, WebhookVerifier};
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, detail, hello};
use crate::support::raw::RawRequest;
use crate::support::receiver::{Receiver, headers};

const WEBHOOK: &str = "/v1/agents/agt_1/webhook";

fn play(input: &TurnInput) -> Turn {
    let calls = ["a", "b"].map(|name| ExternalCall::new(name, json!({"of": name})));
    match input.text().as_str() {
        "parallel" => Turn::new().external_tools(calls),
        "broken" => Turn::new().fail(json!("overloaded")),
        _ => Turn::new().external_tool("lookup", json!({"id": 1})).text("Done."),
    }
}

async fn start(policy: DeliveryPolicy) -> Emulator {
    let agent = ScriptedAgent::named("triage").respond(play);
    Emulator::builder().agent(agent).deliveries(policy).start().await.unwrap()
}

/// Sets the webhook for all events of sessions and returns the secret.
async fn listen(caller: &Caller<'_>, url: &str) -> String {
    let types = ["tool.call_requested", "session.completed", "session.failed"];
    let body = json!({"webhook_url": url, "event_types": types});
    let (status, shown) = caller.put(WEBHOOK, &body).await;
    assert_eq!(status, 200);
    shown["signing_secret"].as_str().unwrap().to_owned()
}

async fn say(caller: &Caller<'_>, text: &str) {
    let body = json!({"type": "user.message", "content": [{"type": "text", "text": text}],
        "session": {"metadata": {"team": "x"}}});
    assert_eq!(caller.post("/v1/agents/agt_1/messages", &body).await.0, 202);
}

fn verified(secret: &str, request: &RawRequest) -> WebhookEvent {
    let verifier = WebhookVerifier::new(secret).unwrap();
    verifier.verify(&headers(request), request.body.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_webhook_is_set_shown_rotated_and_cleared() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let empty = json!({"webhook_url": null, "signing_enabled": false, "event_types": []});
    let url = "https://hooks.example.com/dari";
    let mut shown = json!({"webhook_url": url, "signing_enabled": true,
        "event_types": ["tool.call_requested"]});
    assert_eq!(caller.get(WEBHOOK).await, (reqwest::StatusCode::OK, empty.clone()));
    let (_, mut first) = caller.put(WEBHOOK, &json!({"webhook_url": url})).await;
    let secret = first.as_object_mut().unwrap().remove("signing_secret").unwrap();
    assert_eq!(first, shown);
    assert!(secret.as_str().unwrap().starts_with("whsec_"));
    assert_eq!(caller.get(WEBHOOK).await.1, shown);
    shown["event_types"] = json!(["session.failed"]);
    let wish = json!({"webhook_url": url, "event_types": ["session.failed"]});
    assert_eq!(caller.put(WEBHOOK, &wish).await.1, shown);
    let rotate = caller.request(Method::POST, &format!("{WEBHOOK}/rotate-secret"));
    let (status, mut rotated) = answer(rotate).await;
    let other = rotated.as_object_mut().unwrap().remove("signing_secret").unwrap();
    assert_eq!((status.as_u16(), rotated), (200, shown));
    assert_ne!(other, secret);
    let cleared = answer(caller.request(Method::DELETE, WEBHOOK)).await;
    assert_eq!((cleared.0.as_u16(), &cleared.1), (200, &empty));
    let rotate = caller.request(Method::POST, &format!("{WEBHOOK}/rotate-secret"));
    let (status, body) = answer(rotate).await;
    assert_eq!((status.as_u16(), body), (404, detail("Webhook not found")));
}

#[tokio::test]
async fn the_client_sets_reads_rotates_and_clears_it() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let (client, agent) = (emulator.client().unwrap(), emulator.agent());
    let webhook = client.agents().webhook(&agent);
    assert_eq!(webhook.get().await.unwrap().webhook_url, None);
    let set = webhook.set(receiver.hook()).await.unwrap();
    let first = set.signing_secret.unwrap();
    assert_eq!(set.event_types.unwrap(), [WebhookEventType::ToolCallRequested]);
    assert_eq!(webhook.get().await.unwrap().signing_secret, None);
    let secret = webhook.rotate_secret().await.unwrap().signing_secret.unwrap();
    assert_ne!(secret, first);
    client.agents().send_message(&agent, "Hi").await.unwrap();
    let event = verified(secret.expose(), &receiver.next().await);
    assert_eq!(event.event_type, WebhookEventType::ToolCallRequested);
    assert!(event.extra.is_empty(), "{event:?}");
    let cleared = webhook.clear().await.unwrap();
    assert_eq!((cleared.webhook_url, cleared.signing_enabled), (None, false));
    assert!(webhook.rotate_secret().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_webhook_needs_a_url_and_types_that_exist() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let body = json!({"webhook_url": "http://a:b@127.0.0.1/", "event_types": ["session.begun"]});
    let (status, body) = caller.put(WEBHOOK, &body).await;
    let loc = |index: usize| body["detail"][index]["loc"].clone();
    assert_eq!(status, 422);
    assert_eq!(loc(0), json!(["body", "webhook_url"]));
    assert_eq!(loc(1), json!(["body", "event_types", 0]));
    let (status, _) =
        caller.put("/v1/agents/agt_9/webhook", &json!({"webhook_url": "http://a/"})).await;
    assert_eq!(status, 404);
    assert_eq!(answer(caller.bare(Method::GET, WEBHOOK)).await.0, 401);
}

#[tokio::test]
async fn an_application_that_only_listens_answers_the_call_and_hears_of_the_end() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let secret = listen(&caller, &format!("{}?a=b#c", receiver.hook())).await;
    say(&caller, "Hi").await;
    let request = receiver.next().await;
    assert_eq!(request.line(), "POST /hook?a=b");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("host"), receiver.server.url.strip_prefix("http://"));
    assert_eq!(request.header("authorization"), None);
    let event = verified(&secret, &request);
    assert_eq!(event.session_id().unwrap(), "sess_1");
    assert_eq!(event.agent_id(), Some(emulator.agent()));
    assert!(event.created_at().is_some());
    let WebhookEventKind::ToolCallRequested(call) = event.kind() else { panic!("{event:?}") };
    assert_eq!(call.tool_name.as_deref(), Some("lookup"));
    assert_eq!(call.arguments.unwrap().get(), r#"{"id":1}"#);
    let answer = json!({"type": "tool.result_submitted", "message_id": call.message_id.unwrap(),
        "tool_call_id": call.tool_call_id.unwrap(), "result": {"priority": "high"}});
    assert_eq!(caller.post("/v1/sessions/sess_1/events", &answer).await.0, 202);
    let event = verified(&secret, &receiver.next().await);
    let WebhookEventKind::SessionCompleted(end) = event.kind() else { panic!("{event:?}") };
    assert_eq!(end.message_id.unwrap(), "msg_1");
    assert_eq!(end.metadata.unwrap()["team"], "x");
}

#[tokio::test]
async fn a_message_that_fails_is_a_session_that_failed() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let secret = listen(&caller, &receiver.hook()).await;
    say(&caller, "broken").await;
    let event = verified(&secret, &receiver.next().await);
    assert!(matches!(event.kind(), WebhookEventKind::SessionFailed(_)), "{event:?}");
    let data: Value = event.data.parse().unwrap();
    assert_eq!(data["error"], "overloaded");
}

#[tokio::test]
async fn a_name_of_this_machine_is_not_looked_up() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let secret = listen(&caller, &receiver.hook().replace("127.0.0.1", "LocalHost")).await;
    say(&caller, "Hi").await;
    let request = receiver.next().await;
    assert!(request.header("host").unwrap().starts_with("localhost:"));
    verified(&secret, &request);
}

#[tokio::test]
async fn deliveries_keep_the_order_of_the_ledger() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let secret = listen(&caller, &receiver.hook()).await;
    for number in 1..=20 {
        say(&caller, "parallel").await;
        for expected in [2 * number - 1, 2 * number] {
            let event = verified(&secret, &receiver.next().await);
            assert_eq!(event.id.as_str(), format!("webhook_{expected}"));
        }
    }
}

#[tokio::test]
async fn what_comes_close_together_arrives_newest_first_when_asked_for() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default().reorder(Duration::from_millis(20))).await;
    let caller = Caller::new(&emulator);
    listen(&caller, &receiver.hook()).await;
    say(&caller, "parallel").await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let body: Value = serde_json::from_str(&receiver.next().await.body).unwrap();
        names.push(body["data"]["tool_name"].clone());
    }
    assert_eq!(names, ["b", "a"]);
    say(&caller, "Hi").await;
    let body: Value = serde_json::from_str(&receiver.next().await.body).unwrap();
    assert_eq!(body["data"]["tool_name"], "lookup", "one alone does not wait for another");
}

#[tokio::test]
async fn a_new_secret_signs_alone() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let old = listen(&caller, &receiver.hook()).await;
    let rotate = caller.request(Method::POST, &format!("{WEBHOOK}/rotate-secret"));
    let (_, shown) = answer(rotate).await;
    let new = shown["signing_secret"].as_str().unwrap();
    say(&caller, "Hi").await;
    let request = receiver.next().await;
    verified(new, &request);
    let verifier = WebhookVerifier::new(old).unwrap();
    assert!(verifier.verify(&headers(&request), request.body.as_bytes()).is_err());
}

#[tokio::test]
async fn without_a_webhook_nothing_is_delivered() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    caller.get("/v1/messages/msg_1").await;
    listen(&caller, &receiver.hook()).await;
    say(&caller, "Hi").await;
    let body: Value = serde_json::from_str(&receiver.next().await.body).unwrap();
    assert_eq!([&body["id"], &body["session_id"]], ["webhook_1", "sess_2"]);
}

#[tokio::test]
async fn debug_output_shows_neither_secret_nor_body() {
    let mut receiver = Receiver::start().await;
    let emulator = start(DeliveryPolicy::default()).await;
    let caller = Caller::new(&emulator);
    let secret = listen(&caller, &receiver.hook()).await;
    say(&caller, "Hi").await;
    receiver.next().await;
    let attempts = crate::emulator_webhook_faults::attempts(&emulator, 1).await;
    let shown = format!("{emulator:?} {attempts:?} {:?}", emulator.requests());
    assert!(!shown.contains(&secret) && !shown.contains("lookup"), "{shown}");
}
