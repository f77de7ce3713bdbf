//! The seam's answers, given whole, in pieces, at its ceiling and beside a peer.

mod ceiling;
mod model;
mod peer;
mod property;
mod table;

use bytes::Bytes;

use super::{Decoder, Frame};

/// A limit that none of the small inputs reaches.
const ROOMY: usize = 1 << 20;

fn event(id: Option<&str>, data: impl Into<String>) -> Frame {
    Frame::Event { id: id.map(Into::into), data: data.into() }
}

fn feed(decoder: &mut Decoder, piece: impl Into<Bytes>) -> Vec<Frame> {
    decoder.feed(piece.into());
    std::iter::from_fn(|| decoder.next()).collect()
}

fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut decoder = Decoder::new(limit);
    pieces.into_iter().flat_map(|piece| feed(&mut decoder, piece.to_vec())).collect()
}

#[test]
fn an_id_that_returns_after_an_empty_one_is_told_again() {
    let input = "id: 1\ndata: a\n\nid:\ndata: b\n\nid: 1\ndata: c\n\n";
    let expected = [event(Some("1"), "a"), event(None, "b"), event(Some("1"), "c")];
    assert_eq!(decode(ROOMY, [input.as_bytes()]), expected);
}
