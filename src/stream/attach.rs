//! Connecting before the first event is asked for.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::error::Error;
use crate::stream::EventStream;
use crate::stream::machine::{State, Step};

impl EventStream {
    /// Connects, and takes nothing from the connection yet.
    ///
    /// What is recorded from then on cannot be missed, whatever is read elsewhere meanwhile.
    pub(crate) async fn attach(&mut self) -> Result<(), Error> {
        poll_fn(|context| self.poll_attached(context)).await
    }

    /// Returns whether there is a connection now.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.state, State::Open(_) | State::Filling(_) | State::Asking(..))
    }

    #[inline]
    fn poll_attached(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.is_attached() && !matches!(self.state, State::Ended) {
            match ready!(self.poll_step(context)) {
                // Only a connection has events to deliver.
                Step::Again | Step::Deliver(_) => {}
                Step::Fail(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}
