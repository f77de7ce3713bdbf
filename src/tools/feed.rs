//! The session's stream, as long as it is of use to a run.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::timeout;

use crate::error::Error;
use crate::events::Event;
use crate::retry::Delays;
use crate::stream::EventStream;

/// How often a run that is attached to the stream looks without being told to.
const SAFETY_NET: Duration = Duration::from_secs(30);
/// How long the stream may take to connect before the history is read without it.
const ATTACH_PATIENCE: Duration = Duration::from_secs(5);

/// Where a run learns of new events.
pub(super) enum Feed {
    /// The stream, not connected yet.
    New(Box<EventStream>),
    /// The stream.
    Stream(Box<EventStream>),
    /// It has ended, or failed for good: look again after these delays.
    Over(Delays),
}

/// What a feed tells.
pub(super) enum Told {
    Event(Box<Event>),
    Over,
}

impl Feed {
    /// Connects for the first time; whatever comes of it, the run goes on.
    pub(super) async fn attach(&mut self) {
        let Self::New(stream) = self else { return };
        let failed = matches!(timeout(ATTACH_PATIENCE, stream.attach()).await, Ok(Err(_)));
        *self = match std::mem::replace(self, Self::over()) {
            Self::New(stream) if !failed => Self::Stream(stream),
            _ => Self::over(),
        };
    }

    /// Takes the next event, once there is one.
    #[inline]
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Told> {
        loop {
            let Self::Stream(stream) = self else { return Poll::Pending };
            match ready!(Pin::new(&mut **stream).poll_next(context)) {
                Some(Ok(event)) => return Poll::Ready(Told::Event(Box::new(event))),
                // A frame that cannot be read: the stream itself goes on.
                Some(Err(Error::Stream(error))) if error.source.is_none() => {}
                Some(Err(_)) | None => {
                    *self = Self::over();
                    return Poll::Ready(Told::Over);
                }
            }
        }
    }

    /// Returns whether nothing more is to be heard.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over(_))
    }

    /// Returns how long to rely on the feed before the next look.
    pub(super) fn patience(&mut self, delay: Duration) -> Duration {
        match self {
            Self::Stream(stream) if stream.is_attached() => delay.max(SAFETY_NET),
            Self::New(_) | Self::Stream(_) => delay,
            Self::Over(delays) => delays.next().unwrap_or(delay),
        }
    }

    fn over() -> Self {
        Self::Over(Delays::default_polling())
    }
}
