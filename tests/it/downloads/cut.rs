//! Downloads that end before their end: no half file stays, in any form of it.

use std::future::IntoFuture;
use std::time::Duration;

use dari::{Error, UnpackLimits};

use super::{session, zip_reply};
use crate::support::archive::{stored, zip};
use crate::support::folder::Folder;
use crate::support::raw::{PATIENCE, RawServer, Step};
use crate::support::{chain, client};

const SHORT: Duration = Duration::from_secs(1);

fn archive() -> Vec<u8> {
    zip(&[("a/b.txt", b"one"), ("c.txt", &[7; 50_000]), ("d", b"two")])
}

/// Returns the archive in the ways HTTP has to send it: a head, and a body as it is on the wire.
fn framings(archive: &[u8]) -> [(&'static str, String, Vec<u8>); 3] {
    let length = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", archive.len());
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let chunks = archive
        .chunks(1000)
        .flat_map(|piece| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    let chunks = chunks.chain(*b"0\r\n\r\n").collect();
    [
        ("a length", length, archive.to_vec()),
        ("chunks", chunked, chunks),
        ("no length", "HTTP/1.1 200 OK\r\n\r\n".to_owned(), archive.to_vec()),
    ]
}

#[tokio::test]
async fn a_download_cut_at_any_point_leaves_nothing() {
    let archive = archive();
    let folder = Folder::new();
    std::fs::write(folder.join("a.zip"), "before").unwrap();
    for (framing, head, body) in framings(&archive) {
        let points = [0, 1, 100, body.len() / 2, body.len() - 22, body.len() - 1];
        for (point, ending) in
            points.into_iter().flat_map(|it| [(it, None), (it, Some(Step::Reset))])
        {
            let bytes = [head.as_bytes(), &body[..point]].concat();
            let steps: Vec<_> = [Some(Step::Write(bytes)), ending].into_iter().flatten().collect();
            let server = RawServer::start(move |_, _| steps.clone()).await;
            let client = client(&server.url);
            let what = format!("{framing}, cut after {point} of {}", body.len());
            let call = || client.workspace().download(&session());
            let error = call().to_file(folder.join("a.zip")).await.expect_err(&what);
            assert!(matches!(error, Error::Transport(_) | Error::Decode(_)), "{what}: {error:?}");
            let error = call().unpack_into(folder.join("out")).await.expect_err(&what);
            assert!(matches!(error, Error::Transport(_) | Error::Decode(_)), "{what}: {error:?}");
            assert_eq!(folder.listing(), ["a.zip: before"], "{what}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_in_an_error_and_then_for_good() {
    let archive = archive();
    for (framing, head, body) in &framings(&archive)[..2] {
        let bytes = [head.as_bytes(), &body[..body.len() / 2]].concat();
        let server = RawServer::always(bytes).await;
        let client = client(&server.url);
        let mut download = client.workspace().download(&session()).await.unwrap();
        let mut received = 0;
        let error = loop {
            match download.try_next().await {
                Ok(Some(bytes)) => received += bytes.len(),
                Ok(None) => panic!("{framing}: a half download ended well"),
                Err(error) => break error,
            }
        };
        assert!(received > 0 && received < archive.len());
        assert!(matches!(error, Error::Transport(_)) && !error.is_timeout(), "{error:?}");
        assert!(error.is_retryable() && !error.may_have_happened());
        assert!(error.to_string().ends_with("the download broke off"), "{error}");
        assert!(download.try_next().await.unwrap().is_none());
        assert_eq!(server.requests().len(), 1, "a body that broke is not asked for again");
    }
}

/// Starts a server that sends half an archive, and then nothing.
async fn stalling() -> RawServer {
    let bytes = zip_reply(&archive());
    let half = bytes[..bytes.len() - 40].to_vec();
    RawServer::start(move |_, _| vec![Step::Write(half.clone()), Step::Hold]).await
}

#[tokio::test]
async fn a_download_that_stalls_ends_and_leaves_nothing() {
    let folder = Folder::new();
    let server = stalling().await;
    let client = client(&server.url);
    let call = || client.workspace().download(&session()).stall_timeout(SHORT);
    let stalled = [
        call().to_file(folder.join("a.zip")).await.unwrap_err(),
        call().unpack_into(folder.join("out")).await.unwrap_err(),
        async {
            let mut download = call().await?;
            while download.try_next().await?.is_some() {}
            Ok::<_, Error>(())
        }
        .await
        .unwrap_err(),
    ];
    for error in stalled {
        assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
        assert!(chain(&error).ends_with("the download stalled: nothing moved for 1s"));
    }
    assert!(folder.listing().is_empty(), "{:?}", folder.listing());
    server.left(3).await;
}

#[tokio::test]
async fn the_time_a_reader_takes_is_no_stall() {
    let server = RawServer::always(zip_reply(&stored(&[("a", &[7; 4 << 20])]))).await;
    let client = client(&server.url);
    let call = client.workspace().download(&session()).stall_timeout(SHORT);
    let mut download = call.await.unwrap();
    let mut pieces = 0;
    while let Some(_bytes) = download.try_next().await.unwrap() {
        pieces += 1;
        if pieces == 1 {
            tokio::time::sleep(SHORT * 2).await;
        }
    }
    assert!(pieces > 3);
}

/// Waits until a directory is empty: a blocking task that was left behind cleans up by itself.
async fn emptied(folder: &Folder) {
    let empty = async {
        while !folder.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, empty).await.expect("something stays behind");
}

#[tokio::test]
async fn a_dropped_download_leaves_nothing_and_closes_its_connection() {
    let folder = Folder::new();
    let server = stalling().await;
    let client = client(&server.url);
    for number in 0..2 {
        let (tell, mut moved) = tokio::sync::mpsc::unbounded_channel();
        let call = client.workspace().download(&session());
        let call = call.on_progress(move |progress| {
            let _gone = tell.send(progress);
        });
        let (to, into) = (folder.join("a.zip"), folder.join("out"));
        let mut download: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = match number {
            0 => Box::pin(async { drop(call.to_file(to).await) }),
            _ => Box::pin(async { drop(call.unpack_into(into).await) }),
        };
        tokio::select! {
            () = &mut download => panic!("the download ended"),
            _ = moved.recv() => {}
        }
        assert!(!folder.is_empty(), "something is being written");
        drop(download);
        emptied(&folder).await;
        server.left(1).await;
    }
}

#[tokio::test]
async fn a_dropped_unpacking_leaves_nothing() {
    let names: Vec<_> = (0..2000).map(|number| format!("d{}/f{number}", number % 50)).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b"text"[..])).collect();
    let server = RawServer::always(zip_reply(&zip(&files))).await;
    let folder = Folder::new();
    let client = client(&server.url);
    let (tell, mut moved) = tokio::sync::mpsc::unbounded_channel();
    let call = client.workspace().download(&session()).unpack_limits(UnpackLimits::default());
    let call = call.on_unpack(move |progress| {
        let _gone = tell.send(progress);
    });
    {
        let mut unpacking = Box::pin(call.unpack_into(folder.join("out")).into_future());
        tokio::select! {
            _ = &mut unpacking => panic!("the unpacking ended"),
            progress = moved.recv() => assert_eq!(progress.unwrap().total_entries, 2000),
        }
    }
    emptied(&folder).await;
}
