//! What a subscriber is told of a stream: connections as spans, the rest as events.

use serde_json::{Value, json};
use tracing::Level;

use crate::support::ledger::{Ledger, List, Opened, ended, held, read, read_error, refused};
use crate::support::raw::{Step, json as reply_json};
use crate::support::traces::Traces;

/// Returns the events of this name, without their delays.
fn named(traces: &Traces, name: &str) -> Value {
    let mut events = traces.events_named(name);
    for event in &mut events {
        if let Some(delay) = event.remove("dari.delay_ms") {
            assert!((100..1_000).contains(&delay.as_i64().unwrap()), "{delay}");
        }
    }
    json!(events)
}

/// Returns the level of each event of this name.
fn levels(traces: &Traces, name: &str) -> Vec<Level> {
    let events = traces.events().into_iter();
    let named = events.filter(|event| event.metadata.name() == name);
    named.map(|event| *event.metadata.level()).collect()
}

#[tokio::test]
async fn each_connection_is_a_span_and_what_is_between_them_are_events() {
    let server = Ledger::start(|opened| match opened.number {
        0 => ended(opened.frames([1, 2])),
        1 => vec![Step::Reset],
        2 => refused("503 Service Unavailable", "x-request-id: req_3\r\n"),
        _ => opened.rest(3),
    })
    .await;
    let traces = Traces::start();
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 3).await, [1, 2, 3]);
    let reconnects = json!([
        {"dari.sequence_number": 2, "dari.reason": "the server ended the stream"},
        {
            "dari.sequence_number": 2, "dari.reason": "the connection failed",
            "error.type": "transport",
        },
        {
            "dari.sequence_number": 2, "dari.reason": "the service refused", "error.type": "503",
            "http.response.status_code": 503, "dari.request_id": "req_3",
        },
    ]);
    assert_eq!(named(&traces, "dari.reconnect"), reconnects);
    assert_eq!(levels(&traces, "dari.reconnect"), [Level::INFO; 3]);
    assert_eq!(named(&traces, "dari.resume"), json!([{"dari.sequence_number": 2}]));
    assert_eq!(levels(&traces, "dari.resume"), [Level::DEBUG]);
    assert_eq!(traces.events().len() as u64, stream.stats().reconnects + 1);
    let calls: Vec<_> = traces.calls().iter().map(|call| call.get("error.type").cloned()).collect();
    assert_eq!(calls, [None, Some("transport".into()), Some("503".into()), None]);
    for call in traces.calls() {
        assert_eq!(call["otel.name"], "GET /v1/sessions/{session_id}/stream");
        assert_eq!(call["dari.operation"], "sessions.stream");
        assert_eq!(call["dari.attempts"], 1);
    }
    let mut ours = traces.spans().into_iter().filter(|span| span.metadata.target() == "dari");
    assert!(ours.all(|span| span.holders == 0), "an open stream keeps no span open");
}

#[tokio::test]
async fn a_silent_connection_is_told_as_one() {
    let server = Ledger::start(|opened| match opened.number {
        0 => held(opened.frames([1])),
        _ => opened.rest(2),
    })
    .await;
    let traces = Traces::start();
    let mut stream = server.stream().idle_timeout(std::time::Duration::from_millis(50));
    assert_eq!(read(&mut stream, 2).await, [1, 2]);
    let events = named(&traces, "dari.reconnect");
    let silent = json!({"dari.sequence_number": 1, "dari.reason": "nothing came for too long"});
    assert_eq!(events[0], silent);
}

#[tokio::test]
async fn a_stream_that_starts_behind_a_cursor_resumes_there() {
    let server = Ledger::start(|opened| opened.rest(8)).await;
    for (cursor, expected) in
        [("7@sess_1:evt_7", json!([{"dari.sequence_number": 7}])), ("@sess_1:evt_7", json!([{}]))]
    {
        let traces = Traces::start();
        let mut stream = server.stream().after(cursor.parse::<dari::Cursor>().unwrap());
        assert_eq!(read(&mut stream, 1).await, [8]);
        assert_eq!(named(&traces, "dari.resume"), expected);
        assert_eq!(traces.events().len(), 1);
        assert!(!traces.text().contains("evt_7"), "{}", traces.text());
    }
}

#[tokio::test]
async fn a_stream_from_the_start_tells_nothing_but_its_connection() {
    let server = Ledger::start(|opened| opened.rest(3)).await;
    let traces = Traces::start();
    assert_eq!(read(&mut server.stream(), 3).await, [1, 2, 3]);
    assert!(traces.events().is_empty());
    assert_eq!(traces.call()["http.response.status_code"], 200);
}

#[tokio::test]
async fn a_gap_says_what_of_it_was_filled() {
    let cases: [(List, i64, Level); 3] = [
        (|limit| (1..=limit).collect(), 3, Level::INFO),
        (|_| vec![1, 3], 1, Level::WARN),
        (|_| vec![], 0, Level::WARN),
    ];
    for (list, filled, level) in cases {
        let server = Ledger::start_with_list(|opened| held(opened.frames([1, 5])), list).await;
        let traces = Traces::start();
        let mut stream = server.stream();
        read(&mut stream, 2 + filled as usize).await;
        let expected = json!([{
            "dari.gap.from": 2, "dari.gap.to": 4,
            "dari.gap.filled": filled, "dari.gap.missing": 3 - filled,
        }]);
        assert_eq!(named(&traces, "dari.gap"), expected);
        assert_eq!(levels(&traces, "dari.gap"), [level]);
        let stats = stream.stats();
        assert_eq!(
            (stats.gaps, stats.filled as i64, stats.missing as i64),
            (1, filled, 3 - filled)
        );
        assert_eq!(traces.events().len(), 1);
    }
}

#[tokio::test]
async fn a_gap_behind_a_list_that_had_nothing_is_told_as_well() {
    let sent = |opened: &Opened| held(opened.frames([1, 3, 6]));
    let server = Ledger::start_with_list(sent, |_| vec![]).await;
    let traces = Traces::start();
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 3).await, [1, 3, 6]);
    let gap = |from, to, missing| {
        json!({
            "dari.gap.from": from, "dari.gap.to": to,
            "dari.gap.filled": 0, "dari.gap.missing": missing,
        })
    };
    assert_eq!(named(&traces, "dari.gap"), json!([gap(2, 2, 1), gap(4, 5, 2)]));
    assert_eq!((stream.stats().gaps, server.lists()), (2, 1));
}

#[tokio::test]
async fn a_gap_whose_list_cannot_be_had_stays_and_is_told_why() {
    let lists = std::sync::atomic::AtomicUsize::new(0);
    let server = Ledger::start_answering(
        |opened| held(opened.frames([1, 3])),
        move |_, _| {
            let number = lists.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let status = ["503 Service Unavailable", "403 Forbidden"][number.min(1)];
            vec![Step::Write(reply_json(status, "{}"))]
        },
    )
    .await;
    let traces = Traces::start();
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 1).await, [1]);
    assert!(read_error(&mut stream).await.is_forbidden());
    let stays = |status: i64| {
        json!({
            "dari.gap.from": 2, "dari.gap.to": 2, "dari.reason": "the service refused",
            "error.type": status.to_string(), "http.response.status_code": status,
        })
    };
    assert_eq!(named(&traces, "dari.gap"), json!([stays(503), stays(403)]));
    assert_eq!(stream.stats().gaps, 2);
    let last = &traces.events_named("dari.reconnect")[1];
    assert_eq!(last["error.type"], "403", "the next connection is announced with the error");
}

#[tokio::test]
async fn each_dropped_duplicate_is_an_event() {
    let sent = |opened: &Opened| held(opened.frames([1, 2, 2, 1, 3]));
    let server = Ledger::start(sent).await;
    let traces = Traces::start();
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 3).await, [1, 2, 3]);
    let expected = json!([{"dari.sequence_number": 2}, {"dari.sequence_number": 1}]);
    assert_eq!(named(&traces, "dari.duplicate"), expected);
    assert_eq!(levels(&traces, "dari.duplicate"), [Level::DEBUG; 2]);
    assert_eq!(stream.stats().duplicates, 2);
}

#[tokio::test]
async fn the_counters_can_be_read_while_the_stream_lives_and_through_its_text() {
    let server = Ledger::start(|opened| match opened.number {
        0 => ended(opened.frames([1, 1, 2])),
        _ => held(opened.frames([2, 5])),
    })
    .await;
    let mut stream = server.stream();
    assert_eq!(stream.stats(), dari::StreamStats::default());
    assert_eq!(read(&mut stream, 2).await, [1, 2]);
    let stats = stream.stats();
    assert_eq!((stats.duplicates, stats.reconnects, stats.gaps), (1, 0, 0));
    assert_eq!(read(&mut stream, 3).await, [3, 4, 5]);
    let stats = stream.stats();
    assert_eq!((stats.duplicates, stats.reconnects, stats.gaps), (2, 1, 1));
    assert_eq!(stream.text().events().stats(), stats);
}
