//! What a subscriber is told of operations: a span for each, with the fields that are promised.

#[cfg(all(feature = "emulator", feature = "publish"))]
mod operations;
mod secrets;
mod streams;
mod transfers;
mod waits;

use std::time::Duration;

use dari::{Client, Error, Message, RetryPolicy};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, error_span, field};

use crate::support::raw::{RawServer, Step, json as reply_json, reply};
use crate::support::traces::{Fields, Traces};
use crate::support::{builder, client, sample};

const TEMPLATE: &str = "/v1/messages/{message_id}";

async fn get(client: &Client) -> Result<Message, Error> {
    client.messages().get(&"msg_123".parse().unwrap()).await
}

fn found() -> Vec<u8> {
    let head = "content-type: application/json\r\nx-request-id: req_7\r\n";
    reply("200 OK", head, &sample("get-message.response"))
}

/// Takes out the fields that differ from run to run.
fn timeless(mut fields: Fields, server: &RawServer) -> Value {
    let elapsed = fields.remove("dari.elapsed_ms").unwrap();
    assert!((0..60_000).contains(&elapsed.as_i64().unwrap()), "{elapsed}");
    let port: i64 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(fields.remove("server.port"), Some(port.into()));
    json!(fields)
}

/// Returns the fields of a get on `server`, and those that a test expects beside the usual ones.
fn expected(own: Value) -> Value {
    let mut fields = json!({
        "otel.name": "GET /v1/messages/{message_id}",
        "otel.kind": "client",
        "http.request.method": "GET",
        "url.template": TEMPLATE,
        "server.address": "127.0.0.1",
        "dari.operation": "messages.get",
    });
    let Value::Object(own) = own else { panic!("{own}") };
    fields.as_object_mut().unwrap().extend(own);
    fields
}

#[tokio::test]
async fn a_call_is_one_span_with_method_template_status_attempts_and_request_id() {
    let server = RawServer::always(found()).await;
    let traces = Traces::start();
    get(&client(&server.url)).await.unwrap();
    let span = traces.spans().into_iter().find(|span| span.metadata.target() == "dari").unwrap();
    assert_eq!((span.metadata.name(), *span.metadata.level()), ("dari.call", Level::INFO));
    assert_eq!((span.parent, span.holders), (None, 0), "it is closed");
    let own = json!({
        "dari.attempts": 1, "http.response.status_code": 200, "dari.request_id": "req_7",
    });
    assert_eq!(timeless(traces.call(), &server), expected(own));
    assert!(traces.events().is_empty() && traces.is_outside());
}

#[tokio::test]
async fn a_refusal_is_an_error_of_its_status() {
    let head = "x-request-id: req_8\r\n";
    let server = RawServer::always(reply("404 Not Found", head, r#"{"detail":"no such"}"#)).await;
    let traces = Traces::start();
    assert!(get(&client(&server.url)).await.unwrap_err().is_not_found());
    let own = json!({
        "dari.attempts": 1, "http.response.status_code": 404, "dari.request_id": "req_8",
        "error.type": "404", "otel.status_code": "ERROR",
    });
    assert_eq!(timeless(traces.call(), &server), expected(own));
    assert!(!traces.text().contains("no such"), "what the service said is not shown");
}

#[tokio::test]
async fn a_repeat_is_an_event_in_the_span_of_its_call() {
    let server = RawServer::start(|number, _| {
        let busy = reply("503 Service Unavailable", "x-request-id: req_1\r\n", "{}");
        vec![[Step::Write(busy), Step::Reset, Step::Write(found())][number].clone()]
    })
    .await;
    let traces = Traces::start();
    get(&client(&server.url)).await.unwrap();
    let own = json!({
        "dari.attempts": 3, "http.request.resend_count": 2, "http.response.status_code": 200,
        "dari.request_id": "req_7",
    });
    assert_eq!(timeless(traces.call(), &server), expected(own));
    let events = traces.events();
    let spans = traces.spans();
    for event in &events {
        assert_eq!((event.metadata.name(), *event.metadata.level()), ("dari.repeat", Level::WARN));
        assert_eq!(spans[event.span.unwrap()].metadata.name(), "dari.call");
        assert_eq!(event.fields["dari.operation"], "messages.get");
    }
    let expected = json!([
        {
            "dari.attempts": 1, "dari.delay_ms": 0, "dari.reason": "the service refused",
            "error.type": "503", "http.response.status_code": 503, "dari.request_id": "req_1",
        },
        {
            "dari.attempts": 2, "dari.delay_ms": 0, "dari.reason": "the connection failed",
            "error.type": "transport",
        },
    ]);
    assert_eq!(json!(traces.events_named("dari.repeat")), expected);
}

#[tokio::test]
async fn each_kind_of_failure_has_its_word() {
    let page = reply("200 OK", "content-type: text/html\r\n", "<html>");
    let cases = [
        (Step::Reset, "transport", None),
        (Step::Hold, "timeout", None),
        (Step::Write(page), "decode", Some(200)),
    ];
    for (step, kind, status) in cases {
        let server = RawServer::start(move |_, _| vec![step.clone()]).await;
        let client = builder(&server.url).retry(RetryPolicy::none());
        let client = client.attempt_timeout(Duration::from_millis(200)).build().unwrap();
        let traces = Traces::start();
        get(&client).await.unwrap_err();
        let mut own = json!({"dari.attempts": 1, "error.type": kind, "otel.status_code": "ERROR"});
        if let Some(status) = status {
            own["http.response.status_code"] = status.into();
        }
        assert_eq!(timeless(traces.call(), &server), expected(own), "{kind}");
    }
}

#[tokio::test]
async fn a_place_where_nobody_listens_has_no_status() {
    let traces = Traces::start();
    get(&client("http://127.0.0.1:1/secret-path")).await.unwrap_err();
    let call = traces.call();
    assert_eq!((&call["dari.attempts"], &call["error.type"]), (&json!(4), &json!("transport")));
    assert_eq!(call.get("http.response.status_code"), None);
    let repeats = traces.events_named("dari.repeat");
    assert_eq!(repeats.len(), 3);
    assert!(repeats.iter().all(|it| it["dari.reason"] == "no connection could be made"));
    assert!(!traces.text().contains("secret-path"), "the path of the base url is not shown");
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_as_cancelled() {
    let server = RawServer::always(found()).await;
    let client = client(&server.url);
    let traces = Traces::start();
    {
        let call = get(&client);
        tokio::select! {
            biased;
            _ = call => panic!("nothing is answered in one poll"),
            () = std::future::ready(()) => {}
        }
        assert!(traces.is_outside(), "the span is left between two polls");
    }
    let own = json!({"error.type": "cancelled", "otel.status_code": "ERROR"});
    assert_eq!(timeless(traces.call(), &server), expected(own));
    assert!(traces.spans().iter().all(|span| span.holders == 0), "it is closed");
}

#[tokio::test]
async fn a_call_that_is_never_awaited_is_no_span() {
    let client = client("http://127.0.0.1:1");
    let traces = Traces::start();
    drop(client.messages().get(&"msg_123".parse().unwrap()));
    client
        .agents()
        .send_message(&"agt_1".parse().unwrap(), "")
        .header("host", "x")
        .await
        .unwrap_err();
    assert!(traces.calls().is_empty());
}

#[tokio::test]
async fn calls_side_by_side_keep_their_events_apart() {
    let server = RawServer::start(|number, request| {
        let reply = match (number, request.line()) {
            (0 | 1, _) => reply_json("503 Service Unavailable", "{}"),
            (_, "GET /v1/agents") => reply_json("200 OK", r#"{"agents":[]}"#),
            _ => found(),
        };
        vec![Step::Write(reply)]
    })
    .await;
    let client = client(&server.url);
    let traces = Traces::start();
    let agents = async { client.agents().list().await.unwrap() };
    let (_, message) = tokio::join!(agents, get(&client));
    message.unwrap();
    let spans = traces.spans();
    let events = traces.events();
    assert_eq!(events.len(), 2);
    for event in events {
        let span = &spans[event.span.unwrap()];
        assert_eq!(span.fields["dari.operation"], event.fields["dari.operation"]);
        assert_eq!(span.parent, None);
    }
    assert_eq!(traces.calls().len(), 2);
}

#[tokio::test]
async fn the_span_of_the_caller_is_the_parent_and_is_not_written_to() {
    let server = RawServer::always(reply("404 Not Found", "", "{}")).await;
    let client = client(&server.url);
    for (level, calls) in [(LevelFilter::INFO, 1), (LevelFilter::ERROR, 0)] {
        let traces = Traces::start_at(level);
        let own = error_span!(
            "request",
            "http.response.status_code" = field::Empty,
            "error.type" = field::Empty,
            "dari.attempts" = field::Empty,
        );
        get(&client).instrument(own).await.unwrap_err();
        let spans = traces.spans();
        assert_eq!((spans[0].metadata.name(), &spans[0].fields), ("request", &Fields::new()));
        assert_eq!(traces.calls().len(), calls, "{level}");
        let parents = spans.iter().filter(|span| span.metadata.name() == "dari.call");
        assert!(parents.map(|span| span.parent).all(|parent| parent == Some(0)), "{level}");
    }
}
