//! What a stream needs of the world, so that it knows no resource and no socket.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::error::Error;
use crate::events::Event;
use crate::ids::MessageId;

pub(crate) type SourceFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// One session, as a stream asks about it.
pub(crate) trait Source: Send {
    /// Connects, to get the events after this one or all of them.
    fn open(&self, last_event_id: Option<&str>) -> SourceFuture<Box<dyn Chunks>>;

    /// Lists the first `limit` events of the ledger.
    fn list(&self, limit: u64) -> SourceFuture<Vec<Event>>;

    /// Returns the session's newest message, if that is final; `None` while one is at work.
    fn settled(&self) -> SourceFuture<Option<Settled>>;

    /// Takes out of a text what no error may show.
    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// A session without a message queued or running.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) last_message: Option<MessageId>,
}

/// The bytes of one connection; dropping them closes it.
pub(crate) trait Chunks: Send {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>>;
}
