//! The part of JSON Schema that results of external tools are checked against.
//!
//! A test double needs no whole implementation: `type`, `properties`, `required`,
//! `additionalProperties`, `items`, `enum`, `const`, and schemas that are `true` or `false`.

use serde_json::{Value, json};

use crate::emulator::refusal::Problem;

/// Where a value is, and the schema it must fit there.
struct At<'a> {
    schema: &'a Value,
    value: &'a Value,
    loc: Vec<Value>,
}

/// Returns the first thing wrong with a tool's result.
pub(super) fn misfit(schema: &Value, result: &Value) -> Option<Problem> {
    At { schema, value: result, loc: vec![json!("body"), json!("result")] }.misfit()
}

impl<'a> At<'a> {
    fn misfit(&self) -> Option<Problem> {
        if self.schema == false {
            return Some(self.problem("nothing is allowed here"));
        }
        self.wrong_type()
            .or_else(|| self.wrong_value())
            .or_else(|| self.missing_property())
            .or_else(|| self.inner().iter().find_map(At::misfit))
    }

    fn wrong_type(&self) -> Option<Problem> {
        let allowed = match self.schema.get("type")? {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            name => vec![name.as_str()?],
        };
        let fits = allowed.iter().any(|name| is_of_type(self.value, name));
        (!fits).then(|| self.problem(&format!("must be of type {}", allowed.join(" or "))))
    }

    fn wrong_value(&self) -> Option<Problem> {
        let other = self.schema.get("const").is_some_and(|only| !is_same(only, self.value));
        if other {
            return Some(self.problem("is not the value that the schema asks for"));
        }
        let values = self.schema.get("enum")?.as_array()?;
        let fits = values.iter().any(|value| is_same(value, self.value));
        (!fits).then(|| self.problem("is none of the values that the schema allows"))
    }

    fn missing_property(&self) -> Option<Problem> {
        let object = self.value.as_object()?;
        let mut required = self.schema.get("required")?.as_array()?.iter();
        let name =
            required.find(|name| name.as_str().is_some_and(|it| !object.contains_key(it)))?;
        let at = At { loc: self.inside(name), ..*self };
        Some(at.problem("is required by the schema"))
    }

    /// Returns the values within this one that have a schema.
    fn inner(&self) -> Vec<At<'a>> {
        let properties = self.schema.get("properties");
        let others = self.schema.get("additionalProperties");
        let fields = self.value.as_object().into_iter().flatten().filter_map(|(name, value)| {
            let schema = properties.and_then(|known| known.get(name)).or(others)?;
            Some(At { schema, value, loc: self.inside(&json!(name)) })
        });
        let items = self.value.as_array().into_iter().flatten().enumerate();
        let items = items.filter_map(|(index, value)| {
            let schema = self.schema.get("items")?;
            Some(At { schema, value, loc: self.inside(&json!(index)) })
        });
        fields.chain(items).collect()
    }

    fn inside(&self, step: &Value) -> Vec<Value> {
        [self.loc.as_slice(), std::slice::from_ref(step)].concat()
    }

    fn problem(&self, msg: &str) -> Problem {
        Problem { loc: self.loc.clone(), msg: msg.to_owned(), kind: "schema_mismatch" }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        // 1.0 is an integer in JSON Schema.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

/// Compares as JSON Schema does: 1 and 1.0 are the same number.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}
