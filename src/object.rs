//! Objects that will grow: fields and types nobody has named yet are kept.

mod known_fields;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{RawJson, path_of, reason_of};

/// Fields of an object that this version of the crate has no name for.
///
/// They are kept in the order they came, and written back when the object is encoded.
///
/// ```
/// let session: dari::Session =
///     serde_json::from_str(r#"{"id": "sess_1", "agent_id": "agt_1", "region": "eu"}"#)?;
/// assert_eq!(session.extra.get("region").unwrap().get(), "\"eu\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct ExtraFields(Option<Box<Fields>>);

/// Behind a pointer, since every object has room for them and hardly any has them.
#[derive(Clone, Default, PartialEq)]
struct Fields(Vec<(Box<str>, RawJson)>);

impl ExtraFields {
    /// Returns the field called `name`, if it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns all fields with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().flat_map(|fields| &fields.0).map(|(name, value)| (&**name, value))
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |fields| fields.0.len())
    }

    /// Returns the names alone, for objects that hold secrets.
    pub(crate) fn names(&self) -> impl fmt::Debug {
        self.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    }

    pub(crate) fn push(&mut self, name: String, value: RawJson) {
        self.0.get_or_insert_default().0.push((name.into_boxed_str(), value));
    }
}

impl fmt::Debug for ExtraFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for ExtraFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// An object whose `type` this version of the crate does not know.
///
/// It is kept whole, and written back with its `type` first.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownObject {
    kind: Box<str>,
    json: RawJson,
}

impl UnknownObject {
    /// Returns the value of its `type` field.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the whole object, `type` included.
    #[must_use]
    pub fn json(&self) -> &RawJson {
        &self.json
    }

    /// Reads the fields that follow a `type` already taken from an object.
    pub(crate) fn read<'de, D: Deserializer<'de>>(kind: &str, fields: D) -> Result<Self, D::Error> {
        let rest = fields.deserialize_map(AllFields)?;
        let json = RawJson::new(&Whole { r#type: kind, rest });
        let json = json.map_err(serde::de::Error::custom)?;
        Ok(Self { kind: kind.into(), json })
    }
}

/// An object with its `type` first.
#[derive(Serialize)]
struct Whole<'a> {
    r#type: &'a str,
    #[serde(flatten)]
    rest: ExtraFields,
}

impl Serialize for UnknownObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// Implements serde for structs that keep unknown fields in `extra`.
///
/// The struct derives both traits with `#[serde(remote = "Self")]`, and its `extra` is skipped in
/// decoding and flattened in encoding.
macro_rules! growing {
    ($($name:ident),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                let mut extra = crate::object::ExtraFields::default();
                let known = crate::object::KnownFields::new(deserializer, &mut extra);
                let mut value = Self::deserialize(known)?;
                value.extra = extra;
                Ok(value)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
    )+};
}

/// Implements serde for an enum of structs told apart by their `type`.
///
/// The enum has one variant for each listed type, and `Unknown(UnknownObject)`.
macro_rules! tagged {
    ($name:ident { $($tag:literal => $variant:ident,)+ }) => {
        impl crate::object::Tagged for $name {
            fn read<'de, D>(tag: &str, fields: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                match tag {
                    $($tag => serde::Deserialize::deserialize(fields).map(Self::$variant),)+
                    _ => crate::object::UnknownObject::read(tag, fields).map(Self::Unknown),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                crate::object::read_tagged(deserializer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => {
                        crate::object::WithTag { r#type: $tag, value }.serialize(serializer)
                    })+
                    Self::Unknown(other) => other.serialize(serializer),
                }
            }
        }
    };
}

pub(crate) use known_fields::{KnownFields, ObjectOnly};
pub(crate) use {growing, tagged};

/// An enum that knows how to read the fields behind a `type`.
pub(crate) trait Tagged: DeserializeOwned {
    fn read<'de, D: Deserializer<'de>>(tag: &str, fields: D) -> Result<Self, D::Error>;
}

pub(crate) fn read_tagged<'de, T: Tagged, D: Deserializer<'de>>(de: D) -> Result<T, D::Error> {
    de.deserialize_map(TaggedVisitor(PhantomData))
}

#[derive(Serialize)]
pub(crate) struct WithTag<'a, T> {
    pub(crate) r#type: &'static str,
    #[serde(flatten)]
    pub(crate) value: &'a T,
}

struct TaggedVisitor<T>(PhantomData<fn() -> T>);

/// Text borrowed from the input where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

// Not derived: the path of an error is followed through visitors of text only.
struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl<'de, T: Tagged> Visitor<'de> for TaggedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a `type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut before = ExtraFields::default();
        while let Some(Text(name)) = map.next_key()? {
            if name != "type" {
                before.push(name.into_owned(), map.next_value()?);
                continue;
            }
            let Text(tag) = map.next_value()?;
            if before.is_empty() {
                return T::read(&tag, MapAccessDeserializer::new(map));
            }
            while let Some((name, value)) = map.next_entry()? {
                before.push(name, value);
            }
            return read_late(&tag, before).map_err(A::Error::custom);
        }
        Err(A::Error::missing_field("type"))
    }
}

/// Reads an object whose `type` did not come first: as text again, with its `type` in front.
fn read_late<T: Tagged>(tag: &str, rest: ExtraFields) -> Result<T, String> {
    let whole = RawJson::new(&Whole { r#type: tag, rest }).map_err(|error| error.to_string())?;
    whole.parse().map_err(|error| match path_of(whole.get(), &error) {
        path if path.is_empty() => reason_of(&error),
        path => format!("{path}: {}", reason_of(&error)),
    })
}

struct AllFields;

impl<'de> Visitor<'de> for AllFields {
    type Value = ExtraFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExtraFields, A::Error> {
        let mut fields = ExtraFields::default();
        while let Some((name, value)) = map.next_entry()? {
            fields.push(name, value);
        }
        Ok(fields)
    }
}
