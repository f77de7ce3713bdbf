//! Sends what is not held in memory: it ends on lack of progress, not on a total.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::error::{CallFacts, Error, TransportError};
use crate::http::outgoing::{Envelope, Flow, Rest};
use crate::http::progress::Watcher;
use crate::http::read::{Broken, Unreadable, read_body, undecodable};
use crate::http::source::{Content, Source};
use crate::http::{CallSettings, Cause, Failure, Reply, Sending};
use crate::request::Request;
use crate::retry::{Reached, Repeat};
use crate::trace::OperationSpan;

/// Bytes of a source, and what stands around them.
pub(crate) struct Upload {
    pub(crate) source: Source,
    pub(crate) envelope: Envelope,
    /// The `content-type` of source and envelope together; none is set where it is empty.
    pub(crate) media_type: Option<HeaderValue>,
    pub(crate) watcher: Watcher,
    /// How long nothing may move. Default: the client's.
    pub(crate) stall_timeout: Option<Duration>,
}

/// A place outside the API that takes one upload, as the service gave it.
pub(crate) struct Presigned<'a> {
    pub(crate) operation: &'static str,
    pub(crate) url: &'a str,
    /// Sent exactly as they are, and no others of ours.
    pub(crate) headers: HeaderMap,
}

/// Bytes that have not moved for too long.
#[derive(Debug, thiserror::Error)]
#[error("nothing moved for {0:?}")]
struct Stalled(Duration);

impl Upload {
    #[allow(dead_code, reason = "for the feature that publishes")]
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            envelope: Envelope::default(),
            media_type: None,
            watcher: Watcher::default(),
            stall_timeout: None,
        }
    }
}

/// What is sent instead of a body in memory, and how.
///
/// Behind a pointer, so that a program that uploads nothing has no code for it.
pub(crate) trait Cargo: Send {
    fn send<'a>(
        self: Box<Self>,
        client: &'a Client,
        request: &'a Request,
        settings: CallSettings,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;
}

impl Cargo for Upload {
    #[inline]
    fn send<'a>(
        self: Box<Self>,
        client: &'a Client,
        request: &'a Request,
        settings: CallSettings,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>> {
        Box::pin(send_upload(client, (request, *self), settings))
    }
}

/// Sends an upload to the API, with the key.
///
/// Repeated as its class says, and only while its bytes can still be had: a source that is read
/// once serves again where nothing has been read.
async fn send_upload(
    client: &Client,
    (request, upload): (&Request, Upload),
    mut settings: CallSettings,
) -> Result<Reply, Error> {
    if let Some(media_type) = &upload.media_type {
        settings.headers.insert(header::CONTENT_TYPE, media_type.clone());
    }
    let limit = settings.timeout.unwrap_or(Duration::MAX);
    let mut sending = Sending::new(client.inner(), request, settings)?;
    sending.limit = limit;
    let http = client.inner().http.clone();
    Uploading { sending, http, upload, untouched: None }.run().await
}

/// Puts an upload where the service said, with the headers it gave and without the key.
///
/// By an HTTP client of its own, so that no header set on the other goes along. Neither redirects
/// nor plain HTTP to another host, unless the client allows it. A repeat puts
/// the same bytes into the same place, so it is safe.
pub(crate) async fn put_presigned(
    client: &Client,
    place: Presigned<'_>,
    upload: Upload,
) -> Result<Reply, Error> {
    let Presigned { operation, url, headers } = place;
    let invalid = |reason| Error::invalid(operation, "upload url", reason);
    let url = client.inner().upload_url(url).map_err(invalid)?;
    // These frame the body: of two such headers, two servers on the way could read two requests.
    const FRAMING: [HeaderName; 3] =
        [header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE];
    if let Some(name) = FRAMING.iter().find(|name| headers.contains_key(*name)) {
        let reason = format!("{name} is not for the service to choose");
        return Err(Error::invalid(operation, "upload headers", reason));
    }
    let span = OperationSpan::presigned(operation, &url);
    let mut request = reqwest::Request::new(http::Method::PUT, url);
    *request.headers_mut() = headers;
    let mut sending = Sending::bare(client.inner(), request, operation);
    sending.repeat = Repeat::Safe;
    sending.limit = Duration::MAX;
    let http = client.inner().bare_http()?.clone();
    let uploading = Uploading { sending, http, upload, untouched: None };
    span.follow(uploading.run(), |reply| &reply.facts).await
}

struct Uploading<'a> {
    sending: Sending<'a>,
    http: reqwest::Client,
    upload: Upload,
    /// Opened by an attempt that then read nothing.
    untouched: Option<Content>,
}

impl Uploading<'_> {
    async fn run(mut self) -> Result<Reply, Error> {
        loop {
            let flow = self.flow().await?;
            let result = self.attempt(&flow).await;
            let rest = flow.end();
            let failure = match result {
                Ok(reply) if rest.is_whole => {
                    self.sending.inner.budget.earn();
                    return Ok(reply);
                }
                Ok(reply) => return Err(self.premature(&reply)),
                Err(failure) => failure,
            };
            let reached = failure.reached;
            let error = self.describe(failure, rest);
            let again = self.untouched.is_some() || self.upload.source.can_be_read_again();
            let delay = if again { self.sending.next_delay(reached, &error) } else { None };
            let Some(delay) = delay else { return Err(error) };
            sleep(delay).await;
            self.sending.last_error = Some(Box::new(error));
        }
    }

    async fn flow(&mut self) -> Result<Flow, Error> {
        let content = match self.untouched.take() {
            Some(content) => Ok(content),
            None => self.upload.source.open().await,
        };
        let facts = self.sending.facts.clone();
        let content = content.map_err(|error| {
            Error::file(facts.clone(), "what was to be uploaded cannot be read", error)
        })?;
        let flow = Flow::new(content, self.upload.envelope.clone(), self.upload.watcher.clone());
        let size = flow.size().map(|size| size.to_string()).unwrap_or_default();
        let request = self.sending.request.iter();
        let mut said = request.flat_map(|it| it.headers().get_all(header::CONTENT_LENGTH));
        if said.any(|said| said.as_bytes() != size.as_bytes()) {
            let reason = "content-length is not the size of what is to be sent";
            return Err(Error::invalid(facts.operation, "upload headers", reason));
        }
        Ok(flow)
    }

    async fn attempt(&mut self, flow: &Flow) -> Result<Reply, Failure> {
        self.sending.begin_attempt();
        let Some(mut request) = self.sending.copy() else {
            return Err(Failure { reached: Reached::Nothing, cause: Cause::Timeout });
        };
        *request.body_mut() = Some(flow.body());
        let stall = self.upload.stall_timeout.unwrap_or(self.sending.inner.stall_timeout);
        let sent = pin!(self.http.execute(request));
        let stalled = pin!(flow.stalled(stall));
        let response = match timeout(self.sending.time_left(), race(sent, stalled)).await {
            Ok(Ok(result)) => result.map_err(Failure::unsent)?,
            Ok(Err(what)) => return Err(Failure::somewhere(Cause::Stalled(what, stall))),
            Err(_elapsed) => return Err(Failure::somewhere(Cause::Timeout)),
        };
        let response = self.sending.judge(response).await?;
        self.read(response, stall).await
    }

    async fn read(
        &mut self,
        mut response: reqwest::Response,
        stall: Duration,
    ) -> Result<Reply, Failure> {
        let headers = std::mem::take(response.headers_mut());
        let limit = self.sending.inner.limits.body;
        let left = stall.min(self.sending.time_left());
        let body = match timeout(left, read_body(&mut response, limit)).await {
            Ok(Ok(body)) => body,
            Ok(Err(Broken::Off(error))) => return Err(Failure::somewhere(Cause::Body(error))),
            Ok(Err(Broken::TooLarge)) => return Err(Failure::somewhere(Cause::TooLarge(limit))),
            Err(_elapsed) => {
                let what = "the answer to the upload stalled";
                return Err(Failure::somewhere(Cause::Stalled(what, stall)));
            }
        };
        let mut facts = self.sending.facts.clone();
        facts.fate = self.sending.fate_of(Reached::Somewhere);
        Ok(Reply { headers, body, facts })
    }

    /// Says that what was taken cannot be what was to be sent.
    fn premature(&self, reply: &Reply) -> Error {
        let reason = "it came before all of the upload was sent".to_owned();
        let what = Unreadable { path: String::new(), reason, body: &reply.body };
        undecodable(self.sending.inner, reply.facts.clone(), &what)
    }

    fn describe(&mut self, mut failure: Failure, rest: Rest) -> Error {
        self.untouched = rest.untouched;
        if let (Some(error), true) = (rest.failure, failure.reached == Reached::Somewhere) {
            failure.cause = Cause::Source(error);
        }
        // Nobody can process what ends before its end.
        if failure.reached == Reached::Somewhere && !rest.is_whole {
            failure.reached = Reached::Nothing;
        }
        self.sending.describe(failure)
    }
}

/// Returns the error of a transfer that stands still.
pub(super) fn stalled(facts: CallFacts, what: &'static str, limit: Duration) -> Error {
    let source = Some(Stalled(limit).into());
    Error::Transport(Box::new(TransportError { facts, what, timed_out: true, source }))
}

/// Returns what the first future gives, or else the second, whichever ends first.
async fn race<A: Future, B: Future>(
    mut first: Pin<&mut A>,
    mut second: Pin<&mut B>,
) -> Result<A::Output, B::Output> {
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => second.as_mut().poll(context).map(Err),
    })
    .await
}

#[cfg(test)]
mod tests;
