//! The states of a stream, and how one leads to the next.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::error::{Error, one_line};
use crate::events::Event;
use crate::ids::EventId;
use crate::sse::{Decoder, Frame};
use crate::stream::connection::{Connection, Over};
use crate::stream::fill::Filling;
use crate::stream::order::Verdict;
use crate::stream::patience::{GOOD_CONNECTION, is_final};
use crate::stream::source::{Chunks, SourceFuture};
use crate::stream::until::{End, Until, message_of};
use crate::stream::{Arrival, Cursor, EventStream};
use crate::trace;

/// Where a stream is between two polls.
pub(super) enum State {
    /// Nothing was asked yet.
    Closed,
    /// The session is asked whether there is anything to wait for at all.
    Starting(SourceFuture<bool>),
    /// A delay before the next connection.
    Resting(Pin<Box<Sleep>>),
    /// A connection in the making.
    Connecting(SourceFuture<Box<dyn Chunks>>),
    /// Frames are read.
    Open(Connection),
    /// The events list is asked for what the connection skipped.
    Filling(Box<Filling>),
    /// The session is asked whether it is idle still.
    Asking(Connection, SourceFuture<bool>),
    /// The last event is delivered.
    Ended,
}

/// What a step led to.
pub(super) enum Step {
    /// Look at the state again.
    Again,
    /// Hand this over; it counts as delivered.
    Deliver(Event),
    /// Tell the caller.
    Fail(Error),
}

impl EventStream {
    #[inline]
    pub(super) fn poll_event(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        loop {
            if let Some(Arrival { event, resume_id }) = self.ready.pop_front() {
                self.delivered(&event, resume_id);
                return Poll::Ready(Ok(Some(event)));
            }
            // What a large fill needed is not kept.
            if self.ready.capacity() > 16 {
                self.ready.shrink_to(16);
            }
            if matches!(self.state, State::Ended) {
                return Poll::Ready(Ok(None));
            }
            match ready!(self.poll_step(context)) {
                Step::Again => {}
                Step::Deliver(event) => return Poll::Ready(Ok(Some(event))),
                Step::Fail(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    // Without it an event is moved once more on its way out.
    #[inline(always)]
    pub(super) fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        match &mut self.state {
            State::Closed => {
                self.must_ask = self.until == Until::Idle && self.order.last().is_some();
                self.set_out();
            }
            State::Starting(question) => {
                let answer = ready!(question.as_mut().poll(context));
                return Poll::Ready(self.may_start(answer));
            }
            State::Ended => {}
            State::Resting(delay) => {
                ready!(delay.as_mut().poll(context));
                self.set_out();
            }
            State::Connecting(attempt) => match ready!(attempt.as_mut().poll(context)) {
                Ok(chunks) => self.connected(chunks),
                Err(error) => return Poll::Ready(self.failed(error)),
            },
            State::Open(connection) => match ready!(connection.poll_frame(context)) {
                Ok(frame) => return Poll::Ready(self.take(frame)),
                Err(over) => return Poll::Ready(self.disconnected(over)),
            },
            State::Filling(filling) => {
                let listed = ready!(filling.list.as_mut().poll(context));
                return Poll::Ready(self.filled(listed));
            }
            State::Asking(_, question) => {
                let answer = ready!(question.as_mut().poll(context));
                return Poll::Ready(self.answered(answer));
            }
        }
        Poll::Ready(Step::Again)
    }

    fn set_out(&mut self) {
        if !self.must_ask {
            return self.connect();
        }
        let question = self.source.is_at_rest(self.order.last(), self.last_message.as_ref());
        self.state = State::Starting(question);
    }

    /// Connects, unless there is nothing to wait for: at a session at rest nothing would ever come.
    fn may_start(&mut self, at_rest: Result<bool, Error>) -> Step {
        let at_rest = match at_rest {
            Ok(at_rest) => at_rest,
            Err(error) => return self.failed(error),
        };
        self.must_ask = false;
        if at_rest {
            self.state = State::Ended;
        } else {
            self.connect();
        }
        Step::Again
    }

    fn connect(&mut self) {
        self.stats.reconnects += u64::from(self.was_tried);
        self.was_tried = true;
        let last = self.cursor.as_ref().and_then(Cursor::id);
        self.state = State::Connecting(self.source.open(last.map(EventId::as_str)));
    }

    fn connected(&mut self, chunks: Box<dyn Chunks>) {
        self.fills_stopped = false;
        if let Some(Cursor { id: Some(_), sequence_number }) = &self.cursor {
            trace::resumes(*sequence_number);
        }
        let decoder = Decoder::new(self.event_limit);
        self.state = State::Open(Connection::new(chunks, decoder, self.idle_limit));
    }

    fn disconnected(&mut self, over: Over) -> Step {
        let served = match &self.state {
            State::Open(connection) => connection.good_for(&over),
            _ => Duration::ZERO,
        };
        if served >= GOOD_CONNECTION {
            self.patience.refill();
        }
        match over {
            Over::Broken(error) => self.failed(error),
            Over::Ended | Over::Silent => self.rest_or_give_up(over),
        }
    }

    pub(super) fn failed(&mut self, error: Error) -> Step {
        if is_final(&error) {
            let delay = self.patience.next_delay(Some(&error));
            self.rest(delay, Err(&error));
            return Step::Fail(error);
        }
        self.rest_or_give_up(Over::Broken(error))
    }

    pub(super) fn rest_or_give_up(&mut self, over: Over) -> Step {
        if let Some(delay) = self.patience.after_failure(over.error()) {
            self.rest(delay, over.why());
            return Step::Again;
        }
        let what = format!("no progress in {} connections", self.patience.attempts());
        // Whoever asks again begins anew, but not at once.
        let delay = self.patience.next_delay(over.error());
        self.rest(delay, over.why());
        self.patience.refill();
        let error = match over {
            Over::Broken(error) => error,
            Over::Ended | Over::Silent => {
                Error::stream("the server ended the stream".to_owned(), None)
            }
        };
        Step::Fail(Error::stream(what, Some(error)))
    }

    fn rest(&mut self, delay: Duration, why: Result<&'static str, &Error>) {
        trace::reconnects(why, delay, self.order.last());
        self.state = State::Resting(Box::pin(sleep(delay)));
    }

    #[inline]
    fn take(&mut self, frame: Frame) -> Step {
        let (id, data) = match frame {
            Frame::Event { id, data } => (id, data),
            Frame::Retry(delay) => {
                self.patience.obey(delay);
                return Step::Again;
            }
            Frame::TooLarge => {
                let what = format!("an event is larger than {} bytes", self.event_limit);
                return Step::Fail(Error::stream(what, None));
            }
        };
        match serde_json::from_str(&data) {
            Ok(event) => {
                let resume_id = id.and_then(|id| resumable(&id, &event));
                self.arrived(event, resume_id)
            }
            Err(error) => {
                let reason = one_line(&self.source.scrub(&error.to_string()), 512);
                Step::Fail(Error::stream(format!("a frame is not an event: {reason}"), None))
            }
        }
    }

    #[inline]
    fn arrived(&mut self, event: Event, resume_id: Option<EventId>) -> Step {
        match self.order.judge(&event) {
            Verdict::Deliver => self.deliver(event, resume_id),
            Verdict::Duplicate => {
                self.stats.duplicates += 1;
                trace::duplicate(event.sequence_number);
                Step::Again
            }
            Verdict::Late => {
                self.stats.late += 1;
                // It is behind the place to resume from, which stays.
                self.deliver(event, None)
            }
            Verdict::Gap(gap) => self.jumped(gap, Arrival { event, resume_id }),
        }
    }

    fn answered(&mut self, answer: Result<bool, Error>) -> Step {
        let at_rest = match answer {
            Ok(at_rest) => at_rest,
            // Nothing may ever come that gives another occasion to ask.
            Err(error) => {
                self.must_ask = true;
                return self.failed(error);
            }
        };
        if let State::Asking(connection, _) = std::mem::replace(&mut self.state, State::Ended) {
            self.state = if at_rest { State::Ended } else { State::Open(connection) };
        }
        Step::Again
    }

    #[inline]
    pub(super) fn deliver(&mut self, event: Event, resume_id: Option<EventId>) -> Step {
        self.delivered(&event, resume_id);
        Step::Deliver(event)
    }

    /// Everything that happens when an event leaves: it is handed over in the same poll.
    #[inline]
    fn delivered(&mut self, event: &Event, resume_id: Option<EventId>) {
        let ahead = event.sequence_number.is_none_or(|n| self.order.last().is_none_or(|l| n > l));
        self.order.delivered(event);
        self.patience.refill();
        if ahead {
            self.move_cursor(event, resume_id);
            if event.message_id.is_none() || event.message_id != self.last_message {
                self.last_message = message_of(event).or(self.last_message.take());
            }
        }
        match self.until.at(event) {
            End::NotYet => {}
            End::Now => {
                self.ready.clear();
                self.state = State::Ended;
            }
            End::AskIfIdle => self.ask(),
        }
    }

    fn move_cursor(&mut self, event: &Event, resume_id: Option<EventId>) {
        let id = resume_id.or_else(|| self.cursor.take()?.id);
        let sequence_number = event.sequence_number.or(self.order.last());
        // With neither there is nothing to resume behind.
        if id.is_some() || sequence_number.is_some() {
            self.cursor = Some(Cursor { id, sequence_number });
        }
    }

    fn ask(&mut self) {
        let question = self.source.is_at_rest(self.order.last(), self.last_message.as_ref());
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            // Events that were listed come at once: the last that says idle counts.
            State::Open(connection) | State::Asking(connection, _) => {
                State::Asking(connection, question)
            }
            other => other,
        };
    }
}

/// Returns the id of a frame, unless nothing can be resumed behind it.
///
/// An id that cannot be a header, or makes too long a one, is such an id.
fn resumable(id: &str, event: &Event) -> Option<EventId> {
    const LONGEST: usize = 1024;
    // Nearly always it is the event's own, which was checked when it was read and is shared.
    let id = if event.id == *id { Some(event.id.clone()) } else { id.parse().ok() };
    id.filter(|id| id.as_str().len() <= LONGEST)
}
