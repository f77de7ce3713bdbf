//! Why the emulator refuses a request, and how it says so.

use serde::Serialize;
use serde_json::{Value, json};

/// A request that is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    Unauthorized,
    Forbidden,
    /// No such object; names its kind.
    NotFound(&'static str),
    NoRoute,
    MethodNotAllowed,
    /// The body ended before its time; nobody reads this answer.
    CutShort,
    BadRequest(&'static str),
    /// An upload whose place is shut to it.
    Locked(&'static str),
    Conflict(&'static str),
    TooLarge,
    /// A file over this many bytes.
    FileTooLarge(usize),
    /// A source archive over this many bytes.
    ArchiveTooLarge(usize),
    Invalid(Vec<Problem>),
}

/// One thing wrong with a request, and where (contract §1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Problem {
    pub(super) loc: Vec<Value>,
    pub(super) msg: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

impl Refusal {
    /// Returns the HTTP status.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::CutShort | Self::BadRequest(_) => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::Locked(_) => 403,
            Self::NotFound(_) | Self::NoRoute => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict(_) => 409,
            Self::TooLarge | Self::FileTooLarge(_) | Self::ArchiveTooLarge(_) => 413,
            Self::Invalid(_) => 422,
        }
    }

    /// Returns what stands under `detail`.
    pub(super) fn detail(&self) -> Value {
        match self {
            Self::Unauthorized => json!("Missing or invalid API key"),
            Self::Forbidden => json!("This object belongs to another organization"),
            Self::NotFound(kind) => json!(format!("{kind} not found")),
            Self::NoRoute => json!("No such route"),
            Self::MethodNotAllowed => json!("This route does not take this method"),
            Self::CutShort => json!("The request body is incomplete"),
            Self::BadRequest(reason) | Self::Locked(reason) | Self::Conflict(reason) => {
                json!(reason)
            }
            Self::TooLarge => json!("The request body is larger than 8 MiB"),
            Self::FileTooLarge(limit) => json!(format!("The file is larger than {limit} bytes")),
            Self::ArchiveTooLarge(limit) => {
                json!(format!("The archive is larger than {limit} bytes"))
            }
            Self::Invalid(problems) => json!(problems),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

impl Problem {
    /// Returns a problem of the request as a whole.
    pub(super) fn at(place: &[&str], kind: &'static str, msg: &str) -> Self {
        let loc = place.iter().map(|step| json!(step)).collect();
        Self { loc, msg: msg.to_owned(), kind }
    }
}
