//! Builds a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::confine::{PlainHttp, authorization, parse_base_url};
use crate::client::tls;
use crate::client::wire::Wire;
use crate::client::{Client, Inner, Limits};
use crate::error::Error;
use crate::retry::{Budget, RetryPolicy};
use crate::secret::Secret;

const DEFAULT_BASE_URL: &str = "https://api.dari.dev";

pub(super) type Configure =
    Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

/// Builds a [`Client`]; every setting has a default.
///
/// ```
/// use std::time::Duration;
/// use dari::{Client, Limits, RetryPolicy};
///
/// let client = Client::builder("dari_123")
///     .base_url("https://gateway.internal/dari")
///     .user_agent_suffix("ticket-worker/1.4")
///     .retry(RetryPolicy::default().max_attempts(6))
///     .retry_budget(250) // 50 repeats
///     .connect_timeout(Duration::from_secs(3))
///     .attempt_timeout(Duration::from_secs(15))
///     .timeout(Duration::from_secs(60))
///     .stall_timeout(Duration::from_secs(10))
///     .pool_idle_timeout(Duration::from_secs(30))
///     .limits(Limits::default().body(8 << 20))
///     .build()?;
/// # Ok::<(), dari::Error>(())
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    key: Secret,
    base_url: String,
    plain_http: PlainHttp,
    retry: RetryPolicy,
    retry_budget: u32,
    timeout: Duration,
    attempt_timeout: Duration,
    stall_timeout: Duration,
    connect_timeout: Duration,
    pool_idle_timeout: Duration,
    limits: Limits,
    user_agent: String,
    configure: Option<Configure>,
}

impl ClientBuilder {
    pub(super) fn new(key: Secret) -> Self {
        Self {
            key,
            base_url: DEFAULT_BASE_URL.to_owned(),
            plain_http: PlainHttp::LoopbackOnly,
            retry: RetryPolicy::default(),
            retry_budget: 500,
            timeout: Duration::from_secs(120),
            attempt_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            pool_idle_timeout: Duration::from_secs(45),
            limits: Limits::default(),
            user_agent: concat!("dari-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            configure: None,
        }
    }

    /// Returns a builder with key and address from the environment.
    ///
    /// Reads `DARI_API_KEY`, and `DARI_API_URL` when it is set and not empty.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the key is not set, or a value is not Unicode.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<std::ffi::OsString>) -> Result<Self, Error> {
        let read = |name: &str| match lookup(name).map(std::ffi::OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Error::config(format!("{name} is not Unicode text"))),
        };
        let Some(key) = read("DARI_API_KEY")? else {
            return Err(Error::config("DARI_API_KEY is not set; set it, or use Client::builder"));
        };
        let builder = Self::new(Secret::from(key));
        Ok(match read("DARI_API_URL")?.filter(|url| !url.is_empty()) {
            Some(url) => builder.base_url(url),
            None => builder,
        })
    }

    /// Sets the address of the API, with or without a path prefix.
    ///
    /// `/v1/...` is appended to its path. Default `https://api.dari.dev`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Lets the key travel over plain HTTP to any host.
    ///
    /// Without this, `http:` is refused except to a loopback address. Whoever sits on the way can
    /// then read the key, and a proxy from the environment gets it in clear.
    ///
    /// ```
    /// let gateway = "http://gateway.internal"; // on a network that you trust
    /// let client = dari::Client::builder("dari_123").base_url(gateway).allow_plain_http().build()?;
    /// # Ok::<(), dari::Error>(())
    /// ```
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    /// Sets how calls are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the budget of repeats shared by all calls, in tokens.
    ///
    /// A repeat costs 5 tokens and a success earns one back. Default 500, which is 100 repeats.
    pub fn retry_budget(mut self, tokens: u32) -> Self {
        self.retry_budget = tokens;
        self
    }

    /// Sets the deadline of an operation: all attempts, delays and bodies.
    ///
    /// Default 120 s; [`Call::timeout`](crate::Call::timeout) sets it for one call.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the time limit of one attempt. Default 30 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Sets how long an upload or a download may make no progress. Default 30 s.
    ///
    /// They end on that, not on a total; the deadline of an operation does not hold for them.
    pub fn stall_timeout(mut self, limit: Duration) -> Self {
        self.stall_timeout = limit;
        self
    }

    /// Sets the time limit of making a connection. Default 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long an unused connection is kept. Default 45 s.
    ///
    /// Keep it below the idle limit of every proxy on the way (60 s is common): an unsafe request on
    /// a connection that was just closed cannot be repeated.
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.pool_idle_timeout = limit;
        self
    }

    /// Sets the ceilings on what a server can make the client hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds the name of your program to the `User-Agent`, such as `my-service/1.2`.
    pub fn user_agent_suffix(mut self, suffix: &str) -> Self {
        self.user_agent = format!("{} {suffix}", self.user_agent);
        self
    }

    /// Configures the HTTP client underneath: proxies, certificates, pool.
    ///
    /// What keeps the key safe is set after the closure has run, and wins: no redirects, no
    /// repeats, no decompression, no log of what is sent, no proxy for a loopback address, HTTPS only where the address is HTTPS.
    ///
    /// It holds for the service alone. The upload of a source snapshot to the place that the service
    /// names goes through another HTTP client, which the closure does not see: its headers may be
    /// meant for nobody else. That client takes a proxy from the environment (`HTTPS_PROXY`) and the
    /// certificates that the TLS feature knows.
    ///
    /// With the feature `rustls-ring`, and not `rustls`, what the closure says about TLS is not
    /// heard: certificates, identities, versions. Hand a whole `rustls::ClientConfig` to
    /// `tls_backend_preconfigured` instead. `tls_backend_rustls` must not be called then: `reqwest`
    /// panics where the process has no crypto provider.
    ///
    /// ```
    /// let client = dari::Client::builder("dari_123")
    ///     .configure_http(|http| http.pool_max_idle_per_host(4))
    ///     .build()?;
    /// # Ok::<(), dari::Error>(())
    /// ```
    pub fn configure_http<F>(mut self, configure: F) -> Self
    where
        F: FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    {
        self.configure = Some(Box::new(configure));
        self
    }

    /// Returns the client.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the key cannot be a header, the address is not an absolute `https:`
    /// address (or `http:` where that is allowed), or the HTTP client cannot be set up.
    pub fn build(mut self) -> Result<Client, Error> {
        let authorization = authorization(&self.key)?;
        let base_url = parse_base_url(&self.base_url, self.plain_http)?;
        let configure = self.configure.take();
        tls::check(&base_url, configure.as_ref())?;
        let mut wire = Wire::new(&self.user_agent, self.plain_http)?;
        wire.connect_timeout = self.connect_timeout;
        wire.pool_idle_timeout = self.pool_idle_timeout;
        let http = wire.http_client(&base_url, configure)?;
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                base_url,
                authorization,
                key: self.key,
                retry: self.retry,
                budget: Budget::new(self.retry_budget),
                timeout: self.timeout,
                attempt_timeout: self.attempt_timeout,
                stall_timeout: self.stall_timeout,
                wire,
                limits: self.limits,
            }),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::ClientBuilder;
    use std::ffi::OsString;

    #[test]
    fn the_environment_gives_key_and_address() {
        let with = |key: Option<&str>, url: Option<&str>| {
            let (key, url) = (key.map(OsString::from), url.map(OsString::from));
            ClientBuilder::from_lookup(move |name| match name {
                "DARI_API_KEY" => key.clone(),
                "DARI_API_URL" => url.clone(),
                _ => None,
            })
        };
        let base = |builder: ClientBuilder| builder.build().unwrap().base_url().to_string();
        assert!(with(None, None).unwrap_err().to_string().contains("DARI_API_KEY is not set"));
        let local = with(Some("dari_1"), Some("http://127.0.0.1:9/x")).unwrap();
        assert_eq!(base(local), "http://127.0.0.1:9/x");
        #[cfg(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))]
        for url in [None, Some("")] {
            assert_eq!(base(with(Some("dari_1"), url).unwrap()), "https://api.dari.dev/");
        }
    }
}
