//! The kinds of faults, by which they are noted and counted.

use std::fmt;

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// Another answer, with a status of refusal.
    Status,
    /// Another answer, with a status of success.
    Garbage,
    /// The answer, late.
    Delay,
    /// The beginning of the answer's body.
    CutBody,
    /// A request that was carried out, and a closed connection.
    NoAnswer,
    /// A request that was not carried out, and a closed connection.
    Disconnect,
    /// A stream whose body ends.
    EndStream,
    /// A stream that falls silent and stays open.
    StallStream,
    /// A stream that sends events again.
    RepeatEvents,
    /// A stream that leaves events out.
    SkipEvents,
}

impl FaultKind {
    /// Returns the name, such as `no_answer`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Garbage => "garbage",
            Self::Delay => "delay",
            Self::CutBody => "cut_body",
            Self::NoAnswer => "no_answer",
            Self::Disconnect => "disconnect",
            Self::EndStream => "end_stream",
            Self::StallStream => "stall_stream",
            Self::RepeatEvents => "repeat_events",
            Self::SkipEvents => "skip_events",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
