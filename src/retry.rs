//! When to repeat and after how long: plain data, no clock and no sleep.

use std::iter;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, StatusCode, header};

use crate::error::{Fate, is_passing};

/// How often and how patiently a call is repeated.
///
/// Defaults: 4 attempts; delays drawn evenly between zero and a bound that starts at 250 ms and
/// doubles up to 8 s (full jitter); a `Retry-After` obeyed up to 60 s, and a longer one returned as
/// an error. What may be repeated at all is not a matter of policy: see the crate docs.
///
/// ```
/// use std::time::Duration;
/// use dari::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .max_attempts(8)
///     .first_delay(Duration::from_secs(1))
///     .max_delay(Duration::from_secs(30))
///     .max_retry_after(Duration::from_secs(300));
/// let once = RetryPolicy::none();
/// # assert_ne!(patient, once);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    first_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy that never repeats.
    #[must_use]
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets how often a request is sent at most, the first included.
    ///
    /// 0 counts as 1. Default 4.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the bound of the first delay. Default 250 ms.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// Sets the largest bound of a delay. Default 8 s.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets how long a `Retry-After` is obeyed. Default 60 s.
    #[must_use]
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    /// Returns the delays between attempts, freshly drawn.
    pub(crate) fn delays(&self) -> iter::Take<Delays> {
        let repeats = self.max_attempts.saturating_sub(1) as usize;
        Delays::full_jitter(self.first_delay, self.max_delay).take(repeats)
    }

    /// Returns whether to obey a server that asked for this much time.
    pub(crate) fn obeys(&self, retry_after: Duration) -> bool {
        retry_after <= self.max_retry_after
    }
}

/// Growing delays with jitter, without end.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    bound: Duration,
    cap: Duration,
    factor: f64,
    /// The share of the bound that is always waited; the rest is drawn.
    floor: f64,
    random: fastrand::Rng,
}

impl Delays {
    /// Returns delays between zero and a bound that doubles up to `cap`.
    pub(crate) fn full_jitter(first: Duration, cap: Duration) -> Self {
        Self { bound: first, cap, factor: 2.0, floor: 0.0, random: fastrand::Rng::new() }
    }

    /// Returns the delays of a wait that was given none: from 250 ms to 5 s.
    pub(crate) fn default_polling() -> Self {
        Self::polling(Duration::from_millis(250), Duration::from_secs(5))
    }

    /// Returns delays of two thirds to the whole of a bound that grows by 1.6 up to `cap`.
    pub(crate) fn polling(first: Duration, cap: Duration) -> Self {
        Self { bound: first, cap, factor: 1.6, floor: 2.0 / 3.0, random: fastrand::Rng::new() }
    }
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let bound = self.bound.min(self.cap);
        let grown = bound.as_secs_f64() * self.factor;
        self.bound = Duration::try_from_secs_f64(grown).unwrap_or(self.cap);
        let share = self.floor + (1.0 - self.floor) * self.random.f64();
        Some(bound.mul_f64(share))
    }
}

/// What a repeat of a request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The same as sending it once: reads, replacements, deletions.
    Safe,
    /// Nothing more, for the server knows the key again.
    Keyed,
    /// Nothing more, for the server takes the first and refuses the others with 409.
    Once,
    /// Nothing more, for what is gone is refused with 404: deletions whose reply says nothing else.
    Gone,
    /// Perhaps a second effect.
    Unsafe,
}

/// How far a failed request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// No connection was made.
    Nothing,
    /// The server answered with this status.
    Status(StatusCode),
    /// The request left; there is no whole answer.
    Somewhere,
}

impl Repeat {
    /// Returns whether a request that failed like this may be sent again.
    pub(crate) fn allows(self, reached: Reached) -> bool {
        let passing = match reached {
            Reached::Status(status) => is_passing(Some(status)),
            Reached::Nothing | Reached::Somewhere => true,
        };
        passing && (self != Self::Unsafe || !may_have_acted(reached))
    }

    /// Returns whether a refusal like this, behind a lost attempt, shows that one was taken.
    ///
    /// Assumption (contract §6): a second answer to a tool call is a 409. Assumption (contract §8):
    /// a second deletion of a source snapshot is a 404.
    pub(crate) fn is_proved_done_by(self, reached: Reached) -> bool {
        let proof = match self {
            Self::Once => StatusCode::CONFLICT,
            Self::Gone => StatusCode::NOT_FOUND,
            Self::Safe | Self::Keyed | Self::Unsafe => return false,
        };
        reached == Reached::Status(proof)
    }

    /// Returns what to tell the caller of a request that failed like this for good.
    pub(crate) fn fate(self, reached: Reached) -> Fate {
        match (self, may_have_acted(reached)) {
            (Self::Safe | Self::Once | Self::Gone, _) => Fate::Harmless,
            (_, false) => Fate::NotProcessed,
            (_, true) => Fate::Unknown,
        }
    }
}

/// Assumption: a 429, like every refusal by a 4xx but 408, means unprocessed.
pub(crate) fn may_have_acted(reached: Reached) -> bool {
    match reached {
        Reached::Nothing => false,
        Reached::Somewhere => true,
        Reached::Status(status) => {
            !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT
        }
    }
}

/// A purse of repeats shared by all calls of a client.
///
/// A repeat costs 5 tokens and a success earns one, so that in an outage the repeats run dry
/// instead of multiplying the load.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicU32,
    capacity: u32,
}

impl Budget {
    const COST: u32 = 5;

    pub(crate) fn new(capacity: u32) -> Self {
        Self { tokens: AtomicU32::new(capacity), capacity }
    }

    /// Pays for one repeat, if there is enough.
    pub(crate) fn pay(&self) -> bool {
        let pay = |tokens: u32| tokens.checked_sub(Self::COST);
        self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }

    pub(crate) fn earn(&self) {
        let earn = |tokens: u32| tokens.checked_add(1).filter(|more| *more <= self.capacity);
        let _full = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earn);
    }
}

/// Reads `Retry-After`: whole seconds, or an HTTP date, of which the time that it is now is taken.
pub(crate) fn retry_after(headers: &HeaderMap, since_epoch: Duration) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(since_epoch))
}

#[cfg(test)]
mod tests {
    use super::{Budget, Delays, Reached, Repeat, RetryPolicy, may_have_acted, retry_after};
    use crate::error::Fate;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use std::time::Duration;

    #[test]
    fn delays_are_jittered_over_the_whole_range_and_capped() {
        let delays = || Delays::full_jitter(Duration::from_millis(250), Duration::from_secs(8));
        for run in 0..200 {
            let drawn: Vec<_> = delays().take(10).collect();
            for (step, delay) in drawn.iter().enumerate() {
                let bound = Duration::from_millis(250 << step).min(Duration::from_secs(8));
                assert!(*delay <= bound, "run {run}, step {step}: {delay:?} > {bound:?}");
            }
        }
        let last = || delays().nth(9).unwrap();
        assert!((0..200).map(|_| last()).any(|delay| delay < Duration::from_secs(1)));
        assert!((0..200).map(|_| last()).any(|delay| delay > Duration::from_secs(7)));
    }

    #[test]
    fn a_policy_gives_one_delay_fewer_than_attempts() {
        assert_eq!(RetryPolicy::default().delays().count(), 3);
        assert_eq!(RetryPolicy::none().delays().count(), 0);
        assert_eq!(RetryPolicy::default().max_attempts(0).delays().count(), 0);
    }

    #[test]
    fn enormous_delays_do_not_overflow() {
        let mut delays = Delays::full_jitter(Duration::MAX, Duration::MAX);
        assert!(delays.by_ref().take(5).count() == 5);
    }

    #[test]
    fn an_unsafe_request_is_repeated_only_where_it_cannot_have_been_processed() {
        let status = |code| Reached::Status(StatusCode::from_u16(code).unwrap());
        for reached in [Reached::Nothing, status(429)] {
            assert!(Repeat::Unsafe.allows(reached), "{reached:?}");
            assert_eq!(Repeat::Unsafe.fate(reached), Fate::NotProcessed);
        }
        for reached in [Reached::Somewhere, status(408), status(500), status(502), status(504)] {
            assert!(!Repeat::Unsafe.allows(reached), "{reached:?}");
            assert!(Repeat::Keyed.allows(reached), "{reached:?}");
            assert!(Repeat::Safe.allows(reached), "{reached:?}");
            assert_eq!(Repeat::Unsafe.fate(reached), Fate::Unknown);
            assert_eq!(Repeat::Safe.fate(reached), Fate::Harmless);
        }
        for code in [302, 400, 401, 403, 404, 409, 422, 501] {
            assert!(!Repeat::Safe.allows(status(code)), "{code}");
        }
        assert_eq!(Repeat::Unsafe.fate(status(422)), Fate::NotProcessed);
        assert_eq!(Repeat::Unsafe.fate(status(302)), Fate::Unknown);
    }

    #[test]
    fn a_request_that_is_taken_once_may_be_repeated_and_is_proved_done_by_a_conflict() {
        let status = |code| Reached::Status(StatusCode::from_u16(code).unwrap());
        assert!(Repeat::Once.is_proved_done_by(status(409)));
        assert!(!Repeat::Once.is_proved_done_by(status(404)));
        assert!(!Repeat::Once.is_proved_done_by(Reached::Somewhere));
        assert!(Repeat::Gone.is_proved_done_by(status(404)));
        assert!(!Repeat::Gone.is_proved_done_by(status(409)));
        for repeat in [Repeat::Safe, Repeat::Keyed, Repeat::Unsafe] {
            assert!(!repeat.is_proved_done_by(status(409)), "{repeat:?}");
            assert!(!repeat.is_proved_done_by(status(404)), "{repeat:?}");
        }
        for reached in [Reached::Somewhere, status(408), status(503)] {
            assert!(Repeat::Once.allows(reached) && may_have_acted(reached), "{reached:?}");
            assert_eq!(Repeat::Once.fate(reached), Fate::Harmless);
        }
        assert!(!may_have_acted(Reached::Nothing) && !may_have_acted(status(429)));
    }

    #[test]
    fn a_budget_runs_dry_and_is_earned_back() {
        let budget = Budget::new(11);
        assert!(budget.pay() && budget.pay() && !budget.pay());
        (0..100).for_each(|_| budget.earn());
        assert!(budget.pay() && budget.pay() && !budget.pay());
    }

    #[test]
    fn a_full_budget_earns_nothing_however_large_it_is() {
        for capacity in [0, 1, u32::MAX] {
            let budget = Budget::new(capacity);
            budget.earn();
            assert_eq!(budget.tokens.into_inner(), capacity);
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = "2026-04-21T18:40:00Z".parse::<jiff::Timestamp>().unwrap();
        let now = Duration::try_from(now.as_duration()).unwrap();
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_str(text).unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Tue, 21 Apr 2026 18:40:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Tue Apr 21 18:40:30 2026"), Some(Duration::from_secs(30)));
        assert_eq!(read("Tuesday, 21-Apr-26 18:40:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Tue, 21 Apr 2026 18:39:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("-1"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(read("99999999999999999999999"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
