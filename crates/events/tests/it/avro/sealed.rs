//! How an Avro event is stored: kept as sent where the schema is the contract's, readable without any registry.

use super::make::{self, Dice};
use super::{Sent, contract, id_of};
use events::avro::{self, Form, WriterSchemas};
use events::{EventType, decode_sealed};
use proptest::prelude::*;
use std::fmt::Write as _;

fn surrogates(count: usize) -> Vec<[u8; 32]> {
    (0..count).map(|i| format!("{i:032x}").into_bytes().try_into().unwrap()).collect()
}

/// The event's data as it would be stored, had it been sent as JSON.
fn sealed_json(sent: &Sent) -> Vec<u8> {
    sent.decode(&contract(), |read| {
        let event = read.unwrap();
        let (mut text, mut done) = (String::new(), 0);
        let part = |range| std::str::from_utf8(&event.raw[range]).unwrap();
        for (i, token) in event.tokens.iter().enumerate() {
            write!(text, "{}{i:032x}", part(done..token.at.start)).unwrap();
            done = token.at.end;
        }
        text.push_str(part(done..event.raw.len()));
        text.into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_stored_event_says_the_same_whoever_wrote_it(seed: u64) {
        let mut dice = Dice(seed);
        let kind = *dice.pick(EventType::ALL);
        let mut data = make::data(kind, &mut dice);
        let own = dice.flag();
        let schema = if own { avro::schema_of(kind, kind.newest()) } else { make::writer(kind, &mut data, &mut dice) };
        let mut schemas = WriterSchemas::default();
        schemas.insert(0x0102_0304, &schema.to_string()).unwrap();
        let parsed = apache_avro::Schema::parse_str(&schema.to_string()).unwrap();
        let value = make::avro_value(&schema, Some(&data), &mut dice);
        let sent = Sent::avro(kind, 0x0102_0304, &apache_avro::to_avro_datum(&parsed, value).unwrap());
        let mut stored = Vec::new();
        sent.decode(&schemas, |read| {
            let event = read.unwrap();
            avro::write_sealed(&event, &surrogates(event.tokens.len()), &mut stored).unwrap();
            for token in &event.tokens {
                let text = token.token.as_bytes();
                assert!(!stored.windows(text.len()).any(|part| part == text), "no token is stored");
            }
        });
        prop_assert_eq!(stored[1..5].to_vec(), vec![1, 2, 3, 4], "the id of the writer's schema is kept");
        if own {
            prop_assert_eq!(stored[0], 0);
        }
        let json = sealed_json(&Sent::json(kind, &data));
        // Compared as JSON both are equal, once the JSON is written as the contract writes it.
        let as_json = events::sealed_json(kind, kind.newest(), &stored);
        prop_assert_eq!(as_json.first(), Some(&b'{'));
        prop_assert_eq!(decode_sealed(kind, kind.newest(), &as_json).unwrap(), decode_sealed(kind, kind.newest(), &json).unwrap());
        prop_assert!(matches!(events::sealed_json(kind, kind.newest(), &json), std::borrow::Cow::Borrowed(_)));
        let stored = decode_sealed(kind, kind.newest(), &stored).unwrap();
        prop_assert_eq!(stored, decode_sealed(kind, kind.newest(), &json).unwrap());
    }
}

#[test]
fn of_the_contracts_schema_every_byte_but_the_tokens_and_their_lengths_is_kept() {
    let kind = EventType::VictimReturned;
    let body = b"\x02\x082024\x04\x10document\x201234567890bcdfgh\x10phonetic\x80\x01\
        bcdf567890123456789012345678901234567890123456789012345678901234\x00\x04PK\x12voluntary";
    let sent = Sent::avro(kind, id_of(kind), body);
    sent.decode(&contract(), |read| {
        let event = read.unwrap();
        let mut stored = Vec::new();
        avro::write_sealed(&event, &surrogates(2), &mut stored).unwrap();
        let zero = "0".repeat(31);
        let mut expected = sent.value[..5].to_vec();
        expected.extend_from_slice(b"\x02\x082024\x04\x10document\x40");
        expected.extend_from_slice(format!("{zero}0\x10phonetic\x40{zero}1").as_bytes());
        expected.extend_from_slice(b"\x00\x04PK\x12voluntary");
        assert_eq!(stored, expected);
    });
}

#[test]
fn a_list_of_tokens_that_tells_its_length_in_bytes_is_written_anew() {
    let kind = EventType::VictimReturned;
    let body = b"\x02\x082024\x01\x34\x10document\x201234567890bcdfgh\x00\x04PK\x12voluntary";
    Sent::avro(kind, id_of(kind), body).decode(&contract(), |read| {
        let event = read.unwrap();
        assert_eq!(event.form, Form::Avro { kept: false }, "the length would no longer be right");
        let mut stored = Vec::new();
        avro::write_sealed(&event, &surrogates(1), &mut stored).unwrap();
        assert_eq!(stored[0], 1);
        assert_eq!(decode_sealed(kind, kind.newest(), &stored).unwrap().persons.len(), 1);
    });
}

#[test]
fn a_broken_stored_payload_is_a_fault() {
    for payload in [&b"\x00"[..], b"\x01", b"\x00\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01\x02", b"\x02", b""] {
        for kind in EventType::ALL {
            assert!(decode_sealed(*kind, kind.newest(), payload).is_err(), "{payload:?}");
        }
    }
}
