//! What one `messages().get` costs, beside `reqwest` and bare `hyper`.
//!
//! `-- --rounds 1` is a quick look; `-- --only dari --workload one` runs one client for a profiler.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use dari_benches::Failure;
use dari_benches::answers;
use dari_benches::bodies::one_message;
use dari_benches::getters::Getter;
use dari_benches::measure::{Cost, Costs};
use dari_benches::options::Options;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

const DEFAULT_ROUNDS: usize = 9;
const REQUESTS: usize = 10_000;
/// How many requests are in flight, by the name of the workload.
const WORKLOADS: [(&str, usize); 2] = [("one", 1), ("sixty-four", 64)];

/// What one client cost in all rounds.
#[derive(Default)]
struct Result {
    costs: Costs,
    medians: Vec<Duration>,
}

fn main() -> std::result::Result<(), Failure> {
    let options = Options::from_args(DEFAULT_ROUNDS)?;
    let server = format!("http://{}", answers::start(&one_message())?);
    println!(
        "{:<11} {:<8} {:>14} {:>13} {:>10}",
        "in flight", "client", "cpu us/request", "median p50 us", "best p50"
    );
    let mut lines = Vec::new();
    for (name, at_once) in WORKLOADS.into_iter().filter(|(name, _)| options.wants_workload(name)) {
        let mut results = Getter::ALL.map(|_| Result::default());
        for round in 0..options.rounds {
            for step in 0..Getter::ALL.len() {
                // Another client goes first in each round.
                let at = (round + step) % Getter::ALL.len();
                if options.wants(Getter::ALL[at].name()) {
                    results[at].measure(Getter::ALL[at], &server, at_once)?;
                }
            }
        }
        for (getter, result) in Getter::ALL.iter().zip(&results) {
            result.print(name, getter.name());
        }
        lines.extend(ratios(name, &results));
    }
    println!();
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

impl Result {
    fn measure(
        &mut self,
        getter: Getter,
        server: &str,
        at_once: usize,
    ) -> std::result::Result<(), Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let local = LocalSet::new();
        let (cpu, wall) = (ThreadTime::try_now()?, Instant::now());
        let mut times = local.block_on(&runtime, getter.run(server, REQUESTS, at_once))?;
        self.costs.push(Cost { cpu: cpu.try_elapsed()?, wall: wall.elapsed() });
        times.sort_unstable();
        self.medians.push(times[times.len() / 2]);
        Ok(())
    }

    fn cpu(&self) -> Option<f64> {
        Some(self.costs.best_cpu()?.as_secs_f64() * 1e6 / REQUESTS as f64)
    }

    /// Returns the median over the rounds of the median over the requests.
    fn p50(&self) -> Option<f64> {
        let mut medians = self.medians.clone();
        medians.sort_unstable();
        Some(medians.get(medians.len() / 2)?.as_secs_f64() * 1e6)
    }

    fn print(&self, workload: &str, client: &str) {
        let (Some(cpu), Some(p50)) = (self.cpu(), self.p50()) else { return };
        let best = self.medians.iter().min().map_or(0.0, |best| best.as_secs_f64() * 1e6);
        println!("{workload:<11} {client:<8} {cpu:>14.1} {p50:>13.1} {best:>10.1}");
    }
}

/// Returns ours over theirs, so that less is better; for 64 in flight the CPU alone says something.
fn ratios(workload: &str, results: &[Result; 3]) -> Vec<String> {
    let [dari, reqwest, hyper] = results;
    let mut lines = Vec::new();
    for (peer, result) in [("reqwest", reqwest), ("hyper", hyper)] {
        if let (Some(ours), Some(theirs)) = (dari.cpu(), result.cpu()) {
            lines.push(format!("ratio requests/{workload}/cpu-to-{peer} {:.2}", ours / theirs));
        }
        if let (Some(ours), Some(theirs)) = (dari.p50(), result.p50()) {
            lines.push(format!("ratio requests/{workload}/p50-to-{peer} {:.2}", ours / theirs));
        }
    }
    lines
}
