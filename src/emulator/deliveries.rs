//! How webhooks are delivered, and the attempts made, for assertions.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{Emulator, EmulatorBuilder};

/// How often and in which order webhooks are delivered.
///
/// The webhook of an agent is set as on the real service (contract §7). Deliveries are real and
/// signed, but go to loopback addresses over plain HTTP alone; one to any other address is given up
/// at once. A call is delivered when it is requested; `session.completed` and `session.failed` when
/// the last message of a session has ended, which is an assumption. While any agent has a webhook,
/// turns go on by the clock instead of at the next request.
///
/// A delivery counts as arrived when its answer is a 2xx. Any other answer, a redirect included,
/// and none within 5 s, is followed by another attempt under the same webhook id.
///
/// ```
/// use std::time::Duration;
/// use dari::emulator::{DeliveryPolicy, Emulator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let hostile = DeliveryPolicy::default()
///     .attempts(5)
///     .retry_delay(Duration::from_millis(10))
///     .timeout(Duration::from_millis(500))
///     .duplicates(1)
///     .reorder(Duration::from_millis(50));
/// let emulator = Emulator::builder().deliveries(hostile).start().await?;
/// assert!(emulator.deliveries().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a policy does nothing until a builder has it"]
pub struct DeliveryPolicy {
    pub(super) attempts: u32,
    pub(super) retry_delay: Duration,
    pub(super) timeout: Duration,
    pub(super) duplicates: u32,
    pub(super) window: Duration,
}

/// One attempt to deliver a webhook.
///
/// `Debug` does not show the body.
#[derive(Clone)]
pub struct DeliveryAttempt {
    pub(super) webhook_id: String,
    pub(super) event_type: &'static str,
    pub(super) url: String,
    pub(super) number: u32,
    pub(super) body: Bytes,
    pub(super) outcome: Result<u16, String>,
}

/// All attempts, in the order they ended.
#[derive(Debug, Default)]
pub(super) struct DeliveryLog(Mutex<Vec<DeliveryAttempt>>);

impl Default for DeliveryPolicy {
    /// Returns 3 attempts, 100 ms apart, in order and once.
    fn default() -> Self {
        Self {
            attempts: 3,
            retry_delay: Duration::from_millis(100),
            timeout: Duration::from_secs(5),
            duplicates: 0,
            window: Duration::ZERO,
        }
    }
}

impl DeliveryPolicy {
    /// Sets how often a delivery is tried; the default is 3.
    ///
    /// None counts as one. After the last, `webhook.delivery_failed` stands in the ledger.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the pause before another attempt; the default is 100 ms.
    ///
    /// Other deliveries go out meanwhile.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = delay;
        self
    }

    /// Sets how long an attempt may take; the default is 5 s.
    ///
    /// First attempts go out one after another: the next one waits for this answer.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how often what has arrived is sent again; the default is 0.
    pub fn duplicates(mut self, times: u32) -> Self {
        self.duplicates = times;
        self
    }

    /// Sends what comes within this time newest first.
    ///
    /// The default is 0, which keeps the order of the ledger.
    pub fn reorder(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }
}

impl EmulatorBuilder {
    /// Sets how webhooks are delivered.
    pub fn deliveries(mut self, policy: DeliveryPolicy) -> Self {
        self.deliveries = policy;
        self
    }
}

impl Emulator {
    /// Returns every attempt to deliver a webhook that ended.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use dari::emulator::{DeliveryPolicy, Emulator};
    /// # let policy = DeliveryPolicy::default().attempts(1);
    /// # let emulator = Emulator::builder().deliveries(policy).start().await?;
    /// # let (client, agent) = (emulator.client()?, emulator.agent());
    /// use dari::WebhookEventType::SessionCompleted;
    ///
    /// let webhook = client.agents().webhook(&agent);
    /// webhook.set("http://127.0.0.1:1/nobody").event_types([SessionCompleted]).await?;
    /// client.agents().send_message(&agent, "Hello").await?;
    /// while emulator.deliveries().is_empty() {
    ///     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    /// }
    /// let attempt = &emulator.deliveries()[0];
    /// assert_eq!((attempt.event_type(), attempt.status()), ("session.completed", None));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn deliveries(&self) -> Vec<DeliveryAttempt> {
        self.deliveries.all()
    }
}

impl DeliveryAttempt {
    /// Returns the webhook id; all attempts of a delivery share it.
    #[must_use]
    pub fn webhook_id(&self) -> &str {
        &self.webhook_id
    }

    /// Returns the event type, such as `tool.call_requested`.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.event_type
    }

    /// Returns the address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns which attempt of its delivery this was, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// Never in practice: the emulator wrote it as JSON.
    pub fn json(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.body)
    }

    /// Returns the status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().copied()
    }

    /// Returns why there was no answer.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }
}

impl fmt::Debug for DeliveryAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryAttempt")
            .field("webhook_id", &self.webhook_id)
            .field("event_type", &self.event_type)
            .field("url", &self.url)
            .field("number", &self.number)
            .field("body_bytes", &self.body.len())
            .field("outcome", &self.outcome)
            .finish()
    }
}

impl DeliveryLog {
    pub(super) fn add(&self, attempt: DeliveryAttempt) {
        self.lock().push(attempt);
    }

    fn all(&self) -> Vec<DeliveryAttempt> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<DeliveryAttempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
