//! The AsyncAPI 3.0 document: which topics there are, who sends to them, which messages they carry. Schemas are not repeated:
//! the document refers to the files beside it.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{Contract, EventType};

/// Its file under `schemas/`.
pub const FILE: &str = "asyncapi.yaml";

/// The document as YAML.
pub fn text(contract: &Contract) -> Result<String> {
    let head = "# Made by `cargo xtask contracts --write` from the files beside it; a test compares.\n";
    Ok(format!("{head}{}", serde_norway::to_string(&document(contract)?)?))
}

fn document(contract: &Contract) -> Result<Value> {
    let mut messages = Map::new();
    for (name, kind) in &contract.types {
        let (newest, _) = kind.newest()?;
        messages.extend(kind.schemas.keys().map(|version| message(name, kind, *version, newest)));
    }
    let of_channel: Map<String, Value> = messages
        .keys()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    let sent: Vec<Value> =
        messages.keys().map(|name| json!({ "$ref": format!("#/channels/events/messages/{name}") })).collect();
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Amanat: case events of agencies",
            "version": "1",
            "description": "Events on trafficking in persons, as agencies publish them. CloudEvents 1.0: in binary mode the attributes are headers and the value is the data; in structured mode the value is one JSON object with the event in `data` (schema ./envelope/v1.json). No field holds free text, a name, a number or an address.",
            "license": { "name": "Apache-2.0" }
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "tip.events.{agency}.v1",
                "description": "One topic per agency. Only that agency writes to it.",
                "parameters": { "agency": { "description": "Code of the agency, such as POL-PB." } },
                "messages": of_channel
            }
        },
        "operations": {
            "publish": {
                "action": "receive",
                "summary": "Amanat ingests what the agency sends, each event once.",
                "channel": { "$ref": "#/channels/events" },
                "messages": sent
            }
        },
        "components": { "messages": messages, "schemas": { "headers": headers(contract) } }
    }))
}

/// The message of a version of a type; of those before the newest the key and the title say which.
fn message(name: &str, kind: &EventType, version: u32, newest: u32) -> (String, Value) {
    let (key, title) = if version == newest {
        (key(name), name.to_owned())
    } else {
        (format!("{}_v{version}", key(name)), format!("{name}, version {version}"))
    };
    let mut message = json!({
        "name": format!("pk.tip.{name}"),
        "title": title,
        "contentType": "application/json",
        "headers": { "$ref": "#/components/schemas/headers" },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": { "$ref": format!("./{name}/v{version}.json") }
        },
        "x-dataschema": kind.schemas[&version]["$id"]
    });
    if kind.avro.contains_key(&version) {
        message["x-avro"] = format!("./{name}/v{version}.avsc").into();
    }
    (key, message)
}

/// The attributes of the envelope as headers of binary mode.
fn headers(contract: &Contract) -> Value {
    let envelope = &contract.envelope;
    let attributes = envelope["properties"].as_object().into_iter().flatten();
    let attributes = attributes
        .filter(|(name, _)| !["data", "data_base64", "datacontenttype", "type", "dataschema"].contains(&name.as_str()));
    let mut properties: Map<String, Value> =
        attributes.map(|(name, schema)| (format!("ce_{name}"), schema.clone())).collect();
    properties.insert("ce_type".into(), json!({ "type": "string", "description": "The message's name." }));
    properties
        .insert("ce_dataschema".into(), json!({ "type": "string", "description": "The message's x-dataschema." }));
    properties.insert("content-type".into(), json!({ "const": "application/json" }));
    let required = envelope["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let required: Vec<String> = required.filter(|name| *name != "data").map(|name| format!("ce_{name}")).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The key of a message: AsyncAPI permits dots, its tools not everywhere.
fn key(name: &str) -> String {
    name.replace('.', "_")
}
