//! How often and how soon to connect again; pure.

use std::time::Duration;

use crate::error::Error;
use crate::retry::Delays;

const FLOOR: Duration = Duration::from_millis(100);
const CEILING: Duration = Duration::from_secs(30);
/// A connection that stayed up this long was a good one, however quiet.
pub(super) const GOOD_CONNECTION: Duration = Duration::from_secs(30);
/// A server that asks for more time than this gets an error instead.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How a stream reconnects.
///
/// Defaults: 60 attempts in a row without progress, about 7 minutes; delays drawn evenly between
/// zero and a bound that starts at 250 ms and doubles up to 15 s (full jitter), yet never below
/// 100 ms. The server's `retry:`, within 100 ms to 30 s, or its `Retry-After` up to 60 s is the least
/// delay, with up to a tenth more at random. Progress is an event that was delivered, or a
/// connection that served for 30 s; one that ended in silence served until its last byte.
///
/// ```
/// use std::time::Duration;
/// use dari::ReconnectPolicy;
///
/// let patient = ReconnectPolicy::default()
///     .max_attempts(1000)
///     .first_delay(Duration::from_secs(1))
///     .max_delay(Duration::from_secs(30));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    max_attempts: u32,
    first_delay: Duration,
    max_delay: Duration,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        let (first_delay, max_delay) = (Duration::from_millis(250), Duration::from_secs(15));
        Self { max_attempts: 60, first_delay, max_delay }
    }
}

impl ReconnectPolicy {
    /// Sets how many attempts in a row may fail. Default 60; 0 counts as 1.
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

    /// Sets the largest bound of a delay. Default 15 s.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }
}

/// The attempts and delays left.
#[derive(Debug)]
pub(super) struct Patience {
    policy: ReconnectPolicy,
    attempts: u32,
    delays: Delays,
    /// Whether a delay was drawn since the last refill.
    worn: bool,
    /// The server's `retry:`, or the least delay of our own.
    floor: Duration,
}

impl Patience {
    pub(super) fn new(policy: ReconnectPolicy) -> Self {
        let delays = Delays::full_jitter(policy.first_delay, policy.max_delay);
        Self { policy, attempts: 0, delays, worn: false, floor: FLOOR }
    }

    /// Obeys the server's `retry:`, within reason.
    pub(super) fn obey(&mut self, retry: Duration) {
        self.floor = retry.clamp(FLOOR, CEILING);
    }

    pub(super) fn refill(&mut self) {
        if self.worn {
            self.worn = false;
            self.attempts = 0;
            self.delays = Delays::full_jitter(self.policy.first_delay, self.policy.max_delay);
        }
    }

    /// Returns the delay before the next attempt, whatever the count says.
    pub(super) fn next_delay(&mut self, error: Option<&Error>) -> Duration {
        self.worn = true;
        let asked = error.and_then(Error::retry_after).unwrap_or_default().min(MAX_RETRY_AFTER);
        let least = self.floor.max(asked);
        // A tenth more at random, or all clients of a server that names a time return at once.
        let least = least.mul_f64(1.0 + fastrand::f64() / 10.0);
        self.delays.next().unwrap_or(FLOOR).max(least)
    }

    /// Counts a connection that failed or ended, and returns the delay before the next.
    ///
    /// `None` when patience is at an end.
    pub(super) fn after_failure(&mut self, error: Option<&Error>) -> Option<Duration> {
        self.worn = true;
        self.attempts = self.attempts.saturating_add(1);
        (self.attempts < self.policy.max_attempts).then(|| self.next_delay(error))
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// Returns whether the key opens nothing here any more.
pub(super) fn no_access(error: &Error) -> bool {
    error.is_unauthorized() || error.is_forbidden()
}

/// Returns whether connecting again cannot help, or not soon.
pub(super) fn is_final(error: &Error) -> bool {
    if error.retry_after().is_some_and(|asked| asked > MAX_RETRY_AFTER) {
        return true;
    }
    match error {
        Error::Config(_) | Error::Invalid(_) | Error::Decode(_) => true,
        Error::Api(_) => error.status().is_some_and(|status| {
            let passing = matches!(status.as_u16(), 408 | 429);
            (status.is_client_error() || status.is_redirection()) && !passing
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, ReconnectPolicy};
    use std::time::Duration;

    fn patience(attempts: u32) -> Patience {
        Patience::new(ReconnectPolicy::default().max_attempts(attempts))
    }

    #[test]
    fn attempts_run_out_and_are_refilled_by_progress() {
        let mut patience = patience(3);
        for _ in 0..3 {
            assert!(patience.after_failure(None).is_some());
            assert!(patience.after_failure(None).is_some());
            assert!(patience.after_failure(None).is_none());
            patience.refill();
        }
    }

    #[test]
    fn delays_are_jittered_floored_and_capped() {
        let delays = || {
            let mut patience = patience(u32::MAX);
            (0..20).map(|_| patience.after_failure(None).unwrap()).collect::<Vec<_>>()
        };
        let runs: Vec<_> = (0..100).map(|_| delays()).collect();
        let all = || runs.iter().flatten();
        assert!(all().all(|delay| *delay >= Duration::from_millis(100)));
        assert!(all().all(|delay| *delay <= Duration::from_secs(15)));
        assert!(all().any(|delay| *delay > Duration::from_secs(12)), "the bound is reached");
        assert!(runs.iter().all(|run| run[0] <= Duration::from_millis(250)));
        assert!(runs.iter().any(|run| run[19] != runs[0][19]), "they differ");
    }

    #[test]
    fn the_servers_wish_is_obeyed_within_reason() {
        for (wish, least) in [(0, 100), (7_000, 7_000), (999_999_999, 30_000)] {
            let mut patience = patience(100);
            patience.obey(Duration::from_millis(wish));
            let delay = patience.after_failure(None).unwrap();
            assert!(delay >= Duration::from_millis(least), "{wish}: {delay:?}");
            assert!(
                delay <= Duration::from_millis((least + least / 10).max(250)),
                "{wish}: {delay:?}"
            );
        }
    }
}
