//! Reads times as tolerantly as contract §1 says, and writes them as it does.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::Visitor;
use serde::{Deserializer, Serializer};

/// Reads an ISO 8601 time; used with `#[serde(with = "time")]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_str(TimeVisitor)
}

/// Reads text where it stands: a time needs no copy of it.
struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 8601 time")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
        parse(text).ok_or_else(|| E::custom("invalid time, expected ISO 8601"))
    }
}

pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// The same for a time that may be missing or null.
pub(crate) mod option {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        #[derive(Deserialize)]
        struct Time(#[serde(deserialize_with = "super::deserialize")] Timestamp);
        Ok(Option::<Time>::deserialize(deserializer)?.map(|time| time.0))
    }

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }
}

/// Assumption (contract §1): no offset means UTC, and digits past nanoseconds are cut.
fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let text = cut_fraction(text);
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

fn cut_fraction(text: &str) -> String {
    const NANOSECOND_DIGITS: usize = 9;
    let Some((whole, rest)) = text.split_once(['.', ',']) else {
        return text.to_owned();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, offset) = rest.split_at(digits);
    let fraction = fraction.get(..NANOSECOND_DIGITS).unwrap_or(fraction);
    format!("{whole}.{fraction}{offset}")
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn read(text: &str) -> Option<String> {
        parse(text).map(|time| time.to_string())
    }

    #[test]
    fn a_time_is_read_in_every_form_the_contract_allows() {
        let noon = Some("2026-04-21T12:00:00Z".to_owned());
        assert_eq!(read("2026-04-21T12:00:00Z"), noon);
        assert_eq!(read("2026-04-21T14:00:00+02:00"), noon);
        assert_eq!(read("2026-04-21T12:00:00"), noon, "no offset means UTC");
        assert_eq!(read("2026-04-21T12:00:00.5Z").unwrap(), "2026-04-21T12:00:00.5Z");
        let cut = Some("2026-04-21T12:00:00.123456789Z".to_owned());
        assert_eq!(read("2026-04-21T12:00:00.1234567891234Z"), cut);
        assert_eq!(read("2026-04-21T14:00:00.1234567891234+02:00"), cut);
        assert_eq!(read("2026-04-21T12:00:00.1234567891234"), cut);
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for bad in ["", "now", "12:00", "2026-13-01T00:00:00Z", "2026-04-21T12:00:00.é"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
