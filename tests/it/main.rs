//! Tests of the crate as its user has it: one binary, a module per behaviour.

mod bad_input;
mod key;
mod repeating;
mod replies;
mod round_trip;
mod support;
