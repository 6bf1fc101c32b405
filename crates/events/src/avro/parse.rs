//! An Avro schema as a list of types that refer to each other by number: named types may be recursive.
//!
//! Read here: what decides about bytes and resolution. Logical types, `doc`, `order` and other attributes are left out,
//! as in the Parsing Canonical Form. Absent: schemas that refer to other schemas of a registry (Confluent "references").

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Longest schema, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Number of a type in [`Types`].
pub(crate) type Id = usize;

/// A type of Avro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed { name: String, size: usize },
    Enum { name: String, symbols: Vec<String> },
    Array(Id),
    Map(Id),
    Record { name: String, aliases: Vec<String>, fields: Vec<Field> },
    Union(Vec<Id>),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: String,
    pub aliases: Vec<String>,
    pub of: Id,
    /// Whether it has a default; the contract's are all null.
    pub default: bool,
}

/// A schema, parsed. Names are full names.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    all: Vec<Type>,
    pub root: Id,
    /// Types whose every value is no byte long.
    empty: Vec<bool>,
}

/// Why a writer's schema cannot be used. Names are the contract's or none; the schema's text is not quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// Where in the schema: a path of the contract's field names.
    pub place: String,
    /// What was expected there, and the remedy.
    pub expected: String,
}

impl SchemaFault {
    pub(crate) fn new(place: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { place: place.into(), expected: expected.into() }
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.expected)
    }
}

impl std::error::Error for SchemaFault {}

fn bad(expected: &str) -> SchemaFault {
    SchemaFault::new("the schema", format!("{expected}; register a valid Avro schema"))
}

impl Types {
    /// Parses the text of a schema.
    pub(crate) fn parse(text: &str) -> Result<Self, SchemaFault> {
        if text.len() > MAX_BYTES {
            return Err(bad(&format!("at most {MAX_BYTES} bytes are expected")));
        }
        // serde_json bounds the depth. A bare name (`string`, without quotes) is what some clients keep.
        let value = serde_json::from_str(text).map_err(|_| bad("JSON is expected"))?;
        Self::of(&value)
    }

    /// Reads a schema that is JSON already.
    pub(crate) fn of(value: &Value) -> Result<Self, SchemaFault> {
        let mut reading = Reading::default();
        let root = reading.any(value, "")?;
        let all = reading.done();
        let empty = empty_types(&all);
        Ok(Self { all, root, empty })
    }

    pub(crate) fn get(&self, id: Id) -> &Type {
        &self.all[id]
    }

    /// Whether every value of the type is no byte long, so that any number of them costs nothing.
    pub(crate) fn is_empty(&self, id: Id) -> bool {
        self.empty[id]
    }
}

/// A name without its namespace.
pub(crate) fn unqualified(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[derive(Default)]
struct Reading {
    /// `None` while a named type is being read.
    all: Vec<Option<Type>>,
    named: BTreeMap<String, Id>,
}

impl Reading {
    fn done(self) -> Vec<Type> {
        self.all.into_iter().map(|t| t.expect("every type that was begun was read")).collect()
    }

    fn push(&mut self, of: Type) -> Id {
        self.all.push(Some(of));
        self.all.len() - 1
    }

    fn any(&mut self, value: &Value, space: &str) -> Result<Id, SchemaFault> {
        match value {
            Value::String(name) => self.name(name, space),
            Value::Array(branches) => self.union(branches, space),
            Value::Object(map) => match map.get("type") {
                Some(Value::String(kind)) => self.complex(kind, map, space),
                Some(inner @ (Value::Object(_) | Value::Array(_))) => self.any(inner, space),
                _ => Err(bad("a `type` is expected")),
            },
            _ => Err(bad("a type is expected")),
        }
    }

    fn name(&mut self, name: &str, space: &str) -> Result<Id, SchemaFault> {
        if let Some(primitive) = primitive(name) {
            return Ok(self.push(primitive));
        }
        let known = self.named.get(&qualified(name, space)).or_else(|| self.named.get(name));
        known.copied().ok_or_else(|| {
            bad("a type that this schema itself defines is expected (references to other schemas are not followed)")
        })
    }

    fn union(&mut self, branches: &[Value], space: &str) -> Result<Id, SchemaFault> {
        let ids = branches.iter().map(|b| self.any(b, space)).collect::<Result<Vec<_>, _>>()?;
        let nested = ids.iter().any(|id| matches!(self.all[*id], Some(Type::Union(_))));
        if ids.is_empty() || nested {
            return Err(bad("a union of one or more types that are no unions is expected"));
        }
        Ok(self.push(Type::Union(ids)))
    }

    fn complex(&mut self, kind: &str, map: &Map<String, Value>, space: &str) -> Result<Id, SchemaFault> {
        match kind {
            "array" => {
                let items = self.any(map.get("items").ok_or_else(|| bad("`items` are expected"))?, space)?;
                Ok(self.push(Type::Array(items)))
            }
            "map" => {
                let values = self.any(map.get("values").ok_or_else(|| bad("`values` are expected"))?, space)?;
                Ok(self.push(Type::Map(values)))
            }
            "record" | "error" | "enum" | "fixed" => self.named(kind, map, space),
            other => self.name(other, space),
        }
    }

    fn named(&mut self, kind: &str, map: &Map<String, Value>, space: &str) -> Result<Id, SchemaFault> {
        let own =
            map.get("name").and_then(Value::as_str).filter(|n| is_name(n)).ok_or_else(|| bad("a name is expected"))?;
        // A name with dots brings its namespace.
        let name = if own.contains('.') { own.to_owned() } else { qualified(own, namespace(map, space)?) };
        let space = name.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        let id = self.all.len();
        self.all.push(None);
        if self.named.insert(name.clone(), id).is_some() {
            return Err(bad("each name is expected to be defined once"));
        }
        let of = match kind {
            "enum" => Type::Enum { name, symbols: strings(map.get("symbols"))? },
            "fixed" => {
                let size = map.get("size").and_then(Value::as_u64).and_then(|s| usize::try_from(s).ok());
                Type::Fixed { name, size: size.ok_or_else(|| bad("a `size` is expected"))? }
            }
            _ => {
                let aliases = aliases(map)?.iter().map(|alias| qualified(alias, &space)).collect();
                Type::Record { name, aliases, fields: self.fields(map, &space)? }
            }
        };
        self.all[id] = Some(of);
        Ok(id)
    }

    fn fields(&mut self, map: &Map<String, Value>, space: &str) -> Result<Vec<Field>, SchemaFault> {
        let Some(Value::Array(list)) = map.get("fields") else { return Err(bad("`fields` are expected")) };
        let (mut fields, mut names) = (Vec::with_capacity(list.len()), BTreeSet::new());
        for field in list {
            let Value::Object(field) = field else { return Err(bad("a field is expected")) };
            let name = field.get("name").and_then(Value::as_str).ok_or_else(|| bad("a field's name is expected"))?;
            if !names.insert(name) {
                return Err(bad("each field of a record is expected once"));
            }
            let of = self.any(field.get("type").ok_or_else(|| bad("a field's type is expected"))?, space)?;
            let (name, aliases) = (name.to_owned(), aliases(field)?);
            fields.push(Field { name, aliases, of, default: field.contains_key("default") });
        }
        Ok(fields)
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

fn qualified(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

/// The namespace of a named type: its own, or the one it stands in.
fn namespace<'a>(map: &'a Map<String, Value>, outer: &'a str) -> Result<&'a str, SchemaFault> {
    match map.get("namespace").and_then(Value::as_str) {
        None => Ok(outer),
        Some("") if outer.is_empty() => Ok(outer),
        // The canonical form has no namespaces, only full names: it would say of such a type that it is in the outer one.
        Some("") => Err(bad("a namespace is expected of each type that stands within one")),
        Some(own) if is_name(own) => Ok(own),
        Some(_) => Err(bad("a namespace of names with dots between them is expected")),
    }
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn strings(list: Option<&Value>) -> Result<Vec<String>, SchemaFault> {
    let list = list.and_then(Value::as_array).ok_or_else(|| bad("a list of names is expected"))?;
    list.iter().map(|s| s.as_str().map(str::to_owned).ok_or_else(|| bad("a name is expected"))).collect()
}

fn aliases(map: &Map<String, Value>) -> Result<Vec<String>, SchemaFault> {
    map.get("aliases").map_or_else(|| Ok(Vec::new()), |list| strings(Some(list)))
}

fn empty_types(all: &[Type]) -> Vec<bool> {
    /// A type being looked at is taken not to be empty: a record in itself has no end.
    fn look(all: &[Type], id: Id, seen: &mut [Option<bool>]) -> bool {
        if let Some(known) = seen[id] {
            return known;
        }
        seen[id] = Some(false);
        let empty = match &all[id] {
            Type::Null => true,
            Type::Fixed { size, .. } => *size == 0,
            Type::Record { fields, .. } => fields.iter().all(|field| look(all, field.of, seen)),
            _ => false,
        };
        seen[id] = Some(empty);
        empty
    }
    let mut seen = vec![None; all.len()];
    (0..all.len()).map(|id| look(all, id, &mut seen)).collect()
}
