//! A download: bytes as they come, counted, limited, and ended when nothing comes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use tokio::time::{Instant, Sleep, sleep};

use crate::client::Client;
use crate::error::{CallFacts, DecodeError, Error, TransportError};
use crate::http::body::poll_data;
use crate::http::progress::{Progress, Watcher};
use crate::http::transfer::stalled;
use crate::http::{CallSettings, Sending};
use crate::request::Request;
use crate::trace::OperationSpan;

/// How a download is watched and limited.
#[derive(Clone, Debug)]
pub(crate) struct DownloadSettings {
    pub(crate) watcher: Watcher,
    /// How long nothing may come. Default: the client's.
    pub(crate) stall_timeout: Option<Duration>,
    /// The most that may come.
    pub(crate) max_bytes: u64,
}

/// The body of a reply of success, to be read at the reader's pace.
///
/// Dropping it closes the connection.
pub(crate) struct Incoming {
    /// `None` when it is over, well or not.
    body: Option<reqwest::Body>,
    facts: CallFacts,
    progress: Progress,
    settings: DownloadSettings,
    alarm: Alarm,
    /// Ends with the body.
    span: OperationSpan,
}

/// Rings when nothing has come for a while, counted only while someone waits.
struct Alarm {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    is_set: bool,
}

/// Asks for a download, repeated until it begins; a body that breaks off later is an error.
pub(crate) async fn download(
    client: &Client,
    (request, settings): (&Request, DownloadSettings),
    mut call: CallSettings,
) -> Result<Incoming, Error> {
    let inner = client.inner();
    let mut span = OperationSpan::call(request, &inner.base_url);
    call.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let mut sending = Sending::new(inner, request, call).inspect_err(|error| span.failed(error))?;
    let begun = span.around(begin(&mut sending)).await;
    let response = begun.inspect_err(|error| span.failed(error))?;
    inner.budget.earn();
    let total = response.content_length();
    let mut incoming = Incoming {
        body: Some(response.into()),
        facts: sending.facts,
        progress: Progress { bytes: 0, total },
        alarm: Alarm::new(settings.stall_timeout.unwrap_or(inner.stall_timeout)),
        settings,
        span,
    };
    if total.is_some_and(|total| total > incoming.settings.max_bytes) {
        let error = incoming.too_large();
        incoming.span.failed(&error);
        return Err(error);
    }
    Ok(incoming)
}

async fn begin(sending: &mut Sending<'_>) -> Result<reqwest::Response, Error> {
    loop {
        let failure = match sending.head().await {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        let (reached, error) = (failure.reached, sending.describe(failure));
        let Some(delay) = sending.next_delay(reached, &error) else { return Err(error) };
        sleep(delay).await;
        sending.last_error = Some(Box::new(error));
    }
}

impl Incoming {
    pub(crate) fn facts(&self) -> &CallFacts {
        &self.facts
    }

    pub(crate) fn total(&self) -> Option<u64> {
        self.progress.total
    }

    /// Returns the next bytes, never none of them; `None` after the last, and after an error.
    pub(crate) fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let next = ready!(self.poll_next(context));
            // An empty frame is no progress: the alarm goes on.
            if matches!(&next, Some(Ok(bytes)) if bytes.is_empty()) {
                continue;
            }
            self.alarm.is_set = false;
            match next {
                Some(Ok(bytes)) => {
                    // Whoever knows the size need not ask once more.
                    if self.progress.total == Some(self.progress.bytes) {
                        self.span.succeeded(&self.facts);
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                over => {
                    self.body = None;
                    match &over {
                        Some(Err(error)) => self.span.failed(error),
                        _ => self.span.succeeded(&self.facts),
                    }
                    return Poll::Ready(over);
                }
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        Poll::Ready(match poll_data(body, context) {
            Poll::Ready(Some(Ok(bytes))) => Some(self.take(bytes)),
            Poll::Ready(Some(Err(error))) => Some(Err(self.broken(Some(error)))),
            Poll::Ready(None) => {
                let is_short = self.progress.total.is_some_and(|it| it != self.progress.bytes);
                is_short.then(|| Err(self.broken(None)))
            }
            Poll::Pending if self.alarm.rings(context) => Some(Err(self.stalled())),
            Poll::Pending => return Poll::Pending,
        })
    }

    fn take(&mut self, bytes: Bytes) -> Result<Bytes, Error> {
        self.progress.bytes += bytes.len() as u64;
        if self.progress.bytes > self.settings.max_bytes {
            return Err(self.too_large());
        }
        if !bytes.is_empty() {
            self.settings.watcher.tell(self.progress);
        }
        Ok(bytes)
    }

    fn too_large(&self) -> Error {
        Error::Decode(Box::new(DecodeError {
            facts: self.facts.clone(),
            path: String::new(),
            reason: format!("it is larger than {} bytes", self.settings.max_bytes),
            excerpt: String::new(),
        }))
    }

    fn broken(&self, error: Option<reqwest::Error>) -> Error {
        let timed_out = error.as_ref().is_some_and(reqwest::Error::is_timeout);
        let source = error.map(|error| error.without_url().into());
        let (facts, what) = (self.facts.clone(), "the download broke off");
        Error::Transport(Box::new(TransportError { facts, what, timed_out, source }))
    }

    fn stalled(&self) -> Error {
        stalled(self.facts.clone(), "the download stalled", self.alarm.limit)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Incoming").field(&self.progress).finish()
    }
}

impl Alarm {
    fn new(limit: Duration) -> Self {
        Self { limit, sleep: Box::pin(sleep(Duration::ZERO)), is_set: false }
    }

    fn rings(&mut self, context: &mut Context<'_>) -> bool {
        if !self.is_set {
            self.is_set = true;
            match Instant::now().checked_add(self.limit) {
                Some(due) => self.sleep.as_mut().reset(due),
                None => self.sleep = Box::pin(sleep(Duration::MAX)),
            }
        }
        self.sleep.as_mut().poll(context).is_ready()
    }
}
