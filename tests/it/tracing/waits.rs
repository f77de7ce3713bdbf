//! What a subscriber is told of waits.

use std::time::Duration;

use serde_json::json;

use crate::support::raw::{RawServer, Step, json as json_reply, reply};
use crate::support::traces::Traces;
use crate::support::{client, sample};

#[tokio::test]
async fn a_wait_is_a_span_around_its_looks() {
    let server = RawServer::start(|number, _| {
        let state = ["queued", "running", "completed"][number.min(2)];
        let message = sample("get-message.response").replacen("completed", state, 1);
        vec![Step::Write(json_reply("200 OK", &message))]
    })
    .await;
    let client = client(&server.url);
    let traces = Traces::start();
    let id = "msg_123".parse().unwrap();
    client.messages().wait(&id).poll_interval(Duration::from_millis(1)).await.unwrap();
    let spans = traces.spans();
    let place = spans.iter().position(|span| span.metadata.name() == "dari.workflow").unwrap();
    let mut wait = spans[place].fields.clone();
    assert!(wait.remove("dari.elapsed_ms").unwrap().is_i64());
    let expected = json!({
        "otel.name": "messages.wait", "otel.kind": "internal", "dari.operation": "messages.wait",
    });
    assert_eq!((json!(wait), spans[place].holders), (expected, 0));
    let looks: Vec<_> = spans.iter().filter(|span| span.metadata.name() == "dari.call").collect();
    assert_eq!(looks.len(), 3);
    assert!(looks.iter().all(|look| look.parent == Some(place)));
}

#[tokio::test]
async fn a_wait_that_fails_says_so_and_leaves_the_rest_to_the_call() {
    let server = RawServer::always(reply("403 Forbidden", "x-request-id: r\r\n", "{}")).await;
    let traces = Traces::start();
    client(&server.url).batches().wait(&"batch_1".parse().unwrap()).await.unwrap_err();
    let spans = traces.spans().into_iter();
    let mut wait = spans.into_iter().find(|span| span.metadata.name() == "dari.workflow").unwrap();
    wait.fields.remove("dari.elapsed_ms").unwrap();
    let expected = json!({
        "otel.name": "batches.wait", "otel.kind": "internal", "dari.operation": "batches.wait",
        "error.type": "403", "otel.status_code": "ERROR",
    });
    assert_eq!(json!(wait.fields), expected);
    assert_eq!(traces.call()["http.response.status_code"], 403);
}
