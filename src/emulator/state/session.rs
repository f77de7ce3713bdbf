//! A session: what it was created with, its messages and its ledger.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::files::Workspace;
use super::ledger::{Data, Ledger, Mark};
use super::message::{Message, MessageStatus, Output};
use super::tools::OpenCall;
use super::webhooks::Post;
use crate::emulator::body::{NewSession, UserMessage};
use crate::emulator::cost::Spent;
use crate::emulator::script::Step;

#[derive(Debug)]
pub(super) struct Session {
    /// The place of its agent among all agents.
    pub(super) agent: usize,
    pub(super) version_id: String,
    options: NewSession,
    created_at: String,
    pub(super) ledger: Ledger,
    pub(super) messages: Vec<Message>,
    /// Places of the messages whose turn has not begun.
    pub(super) waiting: VecDeque<usize>,
    pub(super) turn: Option<ActiveTurn>,
    /// What the agent wrote.
    pub(super) workspace: Workspace,
    /// The answers given under an `Idempotency-Key`.
    pub(super) answers: HashMap<String, Box<RawValue>>,
    pub(super) spent: Spent,
    /// What a webhook may want to know.
    pub(super) news: Vec<Post>,
}

/// What a session is created from.
pub(super) struct Opening {
    pub(super) at: Duration,
    pub(super) agent: usize,
    pub(super) version_id: String,
    pub(super) options: NewSession,
}

/// The turn that is being played, with the steps that are left.
#[derive(Debug)]
pub(super) struct ActiveTurn {
    pub(super) message: usize,
    pub(super) steps: VecDeque<Step>,
    /// The external calls without a result; nothing is played until there are none.
    pub(super) open: Vec<OpenCall>,
}

/// A session as every answer shows it.
#[derive(Serialize)]
pub(super) struct SessionView<'a> {
    id: &'a str,
    name: Option<&'a str>,
    agent_id: &'a str,
    version_id: &'a str,
    storage_binding_id: Option<&'a str>,
    internet_access: bool,
    llm_id: Option<&'a str>,
    status: &'static str,
    last_message_id: Option<&'a str>,
    last_message_status: Option<MessageStatus>,
    created_at: &'a str,
    metadata: BTreeMap<&'a str, &'a str>,
}

impl Session {
    /// Returns an idle session with an empty ledger.
    pub(super) fn new(ledger: Ledger, opening: Opening) -> Self {
        Self {
            agent: opening.agent,
            version_id: opening.version_id,
            options: opening.options,
            created_at: ledger.epoch.stamp(opening.at),
            ledger,
            messages: Vec::new(),
            waiting: VecDeque::new(),
            turn: None,
            workspace: Workspace::new(),
            answers: HashMap::new(),
            spent: Spent::default(),
            news: Vec::new(),
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.turn.is_some() || !self.waiting.is_empty()
    }

    /// Stores messages with these ids and queues their turns.
    ///
    /// The events of the messages follow one another without a gap.
    pub(super) fn accept(&mut self, at: Duration, arrivals: Vec<(String, UserMessage)>) {
        let was_idle = !self.is_busy();
        for (id, input) in arrivals {
            let opened = self.open(at, (&id, &input));
            self.waiting.push_back(self.messages.len());
            let message = self.queued(id, input, opened);
            self.messages.push(message);
        }
        if was_idle {
            self.status_changed(at, "running");
        }
    }

    /// Records that the session's status changed.
    pub(super) fn status_changed(&mut self, at: Duration, status: &'static str) {
        self.ledger.record(at, None, &Data::SessionStatus { status });
    }

    /// Returns whether every pair stands in the session's metadata.
    pub(super) fn matches(&self, wanted: &[(String, String)]) -> bool {
        let metadata = self.options.metadata.as_ref();
        wanted.iter().all(|(key, value)| metadata.and_then(|known| known.get(key)) == Some(value))
    }

    /// Returns the metadata given at creation.
    pub(super) fn metadata(&self) -> Option<&BTreeMap<String, String>> {
        self.options.metadata.as_ref()
    }

    pub(super) fn view(&self) -> SessionView<'_> {
        let last = self.messages.last();
        let metadata = self.options.metadata.iter().flatten();
        SessionView {
            id: &self.ledger.session_id,
            name: self.options.name.as_deref(),
            agent_id: &self.ledger.agent_id,
            version_id: &self.version_id,
            storage_binding_id: self.options.storage_binding_id.as_deref(),
            internet_access: self.options.internet_access.unwrap_or(false),
            llm_id: self.options.llm_id.as_deref(),
            status: if self.is_busy() { "running" } else { "idle" },
            last_message_id: last.map(|message| message.id.as_str()),
            last_message_status: last.map(|message| message.status),
            created_at: &self.created_at,
            metadata: metadata.map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        }
    }

    fn open(&mut self, at: Duration, (id, input): (&str, &UserMessage)) -> Mark {
        let data = Data::UserMessage {
            content: &input.content,
            metadata: input.metadata.as_deref(),
            message_id: id,
        };
        self.ledger.record(at, Some(id), &data)
    }

    fn queued(&self, id: String, input: UserMessage, opened: Mark) -> Message {
        Message {
            id,
            session_id: self.ledger.session_id.clone(),
            sequence_number: self.messages.len() as u64 + 1,
            parts: input.content,
            metadata: input.metadata,
            status: MessageStatus::Queued,
            attempt: 1,
            output: None,
            created_at: opened.at.clone(),
            completed_at: None,
            draft: Output::default(),
            calls: Vec::new(),
            answered: opened.clone(),
            opened,
        }
    }
}
