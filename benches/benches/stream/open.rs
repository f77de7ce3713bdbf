//! Many open streams in one process: what each holds, and what it costs to open one.

use std::process::Command;
use std::time::Instant;

use cpu_time::ThreadTime;
use dari_benches::Failure;
use dari_benches::measure::{Cost, Costs};
use dari_benches::open::{Opener, STREAMS, Server, Version};
use dari_benches::options::Options;
use tokio::runtime::Builder;

const HEAP: &str = env!("CARGO_BIN_EXE_heap");

/// What one client's streams cost.
pub(crate) struct Opened {
    version: Version,
    opener: Opener,
    costs: Costs,
    heap: f64,
}

pub(crate) fn measure(options: &Options) -> Result<Vec<Opened>, Failure> {
    let mut all = Vec::new();
    let wanted = |version: &Version| options.wants_workload(&format!("open-{}", version.name()));
    for version in Version::ALL.into_iter().filter(wanted) {
        let openers = Opener::ALL.into_iter().filter(|opener| options.wants(opener.name()));
        let run = |opener| Opened { version, opener, costs: Costs::default(), heap: 0.0 };
        let mut runs: Vec<_> = openers.map(run).collect();
        for round in 0..options.rounds {
            for step in 0..runs.len() {
                let at = (round + step) % runs.len();
                runs[at].open()?;
            }
        }
        for run in &mut runs {
            run.heap = heap(run.version, run.opener)?;
        }
        all.extend(runs);
    }
    Ok(all)
}

impl Opened {
    fn open(&mut self) -> Result<(), Failure> {
        // A server of its own on a port of its own, so that no port is used up.
        let server = Server::start(HEAP, self.version)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (cpu, wall) = (ThreadTime::try_now()?, Instant::now());
        let held = runtime.block_on(self.opener.open(self.version, &server.url))?;
        self.costs.push(Cost { cpu: cpu.try_elapsed()?, wall: wall.elapsed() });
        drop(held);
        Ok(())
    }

    fn cpu_us(&self) -> f64 {
        self.costs.best_cpu().unwrap_or_default().as_secs_f64() * 1e6 / STREAMS as f64
    }
}

/// Returns what an open stream holds, in bytes, as another process counts it.
fn heap(version: Version, opener: Opener) -> Result<f64, Failure> {
    let server = Server::start(HEAP, version)?;
    let args = ["open", version.name(), opener.name(), &server.url];
    let output = Command::new(HEAP).args(args).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse::<f64>()? / STREAMS as f64)
}

pub(crate) fn print_table(opened: &[Opened]) {
    if opened.is_empty() {
        return;
    }
    println!(
        "{:<13} {:<20} {:>14} {:>17}",
        "open streams", "client", "cpu us to open", "heap bytes held"
    );
    for run in opened {
        println!(
            "{:<13} {:<20} {:>14.1} {:>17.0}",
            run.version.name(),
            run.opener.name(),
            run.cpu_us(),
            run.heap
        );
    }
    println!();
}

pub(crate) fn print_ratios(opened: &[Opened]) {
    for version in Version::ALL {
        let of = |opener| opened.iter().find(|it| it.version == version && it.opener == opener);
        if let (Some(dari), Some(raw)) = (of(Opener::Dari), of(Opener::Reqwest)) {
            let name = version.name();
            println!("ratio stream/open-{name}/heap-to-reqwest {:.2}", dari.heap / raw.heap);
            println!(
                "      stream/open-{name}/heap-over-reqwest {:.0} bytes",
                dari.heap - raw.heap
            );
            println!("ratio stream/open-{name}/cpu-to-reqwest {:.2}", dari.cpu_us() / raw.cpu_us());
        }
    }
}
