//! The operations on sessions that have options or a body.

use serde::Serialize;

use crate::call::{Call, Operation};
use crate::error::Error;
use crate::events::{EventList, NewEvent};
use crate::ids::{AgentId, SessionId};
use crate::request::{Request, route};
use crate::retry::Repeat;
use crate::sessions::{NewSession, Session, SessionList};

/// The options of [`Sessions::create`](crate::Sessions::create).
///
/// They are methods of its [`Call`](crate::Call): [`session`](crate::Call::session), beside those
/// of every call.
#[derive(Debug)]
pub struct CreateSession {
    pub(super) agent: AgentId,
    pub(super) session: NewSession,
}

impl Call<'_, Session, CreateSession> {
    /// Sets what the new session shall be like.
    pub fn session(mut self, session: NewSession) -> Self {
        self.operation.session = session;
        self
    }
}

impl Operation for CreateSession {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "sessions.create";

        self.session.check(NAME)?;
        let path = route!("/v1/agents/{agent_id}/sessions", self.agent);
        Request::post(NAME, path, Repeat::Unsafe).json(&self.session)
    }
}

/// The options of [`Sessions::list`](crate::Sessions::list).
///
/// They are methods of its [`Call`](crate::Call): [`metadata`](crate::Call::metadata), beside those
/// of every call.
#[derive(Debug)]
pub struct ListSessions(pub(super) Request);

impl Call<'_, SessionList, ListSessions> {
    /// Keeps to sessions whose metadata has this value.
    pub fn metadata(mut self, name: &str, value: impl Into<String>) -> Self {
        let request = self.operation.0;
        self.operation.0 = request.query(format!("metadata.{name}"), value);
        self
    }
}

impl Operation for ListSessions {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        Ok(self.0)
    }
}

/// The options of [`Sessions::events`](crate::Sessions::events).
///
/// They are methods of its [`Call`](crate::Call): [`limit`](crate::Call::limit), beside those of
/// every call.
#[derive(Debug)]
pub struct ListEvents(pub(super) Request);

impl Call<'_, EventList, ListEvents> {
    /// Sets how many events are listed at most.
    pub fn limit(mut self, events: u64) -> Self {
        self.operation.0 = self.operation.0.query("limit", events.to_string());
        self
    }
}

impl Operation for ListEvents {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        Ok(self.0)
    }
}

/// The inside of [`Sessions::send_events`](crate::Sessions::send_events).
#[derive(Debug)]
pub struct SendEvents {
    pub(super) session: SessionId,
    pub(super) events: Vec<NewEvent>,
}

impl Operation for SendEvents {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "sessions.send_events";
        #[derive(Serialize)]
        struct Body {
            events: Vec<NewEvent>,
        }

        if self.events.is_empty() {
            return Err(Error::invalid(NAME, "events", "there is none"));
        }
        self.events.iter().try_for_each(|event| event.check(NAME))?;
        let path = route!("/v1/sessions/{session_id}/events", self.session);
        Request::post(NAME, path, Repeat::Unsafe).json(&Body { events: self.events })
    }
}
