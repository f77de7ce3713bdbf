//! An amount of money as the decimal text it came in.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{Number, RawJson};

/// An amount in US dollars, exact.
///
/// It is kept as the decimal text it came in, whatever its length, and encoded as that text again.
/// Comparing is by value: `0.10` equals `0.1`. For sums, give [`as_str`](Self::as_str) to the
/// decimal library of your choice.
///
/// ```
/// use dari::UsdAmount;
///
/// let cost: UsdAmount = "0.04210".parse()?;
/// assert_eq!(cost.to_string(), "0.04210");
/// assert_eq!(cost, "0.0421".parse()?);
/// assert!(cost < "1e2".parse()?);
/// # Ok::<(), dari::ParseAmountError>(())
/// ```
#[derive(Clone)]
pub struct UsdAmount(Box<str>);

/// An error for text that is no decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid amount: it is no decimal number")]
pub struct ParseAmountError(());

impl UsdAmount {
    /// Returns the amount as text, as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the nearest floating-point number, for charts.
    ///
    /// It is not exact: most decimal fractions have no such number. One that is too large
    /// becomes infinite, one that is too small zero.
    #[must_use]
    pub fn to_f64_lossy(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl FromStr for UsdAmount {
    type Err = ParseAmountError;

    /// Reads a decimal number such as `-0.0421`.
    ///
    /// Zeros in front are kept. A power of ten is read as well, for some libraries write small
    /// amounts so: `4.21e-7`; it may have four digits.
    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        if is_decimal(text) { Ok(Self(text.into())) } else { Err(ParseAmountError(())) }
    }
}

fn is_decimal(text: &str) -> bool {
    const LONGEST_POWER: usize = 4;

    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let power = power.strip_prefix(['-', '+']).unwrap_or(power);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(power) && power.len() <= LONGEST_POWER
}

impl PartialEq for UsdAmount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for UsdAmount {}

impl PartialOrd for UsdAmount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UsdAmount {
    fn cmp(&self, other: &Self) -> Ordering {
        Number::of(&self.0).cmp(&Number::of(&other.0))
    }
}

impl fmt::Display for UsdAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UsdAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UsdAmount({})", self.0)
    }
}

impl Serialize for UsdAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UsdAmount {
    /// Reads the contract's text, or the digits of a JSON number, never by way of a float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = RawJson::deserialize(deserializer)?;
        let text = match json.parse::<String>() {
            Ok(text) => text,
            Err(_no_text) => json.get().to_owned(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::UsdAmount;
    use proptest::prelude::{ProptestConfig, proptest};
    use std::cmp::Ordering;

    fn amount(text: &str) -> UsdAmount {
        text.parse().unwrap()
    }

    #[test]
    fn every_digit_is_kept_from_decoding_to_encoding() {
        for text in ["0.12345678901234567891", "-0.00000000000000000001", "007.50", "0E-10", "1e3"]
        {
            let json = format!("\"{text}\"");
            let read: UsdAmount = serde_json::from_str(&json).unwrap();
            assert_eq!((read.as_str(), read.to_string().as_str()), (text, text));
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
    }

    #[test]
    fn a_json_number_is_read_by_its_digits() {
        for text in ["0.12345678901234567891", "-12345678901234567890123.5", "0", "1E-7", "3.0"] {
            let read: UsdAmount = serde_json::from_str(text).unwrap();
            assert_eq!(read.as_str(), text);
        }
        assert_eq!(serde_json::from_str::<UsdAmount>(r#""\u0031.5""#).unwrap().as_str(), "1.5");
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "--1", "1,5", "1_000", " 1", "1 ", "0x1", "1e", "e5",
            "1e99999", "1e1.5", "1.2.3", "NaN", "Infinity", "$1", "١", "1\0",
        ] {
            assert!(text.parse::<UsdAmount>().is_err(), "{text:?}");
            let json = serde_json::to_string(text).unwrap();
            let error = serde_json::from_str::<UsdAmount>(&json).unwrap_err().to_string();
            assert!(error.starts_with("invalid amount: it is no decimal number"), "{error}");
        }
        for json in ["null", "true", "[1]", "{\"a\": 1}", "1e99999"] {
            assert!(serde_json::from_str::<UsdAmount>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn amounts_are_ordered_by_value_to_the_last_digit() {
        let rising = [
            "-1e3",
            "-999.99999999999999999999",
            "-2",
            "-1.5",
            "-0.00000000000000000001",
            "0",
            "0.00000000000000000001",
            "0.00000000000000000002",
            "1e-7",
            "0.1",
            "0.10000000000000001",
            "0.9",
            "1",
            "2",
            "9",
            "0010",
            "99",
            "1e2",
            "100.00000000000000000001",
            "2e2",
            "1e9999",
        ];
        for (place, left) in rising.iter().enumerate() {
            for (other, right) in rising.iter().enumerate() {
                let order = amount(left).cmp(&amount(right));
                assert_eq!(order, place.cmp(&other), "{left} and {right}");
            }
        }
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for (left, right) in [
            ("0", "-0.000"),
            ("0", "0e99"),
            ("007.50", "7.5"),
            ("1e2", "100"),
            ("1E-7", "0.0000001"),
            ("120e-1", "12.0"),
        ] {
            assert_eq!(amount(left), amount(right));
        }
    }

    #[test]
    fn a_float_is_near_and_says_that_it_is_lossy() {
        assert!((amount("0.0421").to_f64_lossy() - 0.0421).abs() < f64::EPSILON);
        assert_eq!(amount("-1e9999").to_f64_lossy(), f64::NEG_INFINITY);
        assert!(amount("1e-9999").to_f64_lossy().abs() < f64::MIN_POSITIVE);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn whole_numbers_of_a_scale_are_ordered_as_amounts(a: i64, b: i64, scale in 0..30) {
            let amounts = [a, b].map(|units| amount(&format!("{units}e-{scale}")));
            assert_eq!(amounts[0].cmp(&amounts[1]), a.cmp(&b));
            assert_eq!(amounts[0] == amounts[1], a.cmp(&b) == Ordering::Equal);
        }

        #[test]
        fn any_text_is_kept_to_the_letter_or_refused(text in "[-+]?[0-9.eE]{0,12}") {
            if let Ok(read) = text.parse::<UsdAmount>() {
                assert_eq!(read.as_str(), text);
                assert!(text.parse::<f64>().is_ok(), "{text}");
            }
        }
    }
}
