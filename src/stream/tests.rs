//! The promises of a stream, over an in-memory connection and a paused clock.

mod ends;
mod faults;
mod fake;
mod gaps;
mod liveness;
mod resume;
