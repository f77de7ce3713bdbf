//! Waiting for a batch to end.

use std::fmt;
use std::time::Duration;

use crate::batches::{Batch, BatchCounts};
use crate::client::Client;
use crate::error::{Error, one_line};
use crate::ids::BatchId;
use crate::poll::{Changes, Look, Wait, Watch};
use crate::status::BatchStatus;

/// The options of [`Batches::wait`](crate::Batches::wait).
///
/// They are methods of its [`Wait`](crate::Wait): [`on_progress`](crate::Wait::on_progress), beside
/// those of every wait.
pub struct WaitForBatch<'a> {
    client: &'a Client,
    id: BatchId,
    changes: Changes<'a, Batch, (BatchStatus, BatchCounts)>,
}

impl<'a> WaitForBatch<'a> {
    pub(super) fn new(client: &'a Client, id: BatchId) -> Self {
        Self { client, id, changes: Changes::unseen() }
    }
}

impl<'a> Wait<'a, Batch, WaitForBatch<'a>> {
    /// Calls `watch` at first, and whenever the batch went on.
    ///
    /// That is when the status or the [`progress`](Batch::progress) has changed. The final state is
    /// shown as well, before the wait returns it.
    pub fn on_progress(mut self, watch: impl FnMut(&Batch) + Send + 'a) -> Self {
        self.watch.changes.show_to(watch);
        self
    }
}

impl Watch for WaitForBatch<'_> {
    type Seen = Batch;

    async fn look(&mut self, limit: Duration) -> Result<Look<Batch>, Error> {
        let batch = self.client.batches().get(&self.id).timeout(limit).await?;
        let progress = batch.progress();
        let line = one_line(&told(&batch, &progress), 512);
        self.changes.see(&batch, (batch.status.clone(), progress));
        if batch.status.is_terminal() {
            return Ok(Look::Final(batch));
        }
        Ok(Look::Pending(batch, line))
    }
}

fn told(batch: &Batch, progress: &BatchCounts) -> String {
    let BatchCounts { queued, running, completed, failed, .. } = progress;
    let counts =
        format!("{queued} queued, {running} running, {completed} completed, {failed} failed");
    format!("{} is {} ({counts})", batch.id, batch.status)
}

impl fmt::Debug for WaitForBatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitForBatch").field(&self.id).finish()
    }
}
