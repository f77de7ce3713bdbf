//! What the benchmarks share: bodies, ledgers, a server, the peers, and measuring.

pub mod answers;
pub mod bodies;
pub mod clients;
pub mod decoders;
pub mod derived;
pub mod getters;
pub mod grow;
pub mod ledger;
pub mod measure;
pub mod open;
pub mod options;
pub mod server;

/// A failure of a benchmark, which ends it.
pub type Failure = Box<dyn std::error::Error>;
