//! What a server may answer in place of a stream, and when to come back.

use std::time::{Duration, Instant};

use dari::{Error, ReconnectPolicy};
use tokio::task::JoinSet;

use super::{LEDGER, all_come_through, case, frames, id};
use crate::support::ledger::{Ledger, Opened, ended, held, read, read_error, refused};
use crate::support::raw::{RawServer, Step, reply};
use crate::support::{KEY, chain};

/// Serves two events, then a reply of another kind, then all the rest.
async fn refusing(status: &'static str, headers: String, body: String) -> Ledger {
    Ledger::start(move |opened| match opened.number {
        0 => ended(opened.frames(1..=2)),
        1 => vec![Step::Write(reply(status, &headers, &body))],
        _ => opened.rest(LEDGER),
    })
    .await
}

#[tokio::test]
async fn the_servers_wish_for_a_delay_is_read_and_kept_within_reason() {
    let wish = |text: &str| ended([text.as_bytes(), &frames(1..=3)].concat());
    let started = Instant::now();
    all_come_through(vec![
        case("none at all", wish("retry: 0\n\n")),
        case("not a number", wish("retry: abc\n\n")),
        case("none", wish("retry\n\n")),
        case("the last one counts", wish("retry: 999999999\nretry: 0\n\n")),
        case("more than a number holds", wish("retry: 99999999999999999999999\nretry: 1\n\n")),
        // Half a minute at most, which no test waits for: here nothing has to be made again.
        case("eleven days", held([b"retry: 999999999\n\n".to_vec(), frames(1..=LEDGER)].concat())),
    ])
    .await;
    assert!(started.elapsed() >= Duration::from_millis(100), "the floor holds");
}

#[tokio::test]
async fn a_passing_refusal_on_reconnect_is_not_told() {
    let refusals: [(&str, &str, u64); 7] = [
        ("408 Request Timeout", "", 0),
        ("429 Too Many Requests", "retry-after: 0\r\n", 0),
        ("429 Too Many Requests", "retry-after: 1\r\n", 1),
        ("500 Internal Server Error", "", 0),
        ("502 Bad Gateway", "", 0),
        ("503 Service Unavailable", "retry-after: 1\r\n", 1),
        ("504 Gateway Timeout", "", 0),
    ];
    let run = |(status, headers, seconds): (&'static str, &'static str, u64)| async move {
        let server = refusing(status, headers.to_owned(), "{}".to_owned()).await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 2).await, [1, 2]);
        let started = Instant::now();
        assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>(), "{status}");
        assert!(started.elapsed() >= Duration::from_secs(seconds), "{status}");
        assert_eq!(server.resumed(), [None, id(2), id(2)], "{status}");
    };
    refusals.into_iter().map(run).collect::<JoinSet<_>>().join_all().await;
}

#[tokio::test]
async fn a_refusal_for_good_is_told_once_and_asking_again_goes_on() {
    type Is = fn(&Error) -> bool;
    let refusals: [(&'static str, Is); 6] = [
        ("401 Unauthorized", Error::is_unauthorized),
        ("403 Forbidden", Error::is_forbidden),
        ("404 Not Found", Error::is_not_found),
        ("410 Gone", |error| error.status().is_some_and(|status| status == 410)),
        ("409 Conflict", Error::is_conflict),
        ("429 Too Many Requests", Error::is_rate_limited),
    ];
    let run = |(status, is): (&'static str, Is)| async move {
        // More than a stream waits for by itself.
        let headers = if status.starts_with("429") { "retry-after: 61\r\n" } else { "" };
        let server = refusing(status, headers.to_owned(), "{\"detail\":\"no\"}".to_owned()).await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 2).await, [1, 2]);
        let error = read_error(&mut stream).await;
        assert!(is(&error) && matches!(error, Error::Api(_)), "{error:?}");
        assert_eq!(error.operation(), Some("sessions.stream"));
        assert!(error.to_string().ends_with(": no"), "{error}");
        assert_eq!(stream.cursor().unwrap().to_string(), "2@sess_1:evt_2");
        if status.starts_with("429") {
            // Asking again would wait for a minute, which the suite with a paused clock does.
            return;
        }
        assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>(), "{status}");
        assert_eq!(server.resumed(), [None, id(2), id(2)], "{status}");
    };
    refusals.into_iter().map(run).collect::<JoinSet<_>>().join_all().await;
}

#[tokio::test]
async fn a_server_that_never_recovers_is_told_with_its_last_words() {
    let server = Ledger::start(|_| refused("503 Service Unavailable", "")).await;
    let policy = ReconnectPolicy::default().max_attempts(3).first_delay(Duration::ZERO);
    let mut stream = server.stream().reconnect(policy);
    let error = read_error(&mut stream).await;
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(error.status().unwrap(), 503);
    assert!(chain(&error).contains("no progress in 3 connections"), "{}", chain(&error));
    assert!(chain(&error).ends_with("503 service unavailable: not now"), "{}", chain(&error));
    assert_eq!(server.resumed().len(), 3);
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_is_an_error_and_asking_again_goes_on() {
    for headers in ["content-type: text/html\r\n", "content-type: application/json\r\n", ""] {
        let page = "<html>log in, please</html>".to_owned();
        let server = refusing("200 OK", headers.to_owned(), page).await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 2).await, [1, 2]);
        let error = read_error(&mut stream).await;
        assert!(matches!(error, Error::Decode(_)) && !error.is_retryable(), "{error:?}");
        assert!(error.to_string().contains("it is not text/event-stream"), "{error}");
        let Error::Decode(decode) = &error else { unreachable!() };
        assert!(decode.excerpt().contains("log in, please"), "{error:?}");
        assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_media_type_may_have_parameters_and_any_case() {
    for media_type in ["text/event-stream; charset=utf-8", "Text/Event-Stream;charset=UTF-8"] {
        let script = move |opened: &Opened| {
            let headers = format!("content-type: {media_type}\r\n");
            let body = String::from_utf8(opened.frames(1..=2)).unwrap();
            vec![Step::Write(reply("200 OK", &headers, &body))]
        };
        let server = Ledger::start(script).await;
        assert_eq!(read(&mut server.stream(), 2).await, [1, 2]);
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_and_the_key_does_not_follow_it() {
    let elsewhere = RawServer::always(reply("200 OK", "", "")).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"] {
        let location = format!("location: {}/v1/sessions/sess_1/stream\r\n", elsewhere.url);
        let server = refusing(status, location, String::new()).await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 2).await, [1, 2]);
        let error = read_error(&mut stream).await;
        assert!(error.status().unwrap().is_redirection() && !error.is_retryable(), "{error:?}");
        assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>());
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn each_connection_asks_for_a_stream_with_the_key_in_its_header_alone() {
    let server = Ledger::start(|opened| ended(opened.frames([opened.after + 1]))).await;
    read(&mut server.stream(), 3).await;
    for request in server.requests_for("/stream") {
        assert_eq!(request.line(), "GET /v1/sessions/sess_1/stream");
        assert_eq!(request.header("accept"), Some("text/event-stream"));
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {KEY}")));
        assert_eq!((request.head.matches(KEY).count(), request.body.as_str()), (1, ""));
    }
}

#[tokio::test]
async fn no_error_of_a_stream_shows_a_key_that_the_server_echoes() {
    let page = |headers: &str, body: String| vec![Step::Write(reply("200 OK", headers, &body))];
    let echo = format!(r#"{{"detail":"no {KEY}"}}"#);
    let location = format!("location: http://127.0.0.1:1/{KEY}\r\n");
    let event = |data: &str| ended(format!("id: {KEY}\ndata: {data}\n\n"));
    let escaped = KEY.replacen('d', "\\u0064", 1);
    let answers = vec![
        vec![Step::Write(reply("401 Unauthorized", &format!("x-request-id: {KEY}\r\n"), &echo))],
        vec![Step::Write(reply("302 Found", &location, KEY))],
        page("content-type: text/html\r\n", format!("<p>{KEY}</p>")),
        event(&format!("\"{KEY}\"")),
        event(&format!("\"{escaped}\"")),
        event(&format!(r#"{{"id":"{KEY}"}}"#)),
        event(&format!(r#"{{"id":"evt_1","session_id":"s","sequence_number":"{KEY}"}}"#)),
        event(&format!(r#"{{"id":"evt_1","session_id":"s","created_at":"{KEY}"}}"#)),
        event(&format!("{}{KEY}", "x".repeat(505))),
        vec![Step::Write(format!("HTTP/1.1 {KEY}\r\n\r\n").into_bytes())],
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let server = Ledger::start(move |_| answer.clone()).await;
        let mut stream = server.stream().reconnect(ReconnectPolicy::default().max_attempts(1));
        let error = read_error(&mut stream).await;
        let shown = format!("{error:?} {error:#?} {} {stream:?}", chain(&error));
        assert!(!shown.contains("4ad1f00d"), "answer {number}: the key shows in {shown}");
    }
}
