//! Uploads of files: what arrives, under which name, and what happens when it does not.

mod cut;
mod repeats;

use std::sync::{Arc, Mutex};

use dari::emulator::{Emulator, ReceivedRequest, ScriptedAgent, Turn};
use dari::{ContentBlock, Error, FileSource, Progress};

use crate::support::folder::Folder;
use crate::support::socket::SocketServer;
use crate::support::{builder, client};

/// A reply to an upload.
const STORED: &str = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n\
    content-length: 15\r\n\r\n{\"id\":\"file_1\"}";

/// Returns the part of a form: its headers, and its content.
fn part(request: &ReceivedRequest) -> (String, Vec<u8>) {
    let kind = request.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let (start, end) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}--\r\n"));
    let body = request.body().strip_prefix(start.as_bytes()).unwrap();
    let body = body.strip_suffix(end.as_bytes()).unwrap();
    let at = body.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(body[..at].to_vec()).unwrap(), body[at + 4..].to_vec())
}

#[tokio::test]
async fn bytes_a_path_and_a_reader_arrive_whole_in_one_part_named_file() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let folder = Folder::new();
    let content: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(folder.join("a.bin"), &content).unwrap();
    let reader = || std::io::Cursor::new(content.clone());
    let sources = [
        FileSource::bytes("a.bin", content.clone()),
        FileSource::path(folder.join("a.bin")),
        FileSource::from(folder.join("a.bin")),
        FileSource::reader("a.bin", reader()),
        FileSource::sized_reader("a.bin", 200_000, reader()),
    ];
    for (number, source) in sources.into_iter().enumerate() {
        let file = client.files().upload(source).await.unwrap();
        assert_eq!(file.id, &*format!("file_{}", number + 1));
        assert_eq!(file.filename.as_deref(), Some("a.bin"));
        assert_eq!(file.size_bytes, Some(200_000));
        let request = &emulator.requests()[number];
        let (headers, body) = part(request);
        let expected = "content-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
            content-type: application/octet-stream";
        assert_eq!(headers, expected);
        assert!(body == content, "source {number} arrived as {} bytes", body.len());
        let sized = request.header("content-length").is_some();
        assert_eq!(sized, number != 3, "only a reader without a size is sent in chunks");
    }
}

#[tokio::test]
async fn name_and_media_type_can_be_chosen_and_meta_is_there() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    let call = client.files().upload(FileSource::bytes("x", "")).file_name("/tmp/ü b.csv");
    let reply = call.content_type("text/csv").header("x-trace", "t1").with_meta().await.unwrap();
    assert_eq!(reply.value.filename.as_deref(), Some("ü b.csv"));
    assert_eq!((reply.value.size_bytes, reply.meta.status.as_u16()), (Some(0), 201));
    let request = &emulator.requests()[0];
    assert!(part(request).0.ends_with("content-type: text/csv"));
    assert_eq!(request.header("x-trace"), Some("t1"));
    let expected = format!("Bearer {}", emulator.api_key());
    assert_eq!(request.header("authorization"), Some(&*expected));
}

#[tokio::test]
async fn an_uploaded_file_is_content_as_it_is() {
    let agent = ScriptedAgent::named("reader")
        .respond(|input| Turn::reply(serde_json::to_string(input.content()).unwrap()));
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    let file = client.files().upload(FileSource::bytes("a", "b")).await.unwrap();
    for (content, expected) in [
        (
            vec!["Read:".into(), (&file).into()],
            r#"[{"text":"Read:","type":"text"},{"file_id":"file_1","type":"file"}]"#,
        ),
        (vec![ContentBlock::image(file.id.clone())], r#"[{"file_id":"file_1","type":"image"}]"#),
    ] {
        let sent = client.agents().send_message(&emulator.agent(), content).await.unwrap();
        let message = client.messages().wait(&sent.message.id).await.unwrap();
        assert_eq!(message.text(), expected);
    }
    client.agents().send_message(&emulator.agent(), &file).await.unwrap();
    client.agents().send_message(&emulator.agent(), file).await.unwrap();
}

#[tokio::test]
async fn progress_counts_the_content_up_to_its_total() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    for (source, total) in [
        (FileSource::bytes("a", vec![7; 300_000]), Some(300_000)),
        (FileSource::reader("a", std::io::Cursor::new(vec![7; 300_000])), None),
    ] {
        let seen = Arc::new(Mutex::new(Vec::<Progress>::new()));
        let log = seen.clone();
        let call = client.files().upload(source);
        call.on_progress(move |progress| log.lock().unwrap().push(progress)).await.unwrap();
        let seen = seen.lock().unwrap();
        assert!(seen.len() > 3, "{seen:?}");
        assert!(seen.windows(2).all(|pair| pair[0].bytes < pair[1].bytes), "{seen:?}");
        assert!(seen.iter().all(|progress| progress.total == total), "{seen:?}");
        assert_eq!(seen.last().unwrap().bytes, 300_000);
    }
}

#[tokio::test]
async fn a_hostile_name_adds_no_header_and_no_part() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client().unwrap();
    for (name, sent) in [
        ("a\"\r\nx-evil: 1\r\n\r\nbody\r\n--", "a___x-evil: 1____body__--"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a\"; name=\"other", "a_; name=_other"),
        ("", "file"),
        ("a\0b\u{1b}[31m", "a_b_[31m"),
    ] {
        emulator.clear_requests();
        let file = client.files().upload(FileSource::bytes(name, "content")).await.unwrap();
        assert_eq!(file.filename.as_deref(), Some(sent), "{name:?}");
        let (headers, body) = part(&emulator.requests()[0]);
        assert_eq!(headers.lines().count(), 2, "{headers:?}");
        assert_eq!(body, b"content");
    }
    for bad in ["text/plain\r\nx-evil: 1", "a\0b"] {
        emulator.clear_requests();
        let call = client.files().upload(FileSource::bytes("a", "b")).content_type(bad);
        assert!(matches!(call.await.unwrap_err(), Error::Invalid(_)));
        assert!(emulator.requests().is_empty());
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_has_a_predicate_of_its_own() {
    let emulator = Emulator::builder().max_file_bytes(1000).start().await.unwrap();
    let client = emulator.client().unwrap();
    let upload = |size| client.files().upload(FileSource::bytes("a", vec![0; size]));
    assert_eq!(upload(1000).await.unwrap().size_bytes, Some(1000));
    for size in [1001, 100_000, 1 << 20] {
        let error = upload(size).await.unwrap_err();
        assert!(error.is_too_large(), "{error}");
        assert!(!error.is_retryable() && !error.may_have_happened());
        assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_that_comes_while_bytes_are_sent_is_told() {
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("\r\n\r\n").await.unwrap();
        let refusal = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n";
        connection.write(refusal.as_bytes()).await;
        connection.read_all().await;
    });
    let server = server.await;
    let upload = FileSource::bytes("a", vec![0; 64 << 20]);
    let error = client(&server.url).files().upload(upload).await.unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
}

#[tokio::test]
async fn the_deadline_of_an_operation_does_not_hold_for_an_upload_unless_it_is_given() {
    let limit = std::time::Duration::from_millis(1);
    let server = SocketServer::start(|_, mut connection| async move {
        connection.read_to("--\r\n").await.unwrap();
        connection.write(STORED.as_bytes()).await;
        connection.close().await;
    });
    let server = server.await;
    // Both limits of other calls are far too short for the time the reader takes.
    let client = builder(&server.url).timeout(limit).attempt_timeout(limit).build().unwrap();
    let slow = || {
        let (reader, mut writer) = tokio::io::duplex(64);
        tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(limit * 10).await;
                let _gone = tokio::io::AsyncWriteExt::write_all(&mut writer, b"x").await;
            }
        });
        client.files().upload(FileSource::reader("a", reader))
    };
    assert_eq!(slow().await.unwrap().id, "file_1");
    let error = slow().timeout(limit).await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_happened(), "{error:?}");
}
