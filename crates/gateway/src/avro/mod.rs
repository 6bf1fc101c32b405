//! Avro schemas as the registry needs them: read within limits, given one canonical form, compared by Avro's rules of
//! schema resolution.
//!
//! Absent: data. Nothing here decodes a datum; `events` does, with a library. Why the schemas are not read and compared by
//! that library: `docs/decisions/2026-11-26-registry-judges-avro-itself.md`.

mod default;
mod judge;
mod read;

use std::collections::BTreeMap;

use serde_json::Value;

pub use judge::{Effort, differences};
pub(crate) use read::deep as sorted_value;
pub use read::{SchemaFault, read};

/// Greatest depth of types within types; a schema of a contract has three or four.
pub const MAX_DEPTH: usize = 48;

/// Greatest number of types in a schema, named ones once.
pub const MAX_TYPES: usize = 20_000;

/// A schema that has been read.
#[derive(Debug, Clone)]
pub struct AvroSchema {
    nodes: Vec<Node>,
    root: TypeId,
    canonical: Value,
}

/// The definitions of named types that a schema takes from other schemas, by full name, each in canonical form.
pub type Definitions = BTreeMap<String, Value>;

impl AvroSchema {
    /// The schema complete in itself, whatever it refers to, with full names and sorted attributes: equal for schemas that
    /// differ in layout alone.
    pub fn canonical(&self) -> String {
        self.canonical.to_string()
    }

    /// Adds the named types defined in it to `definitions`, for schemas that refer to it.
    pub fn define(&self, definitions: &mut Definitions) {
        collect(&self.canonical, definitions);
    }

    /// The full name of the type itself, when it has one.
    pub fn name(&self) -> Option<&str> {
        match self.node(self.root) {
            Node::Record { name, .. } | Node::Enum { name, .. } | Node::Fixed { name, .. } => Some(&name.full),
            _ => None,
        }
    }

    fn node(&self, id: TypeId) -> &Node {
        &self.nodes[id.0]
    }
}

fn collect(value: &Value, definitions: &mut Definitions) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, definitions)),
        Value::Object(object) => {
            if let Some(name) = object.get("name").and_then(Value::as_str)
                && object.get("type").and_then(Value::as_str).is_some_and(read::is_named)
            {
                let full = match object.get("namespace").and_then(Value::as_str) {
                    Some(space) if !space.is_empty() => format!("{space}.{name}"),
                    _ => name.to_owned(),
                };
                definitions.insert(full, value.clone());
            }
            for key in ["type", "items", "values", "fields"] {
                object.get(key).into_iter().for_each(|inner| collect(inner, definitions));
            }
        }
        _ => {}
    }
}

/// A type by its place in the schema's table: a recursive type is an edge back, so that nothing here needs pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TypeId(usize);

#[derive(Debug, Clone)]
enum Node {
    Primitive(Primitive, Option<Logical>),
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record {
        name: Named,
        fields: Vec<Field>,
    },
    Enum {
        name: Named,
        symbols: Vec<String>,
        default: Option<String>,
    },
    Fixed {
        name: Named,
        size: u64,
        logical: Option<Logical>,
    },
    /// A named type whose definition is being read: its full name.
    Open(String),
}

#[derive(Debug, Clone)]
struct Named {
    full: String,
    aliases: Vec<String>,
}

impl Named {
    fn short(&self) -> &str {
        self.full.rsplit('.').next().unwrap_or(&self.full)
    }
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    aliases: Vec<String>,
    of: TypeId,
    has_default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Primitive {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
}

impl Primitive {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
        }
    }
}

/// What a number, text or byte string stands for. A logical type that Avro does not know, or that does not fit its type, is
/// none (Avro 1.12, "Logical Types").
#[derive(Debug, Clone, PartialEq, Eq)]
struct Logical {
    name: &'static str,
    precision: u64,
    scale: u64,
}
