//! A session's events, each once and in order, through whatever the connection does.

mod attach;
mod connection;
mod cursor;
mod fill;
mod machine;
mod order;
mod patience;
pub(crate) mod source;
mod text;
pub(crate) mod until;

use std::collections::VecDeque;
use std::fmt;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::error::Error;
use crate::events::Event;
use crate::ids::{EventId, MessageId};

use machine::State;
use order::Order;
use patience::Patience;
use source::Source;
use until::Until;

pub use cursor::Cursor;
pub use patience::ReconnectPolicy;
pub use text::TextStream;

/// The events of a session, each once and in order; see [`Sessions::stream`](crate::Sessions::stream).
///
/// How to use it is taught in [streaming and resuming](crate::guide::streaming_and_resuming).
///
/// # What it guarantees
///
/// Every event of the ledger after the starting point is delivered once, and in the order of
/// `sequence_number`, through ends of the body, resets, silence, duplicates and gaps. Nothing
/// connects before the first event is asked for, nothing runs between two questions, and dropping
/// the stream closes its connection. [`cursor`](Self::cursor) is what to store to go on in another
/// process.
///
/// It relies on these assumptions of contract §5: `Last-Event-ID` resumes behind that event;
/// without it the stream starts at the ledger's first event, which is number 1; sequence numbers
/// rise by one; the events list gives the first `limit` events in order.
///
/// # How it goes on
///
/// The connection is made again after any end of the body and any passing fault, as
/// [`ReconnectPolicy`] says. A jump in the numbers is filled from the events list; what that does not
/// have either, or what no list could be had for in ten tries, is taken for missing, and shows in
/// [`gaps`](Self::gaps). An event from such a gap is delivered when it comes late. Events without a number are known by their id, the
/// newest 1024 of them.
///
/// # Memory
///
/// A stream holds up to 2 MiB of its connection's bytes, whatever the server sends, and an event in
/// the making costs up to four times its size, which [`Limits::event`](crate::Limits::event)
/// bounds: 66 MiB in all by default. Of bytes that are no text it costs up to ten times, and the name
/// and the id of an event are bounded in the same way, each by itself. A gap being filled costs the list as well, up to
/// [`Limits::body`](crate::Limits::body). Of the events delivered, the last one's id and
/// number stay, and 16 bytes each for the newest 1024 without a number.
///
/// # Errors
///
/// An error does not end the stream: asking again goes on where it stopped.
///
/// | error | what happened | asking again |
/// |---|---|---|
/// | [`Error::Api`] | 401, 403, 404, 410 or another refusal | connects again, after a delay |
/// | [`Error::Decode`] | a reply of success that is no event stream | connects again, after a delay |
/// | [`Error::Stream`] with a source | patience is at an end | begins with fresh patience |
/// | [`Error::Stream`] without one | a frame that is no event, or too large a one | reads the next frame |
#[must_use = "a stream does nothing until it is asked for the next event"]
pub struct EventStream {
    source: Box<dyn Source>,
    state: State,
    ready: VecDeque<Arrival>,
    order: Order,
    patience: Patience,
    until: Until,
    /// Whether a fill of this connection has found nothing.
    fills_stopped: bool,
    /// Whether the session must say that it is at work before a connection is of use.
    must_ask: bool,
    /// Whether a connection was made, or tried.
    was_tried: bool,
    /// Where a gap begins whose list could not be had, and how often that was tried.
    failed_fills: Option<(u64, u32)>,
    /// The place behind the last event delivered, where a connection resumes.
    cursor: Option<Cursor>,
    last_message: Option<MessageId>,
    idle_limit: Duration,
    event_limit: usize,
    stats: StreamStats,
}

/// An event, and the id to resume after once it is delivered.
struct Arrival {
    event: Event,
    resume_id: Option<EventId>,
}

/// What a stream has been through so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Connections made, or tried, after the first.
    pub reconnects: u64,
    /// Events that came again and were dropped.
    pub duplicates: u64,
    /// Jumps in the sequence numbers.
    pub gaps: u64,
    /// Events of such jumps that the events list had.
    pub filled: u64,
    /// Events of such jumps that the events list did not have either.
    pub missing: u64,
    /// Missing events that came late after all.
    pub late: u64,
}

impl EventStream {
    pub(crate) fn new(source: Box<dyn Source>, event_limit: usize) -> Self {
        Self {
            source,
            state: State::Closed,
            ready: VecDeque::new(),
            order: Order::new(),
            patience: Patience::new(ReconnectPolicy::default()),
            until: Until::Forever,
            fills_stopped: false,
            must_ask: false,
            was_tried: false,
            failed_fills: None,
            cursor: None,
            last_message: None,
            idle_limit: Duration::from_secs(60),
            event_limit,
            stats: StreamStats::default(),
        }
    }

    /// Starts behind this point: a [`Cursor`], an event, or an event's id.
    ///
    /// Default: the first event of the ledger.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let stream = client.sessions().stream(&sent.session.id);
    /// let mut events = stream.after(&sent.event); // or after("12@evt_12".parse::<dari::Cursor>()?)
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, point: impl Into<Cursor>) -> Self {
        let cursor = point.into();
        self.order.resume(&cursor);
        self.cursor = Some(cursor);
        self
    }

    /// Ends behind the event that finishes this message.
    ///
    /// Start before that event: a stream that begins behind it does not see it.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let mut events = client.sessions().stream(&sent.session.id).until(&sent.message.id);
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{}", event.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn until(mut self, message: &MessageId) -> Self {
        self.until = Until::Message(message.clone());
        self
    }

    /// Ends when the session's queue is empty.
    ///
    /// When an event says that the session is idle, the session is asked whether its newest
    /// message is final and nothing is recorded behind that event; a replay of older turns does not
    /// end the stream. One that starts behind the last event of an idle session, with its number,
    /// ends at once. A question that fails is asked again as a connection is made again.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let mut events = client.sessions().stream(&sent.session.id).until_idle();
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{}", event.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn until_idle(mut self) -> Self {
        self.until = Until::Idle;
        self
    }

    /// Sets how long no byte may come before the connection is made again. Default 60 s.
    ///
    /// Heartbeats count as bytes.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let stream = client.sessions().stream(&sent.session.id);
    /// let mut events = stream.idle_timeout(Duration::from_secs(20));
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// Sets how the stream reconnects.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// use dari::ReconnectPolicy;
    ///
    /// let stream = client.sessions().stream(&sent.session.id);
    /// let mut events = stream.reconnect(ReconnectPolicy::default().max_attempts(1000));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconnect(mut self, policy: ReconnectPolicy) -> Self {
        self.patience = Patience::new(policy);
        self
    }

    /// Keeps the agent's text only, as each piece completes.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let mut text = client.sessions().stream(&sent.session.id).until(&sent.message.id).text();
    /// while let Some(piece) = text.try_next().await? {
    ///     println!("{piece}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn text(self) -> TextStream {
        TextStream(self)
    }

    /// Returns the next event, or `None` when the stream has ended.
    ///
    /// It ends only as [`until`](Self::until) or [`until_idle`](Self::until_idle) asked for, or when
    /// the session itself has ended. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// See [`EventStream`]; asking again goes on.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let mut events = client.sessions().stream(&sent.session.id).until(&sent.message.id);
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{:?} {}", event.sequence_number, event.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_next(&mut self) -> Result<Option<Event>, Error> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// Returns the place behind the last event delivered.
    ///
    /// `None` before the first event of a stream that was not started behind another, and as long as
    /// events have neither id nor number to resume behind.
    ///
    /// ```no_run
    /// # async fn example(mut events: dari::EventStream) -> Result<(), Box<dyn std::error::Error>> {
    /// let event = events.try_next().await?;
    /// if let Some(cursor) = events.cursor() {
    ///     std::fs::write("cursor", cursor.to_string())?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Returns what the stream has been through so far.
    ///
    /// ```no_run
    /// # fn example(events: dari::EventStream) {
    /// let stats = events.stats();
    /// println!("{} reconnects, {} events missing", stats.reconnects, stats.missing);
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> StreamStats {
        self.stats
    }

    /// Returns the sequence numbers that nobody had, oldest first.
    ///
    /// The newest 256 ranges are kept.
    ///
    /// ```no_run
    /// # fn example(events: dari::EventStream) {
    /// for gap in events.gaps() {
    ///     eprintln!("nobody has the events {} to {}", gap.start(), gap.end());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn gaps(&self) -> Vec<RangeInclusive<u64>> {
        self.order.gaps().cloned().collect()
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(context).map(Result::transpose)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("cursor", &self.cursor)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
