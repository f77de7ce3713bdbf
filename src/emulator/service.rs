//! The one thing all connections share: the state, the clock and the keys.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::deliveries::{DeliveryLog, DeliveryPolicy};
use super::fault::Faults;
use super::log::{Listener, RequestLog};
use super::script::ScriptedAgent;
use super::state::{Organization, State, Visit};

/// What an emulator is started with.
pub(super) struct Settings {
    pub(super) agents: Vec<ScriptedAgent>,
    pub(super) api_key: String,
    pub(super) other_api_key: Option<String>,
    pub(super) heartbeat: Duration,
    pub(super) listener: Option<Listener>,
    pub(super) max_file_bytes: usize,
    pub(super) cost_delay: Duration,
    pub(super) requests_kept: usize,
    pub(super) deliveries: DeliveryPolicy,
}

pub(super) struct Service {
    pub(super) log: Arc<RequestLog>,
    pub(super) listener: Option<Listener>,
    pub(super) faults: Arc<Faults>,
    /// Rings at every change; each open stream listens.
    pub(super) bell: watch::Sender<u64>,
    /// Wakes the deliverer of webhooks at every change.
    pub(super) pulse: Notify,
    pub(super) deliveries: DeliveryPolicy,
    pub(super) delivery_log: Arc<DeliveryLog>,
    /// How long a stream may be silent.
    pub(super) heartbeat: Duration,
    /// The largest file that may be uploaded.
    pub(super) max_file_bytes: usize,
    api_key: String,
    other_api_key: Option<String>,
    started: Instant,
    state: Mutex<State>,
    requests: AtomicU64,
}

impl Service {
    pub(super) fn new(settings: Settings) -> Self {
        let mut state = State::new(Timestamp::now(), settings.agents);
        state.cost_delay = settings.cost_delay;
        Self {
            log: Arc::new(RequestLog::new(settings.requests_kept)),
            listener: settings.listener,
            faults: Arc::default(),
            bell: watch::Sender::new(0),
            pulse: Notify::new(),
            deliveries: settings.deliveries,
            delivery_log: Arc::default(),
            heartbeat: settings.heartbeat,
            max_file_bytes: settings.max_file_bytes,
            api_key: settings.api_key,
            other_api_key: settings.other_api_key,
            started: Instant::now(),
            state: Mutex::new(state),
            requests: AtomicU64::new(0),
        }
    }

    /// Runs an entry of the state at the current time.
    pub(super) fn visit<T>(
        &self,
        organization: Organization,
        entry: impl FnOnce(&mut State, Visit) -> T,
    ) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = entry(&mut state, Visit { organization, now: self.now() });
        let changes = state.changes();
        if self.bell.send_if_modified(|seen| std::mem::replace(seen, changes) != changes) {
            self.pulse.notify_one();
        }
        answer
    }

    /// Returns whose key an `Authorization` header holds.
    pub(super) fn organization(&self, authorization: Option<&str>) -> Option<Organization> {
        let (scheme, key) = authorization?.split_once(' ')?;
        let key = Some(key.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
        if key == self.api_key {
            return Some(Organization::Owner);
        }
        (Some(key) == self.other_api_key.as_deref()).then_some(Organization::Stranger)
    }

    /// Returns the next request number, from 1.
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the time since the start.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }
}
