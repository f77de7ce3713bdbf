//! One delivery over HTTP, to this machine alone: no proxy, no redirect, no name looked up.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use http::{Request, StatusCode, header};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::{Host, Url};

use crate::emulator::state::Target;
use crate::webhooks::WebhookSigner;

/// How much of an answer's body is read, so that its sender can finish.
const ANSWER_LIMIT: usize = 64 << 10;

/// Why there was no answer.
pub(super) enum Failure {
    /// It may be otherwise next time.
    Passing(String),
    /// It will be the same next time.
    Lasting(&'static str),
}

/// A task that ends with its owner.
struct Owned<T>(JoinHandle<T>);

/// Sends a body and returns the status of the answer.
pub(super) async fn send(target: &Target, body: Bytes) -> Result<StatusCode, Failure> {
    let url = Url::parse(&target.url).map_err(|_why| Failure::Lasting("the URL is broken"))?;
    let addresses = addresses(&url)?;
    let request = request(&url, target, body)?;
    let stream = TcpStream::connect(&*addresses).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let _connection = Owned(tokio::spawn(connection));
    let response = sender.send_request(request).await?;
    let status = response.status();
    drain(Body::new(response.into_body())).await;
    Ok(status)
}

/// Returns the addresses of a URL, which must be of this machine.
fn addresses(url: &Url) -> Result<Vec<SocketAddr>, Failure> {
    if url.scheme() != "http" {
        return Err(Failure::Lasting("the emulator delivers by plain http alone"));
    }
    let ips: Vec<IpAddr> = match url.host() {
        // Known without a name service, which could say anything.
        Some(Host::Domain("localhost")) => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Some(Host::Ipv4(ip)) if ip.is_loopback() => vec![ip.into()],
        Some(Host::Ipv6(ip)) if ip.is_loopback() => vec![ip.into()],
        _ => return Err(Failure::Lasting("the emulator delivers to loopback addresses alone")),
    };
    let port = url.port_or_known_default().unwrap_or(80);
    Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

fn request(url: &Url, target: &Target, body: Bytes) -> Result<Request<Body>, Failure> {
    let signer = WebhookSigner::new(target.secret.clone())
        .map_err(|_empty| Failure::Lasting("the secret signs nothing"))?;
    let (name, signature) = signer.sign(&body);
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", url.path());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", url.host_str().unwrap_or_default());
    Request::post(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "dari-emulator")
        .header(header::CONTENT_TYPE, "application/json")
        .header(name, signature)
        .body(Body::from(body))
        .map_err(|_why| Failure::Lasting("the URL makes no request"))
}

/// Reads an answer's body up to the limit; its end or failure changes nothing.
async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut size = 0;
    while size < ANSWER_LIMIT {
        match poll_fn(|context| Pin::new(&mut chunks).poll_next(context)).await {
            Some(Ok(chunk)) => size += chunk.len(),
            Some(Err(_)) | None => break,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
