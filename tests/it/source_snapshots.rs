//! The single steps of publishing, against servers that do as a test says.

use dari::{Client, Error, ReservedSnapshot};

use crate::support::raw::{RawServer, Step, json, reply};
use crate::support::{KEY, builder, chain, client, sample};

const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn reserved(url: &str, headers: &str) -> ReservedSnapshot {
    let body = format!(
        r#"{{"source_snapshot_id": "src_1", "upload_url": "{url}", "upload_headers": {headers}}}"#
    );
    serde_json::from_str(&body).unwrap()
}

async fn upload(client: &Client, reserved: &ReservedSnapshot) -> Result<(), Error> {
    client.source_snapshots().upload(reserved, b"archive".to_vec()).await
}

/// Returns the names of the headers of a request, sorted.
fn header_names(head: &str) -> Vec<String> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut names: Vec<_> = lines.map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_reservation_says_what_the_contract_asks_for() {
    let sample = sample("create-source-snapshot.response");
    let server = RawServer::always(json("201 Created", &sample)).await;
    let client = client(&server.url);
    let call = client.source_snapshots().reserve(SUM.to_uppercase(), 7).metadata("run", "a");
    assert_eq!(call.await.unwrap().source_snapshot_id, "src_a1");
    client.source_snapshots().reserve(SUM, 0).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line(), "POST /v1/source-snapshots");
    let body: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
    let expected = serde_json::json!({"format": "tar.gz", "sha256": SUM, "size_bytes": 7,
        "metadata": {"run": "a"}});
    assert_eq!(body, expected);
    assert!(!requests[1].body.contains("metadata"));
    for bad in ["", "0", &SUM[1..], &SUM.replace('0', "g"), &format!("{SUM}0")] {
        let error = client.source_snapshots().reserve(bad, 7).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{bad}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_upload_has_the_headers_it_was_given_and_no_key() {
    let own = RawServer::always(reply("200 OK", "", "")).await;
    let other = RawServer::always(reply("200 OK", "", "")).await;
    let client = client(&own.url);
    for server in [&own, &other] {
        let url = format!("{}/v1/put/xyz?signature=a%2Fb", server.url);
        let headers = r#"{"Content-Type": "application/gzip", "x-amz-meta-a": "1"}"#;
        upload(&client, &reserved(&url, headers)).await.unwrap();
        let request = &server.requests()[0];
        assert_eq!(request.line(), "PUT /v1/put/xyz?signature=a%2Fb");
        assert_eq!(request.bytes, b"archive");
        assert_eq!(request.header("content-type"), Some("application/gzip"));
        assert!(!request.head.contains(KEY) && !request.head.contains("4ad1f00d"));
        // What HTTP and the library add to every request, and nothing else.
        let expected =
            ["accept", "content-length", "content-type", "host", "user-agent", "x-amz-meta-a"];
        assert_eq!(header_names(&request.head), expected);
    }
    let bare: ReservedSnapshot = serde_json::from_str(&format!(
        r#"{{"source_snapshot_id": "src_1", "upload_url": "{}", "upload_headers": null}}"#,
        other.url
    ))
    .unwrap();
    upload(&client, &bare).await.unwrap();
    let expected = ["accept", "content-length", "host", "user-agent"];
    assert_eq!(header_names(&other.requests()[1].head), expected);
}

#[tokio::test]
async fn what_a_user_sets_on_the_http_client_stays_with_the_service() {
    let sample = sample("create-source-snapshot.response");
    let service = RawServer::always(json("201 Created", &sample)).await;
    let store = RawServer::always(reply("200 OK", "", "")).await;
    let client = builder(&service.url).configure_http(|http| {
        let value = http::HeaderValue::from_static("Basic Z2F0ZXdheQ==");
        let headers = [(http::header::AUTHORIZATION, value.clone()), (http::header::COOKIE, value)];
        http.default_headers(headers.into_iter().collect())
    });
    let client = client.build().unwrap();
    client.source_snapshots().reserve(SUM, 7).await.unwrap();
    assert!(service.requests()[0].head.contains("Z2F0ZXdheQ"), "the service has them");
    for url in [&store.url, &store.url.replace("127.0.0.1", "localhost")] {
        upload(&client, &reserved(url, r#"{"x-a": "1"}"#)).await.unwrap();
    }
    for request in store.requests() {
        let expected = ["accept", "content-length", "host", "user-agent", "x-a"];
        assert_eq!(header_names(&request.head), expected);
    }
    assert_eq!(store.requests().len(), 2);
}

#[tokio::test]
async fn an_upload_that_would_carry_the_key_is_refused() {
    let server = RawServer::always(reply("200 OK", "", "")).await;
    let client = client(&server.url);
    for (url, headers) in [
        (format!("{}/put?key={KEY}", server.url), "{}".to_owned()),
        (server.url.clone(), format!(r#"{{"Authorization": "Bearer {KEY}"}}"#)),
        (server.url.clone(), format!(r#"{{"x-a": "{KEY}"}}"#)),
    ] {
        let error = upload(&client, &reserved(&url, &headers)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(!chain(&error).contains(KEY) && !format!("{error:?}").contains(KEY));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_short_key_does_not_stand_in_the_way() {
    let server = RawServer::always(reply("200 OK", "", "")).await;
    let client = Client::builder("p").base_url(&*server.url).build().unwrap();
    let place = reserved(&format!("{}/put", server.url), r#"{"x-a": "application"}"#);
    upload(&client, &place).await.unwrap();
    assert!(server.requests()[0].header("authorization").is_none());
}

#[tokio::test]
async fn a_place_that_cannot_be_used_is_refused() {
    let server = RawServer::always(reply("200 OK", "", "")).await;
    let client = client(&server.url);
    let here = server.url.as_str();
    for (url, headers) in [
        ("nowhere", "{}"),
        ("ftp://storage.example/x", "{}"),
        ("http://storage.example/x", "{}"),
        ("https://user:pass@storage.example/x", "{}"),
        ("file:///etc/passwd", "{}"),
        (here, r#"{"bad name": "x"}"#),
        (here, r#"{"x-a": "a\r\nb: c"}"#),
        (here, r#"{"Content-Length": "3"}"#),
        (here, r#"{"Transfer-Encoding": "chunked"}"#),
    ] {
        let error = upload(&client, &reserved(url, headers)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{url} {headers}: {error:?}");
        assert_eq!(error.operation(), Some("source_snapshots.upload"));
    }
    assert!(server.requests().is_empty());
    upload(&client, &reserved(here, r#"{"Content-Length": "7"}"#)).await.unwrap();
}

#[tokio::test]
async fn an_upload_is_repeated_with_the_same_bytes_and_refusals_are_not() {
    let server = RawServer::start(|number, _| match number {
        0 => vec![Step::Reset],
        1 => vec![Step::Write(reply("503 Service Unavailable", "", ""))],
        2 => vec![Step::Write(reply("200 OK", "", ""))],
        3 => vec![Step::Write(reply("307 Temporary Redirect", "location: /elsewhere\r\n", ""))],
        _ => vec![Step::Write(reply("403 Forbidden", "", "<Error>SignatureDoesNotMatch</Error>"))],
    })
    .await;
    let client = client(&server.url);
    let place = reserved(&format!("{}/put?token=t0ps3cret", server.url), "{}");
    upload(&client, &place).await.unwrap();
    assert!(server.requests().iter().all(|request| request.bytes == b"archive"));
    assert_eq!(server.requests().len(), 3);
    let moved = upload(&client, &place).await.unwrap_err();
    assert_eq!(moved.status().unwrap().as_u16(), 307);
    let refused = upload(&client, &place).await.unwrap_err();
    assert!(refused.is_forbidden() && refused.to_string().contains("SignatureDoesNotMatch"));
    assert_eq!(server.requests().len(), 5);
    for error in [moved, refused] {
        assert!(!format!("{error:?} {}", chain(&error)).contains("t0ps3cret"));
    }
}

#[tokio::test]
async fn an_upload_that_nobody_takes_ends() {
    let server = RawServer::start(|_, _| vec![Step::Hold]).await;
    let client = builder(&server.url)
        .stall_timeout(std::time::Duration::from_secs(1))
        .retry(dari::RetryPolicy::none())
        .build()
        .unwrap();
    let error = upload(&client, &reserved(&server.url, "{}")).await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
    server.left(1).await;
}

#[tokio::test]
async fn a_reservation_does_not_show_what_opens_its_place() {
    let place = reserved(
        "https://storage.example/x?signature=t0ps3cret",
        r#"{"x-amz-security-token": "t0ps3cret"}"#,
    );
    let client = client("http://127.0.0.1:1");
    let upload = client.source_snapshots().upload(&place, Vec::new());
    let shown = format!("{place:?} {:?} {upload:?}", place.upload_url);
    assert!(!shown.contains("t0ps3cret") && shown.contains("x-amz-security-token"), "{shown}");
    assert_eq!(place.upload_url.expose(), "https://storage.example/x?signature=t0ps3cret");
    let newer = r#"{"source_snapshot_id": "src_1", "upload_url": "", "token": "t0ps3cret"}"#;
    let newer = format!("{:?}", serde_json::from_str::<dari::ReservedSnapshot>(newer).unwrap());
    assert!(!newer.contains("t0ps3cret") && newer.contains("token"), "{newer}");
}

#[tokio::test]
async fn a_reservation_that_cannot_be_read_is_not_quoted() {
    let body = r#"{"source_snapshot_id": "", "upload_url": "https://a/?signature=t0ps3cret"}"#;
    let server = RawServer::always(json("201 Created", body)).await;
    let error = client(&server.url).source_snapshots().reserve(SUM, 7).await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)) && error.may_have_happened(), "{error:?}");
    assert!(!format!("{error:?} {}", chain(&error)).contains("t0ps3cret"));
}

#[tokio::test]
async fn finalizing_is_not_repeated_and_deleting_is() {
    let server = RawServer::start(|number, _| match number {
        0 => vec![Step::Write(reply("500 Internal Server Error", "", ""))],
        1 => vec![Step::Reset],
        _ => vec![Step::Write(reply("204 No Content", "", ""))],
    })
    .await;
    let client = client(&server.url);
    let id = "src_1".parse().unwrap();
    let error = client.source_snapshots().finalize(&id).await.unwrap_err();
    assert!(error.may_have_happened());
    client.source_snapshots().delete(&id).await.unwrap();
    let lines: Vec<_> = server.requests().iter().map(|it| it.line().to_owned()).collect();
    let expected = [
        "POST /v1/source-snapshots/src_1/finalize",
        "DELETE /v1/source-snapshots/src_1",
        "DELETE /v1/source-snapshots/src_1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn not_found_behind_a_lost_reply_is_a_deletion_that_was_made() {
    let missing = || vec![Step::Write(json("404 Not Found", r#"{"detail": "not found"}"#))];
    let id = "src_1".parse().unwrap();
    let server = RawServer::start(move |number, _| match number {
        0 => vec![Step::Reset],
        _ => missing(),
    })
    .await;
    client(&server.url).source_snapshots().delete(&id).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    let error = client(&server.url).source_snapshots().delete(&id).await.unwrap_err();
    assert!(error.is_not_found() && !error.may_have_happened(), "on a first attempt: {error:?}");
}

#[tokio::test]
async fn a_deletion_may_be_answered_by_anything_of_success() {
    for body in ["", "{}", "null", r#"{"source_snapshot_id": "src_1", "deleted": true}"#, "[]"] {
        let server = RawServer::always(json("200 OK", body)).await;
        let id = "src_1".parse().unwrap();
        client(&server.url).source_snapshots().delete(&id).await.unwrap();
    }
}
