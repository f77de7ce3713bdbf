//! Measures one client at a time, by the CPU time of its thread.

use std::future::Future;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use tokio::runtime::Builder;

use crate::Failure;

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time of the thread that the client ran on, the kernel's part in it.
    pub cpu: Duration,
    /// Time by the clock.
    pub wall: Duration,
}

/// Runs a client to its end on this thread alone.
///
/// # Errors
///
/// Fails as the client does.
pub fn run(client: impl Future<Output = Result<(), Failure>>) -> Result<Cost, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (cpu, wall) = (ThreadTime::try_now()?, Instant::now());
    runtime.block_on(client)?;
    Ok(Cost { cpu: cpu.try_elapsed()?, wall: wall.elapsed() })
}

/// The costs of one client in all rounds.
#[derive(Clone, Debug, Default)]
pub struct Costs(Vec<Cost>);

impl Costs {
    /// Adds a round.
    pub fn push(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// Returns the least CPU time, or `None` before the first round.
    #[must_use]
    pub fn best_cpu(&self) -> Option<Duration> {
        self.0.iter().map(|cost| cost.cpu).min()
    }

    /// Returns the median of the times by the clock.
    #[must_use]
    pub fn median_wall(&self) -> Option<Duration> {
        let mut walls: Vec<_> = self.0.iter().map(|cost| cost.wall).collect();
        walls.sort_unstable();
        walls.get(walls.len() / 2).copied()
    }
}
