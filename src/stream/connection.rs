//! One connection of a stream: bytes to frames, and the time since the last byte.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::Error;
use crate::sse::{Decoder, Frame};
use crate::stream::source::Chunks;

/// An open connection.
pub(super) struct Connection {
    chunks: Box<dyn Chunks>,
    decoder: Decoder,
    opened: Instant,
    last_byte: Instant,
    idle_limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

/// Why a connection is over.
pub(super) enum Over {
    /// The body ended.
    Ended,
    /// No byte came for too long.
    Silent,
    /// The connection broke.
    Broken(Error),
}

impl Over {
    pub(super) fn error(&self) -> Option<&Error> {
        self.why().err()
    }

    /// Returns the fault, or what happened without one.
    pub(super) fn why(&self) -> Result<&'static str, &Error> {
        match self {
            Self::Ended => Ok("the server ended the stream"),
            Self::Silent => Ok("nothing came for too long"),
            Self::Broken(error) => Err(error),
        }
    }
}

impl Connection {
    pub(super) fn new(chunks: Box<dyn Chunks>, decoder: Decoder, idle_limit: Duration) -> Self {
        let opened = Instant::now();
        let alarm = Box::pin(sleep_until(after(opened, idle_limit)));
        Self { chunks, decoder, opened, last_byte: opened, idle_limit, alarm }
    }

    /// Returns how long it served; silence at its end does not count.
    pub(super) fn good_for(&self, over: &Over) -> Duration {
        match over {
            Over::Silent => self.last_byte - self.opened,
            Over::Ended | Over::Broken(_) => self.opened.elapsed(),
        }
    }

    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Frame, Over>> {
        loop {
            if let Some(frame) = self.decoder.next() {
                return Poll::Ready(Ok(frame));
            }
            match self.chunks.poll_chunk(context) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.last_byte = Instant::now();
                    self.decoder.feed(chunk);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Over::Broken(error))),
                Poll::Ready(None) => return Poll::Ready(Err(Over::Ended)),
                Poll::Pending => return self.poll_alarm(context).map(|()| Err(Over::Silent)),
            }
        }
    }

    /// Is ready when no byte has come for the whole idle limit.
    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.alarm.as_mut().poll(context).is_ready() {
            // Moved only when it rings, for that is rare and bytes are not.
            let due = after(self.last_byte, self.idle_limit);
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(due);
        }
        Poll::Pending
    }
}

/// Returns a moment that may lie too far ahead for the clock.
fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    start + time.min(FAR)
}
