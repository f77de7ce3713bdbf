//! What the fuzz targets promise: each function takes any bytes and panics where a promise is broken.
//!
//! Not part of the crate that users build: `fuzz/` runs these functions on bytes that it makes up,
//! and the unit tests on the bytes in `fuzz/seeds`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken promise is a panic here"
)]

mod addresses;
#[cfg(feature = "workspace")]
mod archives;
#[cfg(feature = "emulator")]
mod bundles;
mod decoders;
#[cfg(feature = "webhooks")]
mod deliveries;
mod frames;
mod headers;

use std::str::from_utf8;
use std::sync::OnceLock;

use crate::client::Client;

pub use addresses::addresses;
#[cfg(feature = "workspace")]
pub use archives::archives;
#[cfg(feature = "emulator")]
pub use bundles::bundles;
pub use decoders::decoders;
#[cfg(feature = "webhooks")]
pub use deliveries::deliveries;
pub use frames::frames;
pub use headers::headers;

/// A key that input can hold by chance, so that a leak can be found.
const KEY: &str = "dari_k";

/// The client whose settings are put to the test; it never sends.
fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let builder = Client::builder(KEY).base_url("http://127.0.0.1:9/gw");
        builder.build().expect("a client for a loopback address can be made")
    })
}

/// Takes the first `length` bytes off.
fn split(data: &[u8], length: usize) -> (&[u8], &[u8]) {
    data.split_at(length.min(data.len()))
}

/// Cuts at the first zero byte, into two texts.
fn two_texts(data: &[u8]) -> Option<(&str, &str)> {
    let cut = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (first, second) = split(data, cut);
    Some((from_utf8(first).ok()?, from_utf8(second.get(1..).unwrap_or_default()).ok()?))
}

#[cfg(test)]
mod tests;
