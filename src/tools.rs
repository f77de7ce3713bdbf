//! Tools that the application runs: answers an agent's calls until a message is finished.

mod at_work;
mod attend;
mod book;
mod crew;
mod deliver;
mod feed;
mod guard;
mod ledger;
mod report;
mod request;
mod run;
mod service;
mod set;
mod turn;

use crate::client::Client;
use crate::ids::MessageId;

pub use report::{ToolCallOutcome, ToolCallReport};
pub use request::{ArgumentsError, ToolRequest};
pub use run::RunTools;
pub use set::{ToolSet, Unregistered};

/// Runs the application's tools for an agent; see [`Client::tools`].
///
/// A tool that an agent's manifest declares external is run by the application: the agent calls it,
/// its message waits, and goes on once the call is answered (contract §6). Name a handler for each
/// tool in a [`ToolSet`], send a message, and [`run`](Self::run) the tools until it is finished:
///
/// ```no_run
/// # async fn example(client: dari::Client, agent: dari::AgentId) -> Result<(), Box<dyn std::error::Error>> {
/// use dari::ToolSet;
/// use serde::Deserialize;
/// use serde_json::{Value, json};
///
/// #[derive(Deserialize)]
/// struct LookupTicket { ticket_id: String }
///
/// async fn lookup_ticket(args: LookupTicket) -> Result<Value, String> {
///     Ok(json!({"id": args.ticket_id, "priority": "high"}))
/// }
///
/// let tools = ToolSet::new().on("lookup_ticket", lookup_ticket);
/// let sent = client.agents().send_message(&agent, "How urgent is T-1042?").await?;
/// let message = client.tools().run(&sent.message.id, &tools).await?.into_completed()?;
/// println!("{}", message.text());
/// # Ok(())
/// # }
/// ```
///
/// More to learn from: the guide on [tools](crate::guide::tools).
///
/// # What it guarantees
///
/// - **No call is missed.** The stream is attached before the history is read, unless it takes more
///   than 5 s, and delivers each event once; where it does not get through, the history is read again.
/// - **Each call gets one answer.** What the history shows as answered is left alone, whoever
///   answered it, and nothing is started before the history is known. Events that come again change
///   nothing. The answer is repeated until it has arrived, and the service takes the first alone.
/// - **Each call ends.** Arguments that do not fit, an error, a panic, a timeout, a result that the
///   tool's schema refuses: each is told to the model as an error, so that the turn goes on.
/// - **Nothing is left behind.** Handlers run inside the run's future, with no task of their own.
///   Dropping it, or the message's end, drops them at their next `await`; so does an answer from
///   elsewhere, such as the tool's own time limit at the service.
/// - **It ends**: with the message, with an error that no patience mends (401, 403, 404), or when
///   the time is up, with the last state of the message in the error.
///
/// A **handler may run twice** for one call: a process can die between a handler's effect and its
/// answer, and two processes can run the same message. Its effect happens once if it uses
/// [`ToolRequest::tool_call_id`] as a key, as [`ToolSet::on_raw`] lets it.
///
/// A handler that blocks its thread holds up the others and the run; give such work to
/// `tokio::task::spawn_blocking`. In a program built with `panic = "abort"` no panic can be caught.
///
/// # What it assumes
///
/// That the service answers a second result with 409, an unknown call with 404 and a misfit with
/// 422; that the events list covers what its limit allows; and that `tool.result_submitted`,
/// `tool.call_completed` and `tool.call_failed` name the call they end (contract §5, §6). The name
/// and arguments of a call are taken from the transcript where its event lacks them, with up to six
/// looks; a 409 or 404 for a call that the history does not end is repeated up to 4 times. Should an
/// ending event be missed, a handler may run for nothing: its answer is refused with 409.
///
/// What the history shows is all that is known of the past: a list that cannot be read, for it is
/// broken or larger than [`Limits::body`](crate::Limits::body), ends the run with that error.
///
/// # Memory
///
/// A run holds its [stream](crate::EventStream#memory), the history while it is read, the calls that
/// wait for a free place with their arguments, and the ids of the message's calls. The stream is left
/// unread while 64 calls wait; the history brings all of its calls at once. A message with more than
/// 10,000 calls ends the run with [`Error::Stream`](crate::Error::Stream).
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the runner of the application's tools.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// let ping = |_: dari::ToolRequest| async { Ok::<_, String>("pong") };
    /// let tools = dari::ToolSet::new().on_raw("ping", ping);
    /// let message = client.tools().run(&id, &tools).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tools(&self) -> Tools<'_> {
        Tools { client: self }
    }
}

impl<'a> Tools<'a> {
    /// Answers a message's tool calls until it is finished.
    ///
    /// Returns the message, completed or failed, as [`Messages::wait`](crate::Messages::wait) does;
    /// at once if it is finished already. Made again after a crash, with the same message, it goes on
    /// where the dead process stopped. Default limit 10 minutes, see [`RunTools::timeout`]. Answers on
    /// their way when the message ends are waited for, 5 s at most, so that their outcome is told.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`](crate::Error::TimedOut) with the last state of the message. Passing faults
    /// do not end the run, others (not found, unauthorized, a history that cannot be read) do. What
    /// goes wrong with one call is told to [`ToolSet::observe`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId, tools: dari::ToolSet) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let sent = client.messages().send(&session, "And T-1043?").await?;
    /// let run = client.tools().run(&sent.message.id, &tools).after(&sent.event);
    /// let message = run.timeout(Duration::from_secs(1800)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(self, message: &MessageId, tools: &ToolSet) -> RunTools<'a> {
        RunTools::new(self.client, message.clone(), tools.clone())
    }
}

#[cfg(test)]
mod tests;
