//! Every shape the bytes of a body can have.

use dari::{Error, Limits};

use super::{Case, LEDGER, all_come_through, case, comes_through, frames, id};
use crate::support::builder;
use crate::support::ledger::{
    LAST_CHUNK, Ledger, chunked, ended, frame, held, read, read_error, stream, until_close,
};
use crate::support::raw::Step;

/// Sends a body with the whole ledger in it, and nothing more.
fn whole(name: impl Into<String>, body: impl AsRef<[u8]>) -> Case {
    case(name, held(body))
}

#[tokio::test]
async fn all_line_ends_do_also_one_byte_at_a_time_and_behind_a_byte_order_mark() {
    let mut cases = Vec::new();
    let text = String::from_utf8(frames(1..=LEDGER)).unwrap();
    for end in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            let body = format!("{mark}{}", text.replace('\n', end));
            let name = |form| format!("{end:?} {mark:?} {form}");
            cases.push(whole(name("whole"), &body));
            let chunks = vec![Step::Write(chunked(&body, 1)), Step::Hold];
            cases.push(case(name("in chunks of one byte"), chunks));
            let head = Step::Write(until_close(""));
            let single = vec![head, Step::Trickle(body.into_bytes()), Step::Hold];
            cases.push(case(name("in writes of one byte"), single));
        }
    }
    for outcome in all_come_through(cases).await {
        assert_eq!(outcome.resumed, [None], "one connection is enough");
    }
}

#[tokio::test]
async fn each_connection_may_begin_with_a_byte_order_mark() {
    let server = Ledger::start(|opened| {
        let numbers = opened.after + 1..=opened.after + 2;
        ended([b"\xef\xbb\xbf".to_vec(), opened.frames(numbers)].concat())
    })
    .await;
    assert_eq!(read(&mut server.stream(), 6).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(server.resumed(), [None, id(2), id(4)]);
}

#[tokio::test]
async fn comments_are_no_events_and_do_not_hurt_those_around_them() {
    let comment = ": heartbeat\n\n";
    let among: String =
        (1..=LEDGER).map(|n| format!(":\n{comment}{}", frame("sess_1", n))).collect();
    let outcomes = all_come_through(vec![
        case("only", ended(comment.repeat(100))),
        case("only, broken off", vec![Step::Write(chunked(comment.repeat(100), 7))]),
        whole("among events", among),
    ]);
    let resumed: Vec<_> = outcomes.await.into_iter().map(|outcome| outcome.resumed).collect();
    assert_eq!(resumed, [vec![None, None], vec![None, None], vec![None]]);
}

#[tokio::test]
async fn frames_without_an_id_are_delivered_and_do_not_move_the_resume_point() {
    let without = |n| frame("sess_1", n).split_once('\n').unwrap().1.to_owned();
    let first = [&frames(1..=2)[..], without(3).as_bytes(), without(4).as_bytes()].concat();
    let outcome = comes_through(case("without ids", ended(first))).await;
    assert_eq!(outcome.resumed, [None, id(2)]);
    assert_eq!(outcome.stats.duplicates, 2);
    let all: String = (1..=5).map(without).collect();
    let outcome = comes_through(case("none with an id", ended(all))).await;
    assert_eq!(outcome.resumed, [None, None]);
    assert_eq!(outcome.stats.duplicates, 5);
}

#[tokio::test]
async fn frames_that_are_no_events_are_errors_between_events() {
    let garbage = ["not json", "[1]", "{}", "null", "\u{0}", "{\"id\": 7}"];
    let server = Ledger::start(move |opened| match opened.number {
        0 => {
            let garbage = garbage.map(|data| format!("id: x\nevent: note\ndata: {data}\n\n"));
            ended([opened.frames(1..=2), garbage.concat().into_bytes()].concat())
        }
        _ => opened.rest(LEDGER),
    });
    let server = server.await;
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 2).await, [1, 2]);
    for _ in garbage {
        let error = read_error(&mut stream).await;
        assert!(matches!(error, Error::Stream(_)) && !error.is_retryable(), "{error:?}");
    }
    assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>());
    assert_eq!(server.resumed(), [None, id(2)]);
}

#[tokio::test]
async fn invalid_bytes_harm_their_event_only() {
    let invalid = b"data: \xff\xfe\n\n: \xff\n\n\xff: \xff\n\n".to_vec();
    let server =
        Ledger::start(move |opened| held([invalid.clone(), opened.frames(1..=LEDGER)].concat()));
    let server = server.await;
    let mut stream = server.stream();
    assert!(matches!(read_error(&mut stream).await, Error::Stream(_)));
    assert_eq!(read(&mut stream, 10).await, (1..=LEDGER).collect::<Vec<_>>());
}

/// Returns the frame of event 3, which is far over a ceiling of 4 KiB.
fn large() -> Vec<u8> {
    let value = format!("\"{}\"", "x".repeat(100 << 10));
    frame("sess_1", 3).replace("\"日3\"", &value).into_bytes()
}

#[tokio::test]
async fn an_event_over_the_ceiling_is_an_error_and_the_list_is_asked_for_it() {
    let server = Ledger::start(|opened| {
        held([opened.frames(1..=2), large(), opened.frames(4..=LEDGER)].concat())
    });
    let server = server.await;
    let limits = Limits::default().event(4 << 10);
    let client = builder(server.url()).limits(limits).build().unwrap();
    let mut stream = stream(&client, "sess_1");
    assert_eq!(read(&mut stream, 2).await, [1, 2]);
    let error = read_error(&mut stream).await;
    assert_eq!(error.to_string(), "sessions.stream: an event is larger than 4096 bytes");
    // The list has a ceiling of its own, of 64 MiB.
    assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>());
    assert_eq!((server.lists(), server.resumed().len()), (1, 1));
}

#[tokio::test]
async fn a_line_without_an_end_is_one_error_and_later_events_come() {
    for start in ["data: ", "id: ", "event: "] {
        let server = Ledger::start(move |opened| match opened.number {
            0 => {
                let line = [start.as_bytes(), &[b'x'; 512 << 10]].concat();
                let body = [opened.frames(1..=2), line].concat();
                vec![Step::Write([chunked(body, 5000), LAST_CHUNK.to_vec()].concat())]
            }
            _ => opened.rest(LEDGER),
        });
        let server = server.await;
        let limits = Limits::default().event(4 << 10);
        let client = builder(server.url()).limits(limits).build().unwrap();
        let mut stream = stream(&client, "sess_1");
        assert_eq!(read(&mut stream, 2).await, [1, 2]);
        let error = read_error(&mut stream).await;
        assert!(error.to_string().contains("larger than 4096 bytes"), "{error}");
        assert_eq!(read(&mut stream, 8).await, (3..=LEDGER).collect::<Vec<_>>());
        assert_eq!(server.resumed(), [None, id(2)], "{start}");
    }
}

#[tokio::test]
async fn an_endless_name_or_comment_is_held_nowhere_and_no_error() {
    for start in [":", "unknown"] {
        let line = [start.as_bytes(), &[b'x'; 512 << 10], b"\n"].concat();
        let body = [&line[..], &frames(1..=LEDGER)].concat();
        let outcome = comes_through(whole(start, body)).await;
        assert_eq!(outcome.resumed, [None]);
    }
}
