//! A body that breaks off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::emulator::line::Cutter;

/// The beginning of a body, under the head of the whole.
pub(super) struct CutBody {
    body: Body,
    left: usize,
    line: Cutter,
}

impl CutBody {
    pub(super) fn new(body: Body, bytes: usize, line: Cutter) -> Self {
        let length = http_body::Body::size_hint(&body).exact();
        let length = length.and_then(|length| usize::try_from(length).ok());
        // One byte at least must be missing.
        let left = length.map_or(bytes, |length| bytes.min(length.saturating_sub(1)));
        Self { body, left, line }
    }
}

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = match self.left {
            0 => None,
            _ => ready!(Pin::new(&mut self.body).poll_frame(context)),
        };
        let Some(Ok(Ok(mut data))) = frame.map(|frame| frame.map(Frame::into_data)) else {
            // What was sent before goes out first; then the connection is closed.
            self.line.cut();
            return Poll::Pending;
        };
        data.truncate(self.left);
        self.left -= data.len();
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    /// The length of the whole is what the head promises.
    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
