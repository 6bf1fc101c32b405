//! A writer's schema against the contract's: what to do with each of the writer's fields, decided once.
//!
//! Source: Avro specification 1.11, "Schema Resolution". Branches of a writer's union are judged one by one, as there: one
//! that the contract cannot take is refused only in a message that uses it. Absent: defaults other than null and
//! promotions to float, double and bytes: the contract has no such types.

use super::parse::{Field, Id, SchemaFault, Type, Types, unqualified};

/// How to read a value of the writer's as one of the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Null,
    Int,
    Long,
    Text,
    Array(Box<Node>),
    Record(Record),
    /// A union of the writer's: the branches in its order.
    Choice(Vec<Node>),
    /// A branch that the contract does not take.
    Refused,
}

/// A record of the writer's, its fields in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The contract's name of it, without namespace.
    pub name: String,
    pub fields: Vec<Slot>,
}

/// A field of the writer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The contract's name of it; empty if the contract has no such field.
    pub name: String,
    /// How to read it; `None` if the contract has no such field.
    pub node: Option<Node>,
    /// The writer's type.
    pub of: Id,
}

/// Makes the plan. `path` says where we are, in the contract's names.
pub(crate) fn resolve((writer, w): (&Types, Id), (reader, r): (&Types, Id), path: &str) -> Result<Node, SchemaFault> {
    match (writer.get(w), reader.get(r)) {
        (Type::Union(branches), _) => choice(writer, branches, (reader, r), path),
        (_, Type::Union(branches)) => {
            let mut found = branches.iter().map(|b| resolve((writer, w), (reader, *b), path));
            found.find_map(Result::ok).ok_or_else(|| unfit(path, reader, r))
        }
        (Type::Null, Type::Null) => Ok(Node::Null),
        (Type::Int, Type::Long) => Ok(Node::Int),
        (Type::Long, Type::Long) => Ok(Node::Long),
        (Type::String | Type::Bytes, Type::String) => Ok(Node::Text),
        (Type::Array(from), Type::Array(to)) => {
            Ok(Node::Array(Box::new(resolve((writer, *from), (reader, *to), path)?)))
        }
        (Type::Record { name, fields: from, .. }, Type::Record { name: own, aliases, fields: to })
            if unqualified(name) == unqualified(own) || aliases.contains(name) =>
        {
            let fields = record((writer, from), (reader, to), path)?;
            Ok(Node::Record(Record { name: unqualified(own).to_owned(), fields }))
        }
        _ => Err(unfit(path, reader, r)),
    }
}

fn choice(writer: &Types, branches: &[Id], reader: (&Types, Id), path: &str) -> Result<Node, SchemaFault> {
    let mut fault = None;
    let mut nodes = Vec::with_capacity(branches.len());
    for branch in branches {
        nodes.push(match resolve((writer, *branch), reader, path) {
            // A null that the contract does not take is a value that is missing.
            Err(_) if *writer.get(*branch) == Type::Null => Node::Null,
            Err(why) => {
                fault = Some(why);
                Node::Refused
            }
            Ok(node) => node,
        });
    }
    let useless = nodes.iter().all(|node| matches!(node, Node::Null | Node::Refused));
    if useless { Err(fault.unwrap_or_else(|| unfit(path, reader.0, reader.1))) } else { Ok(Node::Choice(nodes)) }
}

fn record(
    (writer, from): (&Types, &[Field]),
    (reader, to): (&Types, &[Field]),
    path: &str,
) -> Result<Vec<Slot>, SchemaFault> {
    // For each field of the contract's the writer's of that name, else one of its aliases.
    let source = |own: &Field| {
        let named = from.iter().position(|field| field.name == own.name);
        named.or_else(|| from.iter().position(|field| own.aliases.contains(&field.name)))
    };
    let mut slots: Vec<_> = from.iter().map(|field| Slot { name: String::new(), node: None, of: field.of }).collect();
    for own in to {
        let path = if path.is_empty() { own.name.clone() } else { format!("{path}.{}", own.name) };
        match source(own).map(|at| &mut slots[at]).filter(|slot| slot.node.is_none()) {
            Some(slot) => {
                slot.node = Some(resolve((writer, slot.of), (reader, own.of), &path)?);
                slot.name.clone_from(&own.name);
            }
            None if own.default => {}
            None => {
                return Err(SchemaFault::new(
                    format!("field {path}"),
                    "the contract requires this field, and the writer's schema lacks it; add it",
                ));
            }
        }
    }
    Ok(slots)
}

fn unfit(path: &str, reader: &Types, r: Id) -> SchemaFault {
    let place = if path.is_empty() { "the schema".to_owned() } else { format!("field {path}") };
    SchemaFault::new(place, format!("{} is expected; take the type from the contract's schema", named(reader, r)))
}

/// A type of the contract's in words.
fn named(reader: &Types, r: Id) -> String {
    match reader.get(r) {
        Type::Long => "a long or int".into(),
        Type::Array(items) => format!("an array, of which each item is {}", named(reader, *items)),
        Type::Record { name, .. } => format!("a record named {}", unqualified(name)),
        Type::Union(branches) => match branches.as_slice() {
            [_, of] => format!("{}, perhaps in a union with null,", named(reader, *of)),
            _ => "a record, or a union of records, of those in the contract's schema".into(),
        },
        _ => "a string or bytes".into(),
    }
}
