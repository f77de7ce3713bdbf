//! Cut bodies, byte for byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use dari::emulator::{Emulator, Fault, Route};

use super::Scene;

/// Returns head and body of the answer to a request, up to the end of the connection.
fn answer(emulator: &Emulator, path: &str) -> (String, Vec<u8>) {
    let address = emulator.url().trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let key = emulator.api_key();
    // Kept alive: only the emulator ends the connection.
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    (String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase(), bytes[end..].to_vec())
}

#[tokio::test]
async fn a_cut_body_has_the_head_of_the_whole_and_the_bytes_asked_for() {
    let scene = Scene::new().await;
    let whole = scene.client.sessions().get(&scene.session).with_meta().await.unwrap();
    let length: usize = whole.meta.headers["content-length"].to_str().unwrap().parse().unwrap();
    for cut in [0, 1, 17, length - 1, length, length + 100] {
        scene.emulator.inject(Fault::cut_body_after(cut).on(Route::GetSession));
        let (head, body) = answer(&scene.emulator, "/v1/sessions/sess_1");
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
        assert_eq!(body.len(), cut.min(length - 1));
    }
}

#[tokio::test]
async fn a_large_body_is_cut_where_it_was_asked_for() {
    let scene = Scene::new().await;
    let text = "x".repeat(4 << 20);
    scene.client.messages().send(&scene.session, text).await.unwrap();
    let cut = 3 << 20;
    scene.emulator.inject(Fault::cut_body_after(cut).on(Route::ListMessages));
    let (_, body) = answer(&scene.emulator, "/v1/sessions/sess_1/messages");
    assert_eq!(body.len(), cut);
}

#[tokio::test]
async fn a_cut_stream_ends_within_an_event_and_without_the_last_chunk() {
    let scene = Scene::new().await;
    scene.client.messages().send(&scene.session, "hi").await.unwrap();
    scene.emulator.inject(Fault::cut_body_after(150).on(Route::StreamEvents));
    let (head, body) = answer(&scene.emulator, "/v1/sessions/sess_1/stream");
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    let chunk = b"96\r\n";
    assert!(body.starts_with(chunk), "150 bytes in hexadecimal");
    assert_eq!(body.len(), chunk.len() + 150 + b"\r\n".len());
}

#[tokio::test]
async fn a_connection_without_an_answer_ends_without_a_byte() {
    let scene = Scene::new().await;
    for fault in [Fault::no_answer(), Fault::disconnect()] {
        scene.emulator.inject(fault.on(Route::GetSession));
        let (head, body) = answer(&scene.emulator, "/v1/sessions/sess_1");
        assert_eq!((head.as_str(), body.as_slice()), ("", &b""[..]));
    }
}
