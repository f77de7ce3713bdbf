//! Asks until the answer is final, and not a moment longer than allowed.

mod wait;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::{CallFacts, Error, LastSeen, TimedOutError};

pub(crate) use wait::Changes;
pub use wait::Wait;

/// What a look found.
pub(crate) enum Look<T> {
    /// The answer.
    Final(T),
    /// Something that will change, and a line about it.
    Pending(T, String),
    /// Nothing yet, and the refusal that said so.
    Nothing(Error),
}

/// What is waited for.
pub(crate) trait Watch: Send {
    /// What a look gives.
    type Seen: Any + Send + Sync;

    /// Looks once. A request may take as long as the wait, whose `limit` cuts it off.
    fn look(
        &mut self,
        limit: Duration,
    ) -> impl Future<Output = Result<Look<Self::Seen>, Error>> + Send;

    /// Waits before the next look; may be shorter or longer than asked, if there is a reason.
    fn pause(&mut self, delay: Duration) -> impl Future<Output = ()> + Send {
        sleep(delay)
    }
}

/// How long a `Retry-After` is obeyed between two looks; a wait has an end of its own.
const MOST_OBEYED: Duration = Duration::from_secs(60);

/// How to wait: the name for errors, the limit, and the delays between looks.
pub(crate) struct Patience<D> {
    pub(crate) operation: &'static str,
    pub(crate) limit: Duration,
    pub(crate) delays: D,
}

/// Looks at once and then after each pause; a passing fault counts as nothing seen.
pub(crate) async fn until_final<W, D>(patience: Patience<D>, mut watch: W) -> Result<W::Seen, Error>
where
    W: Watch,
    D: Iterator<Item = Duration> + Send,
{
    let Patience { operation, limit, mut delays } = patience;
    let started = Instant::now();
    let left = || limit.saturating_sub(started.elapsed());
    let (mut last, mut fault) = (None, None);
    let mut looks = 0;
    loop {
        looks += 1;
        let mut asked = Duration::ZERO;
        match timeout(left(), watch.look(limit)).await {
            Ok(Ok(Look::Final(answer))) => return Ok(answer),
            Ok(Ok(Look::Pending(seen, line))) => {
                last = Some(LastSeen { line, value: Arc::new(seen) });
                fault = None;
            }
            Ok(Ok(Look::Nothing(error))) => fault = Some(Box::new(error)),
            Ok(Err(error)) if error.is_retryable() => {
                asked = error.retry_after().unwrap_or_default().min(MOST_OBEYED);
                fault = Some(Box::new(error));
            }
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => {}
        }
        let delay = delays.next().unwrap_or_default().saturating_sub(asked);
        let pause = async {
            // What the server asked for is waited out, whatever the watch knows better.
            if !asked.is_zero() {
                sleep(asked).await;
            }
            watch.pause(delay).await;
        };
        let in_time = timeout(left(), pause).await.is_ok();
        if !in_time || left().is_zero() {
            let facts = CallFacts { operation, attempts: looks, ..CallFacts::default() };
            let error = TimedOutError { facts, limit, last, source: fault };
            return Err(Error::TimedOut(Box::new(error)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Patience, Watch, until_final};
    use crate::error::Error;
    use crate::retry::Delays;
    use std::time::Duration;
    use tokio::time::Instant;

    /// Counts its looks, and answers each as its function says.
    struct Script<F>(u32, F);

    impl<F: FnMut(u32) -> Option<Result<Look<u32>, Error>> + Send> Watch for Script<F> {
        type Seen = u32;

        async fn look(&mut self, _: Duration) -> Result<Look<u32>, Error> {
            self.0 += 1;
            match (self.1)(self.0) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

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
        let answer =
            until_final(patience(1), Script(0, |_| Some(Ok(Look::Final(7))))).await.unwrap();
        assert_eq!((answer, start.elapsed()), (7, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_to_five_seconds_and_looks_stay_few() {
        let script = Script(0, |n| Some(Ok(pending(n))));
        let error = until_final(patience(60), script).await.unwrap_err();
        let looks = *error.last_seen::<u32>().unwrap();
        assert!((15..=24).contains(&looks), "{looks} looks in 60 s");
        assert!(error.to_string().contains("last seen: number"), "{error}");
        assert_eq!(error.attempts(), looks);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_hangs_is_bounded_by_the_limit() {
        let start = Instant::now();
        let error = until_final(patience(3), Script(0, |_| None)).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_does_not_end_the_wait_and_its_wish_is_obeyed() {
        let start = Instant::now();
        let fault = || Error::stream("down".into(), Some(Error::config("x")));
        let script = Script(0, |n| Some(if n < 3 { Err(fault()) } else { Ok(Look::Final(n)) }));
        assert_eq!(until_final(patience(60), script).await.unwrap(), 3);
        assert!(start.elapsed() < Duration::from_secs(1));
        let error = until_final(patience(5), Script(0, |_| Some(Err(fault())))).await.unwrap_err();
        assert!(std::error::Error::source(&error).is_some(), "the fault is the source");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_yet_is_waited_for_and_the_refusal_is_the_source() {
        let refusal = || Error::invalid("x", "y", "not yet");
        let script =
            Script(0, |n| Some(Ok(if n < 5 { Look::Nothing(refusal()) } else { Look::Final(n) })));
        assert_eq!(until_final(patience(60), script).await.unwrap(), 5);
        let script = Script(0, |_| Some(Ok(Look::Nothing(refusal()))));
        let error = until_final(patience(5), script).await.unwrap_err();
        assert!(error.is_timeout() && error.last_seen::<u32>().is_none());
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("not yet"), "{source}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_zero_still_looks_once() {
        let script = Script(0, |_| Some(Ok(Look::Final(1))));
        assert_eq!(until_final(patience(0), script).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_error_ends_the_wait() {
        let script = Script(0, |_| Some(Err(Error::invalid("x", "y", "z"))));
        assert!(matches!(until_final(patience(9), script).await, Err(Error::Invalid(_))));
    }
}
