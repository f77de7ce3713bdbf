//! Faults at random, of which a client that keeps to the contract must lose nothing.

use std::time::Duration;

use fastrand::Rng;
use http::HeaderName;
use http::request::Parts;
use serde_json::Value;

use super::{Act, Effect, FaultKind, Route, StreamEffect};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What happens to a request that a client may repeat.
const REPEATABLE: &[FaultKind] = &[
    FaultKind::Status,
    FaultKind::Delay,
    FaultKind::CutBody,
    FaultKind::NoAnswer,
    FaultKind::Disconnect,
];
/// What else happens to streams.
const OF_STREAMS: &[FaultKind] =
    &[FaultKind::EndStream, FaultKind::StallStream, FaultKind::RepeatEvents, FaultKind::SkipEvents];
/// What happens to a request that must not be sent twice.
const NOT_REPEATABLE: &[FaultKind] = &[FaultKind::Status, FaultKind::Delay];

/// The statuses that say: try again.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// The one that also says that nothing was done.
const UNPROCESSED: u16 = 429;

/// Faults at random, the same for the same seed and requests.
///
/// It chooses only among faults that a client can survive without losing or doubling anything:
///
/// - GET, PUT and DELETE, sends with an `Idempotency-Key`, batches with a key: a passing status, a
///   delay, a cut body, a lost connection before or after the request was carried out;
/// - streams: also an early end, silence, events sent twice, and an event left out before another;
/// - other sends: a 429 or a delay, for a client cannot know what became of a lost one.
///
/// Injected faults come first. A stream that falls silent stays so until the client leaves: give its
/// idle timeout a value that suits the test, or leave [`FaultKind::StallStream`] out.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use dari::emulator::{Chaos, Emulator, FaultKind};
///
/// let chaos = Chaos::seeded(7).rate(0.2).max_delay(Duration::from_millis(10));
/// let chaos = chaos.only([FaultKind::Delay, FaultKind::NoAnswer, FaultKind::CutBody]);
/// let emulator = Emulator::builder().inject_chaos(chaos).start().await?;
/// let client = emulator.client()?;
/// let session = client.sessions().create(&emulator.agent()).await?;
/// for number in 1..=10 {
///     client.messages().send(&session.id, format!("message {number}")).await?;
/// }
/// println!("met {:?}", emulator.fault_counts());
///
/// emulator.clear_faults();
/// assert_eq!(client.messages().list(&session.id).await?.messages.len(), 10);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing goes wrong until the chaos is injected"]
pub struct Chaos {
    random: Rng,
    rate: f64,
    only: Option<Vec<FaultKind>>,
    max_delay: Duration,
}

impl Chaos {
    /// Returns faults drawn from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            rate: 0.05,
            only: None,
            max_delay: Duration::from_millis(50),
        }
    }

    /// Sets the share of requests with a fault; the default is 0.05.
    ///
    /// 0 is none and 1 all of them.
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate.max(0.0);
        self
    }

    /// Leaves only these kinds; the default is all that are named above.
    ///
    /// [`FaultKind::Garbage`] is not among them: no client can survive it.
    pub fn only(mut self, kinds: impl IntoIterator<Item = FaultKind>) -> Self {
        self.only = Some(kinds.into_iter().collect());
        self
    }

    /// Sets the longest delay; the default is 50 ms.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Returns what goes wrong with this request, if anything does.
    pub(super) fn pick(&mut self, request: &Parts, body: &[u8]) -> Option<Act> {
        if self.random.f64() >= self.rate {
            return None;
        }
        let class = Class::of(request, body);
        let allowed = |kind: &&FaultKind| self.only.as_ref().is_none_or(|only| only.contains(kind));
        let kinds: Vec<FaultKind> = class.kinds().filter(allowed).copied().collect();
        let kind = *kinds.get(self.random.usize(..kinds.len().max(1)))?;
        self.draw(kind, class)
    }

    fn draw(&mut self, kind: FaultKind, class: Class) -> Option<Act> {
        let after = self.random.usize(..8);
        let effect = match kind {
            FaultKind::Status => return Some(self.refusal(class)),
            FaultKind::Delay => Effect::Delay(self.max_delay.mul_f64(self.random.f64())),
            FaultKind::CutBody => Effect::CutBody(self.random.usize(..1024)),
            FaultKind::NoAnswer | FaultKind::Disconnect => Effect::Close,
            FaultKind::EndStream => Effect::Stream(StreamEffect::End(after)),
            FaultKind::StallStream => Effect::Stream(StreamEffect::Stall(after)),
            FaultKind::RepeatEvents => {
                Effect::Stream(StreamEffect::Repeat(self.random.usize(..=after)..after + 1))
            }
            FaultKind::SkipEvents => Effect::Stream(StreamEffect::SkipOne(after)),
            FaultKind::Garbage => return None,
        };
        let carried_out = kind == FaultKind::NoAnswer;
        Some(Act { effect, retry_after: None, carried_out })
    }

    fn refusal(&mut self, class: Class) -> Act {
        let status = match class {
            Class::NotRepeatable => UNPROCESSED,
            Class::Repeatable | Class::Stream => self.random.choice(PASSING).unwrap_or(UNPROCESSED),
        };
        let fault = super::Fault::status(status);
        let fault = if self.random.bool() { fault.retry_after(0) } else { fault };
        // Of a refusal nobody knows whether the request was carried out, but of this one.
        let either = status != UNPROCESSED && self.random.bool();
        if either { fault.carried_out().act } else { fault.act }
    }
}

/// What a client may do about a request that failed.
#[derive(Clone, Copy)]
enum Class {
    Stream,
    Repeatable,
    NotRepeatable,
}

impl Class {
    fn of(request: &Parts, body: &[u8]) -> Self {
        let (method, path) = (request.method.as_str(), request.uri.path());
        if Route::StreamEvents.matches(method, path) {
            return Self::Stream;
        }
        let in_header = request.headers.get(IDEMPOTENCY_KEY).is_some_and(|key| !key.is_empty());
        let keyed = in_header || (Route::CreateBatch.matches(method, path) && has_key(body));
        // An archive is uploaded once: a reservation that failed is given up, not used again.
        let once = Route::UploadSnapshot.matches(method, path);
        match request.method.is_idempotent() && !once || keyed {
            true => Self::Repeatable,
            false => Self::NotRepeatable,
        }
    }

    fn kinds(self) -> impl Iterator<Item = &'static FaultKind> {
        let (first, more): (_, &[FaultKind]) = match self {
            Self::Stream => (REPEATABLE, OF_STREAMS),
            Self::Repeatable => (REPEATABLE, &[]),
            Self::NotRepeatable => (NOT_REPEATABLE, &[]),
        };
        first.iter().chain(more)
    }
}

/// Returns whether the body of a new batch has a key (contract §8).
fn has_key(body: &[u8]) -> bool {
    let batch = serde_json::from_slice::<Value>(body).unwrap_or_default();
    batch.get("idempotency_key").and_then(Value::as_str).is_some_and(|key| !key.is_empty())
}
