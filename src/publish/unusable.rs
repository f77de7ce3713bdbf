//! Why a source cannot be published.

use std::io;
use std::path::Path;

use crate::error::{CallFacts, Error};

/// Why a source cannot be published.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It breaks a rule, which the text names together with the path.
    Refused(String),
    /// It cannot be read.
    Unreadable(String, io::Error),
    /// Nobody waits for it any more.
    GivenUp,
}

impl Unusable {
    pub(super) fn refused<T>(path: &str, reason: &str) -> Result<T, Self> {
        Err(Self::Refused(format!("`{path}` {reason}")))
    }

    /// Returns what turns a failure about `path` into this.
    pub(super) fn unreadable(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            Self::Unreadable(format!("`{}` cannot be read", path.as_ref().display()), error)
        }
    }

    pub(super) fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Refused(reason) => Error::invalid(operation, "source", reason),
            Self::Unreadable(what, error) => {
                Error::file(CallFacts { operation, ..CallFacts::default() }, &what, error)
            }
            Self::GivenUp => Error::invalid(operation, "source", "packing was given up"),
        }
    }
}
