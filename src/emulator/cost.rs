//! What turns cost: decimal amounts that are added without losing a digit.

use std::fmt;
use std::iter::repeat_n;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::script::{Step, Turn};

/// What a turn costs unless its script says otherwise, in US dollars.
const USUAL: &str = "0.0042";

impl Turn {
    /// Returns the turn with a charge in US dollars.
    ///
    /// `usd` is a decimal number such as `"0.0123"`, with as many digits as you like. Several
    /// charges add up; a turn without any costs 0.0042 USD. Text that is no such number fails the
    /// turn.
    ///
    /// ```
    /// use dari::emulator::Turn;
    ///
    /// let dear = Turn::reply("Done.").cost("12.50").cost("0.00000000000000000001");
    /// let free = Turn::reply("Done.").cost("0");
    /// ```
    pub fn cost(self, usd: impl AsRef<str>) -> Self {
        let step = Decimal::parse(usd.as_ref()).map(Step::Cost);
        self.step(step.unwrap_or_else(|| {
            let message = format!("{:?} is no amount such as \"0.0123\"", usd.as_ref());
            Step::Fail(json!({"type": "script_invalid", "message": message}))
        }))
    }
}

/// A decimal number from zero up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Decimal {
    /// The digits from the last to the first.
    digits: Vec<u8>,
    /// How many of them stand behind the point.
    scale: usize,
}

impl Decimal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digit = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digit(whole) || !digit(fraction) {
            return None;
        }
        let scale = if text.contains('.') { fraction.len() } else { 0 };
        let digits = text.bytes().rev().filter(u8::is_ascii_digit).map(|byte| byte - b'0');
        Some(Self { digits: digits.collect(), scale })
    }

    fn add(&mut self, other: &Self) {
        let scale = self.scale.max(other.scale);
        let aligned = |it: &Self| -> Vec<u8> {
            repeat_n(0, scale - it.scale).chain(it.digits.iter().copied()).collect()
        };
        let (ours, theirs) = (aligned(self), aligned(other));
        let mut carry = 0;
        let places = 0..ours.len().max(theirs.len());
        let digit = |digits: &[u8], place| digits.get(place).copied().unwrap_or_default();
        let mut sum: Vec<u8> = places
            .map(|place| {
                let sum = digit(&ours, place) + digit(&theirs, place) + carry;
                carry = sum / 10;
                sum % 10
            })
            .collect();
        if carry > 0 {
            sum.push(carry);
        }
        *self = Self { digits: sum, scale };
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fraction, whole) = self.digits.split_at(self.scale.min(self.digits.len()));
        let text = |digits: &[u8]| -> String {
            digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
        };
        let whole = text(whole);
        let whole = whole.trim_start_matches('0');
        f.write_str(if whole.is_empty() { "0" } else { whole })?;
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{}", text(fraction)) }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a session has spent.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) total: Decimal,
    pub(super) charges: u64,
    /// When its newest turn ended.
    pub(super) ended: Option<Duration>,
    charges_before_turn: u64,
}

impl Spent {
    pub(super) fn charge(&mut self, amount: &Decimal) {
        self.total.add(amount);
        self.charges += 1;
    }

    /// Charges the usual amount for a turn that charged nothing itself.
    pub(super) fn end_turn(&mut self, at: Duration) {
        if self.charges == self.charges_before_turn {
            self.charge(&Decimal::parse(USUAL).unwrap_or_default());
        }
        self.charges_before_turn = self.charges;
        self.ended = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    fn sum(amounts: &[&str]) -> String {
        let mut sum = Decimal::default();
        amounts.iter().for_each(|text| sum.add(&Decimal::parse(text).unwrap()));
        sum.to_string()
    }

    #[test]
    fn a_sum_keeps_every_digit() {
        assert_eq!(sum(&["0.1", "0.2"]), "0.3");
        assert_eq!(sum(&["0.00000000000000000001", "12.5"]), "12.50000000000000000001");
        assert_eq!(sum(&["99.99", "0.01"]), "100.00");
        assert_eq!(sum(&["18446744073709551615", "1"]), "18446744073709551616");
        assert_eq!(sum(&["007", "0.50"]), "7.50");
        assert_eq!(sum(&["0", "0.0"]), "0.0");
        assert_eq!(sum(&[]), "0");
    }

    #[test]
    fn what_is_no_plain_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e2", "1,5", " 1", "NaN", "1.2.3", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }
}
