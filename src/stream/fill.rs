//! A jump in the sequence numbers: what the events list has, and what nobody has.

use std::ops::RangeInclusive;

use crate::error::Error;
use crate::events::Event;
use crate::stream::connection::{Connection, Over};
use crate::stream::machine::{State, Step};
use crate::stream::patience::no_access;
use crate::stream::source::SourceFuture;
use crate::stream::{Arrival, EventStream};
use crate::trace;

/// How far behind a jump the list is asked, so that a stream full of jumps is listed rarely.
const AHEAD: u64 = 500;
/// How often the stream comes back to a gap whose list cannot be had, before it accepts it.
const TRIES: u32 = 10;

/// The events list is on its way, for a gap and the event behind it.
pub(super) struct Filling {
    connection: Connection,
    pub(super) list: SourceFuture<Vec<Event>>,
    gap: RangeInclusive<u64>,
    arrival: Arrival,
}

impl EventStream {
    #[inline]
    pub(super) fn jumped(&mut self, gap: RangeInclusive<u64>, arrival: Arrival) -> Step {
        self.stats.gaps += 1;
        if self.fills_stopped {
            trace::gap(&gap, 0);
            self.accept(gap);
            return self.deliver(arrival.event, arrival.resume_id);
        }
        let list = self.source.list(gap.end().saturating_add(1 + AHEAD));
        if let State::Open(connection) = std::mem::replace(&mut self.state, State::Closed) {
            self.state = State::Filling(Box::new(Filling { connection, list, gap, arrival }));
        }
        Step::Again
    }

    pub(super) fn filled(&mut self, listed: Result<Vec<Event>, Error>) -> Step {
        let State::Filling(filling) = std::mem::replace(&mut self.state, State::Closed) else {
            return Step::Again;
        };
        let Filling { connection, gap, arrival, .. } = *filling;
        let events = match listed {
            Ok(events) => events,
            // The next connection resumes before the gap: nothing is lost by trying again.
            Err(error) if no_access(&error) => {
                trace::gap_stays(&gap, &error);
                return self.failed(error);
            }
            Err(error) if self.tries_again(*gap.start(), &error) => {
                trace::gap_stays(&gap, &error);
                return self.rest_or_give_up(Over::Broken(error));
            }
            Err(_refused) => Vec::new(),
        };
        self.merge(&gap, arrival, events);
        self.state = State::Open(connection);
        Step::Again
    }

    /// Returns whether to come back to a gap: not for a refusal, and not without end.
    fn tries_again(&mut self, gap_start: u64, error: &Error) -> bool {
        let passing = error.is_retryable() || matches!(error, Error::Decode(_));
        let before = self.failed_fills.filter(|(start, _)| *start == gap_start);
        let tries = before.map_or(0, |(_, tries)| tries) + 1;
        self.failed_fills = Some((gap_start, tries));
        passing && tries < TRIES
    }

    /// Puts what was listed and what arrived in order, up to the first number missing behind both.
    fn merge(&mut self, gap: &RangeInclusive<u64>, arrival: Arrival, mut listed: Vec<Event>) {
        let number = |event: &Event| event.sequence_number.unwrap_or_default();
        let arrived = number(&arrival.event);
        listed.retain(|event| number(event) >= *gap.start());
        listed.sort_by_key(number);
        listed.dedup_by_key(|event| event.sequence_number);
        let found = listed.iter().filter(|event| gap.contains(&number(event))).count();
        self.fills_stopped = found == 0;
        self.stats.filled += found as u64;
        trace::gap(gap, found as u64);
        let split = listed.partition_point(|event| number(event) < arrived);
        let behind = listed.split_off(split);
        let behind = behind.into_iter().filter(|event| number(event) > arrived).map(from_list);
        let mut next = *gap.start();
        for arrival in listed.into_iter().map(from_list).chain([arrival]).chain(behind) {
            let number = number(&arrival.event);
            if number > next {
                if number > arrived {
                    break;
                }
                self.accept(next..=number - 1);
            }
            next = number.saturating_add(1);
            self.ready.push_back(arrival);
        }
    }

    fn accept(&mut self, gap: RangeInclusive<u64>) {
        self.stats.missing = self.stats.missing.saturating_add(self.order.accept(gap));
    }
}

fn from_list(event: Event) -> Arrival {
    Arrival { resume_id: Some(event.id.clone()), event }
}
