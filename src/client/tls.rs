//! Chooses the TLS backend: the first of `rustls`, `rustls-ring` and `native-tls` that is on.

use url::Url;

use crate::client::builder::Configure;
use crate::error::Error;

/// Names the backend, so that features that another crate turns on change nothing.
#[cfg(feature = "rustls")]
#[allow(clippy::unnecessary_wraps, reason = "a twin can fail")]
pub(super) fn choose(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder.tls_backend_rustls())
}

/// Hands over a whole setup: `reqwest` would take its provider from the process, which is not
/// ours to set, and panic where there is none.
#[cfg(all(feature = "rustls-ring", not(feature = "rustls")))]
pub(super) fn choose(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    use std::sync::Arc;

    let refused = |error| Error::config_source("rustls cannot be set up", error);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone()).map_err(refused)?;
    let mut setup = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .dangerous() // As the method is called: the verifier is the platform's, not a lax one.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    setup.alpn_protocols = vec![
        #[cfg(feature = "http2")]
        b"h2".to_vec(),
        b"http/1.1".to_vec(),
    ];
    Ok(builder.tls_backend_preconfigured(setup))
}

#[cfg(all(feature = "native-tls", not(any(feature = "rustls", feature = "rustls-ring"))))]
#[allow(clippy::unnecessary_wraps, reason = "a twin can fail")]
pub(super) fn choose(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder.tls_backend_native())
}

#[cfg(not(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls")))]
#[allow(clippy::unnecessary_wraps, reason = "a twin can fail")]
pub(super) fn choose(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder)
}

/// Refuses an address that could only fail later, with a worse message.
pub(super) fn check(base_url: &Url, configure: Option<&Configure>) -> Result<(), Error> {
    let has_tls = cfg!(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"));
    // A closure over the HTTP client may have brought a TLS backend of its own.
    if !has_tls && base_url.scheme() == "https" && configure.is_none() {
        return Err(Error::config(
            "https needs the feature `rustls`, `rustls-ring` or `native-tls` of dari",
        ));
    }
    Ok(())
}
