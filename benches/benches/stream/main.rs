//! What it costs to follow a session, beside other ways to read the same bytes.
//!
//! `-- --rounds 1` is a quick look; `-- --only dari --workload medium` runs one client on one
//! ledger, for a profiler. `-- --workload open-http1` is many open streams: it needs 12,000 open
//! files (`ulimit -n`).

mod open;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dari_benches::Failure;
use dari_benches::clients::{Peer, Session};
use dari_benches::ledger::{Ledger, Writes};
use dari_benches::measure::{Costs, run};
use dari_benches::options::Options;
use dari_benches::server;

const DEFAULT_ROUNDS: usize = 9;
const WORKLOADS: [&str; 3] = ["small-single", "small-batch", "medium"];
/// Large events, each in pieces, for how the cost of one grows with its size.
const LARGE: [&str; 2] = ["event-512kb", "event-1mb"];
const LARGE_EVENTS: u64 = 32;

fn main() -> Result<(), Failure> {
    let options = Options::from_args(DEFAULT_ROUNDS)?;
    let ledgers = Arc::new(HashMap::from([
        ("small-single", Ledger::new(200_000, 200, Writes::Single)),
        ("small-batch", Ledger::new(200_000, 200, Writes::Batch)),
        ("medium", Ledger::new(50_000, 2_000, Writes::Single)),
        ("event-512kb", Ledger::new(LARGE_EVENTS, 512 << 10, Writes::Packets)),
        ("event-1mb", Ledger::new(LARGE_EVENTS, 1 << 20, Writes::Packets)),
    ]));
    let server = format!("http://{}", server::start(ledgers.clone())?);
    let mut results = Vec::new();
    for runs in plan(&options) {
        let runs = runs.into_iter().map(|(id, peer)| (id, peer, Costs::default()));
        let mut runs: Vec<_> = runs.collect();
        for round in 0..options.rounds {
            // Another client goes first in each round.
            for step in 0..runs.len() {
                let at = (round + step) % runs.len();
                let (id, peer, costs) = &mut runs[at];
                let session = Session { server: &server, id, ledger: &ledgers[*id] };
                costs.push(run(peer.follow(session))?);
            }
        }
        results.extend(runs);
    }
    let opened = open::measure(&options)?;
    if !results.is_empty() {
        print_table(&results, &ledgers);
    }
    open::print_table(&opened);
    print_ratios(&results);
    open::print_ratios(&opened);
    Ok(())
}

type Run = (&'static str, Peer, Costs);

/// Returns which clients run in turn, workload by workload.
fn plan(options: &Options) -> Vec<Vec<(&'static str, Peer)>> {
    let wanted = |id: &str, peer: Peer| options.wants(peer.name()) && options.wants_workload(id);
    let mut plan: Vec<Vec<_>> =
        WORKLOADS.iter().map(|id| Peer::ALL.map(|peer| (*id, peer)).to_vec()).collect();
    plan.push(LARGE.map(|id| (id, Peer::Dari)).to_vec());
    plan.iter_mut().for_each(|runs| runs.retain(|(id, peer)| wanted(id, *peer)));
    plan
}

fn print_table(results: &[Run], ledgers: &HashMap<&'static str, Ledger>) {
    println!(
        "{:<13} {:<20} {:>12} {:>14} {:>14} {:>10}",
        "workload", "client", "best cpu ms", "median wall ms", "cpu ns/event", "cpu MB/s"
    );
    for (id, peer, costs) in results {
        let (Some(cpu), Some(wall)) = (costs.best_cpu(), costs.median_wall()) else { continue };
        let ledger = &ledgers[id];
        println!(
            "{id:<13} {:<20} {:>12.1} {:>14.1} {:>14.0} {:>10.0}",
            peer.name(),
            milliseconds(cpu),
            milliseconds(wall),
            cpu.as_nanos() as f64 / ledger.events as f64,
            ledger.body_bytes as f64 / cpu.as_secs_f64() / 1e6,
        );
    }
    println!();
}

fn print_ratios(results: &[Run]) {
    let best = |id: &str, peer: Peer| {
        let run = results.iter().find(|(a, b, _)| *a == id && *b == peer);
        run.and_then(|(_, _, costs)| costs.best_cpu())
    };
    for id in WORKLOADS {
        for peer in [Peer::EventsourceStream, Peer::SseCore, Peer::ReqwestEventsource] {
            if let (Some(theirs), Some(ours)) = (best(id, peer), best(id, Peer::Dari)) {
                print_ratio(&format!("{id}/vs-{}", peer.name()), theirs, ours);
            }
        }
    }
    let [half, whole] = LARGE.map(|id| best(id, Peer::Dari));
    if let (Some(half), Some(whole)) = (half, whole) {
        print_ratio("one-event/1mb-vs-512kb", whole, half);
    }
}

fn print_ratio(name: &str, a: Duration, b: Duration) {
    println!("ratio stream/{name} {:.2}", a.as_secs_f64() / b.as_secs_f64());
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
