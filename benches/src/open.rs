//! Many open streams in one process: each has had its first event and waits for the next.

use std::any::Any;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};

use dari::Client;
use futures_util::StreamExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::ledger::frame;

/// How many streams are opened.
pub const STREAMS: usize = 10_000;
const KEY: &str = "dari_benchmark";

/// The version of HTTP, by the name that stands in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A connection for each stream.
    Http1,
    /// One connection for all, HTTP/2 without TLS.
    Http2,
}

/// Who opens the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// `client.sessions().stream(..)`, its first event decoded.
    Dari,
    /// `reqwest`'s byte stream, its first chunk read.
    Reqwest,
}

/// Streams that are held open.
pub struct Held(#[expect(dead_code, reason = "held for being dropped later")] Box<dyn Any>);

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

impl Opener {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Dari, Self::Reqwest];

    /// Returns the name as it stands in the output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dari => "dari",
            Self::Reqwest => "reqwest",
        }
    }

    /// Opens [`STREAMS`] streams, one after another, and reads what each sends first.
    ///
    /// # Errors
    ///
    /// Fails when any of them does.
    pub async fn open(self, version: Version, server: &str) -> Result<Held, Failure> {
        match self {
            Self::Dari => dari(version, server).await,
            Self::Reqwest => reqwest(version, server).await,
        }
    }
}

async fn dari(version: Version, server: &str) -> Result<Held, Failure> {
    let client = Client::builder(KEY).base_url(server);
    let client = match version {
        Version::Http1 => client,
        Version::Http2 => client.configure_http(reqwest::ClientBuilder::http2_prior_knowledge),
    };
    let client = client.build()?;
    let mut streams = Vec::with_capacity(STREAMS);
    for number in 0..STREAMS {
        let mut stream = client.sessions().stream(&format!("sess_{number}").parse()?);
        stream.try_next().await?.ok_or("a stream ended before its first event")?;
        streams.push(stream);
    }
    Ok(Held(Box::new(streams)))
}

async fn reqwest(version: Version, server: &str) -> Result<Held, Failure> {
    let client = reqwest::Client::builder().no_proxy();
    let client = match version {
        Version::Http1 => client,
        Version::Http2 => client.http2_prior_knowledge(),
    };
    let client = client.build()?;
    let mut streams = Vec::with_capacity(STREAMS);
    for number in 0..STREAMS {
        let request = client.get(format!("{server}/v1/sessions/sess_{number}/stream"));
        let request = request.bearer_auth(KEY).header("accept", "text/event-stream");
        let mut stream = request.send().await?.error_for_status()?.bytes_stream();
        stream.next().await.ok_or("a stream ended before its first chunk")??;
        streams.push(stream);
    }
    Ok(Held(Box::new((client, streams))))
}

/// A server in a process of its own, since a process may have only so many open files.
pub struct Server {
    process: Child,
    /// The address, such as `http://127.0.0.1:8080`.
    pub url: String,
}

impl Server {
    /// Starts this program, which must call [`serve`] for the argument `serve`.
    ///
    /// # Errors
    ///
    /// Fails when the process cannot be started, or says no address.
    pub fn start(program: &str, version: Version) -> Result<Self, Failure> {
        let mut process =
            Command::new(program).args(["serve", version.name()]).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        let output = process.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Serves streams of one event that stay open, until the process is killed; prints the address.
///
/// # Errors
///
/// Fails when no port can be had, or no more connections.
pub async fn serve(version: Version) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(answer(socket, version));
    }
}

async fn answer(socket: TcpStream, version: Version) {
    let io = TokioIo::new(socket);
    let service = service_fn(|_: Request<Incoming>| async {
        let reply = Response::builder().header("content-type", "text/event-stream");
        reply.body(OneEvent(Some(frame(1, 200).into())))
    });
    // A client that has seen enough closes its connection: no failure of the server.
    match version {
        Version::Http1 => {
            drop(hyper::server::conn::http1::Builder::new().serve_connection(io, service).await)
        }
        Version::Http2 => drop(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(2 * STREAMS as u32)
                .serve_connection(io, service)
                .await,
        ),
    }
}

/// A body of one event that never ends.
struct OneEvent(Option<Bytes>);

impl Body for OneEvent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(event) => Poll::Ready(Some(Ok(Frame::data(event)))),
            None => Poll::Pending,
        }
    }
}
