//! A decimal number by its value, of any length.

use std::cmp::Ordering;

/// A number without its spelling: sign, digits without zeros around them, power of ten.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: String,
    exponent: i128,
}

impl Number {
    /// Reads a number in JSON's spelling; zeros in front do no harm.
    pub(crate) fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self { negative: false, digits, exponent: 0 };
        }
        let power = power.parse::<i128>().unwrap_or(i128::MAX / 2);
        let shift = all.len() as i128 - significant.len() as i128 - fraction.len() as i128;
        Self { negative, digits, exponent: power.saturating_add(shift) }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.sign().cmp(&other.sign()), self.negative) {
            (Ordering::Equal, false) => self.cmp_size(other),
            (Ordering::Equal, true) => other.cmp_size(self),
            (by_sign, _) => by_sign,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Number {
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Compares without the sign: first the power of the first digit, then digit by digit.
    fn cmp_size(&self, other: &Self) -> Ordering {
        let power = |it: &Self| it.exponent.saturating_add(it.digits.len() as i128);
        power(self).cmp(&power(other)).then_with(|| self.digits.cmp(&other.digits))
    }
}
