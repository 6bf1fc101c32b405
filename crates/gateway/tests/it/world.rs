//! A registry in a folder of its own, and the schemas of a small invented contract.

use gateway::{BuiltIn, Draft, Registry};
use tempfile::TempDir;

/// A registry that ends with its folder.
pub struct World {
    pub registry: Registry,
    pub folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(built_in: &[BuiltIn]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&folder.path().join("gateway.db"), built_in).unwrap();
        Self { registry, folder }
    }

    /// The same file, opened once more, as by another process.
    pub fn again(&self) -> Registry {
        Registry::open(&self.folder.path().join("gateway.db"), &[]).unwrap()
    }
}

/// A record `pk.tip.Seen` with these fields.
pub fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"Seen","namespace":"pk.tip","fields":[{fields}]}}"#)
}

pub fn draft(fields: &str) -> Draft {
    Draft::avro(record(fields))
}

pub const ID: &str = r#"{"name":"id","type":"string"}"#;
pub const COUNT: &str = r#"{"name":"count","type":"int"}"#;
pub const COUNT_DEFAULT: &str = r#"{"name":"count","type":"int","default":0}"#;
