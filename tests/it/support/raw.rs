//! A server on a raw socket, so that bytes are what a test says they are.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How long a test waits for what must happen, before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does with a request, in order; then it closes the connection.
#[derive(Clone)]
pub(crate) enum Step {
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes one by one.
    Trickle(Vec<u8>),
    /// Keeps the connection open and silent until the client goes away.
    Hold,
    /// Resets the connection.
    Reset,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct RawRequest {
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body as it is, where it is no text.
    pub(crate) bytes: Vec<u8>,
}

impl RawRequest {
    /// Returns the method and target, such as `GET /v1/sessions`.
    pub(crate) fn line(&self) -> &str {
        self.head.split(" HTTP/").next().unwrap()
    }

    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|pair| pair.1)
    }
}

/// A server that answers the n-th request, from 0, as its script says.
pub(crate) struct RawServer {
    pub(crate) url: String,
    requests: Requests,
    gone: Arc<Semaphore>,
    task: JoinHandle<()>,
}

type Requests = Arc<Mutex<Vec<RawRequest>>>;

impl RawServer {
    pub(crate) async fn start<S>(script: S) -> Self
    where
        S: Fn(usize, &RawRequest) -> Vec<Step> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let gone = Arc::new(Semaphore::new(0));
        let (log, script, left) = (requests.clone(), Arc::new(script), gone.clone());
        let task = tokio::spawn(async move {
            // Connections end with the server: dropping the set aborts them.
            let mut open = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (log, script, left) = (log.clone(), script.clone(), left.clone());
                open.spawn(async move { serve(socket, &log, &*script, &left).await });
                while open.try_join_next().is_some() {}
            }
        });
        Self { url, requests, gone, task }
    }

    /// Starts a server that gives every request the same bytes.
    pub(crate) async fn always(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, _| vec![Step::Write(bytes.clone())]).await
    }

    pub(crate) fn requests(&self) -> Vec<RawRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until the client has gone away from so many connections that were held.
    pub(crate) async fn left(&self, connections: u32) {
        let left = self.gone.acquire_many(connections);
        tokio::time::timeout(PATIENCE, left)
            .await
            .expect("a connection stays open")
            .unwrap()
            .forget();
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut socket: TcpStream,
    log: &Requests,
    script: &(dyn Fn(usize, &RawRequest) -> Vec<Step> + Send + Sync),
    left: &Semaphore,
) {
    socket.set_nodelay(true).unwrap();
    let Some(request) = read_request(&mut socket).await else {
        return;
    };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    for step in script(number, &request) {
        match step {
            Step::Write(bytes) => {
                if socket.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::Trickle(bytes) => {
                for byte in bytes {
                    if socket.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            }
            Step::Hold => {
                // The client sends nothing more: the read ends when it goes away.
                let _gone = socket.read(&mut [0]).await;
                left.add_permits(1);
            }
            Step::Reset => socket.set_zero_linger().unwrap(),
        }
    }
}

async fn read_request(socket: &mut TcpStream) -> Option<RawRequest> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = content_length(&head);
            if bytes.len() >= end + 4 + length {
                let body = bytes[end + 4..end + 4 + length].to_vec();
                let text = String::from_utf8_lossy(&body).into_owned();
                return Some(RawRequest { head, body: text, bytes: body });
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    line.map_or(0, |line| line["content-length:".len()..].trim().parse().unwrap())
}

/// Returns a whole reply with a JSON body.
pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    reply(status, "content-type: application/json\r\n", body)
}

/// Returns a whole reply; `headers` end in CRLF each.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n");
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}
