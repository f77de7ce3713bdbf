//! Batches: many sessions started by one request, each with a fate of its own.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;

use super::ledger::written;
use super::message::{MessageStatus, readable};
use super::session::Session;
use super::transcript::error_message;
use super::webhooks::{Post, Subject};
use super::{Answer, Organization, State, Visit, place};
use crate::emulator::body::{BatchItem, NewBatch};
use crate::emulator::refusal::Refusal;

/// All batches, and the keys under which they were created.
#[derive(Debug, Default)]
pub(super) struct Batches {
    all: Vec<Batch>,
    /// The places of the owner's batches; nobody else can create one.
    by_key: HashMap<String, usize>,
    /// The batch of each session that belongs to one, both by place.
    by_session: HashMap<usize, usize>,
}

#[derive(Debug)]
struct Batch {
    id: String,
    agent: usize,
    items: Vec<Item>,
    /// Whether the webhook has been told of its end.
    told: bool,
}

/// An item: what was asked for, and the place of its session or why there is none.
#[derive(Debug)]
struct Item {
    agent_id: String,
    version_id: Option<String>,
    llm_id: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    started: Result<usize, String>,
}

/// Where an item, or a whole batch, is in its life (contract §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Queued,
    Running,
    Completed,
    Failed,
    PartialFailed,
}

#[derive(Serialize)]
struct BatchView<'a> {
    batch_id: &'a str,
    status: Status,
    counts: Counts,
    sessions: Vec<ItemView<'a>>,
}

#[derive(Serialize)]
struct Counts {
    queued: usize,
    running: usize,
    completed: usize,
    failed: usize,
}

#[derive(Serialize)]
struct ItemView<'a> {
    index: usize,
    session_id: Option<&'a str>,
    status: Status,
    last_message_status: Option<MessageStatus>,
    agent_id: &'a str,
    version_id: Option<&'a str>,
    llm_id: Option<&'a str>,
    metadata: Option<&'a BTreeMap<String, String>>,
    transcript_url: Option<String>,
    error: Option<String>,
}

impl State {
    /// Starts a session for each item; the same key gives the first batch.
    pub(in crate::emulator) fn create_batch(&mut self, visit: Visit, body: NewBatch) -> Answer {
        self.advance(visit.now);
        let known = body.idempotency_key.as_ref().and_then(|key| self.batches.by_key.get(key));
        if let Some(&place) = known.filter(|_| visit.organization == Organization::Owner) {
            return self.batch_at(place);
        }
        let agent_id = body.items.first().map(|item| item.agent_id.clone()).unwrap_or_default();
        let agent = self.find_live_agent(visit, &agent_id)?;
        let items = body.items.into_iter().map(|item| self.start(visit.now, agent, item));
        let items: Vec<_> = items.collect();
        let place = self.batches.all.len();
        let sessions = items.iter().filter_map(|item| item.started.as_ref().ok());
        self.batches.by_session.extend(sessions.map(|session| (*session, place)));
        let id = format!("batch_{}", place + 1);
        self.batches.all.push(Batch { id, agent, items, told: false });
        self.post_end_of_batch(visit.now, place);
        if let Some(key) = body.idempotency_key {
            self.batches.by_key.insert(key, place);
        }
        self.batch_at(place)
    }

    pub(in crate::emulator) fn batch(&mut self, visit: Visit, id: &str) -> Answer {
        self.advance(visit.now);
        let place = place(id, "batch_").filter(|place| *place < self.batches.all.len());
        let place = visit.admitted(place.ok_or(Refusal::NotFound("Batch"))?)?;
        self.batch_at(place)
    }

    /// Delivers the end of the batch that a session belongs to, if this was its last one.
    pub(super) fn post_batch_news(&mut self, at: Duration, session: usize) {
        if let Some(&place) = self.batches.by_session.get(&session) {
            self.post_end_of_batch(at, place);
        }
    }

    /// Assumption (contract §7): what is told is the whole batch, with each item's metadata.
    fn post_end_of_batch(&mut self, at: Duration, place: usize) {
        let Some(batch) = self.batches.all.get_mut(place).filter(|batch| !batch.told) else {
            return;
        };
        let counts = Counts::of(batch.items.iter().map(|item| item.status(&self.sessions)));
        let Some(kind) = counts.status().news() else {
            return;
        };
        batch.told = true;
        let agent = batch.agent;
        let subject = Subject { batch_id: Some(batch.id.clone()), ..Subject::default() };
        let data = written(&batch.view(&self.sessions));
        self.post(agent, &Post { kind, at, subject, data });
    }

    fn start(&mut self, now: Duration, agent: usize, asked: BatchItem) -> Item {
        let session = self.new_session(now, agent, asked.session());
        let started = match session {
            Ok(session) => {
                self.sessions.push(session);
                let place = self.sessions.len() - 1;
                self.enqueue(now, place, vec![asked.message]);
                Ok(place)
            }
            Err(refusal) => Err(readable(&refusal.detail())),
        };
        let BatchItem { agent_id, version_id, llm_id, metadata, .. } = asked;
        Item { agent_id, version_id, llm_id, metadata, started }
    }

    fn batch_at(&self, place: usize) -> Answer {
        let batch = self.batches.all.get(place).ok_or(Refusal::NotFound("Batch"))?;
        Ok(written(&batch.view(&self.sessions)))
    }
}

impl Batch {
    fn view<'a>(&'a self, sessions: &'a [Session]) -> BatchView<'a> {
        let items = self.items.iter().enumerate();
        let sessions: Vec<_> = items.map(|(index, item)| item.view(index, sessions)).collect();
        let counts = Counts::of(sessions.iter().map(|item| item.status));
        BatchView { batch_id: &self.id, status: counts.status(), counts, sessions }
    }
}

impl Counts {
    fn of(statuses: impl Iterator<Item = Status>) -> Self {
        let mut counts = Self { queued: 0, running: 0, completed: 0, failed: 0 };
        for status in statuses {
            match status {
                Status::Queued => counts.queued += 1,
                Status::Completed => counts.completed += 1,
                Status::Failed => counts.failed += 1,
                Status::Running | Status::PartialFailed => counts.running += 1,
            }
        }
        counts
    }

    /// Returns the status of a batch whose items are counted here.
    fn status(&self) -> Status {
        match self {
            Self { running: 0, completed: 0, failed: 0, .. } => Status::Queued,
            Self { queued: 0, running: 0, failed: 0, .. } => Status::Completed,
            Self { queued: 0, running: 0, completed: 0, .. } => Status::Failed,
            Self { queued: 0, running: 0, .. } => Status::PartialFailed,
            _ => Status::Running,
        }
    }
}

impl Status {
    /// Returns the webhook event of a batch that ends like this.
    fn news(self) -> Option<&'static str> {
        match self {
            Self::Queued | Self::Running => None,
            Self::Completed => Some("batch.completed"),
            Self::Failed => Some("batch.failed"),
            Self::PartialFailed => Some("batch.partial_failed"),
        }
    }
}

impl Item {
    fn session<'a>(&self, sessions: &'a [Session]) -> Option<&'a Session> {
        sessions.get(*self.started.as_ref().ok()?)
    }

    fn status(&self, sessions: &[Session]) -> Status {
        // The item is about its own message, whatever was sent to the session later.
        let message = self.session(sessions).and_then(|session| session.messages.first());
        message.map_or(Status::Failed, |message| message.status.into())
    }

    fn view<'a>(&'a self, index: usize, sessions: &'a [Session]) -> ItemView<'a> {
        let session = self.session(sessions);
        let id = session.map(|session| session.ledger.session_id.as_str());
        let message = session.and_then(|session| session.messages.first());
        ItemView {
            index,
            session_id: id,
            status: self.status(sessions),
            last_message_status: session
                .and_then(|session| session.messages.last())
                .map(|last| last.status),
            agent_id: &self.agent_id,
            version_id: session
                .map(|session| session.version_id.as_str())
                .or(self.version_id.as_deref()),
            llm_id: self.llm_id.as_deref(),
            metadata: self.metadata.as_ref(),
            transcript_url: id.map(|id| format!("/v1/sessions/{id}/transcript")),
            error: self.started.as_ref().err().cloned().or_else(|| error_message(message?)),
        }
    }
}

impl From<MessageStatus> for Status {
    fn from(status: MessageStatus) -> Self {
        match status {
            MessageStatus::Queued => Self::Queued,
            MessageStatus::Completed => Self::Completed,
            MessageStatus::Failed => Self::Failed,
            _ => Self::Running,
        }
    }
}
