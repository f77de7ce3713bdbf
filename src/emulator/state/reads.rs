//! Requests that only look.

use serde::Serialize;
use serde_json::value::RawValue;

use super::ledger::written;
use super::message::Message;
use super::session::SessionView;
use super::transcript::Transcript;
use super::{Answer, Organization, State, Visit};
use crate::emulator::refusal::Refusal;

#[derive(Serialize)]
struct Sessions<'a> {
    sessions: Vec<SessionView<'a>>,
}

#[derive(Serialize)]
struct Messages<'a> {
    messages: &'a [Message],
}

#[derive(Serialize)]
struct Events<'a> {
    events: Vec<&'a RawValue>,
}

impl State {
    pub(in crate::emulator) fn session(&mut self, visit: Visit, id: &str) -> Answer {
        self.find_session(visit, id).map(|(_, session)| written(&session.view()))
    }

    /// Lists the sessions whose metadata has all these pairs.
    pub(in crate::emulator) fn sessions(
        &mut self,
        visit: Visit,
        metadata: &[(String, String)],
    ) -> Answer {
        self.advance(visit.now);
        let mine = visit.organization == Organization::Owner;
        let found = self.sessions.iter().filter(|session| mine && session.matches(metadata));
        Ok(written(&Sessions { sessions: found.map(|session| session.view()).collect() }))
    }

    pub(in crate::emulator) fn agent_sessions(&mut self, visit: Visit, agent_id: &str) -> Answer {
        let agent = self.find_agent(visit, agent_id)?;
        let found = self.sessions.iter().filter(|session| session.agent == agent);
        Ok(written(&Sessions { sessions: found.map(|session| session.view()).collect() }))
    }

    pub(in crate::emulator) fn message(&mut self, visit: Visit, id: &str) -> Answer {
        self.find_message(visit, id).map(written)
    }

    pub(in crate::emulator) fn messages(&mut self, visit: Visit, session_id: &str) -> Answer {
        let (_, session) = self.find_session(visit, session_id)?;
        Ok(written(&Messages { messages: &session.messages }))
    }

    /// Lists the first events of a session, at most `limit`.
    pub(in crate::emulator) fn events(
        &mut self,
        visit: Visit,
        session_id: &str,
        limit: usize,
    ) -> Answer {
        let (_, session) = self.find_session(visit, session_id)?;
        let events = session.ledger.events.iter().take(limit);
        Ok(written(&Events { events: events.map(|event| &*event.json).collect() }))
    }

    pub(in crate::emulator) fn transcript(&mut self, visit: Visit, session_id: &str) -> Answer {
        let (place, _) = self.find_session(visit, session_id)?;
        let session = self.sessions.get(place).ok_or(Refusal::NotFound("Session"))?;
        let agent = self.agents.get(session.agent).ok_or(Refusal::NotFound("Agent"))?;
        Ok(written(&Transcript::of(session, agent)))
    }
}
