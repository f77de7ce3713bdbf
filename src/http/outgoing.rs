//! The body of an upload on its way: framed, counted, watched, and taken back when it ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::http::progress::{Progress, Watcher};
use crate::http::source::Content;

/// One attempt at an upload.
///
/// The connection reads from here, and the call that waits for the answer looks here. Dropping it
/// takes the content away from the connection, which may live on for a moment.
pub(super) struct Flow(Arc<Mutex<State>>);

/// What is left of an attempt when it is over.
pub(super) struct Rest {
    /// The content, where nothing of it has been read.
    pub(super) untouched: Option<Content>,
    /// Why the content could not be read.
    pub(super) failure: Option<io::Error>,
    /// Whether every byte was handed to the connection.
    pub(super) is_whole: bool,
}

/// Bytes before and behind the content.
#[derive(Clone, Default)]
pub(crate) struct Envelope {
    pub(crate) head: Bytes,
    pub(crate) tail: Bytes,
}

struct State {
    /// `None` when it is read to its end, or taken back.
    content: Option<Content>,
    envelope: Envelope,
    progress: Progress,
    watcher: Watcher,
    failure: Option<io::Error>,
    moved_at: Instant,
    /// Whether anything was asked of the content.
    is_touched: bool,
    is_starved: bool,
    is_closed: bool,
    /// Of the whole body, where its size is known.
    left: Option<u64>,
    is_whole: bool,
}

/// The body as the HTTP library reads it.
struct Outgoing(Arc<Mutex<State>>);

impl Flow {
    pub(super) fn new(content: Content, envelope: Envelope, watcher: Watcher) -> Self {
        let total = content.size();
        let around = envelope.head.len() as u64 + envelope.tail.len() as u64;
        let left = total.and_then(|total| total.checked_add(around));
        Self(Arc::new(Mutex::new(State {
            content: Some(content),
            envelope,
            progress: Progress { bytes: 0, total },
            watcher,
            failure: None,
            moved_at: Instant::now(),
            is_touched: false,
            is_starved: false,
            is_closed: false,
            left,
            is_whole: left == Some(0),
        })))
    }

    pub(super) fn size(&self) -> Option<u64> {
        lock(&self.0).left
    }

    pub(super) fn body(&self) -> reqwest::Body {
        reqwest::Body::wrap(Outgoing(self.0.clone()))
    }

    /// Ends when nothing has moved for this long, and says what did not.
    pub(super) async fn stalled(&self, limit: Duration) -> &'static str {
        loop {
            let Some(due) = lock(&self.0).moved_at.checked_add(limit) else {
                std::future::pending::<()>().await;
                continue;
            };
            if due <= Instant::now() {
                break;
            }
            sleep_until(due).await;
        }
        let state = lock(&self.0);
        match (state.is_whole, state.is_starved) {
            (true, _) => "no answer came to the upload",
            (false, true) => "the upload stalled, its source gave nothing",
            (false, false) => "the upload stalled, nobody took its bytes",
        }
    }

    /// Takes back what the connection has not read.
    pub(super) fn end(self) -> Rest {
        let mut state = lock(&self.0);
        state.is_closed = true;
        let (content, is_touched) = (state.content.take(), state.is_touched);
        let (failure, is_whole) = (state.failure.take(), state.is_whole);
        drop(state);
        Rest { untouched: content.filter(|_| !is_touched), failure, is_whole }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_closed = true;
        let content = state.content.take();
        // A reader is the caller's own, and may do anything when it is dropped.
        drop(state);
        drop(content);
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut state = lock(&self.0);
        let before = state.progress.bytes;
        let piece = ready!(state.poll_piece(context));
        let (progress, watcher) = (state.progress, state.watcher.clone());
        drop(state);
        // Without the lock: what a callback does is the caller's business.
        if progress.bytes > before {
            watcher.tell(progress);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl State {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.is_closed {
            return Poll::Ready(Some(Err(io::Error::other("the upload was given up"))));
        }
        let polled = self.poll_next(context);
        self.is_starved = polled.is_pending();
        let next = ready!(polled);
        self.moved_at = Instant::now();
        Poll::Ready(match next {
            Some(Ok(piece)) => {
                self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                // Of an unknown size, the last piece is what stands behind the content.
                self.is_whole = self.left.map_or(self.content.is_none(), |left| left == 0);
                Some(Ok(piece))
            }
            Some(Err(error)) => {
                self.is_closed = true;
                self.failure = Some(error);
                Some(Err(io::Error::other("the source of the upload failed")))
            }
            None => {
                self.is_whole = true;
                None
            }
        })
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.envelope.head.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.envelope.head))));
        }
        if let Some(content) = &mut self.content {
            self.is_touched = true;
            let piece = ready!(content.poll_piece(context));
            if let Some(Ok(piece)) = &piece {
                self.progress.bytes += piece.len() as u64;
            }
            if piece.is_some() {
                return Poll::Ready(piece);
            }
            self.content = None;
        }
        let tail = std::mem::take(&mut self.envelope.tail);
        Poll::Ready((!tail.is_empty()).then_some(Ok(tail)))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
