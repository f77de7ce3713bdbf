//! Ledgers of events, written out beforehand as the server will send them.

use std::io::Write as _;

const CHUNK_END: &[u8] = b"\r\n";
/// The size of the pieces of a large event: what one packet of a network holds.
const PACKET: usize = 1400;
/// How many events a batch holds.
const BATCH: usize = 100;
const MESSAGE: &str = r#""message_id":"msg_1","#;

/// A session's events as one response body, cut into writes.
#[derive(Debug)]
pub struct Ledger {
    /// How many events there are.
    pub events: u64,
    /// How many bytes they are, without the framing of HTTP.
    pub body_bytes: u64,
    bytes: Vec<u8>,
    write_ends: Vec<usize>,
}

/// How the bytes of a ledger are cut into writes, each a chunk of HTTP as well.
#[derive(Clone, Copy, Debug)]
pub enum Writes {
    /// Each event is a write of its own.
    Single,
    /// A hundred events at a time.
    Batch,
    /// Pieces of 1.4 kB.
    Packets,
}

impl Ledger {
    /// Returns a ledger of this many events, whose JSON objects have `size` bytes.
    pub fn new(events: u64, size: usize, writes: Writes) -> Self {
        let mut ledger = Self { events, body_bytes: 0, bytes: Vec::new(), write_ends: Vec::new() };
        let (mut held, mut count) = (Vec::new(), 0);
        for number in 1..=events {
            push_frame(&mut held, number, size);
            count += 1;
            match writes {
                Writes::Batch if count < BATCH && number < events => {}
                Writes::Single | Writes::Batch => {
                    ledger.push_write(&held);
                    held.clear();
                    count = 0;
                }
                Writes::Packets => {
                    held.chunks(PACKET).for_each(|piece| ledger.push_write(piece));
                    held.clear();
                }
            }
        }
        ledger
    }

    /// Returns what to write, one write after another.
    pub fn writes(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.write_ends.iter().copied());
        starts.zip(&self.write_ends).map(|(start, end)| &self.bytes[start..*end])
    }

    fn push_write(&mut self, body: &[u8]) {
        write!(self.bytes, "{:x}\r\n", body.len()).expect("memory can be written");
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(CHUNK_END);
        self.write_ends.push(self.bytes.len());
        self.body_bytes += body.len() as u64;
    }
}

/// Returns an event as it stands in the stream, its JSON of this many bytes.
#[must_use]
pub fn frame(number: u64, size: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    push_frame(&mut frame, number, size);
    frame
}

/// Adds an event as it stands in the stream, contract §5.
fn push_frame(out: &mut Vec<u8>, number: u64, size: usize) {
    let (kind, message, before, after) = match number % 4 {
        0 => ("user.message", MESSAGE, r#"{"content":[{"type":"text","text":""#, r#""}]}"#),
        1 => (
            "assistant.message_completed",
            // Two hundred bytes are too few for everything.
            "",
            r#"{"content":[{"type":"text","text":""#,
            r#""}]}"#,
        ),
        2 => ("tool.call_completed", MESSAGE, r#"{"tool_call_id":"c","result":""#, r#""}"#),
        _ => ("message.status_changed", MESSAGE, r#"{"status":"running","reason":""#, r#""}"#),
    };
    let head = format!(
        r#"{{"id":"evt_{number}","session_id":"sess_1","sequence_number":{number},{message}"type":"{kind}","data":{before}"#
    );
    let tail = format!(r#"{after},"created_at":"2026-04-21T18:40:00Z"}}"#);
    let room = size.checked_sub(head.len() + tail.len()).expect("an event has that much around it");
    write!(out, "id: evt_{number}\nevent: {kind}\ndata: {head}").expect("memory can be written");
    out.extend(b"All tickets are answered. ".iter().cycle().take(room));
    out.extend_from_slice(tail.as_bytes());
    out.extend_from_slice(b"\n\n");
}
