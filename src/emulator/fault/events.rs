//! A stream of events that is not as it should be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;

use super::StreamEffect;

/// The end of an event, and of a comment.
const FRAME_END: &str = "\n\n";

/// The body of a stream, event by event.
pub(super) struct EditedStream {
    body: Body,
    editor: Editor,
}

/// What is let through, one whole frame after the other.
struct Editor {
    effect: StreamEffect,
    /// How many events have come.
    seen: usize,
    /// What is to be sent again.
    again: String,
}

impl EditedStream {
    pub(super) fn new(body: Body, effect: StreamEffect) -> Self {
        Self { body, editor: Editor { effect, seen: 0, again: String::new() } }
    }
}

impl http_body::Body for EditedStream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if self.editor.is_over() {
                return match self.editor.effect {
                    StreamEffect::Stall(_) => Poll::Pending,
                    _ => Poll::Ready(None),
                };
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            // A chunk of the emulator is whole frames.
            let chunk = frame.into_data().unwrap_or_default();
            let edited = self.editor.edit(&String::from_utf8_lossy(&chunk));
            if !edited.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(edited.into()))));
            }
        }
    }
}

impl Editor {
    fn is_over(&self) -> bool {
        match self.effect {
            StreamEffect::End(events) | StreamEffect::Stall(events) => self.seen >= events,
            _ => false,
        }
    }

    fn edit(&mut self, chunk: &str) -> String {
        let mut edited = String::new();
        let mut rest = chunk;
        while let Some(frame) = rest.split_inclusive(FRAME_END).next() {
            rest = rest.strip_prefix(frame).unwrap_or_default();
            if self.is_over() {
                break;
            }
            if frame.starts_with(':') {
                edited += frame;
                continue;
            }
            edited += &self.event(frame, rest);
            self.seen += 1;
        }
        edited
    }

    /// Returns what is sent for an event; `rest` follows at once.
    fn event(&mut self, frame: &str, rest: &str) -> String {
        let place = self.seen;
        match &self.effect {
            StreamEffect::End(_) | StreamEffect::Stall(_) => frame.to_owned(),
            StreamEffect::Skip(events) if events.contains(&place) => String::new(),
            StreamEffect::Skip(_) => frame.to_owned(),
            StreamEffect::SkipOne(from) if place >= *from && !rest.is_empty() => {
                self.effect = StreamEffect::Skip(0..0);
                String::new()
            }
            StreamEffect::SkipOne(_) => frame.to_owned(),
            StreamEffect::Repeat(events) => {
                if events.contains(&place) {
                    self.again += frame;
                }
                let last = place + 1 == events.end;
                let again = if last { std::mem::take(&mut self.again) } else { String::new() };
                frame.to_owned() + &again
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a stream of six events in two chunks, with heartbeats, is made into.
    fn edited(effect: StreamEffect) -> String {
        let mut editor = Editor { effect, seen: 0, again: String::new() };
        let chunks = ["0\n\n1\n\n", ": h\n\n", "2\n\n3\n\n4\n\n", ": h\n\n", "5\n\n"];
        let edited = chunks.map(|chunk| editor.edit(chunk)).concat();
        edited.replace(": h\n\n", ".").replace(FRAME_END, "")
    }

    #[test]
    fn a_stream_is_over_after_so_many_events() {
        for (events, expected) in [(0, ""), (1, "0"), (2, "01"), (3, "01.2"), (9, "01.234.5")] {
            assert_eq!(edited(StreamEffect::End(events)), expected);
            assert_eq!(edited(StreamEffect::Stall(events)), expected);
        }
    }

    #[test]
    fn events_are_sent_again_after_the_last_of_them() {
        assert_eq!(edited(StreamEffect::Repeat(0..1)), "001.234.5");
        assert_eq!(edited(StreamEffect::Repeat(1..4)), "01.231234.5");
        assert_eq!(edited(StreamEffect::Repeat(3..3)), "01.234.5");
        assert_eq!(edited(StreamEffect::Repeat(5..9)), "01.234.5");
    }

    #[test]
    fn events_are_left_out() {
        assert_eq!(edited(StreamEffect::Skip(0..1)), "1.234.5");
        assert_eq!(edited(StreamEffect::Skip(1..4)), "0.4.5");
        assert_eq!(edited(StreamEffect::Skip(4..99)), "01.23.");
    }

    #[test]
    fn one_event_is_left_out_only_before_another() {
        assert_eq!(edited(StreamEffect::SkipOne(0)), "1.234.5");
        assert_eq!(edited(StreamEffect::SkipOne(1)), "01.34.5");
        assert_eq!(edited(StreamEffect::SkipOne(4)), "01.234.5");
    }
}
