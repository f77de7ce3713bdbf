//! JSON kept as text until someone asks for it.

mod equality;
mod number;
mod place;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use number::Number;
pub(crate) use place::{Misfit, path_of, read, reason_of};

/// Free JSON, kept as the text it came in.
///
/// Nothing is parsed before [`parse`](Self::parse) is called, so numbers keep every digit and
/// large values cost one copy. Equality compares the JSON, not its spelling.
///
/// It can be a field of your own types as well, except under `#[serde(flatten)]` or in an
/// `#[serde(untagged)]` or internally tagged enum: serde buffers those and raw text cannot pass.
///
/// ```
/// use dari::RawJson;
///
/// let arguments: RawJson = r#"{"command": "ls -1"}"#.parse()?;
/// #[derive(serde::Deserialize)]
/// struct Bash { command: String }
/// assert_eq!(arguments.parse::<Bash>()?.command, "ls -1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Returns `value` encoded as JSON.
    ///
    /// # Errors
    ///
    /// Fails where serde does: a map whose keys are not text, or a `Serialize` that refuses.
    ///
    /// ```
    /// use dari::RawJson;
    ///
    /// let json = RawJson::new(&["a", "b"])?;
    /// assert_eq!(json.get(), r#"["a","b"]"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Returns the JSON read as a `T`.
    ///
    /// # Errors
    ///
    /// Fails when the JSON does not fit `T`; the error names what was expected.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// Returns whether this is JSON's `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// Returns what a person would read in it.
    pub(crate) fn readable(&self) -> Cow<'_, str> {
        match self.parse() {
            Ok(value) => Cow::Owned(readable(&value)),
            Err(_too_deep) => Cow::Borrowed(self.get()),
        }
    }

    /// Returns an object without fields.
    pub(crate) fn empty_object() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }
}

/// JSON's `null`.
impl Default for RawJson {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl FromStr for RawJson {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        equality::same(self.get(), other.get())
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// Keeps an explicit `null` apart from a missing field, for fields of free JSON.
pub(crate) fn present<'de, D: Deserializer<'de>>(de: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(de).map(Some)
}

/// Reads free JSON that must be an object.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RawJson, D::Error> {
    let json = RawJson::deserialize(deserializer)?;
    if json.get().starts_with('{') {
        return Ok(json);
    }
    Err(serde::de::Error::custom(place::NOT_AN_OBJECT))
}

/// Reads free JSON that must be an object, or null, or missing.
pub(crate) fn optional_object<'de, D>(deserializer: D) -> Result<Option<RawJson>, D::Error>
where
    D: Deserializer<'de>,
{
    let json = RawJson::deserialize(deserializer)?;
    if json.is_null() {
        return Ok(None);
    }
    object(&*json.0).map(Some).map_err(serde::de::Error::custom)
}

/// Reads `null` and a missing field alike as the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list into no more room than it needs, or nearly: most have one item, or a few.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    List::deserialize(deserializer).map(|list| list.0)
}

/// The same where the list may be null or missing.
pub(crate) fn list_or_default<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<List<T>>::deserialize(deserializer)?.map(|list| list.0).unwrap_or_default())
}

struct List<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == list.capacity() {
                let more = match list.len() {
                    0 => 1,
                    1..4 => 3,
                    4..1024 => list.len() / 2,
                    // Half of a long list would be much room for nothing.
                    count => count / 4,
                };
                list.reserve_exact(more);
            }
            list.push(item);
        }
        Ok(List(list))
    }
}

/// Reads what fits, and takes the rest for missing.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(RawJson::deserialize(deserializer)?.parse().unwrap_or_default())
}

/// Returns what a person would read in JSON whose shape is not documented.
///
/// Text stays text; of an object its `message`, `detail`, `error` or `msg`; of a list its items.
pub(crate) fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(readable).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let known = ["message", "detail", "error", "msg"].into_iter();
            let said = known.filter_map(|name| fields.get(name)).find(|said| !said.is_null());
            let Some(said) = said else {
                return compact(value);
            };
            match fields.get("loc").and_then(Value::as_array) {
                Some(place) => format!("{}: {}", place_of(place), readable(said)),
                None => readable(said),
            }
        }
        other => compact(other),
    }
}

/// Returns the text of some JSON.
pub(crate) fn compact(value: &Value) -> String {
    // Not by `Display`, which brings a second encoder for its indented form.
    serde_json::to_string(value).unwrap_or_default()
}

fn place_of(place: &[Value]) -> String {
    place.iter().map(readable).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::{RawJson, readable};
    use serde_json::json;

    #[test]
    fn text_is_kept_to_the_letter_and_compared_by_meaning() {
        let raw: RawJson = r#"{ "b": 1.10, "a": 12345678901234567890123 }"#.parse().unwrap();
        assert_eq!(raw.get(), r#"{ "b": 1.10, "a": 12345678901234567890123 }"#);
        let other: RawJson = r#"{"a":12345678901234567890123,"b":1.1}"#.parse().unwrap();
        assert_eq!(raw, other);
        assert_ne!(raw, "{}".parse().unwrap());
        let next: RawJson = r#"{"a":12345678901234567890124,"b":1.1}"#.parse().unwrap();
        assert_ne!(raw, next, "no digit is lost");
    }

    #[test]
    fn nesting_without_end_is_kept_and_compared_without_overflow() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let raw: RawJson = deep.parse().unwrap();
        assert_ne!(raw, "[]".parse().unwrap());
        assert!(raw.parse::<serde_json::Value>().is_err());
    }

    #[test]
    fn a_person_can_read_every_form_of_detail() {
        assert_eq!(readable(&json!("Session not found")), "Session not found");
        let list =
            json!([{"loc": ["body", "content"], "msg": "field required", "type": "missing"}]);
        assert_eq!(readable(&list), "body.content: field required");
        assert_eq!(readable(&json!({"error": {"message": "overloaded"}})), "overloaded");
        assert_eq!(readable(&json!({"code": 3})), r#"{"code":3}"#);
    }
}
