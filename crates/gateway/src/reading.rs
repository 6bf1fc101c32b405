//! From text to something that can be compared: one type for all languages.

use serde_json::Value;

use crate::avro::{self, AvroSchema, Definitions, Effort, SchemaFault};
use crate::schema::{Draft, SchemaType};

/// A schema that has been read: comparable, and complete in itself.
#[derive(Debug, Clone)]
pub enum Readable {
    /// Apache Avro.
    Avro(AvroSchema),
    /// JSON Schema, with its attributes in order.
    Json(Value),
}

impl Readable {
    /// Reads a draft; `definitions` are the named types of what it refers to.
    pub fn read(draft: &Draft, definitions: &Definitions) -> Result<Self, SchemaFault> {
        match draft.schema_type {
            SchemaType::Avro => avro::read(&draft.text, definitions).map(Self::Avro),
            SchemaType::Json => json(&draft.text).map(Self::Json),
        }
    }

    /// The same for schemas that differ in layout alone.
    pub fn canonical(&self) -> String {
        match self {
            Self::Avro(schema) => schema.canonical(),
            Self::Json(value) => value.to_string(),
        }
    }

    /// Why this cannot read what `writer` writes; nothing when it can.
    pub fn cannot_read(&self, writer: &Self, effort: &mut Effort) -> Vec<String> {
        match (writer, self) {
            (Self::Avro(writer), Self::Avro(reader)) => match avro::differences(writer, reader, effort) {
                Ok(differences) => differences,
                Err(intricate) => vec![intricate.to_string()],
            },
            (Self::Json(writer), Self::Json(reader)) if writer == reader => Vec::new(),
            (Self::Json(_), Self::Json(_)) => vec![
                "two JSON Schemas are compatible here only when they say the same; the level NONE of the subject permits any"
                    .into(),
            ],
            _ => vec!["the schemas are of different types (AVRO and JSON)".into()],
        }
    }
}

/// A JSON Schema: an object or a boolean, by its meta-schema where that is one of the two common ones.
fn json(text: &str) -> Result<Value, SchemaFault> {
    let value: Value = serde_json::from_str(text).map_err(|error| SchemaFault::whole(format!("not JSON: {error}")))?;
    let declared = value.get("$schema").and_then(Value::as_str).unwrap_or("").trim_end_matches('#');
    let fault = match declared {
        "http://json-schema.org/draft-07/schema" => jsonschema::draft7::meta::validate(&value).err(),
        "" | "https://json-schema.org/draft/2020-12/schema" => jsonschema::draft202012::meta::validate(&value).err(),
        _ if value.is_object() => None,
        _ => return Err(SchemaFault::whole("a JSON Schema is an object or a boolean")),
    };
    match fault {
        Some(fault) => Err(SchemaFault {
            place: format!("/{}", fault.instance_path().as_str().trim_start_matches('/')),
            what: "not as the meta-schema of JSON Schema says".into(),
        }),
        None => Ok(avro::sorted_value(&value)),
    }
}
