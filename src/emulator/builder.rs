//! What an emulator is started with.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Emulator;
use super::deliveries::DeliveryPolicy;
use super::fault::{Chaos, Fault};
use super::log::{Listener, ReceivedRequest};
use super::script::ScriptedAgent;
use super::server::Server;
use super::service::{Service, Settings};
use crate::ids::AgentId;

/// The key of an emulator that was given none.
const DEFAULT_API_KEY: &str = "dari_emulator_key";
/// How long a stream is silent before it sends a comment.
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(15);
/// The largest file that may be uploaded, where nothing else is said; the contract names none.
const DEFAULT_MAX_FILE_BYTES: usize = 32 << 20;

/// Chooses agents and keys of an [`Emulator`].
#[must_use = "nothing runs until `start`"]
pub struct EmulatorBuilder {
    agents: Vec<ScriptedAgent>,
    api_key: String,
    other_api_key: Option<String>,
    heartbeat: Duration,
    port: u16,
    pub(super) faults: Vec<Fault>,
    pub(super) chaos: Option<Chaos>,
    listener: Option<Listener>,
    max_file_bytes: usize,
    cost_delay: Duration,
    requests_kept: usize,
    pub(super) deliveries: DeliveryPolicy,
}

impl EmulatorBuilder {
    /// Returns a builder of an emulator with one echo agent.
    pub(super) fn new() -> Self {
        Self {
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
            requests_kept: usize::MAX,
            deliveries: DeliveryPolicy::default(),
        }
    }

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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::Client;
    /// use dari::emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().other_organization("dari_other").start().await?;
    /// let other = Client::builder("dari_other").base_url(emulator.url()).build()?;
    /// let refused = other.agents().get(&emulator.agent()).await.unwrap_err();
    /// assert!(refused.is_forbidden());
    /// # Ok(())
    /// # }
    /// ```
    pub fn other_organization(mut self, key: impl Into<String>) -> Self {
        self.other_api_key = Some(key.into());
        self
    }

    /// Sets how long a stream may be silent; the default is 15 s.
    ///
    /// After that long without an event it sends a comment. Less than 1 ms counts as 1 ms.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dari::emulator::Emulator;
    ///
    /// let lively = Emulator::builder().heartbeat(Duration::from_millis(20));
    /// ```
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

    /// Sets how many requests are kept for [`Emulator::requests`]; the default is all of them.
    ///
    /// The newest stay, with their bodies. An emulator that runs for days needs a limit.
    ///
    /// ```
    /// let builder = dari::emulator::Emulator::builder().requests_kept(1_000);
    /// ```
    pub fn requests_kept(mut self, number: usize) -> Self {
        self.requests_kept = number;
        self
    }

    /// Sets how long after a run its cost can be asked for; the default is 0 s.
    ///
    /// Until then the answer is 404, as it is while the session is at work.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dari::emulator::Emulator;
    ///
    /// let slow = Emulator::builder().cost_delay(Duration::from_secs(2));
    /// ```
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
            requests_kept: self.requests_kept,
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
