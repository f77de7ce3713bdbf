//! Batches: many sessions with one agent, started by one request.

mod new_batch;
mod result;
mod wait;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::ids::{AgentId, BatchId, SessionId, VersionId};
use crate::json::RawJson;
use crate::object::{ExtraFields, growing};
use crate::poll::Wait;
use crate::request::{Request, route};
use crate::status::{BatchItemStatus, BatchStatus, MessageStatus};

pub use new_batch::{BatchItem, CreateBatch, NewBatch};
pub use wait::WaitForBatch;

/// Sessions with one agent, started together (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Batch {
    /// The id.
    #[serde(rename = "batch_id")]
    pub id: BatchId,
    /// Where the batch as a whole is in its life.
    pub status: BatchStatus,
    /// How many items are where, if told; see [`Batch::progress`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<BatchCounts>,
    /// The items, in no promised order; see [`Batch::session`].
    #[serde(default, deserialize_with = "crate::json::list_or_default")]
    pub sessions: Vec<BatchSession>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// How many items of a batch are where in their life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct BatchCounts {
    /// Items that wait for their turn.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub queued: u64,
    /// Items at work.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub running: u64,
    /// Items that ended well.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub completed: u64,
    /// Items that failed.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub failed: u64,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// What became of one item of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct BatchSession {
    /// The place of its item in the request, from 0.
    pub index: u64,
    /// The session; none when it could not be started, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Where the item is in its life.
    pub status: BatchItemStatus,
    /// The status of the session's newest message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_status: Option<MessageStatus>,
    /// The agent.
    pub agent_id: AgentId,
    /// The version of the agent that was asked for, or taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// The language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm_id: Option<String>,
    /// The metadata of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// Where the transcript is: a path at the service.
    ///
    /// It is text to show or store: `client.transcript().get(..)` takes the session's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript_url: Option<String>,
    /// Why it failed; see [`BatchSession::error_text`].
    ///
    /// Its shape is not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RawJson>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Batch, BatchCounts, BatchSession);

/// The operations on batches; see [`Client::batches`].
#[derive(Clone, Copy, Debug)]
pub struct Batches<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on batches.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::BatchId) -> dari::Result<()> {
    /// let batch = client.batches().get(&id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn batches(&self) -> Batches<'_> {
        Batches { client: self }
    }
}

impl<'a> Batches<'a> {
    /// Starts a session for each item, all with one agent.
    ///
    /// `POST /v1/session-batches`, contract §8. The request carries a key of idempotency, so it is
    /// repeated as the client's policy says and starts each session once;
    /// [`idempotency_key`](Call::idempotency_key) takes one that you have stored. The same key
    /// gives the first batch, whatever the items are. More than 100 items: [`NewBatch::split`].
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for no item, more than 100, two agents, an item
    /// without content or with a secret that breaks the contract's rules, and a key that is empty or
    /// longer than 128 characters; not found when the agent does not exist. That a single item
    /// cannot be started is no error: see [`Batch::failed`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// use dari::{BatchItem, NewBatch};
    ///
    /// let tickets = ["T-1042", "T-1043"];
    /// let items = tickets.map(|ticket| {
    ///     BatchItem::new(&agent, format!("Triage {ticket}.")).metadata("ticket", ticket)
    /// });
    /// let batch =
    ///     client.batches().create(NewBatch::new(items)).idempotency_key("triage-05-20").await?;
    /// println!("{} is {}", batch.id, batch.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, batch: NewBatch) -> Call<'a, Batch, CreateBatch> {
        Call::new(self.client, CreateBatch::new(batch))
    }

    /// Returns a batch as it stands now.
    ///
    /// `GET /v1/session-batches/{batch_id}`, contract §8.
    ///
    /// # Errors
    ///
    /// Not found when there is no such batch.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::BatchId) -> dari::Result<()> {
    /// let batch = client.batches().get(&id).await?;
    /// if let Some(session) = batch.session(7).and_then(|item| item.session_id.as_ref()) {
    ///     println!("item 7 runs as {session}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(self, id: &BatchId) -> Call<'a, Batch> {
        Call::plain(
            self.client,
            Request::get("batches.get", route!("/v1/session-batches/{batch_id}", id)),
        )
    }

    /// Waits until a batch has ended, well or not, and returns it.
    ///
    /// Asks at once, then after delays that grow from 250 ms to 5 s, for 10 minutes at most. A
    /// failed batch is returned like a completed one; [`Batch::into_completed`] makes it an error.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`](crate::Error::TimedOut) with the last state seen; passing faults do not
    /// end the wait, others (not found, unauthorized) do.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::BatchId) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let batch = client
    ///     .batches()
    ///     .wait(&id)
    ///     .timeout(Duration::from_secs(3600))
    ///     .on_progress(|batch| eprintln!("{} done", batch.progress().completed))
    ///     .await?;
    /// for item in batch.failed() {
    ///     eprintln!("item {}: {}", item.index, item.error_text().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self, id: &BatchId) -> Wait<'a, Batch, WaitForBatch<'a>> {
        Wait::new("batches.wait", WaitForBatch::new(self.client, id.clone()))
    }
}
