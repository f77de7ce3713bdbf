//! Which uploads are sent again, and that each time all of it is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dari::{Client, FileSource};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::STORED;
use crate::support::folder::Folder;
use crate::support::raw::{RawServer, Step, reply};
use crate::support::{builder, client};

/// Sends the first lookup to where nobody listens, and later ones to where the server does.
#[derive(Clone, Default)]
struct Misleading(Arc<AtomicUsize>);

impl Resolve for Misleading {
    fn resolve(&self, _: Name) -> Resolving {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let host: IpAddr =
            if first { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let addresses = std::iter::once(SocketAddr::from((host, 0)));
        Box::pin(async move { Ok(Box::new(addresses) as Addrs) })
    }
}

/// Returns a client whose first connection fails.
fn misled(server: &RawServer) -> Client {
    let port = server.url.rsplit(':').next().unwrap();
    let client = builder(&format!("http://files.example:{port}")).allow_plain_http();
    client
        .configure_http(|http| http.no_proxy().dns_resolver(Misleading::default()))
        .build()
        .unwrap()
}

/// Starts a server that gives the first request this reply, and takes the second.
async fn after(first: Vec<u8>) -> RawServer {
    RawServer::start(move |number, _| {
        let stored = STORED.as_bytes().to_vec();
        vec![Step::Write(if number == 0 { first.clone() } else { stored })]
    })
    .await
}

#[tokio::test]
async fn bytes_and_files_are_sent_again_whole_after_a_429() {
    let folder = Folder::new();
    std::fs::write(folder.join("a.txt"), "content").unwrap();
    for source in [FileSource::bytes("a.txt", "content"), FileSource::path(folder.join("a.txt"))] {
        let server = after(reply("429 Too Many Requests", "", "")).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let client = client(&server.url);
        let call = client.files().upload(source);
        let call = call.on_progress(move |progress| log.lock().unwrap().push(progress.bytes));
        let reply = call.with_meta().await.unwrap();
        assert_eq!((reply.meta.attempts, reply.value.id.as_str()), (2, "file_1"));
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].body, requests[1].body);
        assert!(requests[1].body.contains("\r\n\r\ncontent\r\n"));
        assert_eq!(*seen.lock().unwrap(), [7, 7], "progress starts again");
    }
}

#[tokio::test]
async fn a_reader_that_was_read_is_not_sent_again() {
    let server = after(reply("429 Too Many Requests", "retry-after: 0\r\n", "")).await;
    let source = FileSource::sized_reader("a", 7, &b"content"[..]);
    let error = client(&server.url).files().upload(source).await.unwrap_err();
    assert!(error.is_rate_limited() && !error.may_have_happened(), "{error:?}");
    assert_eq!((error.attempts(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn any_source_is_sent_again_when_no_connection_was_made() {
    let folder = Folder::new();
    std::fs::write(folder.join("a"), "content").unwrap();
    for source in [
        FileSource::bytes("a", "content"),
        FileSource::path(folder.join("a")),
        FileSource::sized_reader("a", 7, &b"content"[..]),
    ] {
        let server = RawServer::always(STORED).await;
        let reply = misled(&server).files().upload(source).with_meta().await.unwrap();
        assert_eq!(reply.meta.attempts, 2);
        assert!(server.requests()[0].body.contains("\r\n\r\ncontent\r\n"));
    }
}

#[tokio::test]
async fn an_upload_that_may_have_arrived_is_not_sent_again() {
    for (status, happened) in [
        ("500 Internal Server Error", true),
        ("503 Service Unavailable", true),
        ("408 Request Timeout", true),
        ("422 Unprocessable Entity", false),
    ] {
        let server = after(reply(status, "", "")).await;
        let upload = client(&server.url);
        let error = upload.files().upload(FileSource::bytes("a", "b")).await.unwrap_err();
        assert_eq!(error.may_have_happened(), happened, "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    let server = RawServer::start(|_, _| vec![Step::Reset]).await;
    let upload = client(&server.url);
    let error = upload.files().upload(FileSource::bytes("a", "b")).await.unwrap_err();
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_says_so_once() {
    let server = after(reply("201 Created", "", r#"{"filename": "a"}"#)).await;
    let upload = client(&server.url);
    let error = upload.files().upload(FileSource::bytes("a", "b")).await.unwrap_err();
    assert!(matches!(error, dari::Error::Decode(_)) && error.may_have_happened(), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}
