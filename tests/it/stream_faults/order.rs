//! Duplicates, jumps and disorder of the numbers, and lists that help or do not.

use super::{LEDGER, all_come_through, case, comes_through, frames, id};
use crate::support::ledger::{Ledger, event, held, read, read_error, until_close};
use crate::support::raw::{Step, json};

#[tokio::test]
async fn events_that_come_again_are_dropped() {
    let twice: Vec<u8> = (1..=LEDGER).flat_map(|n| frames([n, n])).collect();
    let outcomes = all_come_through(vec![
        case("each twice", held(twice)),
        case("from the start again", held(frames((1..=7).chain(1..=LEDGER)))),
        case("the last ones again", held(frames([1, 2, 3, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]))),
    ]);
    let dropped: Vec<_> = outcomes.await.iter().map(|outcome| outcome.stats.duplicates).collect();
    assert_eq!(dropped, [9, 7, 3], "the last event's twin is not read any more");
}

#[tokio::test]
async fn a_replay_after_a_resume_is_dropped() {
    let server = Ledger::start(|opened| match opened.number {
        0 => vec![Step::Write(until_close(opened.frames(1..=6)))],
        // The server replays more than it was asked for.
        _ => held(opened.frames(2..=LEDGER)),
    })
    .await;
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 10).await, (1..=LEDGER).collect::<Vec<_>>());
    assert_eq!(server.resumed(), [None, id(6)]);
    assert_eq!(stream.stats().duplicates, 5);
}

#[tokio::test]
async fn a_jump_is_filled_once_from_the_list() {
    for (sent, gap) in [(vec![1, 2, 6, 7, 8, 9, 10], 3), (vec![4, 5, 6, 7, 8, 9, 10], 3)] {
        let bytes = frames(sent.clone());
        let server = Ledger::start(move |_| held(&bytes)).await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 10).await, (1..=LEDGER).collect::<Vec<_>>(), "{sent:?}");
        let stats = stream.stats();
        assert_eq!((stats.gaps, stats.filled, stats.missing), (1, gap, 0));
        assert_eq!((server.lists(), server.resumed().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_jump_that_nobody_can_fill_is_passed_and_can_be_seen() {
    let list = |_| vec![1, 3, 5];
    let server = Ledger::start_with_list(|opened| held(opened.frames([1, 5, 6])), list).await;
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 4).await, [1, 3, 5, 6]);
    assert_eq!(stream.gaps(), [2..=2, 4..=4]);
    let stats = stream.stats();
    assert_eq!((stats.gaps, stats.filled, stats.missing), (1, 1, 2));
}

#[tokio::test]
async fn an_unfilled_jump_of_the_first_connection_is_not_asked_for_again() {
    let server = Ledger::start_with_list(
        |opened| match opened.number {
            0 => vec![Step::Write(until_close(opened.frames([1, 4])))],
            _ => opened.rest(6),
        },
        |_| vec![],
    )
    .await;
    assert_eq!(read(&mut server.stream(), 4).await, [1, 4, 5, 6]);
    assert_eq!((server.resumed(), server.lists()), (vec![None, id(4)], 1));
}

#[tokio::test]
async fn events_out_of_order_are_put_right_from_the_list() {
    let outcomes = all_come_through(vec![
        case("two swapped", held(frames([1, 3, 2, 4, 5, 6, 7, 8, 9, 10]))),
        case("backwards", held(frames((1..=LEDGER).rev()))),
        case("the first one late", held(frames([2, 3, 1, 4, 5, 6, 7, 8, 9, 10]))),
    ]);
    for outcome in outcomes.await {
        assert_eq!((outcome.stats.late, outcome.stats.missing), (0, 0));
    }
}

#[tokio::test]
async fn an_event_that_no_list_had_comes_late_once() {
    let sent = |opened: &crate::support::ledger::Opened| held(opened.frames([1, 4, 2, 2, 5]));
    let server = Ledger::start_with_list(sent, |_| vec![]).await;
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 4).await, [1, 4, 2, 5]);
    assert_eq!((stream.stats().late, stream.gaps()), (1, vec![3..=3]));
    assert_eq!(stream.cursor().unwrap().to_string(), "5@sess_1:evt_5");
}

/// Returns a reply with the events up to `limit`.
fn listed(session: &str, limit: u64) -> Vec<u8> {
    let events: Vec<_> = (1..=limit).map(|n| event(session, n)).collect();
    json("200 OK", &format!(r#"{{"events":[{}]}}"#, events.join(",")))
}

#[tokio::test]
async fn a_list_that_fails_for_now_is_asked_again_and_nothing_is_lost() {
    let failures: [fn(&str, u64) -> Vec<Step>; 4] = [
        |_, _| vec![Step::Reset],
        |_, _| vec![Step::Write(json("503 Service Unavailable", "{}"))],
        |_, _| vec![Step::Write(json("200 OK", r#"{"events":"later"}"#))],
        |session, limit| {
            let cut = listed(session, limit);
            vec![Step::Write(cut[..cut.len() / 2].to_vec()), Step::Reset]
        },
    ];
    for (number, failure) in failures.into_iter().enumerate() {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let server = Ledger::start_answering(
            |opened| match opened.after {
                0 => held(opened.frames([1, 5])),
                at => held(opened.frames([at + 4, at + 5])),
            },
            move |session, limit| {
                // The first fill fails, the one of the next connection works.
                if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                    return failure(session, limit);
                }
                vec![Step::Write(listed(session, limit))]
            },
        )
        .await;
        let mut stream = server.stream();
        assert_eq!(read(&mut stream, 6).await, [1, 2, 3, 4, 5, 6], "failure {number}");
        assert_eq!(server.resumed(), [None, id(1)], "failure {number}");
        assert_eq!(stream.stats().missing, 0);
    }
}

#[tokio::test]
async fn a_list_without_access_is_an_error_that_does_not_pass_the_jump() {
    let sent = |opened: &crate::support::ledger::Opened| held(opened.frames([1, 4]));
    let refused = |_: &str, _| vec![Step::Write(json("403 Forbidden", "{}"))];
    let server = Ledger::start_answering(sent, refused).await;
    let mut stream = server.stream();
    assert_eq!(read(&mut stream, 1).await, [1]);
    for _ in 0..2 {
        assert!(read_error(&mut stream).await.is_forbidden());
    }
    assert_eq!(stream.cursor().unwrap().to_string(), "1@sess_1:evt_1");
}

#[tokio::test]
async fn a_fill_leaves_the_connection_open_and_its_bytes_unread() {
    let outcome = comes_through(case("three jumps", held(frames([1, 3, 4, 6, 7, 10]))));
    let outcome = outcome.await;
    // One list has what the later jumps left out as well.
    assert_eq!((outcome.stats.gaps, outcome.stats.filled), (1, 1));
    assert_eq!(outcome.resumed, [None]);
}
