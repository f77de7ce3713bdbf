//! The send of a message to an existing session.

use serde::Serialize;

use crate::call::{Call, Keyed, Operation};
use crate::error::Error;
use crate::events::NewEvent;
use crate::ids::SessionId;
use crate::messages::QueuedMessage;
use crate::request::{Key, KeyPlace, Request, route};

/// The options of [`Messages::send`](crate::Messages::send).
///
/// They are methods of its [`Call`](crate::Call): [`metadata`](crate::Call::metadata) and
/// [`idempotency_key`](crate::Call::idempotency_key), beside those of every call.
#[derive(Debug)]
pub struct SendMessage {
    session: SessionId,
    event: NewEvent,
    key: Key,
}

impl SendMessage {
    pub(super) fn new(session: SessionId, event: NewEvent) -> Self {
        Self { session, event, key: Key::random(KeyPlace::Header) }
    }
}

impl Call<'_, QueuedMessage, SendMessage> {
    /// Adds a field to the message's metadata, which is free JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.operation.event = self.operation.event.metadata(name, value);
        self
    }
}

impl Operation for SendMessage {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "messages.send";
        self.event.check(NAME)?;
        let path = route!("/v1/sessions/{session_id}/events", self.session);
        Request::keyed_post(NAME, path, self.key).json(&self.event)
    }
}

impl Keyed for SendMessage {
    fn key(&mut self) -> &mut Key {
        &mut self.key
    }
}
