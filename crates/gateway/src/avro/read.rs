//! Reading a schema: one walk over its JSON gives the table of types and the canonical form, or the place of the mistake.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use serde_json::{Map, Value};

use super::default::{Fuel, fits};
use super::{AvroSchema, Definitions, Field, Logical, MAX_DEPTH, MAX_TYPES, Named, Node, Primitive, TypeId};

/// Why a text is no schema that the registry takes: where, and what is wrong. Names of the schema may be quoted; a schema
/// holds no data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct SchemaFault {
    /// A JSON pointer into the schema, `/` for the whole.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl SchemaFault {
    /// A fault of the whole text.
    pub fn whole(what: impl Into<String>) -> Self {
        Self { place: "/".into(), what: what.into() }
    }
}

type Read<T> = Result<T, SchemaFault>;

/// Types that have a name.
pub(super) fn is_named(kind: &str) -> bool {
    matches!(kind, "record" | "enum" | "fixed")
}

/// Reads a schema that may use the named types of `outside`.
pub fn read(text: &str, outside: &Definitions) -> Read<AvroSchema> {
    // The parser stops at 128 levels of JSON, so that the walk below is bounded before its own limit counts types.
    let json: Value = serde_json::from_str(text).map_err(|error| SchemaFault::whole(format!("not JSON: {error}")))?;
    let mut reader = Reader {
        outside,
        nodes: Vec::new(),
        named: HashMap::new(),
        place: String::new(),
        depth: 0,
        inlining: 0,
        fuel: Fuel::default(),
    };
    let (root, canonical) = reader.of(&json, "")?;
    Ok(AvroSchema { nodes: reader.nodes, root, canonical: deep(&canonical) })
}

struct Reader<'a> {
    outside: &'a Definitions,
    nodes: Vec<Node>,
    named: HashMap<String, TypeId>,
    place: String,
    depth: usize,
    /// Above 0 while a definition from outside is read.
    inlining: usize,
    /// What is left for comparing defaults with their types.
    fuel: Fuel,
}

impl Reader<'_> {
    fn fault<T>(&self, what: impl Into<String>) -> Read<T> {
        let place = if self.place.is_empty() { "/".into() } else { self.place.clone() };
        Err(SchemaFault { place, what: what.into() })
    }

    /// Reads what lies at `step` below the present place.
    fn at<T>(&mut self, step: impl std::fmt::Display, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let before = self.place.len();
        let _ = write!(self.place, "/{step}");
        let result = read(self);
        if result.is_ok() {
            self.place.truncate(before);
        }
        result
    }

    fn add(&mut self, node: Node) -> Read<TypeId> {
        if self.nodes.len() >= MAX_TYPES {
            return self.fault(format!("more than {MAX_TYPES} types"));
        }
        self.nodes.push(node);
        Ok(TypeId(self.nodes.len() - 1))
    }

    /// A type, within the namespace of the type around it: its number and its canonical form.
    fn of(&mut self, json: &Value, space: &str) -> Read<(TypeId, Value)> {
        if self.depth >= MAX_DEPTH {
            return self.fault(format!("types nested deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let read = match json {
            Value::String(name) => self.by_name(name, space),
            Value::Array(branches) => self.union(branches, space),
            Value::Object(object) => self.object(object, space),
            _ => self.fault("a type is a name, a list of types or an object with `type`"),
        };
        self.depth -= 1;
        read
    }

    fn by_name(&mut self, name: &str, space: &str) -> Read<(TypeId, Value)> {
        if let Some(primitive) = Primitive::of(name) {
            return Ok((self.add(Node::Primitive(primitive, None))?, primitive.name().into()));
        }
        let full = qualified(name, space);
        if !is_full_name(&full) {
            return self.fault("the name of a type is expected: letters, digits and _, in parts joined by dots");
        }
        if let Some(id) = self.named.get(&full) {
            return Ok((*id, full.into()));
        }
        let Some(definition) = self.outside.get(&full) else {
            return self.fault(format!(
                "there is no type `{full}`: define it before its first use, or name the schema that does in `references`"
            ));
        };
        self.inlining += 1;
        // Names without a namespace are out of reach from within one, so what is read here needs no more than it says itself.
        let read = self.of(definition, "");
        self.inlining -= 1;
        read
    }

    fn union(&mut self, branches: &[Value], space: &str) -> Read<(TypeId, Value)> {
        let (mut ids, mut forms, mut kinds) = (Vec::new(), Vec::new(), HashSet::new());
        for (number, branch) in branches.iter().enumerate() {
            let (id, form) = self.at(number, |reader| reader.of(branch, space))?;
            let kind = match &self.nodes[id.0] {
                Node::Union(_) => return self.fault("a union directly within a union"),
                Node::Primitive(primitive, _) => primitive.name().to_owned(),
                Node::Array(_) => "array".into(),
                Node::Map(_) => "map".into(),
                Node::Open(full) => format!("named {full}"),
                Node::Record { name, .. } | Node::Enum { name, .. } | Node::Fixed { name, .. } => {
                    format!("named {}", name.full)
                }
            };
            if !kinds.insert(kind) {
                return self.fault(format!("branch {number} of the union repeats the type of another"));
            }
            ids.push(id);
            forms.push(form);
        }
        Ok((self.add(Node::Union(ids))?, Value::Array(forms)))
    }

    fn object(&mut self, object: &Map<String, Value>, space: &str) -> Read<(TypeId, Value)> {
        let Some(kind) = object.get("type") else { return self.fault("`type` is missing") };
        let Value::String(kind) = kind else {
            // `{"type": {"type": "array", …}}` says the inner type twice; hand-written schemas have it.
            return match object.len() {
                1 => self.at("type", |reader| reader.of(kind, space)),
                _ => self.fault("`type` must be a name here; put the inner object in its place"),
            };
        };
        match kind.as_str() {
            "record" | "enum" | "fixed" => self.definition(kind, object, space),
            "array" => self.container(object, space, "items", Node::Array),
            "map" => self.container(object, space, "values", Node::Map),
            "error" => self.fault("`error` is a type of Avro protocols; use `record`"),
            name => match Primitive::of(name) {
                None => self.by_name(name, space),
                Some(primitive) => {
                    let id = self.add(Node::Primitive(primitive, logical(object, Some(primitive), 0)))?;
                    let form = if object.len() == 1 { name.into() } else { Value::Object(object.clone()) };
                    Ok((id, form))
                }
            },
        }
    }

    fn container(
        &mut self,
        object: &Map<String, Value>,
        space: &str,
        key: &str,
        node: fn(TypeId) -> Node,
    ) -> Read<(TypeId, Value)> {
        let Some(inner) = object.get(key) else { return self.fault(format!("`{key}` is missing")) };
        let (id, form) = self.at(key, |reader| reader.of(inner, space))?;
        let mut canonical = object.clone();
        canonical.insert(key.into(), form);
        Ok((self.add(node(id))?, Value::Object(canonical)))
    }

    /// A named type: record, enum or fixed.
    fn definition(&mut self, kind: &str, object: &Map<String, Value>, space: &str) -> Read<(TypeId, Value)> {
        let (full, own_space) = self.name_of(object, space)?;
        if let Some(id) = self.named.get(&full).copied() {
            // A type from outside may bring along what another has brought already; the text itself may not say it twice.
            return if self.inlining > 0 {
                Ok((id, full.into()))
            } else {
                self.fault(format!("`{full}` is defined twice"))
            };
        }
        let aliases = self.names_in(object, "aliases")?.iter().map(|alias| qualified(alias, &own_space)).collect();
        let id = self.add(Node::Open(full.clone()))?;
        self.named.insert(full.clone(), id);
        let mut canonical = object.clone();
        let short = full.rsplit('.').next().unwrap_or(&full).to_owned();
        canonical.insert("name".into(), short.into());
        match (own_space.is_empty(), space.is_empty()) {
            (false, _) => canonical.insert("namespace".into(), own_space.clone().into()),
            (true, false) => canonical.insert("namespace".into(), "".into()),
            (true, true) => canonical.shift_remove("namespace"),
        };
        let name = Named { full, aliases };
        self.nodes[id.0] = match kind {
            "record" => {
                let (fields, forms) = self.fields(object, &own_space)?;
                canonical.insert("fields".into(), Value::Array(forms));
                Node::Record { name, fields }
            }
            "enum" => self.enumeration(name, object)?,
            _ => match object.get("size").and_then(Value::as_u64) {
                Some(size) if i32::try_from(size).is_ok() => {
                    Node::Fixed { name, size, logical: logical(object, None, size) }
                }
                _ => return self.at("size", |reader| reader.fault("a number of bytes is expected")),
            },
        };
        Ok((id, Value::Object(canonical)))
    }

    /// Full name and namespace of a definition.
    fn name_of(&self, object: &Map<String, Value>, space: &str) -> Read<(String, String)> {
        let Some(name) = object.get("name").and_then(Value::as_str) else { return self.fault("`name` is missing") };
        let space = match object.get("namespace") {
            None => space,
            Some(Value::String(own)) => own,
            Some(_) => return self.fault("`namespace` must be a text"),
        };
        let full = qualified(name, space);
        if !is_full_name(&full) || Primitive::of(&full).is_some() {
            return self.fault("`name` and `namespace` must be letters, digits and _, in parts joined by dots");
        }
        let space = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        Ok((full, space))
    }

    /// A list of names, such as `aliases` or `symbols`; none when it is absent.
    fn names_in(&self, object: &Map<String, Value>, key: &str) -> Read<Vec<String>> {
        let refuse = || self.fault(format!("`{key}` must be a list of names"));
        match object.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let names: Option<Vec<String>> = items
                    .iter()
                    .map(|item| item.as_str().filter(|name| is_full_name(name)).map(str::to_owned))
                    .collect();
                names.map_or_else(refuse, Ok)
            }
            Some(_) => refuse(),
        }
    }

    fn enumeration(&self, name: Named, object: &Map<String, Value>) -> Read<Node> {
        let symbols = self.names_in(object, "symbols")?;
        let distinct: HashSet<&String> = symbols.iter().collect();
        if symbols.is_empty() || distinct.len() < symbols.len() || symbols.iter().any(|symbol| symbol.contains('.')) {
            return self.fault("`symbols` must be a list of distinct names");
        }
        let default = match object.get("default") {
            None => None,
            Some(Value::String(symbol)) if symbols.contains(symbol) => Some(symbol.clone()),
            Some(_) => return self.fault("`default` of an enum must be one of its symbols"),
        };
        Ok(Node::Enum { name, symbols, default })
    }

    fn fields(&mut self, object: &Map<String, Value>, space: &str) -> Read<(Vec<Field>, Vec<Value>)> {
        let Some(Value::Array(list)) = object.get("fields") else { return self.fault("`fields` must be a list") };
        let (mut fields, mut forms, mut names) = (Vec::new(), Vec::new(), HashSet::new());
        for (number, json) in list.iter().enumerate() {
            let (field, form) = self.at(format_args!("fields/{number}"), |reader| reader.field(json, space))?;
            if !names.insert(field.name.clone()) {
                return self.fault(format!("the field `{}` occurs twice", field.name));
            }
            fields.push(field);
            forms.push(form);
        }
        Ok((fields, forms))
    }

    fn field(&mut self, json: &Value, space: &str) -> Read<(Field, Value)> {
        let Value::Object(object) = json else { return self.fault("a field is an object with `name` and `type`") };
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        if !is_name(name) {
            return self.fault("`name` of a field must be letters, digits and _");
        }
        let Some(of) = object.get("type") else { return self.fault("`type` is missing") };
        let aliases = self.names_in(object, "aliases")?;
        let (of, form) = self.at("type", |reader| reader.of(of, space))?;
        if let Some(default) = object.get("default")
            && !fits(&self.nodes, of, default, &self.fuel)
        {
            return self.at("default", |reader| reader.fault(format!("not a value of the type of `{name}`")));
        }
        let mut canonical = object.clone();
        canonical.insert("type".into(), form);
        if canonical.get("order").and_then(Value::as_str) == Some("ascending") {
            canonical.shift_remove("order");
        }
        let field = Field { name: name.into(), aliases, of, has_default: object.contains_key("default") };
        Ok((field, Value::Object(canonical)))
    }
}

/// Attributes in the order of their names, at every level.
fn sorted(object: &Map<String, Value>) -> Map<String, Value> {
    let by_name: BTreeMap<&String, &Value> = object.iter().collect();
    by_name.into_iter().map(|(key, value)| (key.clone(), deep(value))).collect()
}

pub(crate) fn deep(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(sorted(object)),
        Value::Array(items) => Value::Array(items.iter().map(deep).collect()),
        other => other.clone(),
    }
}

fn qualified(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

fn is_full_name(name: &str) -> bool {
    name.len() <= 512 && name.split('.').all(is_name)
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What the values of a primitive or fixed type stand for, where the annotation fits the type.
fn logical(object: &Map<String, Value>, primitive: Option<Primitive>, size: u64) -> Option<Logical> {
    let plain = |name| Some(Logical { name, precision: 0, scale: 0 });
    match (object.get("logicalType")?.as_str()?, primitive) {
        ("decimal", Some(Primitive::Bytes) | None) => {
            let precision = object.get("precision").and_then(Value::as_u64).filter(|precision| *precision > 0)?;
            let scale = object.get("scale").map_or(Some(0), Value::as_u64).filter(|scale| *scale <= precision)?;
            Some(Logical { name: "decimal", precision, scale })
        }
        ("big-decimal", Some(Primitive::Bytes)) => plain("big-decimal"),
        ("uuid", Some(Primitive::String)) => plain("uuid"),
        ("uuid", None) if size == 16 => plain("uuid"),
        ("duration", None) if size == 12 => plain("duration"),
        ("date", Some(Primitive::Int)) => plain("date"),
        ("time-millis", Some(Primitive::Int)) => plain("time-millis"),
        ("time-micros", Some(Primitive::Long)) => plain("time-micros"),
        ("timestamp-millis", Some(Primitive::Long)) => plain("timestamp-millis"),
        ("timestamp-micros", Some(Primitive::Long)) => plain("timestamp-micros"),
        ("timestamp-nanos", Some(Primitive::Long)) => plain("timestamp-nanos"),
        ("local-timestamp-millis", Some(Primitive::Long)) => plain("local-timestamp-millis"),
        ("local-timestamp-micros", Some(Primitive::Long)) => plain("local-timestamp-micros"),
        ("local-timestamp-nanos", Some(Primitive::Long)) => plain("local-timestamp-nanos"),
        _ => None,
    }
}
