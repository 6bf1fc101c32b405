//! A writer's schema, made ready once: which contract it is of, and how to read what was written with it as each version
//! of that contract. Which version an event is of its `dataschema` says, not its Avro schema: producers whose schema is of
//! one version may speak another, and a version that only adds a code writes the bytes of the one before.

use super::canonical;
use super::parse::{SchemaFault, Type, Types, unqualified};
use super::resolve::{self, Node};
use super::schema::schema_of;
use crate::EventType;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A writer's schema resolved against the contract.
#[derive(Debug)]
pub struct WriterSchema {
    kind: EventType,
    types: Types,
    /// By version of the type, from the first.
    plans: Vec<Result<Plan, SchemaFault>>,
}

/// How to read what was written with a schema as one version of its type.
#[derive(Debug)]
pub(crate) struct Plan {
    pub root: Node,
    /// Whether the schema is the contract's own of this version: the same in Parsing Canonical Form, so the same bytes.
    pub as_contract: bool,
}

/// A schema of the contract's.
struct Own {
    types: Types,
    root: Node,
    canonical: String,
}

/// By type and version.
static CONTRACT: LazyLock<Vec<Vec<Own>>> = LazyLock::new(|| {
    let of = |kind: &EventType| (1..=kind.newest()).map(|version| own(*kind, version)).collect();
    EventType::ALL.iter().map(of).collect()
});

fn own(kind: EventType, version: u16) -> Own {
    let types = Types::of(&schema_of(kind, version)).expect("schemas of the contract are Avro schemas, by test");
    let root = resolve::resolve((&types, types.root), (&types, types.root), "");
    Own { root: root.expect("a schema resolves against itself"), canonical: canonical::of(&types), types }
}

/// The contract's own schema of a version that there is, and how to read what it wrote.
pub(crate) fn of_contract(kind: EventType, version: u16) -> (&'static Types, &'static Node) {
    let own = &CONTRACT[kind as usize][usize::from(version) - 1];
    (&own.types, &own.root)
}

impl WriterSchema {
    /// Makes the text of a schema ready. Its record's name says which event type it is of.
    ///
    /// # Errors
    /// The text is no Avro schema, or what was written with it cannot be read as any version of the contract: told once,
    /// here, and not for each message.
    pub fn compile(text: &str) -> Result<Self, SchemaFault> {
        let types = Types::parse(text)?;
        let kind = kind_of(&types).ok_or_else(|| {
            SchemaFault::new(
                "the schema",
                "a record with the name of one of the contract's is expected (schemas/<type>/v1.avsc); register that \
                 schema, or one that Avro resolves to it",
            )
        })?;
        let canonical = canonical::of(&types);
        let plan = |own: &Own| -> Result<Plan, SchemaFault> {
            let root = resolve::resolve((&types, types.root), (&own.types, own.types.root), "")?;
            Ok(Plan { root, as_contract: own.canonical == canonical })
        };
        let plans: Vec<_> = CONTRACT[kind as usize].iter().map(plan).collect();
        match plans.iter().rev().find_map(|plan| plan.as_ref().err()) {
            Some(fault) if plans.iter().all(Result::is_err) => Err(fault.clone()),
            _ => Ok(Self { kind, types, plans }),
        }
    }

    /// The event type of which it is a schema.
    pub const fn kind(&self) -> EventType {
        self.kind
    }

    /// Whether it is the contract's own of a version: the same in Parsing Canonical Form, so the same bytes.
    pub fn is_the_contracts(&self, version: u16) -> bool {
        self.plan(version).is_ok_and(|plan| plan.as_contract)
    }

    pub(crate) const fn types(&self) -> &Types {
        &self.types
    }

    /// How to read it as a version that there is.
    pub(crate) fn plan(&self, version: u16) -> Result<&Plan, &SchemaFault> {
        self.plans[usize::from(version) - 1].as_ref()
    }
}

fn kind_of(types: &Types) -> Option<EventType> {
    let Type::Record { name, .. } = types.get(types.root) else { return None };
    let is = |own: &Own| match own.types.get(own.types.root) {
        Type::Record { name: own, aliases, .. } => unqualified(own) == unqualified(name) || aliases.contains(name),
        _ => false,
    };
    EventType::ALL.iter().copied().find(|kind| CONTRACT[*kind as usize].iter().any(is))
}

/// The writer's schemas that are known, by their id in the registry. An id's schema never changes.
#[derive(Debug, Clone, Default)]
pub struct WriterSchemas(HashMap<u32, Result<Arc<WriterSchema>, SchemaFault>>);

impl WriterSchemas {
    /// Adds the schema of an id.
    ///
    /// # Errors
    /// As [`WriterSchema::compile`]; the id is known all the same, and its messages are refused with this reason.
    pub fn insert(&mut self, id: u32, text: &str) -> Result<(), SchemaFault> {
        let compiled = WriterSchema::compile(text).map(Arc::new);
        let told = compiled.as_ref().map(drop).map_err(Clone::clone);
        self.0.insert(id, compiled);
        told
    }

    /// Whether the id's schema is known, be it usable or not.
    pub fn knows(&self, id: u32) -> bool {
        self.0.contains_key(&id)
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Result<Arc<WriterSchema>, SchemaFault>> {
        self.0.get(&id)
    }
}
