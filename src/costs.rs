//! Costs: what a session has spent, to the last digit.

mod amount;
mod wait;

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::ids::SessionId;
use crate::object::{ExtraFields, growing};
use crate::poll::Wait;
use crate::request::{Request, route};
use crate::status::CostScope;

pub use amount::{ParseAmountError, UsdAmount};
pub use wait::WaitForCost;

/// What something has cost so far (contract §8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Cost {
    /// What kind of thing it was added up over.
    pub scope_kind: CostScope,
    /// The id of that thing, such as the session's.
    pub scope_id: String,
    /// How many charges it consists of.
    pub event_count: u64,
    /// The sum, in US dollars.
    pub total_cost_usd: UsdAmount,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Cost);

/// The operations on costs; see [`Client::costs`].
#[derive(Clone, Copy, Debug)]
pub struct Costs<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on costs.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let cost = client.costs().session(&id).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn costs(&self) -> Costs<'_> {
        Costs { client: self }
    }
}

impl<'a> Costs<'a> {
    /// Returns what a session has cost so far.
    ///
    /// `GET /v1/costs/sessions/{session_id}`, contract §8. The service adds up with a delay: for
    /// minutes after a run there may be no cost yet. [`wait`](Self::wait) is patient with that.
    ///
    /// # Errors
    ///
    /// Not found when there is no cost yet (an assumption), or no such session.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let cost = client.costs().session(&id).await?;
    /// println!("{} USD for {} charges", cost.total_cost_usd, cost.event_count);
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(self, id: &SessionId) -> Call<'a, Cost> {
        let path = route!("/v1/costs/sessions/{session_id}", id);
        Call::plain(self.client, Request::get("costs.session", path))
    }

    /// Waits until a session has a cost, and returns it.
    ///
    /// Asks at once, then after delays that grow from 250 ms to 5 s, for 10 minutes at most. Call
    /// it when the run is over: a cost that is there is returned as it is, and nothing tells
    /// whether more will follow.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`](crate::Error::TimedOut) when there is still none; not found when the
    /// session itself does not exist. Passing faults do not end the wait.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// client.messages().wait(&sent.message.id).await?;
    /// let cost = client.costs().wait(&sent.session.id).await?;
    /// println!("{} USD", cost.total_cost_usd);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(self, id: &SessionId) -> Wait<'a, Cost, WaitForCost<'a>> {
        Wait::new("costs.wait", WaitForCost::new(self.client, id.clone()))
    }
}
