//! What a run is asked for on the command line.

use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use serde::{Deserialize, Serialize};

/// A shorter run leaves silent streams out, for a wait that meets one looks again after 30 s.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) minutes: f64,
    pub(crate) concurrency: usize,
    pub(crate) seed: u64,
    /// The share of requests that meet a fault.
    pub(crate) rate: f64,
}

pub(crate) enum Task {
    Drive(Settings),
    /// To be the service of such a run.
    Serve(Settings),
}

impl Settings {
    pub(crate) fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.minutes * 60.0).unwrap_or(LONG)
    }

    pub(crate) fn is_long(&self) -> bool {
        self.duration() >= LONG
    }
}

pub(crate) fn task() -> Result<Task, Box<dyn std::error::Error>> {
    let mut parser = lexopt::Parser::from_env();
    let seed = fastrand::u64(..1_000_000);
    let mut settings = Settings { minutes: 1.0, concurrency: 32, seed, rate: 0.1 };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => settings.minutes = parser.value()?.parse()?,
            Long("concurrency") => settings.concurrency = parser.value()?.parse()?,
            Long("seed") => settings.seed = parser.value()?.parse()?,
            Long("rate") => settings.rate = parser.value()?.parse()?,
            Long("service") => {
                let json = parser.value()?.string()?;
                return Ok(Task::Serve(serde_json::from_str(&json)?));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if !(settings.minutes > 0.0 && settings.minutes < 100_000.0) || settings.concurrency == 0 {
        return Err("--minutes and --concurrency must be above 0".into());
    }
    Ok(Task::Drive(settings))
}
