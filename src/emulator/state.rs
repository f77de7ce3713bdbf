//! What the service remembers: no clock, no socket; every entry is told the time.
//!
//! A turn is a plan: each of its transitions has a due time, and every entry first performs
//! all that are due. What a send starts is due at once but never within that send.

mod agent;
mod batches;
mod costs;
mod files;
mod frames;
mod ledger;
mod message;
mod news;
mod reads;
mod sends;
mod schema;
mod session;
mod tools;
mod transcript;
mod turns;
mod webhooks;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::refusal::Refusal;
use super::script::ScriptedAgent;
use agent::Agent;
use batches::Batches;
use ledger::Epoch;
use message::Message;
use session::Session;
use webhooks::Webhooks;

pub(super) use files::{NewFile, WorkspaceFile};
pub(super) use sends::Arrival;
pub(super) use webhooks::{Outgoing, Target};

/// The answer to a request: JSON, or why there is none.
pub(super) type Answer = Result<Box<RawValue>, Refusal>;

/// Who asks, and how long after the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) organization: Organization,
    pub(super) now: Duration,
}

/// An organization with a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Organization {
    /// The one that owns every agent and session.
    Owner,
    /// One that owns nothing.
    Stranger,
}

#[derive(Debug)]
pub(super) struct State {
    epoch: Epoch,
    agents: Vec<Agent>,
    sessions: Vec<Session>,
    /// Of every message: the place of its session, and in it.
    homes: Vec<(usize, usize)>,
    batches: Batches,
    /// How long after a run its cost is known.
    pub(super) cost_delay: Duration,
    /// When the next transition of a busy session is due.
    agenda: BTreeSet<(Duration, usize)>,
    changes: u64,
    /// How many files were uploaded.
    files: u64,
    webhooks: Webhooks,
}

impl State {
    /// Returns a service with these agents and no sessions.
    pub(super) fn new(epoch: Timestamp, scripts: Vec<ScriptedAgent>) -> Self {
        let epoch = Epoch(epoch);
        let created_at = epoch.stamp(Duration::ZERO);
        let numbered = scripts.into_iter().zip(1..);
        Self {
            epoch,
            agents: numbered.map(|(it, n)| Agent::new(n, it, created_at.clone())).collect(),
            sessions: Vec::new(),
            homes: Vec::new(),
            batches: Batches::default(),
            cost_delay: Duration::ZERO,
            agenda: BTreeSet::new(),
            changes: 0,
            files: 0,
            webhooks: Webhooks::default(),
        }
    }

    /// Performs every transition due by now, in order.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(&(due, place)) = self.agenda.first().filter(|(due, _)| *due <= now) {
            self.agenda.pop_first();
            self.changes += 1;
            let Some(session) = self.sessions.get_mut(place) else {
                continue;
            };
            let Some(agent) = self.agents.get(session.agent) else {
                continue;
            };
            if let Some(next) = session.step(due, &agent.script) {
                self.agenda.insert((next, place));
            }
            self.post_news(place);
            self.post_batch_news(due, place);
        }
    }

    /// Returns when the next transition is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.agenda.first().map(|(due, _)| *due)
    }

    /// Returns a number that rises with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    fn find_agent(&mut self, visit: Visit, id: &str) -> Result<usize, Refusal> {
        self.advance(visit.now);
        let place = place(id, "agt_").filter(|place| *place < self.agents.len());
        visit.admitted(place.ok_or(Refusal::NotFound("Agent"))?)
    }

    fn find_session(&mut self, visit: Visit, id: &str) -> Result<(usize, &mut Session), Refusal> {
        self.advance(visit.now);
        let found = place(id, "sess_")
            .and_then(|place| self.sessions.get_mut(place).map(|session| (place, session)));
        visit.admitted(found.ok_or(Refusal::NotFound("Session"))?)
    }

    fn find_message(&mut self, visit: Visit, id: &str) -> Result<&Message, Refusal> {
        self.advance(visit.now);
        let home = place(id, "msg_").and_then(|place| self.homes.get(place));
        let found = home.and_then(|&(session, message)| {
            self.sessions.get(session).and_then(|session| session.messages.get(message))
        });
        visit.admitted(found.ok_or(Refusal::NotFound("Message"))?)
    }
}

impl Visit {
    /// Returns something that exists, if the caller may see it.
    fn admitted<T>(self, found: T) -> Result<T, Refusal> {
        match self.organization {
            Organization::Owner => Ok(found),
            Organization::Stranger => Err(Refusal::Forbidden),
        }
    }
}

/// Returns the place that `id` names: `sess_1` is the first.
fn place(id: &str, prefix: &str) -> Option<usize> {
    let digits = id.strip_prefix(prefix)?;
    let number: usize = digits.parse().ok()?;
    // Only the spelling that was given out: neither `sess_01` nor `sess_+1`.
    if number.to_string() == digits { number.checked_sub(1) } else { None }
}

#[cfg(test)]
mod tests;
