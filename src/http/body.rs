//! A body that is read as it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body as _;

use crate::error::{CallFacts, Error, TransportError};

/// The body of an open stream; dropping it closes the connection.
pub(crate) struct OpenBody(reqwest::Body);

impl OpenBody {
    pub(super) fn new(response: reqwest::Response) -> Self {
        Self(response.into())
    }

    pub(crate) fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        poll_data(&mut self.0, context).map(|next| next.map(|bytes| bytes.map_err(broken)))
    }
}

/// Returns the next bytes of a body.
pub(super) fn poll_data(
    body: &mut reqwest::Body,
    context: &mut Context<'_>,
) -> Poll<Option<reqwest::Result<Bytes>>> {
    loop {
        match ready!(Pin::new(&mut *body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            // Trailers are no part of the content.
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Poll::Ready(Some(Ok(bytes)));
                }
            }
        }
    }
}

fn broken(error: reqwest::Error) -> Error {
    let facts = CallFacts { operation: "sessions.stream", attempts: 1, ..CallFacts::default() };
    let timed_out = error.is_timeout();
    let source = Some(error.without_url().into());
    let what = "the stream broke off";
    Error::Transport(Box::new(TransportError { facts, what, timed_out, source }))
}
