//! Every way a connection can end, or fail to.

use std::time::Duration;

use dari::EventStream;
use tokio::task::JoinSet;

use super::{Case, LEDGER, all_come_through, case, frames, id};
use crate::support::builder;
use crate::support::ledger::{LAST_CHUNK, Ledger, chunked, ended, read, stream, until_close};
use crate::support::raw::Step;

/// A limit that a test may wait for.
const SHORT: Duration = Duration::from_millis(200);

fn impatient(stream: EventStream) -> EventStream {
    stream.idle_timeout(SHORT)
}

/// Returns a whole body in either form, and how it ends.
fn whole(body: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let last = [chunked(body, 100), LAST_CHUNK.to_vec()].concat();
    [("until close", until_close(body)), ("chunked", last)]
}

fn cases(body: &[u8]) -> Vec<Case> {
    whole(body).map(|(name, bytes)| case(name, vec![Step::Write(bytes)])).into()
}

#[tokio::test]
async fn a_clean_end_of_the_body_is_resumed_behind_the_last_event() {
    for outcome in all_come_through(cases(&frames(1..=3))).await {
        assert_eq!(outcome.resumed, [None, id(3)]);
        assert_eq!((outcome.stats.reconnects, outcome.stats.duplicates), (1, 0));
    }
}

#[tokio::test]
async fn a_body_that_ends_before_any_event_is_begun_again() {
    for outcome in all_come_through(cases(b"")).await {
        assert_eq!(outcome.resumed, [None, None]);
    }
}

#[tokio::test]
async fn a_server_that_ends_the_body_after_each_event_is_followed_to_the_last() {
    let server = Ledger::start(|opened| ended(opened.frames([opened.after + 1]))).await;
    assert_eq!(read(&mut server.stream(), 10).await, (1..=10).collect::<Vec<_>>());
    let resumed: Vec<_> = [None].into_iter().chain((1..=9).map(id)).collect();
    assert_eq!(server.resumed(), resumed);
}

#[tokio::test]
async fn a_reset_loses_nothing_wherever_it_comes() {
    let after = |bytes: Vec<u8>| vec![Step::Write(bytes), Step::Reset];
    all_come_through(vec![
        case("before the head", vec![Step::Reset]),
        case("inside the head", after(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec())),
        case("behind the head", after(until_close(""))),
        case("behind events", after(until_close(frames(1..=3)))),
        case("behind events in chunks", after(chunked(frames(1..=3), 100))),
    ])
    .await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_left_at_the_idle_limit() {
    let silent = |name, bytes: Vec<u8>| {
        let first = vec![Step::Write(bytes), Step::Hold];
        Case { set: impatient, ..case(name, first) }
    };
    let started = std::time::Instant::now();
    let outcomes = all_come_through(vec![
        silent("behind the head", until_close("")),
        silent("behind events", until_close(frames(1..=3))),
        silent("inside an event", chunked(&frames(1..=3)[..400], 100)),
    ])
    .await;
    assert!(started.elapsed() >= SHORT);
    assert!(outcomes.iter().all(|outcome| outcome.stats.reconnects >= 1));
    assert_eq!(outcomes[1].resumed[..2], [None, id(3)]);
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_left_at_the_limit_of_an_attempt() {
    let server = Ledger::start(|opened| match opened.number {
        0 => vec![Step::Hold],
        1 => vec![Step::Write(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Hold],
        _ => opened.rest(LEDGER),
    })
    .await;
    let client = builder(server.url()).attempt_timeout(SHORT).build().unwrap();
    let mut stream = stream(&client, "sess_1");
    assert_eq!(read(&mut stream, 10).await, (1..=LEDGER).collect::<Vec<_>>());
    assert!(stream.stats().reconnects >= 2);
    server.left(2).await;
}

/// Returns where this part of the bytes begins.
fn find(bytes: &[u8], part: &str) -> usize {
    bytes.windows(part.len()).position(|window| window == part.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_cut_anywhere_inside_an_event_loses_nothing_and_repeats_nothing() {
    let (before, cut) = (frames(1..=3), frames([4]));
    let crlf = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes();
    let cuts = [
        ("inside the name of a field", cut[..1].to_vec()),
        ("inside an id", cut[..find(&cut, "evt_4")].to_vec()),
        ("inside a line", cut[..find(&cut, "note\",")].to_vec()),
        ("inside a character of two bytes", cut[..find(&cut, "é") + 1].to_vec()),
        ("inside a character of three bytes", cut[..find(&cut, "日") + 1].to_vec()),
        ("before its last byte", cut[..find(&cut, "日") + 2].to_vec()),
        ("before the empty line", cut[..cut.len() - 1].to_vec()),
        ("inside the CRLF of a line", crlf(&cut[..cut.len() - 1])[..crlf(&cut).len() - 3].to_vec()),
        ("inside the CRLF of the empty line", crlf(&cut)[..crlf(&cut).len() - 1].to_vec()),
    ];
    let mut cases = Vec::new();
    for (name, cut) in cuts {
        let body = [before.clone(), cut].concat();
        for (form, bytes) in whole(&body) {
            cases.push(case(format!("{name}, {form}"), vec![Step::Write(bytes)]));
        }
        let broken = vec![Step::Write(chunked(&body, 64))];
        cases.push(case(format!("{name}, broken off"), broken));
    }
    for outcome in all_come_through(cases).await {
        let last = outcome.resumed[1].as_ref();
        assert!(last == id(3).as_ref() || last == id(4).as_ref(), "{last:?}");
        assert_eq!(outcome.stats.duplicates, 0);
    }
}

#[tokio::test]
async fn a_cut_inside_the_framing_of_a_chunk_loses_nothing() {
    let mut cases = Vec::new();
    for end in ["4", "40", "40\r", "40\r\n", "40;name", "0", "0\r\n", "0\r\n\r", "zz\r\n"] {
        for body in [&frames(1..=3)[..], &frames(1..=3)[..500], b""] {
            let bytes = [chunked(body, 64), end.into()].concat();
            let name = format!("{end:?} behind {} bytes", body.len());
            cases.push(case(name, vec![Step::Write(bytes)]));
        }
    }
    let unended = chunked(frames(1..=3), 64);
    for missing in [1, 2] {
        let bytes = unended[..unended.len() - missing].to_vec();
        cases.push(case(format!("{missing} bytes of the line end"), vec![Step::Write(bytes)]));
    }
    all_come_through(cases).await;
}

/// Serves a ledger of 200 events whose first connection is cut at this byte, and reads it.
async fn read_cut(cut: usize, form: usize) -> Vec<u64> {
    let server = Ledger::start(move |opened| {
        if opened.number > 0 {
            return opened.rest(200);
        }
        let bytes = &opened.frames(1..=200)[..cut];
        match form % 4 {
            0 => ended(bytes),
            1 => vec![Step::Write([chunked(bytes, 1400), LAST_CHUNK.to_vec()].concat())],
            2 => vec![Step::Write(chunked(bytes, 1 + cut % 4000))],
            _ => vec![Step::Write(until_close(bytes)), Step::Reset],
        }
    });
    read(&mut server.await.stream(), 200).await
}

#[tokio::test]
async fn a_ledger_of_200_events_cut_at_a_random_byte_arrives_whole_once_and_in_order() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let length = frames(1..=200).len();
    let mut running = JoinSet::new();
    for form in 0..64 {
        let cut = random.usize(0..=length);
        running.spawn(async move { (cut, form, read_cut(cut, form).await) });
    }
    for (cut, form, numbers) in running.join_all().await {
        let expected: Vec<_> = (1..=200).collect();
        assert_eq!(numbers, expected, "seed {seed}: cut at {cut}, form {form}");
    }
}
