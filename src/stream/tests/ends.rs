//! Where a stream ends, and what does not end it.

use super::fake::{Fake, Piece, broken, frames, json, read, refused};
use crate::error::Error;
use crate::stream::{Cursor, EventStream};

/// Returns an event with this type and data.
fn typed_json(number: u64, event_type: &str, data: &str) -> String {
    let json = json(number).replace("\"note\"", &format!("\"{event_type}\""));
    let (head, rest) = json.split_once("\"data\":").unwrap();
    let tail = &rest[rest.find(",\"created_at\"").unwrap()..];
    format!("{head}\"data\":{data}{tail}")
}

/// Returns a frame of an event with this type and data.
fn typed(number: u64, event_type: &str, data: &str) -> Piece {
    let json = typed_json(number, event_type, data);
    Piece::Bytes(format!("id: s:evt_{number}\ndata: {json}\n\n").into_bytes())
}

fn status(number: u64, message: &str, status: &str) -> Piece {
    let data = format!(r#"{{"message_id":"{message}","status":"{status}"}}"#);
    typed(number, "message.status_changed", &data)
}

fn session(number: u64, status: &str) -> Piece {
    typed(number, "session.status_changed", &format!(r#"{{"status":"{status}"}}"#))
}

async fn numbers(mut stream: EventStream) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(event) = stream.try_next().await.unwrap() {
        numbers.push(event.sequence_number.unwrap());
    }
    assert_eq!(stream.try_next().await.unwrap(), None, "the end stays the end");
    numbers
}

#[tokio::test(start_paused = true)]
async fn until_a_message_ends_behind_the_event_that_finishes_it() {
    for last in ["completed", "failed"] {
        let fake = Fake::new(move |_, _| {
            let before = [status(1, "msg_1", "running"), status(2, "msg_2", "completed")];
            let odd = [status(3, "msg_1", "paused"), typed(4, "message.status_changed", "[7]")];
            let after = [status(5, "msg_1", last), frames([6])];
            Ok(before.into_iter().chain(odd).chain(after).collect())
        });
        let stream = fake.stream().until(&"msg_1".parse().unwrap());
        assert_eq!(numbers(stream).await, [1, 2, 3, 4, 5]);
        assert_eq!(fake.opened().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn until_idle_passes_the_idle_moments_of_a_replay() {
    let fake = Fake::new(|_, _| {
        let first = [status(1, "msg_1", "completed"), session(2, "idle")];
        let second = [status(3, "msg_2", "completed"), session(4, "idle"), frames([5])];
        Ok(first.into_iter().chain(second).collect())
    });
    fake.settled("msg_2");
    assert_eq!(numbers(fake.stream().until_idle()).await, [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn until_idle_ends_at_once_behind_the_last_event_of_an_idle_session() {
    let fake = Fake::new(|_, _| {
        Ok(vec![status(5, "msg_1", "completed"), session(6, "idle"), Piece::Hold])
    });
    fake.at_rest(6);
    fake.settled("msg_1");
    let from = |cursor: &str| fake.stream().until_idle().after(cursor.parse::<Cursor>().unwrap());
    assert_eq!(numbers(from("6@s:evt_6")).await, [0; 0]);
    assert_eq!(fake.opened().len(), 0);
    assert_eq!(numbers(from("4@s:evt_4")).await, [5, 6]);
}

#[tokio::test(start_paused = true)]
async fn until_idle_ends_also_when_it_resumed_behind_the_end_of_the_message() {
    let fake = Fake::new(|_, _| Ok(vec![session(6, "idle"), Piece::Hold]));
    fake.at_rest(6);
    let stream = fake.stream().until_idle().after("5@s:evt_5".parse::<Cursor>().unwrap());
    assert_eq!(numbers(stream).await, [6]);
}

#[tokio::test(start_paused = true)]
async fn of_idle_moments_that_were_listed_together_the_last_one_counts() {
    let fake = Fake::new(|_, _| Ok(vec![frames([1]), session(5, "idle"), Piece::Hold]));
    let fake = fake.list(|_| {
        let idle = |number| typed_json(number, "session.status_changed", r#"{"status":"idle"}"#);
        let listed = [json(1), idle(2), json(3), json(4), idle(5)];
        Ok(listed.iter().map(|json| serde_json::from_str(json).unwrap()).collect())
    });
    fake.at_rest(5);
    assert_eq!(numbers(fake.stream().until_idle()).await, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_question_for_rest_that_fails_is_asked_again_or_the_stream_would_never_end() {
    let fake = Fake::new(|_, _| Ok(vec![session(6, "idle"), Piece::Hold]));
    fake.at_rest(6);
    let from = |cursor: &str| fake.stream().until_idle().after(cursor.parse::<Cursor>().unwrap());
    // Before the first connection: no event would come that gives another occasion to ask.
    fake.troubled([refused(503), broken()]);
    let mut stream = from("6@s:evt_6");
    assert_eq!(stream.try_next().await.unwrap(), None);
    assert_eq!((fake.opened().len(), stream.stats().reconnects), (0, 0));
    // Behind the event that says idle, which is the last one.
    let mut stream = fake.stream().until_idle();
    fake.troubled([refused(503), broken()]);
    assert_eq!(read(&mut stream, 1).await, [6]);
    assert_eq!(stream.try_next().await.unwrap(), None);
    assert_eq!((fake.opened().len(), stream.stats().reconnects), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_question_for_rest_is_told_and_whoever_goes_on_asks_again() {
    let fake = Fake::new(|_, _| Ok(vec![session(1, "idle"), Piece::Hold]));
    fake.at_rest(1);
    let mut stream = fake.stream().until_idle();
    fake.troubled([refused(404)]);
    assert_eq!(read(&mut stream, 1).await, [1]);
    assert!(stream.try_next().await.unwrap_err().is_not_found());
    assert_eq!(stream.try_next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_frame_without_number_and_id_leaves_the_cursor_alone() {
    let bare = |n: u64| {
        let json = json(n).replace(&format!("\"sequence_number\":{n},"), "");
        Piece::Bytes(format!("data: {json}\n\n").into_bytes())
    };
    let mut stream = Fake::new(move |_, _| Ok(vec![bare(1), frames([2]), Piece::Hold])).stream();
    stream.try_next().await.unwrap().unwrap();
    assert_eq!(stream.cursor(), None);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_ended_ends_every_stream() {
    for last in ["completed", "failed", "expired"] {
        let fake = Fake::new(move |_, _| Ok(vec![session(1, "active"), session(2, last)]));
        assert_eq!(numbers(fake.stream()).await, [1, 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_an_error_that_neither_ends_nor_moves_the_stream() {
    let garbage = [
        "data: not json",
        "data: [1]",
        "data: {}",
        "data: {\"id\":\"\"}",
        "id: s:evt_9\ndata: null",
    ];
    let fake = Fake::new(move |n, _| {
        let garbage = garbage.map(|text| Piece::Bytes(format!("{text}\n\n").into_bytes()));
        let large = Piece::Bytes(format!("data: {}\n\n", "x".repeat(2 << 20)).into_bytes());
        match n {
            0 => Ok([frames([1])].into_iter().chain(garbage).chain([large]).collect()),
            _ => Ok(vec![frames([2]), Piece::Hold]),
        }
    });
    let mut stream = fake.stream();
    read(&mut stream, 1).await;
    for _ in 0..=garbage.len() {
        let error = stream.try_next().await.unwrap_err();
        let Error::Stream(_) = &error else { panic!("{error:?}") };
        assert!(!error.is_retryable());
        assert_eq!(stream.cursor().unwrap().to_string(), "1@s:evt_1");
    }
    assert_eq!(read(&mut stream, 1).await, [2]);
    assert_eq!(fake.resumed()[1].as_deref(), Some("s:evt_1"));
}

#[tokio::test(start_paused = true)]
async fn an_event_with_odd_data_is_an_event() {
    let fake = Fake::new(|_, _| {
        let odd = ["null", "3", "[]", "{\"status\":{}}"];
        let odd = (1..).zip(odd).map(|(n, data)| typed(n, "message.status_changed", data));
        Ok(odd.chain([typed(5, "brand.new", "{}"), Piece::Hold]).collect())
    });
    assert_eq!(read(&mut fake.stream(), 5).await, [1, 2, 3, 4, 5]);
}
