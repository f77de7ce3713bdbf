//! The whole service in process: a test double that needs no account.
//!
//! [`Emulator`] is a real HTTP server on a loopback port of its own. It answers the reference
//! operations of the Dari API, those they name, batches and costs; its agents follow a script.
//!
//! # A test of your own service
//!
//! Give the code under test a client of the emulator, script what the agent does, and look at what was
//! sent:
//!
//! ```
//! use dari::emulator::{Emulator, ScriptedAgent, Turn};
//! use serde_json::json;
//!
//! /// The code under test.
//! async fn triage(client: &dari::Client, agent: &dari::AgentId) -> dari::Result<String> {
//!     let sent = client.agents().send_message(agent, "Triage T-1042.").await?;
//!     let message = client.messages().wait(&sent.message.id).await?.into_completed()?;
//!     Ok(message.text().into_owned())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = ScriptedAgent::named("triage").turns([
//!     Turn::new()
//!         .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), json!({"priority": "high"}))
//!         .text("It is urgent."),
//!     Turn::new().fail(json!({"message": "overloaded"})),
//! ]);
//! let emulator = Emulator::builder().agent(agent).start().await?;
//! let client = emulator.client()?;
//!
//! assert_eq!(triage(&client, &emulator.agent()).await?, "It is urgent.");
//! let sent = emulator.requests()[0].json()?;
//! assert_eq!(sent["content"][0]["text"], "Triage T-1042.");
//!
//! // The second turn of a session fails, as scripted.
//! let session = client.sessions().list().await?.sessions.remove(0).id;
//! let again = client.messages().send(&session, "Again.").await?;
//! let failed = client.messages().wait(&again.message.id).await?;
//! assert_eq!(failed.error().unwrap().text(), "overloaded");
//! # Ok(())
//! # }
//! ```
//!
//! # Tools that the application runs
//!
//! A turn may call a tool that your service answers (contract §6). The message waits until it does,
//! and what the agent says then can depend on the result:
//!
//! ```
//! use std::time::Duration;
//! use dari::emulator::{Emulator, ExternalCall, ScriptedAgent, Turn};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = ScriptedAgent::named("triage").respond(|_| {
//!     let lookup = ExternalCall::new("lookup_ticket", json!({"ticket_id": "T-1042"}))
//!         .output_schema(json!({"type": "object", "required": ["priority"]}))
//!         .timeout(Duration::from_millis(50));
//!     Turn::new().external_tools([lookup]).then(|results| match results.of("lookup_ticket") {
//!         Some(ticket) if !ticket.is_error() => {
//!             Turn::reply(format!("Its priority is {}.", ticket.value()["priority"]))
//!         }
//!         _ => Turn::reply("I could not look it up."),
//!     })
//! });
//! let emulator = Emulator::builder().agent(agent).start().await?;
//! let client = emulator.client()?;
//!
//! let sent = client.agents().send_message(&emulator.agent(), "Triage T-1042.").await?;
//! // Nobody answers with a `tool.result_submitted`, so the tool's own time limit passes.
//! let message = client.messages().wait(&sent.message.id).await?;
//! assert_eq!(message.text(), "I could not look it up.");
//! # Ok(())
//! # }
//! ```
//!
//! Such calls are also delivered to the agent's webhook, as are the ends of sessions: see
//! [`DeliveryPolicy`].
//!
//! # More
//!
//! The [guide] shows the same service as a program for the shell, [`Fault`] what can go wrong on
//! request, and how to test what your code makes of it.
//!
//! # Time and memory
//!
//! A turn plays in real time: it waits as long as its script says and no longer. The emulator
//! keeps everything in memory, the log of requests included, until it is dropped.

mod behaviour;
mod body;
mod client;
mod cost;
mod deliver;
mod deliveries;
mod external;
mod fault;
mod files;
mod gate;
mod line;
mod log;
mod refusal;
mod routes;
mod script;
mod server;
mod service;
mod state;
mod stream;
mod workspace;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::AgentId;
use tokio::sync::watch;

use deliveries::DeliveryLog;
use fault::Faults;
use log::{Listener, RequestLog};
use server::Server;
use service::{Service, Settings};

pub use behaviour::BehaviourError;
pub use deliveries::{DeliveryAttempt, DeliveryPolicy};
pub use external::{CallResult, CallResults, ExternalCall};
pub use fault::{Chaos, Fault, FaultKind, Route};
pub use log::ReceivedRequest;
pub use script::{ScriptedAgent, Turn, TurnInput};

#[doc = include_str!("GUIDE.md")]
pub mod guide {}

/// The key of an emulator that was given none.
const DEFAULT_API_KEY: &str = "dari_emulator_key";
/// How long a stream is silent before it sends a comment.
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(15);

/// The largest file that may be uploaded, where nothing else is said; the contract names none.
const DEFAULT_MAX_FILE_BYTES: usize = 32 << 20;

/// A Dari service in process; dropping it stops it.
///
/// It runs on a thread of its own, so neither a blocked thread nor a paused clock of the caller
/// disturbs it. Dropping it closes the port and every connection before `drop` returns.
pub struct Emulator {
    server: Server,
    api_key: String,
    agents: Vec<AgentId>,
    first_agent: AgentId,
    log: Arc<RequestLog>,
    faults: Arc<Faults>,
    deliveries: Arc<DeliveryLog>,
    bell: watch::Sender<u64>,
}

/// Chooses agents and keys of an [`Emulator`].
#[must_use = "nothing runs until `start`"]
pub struct EmulatorBuilder {
    agents: Vec<ScriptedAgent>,
    api_key: String,
    other_api_key: Option<String>,
    heartbeat: Duration,
    port: u16,
    faults: Vec<Fault>,
    chaos: Option<Chaos>,
    listener: Option<Listener>,
    max_file_bytes: usize,
    cost_delay: Duration,
    deliveries: DeliveryPolicy,
}

impl Emulator {
    /// Returns a running emulator with one echo agent.
    ///
    /// # Errors
    /// If no loopback port or no thread can be had.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder, to choose agents and keys.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            agents: Vec::new(),
            api_key: DEFAULT_API_KEY.to_owned(),
            other_api_key: None,
            heartbeat: DEFAULT_HEARTBEAT,
            port: 0,
            faults: Vec::new(),
            chaos: None,
            listener: None,
            max_file_bytes: DEFAULT_MAX_FILE_BYTES,
            cost_delay: Duration::ZERO,
            deliveries: DeliveryPolicy::default(),
        }
    }

    /// Returns the base URL, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns the API key that it accepts.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the id of the first agent.
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.first_agent.clone()
    }

    /// Returns the ids of all agents, in the order added.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentId> {
        self.agents.clone()
    }

    /// Returns every request received, refused ones too.
    ///
    /// They stand in the order in which they arrived whole.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.log.all()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        self.log.clear();
    }

    /// Returns how many event streams are open.
    ///
    /// A closed one is noticed soon after, not at once: ask until the number is as expected.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.bell.receiver_count()
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("url", &self.url())
            .field("agents", &self.agents)
            .finish_non_exhaustive()
    }
}

impl EmulatorBuilder {
    /// Adds an agent: the first is `agt_1`, the next `agt_2`.
    ///
    /// Without any there is one echo agent.
    pub fn agent(mut self, agent: ScriptedAgent) -> Self {
        self.agents.push(agent);
        self
    }

    /// Sets the API key; the default is `dari_emulator_key`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = key.into();
        self
    }

    /// Adds the key of an organization that owns nothing.
    ///
    /// Whatever exists answers it with 403, whatever does not with 404.
    pub fn other_organization(mut self, key: impl Into<String>) -> Self {
        self.other_api_key = Some(key.into());
        self
    }

    /// Sets how long a stream may be silent; the default is 15 s.
    ///
    /// After that long without an event it sends a comment. Less than 1 ms counts as 1 ms.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval.max(Duration::from_millis(1));
        self
    }

    /// Sets the loopback port; the default, 0, is any free one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::Emulator;
    ///
    /// let first = Emulator::start().await?;
    /// let port = first.url().rsplit(':').next().unwrap().parse()?;
    /// assert!(Emulator::builder().port(port).start().await.is_err(), "it is taken");
    /// # Ok(())
    /// # }
    /// ```
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets a function that is told of every answer.
    ///
    /// It is called once a request, when the answer begins, or when there will be none: the client
    /// or a fault has closed the connection. It runs on the emulator's thread and must not block.
    ///
    /// ```
    /// use dari::emulator::Emulator;
    ///
    /// let builder = Emulator::builder().on_answer(|request| {
    ///     println!("{} {} {:?}", request.method(), request.path(), request.status());
    /// });
    /// ```
    pub fn on_answer(mut self, told: impl Fn(&ReceivedRequest) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(told));
        self
    }

    /// Sets the largest file that may be uploaded; the default is 32 MiB.
    ///
    /// A larger one is refused with 413.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::FileSource;
    /// use dari::emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().max_file_bytes(4).start().await?;
    /// let client = emulator.client()?;
    /// let refused = client.files().upload(FileSource::bytes("a.txt", "12345")).await;
    /// assert!(refused.unwrap_err().is_too_large());
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_file_bytes(mut self, bytes: usize) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets how long after a run its cost can be asked for; the default is 0 s.
    ///
    /// Until then the answer is 404, as it is while the session is at work.
    pub fn cost_delay(mut self, delay: Duration) -> Self {
        self.cost_delay = delay;
        self
    }

    /// Starts the emulator on a loopback port.
    ///
    /// # Errors
    /// If the port is taken, or no port or thread can be had.
    pub async fn start(mut self) -> io::Result<Emulator> {
        if self.agents.is_empty() {
            self.agents.push(ScriptedAgent::echo());
        }
        let ids = (1..=self.agents.len()).map(agent_id).collect::<io::Result<_>>()?;
        let api_key = self.api_key.clone();
        self.faults.extend(self.agents.iter_mut().flat_map(ScriptedAgent::take_faults));
        let service = Service::new(Settings {
            agents: self.agents,
            api_key: self.api_key,
            other_api_key: self.other_api_key,
            heartbeat: self.heartbeat,
            listener: self.listener,
            max_file_bytes: self.max_file_bytes,
            cost_delay: self.cost_delay,
            deliveries: self.deliveries,
        });
        let faults = service.faults.clone();
        self.faults.into_iter().for_each(|fault| faults.inject(fault));
        self.chaos.into_iter().for_each(|chaos| faults.inject_chaos(chaos));
        Ok(Emulator {
            log: service.log.clone(),
            deliveries: service.delivery_log.clone(),
            bell: service.bell.clone(),
            faults,
            server: Server::start(service, self.port).await?,
            api_key,
            agents: ids,
            first_agent: agent_id(1)?,
        })
    }
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder").field("agents", &self.agents).finish_non_exhaustive()
    }
}

fn agent_id(number: usize) -> io::Result<AgentId> {
    format!("agt_{number}").parse().map_err(io::Error::other)
}
