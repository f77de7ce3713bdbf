//! The client: a key, an address, and limits.

mod builder;
mod confine;
#[cfg(any(test, fuzzing))]
pub(crate) mod probe;
mod tls;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::error::Error;
use crate::retry::{Budget, RetryPolicy};
use crate::secret::Secret;

use wire::Wire;

pub use builder::ClientBuilder;

/// A client of the Dari API.
///
/// Cheap to clone: clones share connections, limits and the budget of repeats. Make one for a
/// process and pass it around.
///
/// ```no_run
/// # async fn example() -> dari::Result<()> {
/// use dari::Client;
///
/// let client = Client::from_env()?; // DARI_API_KEY, DARI_API_URL
/// let session = client.sessions().get(&"sess_123".parse().unwrap()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: Url,
    pub(crate) authorization: HeaderValue,
    pub(crate) key: Secret,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) stall_timeout: Duration,
    wire: Wire,
    pub(crate) limits: Limits,
}

impl Client {
    /// Returns a client configured by the environment.
    ///
    /// `DARI_API_KEY` is the key; `DARI_API_URL`, when set, replaces `https://api.dari.dev`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the key is missing or malformed, or the address is not usable.
    ///
    /// ```no_run
    /// let client = dari::Client::from_env()?;
    /// # Ok::<(), dari::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a builder of a client with this key.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dari::{Client, RetryPolicy};
    ///
    /// let client = Client::builder("dari_123")
    ///     .base_url("https://gateway.internal/dari")
    ///     .retry(RetryPolicy::default().max_attempts(6))
    ///     .timeout(Duration::from_secs(60))
    ///     .build()?;
    /// # Ok::<(), dari::Error>(())
    /// ```
    pub fn builder(key: impl Into<Secret>) -> ClientBuilder {
        ClientBuilder::new(key.into())
    }

    /// Returns the address requests go to.
    ///
    /// ```no_run
    /// let client = dari::Client::builder("dari_123").build()?;
    /// assert_eq!(client.base_url().as_str(), "https://api.dari.dev/");
    /// # Ok::<(), dari::Error>(())
    /// ```
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.inner.base_url
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url.as_str())
            .field("key", &self.inner.key)
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}

/// Ceilings on what a server can make the client hold.
///
/// Past one there is an error, and nothing is allocated for it first.
///
/// ```
/// use dari::{Client, Limits};
///
/// let limits = Limits::default().body(4 << 20).event(1 << 20).error_body(16 << 10).excerpt(200);
/// let client = Client::builder("dari_123").limits(limits).build()?;
/// # Ok::<(), dari::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    pub(crate) body: usize,
    pub(crate) event: usize,
    pub(crate) error_body: usize,
    pub(crate) excerpt: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 << 20, event: 16 << 20, error_body: 64 << 10, excerpt: 512 }
    }
}

impl Limits {
    /// Sets the ceiling of a JSON body, in bytes. Default 64 MiB.
    #[must_use]
    pub fn body(mut self, bytes: usize) -> Self {
        self.body = bytes;
        self
    }

    /// Sets the ceiling of one event of a stream, in bytes. Default 16 MiB.
    #[must_use]
    pub fn event(mut self, bytes: usize) -> Self {
        self.event = bytes;
        self
    }

    /// Sets how much of an error body is read, in bytes. Default 64 KiB.
    #[must_use]
    pub fn error_body(mut self, bytes: usize) -> Self {
        self.error_body = bytes;
        self
    }

    /// Sets how much of a body an error quotes, in bytes. Default 512.
    #[must_use]
    pub fn excerpt(mut self, bytes: usize) -> Self {
        self.excerpt = bytes;
        self
    }
}
