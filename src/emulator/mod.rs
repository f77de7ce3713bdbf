//! The whole service in process: a test double that needs no account.
//!
//! [`Emulator`] is a real HTTP server on a loopback port of its own. It answers every
//! operation of the crate, delivers webhooks, and goes wrong on request; its agents follow a script.
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
//! How to test a service of yours with it is taught in [testing](crate::guide::testing). The
//! [guide] here shows the same service as a program for the shell, [`Fault`] what can go wrong on
//! request, and how to test what your code makes of it.
//!
//! # Time and memory
//!
//! A turn plays in real time: it waits as long as its script says and no longer. The emulator
//! keeps everything in memory until it is dropped; of the requests as many as
//! [`EmulatorBuilder::requests_kept`] says. The program `dari-emulator` keeps none.
//!
//! # Publishing
//!
//! Sources are taken as the contract says (§8): reserved, uploaded without a key, checked by size and
//! sum, and made into agents or versions. An archive must have a `dari.yml` in its root with a
//! `name`; `instructions.system` may name the file of the system prompt. An agent of that name gets
//! a new version and keeps its script; any other is new, and echoes.

mod behaviour;
mod body;
mod bundle;
mod builder;
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
mod publishing;
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

use crate::ids::AgentId;
use tokio::sync::watch;

use deliveries::DeliveryLog;
use fault::Faults;
use log::RequestLog;
use server::Server;

pub use behaviour::BehaviourError;
pub use builder::EmulatorBuilder;
#[cfg(any(test, fuzzing))]
pub(crate) use bundle::probe as probe_bundle;
pub use deliveries::{DeliveryAttempt, DeliveryPolicy};
pub use external::{CallResult, CallResults, ExternalCall};
pub use fault::{Chaos, Fault, FaultKind, Route};
pub use log::ReceivedRequest;
pub use script::{ScriptedAgent, Turn, TurnInput};

#[doc = include_str!("GUIDE.md")]
pub mod guide {}

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

impl Emulator {
    /// Returns a running emulator with one echo agent.
    ///
    /// # Errors
    /// If no loopback port or no thread can be had.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let client = emulator.client()?;
    /// assert_eq!(client.agents().list().await?.agents.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder, to choose agents and keys.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, ScriptedAgent, Turn};
    ///
    /// let agent = ScriptedAgent::named("greeter").turns([Turn::reply("Hello.")]);
    /// let emulator = Emulator::builder().agent(agent).api_key("dari_test").start().await?;
    /// assert_eq!(emulator.api_key(), "dari_test");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Returns the base URL, such as `http://127.0.0.1:41234`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// // For a program under test that takes its address from the environment.
    /// let mut program = std::process::Command::new("my-service");
    /// program.env("DARI_API_URL", emulator.url()).env("DARI_API_KEY", emulator.api_key());
    /// # assert!(emulator.url().starts_with("http://127.0.0.1:"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns the API key that it accepts.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// let client = dari::Client::builder(emulator.api_key()).base_url(emulator.url()).build()?;
    /// client.agents().get(&emulator.agent()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the id of the first agent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// let agent = emulator.client()?.agents().get(&emulator.agent()).await?;
    /// assert_eq!(agent.name, "echo-agent");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.first_agent.clone()
    }

    /// Returns the ids of all agents, in the order added.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, ScriptedAgent};
    ///
    /// let (first, second) = (ScriptedAgent::named("support"), ScriptedAgent::named("sales"));
    /// let emulator = Emulator::builder().agent(first).agent(second).start().await?;
    /// assert_eq!(emulator.agents(), ["agt_1", "agt_2"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn agents(&self) -> Vec<AgentId> {
        self.agents.clone()
    }

    /// Returns every request received, refused ones too.
    ///
    /// They stand in the order in which they arrived whole; the oldest are gone where
    /// [`EmulatorBuilder::requests_kept`] says so.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// # let (client, agent) = (emulator.client()?, emulator.agent());
    /// client.agents().send_message(&agent, "Hello").await?;
    /// let requests = emulator.requests();
    /// assert_eq!(requests[0].path(), "/v1/agents/agt_1/messages");
    /// assert_eq!(requests[0].json()?["content"][0]["text"], "Hello");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.log.all()
    }

    /// Forgets the requests received so far.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// # let (client, agent) = (emulator.client()?, emulator.agent());
    /// client.agents().send_message(&agent, "To set the scene.").await?;
    /// emulator.clear_requests();
    /// assert!(emulator.requests().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_requests(&self) {
        self.log.clear();
    }

    /// Returns how many event streams are open.
    ///
    /// A closed one is noticed soon after, not at once: ask until the number is as expected.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// # let (client, agent) = (emulator.client()?, emulator.agent());
    /// let session = client.sessions().create(&agent).await?.id;
    /// let mut events = client.sessions().stream(&session);
    /// assert_eq!(emulator.open_streams(), 0, "nobody has asked for an event yet");
    /// # client.messages().send(&session, "Hello").await?;
    /// events.try_next().await?;
    /// assert_eq!(emulator.open_streams(), 1);
    /// # Ok(())
    /// # }
    /// ```
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
