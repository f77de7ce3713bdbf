//! Downloads of workspaces: a stream, a file that is whole or not there, and what can go wrong.

mod cut;

use std::sync::{Arc, Mutex};

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Client, Error, SessionId};
use futures_util::StreamExt;

use crate::support::archive::stored;
use crate::support::folder::Folder;
use crate::support::raw::{RawServer, Step, reply};
use crate::support::{builder, client};

fn session() -> SessionId {
    "sess_1".parse().unwrap()
}

/// Returns a whole reply with these bytes as its body.
fn zip_reply(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/zip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Plays a turn that writes files, and returns a client of its emulator.
async fn written() -> (Emulator, Client) {
    let turn = Turn::new()
        .file("report.md", "# Report")
        .file("src/main.rs", "fn main() {}")
        .file("src/lib/a.rs", "old")
        .file("src/lib/a.rs", "// a")
        .file("srcs/b", "b");
    let agent = ScriptedAgent::named("writer").turns([turn]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "Write.").await.unwrap();
    client.messages().wait(&sent.message.id).await.unwrap();
    (emulator, client)
}

/// Returns the names and contents of an archive, read by the library that others use.
fn contents(archive: Vec<u8>) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let entries = archive.len();
    let read = |index| {
        let mut entry = archive.by_index(index).unwrap();
        let content = std::io::read_to_string(&mut entry).unwrap();
        (entry.name().to_owned(), content)
    };
    (0..entries).map(read).collect()
}

async fn names(client: &Client, paths: &[&str]) -> Vec<String> {
    let mut call = client.workspace().download(&session());
    for path in paths {
        call = call.path(*path);
    }
    let mut download = call.await.unwrap();
    let mut archive = Vec::new();
    while let Some(bytes) = download.try_next().await.unwrap() {
        archive.extend_from_slice(&bytes);
    }
    contents(archive).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn what_an_agent_wrote_comes_back_under_its_path() {
    let (emulator, client) = written().await;
    let all = ["report.md", "src/lib/a.rs", "src/main.rs", "srcs/b"];
    assert_eq!(names(&client, &[]).await, all);
    assert_eq!(names(&client, &["src"]).await, ["src/lib/a.rs", "src/main.rs"]);
    assert_eq!(names(&client, &["src/lib/", "report.md"]).await, ["report.md", "src/lib/a.rs"]);
    let asked = emulator
        .requests()
        .into_iter()
        .filter_map(|request| request.query().map(|query| format!("{}?{query}", request.path())));
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked[0], "/v1/sessions/sess_1/workspace.zip?path=src");
    assert_eq!(asked[1], "/v1/sessions/sess_1/workspace.zip?path=src%2Flib%2F&path=report.md");
    let folder = Folder::new();
    let call = client.workspace().download(&session()).path("src/lib");
    call.to_file(folder.join("a.zip")).await.unwrap();
    let archive = std::fs::read(folder.join("a.zip")).unwrap();
    assert_eq!(contents(archive), [("src/lib/a.rs".to_owned(), "// a".to_owned())]);
}

#[tokio::test]
async fn a_bad_path_is_refused_and_a_missing_workspace_is_a_conflict() {
    let (emulator, client) = written().await;
    for path in ["/workspace", "..", "src/../..", "a\\b", "", "nowhere", "src/li"] {
        let error = client.workspace().download(&session()).path(path).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 400, "{path:?}: {error}");
    }
    let empty = client.sessions().create(&emulator.agent()).await.unwrap();
    let error = client.workspace().download(&empty.id).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    let error = client.workspace().download(&"sess_9".parse().unwrap()).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn a_stream_tells_its_size_and_its_progress() {
    let archive = stored(&[("a", &[7; 300_000])]);
    let server = RawServer::always(zip_reply(&archive)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let client = client(&server.url);
    let call = client.workspace().download(&session());
    let download = call.on_progress(move |progress| log.lock().unwrap().push(progress));
    let mut download = download.await.unwrap();
    assert_eq!(download.size_bytes(), Some(archive.len() as u64));
    let mut received = Vec::new();
    while let Some(bytes) = download.next().await {
        let bytes = bytes.unwrap();
        assert!(!bytes.is_empty());
        received.extend_from_slice(&bytes);
    }
    assert!(received == archive);
    assert!(download.next().await.is_none() && download.try_next().await.unwrap().is_none());
    let seen = seen.lock().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.bytes, last.total), (archive.len() as u64, Some(archive.len() as u64)));
    assert!(seen.windows(2).all(|pair| pair[0].bytes < pair[1].bytes));
    let request = &server.requests()[0];
    assert_eq!(request.header("accept"), Some("*/*"));
}

#[tokio::test]
async fn the_beginning_of_a_download_is_repeated() {
    let archive = stored(&[("a", b"b")]);
    let whole = zip_reply(&archive);
    let server = RawServer::start(move |number, _| {
        vec![Step::Write(if number < 2 { reply("503 Busy", "", "") } else { whole.clone() })]
    });
    let server = server.await;
    let folder = Folder::new();
    let client = client(&server.url);
    let call = client.workspace().download(&session());
    let size = call.to_file(folder.join("a.zip")).await.unwrap();
    assert_eq!((size, server.requests().len()), (archive.len() as u64, 3));
}

#[tokio::test]
async fn a_file_is_replaced_and_only_by_a_whole_archive() {
    let folder = Folder::new();
    let place = folder.join("a.zip");
    std::fs::write(&place, "before").unwrap();
    for page in ["<html>Sign in to the network</html>", "", "PK\u{5}\u{6}"] {
        let server = RawServer::always(zip_reply(page.as_bytes())).await;
        let client = client(&server.url);
        let error = client.workspace().download(&session()).to_file(&place).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        assert_eq!(folder.listing(), ["a.zip: before"]);
    }
    let archive = stored(&[]);
    let server = RawServer::always(zip_reply(&archive)).await;
    client(&server.url).workspace().download(&session()).to_file(&place).await.unwrap();
    assert!(std::fs::read(&place).unwrap() == archive);
    assert_eq!(folder.listing().len(), 1);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_an_error_of_the_file() {
    let server = RawServer::always(zip_reply(&stored(&[("a", b"b")]))).await;
    let client = client(&server.url);
    let folder = Folder::new();
    std::fs::create_dir(folder.join("taken")).unwrap();
    for place in ["missing/a.zip", "taken"] {
        let call = client.workspace().download(&session());
        let error = call.to_file(folder.join(place)).await.unwrap_err();
        assert!(matches!(error, Error::File(_)), "{error:?}");
        assert!(!error.is_retryable());
        assert_eq!(folder.listing(), ["taken/"]);
    }
}

#[tokio::test]
async fn a_ceiling_holds_whether_the_size_was_announced_or_not() {
    let archive = stored(&[("a", &[7; 100_000])]);
    let announced = zip_reply(&archive);
    let unannounced = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &archive].concat();
    let folder = Folder::new();
    for body in [announced, unannounced] {
        let server = RawServer::always(body).await;
        let client = builder(&server.url).build().unwrap();
        let call = || client.workspace().download(&session());
        let most = archive.len() as u64;
        call().max_bytes(most).to_file(folder.join("a.zip")).await.unwrap();
        std::fs::remove_file(folder.join("a.zip")).unwrap();
        let error = call().max_bytes(most - 1).to_file(folder.join("a.zip")).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("larger than {} bytes", most - 1)), "{error}");
        assert!(folder.listing().is_empty());
    }
}
