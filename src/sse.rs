//! Bytes to frames of Server-Sent Events; the only file that names the decoder.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sse_core::{MessageEvent, SseDecoder, SseEvent};

/// An event larger than this leaves its capacity behind in the decoder, which is then replaced.
const LARGE_EVENT: usize = if cfg!(fuzzing) { 1 << 6 } else { 1 << 20 };

/// What a stream of events consists of; comments are not shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// An event: its data, and its id unless it is that of the event before.
    Event { id: Option<Arc<str>>, data: String },
    /// The server's wish for the delay before a reconnect.
    Retry(Duration),
    /// An event over the ceiling; it was skipped.
    TooLarge,
}

/// Decodes one connection, by section 9.2 of the HTML standard.
pub(crate) struct Decoder {
    inner: SseDecoder,
    limit: NonZeroUsize,
    unread: Bytes,
    last_id: Option<Arc<str>>,
    /// Whether an event was skipped, whose capacity the next one carries off.
    grown: bool,
}

impl Decoder {
    /// Returns a decoder that holds no event of more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        let inner = SseDecoder::with_limit(limit);
        Self { inner, limit, unread: Bytes::new(), last_id: None, grown: false }
    }

    /// Takes the next bytes; those before must have been decoded.
    pub(crate) fn feed(&mut self, bytes: Bytes) {
        self.unread = bytes;
    }

    /// Returns the next frame, or `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let decoded = self.inner.next(&mut self.unread);
        if self.unread.is_empty() {
            // A drained chunk that is kept would pin the whole buffer it was read into.
            self.unread = Bytes::new();
        }
        Some(match decoded? {
            Err(_too_large) => {
                self.grown = true;
                Frame::TooLarge
            }
            Ok(SseEvent::Retry(milliseconds)) => {
                Frame::Retry(Duration::from_millis(milliseconds.into()))
            }
            Ok(SseEvent::Message(event)) => self.event(event),
        })
    }

    fn event(&mut self, event: MessageEvent) -> Frame {
        // The decoder repeats an id until another comes; an empty one is none.
        let mut id = None;
        if event.last_event_id != self.last_id {
            self.last_id.clone_from(&event.last_event_id);
            id = event.last_event_id;
        }
        if self.grown || event.data.len() > LARGE_EVENT {
            self.start_small();
        }
        Frame::Event { id, data: event.data }
    }

    fn start_small(&mut self) {
        self.grown = false;
        self.inner = SseDecoder::with_limit(self.limit);
        self.inner.reconnect_with_id(self.last_id.clone());
        // An empty line, so that no byte order mark is looked for in the middle of a stream.
        let _nothing = self.inner.next(&mut Bytes::from_static(b"\n"));
    }
}

#[cfg(test)]
mod tests;
