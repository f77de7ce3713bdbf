//! Messages: one user turn each, and the agent's reply once it is done.

mod calls;
mod reply;
mod wait;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::content::{ContentBlock, IntoContent, Part};
use crate::events::{Event, MessageSummary, NewEvent};
use crate::ids::{MessageId, SessionId};
use crate::json::RawJson;
use crate::object::{ExtraFields, growing};
use crate::poll::Wait;
use crate::request::{Request, route};
use crate::sessions::Session;
use crate::status::MessageStatus;

pub use calls::SendMessage;
pub use reply::{MessageError, ToolExchange};
pub use wait::WaitForMessage;

/// One user turn and, once it is done, the agent's reply (contract §2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// Its place in the session's order; it rises, not always by one.
    pub sequence_number: u64,
    /// What the user said.
    #[serde(deserialize_with = "crate::json::list")]
    pub parts: Vec<ContentBlock>,
    /// The free JSON object that came with it.
    #[serde(
        default,
        deserialize_with = "crate::json::optional_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub metadata: Option<RawJson>,
    /// Where it is in its life.
    pub status: MessageStatus,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The reply; none while the agent is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// When it was sent.
    #[serde(with = "crate::time")]
    pub created_at: Timestamp,
    /// When it became final.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// What an agent replied: text, tool calls and results in the order they happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Output {
    /// The parts; a failed message may have none.
    #[serde(default, deserialize_with = "crate::json::list_or_default")]
    pub parts: Vec<Part>,
    /// Why the message failed, in a shape that is not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RawJson>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// The messages of a session, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MessageList {
    /// The messages.
    #[serde(deserialize_with = "crate::json::list")]
    pub messages: Vec<Message>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A message that was recorded in an existing session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SendReply")]
#[non_exhaustive]
pub struct QueuedMessage {
    /// The event that opened the turn.
    pub event: Event,
    /// The message, to wait for.
    pub message: MessageSummary,
    /// The session, where the reply has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Fields newer than this version of the crate.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// A message that was recorded in a new session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct SentMessage {
    /// The event that opened the turn.
    pub event: Event,
    /// The message, to wait for.
    pub message: MessageSummary,
    /// The session that was created.
    pub session: Session,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// Either form of the reply: the newer one, or a list of one event.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct SendReply {
    event: Option<Event>,
    events: Option<Vec<Event>>,
    message: Option<MessageSummary>,
    session: Option<Session>,
    #[serde(skip_deserializing, flatten)]
    extra: ExtraFields,
}

growing!(Message, Output, MessageList, SentMessage, SendReply);

impl TryFrom<SendReply> for QueuedMessage {
    type Error = &'static str;

    fn try_from(reply: SendReply) -> Result<Self, &'static str> {
        let first = || reply.events.and_then(|events| events.into_iter().next());
        let event = reply.event.or_else(first).ok_or("missing field `event`")?;
        // The list form has no summary; its event names the message, which is queued (contract §3).
        let named = || {
            let (status, extra) = (MessageStatus::Queued, ExtraFields::default());
            event.message_id.clone().map(|id| MessageSummary { id, status, extra })
        };
        let message = reply.message.or_else(named).ok_or("missing field `message`")?;
        Ok(Self { event, message, session: reply.session, extra: reply.extra })
    }
}

impl IntoIterator for MessageList {
    type Item = Message;
    type IntoIter = std::vec::IntoIter<Message>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.into_iter()
    }
}

/// The operations on messages; see [`Client::messages`].
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on messages.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let messages = client.messages().list(&id).await?.messages;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages { client: self }
    }
}

impl<'a> Messages<'a> {
    /// Sends a message to an existing session.
    ///
    /// `POST /v1/sessions/{session_id}/events` with one event and an `Idempotency-Key`, contract
    /// §3: repeated as the client's policy says, and recorded once. Fields of
    /// [`metadata`](Call::metadata) travel with it. A busy session queues it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for empty content; not found when the session does not exist.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// let sent = client.messages().send(&session, "And in French?").metadata("round", 2).await?;
    /// println!("{} is {}", sent.message.id, sent.message.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(
        self,
        session: &SessionId,
        content: impl IntoContent,
    ) -> Call<'a, QueuedMessage, SendMessage> {
        let event = NewEvent::user_message(content);
        Call::new(self.client, SendMessage::new(session.clone(), event))
    }

    /// Returns a message as it stands now.
    ///
    /// `GET /v1/messages/{message_id}`, contract §3.
    ///
    /// # Errors
    ///
    /// Not found when there is no such message.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// let message = client.messages().get(&id).await?;
    /// if message.status.is_terminal() {
    ///     println!("{}", message.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self, id: &MessageId) -> Call<'a, Message> {
        Call::plain(
            self.client,
            Request::get("messages.get", route!("/v1/messages/{message_id}", id)),
        )
    }

    /// Lists the messages of a session, in order.
    ///
    /// `GET /v1/sessions/{session_id}/messages`, contract §3.
    ///
    /// # Errors
    ///
    /// Not found when there is no such session.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// for message in client.messages().list(&session).await? {
    ///     println!("{}: {}", message.sequence_number, message.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self, session: &SessionId) -> Call<'a, MessageList> {
        let path = route!("/v1/sessions/{session_id}/messages", session);
        Call::plain(self.client, Request::get("messages.list", path))
    }

    /// Waits until a message is completed or failed, and returns it.
    ///
    /// Asks at once, then after delays that grow from 250 ms to 5 s, for 10 minutes at most. A failed
    /// message is returned like a completed one; [`Message::into_completed`] makes it an error.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`](crate::Error::TimedOut) with the last state seen; passing faults do not
    /// end the wait, others (not found, unauthorized) do.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let message = client
    ///     .messages()
    ///     .wait(&id)
    ///     .timeout(Duration::from_secs(300))
    ///     .on_status(|message| eprintln!("{}...", message.status))
    ///     .await?
    ///     .into_completed()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self, id: &MessageId) -> Wait<'a, Message, WaitForMessage<'a>> {
        Wait::new("messages.wait", WaitForMessage::new(self.client, id.clone()))
    }
}
