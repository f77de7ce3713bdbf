//! Each TLS backend starts a handshake: whichever features are on together, none panics for want
//! of a crypto provider, and none sets one for the whole process.
//!
//! Needs no other feature, so that every set of them can be tried:
//! `cargo test --no-default-features --features rustls-ring --test tls`.
#![cfg(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use dari::{Client, Error, RetryPolicy, SessionId};

/// The first bytes of a handshake record, whichever version of TLS it is about.
const HANDSHAKE: [u8; 2] = [0x16, 0x03];
/// An alert that ends the handshake: fatal, handshake failure.
const REFUSAL: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

#[tokio::test]
async fn a_handshake_starts_and_the_key_waits_for_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut heard = vec![0; 16 << 10];
        let length = socket.read(&mut heard).unwrap();
        heard.truncate(length);
        socket.write_all(&REFUSAL).unwrap();
        drop(socket.shutdown(std::net::Shutdown::Write));
        drop(socket.read_to_end(&mut heard));
        heard
    });

    let client = Client::builder("dari_secret")
        .base_url(format!("https://localhost:{}", address.port()))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let session: SessionId = "sess_1".parse().unwrap();
    let error = client.sessions().get(&session).await.unwrap_err();

    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    let heard = server.join().unwrap();
    assert!(heard.starts_with(&HANDSHAKE), "{heard:02x?}");
    for secret in [&b"dari_secret"[..], b"sess_1"] {
        assert!(!heard.windows(secret.len()).any(|part| part == secret), "it went out in clear");
    }
}

#[cfg(feature = "rustls-ring")]
#[test]
fn no_provider_is_set_for_the_process() {
    let client = Client::builder("dari_secret").build();
    assert!(client.is_ok());
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
