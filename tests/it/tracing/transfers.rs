//! What a subscriber is told of uploads and downloads.

use dari::{Client, Download, Error, FileSource, ReservedSnapshot};
use serde_json::{Value, json};

use crate::support::client;
use crate::support::raw::{RawServer, Step, json as reply_json, reply};
use crate::support::traces::{Fields, Traces};

const SECRET_PATH: &str = "/put/s3cret-path?signature=s3cret-signature";

fn reserved(url: &str) -> ReservedSnapshot {
    let body = json!({
        "source_snapshot_id": "src_1", "upload_url": url,
        "upload_headers": {"x-amz-token": "s3cret-token"},
    });
    serde_json::from_value(body).unwrap()
}

async fn upload(client: &Client, url: &str) -> Result<(), Error> {
    client.source_snapshots().upload(&reserved(url), b"archive".to_vec()).await
}

async fn download(client: &Client) -> Result<Download, Error> {
    client.workspace().download(&"sess_1".parse().unwrap()).await
}

/// Returns these fields of a span, `null` where they are not there.
fn some(fields: &Fields, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| fields.get(name).cloned().unwrap_or_default()).collect()
}

const END: [&str; 4] =
    ["dari.attempts", "http.response.status_code", "error.type", "otel.status_code"];

#[tokio::test]
async fn an_upload_is_a_span_with_its_repeats() {
    let server = RawServer::start(|number, _| {
        let body = [r#"{"detail":"slow down"}"#, r#"{"id":"file_1"}"#][number];
        vec![Step::Write(reply_json(["429 Too Many Requests", "201 Created"][number], body))]
    })
    .await;
    let traces = Traces::start();
    let file = FileSource::bytes("s3cret-name.txt", "s3cret-content");
    client(&server.url).files().upload(file).await.unwrap();
    let call = traces.call();
    assert_eq!(call["otel.name"], "POST /v1/files");
    assert_eq!(some(&call, &END), [json!(2), json!(201), Value::Null, Value::Null]);
    assert_eq!(traces.events_named("dari.repeat")[0]["error.type"], "429");
    assert!(!traces.text().contains("s3cret"), "{}", traces.text());
}

#[tokio::test]
async fn an_upload_elsewhere_shows_the_host_and_nothing_else_of_the_address() {
    let store = RawServer::start(|number, _| {
        let status = ["503 Service Unavailable", "200 OK"][number];
        vec![Step::Write(reply(status, "", "<s3cret-answer>"))]
    })
    .await;
    let traces = Traces::start();
    let client = client("http://127.0.0.2:9");
    upload(&client, &format!("{}{SECRET_PATH}", store.url)).await.unwrap();
    let mut call = traces.call();
    assert!(call.remove("dari.elapsed_ms").unwrap().is_i64());
    let port: i64 = store.url.rsplit(':').next().unwrap().parse().unwrap();
    let expected = json!({
        "otel.name": "PUT", "otel.kind": "client", "http.request.method": "PUT",
        "server.address": "127.0.0.1", "server.port": port,
        "dari.operation": "source_snapshots.upload", "dari.attempts": 2,
        "http.request.resend_count": 1, "http.response.status_code": 200,
    });
    assert_eq!(json!(call), expected);
    assert_eq!(traces.events_named("dari.repeat").len(), 1);
    assert!(!traces.text().contains("s3cret"), "{}", traces.text());
}

#[tokio::test]
async fn an_upload_elsewhere_that_fails_shows_no_more() {
    let traces = Traces::start();
    let client = client("http://127.0.0.1:1");
    upload(&client, &format!("http://127.0.0.1:1{SECRET_PATH}")).await.unwrap_err();
    let ends = some(&traces.call(), &END);
    assert_eq!(ends, [json!(4), Value::Null, json!("transport"), json!("ERROR")]);
    upload(&client, &format!("ftp://127.0.0.1{SECRET_PATH}")).await.unwrap_err();
    assert_eq!(traces.calls().len(), 1, "what is refused before anything is sent is no span");
    assert!(!traces.text().contains("s3cret"), "{}", traces.text());
}

/// Returns a span's place in its life: how it ended, or that it has not.
fn end_of(traces: &Traces) -> Option<Vec<Value>> {
    let mut spans = traces.spans().into_iter();
    let span = spans.find(|span| span.metadata.name() == "dari.call").unwrap();
    assert_eq!(span.fields["otel.name"], "GET /v1/sessions/{session_id}/workspace.zip");
    assert_eq!(span.holders == 0, span.fields.contains_key("dari.elapsed_ms"));
    (span.holders == 0).then(|| some(&span.fields, &END))
}

#[tokio::test]
async fn the_span_of_a_download_ends_with_its_last_byte() {
    let sized = reply("200 OK", "", "archive");
    let unsized_head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let endless = [unsized_head.as_bytes(), b"archive"].concat();
    for (bytes, reads) in [(sized, 1), (endless, 2)] {
        let server = RawServer::always(bytes).await;
        let traces = Traces::start();
        let mut download = download(&client(&server.url)).await.unwrap();
        for read in 0..reads {
            assert_eq!(end_of(&traces), None, "before read {read}");
            let piece = download.try_next().await.unwrap();
            assert_eq!(piece.is_some(), read == 0, "the archive comes in one piece");
        }
        let well = vec![json!(1), json!(200), Value::Null, Value::Null];
        assert_eq!(end_of(&traces), Some(well.clone()));
        while download.try_next().await.unwrap().is_some() {}
        drop(download);
        assert_eq!(end_of(&traces), Some(well), "it ends once");
    }
}

#[tokio::test]
async fn a_download_that_is_dropped_cut_or_too_large_says_so() {
    let server = RawServer::start(|_, _| {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\narchive";
        vec![Step::Write(cut.to_vec())]
    })
    .await;
    let client = client(&server.url);
    let traces = Traces::start();
    drop(download(&client).await.unwrap());
    let cancelled = vec![Value::Null, Value::Null, json!("cancelled"), json!("ERROR")];
    assert_eq!(end_of(&traces), Some(cancelled));
    drop(traces);

    let traces = Traces::start();
    let mut cut = download(&client).await.unwrap();
    while cut.try_next().await.is_ok_and(|piece| piece.is_some()) {}
    let broken = vec![json!(1), json!(200), json!("transport"), json!("ERROR")];
    assert_eq!(end_of(&traces), Some(broken), "while the download is still there");
    drop(traces);

    let traces = Traces::start();
    let call = client.workspace().download(&"sess_1".parse().unwrap()).max_bytes(99);
    call.await.unwrap_err();
    let too_large = vec![json!(1), json!(200), json!("decode"), json!("ERROR")];
    assert_eq!(end_of(&traces), Some(too_large));
}

#[tokio::test]
async fn a_download_that_does_not_begin_is_an_error_like_any_other() {
    let server = RawServer::always(reply("404 Not Found", "", "{}")).await;
    let traces = Traces::start();
    download(&client(&server.url)).await.unwrap_err();
    let not_found = vec![json!(1), json!(404), json!("404"), json!("ERROR")];
    assert_eq!(end_of(&traces), Some(not_found));
}
