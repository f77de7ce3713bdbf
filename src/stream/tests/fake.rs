//! A session in memory: connections made of pieces, a list, and what was asked.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::{Instant, Sleep, sleep};

use crate::error::{ApiError, CallFacts, Error};
use crate::events::Event;
use crate::ids::MessageId;
use crate::stream::EventStream;
use crate::stream::source::{Chunks, Source, SourceFuture};

/// What a connection does, in order; then its body ends.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    /// Nothing comes for this long.
    Silence(Duration),
    /// Nothing comes any more.
    Hold,
    /// The poll gives nothing, and another may give something.
    Yield,
    Break,
}

pub(super) type Opened = Result<Vec<Piece>, Error>;

/// What the session's server is, shared with the test.
#[derive(Clone)]
pub(super) struct Fake(Arc<Mutex<Inner>>);

type Open = Box<dyn FnMut(usize, Option<&str>) -> Opened + Send>;
type List = Box<dyn FnMut(u64) -> Result<Vec<Event>, Error> + Send>;

struct Inner {
    open: Open,
    list: List,
    newest: Option<MessageId>,
    rest: Option<u64>,
    /// What the next questions for rest meet.
    troubles: VecDeque<Error>,
    opened: Vec<(Option<String>, Instant)>,
    listed: Vec<u64>,
}

impl Fake {
    pub(super) fn new<F>(open: F) -> Self
    where
        F: FnMut(usize, Option<&str>) -> Opened + Send + 'static,
    {
        let inner = Inner {
            open: Box::new(open),
            list: Box::new(|_| Ok(Vec::new())),
            newest: None,
            rest: None,
            troubles: VecDeque::new(),
            opened: Vec::new(),
            listed: Vec::new(),
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    pub(super) fn list<F>(self, list: F) -> Self
    where
        F: FnMut(u64) -> Result<Vec<Event>, Error> + Send + 'static,
    {
        self.0.lock().unwrap().list = Box::new(list);
        self
    }

    /// Says that the session is idle, and this its newest message.
    pub(super) fn settled(&self, newest: &str) {
        self.0.lock().unwrap().newest = Some(newest.parse().unwrap());
    }

    /// Says that the session is idle, and this its last event.
    pub(super) fn at_rest(&self, last: u64) {
        self.0.lock().unwrap().rest = Some(last);
    }

    /// Has the next questions whether the session is at rest fail like this.
    pub(super) fn troubled(&self, troubles: impl IntoIterator<Item = Error>) {
        self.0.lock().unwrap().troubles.extend(troubles);
    }

    pub(super) fn stream(&self) -> EventStream {
        EventStream::new(Box::new(self.clone()), 1 << 20)
    }

    /// Returns the `Last-Event-ID` of every connection, with the moment it was asked for.
    pub(super) fn opened(&self) -> Vec<(Option<String>, Instant)> {
        self.0.lock().unwrap().opened.clone()
    }

    pub(super) fn resumed(&self) -> Vec<Option<String>> {
        self.opened().into_iter().map(|(id, _)| id).collect()
    }

    /// Returns the limit of every question for the list.
    pub(super) fn listed(&self) -> Vec<u64> {
        self.0.lock().unwrap().listed.clone()
    }
}

impl Source for Fake {
    fn open(&self, last_event_id: Option<&str>) -> SourceFuture<Box<dyn Chunks>> {
        let mut inner = self.0.lock().unwrap();
        let number = inner.opened.len();
        inner.opened.push((last_event_id.map(str::to_owned), Instant::now()));
        let pieces = (inner.open)(number, last_event_id);
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(Box::new(Pieces { left: pieces?.into(), silence: None }) as Box<dyn Chunks>)
        })
    }

    fn list(&self, limit: u64) -> SourceFuture<Vec<Event>> {
        let mut inner = self.0.lock().unwrap();
        inner.listed.push(limit);
        let events = (inner.list)(limit);
        Box::pin(async move {
            tokio::task::yield_now().await;
            events
        })
    }

    fn is_at_rest(&self, last: Option<u64>, seen: Option<&MessageId>) -> SourceFuture<bool> {
        let mut inner = self.0.lock().unwrap();
        if let Some(error) = inner.troubles.pop_front() {
            return Box::pin(async move { Err(error) });
        }
        let newest = seen.is_some() && inner.newest.as_ref() == seen;
        let rest = newest || (last.is_some() && inner.rest == last);
        Box::pin(async move { Ok(rest) })
    }
}

struct Pieces {
    left: VecDeque<Piece>,
    silence: Option<Pin<Box<Sleep>>>,
}

impl Chunks for Pieces {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(silence) = &mut self.silence {
                ready!(silence.as_mut().poll(context));
                self.silence = None;
            }
            if let Some(Piece::Hold) = self.left.front() {
                return Poll::Pending;
            }
            match self.left.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes.into()))),
                Some(Piece::Silence(time)) => self.silence = Some(Box::pin(sleep(time))),
                Some(Piece::Yield) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Piece::Break | Piece::Hold) => return Poll::Ready(Some(Err(broken()))),
            }
        }
    }
}

pub(super) fn broken() -> Error {
    Error::stream("the connection broke".to_owned(), Some(Error::config("reset")))
}

/// Returns the error of a server that answered with this status.
pub(super) fn refused(status: u16) -> Error {
    let status = Some(StatusCode::from_u16(status).unwrap());
    let facts = CallFacts { operation: "sessions.stream", status, ..CallFacts::default() };
    Error::Api(Box::new(ApiError { facts, text: String::new(), detail: None, excerpt: None }))
}

/// Returns the error of a server that asked to wait.
pub(super) fn busy(seconds: u64) -> Error {
    let Error::Api(mut error) = refused(429) else { unreachable!() };
    error.facts.retry_after = Some(Duration::from_secs(seconds));
    Error::Api(error)
}

pub(super) fn json(number: u64) -> String {
    format!(
        r#"{{"id":"s:evt_{number}","session_id":"s","sequence_number":{number},"type":"note","data":{{"é":{number}}},"created_at":"2026-04-21T18:40:00Z"}}"#
    )
}

pub(super) fn event(number: u64) -> Event {
    serde_json::from_str(&json(number)).unwrap()
}

pub(super) fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<Event> {
    numbers.into_iter().map(event).collect()
}

/// Returns the frame of an event as the contract shows it.
pub(super) fn frame(number: u64) -> String {
    format!("id: s:evt_{number}\nevent: note\ndata: {}\n\n", json(number))
}

pub(super) fn frames(numbers: impl IntoIterator<Item = u64>) -> Piece {
    Piece::Bytes(numbers.into_iter().map(frame).collect::<String>().into_bytes())
}

/// Returns the number of the event behind which a connection resumes.
pub(super) fn resumed_after(id: Option<&str>) -> u64 {
    id.map_or(0, |id| id.strip_prefix("s:evt_").unwrap().parse().unwrap())
}

/// Reads `count` events, and returns their numbers.
pub(super) async fn read(stream: &mut EventStream, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let event = stream.try_next().await.unwrap().expect("the stream ended");
        numbers.push(event.sequence_number.unwrap());
    }
    numbers
}
