//! Finds the field that an error of decoding is about, in the text that did not fit.
//!
//! Decoding itself keeps no account of where it is: what tracks a path does so for every type and
//! every field, which would double the decoders in each program for the sake of a rare error.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;

/// What a reader of raw text says when it is no object; such an error has no place of its own.
pub(super) const NOT_AN_OBJECT: &str = "invalid type: expected a JSON object";

/// Why a text does not fit, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Misfit {
    /// Such as `parts[1].text`; empty for the whole.
    pub(crate) path: String,
    /// What is wrong, with line and column.
    pub(crate) reason: String,
    /// Whether it is a field of the type that does not fit: what is no JSON may break at any name.
    pub(crate) is_known: bool,
}

/// The deepest level that is followed: no known field is as deep, and free JSON may be endless.
const DEEPEST: usize = 128;

/// Reads JSON, which must be UTF-8.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Misfit> {
    // One look at all bytes is cheaper than one at each string.
    let text = std::str::from_utf8(json).map_err(|error| Misfit {
        path: path_at(json, error.valid_up_to()),
        reason: format!("invalid UTF-8 behind byte {}", error.valid_up_to()),
        is_known: false,
    })?;
    serde_json::from_str(text).map_err(|error| Misfit {
        path: path_of(text, &error),
        reason: error.to_string(),
        is_known: error.is_data(),
    })
}

/// Returns the path of the field that an error of reading `text` is about.
pub(crate) fn path_of(text: &str, error: &serde_json::Error) -> String {
    let Some(lines_before) = error.line().checked_sub(1) else { return String::new() };
    let start = match lines_before.checked_sub(1) {
        None => 0,
        Some(nth) => text.match_indices('\n').nth(nth).map_or(text.len(), |(at, _)| at + 1),
    };
    let mut place = Place::at(text.as_bytes(), start.saturating_add(error.column()));
    if error.to_string().starts_with(NOT_AN_OBJECT) {
        // Noticed only when its object was read to the end, if it was the last field.
        place.open.extend(place.closed.take().filter(|step| matches!(step, Step::Field(_))));
    }
    place.path()
}

/// Returns what an error says without its line and column, which mean nothing to some readers.
pub(crate) fn reason_of(error: &serde_json::Error) -> String {
    let mut reason = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if reason.ends_with(&place) {
        reason.truncate(reason.len() - place.len());
    }
    reason
}

fn path_at(json: &[u8], offset: usize) -> String {
    Place::at(json, offset).path()
}

/// Where a reader is that has read JSON up to some byte.
#[derive(Default)]
struct Place {
    open: Vec<Step>,
    /// Levels that are open below the deepest that is followed.
    below: usize,
    /// The step within the object or list that the last byte closed.
    closed: Option<Step>,
}

/// A step into a list or an object.
enum Step {
    Item(usize),
    /// None before the name of a field.
    Field(Option<String>),
}

impl Place {
    fn at(json: &[u8], offset: usize) -> Self {
        let mut place = Self::default();
        let mut rest = json.get(..offset).unwrap_or(json);
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'"' => rest = place.text(after),
                b'{' => place.enter(Step::Field(None)),
                b'[' => place.enter(Step::Item(0)),
                b'}' | b']' => place.leave(),
                b',' => place.next(),
                _ => {}
            }
        }
        place
    }

    fn enter(&mut self, step: Step) {
        self.closed = None;
        if self.open.len() < DEEPEST {
            self.open.push(step);
        } else {
            self.below += 1;
        }
    }

    fn leave(&mut self) {
        match self.below.checked_sub(1) {
            Some(below) => self.below = below,
            None => self.closed = self.open.pop(),
        }
    }

    fn next(&mut self) {
        self.closed = None;
        if self.below > 0 {
            return;
        }
        match self.open.last_mut() {
            Some(Step::Item(index)) => *index += 1,
            Some(Step::Field(name)) => *name = None,
            None => {}
        }
    }

    /// Takes a text behind its opening quote, the name of a field or not; returns what follows it.
    fn text<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let mut escaped = false;
        let end = text.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let Some((quoted, rest)) = end.and_then(|end| text.split_at_checked(end)) else {
            return &[];
        };
        let named = self.open.last_mut().filter(|_| self.below == 0);
        if let Some(Step::Field(name @ None)) = named {
            *name = Some(unescaped(quoted));
        }
        rest.get(1..).unwrap_or_default()
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.open {
            match step {
                Step::Field(None) => {}
                Step::Field(Some(name)) if path.is_empty() => path.push_str(name),
                // Writing into a string cannot fail.
                Step::Field(Some(name)) => drop(write!(path, ".{name}")),
                Step::Item(index) => drop(write!(path, "[{index}]")),
            }
        }
        path
    }
}

fn unescaped(quoted: &[u8]) -> String {
    let text = String::from_utf8_lossy(quoted);
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.into_owned())
}

#[cfg(test)]
mod tests;
