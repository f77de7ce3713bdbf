//! A download as a stream of bytes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::error::{CallFacts, Error};
use crate::http::Incoming;

/// The bytes of a workspace's archive, as they come.
///
/// A stream of pieces that are never empty. It ends with `None` after the last one, and after an
/// error. The connection is read at the reader's pace; dropping this closes it.
#[derive(Debug)]
#[must_use = "nothing is read until it is asked for"]
pub struct Download(Incoming);

impl Download {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self(incoming)
    }

    /// Returns the size of the archive, where the service told it.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let download = client.workspace().download(&id).await?;
    /// println!("{:?} bytes to come", download.size_bytes());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        self.0.total()
    }

    /// Returns the next bytes, or `None` after the last.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] when the download breaks off or stalls ([`Error::is_timeout`] tells
    /// which); [`Error::Decode`] past the ceiling of `max_bytes`.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let mut download = client.workspace().download(&id).await?;
    /// let mut bytes = 0;
    /// while let Some(piece) = download.try_next().await? {
    ///     bytes += piece.len();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_next(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|context| self.0.poll_chunk(context)).await.transpose()
    }

    pub(super) fn facts(&self) -> &CallFacts {
        self.0.facts()
    }
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_chunk(context)
    }
}
