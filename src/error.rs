//! The one error type, sorted by what the caller does next.

mod kinds;

use std::any::Any;
use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;

pub use kinds::{
    ApiError, ConfigError, DecodeError, FailedError, FileError, InvalidError, StreamError,
    TimedOutError, TransportError,
};
pub(crate) use kinds::{CallFacts, Fate, LastSeen};

/// A `Result` whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation did not give what was asked for.
///
/// The variants are sorted by what to do next; the predicates answer the questions a program asks.
///
/// | question | ask |
/// |---|---|
/// | May I simply call again? | [`is_retryable`](Self::is_retryable) |
/// | Could a turn have started although I got an error? | [`may_have_happened`](Self::may_have_happened) |
/// | What did the service say? | [`Error::Api`], [`status`](Self::status) |
/// | How far did a wait get? | [`last_seen`](Self::last_seen) |
///
/// ```no_run
/// # async fn example(client: dari::Client, agent: dari::AgentId) -> dari::Result<()> {
/// match client.agents().send_message(&agent, "Ship it.").await {
///     Ok(sent) => println!("started {}", sent.session.id),
///     Err(error) if error.may_have_happened() => println!("look first: {error}"),
///     Err(error) if error.is_retryable() => println!("later, after {:?}", error.retry_after()),
///     Err(error) if error.is_not_found() => println!("there is no such agent"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// What to do about each: [repeats and deadlines](crate::guide::repeats_and_deadlines).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built like this: mend the configuration.
    #[error(transparent)]
    Config(ConfigError),
    /// The call was refused before anything was sent: mend the call.
    #[error(transparent)]
    Invalid(InvalidError),
    /// The connection failed, or the reply broke off.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The service answered with an error status.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The service answered well, with a body that cannot be read.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// A stream of events broke; asking it for the next event goes on where it stopped.
    #[error(transparent)]
    Stream(Box<StreamError>),
    /// No answer, or no final state, within the time allowed.
    #[error(transparent)]
    TimedOut(Box<TimedOutError>),
    /// A file of this machine could not be read or written.
    #[error(transparent)]
    File(Box<FileError>),
    /// A message, batch or source that failed, or is not final yet, was asked for as a result.
    #[error(transparent)]
    Failed(Box<FailedError>),
}

impl Error {
    /// Returns whether the same call may simply be made again.
    ///
    /// True for passing faults (no connection, a broken reply, a timeout, 408, 429, 500, 502, 503,
    /// 504) of a call that is safe to repeat, or that was certainly not processed; and for a stream
    /// whose patience is at an end.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let passing = match self {
            Self::Transport(_) | Self::TimedOut(_) => true,
            Self::Api(error) => is_passing(error.facts.status),
            Self::Stream(error) => error.source.is_some(),
            _ => false,
        };
        passing && !self.may_have_happened()
    }

    /// Returns whether an unsafe call failed with its fate unknown.
    ///
    /// The service may have started the session, turn or upload. Look before you call again: list
    /// the session's messages, or repeat with the same [`idempotency_key`](Self::idempotency_key)
    /// if there is one.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        self.facts().is_some_and(|facts| facts.fate == Fate::Unknown)
    }

    /// Returns whether the object does not exist (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.api_status() == Some(StatusCode::NOT_FOUND)
    }

    /// Returns whether the key is missing or invalid (401).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.api_status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns whether the key belongs elsewhere (403).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.api_status() == Some(StatusCode::FORBIDDEN)
    }

    /// Returns whether the object is in another state (409).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.api_status() == Some(StatusCode::CONFLICT)
    }

    /// Returns whether an upload is larger than the service takes (413).
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.api_status() == Some(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// Returns whether the service asked to slow down (429).
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.api_status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns whether time ran out, here or on the way.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Transport(error) => error.timed_out,
            Self::Api(error) => {
                matches!(error.facts.status.map(|status| status.as_u16()), Some(408 | 504))
            }
            _ => false,
        }
    }

    /// Returns the status of the last reply, if one came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.facts().and_then(|facts| facts.status)
    }

    /// Returns the last reply's `x-request-id` (contract §1).
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.facts().and_then(|facts| facts.request_id.as_deref())
    }

    /// Returns how long the service asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.facts().and_then(|facts| facts.retry_after)
    }

    /// Returns how many times the request was sent; for a wait, how often it looked.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.facts().map_or(0, |facts| facts.attempts)
    }

    /// Returns the operation that failed, such as `messages.get`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(error) => Some(error.operation),
            _ => self.facts().map(|facts| facts.operation),
        }
    }

    /// Returns the key of idempotency the call was sent with.
    ///
    /// Give it to the same call to repeat it without a second effect.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.facts().and_then(|facts| facts.idempotency_key.as_deref())
    }

    /// Returns what a wait saw last, or the message or batch that failed.
    ///
    /// ```
    /// # fn report(error: dari::Error) {
    /// if let Some(message) = error.last_seen::<dari::Message>() {
    ///     eprintln!("still {} when the time was up", message.status);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn last_seen<T: Any>(&self) -> Option<&T> {
        match self {
            Self::TimedOut(error) => error.last.as_ref()?.value.downcast_ref(),
            Self::Failed(error) => error.subject.downcast_ref(),
            _ => None,
        }
    }

    fn api_status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => error.facts.status,
            _ => None,
        }
    }

    pub(crate) fn facts(&self) -> Option<&CallFacts> {
        match self {
            Self::Transport(error) => Some(&error.facts),
            Self::Api(error) => Some(&error.facts),
            Self::Decode(error) => Some(&error.facts),
            Self::Stream(error) => Some(&error.facts),
            Self::TimedOut(error) => Some(&error.facts),
            Self::File(error) => Some(&error.facts),
            Self::Config(_) | Self::Invalid(_) | Self::Failed(_) => None,
        }
    }
}

impl Error {
    /// Returns whether one of the attempts may have been taken, harmless or not.
    pub(crate) fn may_have_arrived(&self) -> bool {
        self.facts().is_some_and(|facts| facts.lost)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::Config(ConfigError { message: message.into(), source: None })
    }

    pub(crate) fn config_source(
        message: &str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Config(ConfigError { message: message.to_owned(), source: Some(source.into()) })
    }

    pub(crate) fn invalid(
        operation: &'static str,
        field: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        let reason = one_line(&reason.into(), 512);
        Self::Invalid(InvalidError { operation, field, reason })
    }

    pub(crate) fn file(facts: CallFacts, what: &str, source: std::io::Error) -> Self {
        Self::File(Box::new(FileError { facts, what: one_line(what, 512), source }))
    }

    /// Says which of several items was refused.
    pub(crate) fn in_item(self, index: usize) -> Self {
        match self {
            Self::Invalid(error) => Self::Invalid(error.in_item(index)),
            other => other,
        }
    }

    pub(crate) fn stream(what: String, source: Option<Self>) -> Self {
        let facts = source.as_ref().and_then(Self::facts).cloned().unwrap_or_default();
        let facts = CallFacts { operation: "sessions.stream", ..facts };
        Self::Stream(Box::new(StreamError { facts, what, source: source.map(Box::new) }))
    }

    pub(crate) fn failed<T: Any + Send + Sync>(what: &str, text: &str, subject: T) -> Self {
        let (what, text) = (one_line(what, 512), one_line(text, 2048));
        Self::Failed(Box::new(FailedError { what, text, subject: Box::new(subject) }))
    }
}

/// Returns whether a status speaks of a fault that passes.
pub(crate) fn is_passing(status: Option<StatusCode>) -> bool {
    matches!(status.map(|status| status.as_u16()), Some(408 | 429 | 500 | 502 | 503 | 504))
}

/// Returns at most `limit` bytes of text on one line, without control characters.
///
/// What a server says ends up in logs, where a line end could forge an entry, and a mark that turns
/// the direction of text could make it read as another.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let end = end.unwrap_or_default();
    let shown = text.get(..end).unwrap_or_default();
    let plain = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}');
        c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
    };
    let mut line: String = shown.trim().chars().map(|c| if plain(c) { ' ' } else { c }).collect();
    if end < text.len() {
        line.push('…');
    }
    line
}
