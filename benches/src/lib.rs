//! What the benchmarks share: ledgers of events, a server, the clients, and measuring.

pub mod clients;
pub mod ledger;
pub mod measure;
pub mod server;

/// A failure of a benchmark, which ends it.
pub type Failure = Box<dyn std::error::Error>;
