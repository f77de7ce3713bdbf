//! What is held, and what is not, when lines and events are large.

use bytes::Bytes;

use super::super::{Decoder, Frame, LARGE_EVENT};
use super::{decode, event, feed};

const MIB: usize = 1 << 20;

/// Returns the bytes of one event of `size` bytes of data, up to its last line end.
fn large(size: usize) -> Vec<u8> {
    let mut bytes = b"data: ".to_vec();
    bytes.resize(bytes.len() + size, b'a');
    bytes
}

/// Feeds so many MiB of `byte` in chunks of 64 KiB and returns all frames.
fn feed_endless(decoder: &mut Decoder, byte: u8, mib: usize) -> Vec<Frame> {
    let chunk = Bytes::from(vec![byte; 64 << 10]);
    (0..mib * 16).flat_map(|_| feed(decoder, chunk.clone())).collect()
}

fn capacity(frames: &[Frame]) -> usize {
    match frames {
        [Frame::Event { data, .. }] => data.capacity(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endless_line_of_data_is_one_frame_and_later_events_decode() {
    let mut decoder = Decoder::new(MIB);
    assert_eq!(feed(&mut decoder, "id: 1\ndata: a\n\n"), [event(Some("1"), "a")]);
    assert_eq!(feed(&mut decoder, "id: 2\ndata: "), []);
    assert_eq!(feed_endless(&mut decoder, b'a', 64), [Frame::TooLarge]);
    // What is left of the skipped event, its id included, is no part of the next.
    let rest = "\ndata: b\nid: 3\n\ndata: c\n\nid: 1\ndata: d\n\nid: 4\ndata: e\n\n";
    let expected = [event(None, "c"), event(None, "d"), event(Some("4"), "e")];
    assert_eq!(feed(&mut decoder, rest), expected);
}

#[test]
fn an_endless_id_or_type_is_one_frame_and_later_events_decode() {
    for field in ["id:", "event:"] {
        let mut decoder = Decoder::new(MIB);
        assert_eq!(feed(&mut decoder, field), [], "{field}");
        assert_eq!(feed_endless(&mut decoder, b'a', 8), [Frame::TooLarge], "{field}");
        let rest = "\ndata: a\n\ndata: b\n\n";
        assert_eq!(feed(&mut decoder, rest), [event(None, "b")], "{field}");
    }
}

#[test]
fn an_endless_comment_name_or_delay_is_held_nowhere() {
    for (start, byte) in [(":", b'c'), ("", b'n'), ("data", b'a'), ("retry:", b'0')] {
        let mut decoder = Decoder::new(1);
        assert_eq!(feed(&mut decoder, start), [], "{start}");
        assert_eq!(feed_endless(&mut decoder, byte, 8), [], "{start}");
        assert_eq!(feed(&mut decoder, "x\ndata: a\n\n"), [event(None, "a")], "{start}");
    }
}

#[test]
fn endless_lines_of_data_are_one_frame_and_later_events_decode() {
    for line in ["data: aaaaaaaaaaaaaaaa\n", "data\n", "data:\r\n"] {
        let mut decoder = Decoder::new(64 << 10);
        let chunk = Bytes::from(line.repeat(4096));
        let frames: Vec<_> = (0..32).flat_map(|_| feed(&mut decoder, chunk.clone())).collect();
        assert_eq!(frames, [Frame::TooLarge], "{line}");
        assert_eq!(feed(&mut decoder, "\ndata: b\n\n"), [event(None, "b")], "{line}");
    }
}

#[test]
fn an_event_of_exactly_the_limit_is_whole_and_one_byte_more_is_skipped() {
    let decode = |input: &str| decode(4, [input.as_bytes()]);
    assert_eq!(decode("data: abcd\n\n"), [event(None, "abcd")]);
    assert_eq!(decode("data: abcde\n\n"), [Frame::TooLarge]);
    assert_eq!(decode("data: ab\ndata: c\n\n"), [event(None, "ab\nc")]);
    assert_eq!(decode("data: ab\ndata: cd\n\n"), [Frame::TooLarge]);
    assert_eq!(decode("id: abcd\ndata\n\n"), [event(Some("abcd"), "")]);
    assert_eq!(decode("id: abcde\ndata\n\ndata\n\n"), [Frame::TooLarge, event(None, "")]);
}

#[test]
fn the_limit_counts_received_bytes_so_replacement_characters_may_exceed_it() {
    let frames = decode(4, [&b"data: \xff\xff\xff\xff\n\n"[..]]);
    assert_eq!(frames, [event(None, "\u{fffd}".repeat(4))]);
}

#[test]
fn a_limit_of_zero_is_one() {
    let frames = decode(0, [&b"data: a\n\ndata: ab\n\n"[..]]);
    assert_eq!(frames, [event(None, "a"), Frame::TooLarge]);
}

#[test]
fn a_delay_inside_a_skipped_event_counts() {
    let frames = decode(1, [&b"data: ab\nretry: 5\n\n"[..]]);
    let five = std::time::Duration::from_millis(5);
    assert_eq!(frames, [Frame::TooLarge, Frame::Retry(five)]);
}

#[test]
fn small_events_after_one_of_8_mib_are_right_and_carry_none_of_its_capacity() {
    let mut decoder = Decoder::new(16 * MIB);
    assert_eq!(feed(&mut decoder, "id: 1\n"), []);
    for chunk in large(8 * MIB).chunks(64 << 10) {
        assert_eq!(feed(&mut decoder, chunk.to_vec()), []);
    }
    let frames = feed(&mut decoder, "\n\n");
    assert_eq!(frames, [event(Some("1"), "a".repeat(8 * MIB))]);
    for (input, id) in [("data: b\n\n", None), ("id: 2\ndata: b\n\n", Some("2"))] {
        let frames = feed(&mut decoder, input);
        assert_eq!(frames, [event(id, "b")]);
        assert!(capacity(&frames) < 1024, "{}", capacity(&frames));
    }
}

#[test]
fn the_id_outlasts_a_large_event_and_is_not_told_twice() {
    let mut decoder = Decoder::new(4 * MIB);
    let mut input = b"id: 1\ndata: a\n\n".to_vec();
    input.extend(large(LARGE_EVENT + 1));
    input.extend(b"\n\ndata: b\n\nid: 1\ndata: c\n\nid\ndata: d\n\nid: 1\ndata: e\n\n");
    let frames = feed(&mut decoder, input);
    assert_eq!(frames[0], event(Some("1"), "a"));
    assert_eq!(frames[1], event(None, "a".repeat(LARGE_EVENT + 1)));
    let expected = [event(None, "b"), event(None, "c"), event(None, "d"), event(Some("1"), "e")];
    assert_eq!(frames[2..], expected);
}

#[test]
fn an_id_reset_by_a_large_event_stays_reset() {
    let mut decoder = Decoder::new(4 * MIB);
    assert_eq!(feed(&mut decoder, "id: 1\ndata: a\n\nid\n"), [event(Some("1"), "a")]);
    let mut input = large(LARGE_EVENT + 1);
    input.extend(b"\n\ndata: b\n\nid: 1\ndata: c\n\n");
    let frames = feed(&mut decoder, input);
    assert_eq!(frames[1..], [event(None, "b"), event(Some("1"), "c")]);
}

#[test]
fn a_byte_order_mark_after_a_large_event_belongs_to_the_name() {
    for end in ["\n\n", "\r\r", "\r\n\r\n"] {
        let mut decoder = Decoder::new(4 * MIB);
        let mut input = large(LARGE_EVENT + 1);
        input.extend(end.bytes());
        assert_eq!(feed(&mut decoder, input).len(), 1, "{end:?}");
        let rest = "\u{feff}data: b\n\ndata: c\n\n";
        assert_eq!(feed(&mut decoder, rest), [event(None, "c")], "{end:?}");
    }
}

#[test]
fn a_crlf_cut_by_a_large_event_is_one_line_end() {
    for rest in ["\ndata: b\r\n\r\n", "\n\u{feff}data: a\r\n\r\ndata: b\r\n\r\n"] {
        let mut decoder = Decoder::new(4 * MIB);
        let mut input = large(LARGE_EVENT + 1);
        input.extend(b"\r\n\r");
        assert_eq!(feed(&mut decoder, input).len(), 1, "{rest:?}");
        assert_eq!(feed(&mut decoder, rest), [event(None, "b")], "{rest:?}");
    }
}

#[test]
fn large_events_one_after_another_are_all_right() {
    let mut decoder = Decoder::new(4 * MIB);
    let mut input = large(LARGE_EVENT + 1);
    input.extend(b"\r\n\r\n");
    let input = input.repeat(3);
    let frames: Vec<_> =
        input.chunks(1400).flat_map(|chunk| feed(&mut decoder, chunk.to_vec())).collect();
    assert_eq!(frames, vec![event(None, "a".repeat(LARGE_EVENT + 1)); 3]);
}

#[test]
fn only_the_first_event_after_a_skipped_one_may_carry_its_capacity() {
    let mut decoder = Decoder::new(4 * MIB);
    assert_eq!(feed(&mut decoder, large(3 * MIB)), []);
    assert_eq!(feed(&mut decoder, vec![b'a'; 2 * MIB]), [Frame::TooLarge]);
    assert_eq!(feed(&mut decoder, "\n\ndata: b\n\n"), [event(None, "b")]);
    let frames = feed(&mut decoder, "data: c\n\n");
    assert_eq!(frames, [event(None, "c")]);
    assert!(capacity(&frames) < 1024, "{}", capacity(&frames));
}

#[test]
fn a_drained_chunk_is_let_go() {
    let mut decoder = Decoder::new(MIB);
    for input in ["data: a\n\n", "data: a", "\n\n: c\n\n"] {
        let chunk = Bytes::copy_from_slice(input.as_bytes());
        feed(&mut decoder, chunk.clone());
        assert!(chunk.is_unique(), "{input:?}");
    }
}
