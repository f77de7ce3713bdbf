//! What a reader wants of a batch: one item, those that failed, how far it is.

use std::borrow::Cow;

use crate::batches::{Batch, BatchCounts, BatchSession};
use crate::error::Error;
use crate::status::{BatchItemStatus, BatchStatus};

impl Batch {
    /// Returns what became of the item at this place, from 0.
    ///
    /// None when the service does not tell of it, or not yet.
    ///
    /// ```no_run
    /// # fn example(batch: dari::Batch, tickets: [&str; 2]) {
    /// for (ticket, index) in tickets.iter().zip(0..) {
    ///     let status = batch.session(index).map(|item| item.status.as_str());
    ///     println!("{ticket} is {}", status.unwrap_or("not told of"));
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self, index: u64) -> Option<&BatchSession> {
        self.sessions.iter().find(|item| item.index == index)
    }

    /// Returns the items that failed, in the order of their index.
    ///
    /// ```no_run
    /// # fn example(batch: dari::Batch) {
    /// for item in batch.failed() {
    ///     eprintln!("item {}: {}", item.index, item.error_text().unwrap_or_default());
    /// }
    /// # }
    /// ```
    pub fn failed(&self) -> impl Iterator<Item = &BatchSession> {
        let failed = |item: &&BatchSession| item.status == BatchItemStatus::Failed;
        let mut failed: Vec<_> = self.sessions.iter().filter(failed).collect();
        failed.sort_by_key(|item| item.index);
        failed.into_iter()
    }

    /// Returns how many items are where in their life.
    ///
    /// As the service counts; where it does not, as the items say.
    #[must_use]
    pub fn progress(&self) -> BatchCounts {
        self.counts.clone().unwrap_or_else(|| {
            let count = |status| {
                let items = self.sessions.iter().filter(|item| item.status == status);
                items.count() as u64
            };
            BatchCounts {
                queued: count(BatchItemStatus::Queued),
                running: count(BatchItemStatus::Running),
                completed: count(BatchItemStatus::Completed),
                failed: count(BatchItemStatus::Failed),
                ..BatchCounts::default()
            }
        })
    }

    /// Returns the batch if every item of it is completed.
    ///
    /// A partly failed batch is an error here, so that `?` loses no item; the batch with those
    /// that are completed is in [`Error::last_seen`].
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when the status is not `completed`, or an item failed all the same.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::BatchId) -> dari::Result<()> {
    /// let batch = client.batches().wait(&id).await?.into_completed()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_completed(self) -> Result<Self, Error> {
        let first = self.failed().next();
        if self.status == BatchStatus::Completed && first.is_none() {
            return Ok(self);
        }
        let what = format!("batch {} is {}", self.id, self.status);
        let text = first.map(|item| self.failure(item)).unwrap_or_default();
        Err(Error::failed(&what, &text, self))
    }

    fn failure(&self, first: &BatchSession) -> String {
        let (failed, all) = (self.failed().count(), self.sessions.len());
        let reason = first.error_text().unwrap_or(Cow::Borrowed("the service gave no reason"));
        format!("{failed} of {all} items failed, the first is item {}: {reason}", first.index)
    }
}

impl BatchSession {
    /// Returns the error as a person would read it.
    #[must_use]
    pub fn error_text(&self) -> Option<Cow<'_, str>> {
        self.error.as_ref().map(|error| error.readable())
    }
}

#[cfg(test)]
mod tests {
    use crate::batches::Batch;
    use serde_json::{Value, json};

    fn batch(status: &str, counts: &Value, items: &[(u64, &str, Value)]) -> Batch {
        let items = items.iter().map(|(index, status, error)| {
            json!({"index": index, "status": status, "agent_id": "agt_1", "error": error})
        });
        let items: Vec<_> = items.collect();
        let batch =
            json!({"batch_id": "batch_1", "status": status, "counts": counts, "sessions": items});
        serde_json::from_str(&batch.to_string()).unwrap()
    }

    fn mixed(status: &str) -> Batch {
        let items = [
            (4, "failed", json!({"message": "no such version"})),
            (0, "completed", Value::Null),
            (2, "failed", json!("overloaded")),
            (3, "paused", Value::Null),
        ];
        batch(status, &Value::Null, &items)
    }

    #[test]
    fn an_item_is_found_by_its_index_whatever_the_order() {
        let batch = mixed("running");
        assert_eq!(batch.session(0).unwrap().status.as_str(), "completed");
        assert_eq!(batch.session(3).unwrap().status.as_str(), "paused");
        assert!(batch.session(1).is_none(), "the service told nothing of it");
    }

    #[test]
    fn failed_items_are_seen_one_by_one_with_their_reasons() {
        let batch = mixed("partial_failed");
        let told: Vec<_> =
            batch.failed().map(|item| (item.index, item.error_text().unwrap())).collect();
        assert_eq!(told, [(2, "overloaded".into()), (4, "no such version".into())]);
    }

    #[test]
    fn progress_is_what_the_service_counts_or_else_what_its_items_say() {
        let counted = mixed("running").progress();
        assert_eq!((counted.queued, counted.completed, counted.failed), (0, 1, 2));
        let told = batch("running", &json!({"completed": 7, "queued": null}), &[]).progress();
        assert_eq!((told.completed, told.queued, told.running), (7, 0, 0));
    }

    #[test]
    fn only_a_batch_without_a_failed_item_is_completed() {
        let done = [(0, "completed", Value::Null)];
        assert!(batch("completed", &Value::Null, &done).into_completed().is_ok());
        let error = mixed("partial_failed").into_completed().unwrap_err();
        let line = "batch batch_1 is partial_failed: 2 of 4 items failed, the first is item 2: \
            overloaded";
        assert_eq!(error.to_string(), line);
        assert_eq!(error.last_seen::<Batch>().unwrap().sessions.len(), 4);
        assert!(mixed("completed").into_completed().is_err(), "a status that hides a failure");
        let error = batch("queued", &Value::Null, &[]).into_completed().unwrap_err();
        assert_eq!(error.to_string(), "batch batch_1 is queued");
    }
}
