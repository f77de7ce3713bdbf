//! What came of a tool call.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, one_line};
use crate::ids::{MessageId, SessionId, ToolCallId};

/// A tool call that a run is done with; see [`ToolSet::observe`](crate::ToolSet::observe).
#[derive(Debug)]
#[non_exhaustive]
pub struct ToolCallReport {
    /// The session.
    pub session_id: SessionId,
    /// The message.
    pub message_id: MessageId,
    /// The call.
    pub tool_call_id: ToolCallId,
    /// The tool's name; empty in the rare case that the service never told it.
    pub tool_name: String,
    /// How long the handler ran; zero where there was none.
    pub duration: Duration,
    /// How it ended.
    pub outcome: ToolCallOutcome,
}

/// How a tool call ended; `Display` is a line about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToolCallOutcome {
    /// The handler's result was taken by the service, as far as its replies tell.
    Succeeded,
    /// The arguments did not fit the handler's type; the model was told this.
    BadArguments(String),
    /// The handler gave an error; the model was told this.
    Failed(String),
    /// The handler panicked with this text; the model was told only that it did.
    Panicked(String),
    /// The handler gave no result in this time; the model was told so.
    TimedOut(Duration),
    /// The service took no such result, as it said here; the model was told so.
    Refused(String),
    /// It could not be learned what was called, for this reason; the model was told only that.
    Unreadable(String),
    /// There is no handler of that name; the model was told so.
    Unregistered,
    /// There is no handler of that name; the call was left to another process.
    LeftPending,
    /// Somebody else had answered, the service's own time limit had, or the message had ended.
    AnsweredElsewhere,
    /// The answer could not be delivered, and was given up.
    Undelivered(Error),
}

impl ToolCallOutcome {
    /// Returns whether the handler's result was taken.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded)
    }

    /// Returns what to tell the model of a call that has no result.
    pub(super) fn told(&self) -> String {
        match self {
            Self::BadArguments(text) | Self::Failed(text) => text.clone(),
            Self::TimedOut(limit) => format!("the tool gave no result within {limit:?}"),
            Self::Refused(text) => format!("the tool's result was refused: {text}"),
            Self::Unreadable(_) => "the call could not be read".to_owned(),
            Self::Unregistered => "there is no tool of this name".to_owned(),
            // What stands in a panic was not written for a model to read.
            _ => "the tool failed unexpectedly".to_owned(),
        }
    }
}

impl fmt::Display for ToolCallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::BadArguments(text) | Self::Failed(text) => f.write_str(&one_line(text, 512)),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::TimedOut(limit) => write!(f, "gave no result within {limit:?}"),
            Self::Refused(text) => write!(f, "the result was refused: {text}"),
            Self::Unreadable(why) => {
                write!(f, "the call could not be read: {}", one_line(why, 512))
            }
            Self::Unregistered => f.write_str("no such tool, answered with an error"),
            Self::LeftPending => f.write_str("no such tool, left pending"),
            Self::AnsweredElsewhere => f.write_str("answered elsewhere"),
            Self::Undelivered(error) => write!(f, "not delivered: {error}"),
        }
    }
}
