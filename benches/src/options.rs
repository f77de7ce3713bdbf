//! What every benchmark can be told on its command line.

use crate::Failure;

/// How many rounds, and which runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often every run is repeated.
    pub rounds: usize,
    only: Option<String>,
    workload: Option<String>,
}

impl Options {
    /// Reads `--rounds N`, `--only NAME` and `--workload NAME`.
    ///
    /// # Errors
    ///
    /// Fails for anything else.
    pub fn from_args(rounds: usize) -> Result<Self, Failure> {
        let mut options = Self { rounds, only: None, workload: None };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match &*arg {
                "--rounds" => options.rounds = value()?.parse()?,
                "--only" => options.only = Some(value()?),
                "--workload" => options.workload = Some(value()?),
                // Cargo's own.
                "--bench" => {}
                _ => return Err(format!("unknown argument {arg}").into()),
            }
        }
        Ok(options)
    }

    /// Returns whether this client or decoder takes part.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }

    /// Returns whether this workload takes part.
    #[must_use]
    pub fn wants_workload(&self, name: &str) -> bool {
        self.workload.as_ref().is_none_or(|only| only == name)
    }

    /// Returns whether nothing is left out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.only.is_none() && self.workload.is_none()
    }
}
