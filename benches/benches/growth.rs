//! How the cost of reading a session grows with its length: per message, it should not.
//!
//! `-- --rounds 1` is a quick look; `-- --only list --workload 10000` runs one read of one
//! session, for a profiler.

use std::process::Command;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use dari_benches::Failure;
use dari_benches::grow::{self, Read, Servers};
use dari_benches::measure::{Cost, Costs};
use dari_benches::options::Options;
use tokio::runtime::{Builder, Runtime};

const DEFAULT_ROUNDS: usize = 9;
const LENGTHS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Short sessions are read again and again, until this many messages have come,
const MESSAGES_OF_A_ROUND: usize = 10_000;
/// but not more often than this: each stream uses up a port for a while.
const MOST_TIMES: usize = 100;
/// Between these two the cost of a message is to stay the same.
const COMPARED: [usize; 2] = [100, 10_000];

/// One read of a session of one length.
struct Run {
    read: Read,
    messages: usize,
    costs: Costs,
}

fn main() -> Result<(), Failure> {
    let options = Options::from_args(DEFAULT_ROUNDS)?;
    let servers = LENGTHS.map(|messages| grow::start(messages).map(|servers| (messages, servers)));
    let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut runs: Vec<Run> = Read::ALL
        .into_iter()
        .flat_map(|read| LENGTHS.map(|messages| Run { read, messages, costs: Costs::default() }))
        .filter(|run| options.wants(run.read.name()))
        .filter(|run| options.wants_workload(&run.messages.to_string()))
        .collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    for round in 0..options.rounds {
        for step in 0..runs.len() {
            // Another run goes first in each round.
            let at = (round + step) % runs.len();
            let servers = servers.iter().find(|(length, _)| *length == runs[at].messages);
            let (_, servers) = servers.ok_or("no such session")?;
            runs[at].measure(&runtime, servers)?;
        }
    }
    print(&runs)
}

impl Run {
    fn measure(&mut self, runtime: &Runtime, servers: &Servers) -> Result<(), Failure> {
        let times = self.times();
        let client = self.read.client(servers)?;
        // The connection is there before anything is measured.
        runtime.block_on(self.read.run(&client, self.messages))?;
        let (cpu, wall) = (ThreadTime::try_now()?, Instant::now());
        for _ in 0..times {
            runtime.block_on(self.read.run(&client, self.messages))?;
        }
        self.costs.push(Cost { cpu: cpu.try_elapsed()?, wall: wall.elapsed() });
        Ok(())
    }

    fn times(&self) -> usize {
        (MESSAGES_OF_A_ROUND / self.messages).min(MOST_TIMES)
    }

    fn us_per_message(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / (self.messages * self.times()) as f64
    }

    /// Returns the most that the read held, divided by the messages, as another process counts it.
    fn heap_per_message(&self) -> Result<f64, Failure> {
        let (read, messages) = (self.read.name(), self.messages.to_string());
        let args = ["grow", read, &messages];
        let output = Command::new(env!("CARGO_BIN_EXE_heap")).args(args).output()?;
        let output = String::from_utf8(output.stdout)?;
        Ok(output.trim().parse::<f64>()? / self.messages as f64)
    }
}

fn print(runs: &[Run]) -> Result<(), Failure> {
    println!(
        "{:<11} {:>8} {:>15} {:>17} {:>18}",
        "read", "messages", "cpu us/message", "wall us/message", "heap bytes/message"
    );
    let mut figures = Vec::new();
    for run in runs {
        let (Some(cpu), Some(wall)) = (run.costs.best_cpu(), run.costs.median_wall()) else {
            continue;
        };
        let (cpu, wall) = (run.us_per_message(cpu), run.us_per_message(wall));
        let heap = run.heap_per_message()?;
        let (read, messages) = (run.read.name(), run.messages);
        println!("{read:<11} {messages:>8} {cpu:>15.2} {wall:>17.2} {heap:>18.0}");
        figures.push((run, cpu, heap));
    }
    println!();
    for read in Read::ALL {
        let of =
            |messages| figures.iter().find(|(it, ..)| it.read == read && it.messages == messages);
        if let [Some((_, cpu, heap)), Some((_, more_cpu, more_heap))] = COMPARED.map(of) {
            println!("ratio growth/{}/cpu {:.2}", read.name(), more_cpu / cpu);
            println!("ratio growth/{}/heap {:.2}", read.name(), more_heap / heap);
        }
    }
    Ok(())
}
