//! What each kind of error knows, and how it reads on one line.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::error::Error;

/// What is known of a call that failed, whatever the reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallFacts {
    pub(crate) operation: &'static str,
    pub(crate) attempts: u32,
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) idempotency_key: Option<Box<str>>,
    pub(crate) fate: Fate,
    /// Whether an attempt may have been taken although its reply was lost.
    pub(crate) lost: bool,
}

/// Whether a failed call may have had its effect, and whether that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// A repeat does no harm.
    #[default]
    Harmless,
    /// The request was certainly not processed.
    NotProcessed,
    /// The request may have been processed, and a repeat would be a second one.
    Unknown,
}

impl fmt::Display for CallFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        let Some(status) = self.status else {
            return Ok(());
        };
        write!(f, ": {}", status.as_u16())?;
        match status.canonical_reason() {
            Some(reason) => write!(f, " {}", reason.to_lowercase()),
            None => Ok(()),
        }
    }
}

impl CallFacts {
    /// Writes what stands behind the reason: doubts, then numbers for a bug report.
    fn fmt_tail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fate == Fate::Unknown {
            f.write_str("; the service may have acted on it, so it was not repeated")?;
        }
        match (self.attempts > 1, self.request_id.as_deref()) {
            (true, Some(id)) => write!(f, " ({} attempts, request id {id})", self.attempts),
            (true, None) => write!(f, " ({} attempts)", self.attempts),
            (false, Some(id)) => write!(f, " (request id {id})"),
            (false, None) => Ok(()),
        }
    }
}

/// A configuration from which no client can be built.
#[derive(Debug, thiserror::Error)]
#[error("config: {message}")]
pub struct ConfigError {
    pub(super) message: String,
    pub(super) source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A call that was refused before anything was sent.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: invalid {field}: {reason}; nothing was sent")]
pub struct InvalidError {
    pub(super) operation: &'static str,
    pub(super) field: &'static str,
    pub(super) reason: String,
}

impl InvalidError {
    /// Returns the part of the call that was refused.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    pub(super) fn in_item(mut self, index: usize) -> Self {
        self.reason = format!("item {index}: {}", self.reason);
        self
    }
}

/// A connection that failed, or a reply that broke off.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) facts: CallFacts,
    pub(crate) what: &'static str,
    pub(crate) timed_out: bool,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.facts, self.what)?;
        self.facts.fmt_tail(f)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error status, with everything the service said about it.
#[derive(Debug)]
pub struct ApiError {
    pub(crate) facts: CallFacts,
    pub(crate) text: String,
    pub(crate) detail: Option<Value>,
    pub(crate) excerpt: Option<String>,
}

impl ApiError {
    /// Returns what the service said, as text.
    ///
    /// Empty when the body said nothing. Control characters are replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the `detail` of the body, in whatever shape it came.
    #[must_use]
    pub fn detail(&self) -> Option<&Value> {
        self.detail.as_ref()
    }

    /// Returns the start of a body that was not the service's JSON.
    #[must_use]
    pub fn excerpt(&self) -> Option<&str> {
        self.excerpt.as_deref()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.facts, f)?;
        if self.facts.status.is_some_and(|status| status.is_redirection()) {
            f.write_str(": redirects are not followed, check the base url")?;
        } else if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        } else if let Some(excerpt) = self.excerpt.as_deref().filter(|text| !text.is_empty()) {
            write!(f, ": {excerpt}")?;
        }
        self.facts.fmt_tail(f)
    }
}

impl StdError for ApiError {}

/// A body that cannot be read as what the contract promises.
#[derive(Debug)]
pub struct DecodeError {
    pub(crate) facts: CallFacts,
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) excerpt: String,
}

impl DecodeError {
    /// Returns where in the body, such as `output.parts[1].text`.
    ///
    /// Empty when the body as a whole is not what was due.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the start of the body.
    #[must_use]
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: cannot read the body", self.facts)?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ": {}", self.reason)?;
        self.facts.fmt_tail(f)
    }
}

impl StdError for DecodeError {}

/// A file of this machine that could not be read or written.
#[derive(Debug)]
pub struct FileError {
    pub(crate) facts: CallFacts,
    pub(crate) what: String,
    pub(crate) source: io::Error,
}

impl FileError {
    /// Returns what the operating system, or the reader, said.
    #[must_use]
    pub fn io_error(&self) -> &io::Error {
        &self.source
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.facts.operation, self.what)
    }
}

impl StdError for FileError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// A stream of events that broke.
#[derive(Debug)]
pub struct StreamError {
    pub(crate) facts: CallFacts,
    pub(crate) what: String,
    pub(crate) source: Option<Box<Error>>,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.facts.operation, self.what)
    }
}

impl StdError for StreamError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Time that ran out.
#[derive(Debug)]
pub struct TimedOutError {
    pub(crate) facts: CallFacts,
    pub(crate) limit: Duration,
    pub(crate) last: Option<LastSeen>,
    pub(crate) source: Option<Box<Error>>,
}

/// What a wait saw last: a line about it, and the thing itself.
#[derive(Clone, Debug)]
pub(crate) struct LastSeen {
    pub(crate) line: String,
    pub(crate) value: Arc<dyn Any + Send + Sync>,
}

impl TimedOutError {
    /// Returns the time that was allowed.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for TimedOutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: nothing final within {:?}", self.facts, self.limit)?;
        if let Some(last) = &self.last {
            write!(f, ", last seen: {}", last.line)?;
        }
        self.facts.fmt_tail(f)
    }
}

impl StdError for TimedOutError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A failed message, batch or source that was asked for as a result.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}{text}", if text.is_empty() { "" } else { ": " })]
pub struct FailedError {
    pub(super) what: String,
    pub(super) text: String,
    pub(super) subject: Box<dyn Any + Send + Sync>,
}

impl FailedError {
    /// Returns why, as text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
