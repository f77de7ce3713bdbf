//! Whether two JSON texts mean the same, to the last digit.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Number;

/// Deeper than this only the same spelling counts as the same; serde_json stops there as well.
const DEPTH: u32 = 128;

/// Returns whether two texts of valid JSON mean the same.
pub(super) fn same(left: &str, right: &str) -> bool {
    same_below(left, right, DEPTH)
}

fn same_below(left: &str, right: &str, depth: u32) -> bool {
    if left == right {
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    match (left.as_bytes().first(), right.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => same_objects(left, right, depth),
        (Some(b'['), Some(b'[')) => same_lists(left, right, depth),
        (Some(b'"'), Some(b'"')) => {
            let text = |json| serde_json::from_str::<String>(json).ok();
            text(left).is_some() && text(left) == text(right)
        }
        (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => {
            Number::of(left) == Number::of(right)
        }
        _ => false,
    }
}

#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn same_objects(left: &str, right: &str, depth: u32) -> bool {
    type Fields<'a> = HashMap<Name<'a>, &'a RawValue>;
    let fields = |json| serde_json::from_str::<Fields<'_>>(json).ok();
    let (Some(left), Some(right)) = (fields(left), fields(right)) else { return false };
    let same = |(name, value): (&Name<'_>, &&RawValue)| {
        right.get(name).is_some_and(|other| same_below(value.get(), other.get(), depth))
    };
    left.len() == right.len() && left.iter().all(same)
}

fn same_lists(left: &str, right: &str, depth: u32) -> bool {
    let items = |json| serde_json::from_str::<Vec<&RawValue>>(json).ok();
    let (Some(left), Some(right)) = (items(left), items(right)) else { return false };
    let same = |(a, b): (&&RawValue, &&RawValue)| same_below(a.get(), b.get(), depth);
    left.len() == right.len() && left.iter().zip(&right).all(same)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn numbers_are_compared_by_value_and_not_by_spelling() {
        for (left, right) in [
            ("1.10", "1.1"),
            ("100", "1e2"),
            ("1E+2", "100.0"),
            ("0.001", "1e-3"),
            ("-0", "0.0"),
            ("0e99", "0"),
        ] {
            assert!(same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1", "-1"),
            ("1", "10"),
            ("12345678901234567890123", "12345678901234567890124"),
            ("0.1", "0.10000000000000000001"),
            ("1", "\"1\""),
            ("1", "true"),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn structure_is_compared_through_order_space_and_escapes() {
        let left = r#"{"a": [1, {"b": "\u00e9"}], "c": null}"#;
        assert!(same(left, r#"{"c":null,"a":[1.0,{"b":"é"}]}"#));
        assert!(!same(left, r#"{"c":null,"a":[1,{"b":"e"}]}"#));
        assert!(!same(left, r#"{"a":[1,{"b":"é"}]}"#));
        assert!(!same("[1]", "[1,2]"));
        assert!(!same("null", "false"));
    }
}
