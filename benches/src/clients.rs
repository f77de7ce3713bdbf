//! The clients: each reads a whole ledger and decodes the same public `Event`.

use std::hint::black_box;

use dari::{Client, Event};
use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use reqwest_eventsource::EventSource;
use sse_core::{SseDecoder, SseEvent};

use crate::Failure;
use crate::ledger::Ledger;

/// One way to follow a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// `reqwest`, counting bytes: what the socket and HTTP cost alone.
    Bytes,
    /// `reqwest`, `eventsource-stream` and `serde_json`.
    EventsourceStream,
    /// `reqwest`, the bare decoder of `sse-core` and `serde_json`.
    SseCore,
    /// `reqwest-eventsource` and `serde_json`.
    ReqwestEventsource,
    /// This crate, with everything on: order, once, cursor.
    Dari,
}

/// Where a session is, and what a client must have seen of it.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The address of the server, such as `http://127.0.0.1:8080`.
    pub server: &'a str,
    /// The id of the session.
    pub id: &'static str,
    /// What the server sends.
    pub ledger: &'a Ledger,
}

impl Session<'_> {
    fn url(&self) -> String {
        format!("{}/v1/sessions/{}/stream", self.server, self.id)
    }
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Bytes, Self::EventsourceStream, Self::SseCore, Self::ReqwestEventsource, Self::Dari];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "reqwest-bytes",
            Self::EventsourceStream => "eventsource-stream",
            Self::SseCore => "sse-core",
            Self::ReqwestEventsource => "reqwest-eventsource",
            Self::Dari => "dari",
        }
    }

    /// Follows a session until its last event.
    ///
    /// # Errors
    ///
    /// Fails when the connection does, or when an event is missing, twice, or out of order.
    pub async fn follow(self, session: Session<'_>) -> Result<(), Failure> {
        match self {
            Self::Bytes => bytes(session).await,
            Self::EventsourceStream => eventsource_stream(session).await,
            Self::SseCore => bare_sse_core(session).await,
            Self::ReqwestEventsource => reqwest_eventsource(session).await,
            Self::Dari => dari(session).await,
        }
    }
}

/// Counts events, and refuses one that is not the next.
struct Tally {
    seen: u64,
    all: u64,
}

impl Tally {
    fn of(session: Session<'_>) -> Self {
        Self { seen: 0, all: session.ledger.events }
    }

    /// Takes an event; returns whether it was the last one.
    fn is_last(&mut self, event: Event) -> Result<bool, Failure> {
        if event.sequence_number != Some(self.seen + 1) {
            return Err(format!("{:?} came behind {}", event.sequence_number, self.seen).into());
        }
        self.seen += 1;
        drop(black_box(event));
        Ok(self.seen == self.all)
    }

    fn ended(&self) -> Result<(), Failure> {
        Err(format!("the stream ended behind event {} of {}", self.seen, self.all).into())
    }
}

async fn bytes(session: Session<'_>) -> Result<(), Failure> {
    let mut response = reqwest::get(session.url()).await?.error_for_status()?;
    let mut seen = 0;
    while let Some(chunk) = response.chunk().await? {
        seen += black_box(chunk).len() as u64;
        if seen == session.ledger.body_bytes {
            return Ok(());
        }
    }
    Err(format!("the stream ended behind {seen} bytes").into())
}

async fn eventsource_stream(session: Session<'_>) -> Result<(), Failure> {
    let response = reqwest::get(session.url()).await?.error_for_status()?;
    let mut frames = response.bytes_stream().eventsource();
    let mut tally = Tally::of(session);
    while let Some(frame) = frames.next().await {
        if tally.is_last(serde_json::from_str(&frame?.data)?)? {
            return Ok(());
        }
    }
    tally.ended()
}

async fn bare_sse_core(session: Session<'_>) -> Result<(), Failure> {
    let mut response = reqwest::get(session.url()).await?.error_for_status()?;
    let mut decoder = SseDecoder::new();
    let mut tally = Tally::of(session);
    while let Some(mut chunk) = response.chunk().await? {
        while let Some(frame) = decoder.next(&mut chunk) {
            let SseEvent::Message(message) = frame? else { continue };
            if tally.is_last(serde_json::from_str(&message.data)?)? {
                return Ok(());
            }
        }
    }
    tally.ended()
}

async fn reqwest_eventsource(session: Session<'_>) -> Result<(), Failure> {
    let mut frames = EventSource::new(reqwest012::Client::new().get(session.url()))?;
    let mut tally = Tally::of(session);
    while let Some(frame) = frames.next().await {
        let reqwest_eventsource::Event::Message(message) = frame? else { continue };
        if tally.is_last(serde_json::from_str(&message.data)?)? {
            return Ok(());
        }
    }
    tally.ended()
}

async fn dari(session: Session<'_>) -> Result<(), Failure> {
    let client = Client::builder("dari_benchmark").base_url(session.server).build()?;
    let mut events = client.sessions().stream(&session.id.parse()?);
    let mut tally = Tally::of(session);
    while let Some(event) = events.try_next().await? {
        if tally.is_last(event)? {
            return Ok(());
        }
    }
    tally.ended()
}
