//! A wait as a value: what is waited for, how long, and how often it looks.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use crate::error::Error;
use crate::poll::{Patience, Watch, until_final};
use crate::retry::Delays;
use crate::trace::workflow;

/// A wait, begun when it is awaited.
///
/// `T` is what it gives. `W` is what belongs to this wait alone: where it has options, they are
/// methods of its `Wait`, such as [`on_status`](Wait::on_status).
///
/// ```no_run
/// # async fn example(client: dari::Client, id: dari::BatchId) -> dari::Result<()> {
/// use std::time::Duration;
///
/// let batch = client.batches().wait(&id).timeout(Duration::from_secs(3600)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<'a, T, W> {
    pub(crate) watch: W,
    patience: Patience<Delays>,
    seen: PhantomData<fn() -> &'a T>,
}

impl<T, W> Wait<'_, T, W> {
    pub(crate) fn new(operation: &'static str, watch: W) -> Self {
        let limit = Duration::from_secs(600);
        let patience = Patience { operation, limit, delays: Delays::default_polling() };
        Self { watch, patience, seen: PhantomData }
    }

    /// Sets how long to wait. Default 10 minutes.
    ///
    /// It bounds everything, a request that hangs as well.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.patience.limit = limit;
        self
    }

    /// Asks at an even pace: every `interval`, at least 1 ms.
    ///
    /// Less up to a third of it at random, so that waits do not ask in step.
    ///
    /// Default: delays that grow from 250 ms by a factor of 1.6 up to 5 s.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let message = client.messages().wait(&id).poll_interval(Duration::from_secs(30)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        self.patience.delays = Delays::polling(interval, interval);
        self
    }
}

#[allow(private_bounds, reason = "what can be waited for is the crate's own")]
impl<'a, T, W> IntoFuture for Wait<'a, T, W>
where
    W: Watch<Seen = T> + 'a,
{
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(workflow(self.patience.operation, until_final(self.patience, self.watch)))
    }
}

impl<T, W: fmt::Debug> fmt::Debug for Wait<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("watch", &self.watch)
            .field("limit", &self.patience.limit)
            .finish_non_exhaustive()
    }
}

type Show<'a, T> = Box<dyn FnMut(&T) + Send + 'a>;

/// Shows a state first of all, and whenever it has changed.
pub(crate) struct Changes<'a, T, S> {
    show: Option<Show<'a, T>>,
    last: Option<S>,
}

impl<'a, T, S: PartialEq> Changes<'a, T, S> {
    pub(crate) fn unseen() -> Self {
        Self { show: None, last: None }
    }

    pub(crate) fn show_to(&mut self, show: impl FnMut(&T) + Send + 'a) {
        self.show = Some(Box::new(show));
    }

    /// Shows `seen` if its state is another than the last one.
    pub(crate) fn see(&mut self, seen: &T, state: S) {
        if self.last.as_ref() == Some(&state) {
            return;
        }
        self.last = Some(state);
        if let Some(show) = &mut self.show {
            show(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Wait};
    use crate::error::Error;
    use crate::poll::{Look, Watch};
    use std::time::Duration;
    use tokio::time::Instant;

    /// Counts to its goal, one look at a time.
    #[derive(Debug)]
    struct Count {
        at: u32,
        goal: u32,
    }

    impl Watch for Count {
        type Seen = u32;

        async fn look(&mut self, _: Duration) -> Result<Look<u32>, Error> {
            self.at += 1;
            if self.at < self.goal {
                return Ok(Look::Pending(self.at, format!("number {}", self.at)));
            }
            Ok(Look::Final(self.at))
        }
    }

    fn count(goal: u32) -> Wait<'static, u32, Count> {
        Wait::new("test.wait", Count { at: 0, goal })
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_has_ten_minutes_unless_told_otherwise() {
        let started = Instant::now();
        let error = count(u32::MAX).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_secs(600));
        assert!((120..=190).contains(error.last_seen::<u32>().unwrap()), "{error}");
        let error = count(u32::MAX).timeout(Duration::from_secs(7)).await.unwrap_err();
        assert!(error.to_string().contains("nothing final within 7s"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_interval_is_kept_and_one_of_zero_is_no_busy_loop() {
        let started = Instant::now();
        assert_eq!(count(11).poll_interval(Duration::from_secs(10)).await.unwrap(), 11);
        let took = started.elapsed();
        assert!((Duration::from_secs(66)..=Duration::from_secs(100)).contains(&took), "{took:?}");
        let wait = count(u32::MAX).poll_interval(Duration::ZERO).timeout(Duration::from_secs(1));
        let looks = wait.await.unwrap_err().attempts();
        assert!(looks <= 1_501, "{looks} looks in a second");
    }

    #[test]
    fn a_state_is_shown_once_until_it_changes() {
        let mut shown = Vec::new();
        let mut changes = Changes::unseen();
        changes.show_to(|seen: &u32| shown.push(*seen));
        for seen in [1, 1, 12, 13, 2] {
            changes.see(&seen, seen / 10);
        }
        drop(changes);
        assert_eq!(shown, [1, 12, 2]);
    }
}
