//! Bytes that nobody should send: always a fault with place and remedy, or an event; never a panic, never a value in words.

use super::make::{self, Dice};
use super::{Sent, contract, id_of};
use apache_avro::types::Value as Avro;
use events::avro::WriterSchemas;
use events::{EventType, FaultClass, FaultDetail, avro};
use proptest::prelude::*;

/// A message and the schema it was written with.
fn written(seed: u64) -> (EventType, WriterSchemas, Vec<u8>) {
    let mut dice = Dice(seed);
    let kind = *dice.pick(EventType::ALL);
    let mut data = make::data(kind, &mut dice);
    let schema =
        if dice.flag() { avro::schema_of(kind, kind.newest()) } else { make::writer(kind, &mut data, &mut dice) };
    let mut schemas = WriterSchemas::default();
    schemas.insert(1, &schema.to_string()).unwrap();
    let parsed = apache_avro::Schema::parse_str(&schema.to_string()).unwrap();
    let value = make::avro_value(&schema, Some(&data), &mut dice);
    (kind, schemas, apache_avro::to_avro_datum(&parsed, value).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_message_cut_anywhere_is_broken(seed: u64) {
        let (kind, schemas, body) = written(seed);
        for end in 0..body.len() {
            let fault = Sent::avro(kind, 1, &body[..end]).decode(&schemas, |read| read.unwrap_err());
            prop_assert_eq!(fault.class, FaultClass::Parse, "cut at {}: {}", end, fault);
        }
    }

    #[test]
    fn a_message_with_more_behind_it_is_broken(seed: u64, more in proptest::collection::vec(any::<u8>(), 1..20)) {
        let (kind, schemas, mut body) = written(seed);
        body.extend(more);
        let fault = Sent::avro(kind, 1, &body).decode(&schemas, |read| read.unwrap_err());
        prop_assert_eq!((fault.class, fault.detail), (FaultClass::Parse, FaultDetail::SecondDocument));
    }

    #[test]
    fn a_message_with_any_bit_turned_is_an_event_or_a_fault_that_quotes_nothing(seed: u64) {
        let (kind, schemas, body) = written(seed);
        for bit in 0..body.len() * 8 {
            let mut body = body.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            Sent::avro(kind, 1, &body).decode(&schemas, |read| if let Err(fault) = read {
                let words = fault.to_string();
                assert!(!words.contains("kqwz") && !words.contains("made up"), "{words}");
            });
        }
    }

    #[test]
    fn any_bytes_are_an_event_or_a_fault(seed: u64, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (kind, schemas, _) = written(seed);
        let _ = Sent::avro(kind, 1, &body).decode(&schemas, |read| read.is_ok());
        let mut stored = vec![0; 5];
        stored.extend(&body);
        let _ = events::decode_sealed(kind, kind.newest(), &stored);
        stored[0] = 1;
        let _ = events::decode_sealed(kind, kind.newest(), &stored);
    }

    #[test]
    fn bytes_put_in_anywhere_make_an_event_or_a_fault(
        seed: u64, at: usize, more in proptest::collection::vec(any::<u8>(), 1..12)
    ) {
        let (kind, schemas, mut body) = written(seed);
        let at = at % (body.len() + 1);
        body.splice(at..at, more);
        let _ = Sent::avro(kind, 1, &body).decode(&schemas, |read| read.is_ok());
    }
}

#[test]
fn a_fault_names_the_field_and_the_byte() {
    let kind = EventType::VictimReturned;
    let body = b"\x02\x082024\x02\x10document\x201234567890bcdfgh\x00\x04QQ\x04_X";
    let fault = Sent::avro(kind, id_of(kind), body).decode(&contract(), |read| read.unwrap_err());
    assert_eq!((fault.class, fault.detail), (FaultClass::Schema, FaultDetail::NotAccepted));
    assert_eq!(fault.place, "data.from_country (byte 40)", "{fault}");
    assert!(fault.expected.contains("a code of the list `citizenship` is expected"));
    let token = b"\x02\x082024\x02\x10document\x20my name is secret\x00\x04PK\x04_X";
    let fault = Sent::avro(kind, id_of(kind), token).decode(&contract(), |read| read.unwrap_err());
    assert_eq!(fault.class, FaultClass::Parse, "seventeen letters behind a length of sixteen");
    let token = b"\x02\x082024\x02\x10document\x20my name is wrong\x00\x04PK\x04_X";
    let fault = Sent::avro(kind, id_of(kind), token).decode(&contract(), |read| read.unwrap_err());
    assert_eq!(fault.place, "data.person[0].token (byte 22)", "{fault}");
}

#[test]
fn a_correction_of_another_types_fields_is_refused() {
    let mut dice = Dice(3);
    let mut data = make::data(EventType::RecordCorrected, &mut dice);
    let schema = avro::schema_of(EventType::RecordCorrected, EventType::RecordCorrected.newest());
    let parsed = apache_avro::Schema::parse_str(&schema.to_string()).unwrap();
    data["target_type"] = "pk.tip.charge.withdrawn".into();
    data["fields"] = serde_json::json!({ "occurred_on": "2024" });
    let value = make::avro_value(&schema, Some(&data), &mut dice);
    let id = id_of(EventType::RecordCorrected);
    let sent = |value| Sent::avro(EventType::RecordCorrected, id, &apache_avro::to_avro_datum(&parsed, value).unwrap());
    sent(value.clone()).decode(&contract(), |read| drop(read.unwrap()));
    let Avro::Record(mut fields) = value else { panic!("an event is a record") };
    let named = fields.iter_mut().find(|(name, _)| name == "target_type").unwrap();
    named.1 = Avro::String("pk.tip.case.registered".into());
    let fault = sent(Avro::Record(fields)).decode(&contract(), |read| read.unwrap_err());
    assert!(fault.place.starts_with("data.fields (byte"), "{fault}");
    assert!(fault.expected.contains("CaseRegisteredFields"), "{fault}");
}

#[test]
fn a_header_of_another_type_than_the_schemas_is_refused() {
    let body = b"\x02\x082024\x02\x10document\x201234567890bcdfgh\x00\x04PK\x04_X";
    let sent = Sent::avro(EventType::ReportNil, id_of(EventType::VictimReturned), body);
    let fault = sent.decode(&contract(), |read| read.unwrap_err());
    assert_eq!((fault.class, fault.detail), (FaultClass::Schema, FaultDetail::NotAccepted));
}

#[test]
fn a_message_without_framing_is_refused() {
    for value in [&b"\x01\x00\x00\x00\x01\x02"[..], b"\x00\x00\x00", b"", b"{}", b"Obj\x01"] {
        let sent = Sent::new(EventType::ReportNil, Some("application/avro"), value.to_vec());
        assert_eq!(sent.schema_id(), None);
        let fault = sent.decode(&contract(), |read| read.unwrap_err());
        assert_eq!((fault.class, fault.detail), (FaultClass::Parse, FaultDetail::Syntax), "{fault}");
        assert!(fault.expected.contains("framing"));
    }
}
