//! The send of a message to an existing session.

use serde::Serialize;

use crate::call::{Call, Keyed, Operation};
use crate::error::Error;
use crate::events::NewEvent;
use crate::ids::SessionId;
use crate::messages::QueuedMessage;
use crate::request::Request;
use crate::retry::Repeat;

/// The options of [`Messages::send`](crate::Messages::send).
#[derive(Debug)]
pub struct SendMessage {
    pub(super) session: SessionId,
    pub(super) event: NewEvent,
}

impl Call<'_, QueuedMessage, SendMessage> {
    /// Adds a field to the message's metadata, which is free JSON.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.operation.event = self.operation.event.metadata(name, value);
        self
    }
}

impl Operation for SendMessage {
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "messages.send";
        self.event.check(NAME)?;
        let path = ["sessions", self.session.as_str(), "events"];
        Request::post(NAME, &path, Repeat::Keyed).json(&self.event)
    }
}

impl Keyed for SendMessage {}
