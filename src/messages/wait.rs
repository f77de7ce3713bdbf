//! Waiting for a message to become final.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::error::{Error, one_line};
use crate::ids::MessageId;
use crate::messages::Message;
use crate::poll::{Changes, Look, Wait, Watch};
use crate::retry::Delays;
use crate::status::MessageStatus;
use crate::stream::until::status_of;
use crate::stream::{Cursor, EventStream};

/// The options of [`Messages::wait`](crate::Messages::wait).
///
/// They are methods of its [`Wait`](crate::Wait): [`after`](crate::Wait::after),
/// [`on_status`](crate::Wait::on_status) and
/// [`or_waiting_for_tool`](crate::Wait::or_waiting_for_tool), beside those of every wait.
pub struct WaitForMessage<'a> {
    client: &'a Client,
    id: MessageId,
    ends: Ends,
    changes: Changes<'a, Message, MessageStatus>,
    listens: Option<Box<dyn Listen>>,
}

/// How often a wait that follows the stream looks without being told to.
const SAFETY_NET: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    WhenTerminal,
    AlsoForTool,
}

impl<'a> WaitForMessage<'a> {
    pub(super) fn new(client: &'a Client, id: MessageId) -> Self {
        let (ends, changes) = (Ends::WhenTerminal, Changes::unseen());
        Self { client, id, ends, changes, listens: None }
    }
}

impl<'a> Wait<'a, Message, WaitForMessage<'a>> {
    /// Ends the wait also when the message waits for a tool of yours.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// use dari::MessageStatus;
    ///
    /// let message = client.messages().wait(&id).or_waiting_for_tool().await?;
    /// if message.status == MessageStatus::WaitingForTool {
    ///     println!("it is our turn");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn or_waiting_for_tool(mut self) -> Self {
        self.watch.ends = Ends::AlsoForTool;
        self
    }

    /// Calls `watch` with the first state seen, and whenever the status has changed.
    ///
    /// The final state is shown as well, before the wait returns it. With [`after`](Self::after) only
    /// what is fetched is shown, so states in between may be left out.
    pub fn on_status(mut self, watch: impl FnMut(&Message) + Send + 'a) -> Self {
        self.watch.changes.show_to(watch);
        self
    }

    /// Also follows the session's stream from here on.
    ///
    /// Give it a point before the message's end, such as the event of the send. The message is
    /// fetched the moment the ledger shows its end, and beside the stream at most every 30 s. A
    /// stream that fails for good is no error: the wait goes on polling.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let message = client.messages().wait(&sent.message.id).after(&sent.event).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, point: impl Into<Cursor>) -> Self {
        self.watch.listens = Some(Box::new(Follow::From(point.into())));
        self
    }
}

impl Ends {
    fn at(self, status: &MessageStatus) -> bool {
        let for_tool = self == Self::AlsoForTool && *status == MessageStatus::WaitingForTool;
        status.is_terminal() || for_tool
    }
}

/// Listens between two looks.
///
/// Behind a pointer, so that a program that only polls has no code for streams.
trait Listen: Send {
    /// Is told of every look that found no end.
    fn looked(&mut self, client: &Client, message: &Message);

    /// Waits for this delay, or for what is heard of the message.
    fn pause<'a>(&'a mut self, delay: Duration, id: &'a MessageId, ends: Ends) -> Pause<'a>;
}

type Pause<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Whether the stream tells when to look.
enum Follow {
    /// It will from here, once the session is known.
    From(Cursor),
    /// It does.
    Stream(Box<EventStream>),
    /// It has failed for good.
    Failed,
    /// It has told of an end that the message does not show yet: look again soon.
    Lagging(Delays),
}

impl Watch for WaitForMessage<'_> {
    type Seen = Message;

    async fn look(&mut self, limit: Duration) -> Result<Look<Message>, Error> {
        let message = self.client.messages().get(&self.id).timeout(limit).await?;
        self.changes.see(&message, message.status.clone());
        if self.ends.at(&message.status) {
            return Ok(Look::Final(message));
        }
        if let Some(listens) = &mut self.listens {
            listens.looked(self.client, &message);
        }
        let line = one_line(&format!("{} is {}", message.id, message.status), 512);
        Ok(Look::Pending(message, line))
    }

    async fn pause(&mut self, delay: Duration) {
        match &mut self.listens {
            Some(listens) => listens.pause(delay, &self.id, self.ends).await,
            None => sleep(delay).await,
        }
    }
}

impl Listen for Follow {
    #[inline]
    fn looked(&mut self, client: &Client, message: &Message) {
        if let Self::From(cursor) = self {
            let stream = client.sessions().stream(&message.session_id).after(&*cursor);
            *self = Self::Stream(Box::new(stream.until(&message.id)));
        }
    }

    #[inline]
    fn pause<'a>(&'a mut self, delay: Duration, id: &'a MessageId, ends: Ends) -> Pause<'a> {
        Box::pin(self.wait(delay, id, ends))
    }
}

impl Follow {
    async fn wait(&mut self, delay: Duration, id: &MessageId, ends: Ends) {
        match self {
            Self::Failed => sleep(delay).await,
            // The first look failed: the next one is due soon, whatever the interval.
            Self::From(_) => sleep(delay.min(SAFETY_NET)).await,
            Self::Lagging(delays) => sleep(delays.next().unwrap_or(delay).min(delay)).await,
            Self::Stream(stream) => {
                let told = timeout(delay.max(SAFETY_NET), next_end(stream, id, ends));
                *self = match told.await {
                    Err(_elapsed) => return,
                    Ok(Told::End) => Self::Lagging(Delays::default_polling()),
                    Ok(Told::Failed) => Self::Failed,
                };
            }
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

impl fmt::Debug for WaitForMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitForMessage").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests;
