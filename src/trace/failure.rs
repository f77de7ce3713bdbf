//! A failure in fixed words: what may be told of it without quoting anybody.

use http::StatusCode;

use crate::error::Error;

/// Returns the kind of a failure, for `error.type`.
pub(super) fn kind(error: &Error) -> &str {
    match error {
        Error::Api(error) => error.facts.status.as_ref().map_or("_OTHER", StatusCode::as_str),
        Error::Transport(error) if error.timed_out => "timeout",
        Error::Transport(_) => "transport",
        Error::TimedOut(_) => "timeout",
        Error::Decode(_) => "decode",
        Error::Stream(_) => "stream",
        Error::File(_) => "file",
        Error::Failed(_) => "failed",
        Error::Invalid(_) => "invalid",
        Error::Config(_) => "config",
    }
}

/// Returns a phrase about a failure; none of them is of its making.
pub(super) fn reason(error: &Error) -> &'static str {
    match error {
        Error::Api(_) => "the service refused",
        Error::Transport(error) => error.what,
        Error::TimedOut(_) => "the time was up",
        Error::Decode(_) => "the reply cannot be read",
        Error::Stream(_) => "the stream broke",
        Error::File(_) => "a file cannot be read or written",
        Error::Failed(_) => "it is not as asked for",
        Error::Invalid(_) | Error::Config(_) => "it cannot be sent",
    }
}
