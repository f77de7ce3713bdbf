//! Reads times as tolerantly as contract §1 says, and writes them as it does.

use std::{fmt, iter};

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
///
/// Read here, since a program that reads times with `jiff` has its rules of time zones and all its
/// errors in it, and reads more slowly. Ranges are `jiff`'s to check.
fn parse(text: &str) -> Option<Timestamp> {
    let mut text = Text(text.as_bytes());
    let year = text.number(4)?;
    text.one_of(b"-")?;
    let month = text.number(2)?;
    text.one_of(b"-")?;
    let day = text.number(2)?;
    text.one_of(b"Tt ")?;
    let hour = text.number(2)?;
    text.one_of(b":")?;
    let minute = text.number(2)?;
    let (mut second, mut nanosecond) = (0, 0);
    if text.one_of(b":").is_some() {
        // A leap second is read as the one before it.
        second = text.number(2).map(|second: i8| if second == 60 { 59 } else { second })?;
        nanosecond = text.fraction()?;
    }
    let offset = Offset::from_seconds(text.offset()?).ok()?;
    let civil = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    let time = offset.to_timestamp(civil).ok()?;
    (text.0.is_empty() && time >= YEAR_0).then_some(time)
}

/// An offset may lead into a year before it, which would be written with a sign.
const YEAR_0: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// What is still to be read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn number<N: TryFrom<u16>>(&mut self, digits: usize) -> Option<N> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let digit = |sum: u16, byte: &u8| {
            byte.is_ascii_digit().then(|| sum.wrapping_mul(10).wrapping_add((byte - b'0').into()))
        };
        self.0 = rest;
        N::try_from(number.iter().try_fold(0, digit)?).ok()
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        let found = bytes.contains(first).then_some(*first)?;
        self.0 = rest;
        Some(found)
    }

    /// Reads a fraction of a second, if there is one, as nanoseconds.
    fn fraction(&mut self) -> Option<i32> {
        if self.one_of(b".,").is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let padded = fraction.iter().copied().chain(iter::repeat(b'0')).take(9);
        let nanoseconds = padded.fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'));
        (digits > 0).then_some(nanoseconds)
    }

    /// Reads how many seconds a clock is ahead of UTC.
    fn offset(&mut self) -> Option<i32> {
        let ahead = match self.one_of(b"Zz+-") {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Some(0),
        };
        let hours: i32 = self.number(2)?;
        let has_minutes = self.one_of(b":").is_some() || !self.0.is_empty();
        let minutes: i32 = if has_minutes { self.number(2)? } else { 0 };
        (minutes < 60).then_some(ahead * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::{YEAR_0, parse};
    use jiff::Timestamp;
    use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn every_form_of_every_time_is_read_as_jiff_reads_it(
            time in prop::array::uniform6(0..70_u8),
            (year, fraction) in (0..10_000_u16, prop::option::of(0..1_000_000_000_u32)),
            offset in prop::option::of((prop::bool::ANY, 0..26_u8, 0..62_u8, prop::bool::ANY)),
        ) {
            let [month, day, hour, minute, second, separator] = time;
            let separator = ["T", "t", " "][usize::from(separator % 3)];
            let mut text = format!("{year:04}-{:02}-{:02}{separator}", month % 14, day % 33);
            text += &format!("{:02}:{:02}:{:02}", hour % 26, minute % 62, second % 63);
            fraction.inspect(|fraction| text += &format!(".{fraction:09}"));
            match offset {
                Some((east, hours, minutes, colon)) => {
                    let (sign, colon) = (if east { "+" } else { "-" }, if colon { ":" } else { "" });
                    text += &format!("{sign}{hours:02}{colon}{minutes:02}");
                }
                None => text.push('Z'),
            }
            let expected = text.parse::<Timestamp>().ok().filter(|time| *time >= YEAR_0);
            prop_assert_eq!(parse(&text), expected, "{}", text);
            if let Some(time) = expected {
                prop_assert_eq!(parse(&time.to_string()), Some(time), "{}", text);
            }
        }

        #[test]
        fn no_text_ends_in_a_panic(text in "[0-9TZ:+. -]{0,32}|.{0,32}") {
            let _any = parse(&text);
        }
    }

    fn read(text: &str) -> Option<String> {
        parse(text).map(|time| time.to_string())
    }

    #[test]
    fn a_time_is_read_in_every_form_the_contract_allows() {
        let noon = Some("2026-04-21T12:00:00Z".to_owned());
        assert_eq!(read("2026-04-21T12:00:00Z"), noon);
        assert_eq!(read("2026-04-21T14:00:00+02:00"), noon);
        assert_eq!(read("2026-04-21T12:00:00"), noon, "no offset means UTC");
        for same in ["2026-04-21 12:00:00z", "2026-04-21T12:00Z", "2026-04-21T14:00+0200"] {
            assert_eq!(read(same), noon, "{same}");
        }
        assert_eq!(read("2026-04-21T05:00:00,000-07"), noon);
        assert_eq!(read("0000-01-01T00:01:00+00:01").unwrap(), "0000-01-01T00:00:00Z");
        assert_eq!(read("2026-04-21T11:59:60Z").unwrap(), "2026-04-21T11:59:59Z");
        assert_eq!(read("2026-04-21T12:00:00.5Z").unwrap(), "2026-04-21T12:00:00.5Z");
        let cut = Some("2026-04-21T12:00:00.123456789Z".to_owned());
        assert_eq!(read("2026-04-21T12:00:00.1234567891234Z"), cut);
        assert_eq!(read("2026-04-21T14:00:00.1234567891234+02:00"), cut);
        assert_eq!(read("2026-04-21T12:00:00.1234567891234"), cut);
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for bad in [
            "",
            "now",
            "12:00",
            "2026-04-21",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-04-21T24:00:00Z",
            "2026-04-21T12:00:00.é",
            "2026-04-21T12:00:00.Z",
            "2026-04-21T12:00:00+99:99",
            "2026-04-21T12:00:00+02:",
            "2026-04-21T12:00:00+02:00Z",
            "2026-04-21T12:00:00Zulu",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
