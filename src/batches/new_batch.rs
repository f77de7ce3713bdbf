//! What a new batch shall be: its items, its key, and what is refused before it is sent.

use serde::Serialize;

use crate::call::{Keyed, Operation};
use crate::content::IntoContent;
use crate::error::Error;
use crate::events::NewMessage;
use crate::ids::{AgentId, VersionId};
use crate::request::{Key, KeyPlace, Request, route};
use crate::secret::Secret;
use crate::sessions::NewSession;

const CREATE: &str = "batches.create";
/// How long a key may be, in characters (contract §8).
const LONGEST_KEY: usize = 128;

/// One session to start, with its first message.
///
/// ```
/// use dari::{AgentId, BatchItem};
///
/// let agent: AgentId = "agt_123".parse()?;
/// let item = BatchItem::new(&agent, "Triage T-1042.")
///     .metadata("ticket", "T-1042")
///     .message_metadata("attempt", 1)
///     .version_id("ver_7".parse()?)
///     .llm_id("llm_fast")
///     .secret("CRM_TOKEN", "t0ps3cret");
/// assert!(!format!("{item:?}").contains("t0ps3cret"));
/// # Ok::<(), dari::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use = "an item does nothing until it is part of a batch"]
pub struct BatchItem {
    agent_id: AgentId,
    #[serde(flatten)]
    session: NewSession,
    message: NewMessage,
}

impl BatchItem {
    /// Returns an item that sends this content to a new session.
    pub fn new(agent: &AgentId, content: impl IntoContent) -> Self {
        let (session, message) = (NewSession::new(), NewMessage::new(content));
        Self { agent_id: agent.clone(), session, message }
    }

    /// Adds a field to the session's metadata.
    ///
    /// Sessions can be listed by it.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.session = self.session.metadata(name, value);
        self
    }

    /// Adds a field to the message's metadata, which is free JSON.
    pub fn message_metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.message.add_metadata(name.into(), &value);
        self
    }

    /// Gives the agent a secret, as [`NewSession::secret`] does.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.session = self.session.secret(name, value);
        self
    }

    /// Sets the language model.
    pub fn llm_id(mut self, id: impl Into<String>) -> Self {
        self.session = self.session.llm_id(id);
        self
    }

    /// Pins a version of the agent other than the active one.
    pub fn version_id(mut self, id: VersionId) -> Self {
        self.session = self.session.version_id(id);
        self
    }

    fn check(&self) -> Result<(), Error> {
        self.message.check(CREATE)?;
        self.session.check(CREATE)
    }
}

/// Up to 100 items for one agent, to be started together.
///
/// ```
/// use dari::{AgentId, BatchItem, NewBatch};
///
/// let agent: AgentId = "agt_123".parse()?;
/// let batch = NewBatch::new([BatchItem::new(&agent, "One."), BatchItem::new(&agent, "Two.")]);
/// # Ok::<(), dari::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a batch does nothing until it is created"]
pub struct NewBatch {
    items: Vec<BatchItem>,
    /// The key that a split derived; one is made for each call otherwise.
    key: Option<String>,
}

impl NewBatch {
    /// How many items fit into one batch (contract §8).
    pub const MAX_ITEMS: usize = 100;

    /// Returns a batch of these items, whose index is their place.
    pub fn new(items: impl IntoIterator<Item = BatchItem>) -> Self {
        Self { items: items.into_iter().collect(), key: None }
    }

    /// Splits any number of items into batches, each with a key.
    ///
    /// The order stays, and every batch but the last is full: item `i` of them all has the index
    /// `i % 100` in batch `i / 100`. The keys are derived from `key`: the second of three batches
    /// has `{key}-2-of-3`. So a program that stored `key` and was cut off can split the same
    /// items again and create every batch again: those that exist are not started a second time.
    /// The service looks at the key alone, so other items need another key.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what [`create`](crate::Batches::create) would refuse in any of the
    /// batches, so that no half of them is started; and for a `key` too long for what is added.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
    /// use dari::{BatchItem, NewBatch};
    ///
    /// let items = (0..250).map(|n| BatchItem::new(&agent, format!("Run case {n}.")));
    /// let mut ids = Vec::new();
    /// for batch in NewBatch::split(items, "nightly-2026-05-20")? {
    ///     ids.push(client.batches().create(batch).await?.id);
    /// }
    /// assert_eq!(ids.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn split<I>(items: I, key: &str) -> Result<Vec<Self>, Error>
    where
        I: IntoIterator<Item = BatchItem>,
    {
        let items: Vec<_> = items.into_iter().collect();
        let parts = items.len().div_ceil(Self::MAX_ITEMS);
        check_items(&items)?;
        check_key(key)?;
        // The last key is as long as any of them.
        check_key(&part_key(key, parts, parts))?;
        let mut items = items.into_iter();
        let batches = (1..=parts).map(|part| Self {
            items: items.by_ref().take(Self::MAX_ITEMS).collect(),
            key: Some(part_key(key, part, parts)),
        });
        Ok(batches.collect())
    }
}

fn part_key(key: &str, part: usize, parts: usize) -> String {
    format!("{key}-{part}-of-{parts}")
}

fn check_items(items: &[BatchItem]) -> Result<(), Error> {
    let Some(first) = items.first() else {
        return Err(Error::invalid(CREATE, "items", "there is none"));
    };
    for (index, item) in items.iter().enumerate() {
        if item.agent_id != first.agent_id {
            let reason = format!("item {index} is for another agent than item 0");
            return Err(Error::invalid(CREATE, "agent_id", reason));
        }
        item.check().map_err(|error| error.in_item(index))?;
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), Error> {
    let invalid = |reason: String| Err(Error::invalid(CREATE, "idempotency key", reason));
    match key.chars().count() {
        0 => invalid("it is empty".to_owned()),
        length if length > LONGEST_KEY => {
            invalid(format!("it has {length} characters, at most {LONGEST_KEY} are allowed"))
        }
        _ => Ok(()),
    }
}

/// The options of [`Batches::create`](crate::Batches::create).
///
/// They are methods of its [`Call`](crate::Call):
/// [`idempotency_key`](crate::Call::idempotency_key), beside those of every call.
#[derive(Debug)]
pub struct CreateBatch {
    items: Vec<BatchItem>,
    key: Key,
}

impl CreateBatch {
    pub(super) fn new(batch: NewBatch) -> Self {
        let mut key = Key::random(KeyPlace::Body);
        if let Some(derived) = batch.key {
            key.replace(derived);
        }
        Self { items: batch.items, key }
    }
}

impl Operation for CreateBatch {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            idempotency_key: &'a str,
            items: &'a [BatchItem],
        }

        let most = NewBatch::MAX_ITEMS;
        if self.items.len() > most {
            let reason = format!("there are {}, at most {most} are allowed", self.items.len());
            return Err(Error::invalid(CREATE, "items", reason));
        }
        check_items(&self.items)?;
        check_key(self.key.as_str())?;
        let body = Body { idempotency_key: self.key.as_str(), items: &self.items };
        Request::keyed_post(CREATE, route!("/v1/session-batches"), self.key.clone()).json(&body)
    }
}

impl Keyed for CreateBatch {
    fn key(&mut self) -> &mut Key {
        &mut self.key
    }
}
