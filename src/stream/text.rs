//! A stream's text only, for programs that print.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::content::ContentBlock;
use crate::error::Error;
use crate::events::EventKind;
use crate::stream::EventStream;

/// What the agent says, as it completes; see [`EventStream::text`].
#[derive(Debug)]
#[must_use = "a stream does nothing until it is asked for the next item"]
pub struct TextStream(pub(super) EventStream);

impl TextStream {
    /// Returns the next text, or `None` when the stream has ended.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Those of [`EventStream::try_next`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, sent: dari::SentMessage) -> dari::Result<()> {
    /// let mut text = client.sessions().stream(&sent.session.id).until(&sent.message.id).text();
    /// while let Some(piece) = text.try_next().await? {
    ///     println!("{piece}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_next(&mut self) -> Result<Option<String>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl TextStream {
    /// Returns the stream of events underneath, for its cursor and its counters.
    ///
    /// ```no_run
    /// # fn example(text: dari::TextStream) {
    /// let cursor = text.events().cursor().map(ToString::to_string);
    /// # }
    /// ```
    pub fn events(&self) -> &EventStream {
        &self.0
    }
}

impl Stream for TextStream {
    type Item = Result<String, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let event = match ready!(Pin::new(&mut self.0).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(event)) => event,
            };
            let EventKind::AssistantMessageCompleted(said) = event.kind() else { continue };
            let text: String = said.content.iter().filter_map(ContentBlock::as_text).collect();
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(text)));
            }
        }
    }
}
