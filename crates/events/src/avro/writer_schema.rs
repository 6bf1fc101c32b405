//! A writer's schema, made ready once: which contract it is of, and how to read what was written with it.

use super::parse::{SchemaFault, Type, Types, unqualified};
use super::resolve::{self, Node};
use super::{canonical, schema};
use crate::EventType;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A writer's schema resolved against the contract.
#[derive(Debug)]
pub struct WriterSchema {
    kind: EventType,
    as_contract: bool,
    pub(crate) types: Types,
    pub(crate) root: Node,
}

static CONTRACT: LazyLock<Vec<WriterSchema>> = LazyLock::new(|| EventType::ALL.iter().map(|kind| own(*kind)).collect());

fn own_types(kind: EventType) -> Types {
    Types::of(&schema::schema_of(kind)).expect("schemas of the contract are Avro schemas, by test")
}

fn own(kind: EventType) -> WriterSchema {
    let types = own_types(kind);
    let root = resolve::resolve((&types, types.root), (&types, types.root), "");
    WriterSchema { kind, as_contract: true, root: root.expect("a schema resolves against itself"), types }
}

impl WriterSchema {
    /// Makes the text of a schema ready. Its record's name says which event type it is of.
    ///
    /// # Errors
    /// The text is no Avro schema, or what was written with it cannot be read under the contract: told once, here, and
    /// not for each message.
    pub fn compile(text: &str) -> Result<Self, SchemaFault> {
        Self::of(Types::parse(text)?)
    }

    fn of(types: Types) -> Result<Self, SchemaFault> {
        let contract = contract_of(&types).ok_or_else(|| {
            SchemaFault::new(
                "the schema",
                "a record with the name of one of the contract's is expected (schemas/<type>/v1.avsc); register that \
                 schema, or one that Avro resolves to it",
            )
        })?;
        if canonical::of(&types) == canonical::of(&contract.types) {
            return Ok(own(contract.kind));
        }
        let root = resolve::resolve((&types, types.root), (&contract.types, contract.types.root), "")?;
        Ok(Self { kind: contract.kind, as_contract: false, types, root })
    }

    /// The contract's own schema of a type, version 1.
    pub(crate) fn of_contract(kind: EventType) -> &'static Self {
        &CONTRACT[EventType::ALL.iter().position(|k| *k == kind).expect("ALL has every type")]
    }

    /// The event type of which it is a schema.
    pub const fn kind(&self) -> EventType {
        self.kind
    }

    /// Whether it is the contract's own: the same in Parsing Canonical Form, so the same bytes.
    pub const fn is_the_contracts(&self) -> bool {
        self.as_contract
    }
}

fn contract_of(types: &Types) -> Option<&'static WriterSchema> {
    let Type::Record { name, .. } = types.get(types.root) else { return None };
    CONTRACT.iter().find(|contract| match contract.types.get(contract.types.root) {
        Type::Record { name: own, aliases, .. } => unqualified(own) == unqualified(name) || aliases.contains(name),
        _ => false,
    })
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
