//! What it costs to decode replies, beside other ways to read the same bytes.
//!
//! `-- --rounds 1` is a quick look; `-- --only dari --workload messages` runs one decoder on one
//! body, for a profiler.

use std::process::Command;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use dari_benches::Failure;
use dari_benches::decoders::{Decoder, Workload};
use dari_benches::measure::{Cost, Costs};
use dari_benches::options::Options;

const DEFAULT_ROUNDS: usize = 15;

fn main() -> Result<(), Failure> {
    let options = Options::from_args(DEFAULT_ROUNDS)?;
    println!(
        "{:<18} {:<8} {:>12} {:>14} {:>10}",
        "workload", "decoder", "best cpu ms", "median wall ms", "cpu MB/s"
    );
    let mut ratios = Vec::new();
    for workload in Workload::ALL.into_iter().filter(|it| options.wants_workload(it.name())) {
        let best = measure(workload, &options)?;
        ratios.extend(best.map(|best| (workload, best)));
    }
    println!();
    for (workload, best) in ratios {
        for (decoder, theirs) in Decoder::ALL.into_iter().zip(best).skip(1) {
            let ratio = theirs.as_secs_f64() / best[0].as_secs_f64();
            println!("ratio decode/{}/vs-{} {ratio:.2}", workload.name(), decoder.name());
        }
    }
    if options.is_whole() { print_heaps() } else { Ok(()) }
}

/// Returns the best CPU times in the order of `Decoder::ALL`, if all were wanted.
fn measure(workload: Workload, options: &Options) -> Result<Option<[Duration; 4]>, Failure> {
    let body = workload.body();
    let mut costs = Decoder::ALL.map(|_| Costs::default());
    for round in 0..options.rounds {
        for step in 0..Decoder::ALL.len() {
            // Another decoder goes first in each round.
            let at = (round + step) % Decoder::ALL.len();
            if options.wants(Decoder::ALL[at].name()) {
                costs[at].push(decode(Decoder::ALL[at], workload, &body)?);
            }
        }
    }
    for (decoder, costs) in Decoder::ALL.iter().zip(&costs) {
        let (Some(cpu), Some(wall)) = (costs.best_cpu(), costs.median_wall()) else { continue };
        println!(
            "{:<18} {:<8} {:>12.2} {:>14.2} {:>10.0}",
            workload.name(),
            decoder.name(),
            cpu.as_secs_f64() * 1e3,
            wall.as_secs_f64() * 1e3,
            body.len() as f64 / cpu.as_secs_f64() / 1e6,
        );
    }
    let best = costs.map(|costs| costs.best_cpu());
    let [Some(dari), Some(derived), Some(value), Some(floor)] = best else { return Ok(None) };
    Ok(Some([dari, derived, value, floor]))
}

fn decode(decoder: Decoder, workload: Workload, body: &str) -> Result<Cost, Failure> {
    let (cpu, wall) = (ThreadTime::try_now()?, Instant::now());
    decoder.decode(workload, body)?;
    Ok(Cost { cpu: cpu.try_elapsed()?, wall: wall.elapsed() })
}

/// Prints the peak heap in units of the input, as another process counts it.
fn print_heaps() -> Result<(), Failure> {
    let output = Command::new(env!("CARGO_BIN_EXE_heap")).arg("decode").output()?;
    for line in String::from_utf8(output.stdout)?.lines() {
        let [workload, decoder, heap, input] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not a line of heap: {line}").into());
        };
        let ratio = heap.parse::<f64>()? / input.parse::<f64>()?;
        match decoder {
            "dari" => println!("ratio decode/{workload}/heap {ratio:.2}"),
            _ => println!("      decode/{workload}/heap of {decoder} {ratio:.2}"),
        }
    }
    Ok(())
}
