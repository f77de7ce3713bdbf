//! Waiting for a message to become final.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::error::{Error, one_line};
use crate::ids::MessageId;
use crate::messages::Message;
use crate::poll::{Look, Patience, Watch, until_final};
use crate::retry::Delays;
use crate::status::MessageStatus;
use crate::stream::until::status_of;
use crate::stream::{Cursor, EventStream};

/// A wait for a message; see [`Messages::wait`](crate::Messages::wait).
#[must_use = "a wait does nothing until it is awaited"]
pub struct WaitForMessage<'a> {
    client: &'a Client,
    id: MessageId,
    limit: Duration,
    delays: Delays,
    ends: Ends,
    watcher: Option<Watcher<'a>>,
    after: Option<Cursor>,
}

/// How often a wait that follows the stream looks without being told to.
const SAFETY_NET: Duration = Duration::from_secs(30);

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
            delays: default_delays(),
            ends: Ends::WhenTerminal,
            watcher: None,
            after: None,
        }
    }

    /// Sets how long to wait, whatever happens on the way. Default 10 minutes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks every `interval`, less up to a fifth of it at random; at least 1 ms.
    ///
    /// Default: delays that grow from 250 ms by a factor of 1.6 up to 5 s.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
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
    /// The final state is shown as well, before the wait returns it. With [`after`](Self::after) only
    /// what is fetched is shown, so states in between may be left out.
    pub fn on_status(mut self, watch: impl FnMut(&Message) + Send + 'a) -> Self {
        self.watcher = Some(Box::new(watch));
        self
    }

    /// Also follows the session's stream from here on.
    ///
    /// Give it a point before the message's end, such as the event of the send. The message is
    /// fetched the moment the ledger shows its end, and beside the stream at most every 30 s. A
    /// stream that fails for good is no error: the wait goes on polling.
    pub fn after(mut self, point: impl Into<Cursor>) -> Self {
        self.after = Some(point.into());
        self
    }

    async fn run(self) -> Result<Message, Error> {
        let Self { client, id, limit, delays, ends, watcher, after } = self;
        let follow = after.map_or(Follow::Not, Follow::From);
        let watch = Waiting { client, id, limit, ends, watcher, last: None, follow };
        until_final(Patience { operation: "messages.wait", limit, delays }, watch).await
    }
}

impl Ends {
    fn at(self, status: &MessageStatus) -> bool {
        let for_tool = self == Self::AlsoForTool && *status == MessageStatus::WaitingForTool;
        status.is_terminal() || for_tool
    }
}

/// A wait under way.
struct Waiting<'a> {
    client: &'a Client,
    id: MessageId,
    limit: Duration,
    ends: Ends,
    watcher: Option<Watcher<'a>>,
    last: Option<MessageStatus>,
    follow: Follow,
}

/// Whether the stream tells when to look.
enum Follow {
    /// It does not, or not any more.
    Not,
    /// It will from here, once the session is known.
    From(Cursor),
    /// It does.
    Stream(Box<EventStream>),
    /// It has told of an end that the message does not show yet: look again soon.
    Lagging(Delays),
}

impl Watch for Waiting<'_> {
    type Seen = Message;

    async fn look(&mut self) -> Result<Look<Message>, Error> {
        let message = self.client.messages().get(&self.id).timeout(self.limit).await?;
        self.show(&message);
        if self.ends.at(&message.status) {
            return Ok(Look::Final(message));
        }
        if let Follow::From(cursor) = &self.follow {
            let stream = self.client.sessions().stream(&message.session_id);
            self.follow = Follow::Stream(Box::new(stream.after(cursor).until(&self.id)));
        }
        let line = one_line(&format!("{} is {}", message.id, message.status), 512);
        Ok(Look::Pending(message, line))
    }

    async fn pause(&mut self, delay: Duration) {
        self.follow.pause(delay, &self.id, self.ends).await;
    }
}

impl Follow {
    /// Waits for this delay, or for what the stream tells of the message.
    async fn pause(&mut self, delay: Duration, id: &MessageId, ends: Ends) {
        match self {
            Self::Not | Self::From(_) => sleep(delay).await,
            Self::Lagging(delays) => sleep(delays.next().unwrap_or(delay).min(delay)).await,
            Self::Stream(stream) => {
                let told = timeout(delay.max(SAFETY_NET), next_end(stream, id, ends));
                *self = match told.await {
                    Err(_elapsed) => return,
                    Ok(Told::End) => Self::Lagging(default_delays()),
                    Ok(Told::Failed) => Self::Not,
                };
            }
        }
    }
}

impl Waiting<'_> {
    fn show(&mut self, message: &Message) {
        if self.last.as_ref() == Some(&message.status) {
            return;
        }
        self.last = Some(message.status.clone());
        if let Some(watch) = &mut self.watcher {
            watch(message);
        }
    }
}

/// What the stream has told.
enum Told {
    End,
    Failed,
}

/// Reads the stream up to an event that is worth a look.
async fn next_end(stream: &mut EventStream, id: &MessageId, ends: Ends) -> Told {
    loop {
        match stream.try_next().await {
            Ok(Some(event)) if status_of(&event, id).is_some_and(|status| ends.at(&status)) => {
                return Told::End;
            }
            Ok(Some(_)) => {}
            Ok(None) => return Told::End,
            // A frame that cannot be read: the stream itself goes on.
            Err(Error::Stream(error)) if error.source.is_none() => {}
            Err(_) => return Told::Failed,
        }
    }
}

fn default_delays() -> Delays {
    Delays::polling(Duration::from_millis(250), Duration::from_secs(5))
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

#[cfg(test)]
mod tests;
