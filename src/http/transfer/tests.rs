//! Uploads to a place outside the API: what goes with them, and what does not.

use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::{Presigned, Upload, put_presigned};
use crate::client::Client;
use crate::error::Error;
use crate::http::Source;

const KEY: &str = "dari_sk_4ad1f00d";
const CONTENT: &[u8] = b"archive";

/// A server that gives the n-th request the n-th reply, and then the last one again.
struct Storage {
    url: String,
    requests: UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Storage {
    async fn start(replies: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (log, requests) = unbounded_channel();
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(CONTENT) {
                    socket.read_buf(&mut request).await.unwrap();
                }
                log.send(String::from_utf8(request).unwrap()).unwrap();
                let reply = replies.get(number).or(replies.last()).unwrap();
                let reply = format!("HTTP/1.1 {reply}\r\nconnection: close\r\n\r\n");
                socket.write_all(reply.as_bytes()).await.unwrap();
            }
        });
        Self { url, requests, task }
    }

    fn client(&self) -> Client {
        let retry = crate::RetryPolicy::default().first_delay(std::time::Duration::ZERO);
        Client::builder(KEY).base_url(&self.url).retry(retry).build().unwrap()
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

async fn put(client: &Client, url: &str, headers: HeaderMap) -> Result<(), Error> {
    let place = Presigned { operation: "test", url, headers };
    let upload = Upload::new(Source::Bytes(CONTENT.into()));
    put_presigned(client, place, upload).await.map(drop)
}

#[tokio::test]
async fn exactly_the_given_headers_go_along_and_never_the_key() {
    let mut storage = Storage::start(&["200 OK\r\ncontent-length: 0"]).await;
    // The API's own host and port, where the key would otherwise go.
    let url = format!("{}/bucket/object?signature=abc", storage.url);
    let given = headers(&[
        ("content-type", "application/gzip"),
        ("x-amz-meta-a", "1"),
        ("authorization", "storage's own"),
        ("content-length", "7"),
    ]);
    put(&storage.client(), &url, given).await.unwrap();
    let request = storage.requests.recv().await.unwrap();
    assert!(!request.contains(KEY) && !request.contains("Bearer"), "{request}");
    let mut lines: Vec<_> = request.split("\r\n\r\n").next().unwrap().lines().collect();
    assert_eq!(lines.remove(0), "PUT /bucket/object?signature=abc HTTP/1.1");
    lines.retain(|line| !line.starts_with("user-agent: ") && !line.starts_with("host: "));
    lines.sort_unstable();
    let expected = [
        "accept: */*",
        "authorization: storage's own",
        "content-length: 7",
        "content-type: application/gzip",
        "x-amz-meta-a: 1",
    ];
    assert_eq!(lines, expected);
    put(&storage.client(), &url, HeaderMap::new()).await.unwrap();
    let request = storage.requests.recv().await.unwrap();
    assert!(!request.contains("authorization") && !request.contains("content-type"), "{request}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_fault_is_repeated_whole() {
    let redirect =
        Storage::start(&["307 Temporary\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0"])
            .await;
    let error = put(&redirect.client(), &redirect.url, HeaderMap::new()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
    let mut faulty =
        Storage::start(&["503 Busy\r\ncontent-length: 0", "200 OK\r\ncontent-length: 0"]).await;
    put(&faulty.client(), &faulty.url, HeaderMap::new()).await.unwrap();
    for _ in 0..2 {
        assert!(faulty.requests.recv().await.unwrap().ends_with("\r\n\r\narchive"));
    }
}

#[tokio::test]
async fn headers_that_frame_the_body_are_not_taken_from_the_service() {
    let storage = Storage::start(&["200 OK"]).await;
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("connection", "x-a"),
        ("upgrade", "h2c"),
        ("content-length", "6"),
        ("content-length", "+7"),
    ] {
        let error =
            put(&storage.client(), &storage.url, headers(&[(name, value)])).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_safe_is_not_sent_to() {
    let away = || Client::builder(KEY).base_url("https://api.example");
    let local = Client::builder(KEY).base_url("http://127.0.0.1:1").build().unwrap();
    #[cfg(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))]
    for url in ["http://127.0.0.1:1/x", "http://localhost:1/x"] {
        let error = put(&away().build().unwrap(), url, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "a place on this machine: {error:?}");
        let allowed = away().allow_plain_http().build().unwrap();
        let error = put(&allowed, url, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
    }
    let _ = away;
    for url in [
        "http://storage.example/x",
        "ftp://storage.example/x",
        "file:///etc/passwd",
        "/v1/upload",
        "",
        "https://user:pass@storage.example/x",
        "https://user@storage.example/x",
    ] {
        let error = put(&local, url, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
}
