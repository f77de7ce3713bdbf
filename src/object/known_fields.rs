//! Shows a derived decoder only the fields it knows.

use std::fmt;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, Visitor};

use crate::object::ExtraFields;

/// Shows a derived decoder the fields it knows, and puts the others aside.
pub(crate) struct KnownFields<'a, D> {
    inner: D,
    extra: &'a mut ExtraFields,
}

impl<'a, D> KnownFields<'a, D> {
    pub(crate) fn new(inner: D, extra: &'a mut ExtraFields) -> Self {
        Self { inner, extra }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for KnownFields<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = KnownFieldsVisitor { inner: visitor, fields, extra: self.extra };
        // Not as a struct, which JSON may also give as a list.
        self.inner.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

/// Reads structs from objects alone, where JSON would also take a list of their fields.
pub(crate) struct ObjectOnly<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

struct KnownFieldsVisitor<'a, V> {
    inner: V,
    fields: &'static [&'static str],
    extra: &'a mut ExtraFields,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for KnownFieldsVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { inner, fields, extra } = self;
        inner.visit_map(KnownFieldsMap { inner: map, fields, due: 0, extra })
    }
}

struct KnownFieldsMap<'a, A> {
    inner: A,
    fields: &'static [&'static str],
    /// Where in `fields` the next name stands if they come in that order, as they mostly do.
    due: usize,
    extra: &'a mut ExtraFields,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownFieldsMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K>(&mut self, mut seed: K) -> Result<Option<K::Value>, A::Error>
    where
        K: DeserializeSeed<'de>,
    {
        loop {
            let name = NameSeed { seed, fields: self.fields, due: &mut self.due };
            match self.inner.next_key_seed(name)? {
                None => return Ok(None),
                Some(Name::Known(value)) => return Ok(Some(value)),
                Some(Name::Unknown(name, unused)) => {
                    self.extra.push(name, self.inner.next_value()?);
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// Hands a known name straight to the derived decoder, so that none is copied.
struct NameSeed<'a, K> {
    seed: K,
    fields: &'static [&'static str],
    due: &'a mut usize,
}

impl<K> NameSeed<'_, K> {
    fn knows(&mut self, name: &str) -> bool {
        let is_due = self.fields.get(*self.due).is_some_and(|due| *due == name);
        let known = if is_due { Some(*self.due) } else { self.position(name) };
        *self.due = known.map_or(*self.due, |at| at + 1);
        known.is_some()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| *field == name)
    }
}

enum Name<V, K> {
    Known(V),
    Unknown(String, K),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for NameSeed<'_, K> {
    type Value = Name<K::Value, K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for NameSeed<'_, K> {
    type Value = Name<K::Value, K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: serde::de::Error>(mut self, name: &str) -> Result<Self::Value, E> {
        if !self.knows(name) {
            return Ok(Name::Unknown(name.to_owned(), self.seed));
        }
        self.seed.deserialize(StrDeserializer::new(name)).map(Name::Known)
    }
}
