//! Waiting for a cost that comes some time after the run.

use std::fmt;
use std::time::Duration;

use crate::client::Client;
use crate::costs::Cost;
use crate::error::Error;
use crate::ids::SessionId;
use crate::poll::{Look, Watch};

/// The inside of [`Costs::wait`](crate::Costs::wait).
pub struct WaitForCost<'a> {
    client: &'a Client,
    id: SessionId,
    session_exists: bool,
}

impl<'a> WaitForCost<'a> {
    pub(super) fn new(client: &'a Client, id: SessionId) -> Self {
        Self { client, id, session_exists: false }
    }

    /// Asks once whether there is such a session, for which a cost may come.
    async fn check_session(&mut self, limit: Duration) -> Result<(), Error> {
        if !self.session_exists {
            self.client.sessions().get(&self.id).timeout(limit).await?;
            self.session_exists = true;
        }
        Ok(())
    }
}

impl Watch for WaitForCost<'_> {
    type Seen = Cost;

    /// Assumption (contract §8): while there is no cost yet, the service answers 404.
    async fn look(&mut self, limit: Duration) -> Result<Look<Cost>, Error> {
        match self.client.costs().session(&self.id).timeout(limit).await {
            Ok(cost) => Ok(Look::Final(cost)),
            Err(error) if error.is_not_found() => {
                self.check_session(limit).await?;
                Ok(Look::Nothing(error))
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for WaitForCost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitForCost").field(&self.id).finish()
    }
}
