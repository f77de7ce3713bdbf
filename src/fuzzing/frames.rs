//! Streams of events: the same frames whatever the chunks, and none above the ceiling.

use bytes::Bytes;

use crate::fuzzing::split;
use crate::sse::{Decoder, Frame};

const CEILINGS: [usize; 8] = [1, 2, 7, 32, 100, 256, 1 << 12, 1 << 16];

/// Decodes a stream in one piece, byte by byte, and in pieces of the sizes given.
///
/// The first byte chooses the ceiling, the next eight are sizes of pieces, the rest is the stream.
pub fn frames(data: &[u8]) {
    let (settings, stream) = split(data, 9);
    let [ceiling, sizes @ ..] = settings else { return };
    let ceiling = CEILINGS[usize::from(*ceiling) % CEILINGS.len()];
    let whole = decode(stream, ceiling, &[]);
    check(&whole, stream, ceiling);
    assert_eq!(decode(stream, ceiling, &[1]), whole, "byte by byte");
    assert_eq!(decode(stream, ceiling, sizes), whole, "in pieces of {sizes:?}");
}

fn decode(stream: &[u8], ceiling: usize, sizes: &[u8]) -> Vec<Frame> {
    let mut decoder = Decoder::new(ceiling);
    let (mut frames, mut rest, mut sizes) = (Vec::new(), stream, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| usize::from(*size).max(1));
        let (piece, after) = split(rest, size);
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Some(frame) = decoder.next() {
            frames.push(frame);
        }
        rest = after;
    }
    frames
}

fn check(frames: &[Frame], stream: &[u8], ceiling: usize) {
    // Every frame costs at least its line end.
    assert!(frames.len() <= stream.len(), "{} frames", frames.len());
    for frame in frames {
        let Frame::Event { id, data } = frame else { continue };
        // A byte that is not UTF-8 becomes a character of three.
        assert!(data.len() <= 3 * ceiling, "{} bytes of data", data.len());
        assert!(data.capacity() <= 8 * ceiling.max(64), "room for {} bytes", data.capacity());
        let is_plain = |id: &str| !id.is_empty() && !id.contains(['\n', '\r', '\0']);
        assert!(id.as_deref().is_none_or(is_plain), "{id:?}");
    }
}
