//! Requests that change something: new sessions and new messages.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::ledger::{Ledger, written};
use super::message::{Message, MessageSummary};
use super::session::{Opening, Session, SessionView};
use super::{Answer, State, Visit};
use crate::emulator::body::{AgentMessage, NewSession, UserMessage};
use crate::emulator::refusal::Refusal;

/// A message for a session, with its `Idempotency-Key`.
#[derive(Debug)]
pub(in crate::emulator) struct Arrival {
    pub(in crate::emulator) message: UserMessage,
    pub(in crate::emulator) key: Option<String>,
}

#[derive(Serialize)]
struct Sent<'a> {
    event: &'a RawValue,
    message: Option<MessageSummary<'a>>,
    session: SessionView<'a>,
}

#[derive(Serialize)]
struct SentEvents<'a> {
    events: Vec<&'a RawValue>,
}

impl State {
    /// Creates an idle session.
    pub(in crate::emulator) fn create_session(
        &mut self,
        visit: Visit,
        agent_id: &str,
        options: NewSession,
    ) -> Answer {
        let agent = self.find_live_agent(visit, agent_id)?;
        let session = self.new_session(visit.now, agent, options)?;
        let answer = written(&session.view());
        self.sessions.push(session);
        Ok(answer)
    }

    /// Creates a session with a first message.
    pub(in crate::emulator) fn send_agent_message(
        &mut self,
        visit: Visit,
        agent_id: &str,
        body: AgentMessage,
    ) -> Answer {
        let agent = self.find_live_agent(visit, agent_id)?;
        let session = self.new_session(visit.now, agent, body.session)?;
        self.sessions.push(session);
        let place = self.sessions.len() - 1;
        self.enqueue(visit.now, place, vec![body.message]);
        self.sessions.get(place).map(sent).ok_or(Refusal::NotFound("Session"))
    }

    /// Queues one message; the same key creates nothing again.
    pub(in crate::emulator) fn send_message(
        &mut self,
        visit: Visit,
        session_id: &str,
        arrival: Arrival,
    ) -> Answer {
        let (place, session) = self.find_session(visit, session_id)?;
        let known = arrival.key.as_ref().and_then(|key| session.answers.get(key));
        if let Some(answer) = known {
            return Ok(answer.clone());
        }
        self.enqueue(visit.now, place, vec![arrival.message]);
        let session = self.sessions.get_mut(place).ok_or(Refusal::NotFound("Session"))?;
        let answer = sent(session);
        if let Some(key) = arrival.key {
            session.answers.insert(key, answer.clone());
        }
        Ok(answer)
    }

    /// Queues several messages, in the order sent.
    pub(in crate::emulator) fn send_batch(
        &mut self,
        visit: Visit,
        session_id: &str,
        messages: Vec<UserMessage>,
    ) -> Answer {
        let (place, session) = self.find_session(visit, session_id)?;
        let (start, count) = (session.ledger.events.len(), messages.len());
        self.enqueue(visit.now, place, messages);
        let session = self.sessions.get(place).ok_or(Refusal::NotFound("Session"))?;
        let events = session.ledger.events.iter().skip(start).take(count);
        Ok(written(&SentEvents { events: events.map(|event| &*event.json).collect() }))
    }

    pub(super) fn new_session(
        &self,
        now: Duration,
        agent: usize,
        options: NewSession,
    ) -> Result<Session, Refusal> {
        let owner = self.agents.get(agent).ok_or(Refusal::NotFound("Agent"))?;
        let version = options.version_id.as_ref().unwrap_or(&owner.active_version_id).clone();
        if !self.has_version(agent, &version) {
            return Err(Refusal::NotFound("Version"));
        }
        let ledger = Ledger {
            session_id: format!("sess_{}", self.sessions.len() + 1),
            agent_id: owner.id.clone(),
            epoch: self.epoch,
            events: Vec::new(),
        };
        let opening = Opening { at: now, agent, version_id: version, options };
        Ok(Session::new(ledger, opening))
    }

    pub(super) fn enqueue(&mut self, now: Duration, place: usize, messages: Vec<UserMessage>) {
        let Some(session) = self.sessions.get_mut(place) else {
            return;
        };
        if !session.is_busy() {
            self.agenda.insert((now, place));
        }
        let mut arrivals = Vec::new();
        for message in messages {
            self.homes.push((place, session.messages.len() + arrivals.len()));
            arrivals.push((format!("msg_{}", self.homes.len()), message));
        }
        session.accept(now, arrivals);
        self.changes += 1;
    }
}

/// Returns what answers a send of one message.
fn sent(session: &Session) -> Box<RawValue> {
    let message = session.messages.last();
    let opened = message.map_or("", |message| &message.opened.event_id);
    recorded(session, message, opened)
}

/// Returns what answers an event of the single form.
pub(super) fn recorded(
    session: &Session,
    message: Option<&Message>,
    event_id: &str,
) -> Box<RawValue> {
    let event = session.ledger.events.iter().rev().find(|event| event.id == event_id);
    written(&Sent {
        event: event.map_or(RawValue::NULL, |event| &event.json),
        message: message.map(Message::summary),
        session: session.view(),
    })
}
