//! The states of a stream, and how one leads to the next.

use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::error::{Error, one_line};
use crate::events::Event;
use crate::sse::{Decoder, Frame};
use crate::stream::connection::{Connection, Over};
use crate::stream::order::Verdict;
use crate::stream::patience::{GOOD_CONNECTION, is_final, no_access};
use crate::stream::source::{Chunks, Settled, SourceFuture};
use crate::stream::until::{End, message_of};
use crate::stream::{Arrival, Cursor, EventStream};

/// Where a stream is between two polls.
pub(super) enum State {
    /// Nothing was asked yet.
    Closed,
    /// A delay before the next connection.
    Resting(Pin<Box<Sleep>>),
    /// A connection in the making.
    Connecting(SourceFuture<Box<dyn Chunks>>),
    /// Frames are read.
    Open(Connection),
    /// The events list is asked for what the connection skipped.
    Filling(Box<Filling>),
    /// The session is asked whether it is idle still.
    Asking(Connection, SourceFuture<Option<Settled>>),
    /// The last event is delivered.
    Ended,
}

pub(super) struct Filling {
    connection: Connection,
    list: SourceFuture<Vec<Event>>,
    gap: RangeInclusive<u64>,
    arrival: Arrival,
}

/// What a step led to.
enum Step {
    /// Look at the state again.
    Again,
    /// Tell the caller.
    Fail(Error),
}

impl EventStream {
    pub(super) fn poll_event(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        loop {
            if let Some(arrival) = self.ready.pop_front() {
                return Poll::Ready(Ok(Some(self.deliver(arrival))));
            }
            if matches!(self.state, State::Ended) {
                return Poll::Ready(Ok(None));
            }
            match ready!(self.poll_step(context)) {
                Step::Again => {}
                Step::Fail(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        match &mut self.state {
            State::Closed => self.connect(),
            State::Ended => {}
            State::Resting(delay) => {
                ready!(delay.as_mut().poll(context));
                self.stats.reconnects += 1;
                self.connect();
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

    fn connect(&mut self) {
        self.state = State::Connecting(self.source.open(self.resume_id.as_deref()));
    }

    fn connected(&mut self, chunks: Box<dyn Chunks>) {
        self.fills_stopped = false;
        let decoder = Decoder::new(self.event_limit);
        self.state = State::Open(Connection::new(chunks, decoder, self.idle_limit));
    }

    fn disconnected(&mut self, over: Over) -> Step {
        if matches!(&self.state, State::Open(connection) if connection.age() >= GOOD_CONNECTION) {
            self.patience.refill();
        }
        match over {
            Over::Broken(error) => self.failed(error),
            Over::Quietly => self.rest_or_give_up(None),
        }
    }

    fn failed(&mut self, error: Error) -> Step {
        if is_final(&error) {
            let delay = self.patience.next_delay();
            self.rest(delay);
            return Step::Fail(error);
        }
        self.rest_or_give_up(Some(error))
    }

    fn rest_or_give_up(&mut self, error: Option<Error>) -> Step {
        if let Some(delay) = self.patience.after_failure(error.as_ref()) {
            self.rest(delay);
            return Step::Again;
        }
        let what = format!("no progress in {} connections", self.patience.attempts());
        // Whoever asks again begins anew, but not at once.
        let delay = self.patience.next_delay();
        self.rest(delay);
        self.patience.refill();
        let ended = || Error::stream("the server ended the stream".to_owned(), None);
        Step::Fail(Error::stream(what, Some(error.unwrap_or_else(ended))))
    }

    fn rest(&mut self, delay: Duration) {
        self.state = State::Resting(Box::pin(sleep(delay)));
    }

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
                // An id that cannot be a header cannot be resumed behind.
                let usable = |id: &str| id.parse::<crate::ids::EventId>().is_ok();
                let resume_id = id.filter(|id| usable(id)).map(|id| id.as_ref().to_owned());
                self.arrived(Arrival { event, resume_id });
                Step::Again
            }
            Err(error) => {
                let reason = one_line(&self.source.scrub(&error.to_string()), 512);
                Step::Fail(Error::stream(format!("a frame is not an event: {reason}"), None))
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        match self.order.judge(&arrival.event) {
            Verdict::Deliver => self.ready.push_back(arrival),
            Verdict::Duplicate => self.stats.duplicates += 1,
            Verdict::Late => {
                self.stats.late += 1;
                // It is behind the place to resume from, which stays.
                self.ready.push_back(Arrival { resume_id: None, ..arrival });
            }
            Verdict::Gap(gap) => {
                self.stats.gaps += 1;
                if self.fills_stopped {
                    self.accept(gap);
                    self.ready.push_back(arrival);
                } else {
                    self.fill(gap, arrival);
                }
            }
        }
    }

    fn fill(&mut self, gap: RangeInclusive<u64>, arrival: Arrival) {
        let list = self.source.list(gap.end().saturating_add(1));
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(connection) => {
                State::Filling(Box::new(Filling { connection, list, gap, arrival }))
            }
            other => other,
        };
    }

    fn filled(&mut self, listed: Result<Vec<Event>, Error>) -> Step {
        let State::Filling(filling) = std::mem::replace(&mut self.state, State::Closed) else {
            return Step::Again;
        };
        let Filling { connection, gap, arrival, .. } = *filling;
        let mut events = match listed {
            Ok(events) => events,
            // The next connection resumes before the gap: nothing is lost by trying again.
            Err(error) if error.is_retryable() || no_access(&error) => return self.failed(error),
            // A list that cannot be read may come by the stream, if that is asked again.
            Err(error @ Error::Decode(_)) if self.unread_gap != Some(*gap.start()) => {
                self.unread_gap = Some(*gap.start());
                return self.rest_or_give_up(Some(error));
            }
            Err(_refused) => Vec::new(),
        };
        events.retain(|event| event.sequence_number.is_some_and(|n| gap.contains(&n)));
        events.sort_by_key(|event| event.sequence_number);
        events.dedup_by_key(|event| event.sequence_number);
        self.fills_stopped = events.is_empty();
        self.stats.filled += events.len() as u64;
        let mut next = *gap.start();
        for event in events {
            let number = event.sequence_number.unwrap_or(next);
            if number > next {
                self.accept(next..=number - 1);
            }
            next = number.saturating_add(1);
            let resume_id = Some(event.id.as_str().to_owned());
            self.ready.push_back(Arrival { event, resume_id });
        }
        if next <= *gap.end() {
            self.accept(next..=*gap.end());
        }
        self.ready.push_back(arrival);
        self.state = State::Open(connection);
        Step::Again
    }

    fn accept(&mut self, gap: RangeInclusive<u64>) {
        self.stats.missing = self.stats.missing.saturating_add(self.order.accept(gap));
    }

    fn answered(&mut self, answer: Result<Option<Settled>, Error>) -> Step {
        let State::Asking(connection, _) = std::mem::replace(&mut self.state, State::Closed) else {
            return Step::Again;
        };
        let settled = match answer {
            Ok(settled) => settled,
            // The question is asked again: the idle session will not say so a second time.
            Err(error) => {
                self.state = State::Asking(connection, self.source.settled());
                return Step::Fail(error);
            }
        };
        let seen = settled.is_some_and(|settled| settled.last_message == self.last_message);
        self.state = if seen { State::Ended } else { State::Open(connection) };
        Step::Again
    }

    /// Everything that happens when an event leaves: only now it counts as delivered.
    fn deliver(&mut self, arrival: Arrival) -> Event {
        let Arrival { event, resume_id } = arrival;
        let ahead = event.sequence_number.is_none_or(|n| self.order.last().is_none_or(|l| n > l));
        self.order.delivered(&event);
        self.patience.refill();
        if ahead {
            self.move_cursor(&event, resume_id);
        }
        if let Some(message) = message_of(&event) {
            self.last_message = Some(message);
        }
        match self.until.at(&event) {
            End::NotYet => {}
            End::Now => {
                self.ready.clear();
                self.state = State::Ended;
            }
            End::AskIfIdle => self.ask(),
        }
        event
    }

    fn move_cursor(&mut self, event: &Event, resume_id: Option<String>) {
        if resume_id.is_some() {
            self.resume_id = resume_id;
        }
        let id = self.resume_id.as_deref().and_then(|id| id.parse().ok());
        let sequence_number = event.sequence_number.or(self.order.last());
        self.cursor = Some(Cursor { id, sequence_number });
    }

    fn ask(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(connection) => State::Asking(connection, self.source.settled()),
            other => other,
        };
    }
}
