//! Which servers are believed to be who they say.

use std::io;
use std::sync::Arc;

use dari::{Client, Error, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::support::raw::json;
use crate::support::{KEY, sample};

/// Made for these tests alone, for 127.0.0.1, and signed by nobody but itself.
const CERTIFICATE: &[u8] = include_bytes!("data/tls-cert.der");
const CERTIFICATE_KEY: &[u8] = include_bytes!("data/tls-key.der");

/// A server with that certificate, which answers every request with a message.
struct TlsServer {
    port: u16,
    task: JoinHandle<io::Result<()>>,
}

impl TlsServer {
    async fn start() -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivatePkcs8KeyDer::from(CERTIFICATE_KEY.to_vec());
        let config = config.with_single_cert(vec![CERTIFICATE.to_vec().into()], key.into());
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await?;
                // A client that does not believe it goes away in the middle.
                let Ok(mut stream) = acceptor.accept(socket).await else { continue };
                if stream.read(&mut [0; 4096]).await? > 0 {
                    stream.write_all(&json("200 OK", &sample("get-message.response"))).await?;
                }
                stream.shutdown().await?;
            }
        });
        Self { port, task }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn refused(client: Client) -> Error {
    let agent = "agt_1".parse().unwrap();
    let error = client.agents().send_message(&agent, "hi").await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(!error.may_have_happened(), "nothing was sent: {error:?}");
    error
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() {
    let server = TlsServer::start().await;
    let client = Client::builder(KEY).base_url(server.url("127.0.0.1"));
    let error = refused(client.retry(RetryPolicy::none()).build().unwrap()).await;
    let text = crate::support::chain(&error);
    assert!(text.to_lowercase().contains("certificate"), "{text}");
}

#[tokio::test]
async fn a_certificate_added_by_the_user_is_believed_for_its_own_host_alone() {
    let server = TlsServer::start().await;
    let trusting = |host: &str| {
        let certificate = reqwest::Certificate::from_der(CERTIFICATE).unwrap();
        let client = Client::builder(KEY).base_url(server.url(host)).retry(RetryPolicy::none());
        client.configure_http(move |http| http.add_root_certificate(certificate)).build().unwrap()
    };
    let message = trusting("127.0.0.1").messages().get(&"msg_123".parse().unwrap()).await;
    assert_eq!(message.unwrap().id, "msg_123");
    refused(trusting("localhost")).await;
}
