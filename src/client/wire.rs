//! The HTTP clients underneath: the one that has the key, and a bare one for other places.

use std::sync::OnceLock;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use crate::client::Inner;
use crate::client::builder::Configure;
use crate::client::confine::{PlainHttp, confine};
use crate::client::tls;
use crate::error::Error;

/// What both HTTP clients are made with.
pub(super) struct Wire {
    pub(super) user_agent: HeaderValue,
    pub(super) connect_timeout: Duration,
    pub(super) pool_idle_timeout: Duration,
    pub(super) plain_http: PlainHttp,
    /// Made when it is first needed: most clients never upload to another place.
    bare: OnceLock<reqwest::Client>,
}

impl Wire {
    pub(super) fn new(user_agent: &str, plain_http: PlainHttp) -> Result<Self, Error> {
        let user_agent = HeaderValue::from_str(user_agent).map_err(|error| {
            Error::config_source("the user agent suffix is not a header", error)
        })?;
        Ok(Self {
            user_agent,
            connect_timeout: Duration::MAX,
            pool_idle_timeout: Duration::MAX,
            plain_http,
            bare: OnceLock::new(),
        })
    }

    pub(super) fn http_client(
        &self,
        base_url: &Url,
        configure: Option<Configure>,
    ) -> Result<reqwest::Client, Error> {
        let builder = reqwest::Client::builder()
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(self.pool_idle_timeout)
            .tcp_keepalive(Duration::from_secs(30));
        // Before the closure, which may bring a TLS setup of its own.
        let builder = tls::choose(builder)?;
        let builder = match configure {
            Some(configure) => configure(builder),
            None => builder,
        };
        confine(builder, base_url, self.plain_http)
            .build()
            .map_err(|error| Error::config_source("the http client cannot be set up", error))
    }
}

impl Inner {
    /// Returns an HTTP client that nothing of the user's closure reaches.
    ///
    /// What the closure sets may be meant for the service alone, such as a header that lets the
    /// client in at a gateway; and a header once set on an HTTP client cannot be taken back.
    pub(crate) fn bare_http(&self) -> Result<&reqwest::Client, Error> {
        if let Some(http) = self.wire.bare.get() {
            return Ok(http);
        }
        let http = self.wire.http_client(&self.base_url, None)?;
        Ok(self.wire.bare.get_or_init(|| http))
    }
}
