//! The work: each piece ends well, or says of a request that it may have happened.

mod follow;
mod read;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dari::{
    AgentId, BatchItem, Client, Message, NewBatch, NewEvent, NewSession, QueuedMessage,
    RetryPolicy, SentMessage, SessionId, ToolRequest, ToolSet,
};
use fastrand::Rng;

use crate::journal::{Entry, Fate, Ready, Service, Through};
use crate::service::done;
use follow::Goal;

/// How long a wait may take. Its remedies against silence come after 30 s.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Worker {
    client: Client,
    agent: AgentId,
    service: Arc<Service>,
    tools: ToolSet,
    seed: u64,
    tokens: AtomicU64,
    /// How far the work under way has come, by its token.
    places: Mutex<HashMap<String, String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Turn,
    Wait,
    Tools,
    Batch,
    Stream,
    Queue,
    Read,
    Files,
}

/// Why a piece of work was given up.
pub(crate) enum Trouble {
    /// A request may have happened or not, as the client said. So it must be.
    Unknown,
    /// Something that the client should have survived.
    Failed(String),
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Turn,
        Self::Wait,
        Self::Tools,
        Self::Batch,
        Self::Stream,
        Self::Queue,
        Self::Read,
        Self::Files,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl<E: Into<Box<dyn std::error::Error>>> From<E> for Trouble {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<dari::Error>() {
            Some(error) if error.may_have_happened() => Self::Unknown,
            Some(error) => Self::Failed(format!("{error} ({error:?})")),
            None => Self::Failed(error.to_string()),
        }
    }
}

type Done<T = ()> = Result<T, Trouble>;

impl Worker {
    pub(crate) fn new(service: &Arc<Service>, ready: &Ready, seed: u64) -> dari::Result<Self> {
        // More patience than by default, for there are more faults: none of them is to be fatal.
        let retry = RetryPolicy::default().max_attempts(12).first_delay(Duration::from_millis(10));
        let client = Client::builder(ready.key.as_str())
            .base_url(ready.url.as_str())
            .retry(retry.max_delay(Duration::from_millis(500)))
            .retry_budget(u32::MAX)
            .attempt_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .build()?;
        let agent = ready.agent.parse().unwrap_or_else(|_| unreachable!("the emulator's own id"));
        let tools = tools(service);
        let service = service.clone();
        Ok(Self {
            client,
            agent,
            service,
            tools,
            seed,
            tokens: AtomicU64::new(0),
            places: Mutex::default(),
        })
    }

    /// Returns a word that stands for one piece of work, and for nothing else.
    pub(crate) fn token(&self) -> String {
        format!("{}-{}", self.seed, self.tokens.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns how far a piece of work has come, and forgets it.
    pub(crate) fn place(&self, token: &str) -> Option<String> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).remove(token)
    }

    /// Notes how far a piece of work has come.
    fn at(&self, token: &str, place: String) {
        // What belongs to one piece of work is called like it, with something behind a point.
        let token = token.split('.').next().unwrap_or_default().to_owned();
        self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(token, place);
    }

    pub(crate) async fn work(&self, kind: Kind, token: &str, random: &mut Rng) -> Done {
        match kind {
            Kind::Turn => self.turn(token, random).await,
            Kind::Wait => self.wait(token, random).await,
            Kind::Tools => self.run_tools(token, random).await,
            Kind::Batch => self.batch(token, random).await,
            Kind::Stream => self.stream(token, random).await,
            Kind::Queue => self.queue(token, random).await,
            Kind::Read => self.read(token, random).await,
            Kind::Files => self.files(token, random).await,
        }
    }

    /// One message to a new session, and a wait that asks again and again.
    async fn turn(&self, token: &str, random: &mut Rng) -> Done {
        let sent = self.start(token, &format!("turn {}", random.u8(..20))).await?;
        let wait = self.client.messages().wait(&sent.message.id).timeout(PATIENCE);
        check(token, wait.poll_interval(Duration::from_millis(50)).await?)
    }

    /// One message under a key, and a wait that follows the stream.
    async fn wait(&self, token: &str, random: &mut Rng) -> Done {
        let session = self.open(token).await?;
        let sent = self.say(&session, token, &format!("turn {}", random.u8(..20))).await?;
        let wait = self.client.messages().wait(&sent.message.id).timeout(PATIENCE);
        check(token, wait.after(&sent.event).await?)
    }

    async fn run_tools(&self, token: &str, random: &mut Rng) -> Done {
        let sent = self.start(token, &format!("tools {}", random.u8(1..12))).await?;
        let run = self.client.tools().run(&sent.message.id, &self.tools).timeout(PATIENCE);
        let message = if random.bool() { run.after(&sent.event).await? } else { run.await? };
        let session = sent.session.id.to_string();
        self.service.note(&Entry::ToolsDone { session, message: message.id.to_string() });
        check(token, message)
    }

    async fn batch(&self, token: &str, random: &mut Rng) -> Done {
        let tokens: Vec<_> = (0..random.u8(1..6)).map(|n| format!("{token}.{n}")).collect();
        let items = tokens.iter().map(|it| BatchItem::new(&self.agent, format!("{it} turn 3")));
        let created = self.client.batches().create(NewBatch::new(items)).await;
        tokens.iter().for_each(|token| self.note_sent(token, &created));
        let wait = self.client.batches().wait(&created?.id).timeout(PATIENCE);
        let batch = wait.poll_interval(Duration::from_millis(50)).await?.into_completed()?;
        let sessions = batch.sessions.iter().filter(|item| item.session_id.is_some()).count();
        if sessions != tokens.len() {
            return wrong(format!("{sessions} sessions of {}", tokens.len()));
        }
        Ok(())
    }

    /// Two messages in one request, one behind them, and a stream of all three.
    async fn queue(&self, token: &str, random: &mut Rng) -> Done {
        let session = self.open(token).await?;
        let tokens = ["a", "b"].map(|name| format!("{token}.{name}"));
        let events = tokens.each_ref().map(|it| NewEvent::user_message(format!("{it} turn 2")));
        let sent = self.client.sessions().send_events(&session, events).await;
        tokens.iter().for_each(|token| self.note_sent(token, &sent));
        sent?;
        let last = self.say(&session, &format!("{token}.c"), "turn 1").await?;
        let followed =
            self.follow((token, &session), Goal::Message(&last.message.id), random).await?;
        self.note_delivered(&session, followed, Through::Message(last.message.id.to_string()));
        let followed = self.follow((token, &session), Goal::Idle, random).await?;
        self.note_delivered(&session, followed, Through::All);
        Ok(())
    }

    /// Creates a session. Nothing makes that safe to repeat.
    async fn open(&self, token: &str) -> Done<SessionId> {
        let options = NewSession::new().metadata("soak", token);
        let created = self.client.sessions().create(&self.agent).session(options).await;
        self.service.note(&Entry::Created { token: token.to_owned(), fate: fate(&created) });
        let session = created?.id;
        self.at(token, format!("{session} is created"));
        Ok(session)
    }

    /// Sends a message to a new session. Nothing makes that safe to repeat.
    async fn start(&self, token: &str, what: &str) -> Done<SentMessage> {
        let options = NewSession::new().metadata("soak", token);
        let send = self.client.agents().send_message(&self.agent, format!("{token} {what}"));
        let sent = send.session(options).await;
        self.service.note(&Entry::Created { token: token.to_owned(), fate: fate(&sent) });
        self.note_sent(token, &sent);
        let sent = sent?;
        self.at(token, format!("{} is sent to {}", sent.message.id, sent.session.id));
        Ok(sent)
    }

    /// Sends a message to a session, under a key.
    async fn say(&self, session: &SessionId, token: &str, what: &str) -> Done<QueuedMessage> {
        let sent = self.client.messages().send(session, format!("{token} {what}")).await;
        self.note_sent(token, &sent);
        let sent = sent?;
        self.at(token, format!("{} is sent to {session}", sent.message.id));
        Ok(sent)
    }

    fn note_sent<T>(&self, token: &str, sent: &dari::Result<T>) {
        self.service.note(&Entry::Sent { token: token.to_owned(), fate: fate(sent) });
    }

    fn note_delivered(&self, session: &SessionId, events: Vec<String>, through: Through) {
        let session = session.to_string();
        self.service.note(&Entry::Delivered { session, events, through });
    }
}

/// Returns the tools, whose handlers write down that they ran.
fn tools(service: &Arc<Service>) -> ToolSet {
    let note = |service: &Service, call: &ToolRequest| {
        let (session, call) = (call.session_id.to_string(), call.tool_call_id.to_string());
        service.note(&Entry::Handled { session, call });
    };
    let (echoing, failing) = (service.clone(), service.clone());
    ToolSet::new()
        .on_raw("ext_echo", move |call| {
            note(&echoing, &call);
            async move { Ok::<_, String>(call.arguments) }
        })
        .on_raw("ext_fail", move |call| {
            note(&failing, &call);
            async move { Err::<(), _>("as it should") }
        })
}

fn fate<T>(outcome: &dari::Result<T>) -> Fate {
    match outcome {
        Ok(_) => Fate::Done,
        Err(error) if error.may_have_happened() => Fate::Unknown,
        Err(_) => Fate::Refused,
    }
}

fn check(token: &str, message: Message) -> Done {
    let message = message.into_completed()?;
    let text = message.text();
    if !text.ends_with(&done(token)) {
        return wrong(format!("{} says {text:?}", message.id));
    }
    Ok(())
}

/// Returns an error that says what was found instead of what should be.
fn wrong<T>(found: String) -> Done<T> {
    Err(Trouble::Failed(found))
}
