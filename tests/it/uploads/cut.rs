//! Uploads that end before their end, and who is to blame.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use dari::{Error, FileSource};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

use crate::support::folder::Folder;
use crate::support::raw::PATIENCE;
use crate::support::socket::SocketServer;
use crate::support::{builder, chain, client};

const SHORT: Duration = Duration::from_secs(2);

/// Gives a piece, then fails, or gives nothing more and does not end.
struct Breaking {
    given: bool,
    error: Option<io::Error>,
    /// Told when this is dropped.
    dropped: Arc<AtomicBool>,
}

impl Breaking {
    fn with(error: Option<io::Error>) -> Self {
        Self { given: false, error, dropped: Arc::default() }
    }
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.given {
            self.given = true;
            buffer.put_slice(b"beginning");
            return Poll::Ready(Ok(()));
        }
        match self.error.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }
}

impl Drop for Breaking {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

/// Starts a server that reads all it can get, and answers nothing.
async fn silent() -> SocketServer {
    SocketServer::start(|_, mut connection| async move {
        connection.read_all().await;
    })
    .await
}

#[tokio::test]
async fn a_source_that_fails_is_an_error_of_the_file_and_the_server_gets_no_whole_form() {
    let (whole, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (log, tell) = (whole.clone(), seen.clone());
    let server = SocketServer::start(move |_, mut connection| {
        let (log, tell) = (log.clone(), tell.clone());
        async move {
            log.store(connection.read_to("--\r\n").await.is_some(), Ordering::SeqCst);
            tell.notify_one();
        }
    });
    let server = server.await;
    let broken = || Breaking::with(Some(io::Error::new(io::ErrorKind::BrokenPipe, "unplugged")));
    let short = || &b"12345"[..];
    for (source, reason) in [
        (FileSource::reader("a", broken()), "unplugged"),
        (FileSource::sized_reader("a", 100, broken()), "unplugged"),
        (FileSource::sized_reader("a", 9, short()), "it ended 4 bytes before its size"),
        (FileSource::sized_reader("a", 4, short()), "it has more bytes than its size"),
    ] {
        let error = client(&server.url).files().upload(source).await.unwrap_err();
        assert!(matches!(error, Error::File(_)), "{error:?}");
        assert!(chain(&error).ends_with(reason), "{}", chain(&error));
        assert!(!error.is_retryable() && !error.may_have_happened());
        assert_eq!((error.attempts(), error.operation()), (1, Some("files.upload")));
        tokio::time::timeout(PATIENCE, seen.notified()).await.unwrap();
        assert!(!whole.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn a_reader_that_has_given_its_size_is_not_read_any_more() {
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("--\r\n").await.unwrap();
        connection.write(super::STORED.as_bytes()).await;
    });
    let server = server.await;
    let source = FileSource::sized_reader("a", 9, Breaking::with(None));
    client(&server.url).files().upload(source).await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_be_read_connects_to_nobody() {
    let server = SocketServer::start(|_, _| async { panic!("somebody connected") }).await;
    let folder = Folder::new();
    for (path, kind) in [
        (folder.join("nowhere"), io::ErrorKind::NotFound),
        (folder.path().to_owned(), io::ErrorKind::InvalidInput),
    ] {
        let error = client(&server.url).files().upload(path).await.unwrap_err();
        let Error::File(file) = &error else { panic!("{error:?}") };
        assert_eq!(file.io_error().kind(), kind);
        assert_eq!(error.attempts(), 0);
    }
}

#[tokio::test]
async fn a_server_that_stops_reading_ends_the_upload() {
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("\r\n\r\n").await.unwrap();
        std::future::pending().await
    });
    let server = server.await;
    // More than all buffers on the way can take.
    let call = client(&server.url);
    let call = call.files().upload(FileSource::bytes("a", vec![0; 64 << 20]));
    let error = call.stall_timeout(SHORT).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(!error.may_have_happened(), "it was not whole");
    let expected = "files.upload: the upload stalled, nobody took its bytes: nothing moved for 2s";
    assert_eq!(chain(&error), expected);
}

#[tokio::test]
async fn a_source_that_gives_nothing_ends_the_upload() {
    let server = silent().await;
    let client = builder(&server.url).stall_timeout(SHORT).build().unwrap();
    let error = client.files().upload(FileSource::reader("a", Breaking::with(None))).await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
    assert!(chain(&error).contains("its source gave nothing"), "{}", chain(&error));
}

#[tokio::test]
async fn a_whole_upload_without_an_answer_may_have_happened() {
    let server = silent().await;
    for source in [FileSource::bytes("a", "b"), FileSource::reader("a", &b"b"[..])] {
        let error = client(&server.url).files().upload(source).stall_timeout(SHORT).await;
        let error = error.unwrap_err();
        assert!(error.is_timeout() && error.may_have_happened(), "{error:?}");
        assert!(!error.is_retryable());
        assert!(chain(&error).contains("no answer came to the upload"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_is_not_believed() {
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("\r\n\r\n").await.unwrap();
        connection.write(super::STORED.as_bytes()).await;
        std::future::pending().await
    });
    let server = server.await;
    let upload = FileSource::bytes("a", vec![0; 64 << 20]);
    let error = client(&server.url).files().upload(upload).await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)) && error.may_have_happened(), "{error:?}");
    assert!(error.to_string().contains("before all of the upload was sent"), "{error}");
}

#[tokio::test]
async fn a_connection_lost_on_the_way_is_no_upload() {
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("\r\n\r\n").await.unwrap();
        // Dropped with bytes unread: the client gets a reset.
    });
    let server = server.await;
    let upload = FileSource::bytes("a", vec![0; 64 << 20]);
    let error = client(&server.url).files().upload(upload).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(!error.may_have_happened(), "it was not whole: {error:?}");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_dropped_upload_lets_go_of_its_source_at_once() {
    let server = silent().await;
    let client = client(&server.url);
    let source = Breaking::with(None);
    let dropped = source.dropped.clone();
    let moved = Arc::new(Notify::new());
    let tell = moved.clone();
    let call = client.files().upload(FileSource::reader("a", source));
    let call = call.on_progress(move |_| tell.notify_one());
    {
        let mut upload = Box::pin(std::future::IntoFuture::into_future(call));
        tokio::select! {
            _ = &mut upload => panic!("the upload ended"),
            () = moved.notified() => {}
        }
        assert!(!dropped.load(Ordering::SeqCst));
    }
    assert!(dropped.load(Ordering::SeqCst), "the connection still holds the source");
}
