//! The one awaitable every operation returns.

use std::fmt;
use std::future::{Future, IntoFuture, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::http::{CallSettings, Cargo, Reply, decode, send};
use crate::request::{Key, Request};
use crate::retry::RetryPolicy;
use crate::trace::OperationSpan;

/// A call of the API, sent when it is awaited.
///
/// `T` is what it gives. `O` is what belongs to this operation alone: where it has options, they
/// are methods of its `Call`, such as [`metadata`](Call::metadata).
///
/// ```no_run
/// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
/// use std::time::Duration;
///
/// let message = client.messages().get(&id).timeout(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'a, T, O = Plain> {
    client: &'a Client,
    pub(crate) operation: O,
    settings: CallSettings,
    refused_header: Option<String>,
    reply: PhantomData<fn() -> T>,
}

/// An operation without options of its own.
pub struct Plain(pub(crate) Request);

/// The inside of an operation: how it becomes a request.
pub(crate) trait Operation: Send {
    fn into_request(self) -> Result<Request, Error>;

    /// Returns what is sent in place of a body in memory, if anything is.
    fn upload(&mut self) -> Result<Option<Box<dyn Cargo>>, Error> {
        Ok(None)
    }
}

/// An operation that a key makes safe to repeat.
pub(crate) trait Keyed: Operation {
    /// Returns the key, wherever the operation's request carries it.
    fn key(&mut self) -> &mut Key;
}

impl Operation for Plain {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        Ok(self.0)
    }
}

impl<'a, T> Call<'a, T> {
    pub(crate) fn plain(client: &'a Client, request: Request) -> Self {
        Self::new(client, Plain(request))
    }
}

impl<'a, T, O> Call<'a, T, O> {
    pub(crate) fn new(client: &'a Client, operation: O) -> Self {
        let settings = CallSettings::default();
        Self { client, operation, settings, refused_header: None, reply: PhantomData }
    }

    /// Sets the deadline: all attempts, delays and bodies together.
    ///
    /// Default: the client's, 120 s; none for an upload. Of a download, what counts is its beginning.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// Sets how this call is repeated. Default: the client's policy.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// use dari::RetryPolicy;
    ///
    /// let message = client.messages().get(&id).retry(RetryPolicy::none()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = Some(policy);
        self
    }

    /// Adds a header, such as a trace id.
    ///
    /// The call fails with [`Error::Invalid`] when the header is malformed, or one that the client
    /// sets itself (`authorization`, `content-type`, `host`, `idempotency-key`, and those that
    /// frame the body).
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let message = client.messages().get(&id).header("traceparent", trace).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Err(reason) = add_header(&mut self.settings.headers, name, value) {
            self.refused_header = Some(reason);
        }
        self
    }

    /// Returns the value together with status, headers, request id and attempts.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::MessageId) -> dari::Result<()> {
    /// let reply = client.messages().get(&id).with_meta().await?;
    /// println!("{} after {} attempts", reply.value.status, reply.meta.attempts);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_meta(self) -> CallWithMeta<'a, T, O> {
        CallWithMeta(self)
    }
}

impl<'a, T, O> Call<'a, T, O> {
    /// Returns what to send with, for an operation that does not answer with JSON.
    pub(crate) fn into_parts(
        self,
        operation: &'static str,
    ) -> Result<(&'a Client, O, CallSettings), Error> {
        match self.refused_header {
            Some(reason) => Err(Error::invalid(operation, "header", reason)),
            None => Ok((self.client, self.operation, self.settings)),
        }
    }
}

#[allow(private_bounds, reason = "operations are the crate's own")]
impl<T, O: Keyed> Call<'_, T, O> {
    /// Sets the key of idempotency; else one is made for each call.
    ///
    /// It travels as the contract says: in a header, or for batches in the body.
    ///
    /// A key that is stored before the call survives a crash: the same call with the same key
    /// has its effect once, and gives the first one's result.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// let send = client.messages().send(&session, "Ship order 7.");
    /// let sent = send.idempotency_key("order-7").await?; // however often this runs
    /// # Ok(())
    /// # }
    /// ```
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.operation.key().replace(key.into());
        self
    }
}

#[allow(private_bounds, reason = "operations are the crate's own")]
impl<'a, T, O: Operation> Call<'a, T, O> {
    fn errand(mut self) -> Result<Errand<'a>, Error> {
        let upload = self.operation.upload()?;
        let request = self.operation.into_request()?;
        if let Some(reason) = self.refused_header {
            return Err(Error::invalid(request.operation, "header", reason));
        }
        Ok(Errand { client: self.client, request, upload, settings: self.settings })
    }
}

/// A call without its types, so that what sends is compiled once and not for each of them.
struct Errand<'a> {
    client: &'a Client,
    request: Request,
    upload: Option<Box<dyn Cargo>>,
    settings: CallSettings,
}

impl Errand<'_> {
    fn span(&self) -> OperationSpan {
        OperationSpan::call(&self.request, &self.client.inner().base_url)
    }

    // Not of `self`: a future keeps what it is given beside what it makes of it.
    async fn send(&mut self, span: &mut OperationSpan) -> Result<Reply, Error> {
        let (client, request) = (self.client, &self.request);
        let settings = std::mem::take(&mut self.settings);
        let sent = match self.upload.take() {
            None => span.around(send(client, request, settings)).await,
            Some(upload) => span.around(upload.send(client, request, settings)).await,
        };
        sent.inspect_err(|error| span.failed(error))
    }

    fn read<T: DeserializeOwned>(
        &self,
        reply: &Reply,
        mut span: OperationSpan,
    ) -> Result<T, Error> {
        let read = decode(self.client, &self.request, reply);
        match &read {
            Ok(_) => span.succeeded(&reply.facts),
            Err(error) => span.failed(error),
        }
        read
    }

    fn meta(&self, reply: Reply) -> ReplyMeta {
        let Reply { mut headers, facts, .. } = reply;
        self.client.inner().hide_echoes(&mut headers);
        ReplyMeta {
            status: facts.status.unwrap_or_default(),
            headers,
            request_id: facts.request_id.map(String::from),
            attempts: facts.attempts,
            idempotency_key: facts.idempotency_key.map(String::from),
        }
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[allow(private_bounds, reason = "operations are the crate's own")]
impl<'a, T, O> IntoFuture for Call<'a, T, O>
where
    T: DeserializeOwned + Send + 'a,
    O: Operation + 'a,
{
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        match self.errand() {
            Ok(mut errand) => Box::pin(async move {
                let mut span = errand.span();
                let reply = errand.send(&mut span).await?;
                errand.read(&reply, span)
            }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

/// A [`Call`] that also tells how the reply came.
#[must_use = "a call is sent when it is awaited"]
pub struct CallWithMeta<'a, T, O = Plain>(Call<'a, T, O>);

#[allow(private_bounds, reason = "operations are the crate's own")]
impl<'a, T, O> IntoFuture for CallWithMeta<'a, T, O>
where
    T: DeserializeOwned + Send + 'a,
    O: Operation + 'a,
{
    type Output = Result<WithMeta<T>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        match self.0.errand() {
            Ok(mut errand) => Box::pin(async move {
                let mut span = errand.span();
                let reply = errand.send(&mut span).await?;
                Ok(WithMeta { value: errand.read(&reply, span)?, meta: errand.meta(reply) })
            }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

/// A value, and how it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WithMeta<T> {
    /// What the call gives.
    pub value: T,
    /// How the reply came.
    pub meta: ReplyMeta,
}

/// How a reply came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplyMeta {
    /// The status: one of success, or the 409 or 404 that told that a lost attempt had done the work.
    pub status: StatusCode,
    /// The headers; a value that repeats the key is marked sensitive.
    pub headers: HeaderMap,
    /// The value of `x-request-id`, if there was one.
    pub request_id: Option<String>,
    /// How many times the request was sent.
    pub attempts: u32,
    /// The key of idempotency it was sent with, where the operation has one.
    pub idempotency_key: Option<String>,
}

impl<T, O> fmt::Debug for Call<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

impl<T, O> fmt::Debug for CallWithMeta<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallWithMeta").finish_non_exhaustive()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.operation)
    }
}

fn add_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    const OURS: [HeaderName; 6] = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::HOST,
        header::CONNECTION,
    ];
    let parsed = HeaderName::try_from(name).map_err(|error| error.to_string())?;
    if OURS.contains(&parsed) || parsed == "idempotency-key" || parsed == "last-event-id" {
        return Err(format!("{parsed} is set by the client"));
    }
    let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
    headers.append(parsed, value);
    Ok(())
}
