//! Confines the key: to headers, to one host, to TLS or loopback.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderValue;
use url::{Host, Url};

use crate::client::Inner;
use crate::error::Error;
use crate::secret::Secret;

/// Where plain HTTP may go.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum PlainHttp {
    LoopbackOnly,
    Anywhere,
}

/// Applies what keeps the key on its way, after everything a user may have set.
pub(super) fn confine(
    builder: reqwest::ClientBuilder,
    base_url: &Url,
    plain_http: PlainHttp,
) -> reqwest::ClientBuilder {
    let builder = builder
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        // It would write each request into the log, headers and all.
        .connection_verbose(false)
        .https_only(base_url.scheme() == "https" && plain_http == PlainHttp::LoopbackOnly);
    if !is_loopback(base_url) {
        return builder;
    }
    // With HTTP_PROXY set, reqwest would hand a loopback request and its key to the proxy; and a
    // name service must not be asked where "localhost" is.
    let local = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), (Ipv6Addr::LOCALHOST, 0).into()];
    builder.no_proxy().resolve_to_addrs("localhost", &local)
}

pub(super) fn authorization(key: &Secret) -> Result<HeaderValue, Error> {
    let key = key.expose();
    if key.is_empty() {
        return Err(Error::config("the key is empty"));
    }
    if key.trim() != key {
        return Err(Error::config("the key starts or ends with white space or a line break"));
    }
    // Quotes and backslashes could be carried; but JSON spells them in other ways, and a key that a
    // server echoes must be found.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if !key.bytes().all(is_plain) {
        return Err(Error::config("the key has characters that no key has"));
    }
    let mut value = HeaderValue::try_from(format!("Bearer {key}"))
        .map_err(|error| Error::config_source("the key cannot be a header", error))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn parse_base_url(text: &str, plain_http: PlainHttp) -> Result<Url, Error> {
    let url = Url::parse(text)
        .map_err(|error| Error::config_source("the base url is not an absolute url", error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config("the base url must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config("the base url must not have a query or fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if plain_http == PlainHttp::Anywhere || is_loopback(&url) => Ok(url),
        "http" => Err(Error::config(
            "the base url is plain http to another host, which would show the key to everyone on \
             the way; use https, or allow_plain_http()",
        )),
        other => Err(Error::config(format!("the base url is {other}:, not https:"))),
    }
}

impl Inner {
    /// Returns the address of an upload to another place, if the client may send there.
    ///
    /// A service on another host that names a loopback address means one of this machine, which is
    /// none of its business.
    pub(crate) fn upload_url(&self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text).map_err(|_not_shown| "it is not an absolute url")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user name or password");
        }
        let is_local = is_loopback(&url) && is_loopback(&self.base_url);
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.wire.plain_http == PlainHttp::Anywhere || is_local => Ok(url),
            "http" => Err("it is plain http; the service must give https, or allow_plain_http()"),
            _ => Err("it is not https"),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::client::{Client, ClientBuilder};
    use std::error::Error as _;

    fn refusal(builder: ClientBuilder) -> String {
        let error = builder.build().unwrap_err();
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    }

    #[test]
    fn a_key_that_cannot_be_a_header_is_refused_without_being_shown() {
        for key in
            ["", "dari_1\n", " dari_1", "dari\r\nx: y", "dari_ключ", "dari_\u{7f}", "a\"b", "a\\b"]
        {
            let text = refusal(Client::builder(key));
            assert!(text.starts_with("config: the key "), "{text}");
            assert!(key.trim().is_empty() || !text.contains(key.trim()), "{text}");
        }
    }

    #[test]
    fn an_address_that_is_not_one_is_refused() {
        for (url, reason) in [
            ("", "not an absolute url"),
            ("api.dari.dev", "not an absolute url"),
            ("ftp://api.dari.dev", "ftp:, not https:"),
            ("https://user:pass@api.dari.dev", "user name or password"),
            ("https://api.dari.dev?key=1", "query or fragment"),
            ("http://api.dari.dev", "plain http"),
            ("http://127.0.0.1.evil.example", "plain http"),
            ("http://localhost.evil.example", "plain http"),
        ] {
            let text = refusal(Client::builder("dari_1").base_url(url));
            assert!(text.contains(reason), "{url}: {text}");
        }
    }

    #[test]
    fn plain_http_reaches_loopback_and_whoever_was_allowed() {
        for url in [
            "http://127.0.0.1:1",
            "http://localhost:1/x",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(Client::builder("dari_1").base_url(url).build().is_ok(), "{url}");
        }
        let client = Client::builder("dari_1").base_url("http://api.internal").allow_plain_http();
        assert!(client.build().is_ok());
    }
}
