//! Where a stream stands, to be stored and taken up again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::events::Event;
use crate::ids::{EventId, ParseIdError};

/// The place in a session's ledger behind the last event delivered.
///
/// Its text form is short, for a file or a column of a database. An event's id alone makes a
/// cursor as well, one that cannot tell a repeated older event from a new one.
///
/// ```
/// use dari::{Cursor, EventId};
///
/// let cursor: Cursor = "12@sess_1:evt_12".parse()?;
/// assert_eq!(cursor.to_string(), "12@sess_1:evt_12");
/// let id: EventId = "sess_1:evt_12".parse()?;
/// assert_eq!(Cursor::from(&id).to_string(), "@sess_1:evt_12");
/// # Ok::<(), dari::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub(crate) id: Option<EventId>,
    pub(crate) sequence_number: Option<u64>,
}

impl Cursor {
    /// Returns the id of the event to resume after, if one had an id.
    #[must_use]
    pub fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// Returns the sequence number of the last event, if it had one.
    #[must_use]
    pub fn sequence_number(&self) -> Option<u64> {
        self.sequence_number
    }
}

impl From<&Event> for Cursor {
    fn from(event: &Event) -> Self {
        Self { id: Some(event.id.clone()), sequence_number: event.sequence_number }
    }
}

impl From<&EventId> for Cursor {
    fn from(id: &EventId) -> Self {
        Self { id: Some(id.clone()), sequence_number: None }
    }
}

impl From<EventId> for Cursor {
    fn from(id: EventId) -> Self {
        Self { id: Some(id), sequence_number: None }
    }
}

impl From<&Cursor> for Cursor {
    fn from(cursor: &Cursor) -> Self {
        cursor.clone()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.sequence_number {
            write!(f, "{number}")?;
        }
        f.write_str("@")?;
        self.id.as_ref().map_or(Ok(()), |id| fmt::Display::fmt(id, f))
    }
}

impl FromStr for Cursor {
    type Err = ParseIdError;

    /// Reads the text form; text without an `@` behind a number is taken for an event's id.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let Some((number, id)) = text.split_once('@') else {
            return text.parse().map(|id| Self { id: Some(id), sequence_number: None });
        };
        let sequence_number = match number {
            "" => None,
            _ => match number.parse() {
                Ok(number) => Some(number),
                Err(_) => return text.parse::<EventId>().map(Self::from),
            },
        };
        // A stream of events without ids is resumed by number alone.
        let id = if id.is_empty() && sequence_number.is_some() { None } else { Some(id.parse()?) };
        Ok(Self { id, sequence_number })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_survives_its_text_form() {
        for text in ["12@sess_1:evt_12", "@evt_1", "7@", "@a@b", "3@12@x"] {
            let cursor: Cursor = text.parse().unwrap();
            assert_eq!(cursor.to_string(), text);
            let json = serde_json::to_string(&cursor).unwrap();
            assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
        }
    }

    #[test]
    fn a_bare_id_is_a_cursor_and_nothing_is_none() {
        assert_eq!("evt_1".parse::<Cursor>().unwrap().to_string(), "@evt_1");
        assert_eq!("a@b".parse::<Cursor>().unwrap().to_string(), "@a@b");
        for bad in ["", "@", "12@a\n", ".."] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad:?}");
        }
    }
}
