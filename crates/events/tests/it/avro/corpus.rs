//! Messages that once were, or might be, trouble: `tests/corpus/avro/*.json`, each with what must come of it.

use super::{Sent, contract_up_to, id_of};
use events::avro::WriterSchemas;
use events::{EventType, avro};
use serde_json::Value;
use std::path::PathBuf;

#[test]
fn each_message_of_the_corpus_comes_to_what_it_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/avro");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let kind = EventType::from_name(case["type"].as_str().unwrap()).unwrap();
        let (schemas, id) = schemas_of(&case, kind);
        let body = bytes(case["hex"].as_str().unwrap());
        let came = Sent::avro(kind, id, &body).of_version(kind, 1).decode(&schemas, |read| match read {
            Ok(_) => "event".to_owned(),
            Err(fault) => format!("{} {} {}", fault.class.as_str(), fault.detail.as_str(), fault.place),
        });
        assert_eq!(came, case["comes_to"].as_str().unwrap(), "{name}: {}", case["note"]);
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

/// The contract's schemas, or the one of the case: the contract's with more fields.
fn schemas_of(case: &Value, kind: EventType) -> (WriterSchemas, u32) {
    let Some(more) = case["more_fields"].as_array() else { return (contract_up_to(1), id_of(kind)) };
    let mut schema = avro::schema_of(kind, 1);
    schema["fields"].as_array_mut().unwrap().extend(more.iter().cloned());
    let mut schemas = WriterSchemas::default();
    schemas.insert(1, &schema.to_string()).unwrap();
    (schemas, 1)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
