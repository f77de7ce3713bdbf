//! How many allocations the common things cost, so that a change that adds one is seen.
//!
//! A binary of its own, for the allocator counts. The numbers stand in `BENCHMARKS.md` too; they
//! hold for the versions in `Cargo.lock`, most of a request's are those of the HTTP client.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use allocation_counter::measure;
use dari::{Client, Event, MessageId};

/// An event with all its fields: five texts, and the parser's stack, for its data nests.
const EVENT: u64 = 6;
/// A whole `messages().get` on a connection that is open already.
const GET: u64 = 66;

const EVENT_JSON: &str = r#"{"id":"sess_1:evt_7","session_id":"sess_1","sequence_number":7,
    "message_id":"msg_1","type":"user.message","source":"user",
    "actor":{"type":"user","id":"org_1"},
    "data":{"message_id":"msg_1","content":[{"type":"text","text":"Hi"}]},"created_at":"2026-04-21T18:40:00Z"}"#;

const MESSAGE_JSON: &str = r#"{"id":"msg_1","session_id":"sess_1","sequence_number":4,
    "parts":[{"type":"text","text":"Hello"}],"metadata":null,"status":"completed","attempt":1,
    "output":{"parts":[{"type":"text","text":"Hello to you"}]},
    "created_at":"2026-04-21T18:40:00Z","completed_at":"2026-04-21T18:40:12Z"}"#;

#[test]
fn an_event_costs_its_texts_and_one_stack() {
    let counted = measure(|| drop(serde_json::from_str::<Event>(EVENT_JSON).unwrap()));
    assert_eq!(counted.count_total, EVENT);
    assert_eq!(counted.count_current, 0, "nothing is left");
}

#[test]
fn a_get_costs_a_stated_number_of_allocations() {
    let server = format!("http://{}", serve());
    let client = Client::builder("dari_key").base_url(&server).build().unwrap();
    let id: MessageId = "msg_1".parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let get = || runtime.block_on(async { client.messages().get(&id).await.unwrap() });
    // The connection, and what the client makes once.
    get();
    // Some requests find a buffer to grow or a task to wake that others do not.
    let least = (0..20).map(|_| measure(|| drop(get())).count_total).min();
    assert!(least <= Some(GET), "{least:?} allocations");
}

/// Answers every request with the message, from a thread that ends with the test.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        let length = MESSAGE_JSON.len();
        // An empty line ends a request, for none of them has a body.
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
                let reply = format!("{head}\r\ncontent-length: {length}\r\n\r\n{MESSAGE_JSON}");
                if socket.write_all(reply.as_bytes()).is_err() {
                    return;
                }
            }
        }
    });
    address
}
