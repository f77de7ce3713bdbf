//! Sessions: durable conversations with one agent.

mod calls;
mod new_session;
mod source;
mod tool_result;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::events::{Event, EventList, NewEvent};
use crate::ids::{AgentId, MessageId, SessionId, VersionId};
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::status::{MessageStatus, SessionStatus};
use crate::stream::EventStream;

use source::SessionSource;

pub use calls::{CreateSession, ListEvents, ListSessions, SendEvents};
pub use new_session::NewSession;
pub use tool_result::{SubmitToolResult, SubmittedToolResult};

/// A durable conversation with one version of an agent (contract §2).
///
/// Replies differ in which fields they carry: all but the two ids may be missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The name it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The agent.
    pub agent_id: AgentId,
    /// The version of the agent that was active when the session was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// The storage bound to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_binding_id: Option<String>,
    /// Whether its tools may reach the internet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet_access: Option<bool>,
    /// The language model it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm_id: Option<String>,
    /// What it is doing; judge a turn by the message's status, not by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<SessionStatus>,
    /// Its newest message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_id: Option<MessageId>,
    /// The status of its newest message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_status: Option<MessageStatus>,
    /// When it was created.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The metadata it was created with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A list of sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct SessionList {
    /// The sessions.
    #[serde(deserialize_with = "crate::json::list")]
    pub sessions: Vec<Session>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Session, SessionList);

impl IntoIterator for SessionList {
    type Item = Session;
    type IntoIter = std::vec::IntoIter<Session>;

    fn into_iter(self) -> Self::IntoIter {
        self.sessions.into_iter()
    }
}

/// The recorded events, in the order they were sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SentEventsReply")]
#[non_exhaustive]
pub struct SentEvents {
    /// The events, each with the message it opened.
    pub events: Vec<Event>,
    /// Fields newer than this version of the crate.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// Either form of the reply: several events, or the one of the newer form.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct SentEventsReply {
    events: Option<Vec<Event>>,
    event: Option<Event>,
    #[serde(skip_deserializing, flatten)]
    extra: ExtraFields,
}

growing!(SentEventsReply);

impl TryFrom<SentEventsReply> for SentEvents {
    type Error = &'static str;

    fn try_from(reply: SentEventsReply) -> Result<Self, &'static str> {
        let events = reply.events.or_else(|| reply.event.map(|event| vec![event]));
        Ok(Self { events: events.ok_or("missing field `events`")?, extra: reply.extra })
    }
}

/// The operations on sessions; see [`Client::sessions`].
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on sessions.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let session = client.sessions().get(&id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { client: self }
    }
}

impl<'a> Sessions<'a> {
    /// Creates an idle session with an agent.
    ///
    /// Options are set with [`session`](Call::session). `POST /v1/agents/{agent_id}/sessions`,
    /// contract §3. Not repeated once it may have arrived: no idempotency key is documented.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for a secret that breaks the contract's rules; not
    /// found when the agent does not exist or is deleted.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// use dari::NewSession;
    ///
    /// let options = NewSession::new().name("Ticket T-1042").metadata("team", "support");
    /// let session = client.sessions().create(&agent).session(options).await?;
    /// assert_eq!(session.name.as_deref(), Some("Ticket T-1042"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, agent: &AgentId) -> Call<'a, Session, CreateSession> {
        Call::new(self.client, CreateSession { agent: agent.clone(), session: NewSession::new() })
    }

    /// Returns a session.
    ///
    /// `GET /v1/sessions/{session_id}`, contract §3.
    ///
    /// # Errors
    ///
    /// Not found when there is no such session.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// # let id = client.sessions().create(&agent).await?.id;
    /// let session = client.sessions().get(&id).await?;
    /// assert_eq!(session.agent_id, agent);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self, id: &SessionId) -> Call<'a, Session> {
        Call::plain(
            self.client,
            Request::get("sessions.get", route!("/v1/sessions/{session_id}", id)),
        )
    }

    /// Lists sessions, all or by metadata.
    ///
    /// `GET /v1/sessions`, contract §3. That several conditions must all hold is an assumption.
    ///
    /// # Errors
    ///
    /// Those of every call; see [`Error`](crate::Error).
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// for session in client.sessions().list().metadata("team", "support").await? {
    ///     println!("{}", session.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> Call<'a, SessionList, ListSessions> {
        Call::new(self.client, ListSessions(Request::get("sessions.list", route!("/v1/sessions"))))
    }

    /// Lists the sessions of one agent.
    ///
    /// `GET /v1/agents/{agent_id}/sessions`, contract §3.
    ///
    /// # Errors
    ///
    /// Not found when there is no such agent.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// let sessions = client.sessions().list_for_agent(&agent).await?.sessions;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_for_agent(self, agent: &AgentId) -> Call<'a, SessionList> {
        let path = route!("/v1/agents/{agent_id}/sessions", agent);
        Call::plain(self.client, Request::get("sessions.list_for_agent", path))
    }

    /// Adds several events to a session at once.
    ///
    /// `POST /v1/sessions/{session_id}/events` with the array body of the reference page, contract
    /// §3. That form has no idempotency key, so it is never repeated once it may have arrived; for one
    /// message, `messages().send(..)` is repeated safely.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for no event at all, or one without content.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// # let id = client.sessions().create(&agent).await?.id;
    /// use dari::NewEvent;
    ///
    /// let first = NewEvent::user_message("Read the ticket.").metadata("ticket_id", "T-1042");
    /// let then = NewEvent::user_message("Draft a reply.");
    /// let sent = client.sessions().send_events(&id, [first, then]).await?;
    /// assert_eq!(sent.events.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_events<E>(self, id: &SessionId, events: E) -> Call<'a, SentEvents, SendEvents>
    where
        E: IntoIterator<Item = NewEvent>,
    {
        let events = events.into_iter().collect();
        Call::new(self.client, SendEvents { session: id.clone(), events })
    }

    /// Lists the events of a session, from its first.
    ///
    /// `GET /v1/sessions/{session_id}/events`, contract §3. Without a [`limit`](Call::limit) the
    /// server's own default, of unknown size, may cut the list.
    ///
    /// # Errors
    ///
    /// Not found when there is no such session.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// # let id = client.sessions().create(&agent).await?.id;
    /// for event in client.sessions().events(&id).limit(1000).await? {
    ///     println!("{:?} {}", event.sequence_number, event.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(self, id: &SessionId) -> Call<'a, EventList, ListEvents> {
        let request =
            Request::get("sessions.events", route!("/v1/sessions/{session_id}/events", id));
        Call::new(self.client, ListEvents(request))
    }

    /// Follows the events of a session, each once and in order.
    ///
    /// `GET /v1/sessions/{session_id}/stream`, contract §5. Nothing connects before the first event
    /// is asked for. The stream goes on through lost connections, and does not end with a turn:
    /// say [`until`](EventStream::until) when it shall. What it guarantees stands at
    /// [`EventStream`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// use dari::EventKind;
    ///
    /// let stream = client.sessions().stream(&sent.session.id);
    /// let mut events = stream.after(&sent.event).until(&sent.message.id);
    /// while let Some(event) = events.try_next().await? {
    ///     if let EventKind::ToolCallRequested(call) = event.kind() {
    ///         println!("calls {}", call.tool_name.unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn stream(self, id: &SessionId) -> EventStream {
        let source = SessionSource { client: self.client.clone(), session: id.clone() };
        EventStream::new(Box::new(source), self.client.inner().limits.event)
    }
}
