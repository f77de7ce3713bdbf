//! Streams over raw sockets: every event once and in order, whatever the bytes do.

mod bytes;
mod ends;
mod life;
mod order;
mod refusals;

use std::sync::Mutex;

use dari::{EventStream, StreamStats};
use tokio::task::JoinSet;

use crate::support::ledger::{Ledger, Opened, read, stream};
use crate::support::raw::Step;

/// How many events the ledger of a test has.
const LEDGER: u64 = 10;

/// What a stream went through until it had the whole ledger.
struct Outcome {
    resumed: Vec<Option<String>>,
    stats: StreamStats,
}

/// A first connection that goes wrong, and how the stream is set that meets it.
struct Case {
    name: String,
    first: Vec<Step>,
    set: fn(EventStream) -> EventStream,
}

fn case(name: impl Into<String>, first: Vec<Step>) -> Case {
    Case { name: name.into(), first, set: |stream| stream }
}

/// Returns the bytes of these events of the session that all cases read.
fn frames(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    Opened { session: "sess_1".to_owned(), number: 0, after: 0 }.frames(numbers)
}

/// Returns the id of an event, as a request resumes after it.
fn id(number: u64) -> Option<String> {
    Some(format!("sess_1:evt_{number}"))
}

/// Reads the whole ledger from a server whose later connections have all that is left.
async fn comes_through(case: Case) -> Outcome {
    let first = Mutex::new(Some(case.first));
    let script = move |opened: &Opened| match first.lock().unwrap().take() {
        Some(steps) => steps,
        None => opened.rest(LEDGER),
    };
    let server = Ledger::start(script).await;
    let mut stream = (case.set)(stream(&server.client(), "sess_1"));
    let numbers = read(&mut stream, LEDGER as usize).await;
    assert_eq!(numbers, (1..=LEDGER).collect::<Vec<_>>(), "{}", case.name);
    Outcome { resumed: server.resumed(), stats: stream.stats() }
}

/// Does so with several servers side by side; the outcomes are in the order of the cases.
async fn all_come_through(cases: Vec<Case>) -> Vec<Outcome> {
    let mut running = JoinSet::new();
    for (at, case) in cases.into_iter().enumerate() {
        running.spawn(async move { (at, comes_through(case).await) });
    }
    let mut outcomes = running.join_all().await;
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
