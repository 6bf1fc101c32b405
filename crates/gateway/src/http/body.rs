//! Bodies of requests and answers.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::avro::SchemaFault;
use crate::error::RegistryError;
use crate::http::problem::Problem;
use crate::schema::{Draft, Level, Reference, Schema, SchemaType, Version};

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(&format!("The body is not as it must be: {error}")))
}

fn whole(sent: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    sent.map_err(|rejection| Problem::of_body(rejection.status()))
}

/// A schema in a request. What newer clients add is tolerated as long as it asks for nothing that is not done here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    schema: String,
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
    metadata: Option<Value>,
    rule_set: Option<Value>,
    id: Option<i64>,
}

impl Asked {
    pub(super) fn read(sent: Result<Bytes, BytesRejection>) -> Result<Self, Problem> {
        read(&whole(sent)?)
    }

    /// An id of the sender's choice is for the import of another registry.
    pub(super) fn refuse_id(&self) -> Result<(), Problem> {
        match self.id {
            Some(id) if id > 0 => {
                Err(RegistryError::NotPermitted("ids are given by this registry; leave `id` out.".into()).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn draft(self) -> Result<Draft, Problem> {
        let refuse = |what: &str| Err(RegistryError::from(SchemaFault::whole(what)).into());
        let Some(schema_type) = SchemaType::of(self.schema_type.as_deref().unwrap_or("AVRO")) else {
            return refuse("this registry takes the schema types AVRO and JSON; PROTOBUF and others are not supported");
        };
        let says_something = |value: &Option<Value>| value.as_ref().is_some_and(|value| !is_empty(value));
        if says_something(&self.metadata) || says_something(&self.rule_set) {
            return refuse("`metadata` and `ruleSet` (data contracts) are not supported; leave them out");
        }
        Ok(Draft { schema_type, text: self.schema, references: self.references.unwrap_or_default() })
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => object.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A level in a request.
#[derive(Deserialize)]
pub(super) struct LevelBody {
    compatibility: Option<String>,
}

impl LevelBody {
    pub(super) fn read(sent: Result<Bytes, BytesRejection>) -> Result<Level, Problem> {
        let named = read::<Self>(&whole(sent)?)?.compatibility.unwrap_or_default();
        named.parse().map_err(|()| RegistryError::InvalidLevel(named.chars().take(40).collect()).into())
    }
}

/// A schema without its subject. The type is left out for Avro, as Confluent does for clients that know no other.
pub(super) fn schema_json(schema: &Schema) -> Value {
    let mut answer = json!({});
    if schema.draft.schema_type != SchemaType::Avro {
        answer["schemaType"] = schema.draft.schema_type.name().into();
    }
    if !schema.draft.references.is_empty() {
        answer["references"] = json!(schema.draft.references);
    }
    answer["schema"] = schema.draft.text.as_str().into();
    answer
}

/// A version with its subject.
pub(super) fn version_json(version: &Version) -> Value {
    let mut answer = json!({ "subject": version.subject, "version": version.version, "id": version.schema.id });
    if let (Value::Object(answer), Value::Object(schema)) = (&mut answer, schema_json(&version.schema)) {
        answer.extend(schema);
    }
    answer
}
