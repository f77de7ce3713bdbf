//! Sessions on a raw socket: a ledger of events, and streams whose bytes a test chooses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dari::{Client, EventStream, ReconnectPolicy};
use tokio::time::timeout;

use super::raw::{PATIENCE, RawRequest, RawServer, Step, json, reply};

/// A request for a stream.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// The session.
    pub(crate) session: String,
    /// How many streams of this session were asked for before.
    pub(crate) number: usize,
    /// The number of the event to resume after; 0 for all.
    pub(crate) after: u64,
}

/// The events list of a session, as the server has it.
pub(crate) type List = fn(u64) -> Vec<u64>;

/// A server of any number of sessions, whose streams go as its script says.
pub(crate) struct Ledger {
    raw: RawServer,
}

impl Ledger {
    /// Starts a server whose events lists are whole.
    pub(crate) async fn start<S>(script: S) -> Self
    where
        S: Fn(&Opened) -> Vec<Step> + Send + Sync + 'static,
    {
        Self::start_with_list(script, |limit| (1..=limit).collect()).await
    }

    /// Starts a server whose events lists have these events of the first `limit`.
    pub(crate) async fn start_with_list<S>(script: S, list: List) -> Self
    where
        S: Fn(&Opened) -> Vec<Step> + Send + Sync + 'static,
    {
        Self::start_answering(script, move |session, limit| {
            let events: Vec<_> = list(limit).into_iter().map(|n| event(session, n)).collect();
            vec![Step::Write(json("200 OK", &format!(r#"{{"events":[{}]}}"#, events.join(","))))]
        })
        .await
    }

    /// Starts a server that answers questions for a list, of a session and a limit, like this.
    pub(crate) async fn start_answering<S, L>(script: S, list: L) -> Self
    where
        S: Fn(&Opened) -> Vec<Step> + Send + Sync + 'static,
        L: Fn(&str, u64) -> Vec<Step> + Send + Sync + 'static,
    {
        let counts = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
        let raw = RawServer::start(move |_, request| {
            let target = request.line().strip_prefix("GET /v1/sessions/").unwrap();
            let (session, rest) = target.split_once('/').unwrap();
            if let Some(limit) = rest.strip_prefix("events?limit=") {
                return list(session, limit.parse().unwrap());
            }
            assert_eq!(rest, "stream");
            let number = {
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(session.to_owned()).or_default();
                *count += 1;
                *count - 1
            };
            let after = resumed_after(request.header("last-event-id"));
            script(&Opened { session: session.to_owned(), number, after })
        });
        Self { raw: raw.await }
    }

    pub(crate) fn url(&self) -> &str {
        &self.raw.url
    }

    pub(crate) fn client(&self) -> Client {
        super::client(&self.raw.url)
    }

    /// Returns the events of the one session of a test.
    pub(crate) fn stream(&self) -> EventStream {
        stream(&self.client(), "sess_1")
    }

    /// Returns the `Last-Event-ID` of each request for a stream, in their order.
    pub(crate) fn resumed(&self) -> Vec<Option<String>> {
        let streams = self.requests_for("/stream").into_iter();
        streams.map(|request| request.header("last-event-id").map(str::to_owned)).collect()
    }

    /// Returns how many lists were asked for.
    pub(crate) fn lists(&self) -> usize {
        self.requests_for("/events?").len()
    }

    /// Returns the requests whose target has this part.
    pub(crate) fn requests_for(&self, part: &str) -> Vec<RawRequest> {
        self.raw.requests().into_iter().filter(|request| request.line().contains(part)).collect()
    }

    /// Waits until the client has gone away from so many connections that were held.
    pub(crate) async fn left(&self, connections: u32) {
        self.raw.left(connections).await;
    }
}

impl Opened {
    /// Returns the frames of these events.
    pub(crate) fn frames(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        numbers.into_iter().map(|n| frame(&self.session, n)).collect::<String>().into_bytes()
    }

    /// Sends the events up to `last` that are still to come, and nothing more.
    pub(crate) fn rest(&self, last: u64) -> Vec<Step> {
        held(self.frames(self.after + 1..=last))
    }
}

/// Returns the events of a session by a policy that loses no time.
pub(crate) fn stream(client: &Client, session: &str) -> EventStream {
    let policy = ReconnectPolicy::default().first_delay(Duration::ZERO).max_delay(Duration::ZERO);
    client.sessions().stream(&session.parse().unwrap()).reconnect(policy)
}

/// Returns an event as the list shows it; two characters of it are longer than a byte.
pub(crate) fn event(session: &str, number: u64) -> String {
    format!(
        r#"{{"id":"{session}:evt_{number}","session_id":"{session}","sequence_number":{number},"type":"note","data":{{"é":"日{number}"}},"created_at":"2026-04-21T18:40:00Z"}}"#
    )
}

/// Returns the frame of an event (contract §5).
pub(crate) fn frame(session: &str, number: u64) -> String {
    format!("id: {session}:evt_{number}\nevent: note\ndata: {}\n\n", event(session, number))
}

fn resumed_after(id: Option<&str>) -> u64 {
    id.map_or(0, |id| id.rsplit_once(":evt_").unwrap().1.parse().unwrap())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

/// Returns a reply whose body ends where the connection does.
pub(crate) fn until_close(body: impl AsRef<[u8]>) -> Vec<u8> {
    [format!("{HEAD}connection: close\r\n\r\n").as_bytes(), body.as_ref()].concat()
}

/// Returns a reply in chunks of `size`, up to the last but without the one that ends the body.
pub(crate) fn chunked(body: impl AsRef<[u8]>, size: usize) -> Vec<u8> {
    let head = format!("{HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    let mut bytes = head.into_bytes();
    for chunk in body.as_ref().chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// The chunk that ends a body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Sends a body, and then nothing more.
pub(crate) fn held(body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Step::Write(until_close(body)), Step::Hold]
}

/// Sends a body, and ends it.
pub(crate) fn ended(body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Step::Write(until_close(body))]
}

/// Refuses with this status.
pub(crate) fn refused(status: &str, headers: &str) -> Vec<Step> {
    vec![Step::Write(reply(status, headers, r#"{"detail":"not now"}"#))]
}

/// Reads so many events, none of which may be an error, and returns their numbers.
pub(crate) async fn read(stream: &mut EventStream, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let next = timeout(PATIENCE, stream.try_next()).await.expect("no event comes");
        numbers.push(next.unwrap().expect("the stream ended").sequence_number.unwrap());
    }
    numbers
}

/// Reads up to an error, in the place of the next event.
pub(crate) async fn read_error(stream: &mut EventStream) -> dari::Error {
    timeout(PATIENCE, stream.try_next()).await.expect("no error comes").unwrap_err()
}
