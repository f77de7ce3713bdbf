//! A visit to the page without a browser: sends a turn twice, and loses the connection on purpose.

use std::time::Duration;

use dari::emulator::Emulator;
use http::{StatusCode, header};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{BODY_LIMIT, Outcome};

/// After how many events each connection is cut.
const PER_CONNECTION: usize = 3;
/// How long the whole visit may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Visits the page at `address`; fails where an event is lost, or repeated, or the key is seen.
pub(crate) async fn visit(address: &str, emulator: &Emulator) -> Outcome<()> {
    tokio::time::timeout(LIMIT, look_around(address, emulator)).await?
}

async fn look_around(address: &str, emulator: &Emulator) -> Outcome<()> {
    let mut visitor = Visitor::arrive(address).await?;
    let turn = json!({"text": "What is T-1042 about?", "key": "visit-0123456789abcdef"});
    let first = visitor.told(visitor.post(address, &turn)).await?;
    let second = visitor.told(visitor.post(address, &turn)).await?;
    println!("a double click: {} and {}", first.0, second.0);
    if first.1 != second.1 {
        return Err("the second click began a turn of its own".into());
    }
    let large = json!({"text": "x".repeat(BODY_LIMIT), "key": "visit-fedcba9876543210"});
    for (what, request) in [
        ("a turn from another page", visitor.post("http://example.com", &turn)),
        ("a host of another name", visitor.events("").header(header::HOST, "example.com")),
        ("a turn too large", visitor.post(address, &large)),
        ("a turn without a key", visitor.post(address, &json!({"text": "Hello"}))),
        ("a cursor nobody made", visitor.events("12@..")),
    ] {
        println!("{what}: {}", visitor.told(request).await?.0);
    }

    let shown = visitor.follow().await?;
    compare(&shown, emulator).await?;
    let key_seen = visitor.seen.contains(emulator.api_key());
    println!("the key in {} bytes received: {key_seen}", visitor.seen.len());
    if key_seen { Err("the browser was given the key".into()) } else { Ok(()) }
}

async fn compare(shown: &[Shown], emulator: &Emulator) -> Outcome<()> {
    let client = emulator.client()?;
    let session = client.sessions().list().await?.sessions.remove(0).id;
    let ledger = client.sessions().events(&session).limit(1000).await?.events;
    println!("{} events shown for {} in the ledger", shown.len(), ledger.len());
    let numbers = shown.iter().map(|shown| shown.event["sequence"].as_u64());
    if !numbers.eq(ledger.iter().map(|event| event.sequence_number)) {
        return Err("an event was lost or shown twice".into());
    }
    Ok(())
}

struct Visitor {
    http: Client,
    address: String,
    cookie: String,
    /// All that came, heads and bodies.
    seen: String,
}

/// One event as a browser has it.
struct Shown {
    id: String,
    event: Value,
}

impl Visitor {
    async fn arrive(address: &str) -> Outcome<Self> {
        let http = Client::builder().no_proxy().build()?;
        let (address, cookie, seen) = (address.to_owned(), String::new(), String::new());
        let mut visitor = Self { http, address, cookie, seen };
        let page = visitor.http.get(&visitor.address).send().await?;
        let cookie =
            page.headers().get(header::SET_COOKIE).ok_or("there is no cookie")?.to_str()?;
        visitor.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        println!("the page: {}", visitor.read_all(page).await?.0);
        for part in ["page.js", "page.css"] {
            visitor.told(visitor.http.get(format!("{}/{part}", visitor.address))).await?;
        }
        Ok(visitor)
    }

    /// Reads events until the turn is over, on connections that are cut again and again.
    async fn follow(&mut self) -> Outcome<Vec<Shown>> {
        let mut shown = Vec::new();
        for connection in 1.. {
            let last = shown.last().map_or("", |last: &Shown| &last.id);
            let response = self.events(last).send().await?.error_for_status()?;
            let more = self.read_some(response).await?;
            println!("connection {connection}: {} events, then cut", more.len());
            shown.extend(more);
            if shown.last().is_some_and(Shown::is_idle) {
                break;
            }
        }
        Ok(shown)
    }

    /// Reads a few events of a relay, and leaves.
    async fn read_some(&mut self, mut response: Response) -> Outcome<Vec<Shown>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            let text = String::from_utf8_lossy(&bytes);
            let whole = text.rsplit_once("\n\n").map_or("", |(whole, _cut)| whole);
            let frames = whole.split("\n\n").filter_map(Shown::read);
            let shown: Vec<_> = frames.take(PER_CONNECTION).collect();
            if shown.len() == PER_CONNECTION || shown.last().is_some_and(Shown::is_idle) {
                self.seen += &text;
                return Ok(shown);
            }
        }
        Err("the relay ended by itself".into())
    }

    fn post(&self, origin: &str, turn: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}/turns", self.address)).body(turn.to_string());
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.header(header::ORIGIN, origin).header(header::COOKIE, &self.cookie)
    }

    fn events(&self, last: &str) -> RequestBuilder {
        let request = self.http.get(format!("{}/events", self.address));
        request.header("Last-Event-ID", last).header(header::COOKIE, &self.cookie)
    }

    async fn told(&mut self, request: RequestBuilder) -> Outcome<(StatusCode, String)> {
        self.read_all(request.send().await?).await
    }

    async fn read_all(&mut self, response: Response) -> Outcome<(StatusCode, String)> {
        let (status, head) = (response.status(), format!("{:?}", response.headers()));
        let body = response.text().await?;
        self.seen += &head;
        self.seen += &body;
        Ok((status, body))
    }
}

impl Shown {
    fn read(frame: &str) -> Option<Self> {
        let field = |name| frame.lines().find_map(|line| line.strip_prefix(name));
        let event = serde_json::from_str(field("data: ")?).ok()?;
        Some(Self { id: field("id: ")?.to_owned(), event })
    }

    /// Returns whether the session has nothing more to do.
    fn is_idle(&self) -> bool {
        self.event["what"] == "session" && self.event["status"] == "idle"
    }
}
