//! Random events, written by `apache-avro`: read here they say what the same events say in JSON; `arrow-avro` reads the
//! same values.

use super::make::{self, Dice};
use super::{Sent, contract, framed, id_of, said};
use apache_avro::Schema;
use arrow_avro::reader::ReaderBuilder;
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use events::avro::WriterSchemas;
use events::encode::{self, Draft};
use events::{EventType, avro};
use proptest::prelude::*;
use serde_json::Value;

fn datum(schema: &Value, data: &Value, dice: &mut Dice) -> Vec<u8> {
    let parsed = Schema::parse_str(&schema.to_string()).unwrap();
    apache_avro::to_avro_datum(&parsed, make::avro_value(schema, Some(data), dice)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn an_event_written_with_the_contracts_schema_is_the_same_event(seed: u64) {
        let mut dice = Dice(seed);
        let kind = *dice.pick(EventType::ALL);
        let data = make::data(kind, &mut dice);
        let body = datum(&avro::schema_of(kind, kind.newest()), &data, &mut dice);
        let in_json = Sent::json(kind, &data).decode(&contract(), |read| said(&read.unwrap()));
        let sent = Sent::avro(kind, id_of(kind), &body);
        prop_assert_eq!(sent.schema_id(), Some(id_of(kind)));
        sent.decode(&contract(), |read| {
            let event = read.unwrap();
            assert_eq!(said(&event), in_json);
            assert_eq!(event.ignored_attributes, 0);
            assert_eq!(event.form, avro::Form::Avro { kept: true });
        });
    }

    #[test]
    fn an_event_written_with_another_schema_is_the_same_event(seed: u64) {
        let mut dice = Dice(seed);
        let kind = *dice.pick(EventType::ALL);
        let mut data = make::data(kind, &mut dice);
        let schema = make::writer(kind, &mut data, &mut dice);
        let body = datum(&schema, &data, &mut dice);
        let mut schemas = WriterSchemas::default();
        schemas.insert(9, &schema.to_string()).unwrap();
        let in_json = Sent::json(kind, &data).decode(&contract(), |read| said(&read.unwrap()));
        Sent::avro(kind, 9, &body).decode(&schemas, |read| assert_eq!(said(&read.unwrap()), in_json));
        // And another library resolves it to the same value.
        let (writer, reader) = (schema.to_string(), avro::schema_of(kind, kind.newest()).to_string());
        let (writer, reader) = (Schema::parse_str(&writer).unwrap(), Schema::parse_str(&reader).unwrap());
        let theirs = apache_avro::from_avro_datum(&writer, &mut body.as_slice(), None).unwrap();
        if let Ok(theirs) = theirs.resolve(&reader) {
            let ours = make::avro_value(&avro::schema_of(kind, kind.newest()), Some(&data), &mut dice);
            if kind != EventType::RecordCorrected {
                prop_assert_eq!(theirs, ours.resolve(&reader).unwrap());
            }
        }
    }

    #[test]
    fn an_event_written_here_is_what_another_library_writes(seed: u64) {
        let mut dice = Dice(seed);
        let kind = *dice.pick(EventType::ALL);
        let data = make::data(kind, &mut dice);
        let body = datum(&avro::schema_of(kind, kind.newest()), &data, &mut dice);
        Sent::json(kind, &data).decode(&contract(), |read| {
            let event = read.unwrap();
            let person: Vec<_> = event.tokens.iter().map(|t| (t.kind, t.token)).collect();
            let draft = Draft::of(&event, &person);
            let mut ours = Vec::new();
            encode::data_avro(&draft, &mut ours);
            assert_eq!(ours, body);
            assert_eq!(encode::avro_of(&event, 300).value, framed(300, &body));
        });
    }
}

/// Many events of one type in one decoder; null is absence.
#[test]
fn arrow_avro_reads_the_same_values() {
    // It has no JSON of a union, so of a correction only the other fields are compared.
    for kind in EventType::ALL {
        let schema = avro::schema_of(*kind, kind.newest());
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        store.set(Fingerprint::Id(id_of(*kind)), AvroSchema::new(schema.to_string())).unwrap();
        let mut decoder =
            ReaderBuilder::new().with_writer_schema_store(store).with_batch_size(64).build_decoder().unwrap();
        let mut dice = Dice(id_of(*kind).into());
        let mut all = Vec::new();
        for _ in 0..64 {
            let data = make::data(*kind, &mut dice);
            let sent = Sent::avro(*kind, id_of(*kind), &datum(&schema, &data, &mut dice));
            sent.decode(&contract(), |read| drop(read.unwrap()));
            assert_eq!(decoder.decode(&sent.value).unwrap(), sent.value.len());
            all.push(data);
        }
        let mut batch = decoder.flush().unwrap().unwrap();
        if let Ok(fields) = batch.schema().index_of("fields") {
            batch.remove_column(fields);
            for data in &mut all {
                data.as_object_mut().unwrap().remove("fields");
            }
        }
        let mut writer = arrow::json::ArrayWriter::new(Vec::new());
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&writer.into_inner()).unwrap();
        assert_eq!(rows, all, "{kind}");
    }
}
