//! Runs of tools against a session in memory; the clock is paused.

mod answers;
mod calls;
mod fake;
mod faults;
mod handlers;
mod history;
mod transcript;
