//! A second opinion: `eventsource-stream`, on the inputs it handles.
//!
//! Compared are data and ids, over the table and random streams, whole and in pieces. Left out,
//! each shown by a test below, are: a leading byte order mark (the peer panics); invalid UTF-8
//! (what follows is lost, and an error ends the connection); a stream that ends in CR (the last
//! line never ends); delays (given with the next event only, lost without one, and signed ones
//! count); and events over a ceiling (it has none). Its ids are repeated with each event, and an
//! empty one is none: they are compared where they change. Types are no part of our frames.

use std::convert::Infallible;

use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::sample::Index;

use super::super::Frame;
use super::property::{config, cut, tokens};
use super::{ROOMY, decode, event, table};

type Answer = Result<Event, EventStreamError<Infallible>>;

fn answers(pieces: &[&[u8]]) -> Vec<Answer> {
    stream::iter(pieces.iter().map(Ok)).eventsource().collect().now_or_never().unwrap()
}

/// Returns the peer's events as ours, which tell an id when it changes.
fn peer_events(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut told = String::new();
    let ours = |answer: Answer| {
        let Event { id, data, .. } = answer.unwrap();
        let frame = event((id != told && !id.is_empty()).then_some(&id), data);
        told = id;
        frame
    };
    answers(pieces).into_iter().map(ours).collect()
}

fn our_events(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut frames = decode(ROOMY, pieces.iter().copied());
    frames.retain(|frame| matches!(frame, Frame::Event { .. }));
    frames
}

fn is_handled(input: &[u8]) -> bool {
    let text = std::str::from_utf8(input);
    text.is_ok_and(|text| !text.starts_with('\u{feff}') && !text.ends_with('\r'))
}

#[test]
fn the_peer_agrees_with_every_case_it_handles() {
    let mut compared = 0;
    for table::Case { name, input, .. } in table::cases() {
        if !is_handled(&input) {
            continue;
        }
        compared += 1;
        assert_eq!(peer_events(&[&input]), our_events(&[&input]), "{name}");
        let pieces: Vec<_> = input.chunks(1).collect();
        assert_eq!(peer_events(&pieces), our_events(&pieces), "{name}");
    }
    assert!(compared > 250, "{compared}");
}

proptest! {
    #![proptest_config(config(400))]
    #[test]
    fn the_peer_agrees_with_every_stream_it_handles(
        input in tokens().prop_filter("not handled", |input| is_handled(input)),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let pieces = cut(&input, &cuts);
        assert_eq!(peer_events(&pieces), our_events(&pieces));
    }
}

#[test]
#[should_panic(expected = "char boundary")]
fn the_peer_panics_at_a_leading_byte_order_mark() {
    answers(&["\u{feff}data: a\n\n".as_bytes()]);
}

#[test]
fn the_peer_loses_what_follows_an_invalid_byte_and_ends_in_an_error() {
    let pieces: [&[u8]; 3] = [b"data: a\n\n", b"data: \xff\n\n", b"data: b\n\n"];
    let answers = answers(&pieces);
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert_eq!(answers[0].as_ref().unwrap().data, "a");
    assert!(matches!(answers[1], Err(EventStreamError::Utf8(_))), "{answers:?}");
    let ours = ["a", "\u{fffd}", "b"].map(|data| event(None, data));
    assert_eq!(our_events(&pieces), ours);
}

#[test]
fn the_peer_ends_in_an_error_where_the_stream_ends_inside_a_character() {
    let pieces: [&[u8]; 1] = [b"data: a\n\n: \xe2\x82"];
    let answers = answers(&pieces);
    assert!(matches!(answers[..], [Ok(_), Err(EventStreamError::Utf8(_))]), "{answers:?}");
    assert_eq!(our_events(&pieces), [event(None, "a")]);
}

#[test]
fn the_peer_does_not_end_a_line_at_the_last_cr_of_a_stream() {
    for input in ["data: a\r\r", "data: a\n\r", "data: a\r\n\r"] {
        assert_eq!(answers(&[input.as_bytes()]), [], "{input:?}");
        assert_eq!(our_events(&[input.as_bytes()]), [event(None, "a")], "{input:?}");
    }
}

#[test]
fn the_peer_gives_a_delay_with_the_next_event_only_and_takes_a_sign() {
    let delays = |input: &str| {
        let events = answers(&[input.as_bytes()]).into_iter();
        events.map(|event| event.unwrap().retry).collect::<Vec<_>>()
    };
    let five = Some(std::time::Duration::from_millis(5));
    assert_eq!(delays("retry: 5\n\n"), []);
    assert_eq!(delays("retry: 5\n\ndata: a\n\n"), [None]);
    assert_eq!(delays("retry: 5\ndata: a\n\ndata: b\n\n"), [five, None]);
    assert_eq!(delays("retry: 1\nretry: 5\ndata: a\n\n"), [five]);
    assert_eq!(delays("retry: +5\ndata: a\n\n"), [five]);
}

#[test]
fn the_peer_repeats_an_id_and_an_empty_one_is_none() {
    let input = "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n";
    let events = answers(&[input.as_bytes()]).into_iter();
    let ids: Vec<_> = events.map(|event| event.unwrap().id).collect();
    assert_eq!(ids, ["1", "1", ""]);
}

#[test]
fn the_peer_has_no_ceiling() {
    let data = "a".repeat(2 * ROOMY);
    let input = format!("data: {data}\n\n");
    assert_eq!(peer_events(&[input.as_bytes()]), [event(None, data)]);
    assert_eq!(decode(ROOMY, [input.as_bytes()]), [Frame::TooLarge]);
}
