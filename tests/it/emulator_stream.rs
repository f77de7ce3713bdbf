//! The emulator's event stream, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use serde_json::{Value, json};

use crate::emulator_support::{Caller, detail, hello};

const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream, read as bytes. HTTP/1.0, so that nothing is put between them.
struct Stream {
    head: String,
    body: BufReader<TcpStream>,
}

impl Stream {
    fn open(emulator: &Emulator, headers: &str) -> Self {
        Self::request(emulator, "/v1/sessions/sess_1/stream", headers)
    }

    fn request(emulator: &Emulator, path: &str, headers: &str) -> Self {
        let address = emulator.url().trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = emulator.api_key();
        let request =
            format!("GET {path} HTTP/1.0\r\nauthorization: Bearer {key}\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut body = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(body.read_line(&mut head).unwrap(), 0, "{head}");
        }
        Self { head: head.to_lowercase(), body }
    }

    /// Returns the bytes up to the next empty line.
    fn frame(&mut self) -> String {
        let mut frame = String::new();
        while !frame.ends_with("\n\n") {
            assert_ne!(self.body.read_line(&mut frame).unwrap(), 0, "the stream ended: {frame}");
        }
        frame
    }

    fn ids(&mut self, count: usize) -> Vec<String> {
        let id = |frame: String| frame.lines().next().unwrap().to_owned();
        (0..count).map(|_| id(self.frame())).collect()
    }
}

async fn until_open(emulator: &Emulator, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while emulator.open_streams() != count {
        assert!(Instant::now() < deadline, "{} open", emulator.open_streams());
        tokio::task::yield_now().await;
    }
}

fn ids(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|number| format!("id: sess_1:evt_{number}")).collect()
}

#[tokio::test]
async fn a_stream_replays_the_ledger_as_the_list_shows_it() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let (_, list) = caller.get("/v1/sessions/sess_1/events").await;
    let mut stream = Stream::open(&emulator, "");
    assert!(stream.head.starts_with("http/1.0 200"), "{}", stream.head);
    assert!(stream.head.contains("content-type: text/event-stream\r\n"));
    assert!(stream.head.contains("x-request-id: req_3\r\n"));
    for event in list["events"].as_array().unwrap() {
        let (id, kind) = (event["id"].as_str().unwrap(), event["type"].as_str().unwrap());
        let frame = stream.frame();
        let data = frame.strip_prefix(&format!("id: {id}\nevent: {kind}\ndata: ")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(data.trim_end()).unwrap(), *event);
    }
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_seen() {
    let emulator = Emulator::start().await.unwrap();
    Caller::new(&emulator).post("/v1/agents/agt_1/messages", &hello()).await;
    let mut resumed = Stream::open(&emulator, "Last-Event-ID: sess_1:evt_2\r\n");
    assert_eq!(resumed.ids(4), ids(3..=6));
    let mut unknown = Stream::open(&emulator, "last-event-id: sess_9:evt_2\r\n");
    assert_eq!(unknown.ids(6), ids(1..=6));
}

#[tokio::test]
async fn events_arrive_as_they_fall_due_over_several_turns() {
    let pause = Duration::from_millis(30);
    let turn = Turn::new().delay(pause).tool_call("t", json!({}), json!(1)).delay(pause).text("a");
    let agent = ScriptedAgent::named("a").turns([turn]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    let mut stream = Stream::open(&emulator, "");
    caller.post(&path, &hello()).await;
    assert_eq!(stream.ids(8), ids(1..=8));
    // Idle again, and still open.
    caller.post(&path, &hello()).await;
    assert_eq!(stream.ids(8), ids(9..=16));
}

#[tokio::test]
async fn a_quiet_stream_sends_comments_and_stays_open() {
    let builder = Emulator::builder().heartbeat(Duration::from_millis(10));
    let emulator = builder.start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    let mut stream = Stream::open(&emulator, "");
    for _ in 0..3 {
        assert_eq!(stream.frame(), ": heartbeat\n\n");
    }
    caller.post(&path, &hello()).await;
    let mut frame = stream.frame();
    while frame.starts_with(':') {
        frame = stream.frame();
    }
    assert!(frame.starts_with("id: sess_1:evt_1\n"), "{frame}");
}

#[tokio::test]
async fn the_head_comes_before_the_first_event() {
    let emulator = Emulator::start().await.unwrap();
    Caller::new(&emulator).create().await;
    let stream = Stream::open(&emulator, "");
    assert!(stream.head.starts_with("http/1.0 200"));
    assert_eq!(emulator.open_streams(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_leaves_nothing_behind() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let mut streams: Vec<Stream> = (0..5).map(|_| Stream::open(&emulator, "")).collect();
    assert_eq!(streams[4].ids(6), ids(1..=6));
    assert_eq!(emulator.open_streams(), 5);
    streams.truncate(2);
    until_open(&emulator, 2).await;
    streams.clear();
    until_open(&emulator, 0).await;
}

#[tokio::test]
async fn many_streams_see_the_same_events() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    let mut streams: Vec<Stream> = (0..100).map(|_| Stream::open(&emulator, "")).collect();
    for _ in 0..5 {
        caller.post(&path, &hello()).await;
    }
    for stream in &mut streams {
        assert_eq!(stream.ids(30), ids(1..=30));
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_had_is_refused_as_json() {
    let builder = Emulator::builder().api_key("dari_a").other_organization("dari_b");
    let emulator = builder.start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.create().await;
    let (status, body) = caller.get("/v1/sessions/sess_9/stream").await;
    assert_eq!((status.as_u16(), body), (404, detail("Session not found")));
    for (key, expected) in [("dari_b", 403), ("dari_c", 401)] {
        let request = caller.bare(reqwest::Method::GET, "/v1/sessions/sess_1/stream");
        let (status, body) = crate::emulator_support::answer(request.bearer_auth(key)).await;
        assert_eq!(status, expected);
        assert!(body["detail"].is_string());
    }
    assert_eq!(caller.post("/v1/sessions/sess_1/stream", &json!({})).await.0, 405);
    assert_eq!(emulator.open_streams(), 0);
}

#[tokio::test]
async fn a_ledger_larger_than_every_buffer_arrives_whole() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let text = "line\n".repeat(200_000);
    let body = json!({"type": "user.message", "content": [{"type": "text", "text": text}]});
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    for _ in 0..4 {
        caller.post(&path, &body).await;
    }
    let mut stream = Stream::open(&emulator, "");
    assert_eq!(stream.ids(24), ids(1..=24));
}

#[tokio::test]
async fn dropping_the_emulator_ends_its_streams() {
    let emulator = Emulator::start().await.unwrap();
    Caller::new(&emulator).create().await;
    let mut stream = Stream::open(&emulator, "");
    drop(emulator);
    let mut rest = Vec::new();
    let _ = stream.body.read_to_end(&mut rest);
    assert!(rest.is_empty());
}
