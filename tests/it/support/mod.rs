//! What several tests share.

#[cfg(all(feature = "emulator", feature = "workspace"))]
pub(crate) mod archive;
#[cfg(feature = "emulator")]
pub(crate) mod cutting;
#[cfg(any(feature = "emulator", feature = "publish"))]
pub(crate) mod folder;
pub(crate) mod docs;
pub(crate) mod ledger;
#[cfg(feature = "emulator")]
pub(crate) mod lossy;
pub(crate) mod plan;
#[cfg(feature = "emulator")]
pub(crate) mod program;
pub(crate) mod raw;
#[cfg(feature = "emulator")]
pub(crate) mod receiver;
#[cfg(feature = "emulator")]
pub(crate) mod socket;
#[cfg(feature = "tracing")]
pub(crate) mod traces;

use std::future::IntoFuture;
use std::time::Duration;

use dari::{Client, ClientBuilder, Error, RetryPolicy};

/// A key that must show up nowhere but in the authorization header.
pub(crate) const KEY: &str = "dari_sk_4ad1f00d";

/// Returns a builder for a server at `url` that repeats without waiting.
pub(crate) fn builder(url: &str) -> ClientBuilder {
    Client::builder(KEY).base_url(url).retry(RetryPolicy::default().first_delay(Duration::ZERO))
}

/// Returns a client for a server at `url` that repeats without waiting.
pub(crate) fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

/// Returns the error of a wait that expires once it has seen something, and its limit.
///
/// A machine may be too busy for one look within the first limit.
pub(crate) async fn expired<W, T>(wait: impl Fn(Duration) -> W) -> (Duration, Error)
where
    W: IntoFuture<Output = Result<T, Error>>,
    T: std::fmt::Debug,
{
    for limit in [300, 3_000, 30_000].map(Duration::from_millis) {
        let error = wait(limit).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        let line = format!(": nothing final within {limit:?}");
        assert!(error.to_string().contains(&line), "{error}");
        if error.to_string().contains("last seen") || std::error::Error::source(&error).is_some() {
            return (limit, error);
        }
    }
    panic!("no look in 30 s");
}

/// Returns an error and all its sources as one text.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Returns a sample of the contract, such as `get-message.response`.
pub(crate) fn sample(name: &str) -> String {
    let path = format!("{}/tests/it/samples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}
