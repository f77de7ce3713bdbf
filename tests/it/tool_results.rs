//! Submitting a tool result: what is sent, how it is repeated, and what a conflict means.

use std::time::Duration;

use dari::{Client, NewToolResult, RetryPolicy, SubmittedToolResult};
use serde_json::{Value, json};

use crate::round_trip::assert_round_trip;
use crate::support::raw::{RawServer, Step, json as reply_json, reply};
use crate::support::{KEY, builder, client};

const EVENT: &str = r#"{"id":"evt_9","session_id":"sess_1","type":"tool.result_submitted",
    "data":{"message_id":"msg_1","tool_call_id":"call_1","result":1},
    "created_at":"2026-04-21T18:40:00Z"}"#;

/// Says that the result is recorded.
fn recorded() -> Vec<Step> {
    let body = format!(r#"{{"event":{EVENT},"message":{{"id":"msg_1","status":"running"}}}}"#);
    vec![Step::Write(reply_json("202 Accepted", &body))]
}

fn refused(status: &str) -> Vec<Step> {
    vec![Step::Write(reply(status, "x-request-id: req_7\r\n", r#"{"detail":"it has a result"}"#))]
}

fn result() -> NewToolResult {
    NewToolResult::success(&"msg_1".parse().unwrap(), &"call_1".into(), json!({"found": true}))
}

async fn submit(client: &Client) -> dari::Result<SubmittedToolResult> {
    client.sessions().submit_tool_result(&"sess_1".parse().unwrap(), result()).await
}

/// Submits to a server that gives the first request `first`, and the others a conflict.
async fn behind(first: Vec<Step>) -> (dari::Result<SubmittedToolResult>, usize) {
    // Short only where the first attempt must run into it.
    let held = first.iter().any(|step| matches!(step, Step::Hold));
    let limit = if held { Duration::from_millis(300) } else { Duration::from_secs(30) };
    let script = move |n, _: &_| if n == 0 { first.clone() } else { refused("409 Conflict") };
    let server = RawServer::start(script).await;
    let client = builder(&server.url).attempt_timeout(limit).build().unwrap();
    (submit(&client).await, server.requests().len())
}

#[tokio::test]
async fn a_result_is_sent_as_one_bare_event_without_an_idempotency_key() {
    let server = RawServer::start(|_, _| recorded()).await;
    let submitted = submit(&client(&server.url)).await.unwrap();
    assert_eq!(submitted.event.as_ref().unwrap().id, "evt_9");
    assert_eq!(submitted.message.as_ref().unwrap().status.as_str(), "running");
    assert!(!submitted.was_already_recorded());
    let request = &server.requests()[0];
    assert_eq!(request.line(), "POST /v1/sessions/sess_1/events");
    assert_eq!(request.header("idempotency-key"), None);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(
        serde_json::from_str::<Value>(&request.body).unwrap(),
        json!({
            "type": "tool.result_submitted", "message_id": "msg_1", "tool_call_id": "call_1",
            "is_error": false, "result": {"found": true},
        })
    );
}

#[tokio::test]
async fn null_and_errors_with_and_without_a_reason_are_sent_as_such() {
    let server = RawServer::start(|_, _| recorded()).await;
    let (client, session) = (client(&server.url), "sess_1".parse().unwrap());
    let (message, call) = ("msg_1".parse().unwrap(), "".into());
    for result in [
        NewToolResult::success(&message, &call, ()),
        NewToolResult::error(&message, &call, "no such ticket"),
        NewToolResult::bare_error(&message, &call),
    ] {
        client.sessions().submit_tool_result(&session, result).await.unwrap();
    }
    let start = r#"{"type":"tool.result_submitted","message_id":"msg_1","tool_call_id":"","#;
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(
        bodies,
        [
            format!(r#"{start}"is_error":false,"result":null}}"#),
            format!(r#"{start}"is_error":true,"result":"no such ticket"}}"#),
            format!(r#"{start}"is_error":true}}"#),
        ]
    );
}

#[tokio::test]
async fn a_conflict_behind_an_attempt_that_may_have_arrived_is_success() {
    let cut = reply_json("202 Accepted", EVENT);
    for (name, first) in [
        ("a reset", vec![Step::Reset]),
        ("a reply that breaks off", vec![Step::Write(cut[..cut.len() - 9].to_vec())]),
        ("silence", vec![Step::Hold]),
        ("a body that stalls", vec![Step::Write(cut[..cut.len() - 9].to_vec()), Step::Hold]),
        ("408", refused("408 Timeout")),
        ("500", refused("500 Oops")),
        ("503", refused("503 Busy")),
        ("504", refused("504 Late")),
    ] {
        let (submitted, requests) = behind(first).await;
        let submitted = submitted.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(submitted.was_already_recorded() && submitted.event.is_none(), "{name}");
        assert!(requests >= 2, "{name}");
    }
}

#[tokio::test]
async fn a_conflict_behind_an_attempt_that_cannot_have_arrived_is_an_error() {
    let (submitted, requests) = behind(refused("409 Conflict")).await;
    let error = submitted.unwrap_err();
    assert!(error.is_conflict() && !error.is_retryable() && !error.may_have_happened());
    assert_eq!((requests, error.attempts()), (1, 1));
    assert!(error.to_string().contains("it has a result"), "{error}");

    let (submitted, requests) = behind(refused("429 Slow")).await;
    assert!(submitted.unwrap_err().is_conflict());
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn the_meta_of_a_conflict_that_is_success_tells_how_it_came() {
    let script = |n, _: &_| if n == 0 { vec![Step::Reset] } else { refused("409 Conflict") };
    let server = RawServer::start(script).await;
    let client = client(&server.url);
    let call = client.sessions().submit_tool_result(&"sess_1".parse().unwrap(), result());
    let reply = call.with_meta().await.unwrap();
    assert_eq!(reply.meta.status.as_u16(), 409);
    assert_eq!(reply.meta.request_id.as_deref(), Some("req_7"));
    assert_eq!((reply.meta.attempts, reply.meta.idempotency_key), (2, None));
    assert_eq!(reply.value, SubmittedToolResult::default());
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[0], bodies[1], "every attempt says the same");
}

#[tokio::test]
async fn a_result_that_never_gets_through_is_an_error_that_may_be_called_again() {
    let server = RawServer::start(|_, _| refused("503 Busy")).await;
    let error = submit(&client(&server.url)).await.unwrap_err();
    assert!(error.is_retryable() && !error.may_have_happened(), "{error:?}");
    assert_eq!((error.attempts(), server.requests().len()), (4, 4));
    assert_eq!(error.operation(), Some("sessions.submit_tool_result"));

    let once = builder(&server.url).retry(RetryPolicy::none()).build().unwrap();
    assert_eq!(submit(&once).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn refusals_of_the_result_are_errors_at_once() {
    for status in ["401 No", "403 No", "404 Not Found", "422 Unprocessable"] {
        let server = RawServer::start(move |_, _| refused(status)).await;
        let error = submit(&client(&server.url)).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_str(), &status[..3]);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_encoded_is_never_sent() {
    let server = RawServer::start(|_, _| recorded()).await;
    let map = std::collections::HashMap::from([((1, 2), 3)]);
    let result = NewToolResult::success(&"msg_1".parse().unwrap(), &"call_1".into(), map);
    let client = client(&server.url);
    let call = client.sessions().submit_tool_result(&"sess_1".parse().unwrap(), result);
    let error = call.await.unwrap_err();
    assert!(matches!(error, dari::Error::Invalid(_)), "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_result_that_was_recorded_before_is_encoded_as_it_is_read() {
    let known: SubmittedToolResult = serde_json::from_str("null").unwrap();
    assert!(known.was_already_recorded());
    assert_eq!(serde_json::to_string(&known).unwrap(), "null");
    let message = r#"{"id":"msg_1","status":"running"}"#;
    let body = format!(r#"{{"event":{EVENT},"message":{message},"later":[1.10]}}"#);
    let recorded: SubmittedToolResult = assert_round_trip(&body);
    assert!(recorded.extra.get("later").is_some() && recorded.message.is_some());
}
