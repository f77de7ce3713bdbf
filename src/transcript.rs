//! Transcripts: a session as a reader sees it.

mod markdown;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agents::Agent;
use crate::call::Call;
use crate::client::Client;
use crate::content::ContentBlock;
use crate::ids::{EventId, MessageId, SessionId, ToolCallId};
use crate::json::RawJson;
use crate::object::{ExtraFields, UnknownObject, growing, tagged};
use crate::request::{Request, route};
use crate::sessions::Session;
use crate::status::{MessageStatus, ToolCallStatus};

/// A session as a reader sees it: what was said and done, in display order (contract §4).
///
/// Only the items and their types are certain. Agent and session may be missing, and so may every
/// field of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Transcript {
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What happened.
    pub timeline: Timeline,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

impl Transcript {
    /// Returns the items in display order.
    #[must_use]
    pub fn items(&self) -> &[TranscriptItem] {
        &self.timeline.items
    }
}

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Timeline {
    /// The items, in display order.
    #[serde(deserialize_with = "crate::json::list")]
    pub items: Vec<TranscriptItem>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// One thing that was said or done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TranscriptItem {
    /// What the user said.
    UserMessage(UserItem),
    /// What the agent said.
    AssistantMessage(AssistantItem),
    /// A tool the agent called.
    ToolCall(ToolCallItem),
    /// An item of a type newer than this version of the crate.
    Unknown(UnknownObject),
}

tagged!(TranscriptItem {
    "user_message" => UserMessage,
    "assistant_message" => AssistantMessage,
    "tool_call" => ToolCall,
});

/// What the user said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct UserItem {
    /// The event this item comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The user turn it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What was said.
    #[serde(default, deserialize_with = "crate::json::list_or_default")]
    pub content: Vec<ContentBlock>,
    /// When.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// What the agent said, as far as it is known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AssistantItem {
    /// The event this item comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The user turn it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Where the message is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<MessageStatus>,
    /// What there is so far; empty while the message is queued or running.
    #[serde(default, deserialize_with = "crate::json::list_or_default")]
    pub content: Vec<ContentBlock>,
    /// When.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Why the message failed, if the service says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A tool the agent called, with its result once there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ToolCallItem {
    /// The event this item comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The user turn it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The id the agent gave the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<ToolCallId>,
    /// The tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
    /// The arguments, a JSON object.
    #[serde(
        default,
        deserialize_with = "crate::json::optional_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub arguments: Option<RawJson>,
    /// Where the call is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ToolCallStatus>,
    /// The result or the error, any JSON; a `null` that was sent is kept.
    #[serde(
        default,
        deserialize_with = "crate::json::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub result: Option<RawJson>,
    /// Whether the tool failed.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub is_error: bool,
    /// When it was called.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "crate::time::option", default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Transcript, Timeline, UserItem, AssistantItem, ToolCallItem);

/// The operations on transcripts; see [`Client::transcript`].
#[derive(Clone, Copy, Debug)]
pub struct Transcripts<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on transcripts.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let items = client.transcript().get(&id).await?.timeline.items;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn transcript(&self) -> Transcripts<'_> {
        Transcripts { client: self }
    }
}

impl<'a> Transcripts<'a> {
    /// Returns the transcript of a session.
    ///
    /// `GET /v1/sessions/{session_id}/transcript`, contract §3 and §4.
    ///
    /// # Errors
    ///
    /// Not found when there is no such session.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// let transcript = client.transcript().get(&session).await?;
    /// println!("{}", transcript.to_markdown());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self, session: &SessionId) -> Call<'a, Transcript> {
        let path = route!("/v1/sessions/{session_id}/transcript", session);
        Call::plain(self.client, Request::get("transcript.get", path))
    }
}
