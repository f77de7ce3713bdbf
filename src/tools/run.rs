//! The call that runs tools, and its options.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::error::Error;
use crate::ids::MessageId;
use crate::messages::Message;
use crate::stream::Cursor;
use crate::tools::service::Remote;
use crate::tools::set::ToolSet;
use crate::tools::turn::Turn;
use crate::trace::workflow;

/// A run of tools for a message; see [`Tools::run`](crate::Tools::run).
#[must_use = "nothing runs until it is awaited"]
pub struct RunTools<'a> {
    client: &'a Client,
    message: MessageId,
    tools: ToolSet,
    limit: Duration,
    after: Option<Cursor>,
}

impl<'a> RunTools<'a> {
    pub(super) fn new(client: &'a Client, message: MessageId, tools: ToolSet) -> Self {
        Self { client, message, tools, limit: Duration::from_secs(600), after: None }
    }

    /// Sets how long the run may wait for the message's end. Default 10 minutes.
    ///
    /// Faults on the way do not extend it. Once the message has ended, answers on their way are
    /// waited for on top of it, 5 s at most.
    ///
    /// When the time is up, handlers at work are dropped and their calls stay unanswered: the same run
    /// made again takes them up.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId, tools: dari::ToolSet) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let run = client.tools().run(&id, &tools).timeout(Duration::from_secs(3600));
    /// let message = run.await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Follows the stream from here on, not from the ledger's first event.
    ///
    /// Give it the event of the send: a long session's events are then read once, not twice. Calls
    /// before this point are found all the same, for the history is read whole.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId, tools: dari::ToolSet) -> dari::Result<()> {
    /// let sent = client.messages().send(&id, "And T-1043?").await?;
    /// let message = client.tools().run(&sent.message.id, &tools).after(&sent.event).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, point: impl Into<Cursor>) -> Self {
        self.after = Some(point.into());
        self
    }

    async fn run(self) -> Result<Message, Error> {
        let Self { client, message, tools, limit, after } = self;
        let service = Arc::new(Remote { client: client.clone(), message: message.clone() });
        Turn { service, message, tools, after }.run(limit).await
    }
}

impl<'a> IntoFuture for RunTools<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(workflow("tools.run", self.run()))
    }
}

impl fmt::Debug for RunTools<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunTools")
            .field("message", &self.message)
            .field("tools", &self.tools)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
