//! The event stream: what has happened, then what happens, with heartbeats.
//!
//! It is pulled by its connection and owns nothing else: no task, no buffer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_core::Stream;
use http::header;
use tokio::sync::watch;
use tokio::time::timeout;

use super::gate::Call;
use super::refusal::Refusal;
use super::state::State;

/// Keeps a quiet connection alive; clients skip comments.
const HEARTBEAT: &str = ": heartbeat\n\n";

/// One client's place in the ledger of one session.
struct Follower {
    call: Call,
    session: String,
    position: usize,
    bell: watch::Receiver<u64>,
    /// When the client last got something.
    sent: Duration,
}

/// The chunks of a body, each made when it is asked for.
struct Chunks(Option<NextChunk>);

type NextChunk = Pin<Box<dyn Future<Output = Option<(Bytes, Follower)>> + Send>>;

/// Answers with the stream of a session.
pub(super) fn follow(call: Call, session: String) -> Result<Response, Refusal> {
    let last = call.request.header("last-event-id");
    let resume = |state: &mut State, visit| state.resume(visit, &session, last);
    let position = call.service.visit(call.organization, resume)?;
    let (bell, sent) = (call.service.bell.subscribe(), call.service.now());
    let follower = Follower { call, session, position, bell, sent };
    let chunks = Chunks(Some(Box::pin(follower.next())));
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

impl Follower {
    /// Waits for something to send; ends only with the service.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            // Before the look: a change after it must ring.
            self.bell.mark_unchanged();
            let (session, from) = (&self.session, self.position);
            let look = |state: &mut State, visit| state.frames(visit, session, from);
            let frames = self.call.service.visit(self.call.organization, look).ok()?;
            self.position = frames.next;
            if !frames.text.is_empty() {
                return Some(self.send(frames.text.into()));
            }
            let now = self.call.service.now();
            let beat = self.sent.saturating_add(self.call.service.heartbeat);
            if beat <= now {
                return Some(self.send(Bytes::from_static(HEARTBEAT.as_bytes())));
            }
            let wake = frames.due.map_or(beat, |due| due.min(beat));
            // Either way it is time to look again.
            let _ = timeout(wake.saturating_sub(now), self.bell.changed()).await;
        }
    }

    fn send(mut self, chunk: Bytes) -> (Bytes, Self) {
        self.sent = self.call.service.now();
        (chunk, self)
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(next) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let ready = ready!(next.as_mut().poll(context));
        let (chunk, follower) = ready.unzip();
        self.0 = follower.map(|follower| Box::pin(follower.next()) as NextChunk);
        Poll::Ready(chunk.map(Ok))
    }
}
