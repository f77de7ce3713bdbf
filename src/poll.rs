//! Asks until the answer is final, and not a moment longer than allowed.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::{CallFacts, Error, LastSeen, TimedOutError};

/// What a look found.
pub(crate) enum Look<T> {
    /// The answer.
    Final(T),
    /// Something that will change, and a line about it.
    Pending(T, String),
}

/// How to wait: the name for errors, the limit, and the delays between looks.
pub(crate) struct Patience<D> {
    pub(crate) operation: &'static str,
    pub(crate) limit: Duration,
    pub(crate) delays: D,
}

/// Looks at once and then after each delay; a passing fault counts as nothing seen.
pub(crate) async fn until_final<T, D, F, L>(patience: Patience<D>, mut look: L) -> Result<T, Error>
where
    T: Any + Send + Sync,
    D: Iterator<Item = Duration>,
    F: Future<Output = Result<Look<T>, Error>>,
    L: FnMut() -> F,
{
    let Patience { operation, limit, mut delays } = patience;
    let started = Instant::now();
    let left = || limit.saturating_sub(started.elapsed());
    let (mut last, mut fault) = (None, None);
    let mut looks = 0;
    loop {
        looks += 1;
        let mut pause = Duration::ZERO;
        match timeout(left(), look()).await {
            Ok(Ok(Look::Final(answer))) => return Ok(answer),
            Ok(Ok(Look::Pending(seen, line))) => {
                last = Some(LastSeen { line, value: Arc::new(seen) });
                fault = None;
            }
            Ok(Err(error)) if error.is_retryable() => {
                pause = error.retry_after().unwrap_or_default();
                fault = Some(Box::new(error));
            }
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => {}
        }
        let pause = delays.next().unwrap_or_default().max(pause).min(left());
        sleep(pause).await;
        if left().is_zero() {
            let facts = CallFacts { operation, attempts: looks, ..CallFacts::default() };
            return Err(Error::TimedOut(Box::new(TimedOutError {
                facts,
                limit,
                last,
                source: fault,
            })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Patience, until_final};
    use crate::error::Error;
    use crate::retry::Delays;
    use std::cell::Cell;
    use std::time::Duration;
    use tokio::time::Instant;

    fn patience(seconds: u64) -> Patience<Delays> {
        let delays = Delays::polling(Duration::from_millis(250), Duration::from_secs(5));
        Patience { operation: "test.wait", limit: Duration::from_secs(seconds), delays }
    }

    fn pending(n: u32) -> Look<u32> {
        Look::Pending(n, format!("number {n}"))
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_look_is_at_once() {
        let start = Instant::now();
        let answer = until_final(patience(1), || async { Ok(Look::Final(7)) }).await.unwrap();
        assert_eq!((answer, start.elapsed()), (7, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_to_five_seconds_and_looks_stay_few() {
        let looks = Cell::new(0);
        let count = || {
            looks.set(looks.get() + 1);
            async { Ok(pending(looks.get())) }
        };
        let error = until_final(patience(60), count).await.unwrap_err();
        assert!((15..=24).contains(&looks.get()), "{} looks in 60 s", looks.get());
        assert_eq!(error.last_seen::<u32>(), Some(&looks.get()));
        assert!(error.to_string().contains("last seen: number"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_hangs_is_bounded_by_the_limit() {
        let start = Instant::now();
        let hang = || std::future::pending::<Result<Look<u32>, Error>>();
        let error = until_final(patience(3), hang).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_zero_still_looks_once() {
        let answer = until_final(patience(0), || async { Ok(Look::Final(1)) }).await;
        assert_eq!(answer.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_error_ends_the_wait() {
        let refuse = || async { Err::<Look<u32>, _>(Error::invalid("x", "y", "z")) };
        assert!(matches!(until_final(patience(9), refuse).await, Err(Error::Invalid(_))));
    }
}
