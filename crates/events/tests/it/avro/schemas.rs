//! What the contract's schemas are, and which writers' schemas they take.

use super::make::{self, Dice};
use super::{Sent, framed};
use events::avro::{WriterSchema, WriterSchemas, canonical_form};
use events::{EventType, FaultDetail, avro};
use proptest::prelude::*;
use serde_json::{Value, json};

fn compile(schema: &Value) -> Result<WriterSchema, String> {
    WriterSchema::compile(&schema.to_string()).map_err(|fault| fault.to_string())
}

fn victim() -> Value {
    avro::schema_of(EventType::VictimIdentified, EventType::VictimIdentified.newest())
}

fn field<'a>(schema: &'a mut Value, name: &str) -> &'a mut Value {
    schema["fields"].as_array_mut().unwrap().iter_mut().find(|f| f["name"] == name).unwrap()
}

#[test]
fn each_contract_is_its_own_writer() {
    for kind in EventType::ALL {
        let schema = compile(&avro::schema_of(*kind, kind.newest())).unwrap();
        assert_eq!((schema.kind(), schema.is_the_contracts(kind.newest())), (*kind, true));
    }
}

#[test]
fn the_canonical_form_is_that_of_another_library() {
    for kind in EventType::ALL {
        let text = avro::schema_of(*kind, kind.newest()).to_string();
        let other = apache_avro::Schema::parse_str(&text).unwrap();
        assert_eq!(canonical_form(&text).unwrap(), other.canonical_form(), "{kind}");
    }
}

#[test]
fn a_namespace_is_a_name_and_one_within_another_is_told() {
    let told = |namespace: &str, inner: &str| {
        let inner = json!({ "type": "record", "name": "Inner", "namespace": inner, "fields": [] });
        let field = json!({ "name": "inner", "type": inner });
        let outer = json!({ "type": "record", "name": "Outer", "namespace": namespace, "fields": [field] });
        canonical_form(&outer.to_string()).map_err(|fault| fault.to_string())
    };
    let written = told("pk", "pk.own").unwrap();
    assert_eq!(canonical_form(&written).as_ref(), Ok(&written));
    assert!(told("", "").is_ok());
    assert!(told("&k.tip", "pk").unwrap_err().contains("names with dots"));
    assert!(told("pk", "").unwrap_err().contains("a namespace is expected"));
}

#[test]
fn a_schema_with_other_documentation_is_still_the_contracts() {
    let mut schema = victim();
    schema["doc"] = json!("Something else.");
    schema["fields"][0]["doc"] = Value::Null;
    schema["fields"][1]["type"] = json!({ "type": "string", "avro.java.string": "String" });
    assert!(compile(&schema).unwrap().is_the_contracts(3));
}

#[test]
fn a_code_may_be_added_without_another_schema() {
    let text = canonical_form(&victim().to_string()).unwrap();
    assert!(!text.contains("enum"), "codes are strings: {text}");
}

#[test]
fn a_schema_without_a_required_field_is_refused_once_and_by_name() {
    let mut schema = victim();
    schema["fields"].as_array_mut().unwrap().retain(|f| f["name"] != "sex");
    let told = compile(&schema).unwrap_err();
    assert_eq!(told, "field sex: the contract requires this field, and the writer's schema lacks it; add it");
}

#[test]
fn a_schema_with_a_field_of_another_type_is_refused_by_name() {
    let mut schema = victim();
    field(&mut schema, "age_band")["type"] = json!("int");
    let told = compile(&schema).unwrap_err();
    assert_eq!(told, "field age_band: a string or bytes is expected; take the type from the contract's schema");
    let mut schema = victim();
    field(&mut schema, "person")["type"]["items"]["fields"][1]["type"] = json!("double");
    assert!(compile(&schema).unwrap_err().starts_with("field person.token: a string"));
}

#[test]
fn a_schema_of_no_contract_is_refused() {
    for text in [
        r#"{"type":"record","name":"Order","fields":[]}"#,
        r#""string""#,
        r#"["null","string"]"#,
        "{}",
        "",
        "not JSON",
        r#"{"type":"record","name":"pk.tip.VictimIdentified"}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":"Unknown"}]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
        r#"{"type":"array","items":[[]]}"#,
    ] {
        assert!(WriterSchema::compile(text).is_err(), "{text}");
    }
    let deep = format!("{}\"string\"{}", r#"{"type":"array","items":"#.repeat(10_000), "}".repeat(10_000));
    assert!(WriterSchema::compile(&deep).is_err());
}

#[test]
fn an_id_whose_schema_cannot_be_used_is_known_and_refuses_its_messages() {
    let mut schemas = WriterSchemas::default();
    assert!(!schemas.knows(7));
    assert!(schemas.insert(7, r#"{"type":"record","name":"Order","fields":[]}"#).is_err());
    assert!(schemas.knows(7));
    let sent = Sent::avro(EventType::ReportNil, 7, &[]);
    assert_eq!(sent.schema_id(), Some(7));
    let fault = sent.decode(&schemas, |read| read.unwrap_err());
    assert_eq!(fault.detail, FaultDetail::SchemaNotUsable);
    assert!(fault.place.contains("schema 7"), "{fault}");
}

#[test]
fn a_recursive_schema_is_read_and_its_depth_bounded() {
    let mut schema = avro::schema_of(EventType::ReportNil, EventType::ReportNil.newest());
    let chain = json!({ "name": "chain", "type": { "type": "record", "name": "Chain", "fields": [
        { "name": "next", "type": ["null", "Chain"] }
    ] } });
    schema["fields"].as_array_mut().unwrap().push(chain);
    let mut schemas = WriterSchemas::default();
    schemas.insert(1, &schema.to_string()).unwrap();
    let chain = |links: usize| {
        let mut body = nil_report();
        body.extend(std::iter::repeat_n(2, links));
        body.push(0);
        Sent::avro(EventType::ReportNil, 1, &body)
    };
    chain(2).decode(&schemas, |read| assert_eq!(read.unwrap().ignored_attributes, 1));
    let fault = chain(1_000).decode(&schemas, |read| read.unwrap_err());
    assert_eq!(fault.detail, FaultDetail::TooDeep);
}

/// Version 1, the year 2024, cases.
fn nil_report() -> Vec<u8> {
    b"\x02\x082024\x0acases".to_vec()
}

/// Records within records that take no bytes: the work must not double with each.
#[test]
fn a_schema_of_many_records_without_bytes_costs_nothing() {
    let mut schema = avro::schema_of(EventType::ReportNil, EventType::ReportNil.newest());
    let fields = schema["fields"].as_array_mut().unwrap();
    for i in 0..40 {
        let of = if i == 0 { json!("null") } else { json!(format!("E{}", i - 1)) };
        let inner = json!([{ "name": "a", "type": of }, { "name": "b", "type": of }]);
        fields.push(
            json!({ "name": format!("e{i}"), "type": { "type": "record", "name": format!("E{i}"), "fields": inner } }),
        );
    }
    fields.push(json!({ "name": "many", "type": { "type": "array", "items": "E39" } }));
    let mut schemas = WriterSchemas::default();
    schemas.insert(1, &schema.to_string()).unwrap();
    let mut body = nil_report();
    // A block of 2^62 items of no bytes, then the end.
    body.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00]);
    Sent::avro(EventType::ReportNil, 1, &body)
        .decode(&schemas, |read| assert_eq!(read.unwrap().ignored_attributes, 41));
}

#[test]
fn media_types_of_avro_and_confluents_framing_without_one_are_recognised() {
    let mut dice = Dice(5);
    let data = make::data(EventType::VictimReturned, &mut dice);
    let schema = avro::schema_of(EventType::VictimReturned, EventType::VictimReturned.newest());
    let value = make::avro_value(&schema, Some(&data), &mut dice);
    let parsed = apache_avro::Schema::parse_str(&schema.to_string()).unwrap();
    let value = framed(17, &apache_avro::to_avro_datum(&parsed, value).unwrap());
    for media in [
        None,
        Some("application/avro"),
        Some("application/vnd.confluent.avro; version=1"),
        Some("application/vnd.kafka.v2+avro"),
        Some("application/octet-stream"),
    ] {
        assert_eq!(Sent::new(EventType::VictimReturned, media, value.clone()).schema_id(), Some(17), "{media:?}");
    }
    for media in ["application/json", "application/cloudevents+json"] {
        assert_eq!(Sent::new(EventType::VictimReturned, Some(media), value.clone()).schema_id(), None, "{media}");
    }
    let mut bad = Sent::new(EventType::VictimReturned, None, value);
    bad.headers[1].1 = b"no uuid".to_vec();
    assert_eq!(bad.schema_id(), None, "a message with a bad envelope is refused whatever its schema is");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_canonical_form_of_any_writer_is_that_of_another_library(seed: u64) {
        let mut dice = Dice(seed);
        let kind = *dice.pick(EventType::ALL);
        let mut data = make::data(kind, &mut dice);
        let text = make::writer(kind, &mut data, &mut dice).to_string();
        let other = apache_avro::Schema::parse_str(&text).unwrap();
        prop_assert_eq!(canonical_form(&text).unwrap(), other.canonical_form());
    }

    #[test]
    fn any_text_is_a_schema_or_a_fault(text in ".{0,200}") {
        let _ = WriterSchema::compile(&text);
    }
}
