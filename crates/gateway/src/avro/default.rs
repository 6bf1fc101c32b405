//! Whether a field's default is a value of its type (Avro 1.12, "Complex Types", "Records"; in a union any branch may fit).

use std::cell::Cell;

use serde_json::Value;

use super::{Node, Primitive, TypeId};

/// How many comparisons the defaults of one schema may take: unions within unions could ask for any number.
pub(super) struct Fuel(Cell<u32>);

impl Default for Fuel {
    fn default() -> Self {
        Self(Cell::new(200_000))
    }
}

/// Whether `value` is one of type `of`; not, when the fuel ends. The depth of the walk is that of the value's JSON.
pub(super) fn fits(types: &[Node], of: TypeId, value: &Value, fuel: &Fuel) -> bool {
    let Some(left) = fuel.0.get().checked_sub(1) else { return false };
    fuel.0.set(left);
    let fits = |of, value| fits(types, of, value, fuel);
    match &types[of.0] {
        Node::Primitive(primitive, _) => fits_primitive(*primitive, value),
        Node::Array(items) => value.as_array().is_some_and(|list| list.iter().all(|item| fits(*items, item))),
        Node::Map(of) => value.as_object().is_some_and(|map| map.values().all(|item| fits(*of, item))),
        Node::Union(branches) => branches.iter().any(|branch| fits(*branch, value)),
        Node::Record { fields, .. } => value.as_object().is_some_and(|object| {
            fields.iter().all(|field| match object.get(&field.name) {
                Some(value) => fits(field.of, value),
                None => field.has_default,
            })
        }),
        Node::Enum { symbols, .. } => value.as_str().is_some_and(|text| symbols.iter().any(|symbol| symbol == text)),
        Node::Fixed { size, .. } => {
            value.as_str().is_some_and(|text| are_bytes(text) && text.chars().count() as u64 == *size)
        }
        // Inside its own definition no value of a type can be written down yet but through a union or a list.
        Node::Open(_) => false,
    }
}

fn fits_primitive(primitive: Primitive, value: &Value) -> bool {
    match primitive {
        Primitive::Null => value.is_null(),
        Primitive::Boolean => value.is_boolean(),
        Primitive::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Primitive::Long => value.is_i64(),
        Primitive::Float | Primitive::Double => value.is_number(),
        Primitive::Bytes => value.as_str().is_some_and(are_bytes),
        Primitive::String => value.is_string(),
    }
}

/// Bytes are written as the characters U+0000 to U+00FF.
fn are_bytes(text: &str) -> bool {
    text.chars().all(|c| u32::from(c) <= 0xFF)
}
