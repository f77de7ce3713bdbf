//! Random streams in random pieces.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use proptest::sample::Index;

use super::super::Frame;
use super::{ROOMY, decode, event, model};

pub(super) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

fn token() -> impl Strategy<Value = Vec<u8>> {
    let fields = ["data", "data:", "data: ", "id", "id:", "id: ", "event: ", "retry:", "retry: "];
    let ends = ["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"];
    let texts = [":", " ", "\0", "\u{feff}", "\t", "a", "b", "1", "0042", "4294967295", "é", "€🙂"];
    let text = |from: Vec<&'static str>| prop::sample::select(from).prop_map(|text| text.into());
    let line = "(data|id|retry|event|:|x)(: ?[a-c0-9]{0,4})?(\n|\r|\r\n)(\n|\r\n)?";
    prop_oneof![
        4 => text(fields.into()),
        4 => text(ends.into()),
        3 => text(texts.into()),
        4 => line.prop_map(String::into_bytes),
    ]
}

/// Streams of the pieces that events are made of; all are UTF-8.
pub(super) fn tokens() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(token(), 0..40).prop_map(|tokens| tokens.concat())
}

fn broken() -> impl Strategy<Value = Vec<u8>> {
    let bytes: [&[u8]; 8] =
        [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\x80", b"\xc0\x8a", b"\xef", b"\xef\xbb"];
    let broken = prop::sample::select(bytes.to_vec()).prop_map(<[u8]>::to_vec);
    let token = prop_oneof![1 => broken, 4 => token()];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![4 => Just(""), 1 => Just("\u{feff}")];
    let rest = prop_oneof![
        3 => tokens(),
        3 => broken(),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => prop::collection::vec(prop::sample::select(b"dait:\r\n 1".to_vec()), 0..200),
    ];
    (start, rest).prop_map(|(start, rest)| [start.as_bytes(), &rest].concat())
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..12)
}

/// Returns the pieces between the cuts; some may be empty.
pub(super) fn cut<'a>(input: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut offsets: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    offsets.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for offset in offsets {
        pieces.push(&input[start..offset]);
        start = offset;
    }
    pieces.push(&input[start..]);
    pieces
}

/// Returns the fewest bytes that `data` can have been received as.
fn received(data: &str) -> usize {
    let size = |char: char| {
        if char == '\u{fffd}' { 1 } else { char.len_utf8() }
    };
    data.chars().map(size).sum()
}

fn data(frames: &[Frame]) -> Vec<&str> {
    let events = frames.iter().filter_map(|frame| match frame {
        Frame::Event { data, .. } => Some(data.as_str()),
        _ => None,
    });
    events.collect()
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn pieces_give_the_frames_that_the_standard_gives_the_whole(
        input in streams(),
        cuts in cuts(),
    ) {
        let expected = model::frames(&input);
        assert_eq!(decode(ROOMY, [&input[..]]), expected);
        assert_eq!(decode(ROOMY, cut(&input, &cuts)), expected);
    }

    #[test]
    fn pieces_give_the_frames_of_the_whole_at_any_limit(
        input in streams(),
        cuts in cuts(),
        limit in 0_usize..24,
    ) {
        let whole = decode(limit, [&input[..]]);
        assert_eq!(decode(limit, cut(&input, &cuts)), whole);
        assert_eq!(decode(limit, input.chunks(1)), whole);
    }

    #[test]
    fn a_limit_skips_the_events_over_it_and_no_others(
        input in tokens(),
        cuts in cuts(),
        limit in 1_usize..12,
    ) {
        let input = [&input[..], b"\n"].concat();
        let expected = model::frames_within(limit, &input);
        assert_eq!(decode(limit, cut(&input, &cuts)), expected);
    }

    #[test]
    fn no_event_is_over_the_limit_and_those_under_it_are_in_order(
        input in streams(),
        limit in 1_usize..24,
    ) {
        let all = model::frames(&input);
        let frames = decode(limit, [&input[..]]);
        let kept = data(&frames);
        assert!(kept.iter().all(|data| received(data) <= limit), "{frames:?}");
        let mut rest = data(&all).into_iter();
        assert!(kept.iter().all(|data| rest.any(|other| other == *data)), "{frames:?}");
        if !frames.contains(&Frame::TooLarge) {
            assert_eq!(frames, all);
        }
    }

    #[test]
    fn an_event_too_large_does_not_harm_those_after_it(
        before in streams(),
        large in prop::collection::vec(prop_oneof![1 => Just(b'\n'), 9 => any::<u8>()], 0..100),
        cuts in cuts(),
    ) {
        let mut input = [&before[..], b"\n\ndata:", &[b'a'; 25], &large].concat();
        let skipped = decode(24, [&input[..]]);
        assert!(skipped.contains(&Frame::TooLarge));
        input.extend(b"\n\nid: the last\ndata: whole\n\ndata: again\n\n");
        let frames = decode(24, cut(&input, &cuts));
        let end = [event(Some("the last"), "whole"), event(None, "again")];
        assert!(frames.ends_with(&end), "{frames:?}");
    }
}
