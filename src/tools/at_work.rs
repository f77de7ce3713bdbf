//! Work on the calls of one message: what was there before, what the stream tells, what is done.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::sleep;

use crate::error::Error;
use crate::events::Event;
use crate::status::MessageStatus;
use crate::tools::crew::Crew;
use crate::tools::feed::{Feed, Told};
use crate::tools::ledger::ledger;

/// What a turn has once its session is known.
pub(super) struct AtWork {
    crew: Crew,
    feed: Feed,
    history: History,
    /// How many events the ledger has at least.
    events_known: u64,
    /// The message's status when it was looked at last.
    status: MessageStatus,
    /// Whether the feed has told of something worth a look.
    due: bool,
}

/// What is known of the ledger before the stream.
#[derive(Clone, Copy, PartialEq)]
enum History {
    /// Nothing: a call may be answered already, so none may be attended to.
    Unknown,
    /// There may be calls that no event told of.
    Doubtful,
    /// All.
    Known,
}

impl AtWork {
    pub(super) fn new(crew: Crew, feed: Feed, events_known: u64) -> Self {
        let (history, status) = (History::Unknown, MessageStatus::Queued);
        Self { crew, feed, history, events_known, status, due: false }
    }

    /// Takes note of the message's status.
    pub(super) fn looked(&mut self, status: &MessageStatus) {
        self.status = status.clone();
        if self.history != History::Unknown {
            self.crew.message_says(status);
        }
        let at_work = matches!(status, MessageStatus::Queued | MessageStatus::Running);
        let blind = self.crew.is_idle() || self.feed.is_over();
        if self.history == History::Known && !at_work && blind {
            self.history = History::Doubtful;
        }
    }

    /// Works for a while, or until something is worth a look.
    pub(super) async fn go_on(&mut self, delay: Duration) -> Result<(), Error> {
        // Attached first, so that no call falls between the history and the stream.
        self.feed.attach().await;
        if self.history != History::Known {
            let (service, session) = self.crew.place();
            let known = self.events_known;
            let asked = async move { ledger(&*service, &session, known).await };
            match self.alongside(Box::pin(asked)).await? {
                Ok(events) => self.reconcile(&events),
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(error),
            }
        }
        let patience = match self.history {
            History::Unknown => delay,
            History::Doubtful | History::Known => self.feed.patience(delay),
        };
        let mut end = Box::pin(sleep(patience));
        while !std::mem::take(&mut self.due) && self.either(&mut end).await?.is_none() {}
        Ok(())
    }

    /// Waits for something else, while calls are answered and the feed is followed.
    ///
    /// An error ends the run.
    pub(super) async fn alongside<F>(&mut self, mut other: F) -> Result<F::Output, Error>
    where
        F: Future + Unpin,
    {
        loop {
            if let Some(output) = self.either(&mut other).await? {
                return Ok(output);
            }
        }
    }

    /// Waits for the answers under way, now that the message is final.
    pub(super) async fn finish(mut self) {
        drop(self.feed);
        self.crew.finish().await;
    }

    /// Waits for something else, or takes note of one piece of news.
    async fn either<F: Future + Unpin>(
        &mut self,
        other: &mut F,
    ) -> Result<Option<F::Output>, Error> {
        // A handler that starts before the history is known might repeat what was done.
        let listens = self.history != History::Unknown;
        let (crew, feed) = (&mut self.crew, &mut self.feed);
        let happened = poll_fn(|context| {
            if let Some(error) = crew.poll_work(context) {
                return Poll::Ready(Err(error));
            }
            if let Poll::Ready(output) = Pin::new(&mut *other).poll(context) {
                return Poll::Ready(Ok(Happened::Other(output)));
            }
            if listens && crew.has_room() {
                return feed.poll_next(context).map(|told| Ok(Happened::Told(told)));
            }
            Poll::Pending
        });
        match happened.await? {
            Happened::Other(output) => return Ok(Some(output)),
            Happened::Told(Told::Over) => self.due = true,
            Happened::Told(Told::Event(event)) => {
                let status = self.crew.note(&event);
                self.crew.act();
                self.due |= status.is_some_and(|status| status.is_terminal());
            }
        }
        Ok(None)
    }

    /// Takes note of the whole ledger, and only then acts on what nobody has answered.
    #[inline]
    fn reconcile(&mut self, events: &[Event]) {
        for event in events {
            self.crew.note(event);
        }
        self.crew.message_says(&self.status);
        self.history = History::Known;
        self.events_known = events.len() as u64;
        self.crew.act();
    }
}

/// What came first.
enum Happened<T> {
    Other(T),
    Told(Told),
}
