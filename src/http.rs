//! The only file that sends: once, or with repeats.

mod body;
mod incoming;
mod outgoing;
#[cfg(any(test, fuzzing))]
pub(crate) mod probe;
mod progress;
mod read;
mod source;
mod transfer;

use std::future::Future;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, Inner};
use crate::error::{CallFacts, Error, Fate, TimedOutError, TransportError};
use crate::request::{Key, KeyPlace, Request};
use crate::retry::{Delays, Reached, Repeat, RetryPolicy, may_have_acted, retry_after};
use crate::trace::{self, OperationSpan};

use read::{Broken, Refusal, Unreadable, read_body, undecodable};

pub(crate) use body::OpenBody;
pub(crate) use incoming::{DownloadSettings, Incoming, download};
pub(crate) use outgoing::Envelope;
pub use progress::Progress;
pub(crate) use progress::Watcher;
pub(crate) use read::decode;
pub(crate) use source::Source;
use transfer::stalled;
pub(crate) use transfer::{Cargo, Presigned, Upload, put_presigned};

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What one call changes of the client's settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSettings {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) headers: HeaderMap,
}

/// A reply with a status of success, and its whole body.
///
/// It is JSON's `null` where a refusal told that an earlier attempt had done the work.
pub(crate) struct Reply {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) facts: CallFacts,
}

/// Sends a request, repeated where that is safe, until it is answered or the time is up.
pub(crate) async fn send(
    client: &Client,
    request: &Request,
    settings: CallSettings,
) -> Result<Reply, Error> {
    let inner = client.inner();
    let mut sending = Sending::new(inner, request, settings)?;
    loop {
        let failure = match sending.attempt().await {
            Ok(reply) => {
                inner.budget.earn();
                return Ok(reply);
            }
            Err(failure) if sending.lost && sending.repeat.is_proved_done_by(failure.reached) => {
                inner.budget.earn();
                return Ok(sending.done_before(failure));
            }
            Err(failure) => failure,
        };
        let (reached, error) = (failure.reached, sending.describe(failure));
        match sending.next_delay(reached, &error) {
            Some(delay) => sleep(delay).await,
            None => return Err(error),
        }
        sending.last_error = Some(Box::new(error));
    }
}

/// Sends a request once, for a stream of events after the one with this id.
pub(crate) async fn open(
    client: &Client,
    request: &Request,
    last_event_id: Option<&str>,
) -> Result<OpenBody, Error> {
    let span = OperationSpan::call(request, &client.inner().base_url);
    let opening = connect(client.inner(), request, last_event_id);
    Ok(span.follow(opening, |(_, facts)| facts).await?.0)
}

async fn connect(
    inner: &Inner,
    request: &Request,
    last_event_id: Option<&str>,
) -> Result<(OpenBody, CallFacts), Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(EVENT_STREAM));
    if let Some(id) = last_event_id {
        let invalid = |error: http::Error| {
            Error::invalid(request.operation, "last event id", error.to_string())
        };
        let id = HeaderValue::from_bytes(id.as_bytes()).map_err(|error| invalid(error.into()))?;
        headers.insert(LAST_EVENT_ID, id);
    }
    let settings = CallSettings { headers, ..CallSettings::default() };
    let mut sending = Sending::new(inner, request, settings)?;
    // Sent once: nothing is kept for a repeat.
    let request = sending.request.take();
    let response = match sending.exchange(request).await {
        Ok(response) => response,
        Err(failure) => return Err(sending.describe(failure)),
    };
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if media_type.is_some_and(|text| text.to_ascii_lowercase().starts_with(EVENT_STREAM.as_bytes()))
    {
        return Ok((OpenBody::new(response), sending.facts));
    }
    Err(sending.not_a_stream(response).await)
}

/// One operation on its way: the request as it leaves, and the time and delays left.
struct Sending<'a> {
    inner: &'a Inner,
    request: Option<reqwest::Request>,
    repeat: Repeat,
    policy: RetryPolicy,
    delays: std::iter::Take<Delays>,
    limit: Duration,
    started: Instant,
    facts: CallFacts,
    caller_has_key: bool,
    last_error: Option<Box<Error>>,
    /// Whether an attempt failed that may have been taken.
    lost: bool,
    /// The worst of all attempts: a later refusal does not undo an earlier lost reply.
    fate: Fate,
}

impl<'a> Sending<'a> {
    fn new(inner: &'a Inner, request: &Request, settings: CallSettings) -> Result<Self, Error> {
        let mut outgoing =
            reqwest::Request::new(request.method.clone(), request.url(&inner.base_url));
        *outgoing.headers_mut() = headers(inner, request, settings.headers)?;
        *outgoing.body_mut() = request.body.clone().map(Into::into);
        let policy = settings.retry.unwrap_or_else(|| inner.retry.clone());
        let key = request.key.as_ref();
        let mut sending = Self::bare(inner, outgoing, request.operation);
        sending.facts.idempotency_key = key.map(|key| key.as_str().into());
        Ok(Self {
            repeat: request.repeat,
            delays: policy.delays(),
            policy,
            limit: settings.timeout.unwrap_or(inner.timeout),
            caller_has_key: key.is_some_and(|key| key.is_callers),
            ..sending
        })
    }

    /// Returns what sends a request just as it is, with the client's settings.
    fn bare(inner: &'a Inner, request: reqwest::Request, operation: &'static str) -> Self {
        let policy = inner.retry.clone();
        Self {
            inner,
            request: Some(request),
            repeat: Repeat::Unsafe,
            delays: policy.delays(),
            policy,
            limit: inner.timeout,
            started: Instant::now(),
            facts: CallFacts { operation, ..CallFacts::default() },
            caller_has_key: false,
            last_error: None,
            lost: false,
            fate: Fate::Harmless,
        }
    }

    fn time_left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    async fn attempt(&mut self) -> Result<Reply, Failure> {
        let (started, whole) = (Instant::now(), self.attempt_limit());
        let mut response = self.head().await?;
        let headers = std::mem::take(response.headers_mut());
        let limit = self.inner.limits.body;
        let left = whole.saturating_sub(started.elapsed());
        let body = match timeout(left, read_body(&mut response, limit)).await {
            Ok(Ok(body)) => body,
            Ok(Err(Broken::Off(error))) => return Err(Failure::somewhere(Cause::Body(error))),
            Ok(Err(Broken::TooLarge)) => return Err(Failure::somewhere(Cause::TooLarge(limit))),
            Err(_elapsed) => return Err(Failure::somewhere(Cause::Timeout)),
        };
        let mut facts = self.facts.clone();
        facts.fate = self.fate_of(Reached::Somewhere);
        Ok(Reply { headers, body, facts })
    }

    /// Sends once, and returns a reply of success with its body still to come.
    fn head(&mut self) -> impl Future<Output = Result<reqwest::Response, Failure>> {
        let request = self.copy();
        self.exchange(request)
    }

    /// Returns the request to send, and keeps it for a repeat.
    fn copy(&self) -> Option<reqwest::Request> {
        self.request.as_ref().and_then(reqwest::Request::try_clone)
    }

    async fn exchange(
        &mut self,
        request: Option<reqwest::Request>,
    ) -> Result<reqwest::Response, Failure> {
        self.begin_attempt();
        let Some(request) = request else {
            return Err(Failure { reached: Reached::Nothing, cause: Cause::Timeout });
        };
        let sent = self.inner.http.execute(request);
        let response = match timeout(self.attempt_limit(), sent).await {
            Ok(result) => result.map_err(Failure::unsent)?,
            Err(_elapsed) => return Err(Failure::somewhere(Cause::Timeout)),
        };
        self.judge(response).await
    }

    fn begin_attempt(&mut self) {
        self.facts.attempts += 1;
        self.facts.status = None;
        self.facts.request_id = None;
        self.facts.retry_after = None;
    }

    /// Notes what a reply says of itself, and returns it if its status is one of success.
    async fn judge(&mut self, response: reqwest::Response) -> Result<reqwest::Response, Failure> {
        let status = response.status();
        self.facts.status = Some(status);
        self.facts.request_id = self.inner.request_id(response.headers());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.facts.retry_after = retry_after(response.headers(), now);
        if status.is_success() {
            return Ok(response);
        }
        // Read apart from the attempt's time, so that a body that stalls cannot hide the status.
        let mut refusal = Refusal { response, body: Vec::new() };
        refusal.read_body(self.inner.limits.error_body, self.time_left()).await;
        Err(Failure { reached: Reached::Status(status), cause: Cause::Status(refusal) })
    }

    fn attempt_limit(&self) -> Duration {
        self.inner.attempt_timeout.min(self.time_left())
    }

    /// Returns what takes the place of a reply that was lost.
    fn done_before(&self, refusal: Failure) -> Reply {
        let headers = match refusal.cause {
            Cause::Status(mut refusal) => std::mem::take(refusal.response.headers_mut()),
            _ => HeaderMap::new(),
        };
        Reply { headers, body: Bytes::from_static(b"null"), facts: self.facts.clone() }
    }

    /// Returns what the failure means to the caller.
    fn describe(&mut self, failure: Failure) -> Error {
        let mut facts = self.facts.clone();
        self.lost |= may_have_acted(failure.reached);
        self.fate = self.fate.max(self.fate_of(failure.reached));
        facts.fate = self.fate;
        facts.lost = self.lost;
        match failure.cause {
            Cause::Connect(error) => transport(facts, "no connection could be made", error),
            Cause::Send(error) => transport(facts, "the connection failed", error),
            Cause::Body(error) => transport(facts, "the reply broke off", error),
            Cause::Status(refusal) => self.inner.api_error(facts, &refusal.body),
            Cause::TooLarge(limit) => {
                let reason = format!("it is larger than {limit} bytes");
                let what = Unreadable { path: String::new(), reason, body: b"" };
                undecodable(self.inner, facts, &what)
            }
            Cause::Timeout => self.out_of_time(facts),
            Cause::Source(error) => {
                Error::file(facts, "what was to be uploaded cannot be read", error)
            }
            Cause::Stalled(what, limit) => stalled(facts, what, limit),
        }
    }

    fn out_of_time(&mut self, facts: CallFacts) -> Error {
        let is_over = self.time_left().is_zero();
        Error::TimedOut(Box::new(TimedOutError {
            facts,
            limit: if is_over { self.limit } else { self.inner.attempt_timeout },
            last: None,
            source: self.last_error.take().filter(|error| !error.is_timeout()),
        }))
    }

    async fn not_a_stream(&self, response: reqwest::Response) -> Error {
        let mut page = Refusal { response, body: Vec::new() };
        page.read_body(self.inner.limits.excerpt, self.time_left()).await;
        let reason = format!("it is not {EVENT_STREAM}");
        let what = Unreadable { path: String::new(), reason, body: &page.body };
        undecodable(self.inner, self.facts.clone(), &what)
    }

    fn fate_of(&self, reached: Reached) -> Fate {
        let caller_can_repeat = self.repeat == Repeat::Keyed && self.caller_has_key;
        if caller_can_repeat { Repeat::Safe.fate(reached) } else { self.repeat.fate(reached) }
    }

    /// Classify, count, back off, pay, then tell: `None` ends the operation with the error.
    fn next_delay(&mut self, reached: Reached, error: &Error) -> Option<Duration> {
        if matches!(error, Error::Decode(_) | Error::File(_)) || !self.repeat.allows(reached) {
            return None;
        }
        let mut delay = self.delays.next()?;
        if let Some(asked) = error.retry_after() {
            if !self.policy.obeys(asked) {
                return None;
            }
            delay = delay.max(asked);
        }
        if delay >= self.time_left() || !self.inner.budget.pay() {
            return None;
        }
        trace::repeats(error, delay);
        Some(delay)
    }
}

/// An attempt that gave no reply of success.
struct Failure {
    reached: Reached,
    cause: Cause,
}

enum Cause {
    Connect(reqwest::Error),
    Send(reqwest::Error),
    Body(reqwest::Error),
    Status(Refusal),
    TooLarge(usize),
    Timeout,
    /// The bytes to be sent could not be had.
    Source(io::Error),
    Stalled(&'static str, Duration),
}

impl Failure {
    fn somewhere(cause: Cause) -> Self {
        Self { reached: Reached::Somewhere, cause }
    }

    fn unsent(error: reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            return Self { reached: Reached::Nothing, cause: Cause::Connect(error) };
        }
        Self::somewhere(Cause::Send(error))
    }
}

fn transport(facts: CallFacts, what: &'static str, error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    let source = Some(error.without_url().into());
    Error::Transport(Box::new(TransportError { facts, what, timed_out, source }))
}

fn headers(inner: &Inner, request: &Request, mut headers: HeaderMap) -> Result<HeaderMap, Error> {
    headers.insert(header::AUTHORIZATION, inner.authorization.clone());
    let json = HeaderValue::from_static("application/json");
    if request.body.is_some() {
        headers.insert(header::CONTENT_TYPE, json.clone());
    }
    headers.entry(header::ACCEPT).or_insert(json);
    if let Some(key) = &request.key {
        let invalid = |reason| Error::invalid(request.operation, "idempotency key", reason);
        put_key(&mut headers, key).map_err(invalid)?;
    }
    Ok(headers)
}

fn put_key(headers: &mut HeaderMap, key: &Key) -> Result<(), String> {
    if key.as_str().is_empty() {
        return Err("it is empty".to_owned());
    }
    if key.place == KeyPlace::Header {
        let value = HeaderValue::from_str(key.as_str()).map_err(|error| error.to_string())?;
        headers.insert(IDEMPOTENCY_KEY, value);
    }
    Ok(())
}
