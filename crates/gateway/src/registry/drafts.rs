//! What a draft says, and what it takes from the schemas that it refers to.

use rusqlite::Connection;

use super::rows;
use crate::avro::Definitions;
use crate::error::{RegistryError, Result};
use crate::reading::Readable;
use crate::schema::{Draft, MAX_REFERENCES, MAX_SCHEMA_BYTES, SchemaType, Which};

/// Deepest chain of schemas that refer to each other.
const MAX_REFERENCE_DEPTH: usize = 8;

/// How much of other schemas was read for one.
#[derive(Default)]
pub(super) struct Followed {
    /// How many.
    pub references: usize,
    /// Their length together.
    pub bytes: usize,
}

/// Names a schema by what it says: its language, its canonical form, what it refers to.
pub(super) fn digest(draft: &Draft, readable: &Readable) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let references: Vec<String> =
        draft.references.iter().map(|of| format!("{}\0{}\0{}", of.name, of.subject, of.version)).collect();
    for part in [draft.schema_type.name(), &readable.canonical(), &references.join("\u{1}")] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// The named types of what a draft refers to, and of what that refers to.
pub(super) fn definitions(
    connection: &Connection,
    draft: &Draft,
    depth: usize,
    followed: &mut Followed,
) -> Result<Definitions> {
    let mut found = Definitions::new();
    for reference in &draft.references {
        let refuse = |what| {
            let place = format!("'{}' version {}", reference.subject, reference.version);
            Err(RegistryError::InvalidReference { place, what })
        };
        followed.references += 1;
        if draft.schema_type != SchemaType::Avro {
            return refuse("is not supported in JSON Schema; write the definitions into `$defs`");
        }
        if depth >= MAX_REFERENCE_DEPTH || followed.references > MAX_REFERENCES {
            return refuse("is one too many: at most 32 in all and 8 deep");
        }
        let Some(version) = rows::version(connection, &reference.subject, Which::Number(reference.version))? else {
            return refuse("is not registered");
        };
        if version.schema.draft.schema_type != SchemaType::Avro {
            return refuse("is not an Avro schema");
        }
        followed.bytes += version.schema.draft.text.len();
        if followed.bytes > MAX_SCHEMA_BYTES {
            return refuse("makes it too large: what it refers to may have 512 KiB in all");
        }
        let definitions = definitions(connection, &version.schema.draft, depth + 1, followed)?;
        let Readable::Avro(schema) = Readable::read(&version.schema.draft, &definitions)? else { continue };
        schema.define(&mut found);
        if !found.contains_key(&reference.name) {
            return refuse("does not define the type that it names");
        }
    }
    Ok(found)
}
