//! Waiting for a message to become final.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::client::Client;
use crate::error::Error;
use crate::ids::MessageId;
use crate::messages::Message;
use crate::poll::{Look, Patience, until_final};
use crate::retry::Delays;
use crate::status::MessageStatus;

/// A wait for a message; see [`Messages::wait`](crate::Messages::wait).
#[must_use = "a wait does nothing until it is awaited"]
pub struct WaitForMessage<'a> {
    client: &'a Client,
    id: MessageId,
    limit: Duration,
    delays: Delays,
    ends: Ends,
    watcher: Option<Watcher<'a>>,
}

type Watcher<'a> = Box<dyn FnMut(&Message) + Send + 'a>;

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    WhenTerminal,
    AlsoForTool,
}

impl<'a> WaitForMessage<'a> {
    pub(super) fn new(client: &'a Client, id: MessageId) -> Self {
        Self {
            client,
            id,
            limit: Duration::from_secs(600),
            delays: Delays::polling(Duration::from_millis(250), Duration::from_secs(5)),
            ends: Ends::WhenTerminal,
            watcher: None,
        }
    }

    /// Sets how long to wait, whatever happens on the way. Default 10 minutes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks every `interval`, less up to a fifth of it at random.
    ///
    /// Default: delays that grow from 250 ms by a factor of 1.6 up to 5 s.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.delays = Delays::polling(interval, interval);
        self
    }

    /// Ends the wait also when the message waits for a tool of yours.
    pub fn or_waiting_for_tool(mut self) -> Self {
        self.ends = Ends::AlsoForTool;
        self
    }

    /// Calls `watch` with the first state seen, and whenever the status has changed.
    ///
    /// The final state is shown as well, before the wait returns it.
    pub fn on_status(mut self, watch: impl FnMut(&Message) + Send + 'a) -> Self {
        self.watcher = Some(Box::new(watch));
        self
    }

    async fn run(self) -> Result<Message, Error> {
        let Self { client, id, limit, delays, ends, watcher } = self;
        let observer = Mutex::new(Observer { watcher, last: None });
        let look = || async {
            let message = client.messages().get(&id).timeout(limit).await?;
            observer.lock().unwrap_or_else(PoisonError::into_inner).see(&message);
            Ok(if ends.at(&message.status) {
                Look::Final(message)
            } else {
                let line = format!("{} is {}", message.id, message.status);
                Look::Pending(message, line)
            })
        };
        until_final(Patience { operation: "messages.wait", limit, delays }, look).await
    }
}

impl Ends {
    fn at(self, status: &MessageStatus) -> bool {
        let for_tool = self == Self::AlsoForTool && *status == MessageStatus::WaitingForTool;
        status.is_terminal() || for_tool
    }
}

struct Observer<'a> {
    watcher: Option<Watcher<'a>>,
    last: Option<MessageStatus>,
}

impl Observer<'_> {
    fn see(&mut self, message: &Message) {
        if self.last.as_ref() == Some(&message.status) {
            return;
        }
        self.last = Some(message.status.clone());
        if let Some(watch) = &mut self.watcher {
            watch(message);
        }
    }
}

impl<'a> IntoFuture for WaitForMessage<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for WaitForMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForMessage")
            .field("id", &self.id)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
