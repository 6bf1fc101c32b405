//! What is not accepted, and that the reason never quotes it.

use events::encode::event_of_line;
use events::{Fault, FaultClass, FaultDetail, Limits, Message, decode, validate};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static VALIDATOR: LazyLock<events::Validator> = LazyLock::new(|| events::Validator::new(&Limits::default()));

const TOKEN: &str = "bcdfghjkmnpqrstv0123";

fn victim() -> Value {
    json!({
        "specversion": "1.0", "id": "018f3b5c-0000-7000-8000-000000000001", "source": "urn:pk:tip:POL-PB",
        "type": "pk.tip.victim.identified", "dataschema": "https://schemas.amanat.example/victim.identified/v1",
        "subject": "POL-PB/r3c0rd0000000bcdfg", "time": "2025-03-01T10:15:00+05:00",
        "data": {
            "record_version": 1, "occurred_on": "2024-03-09", "person": [{"kind": "document", "token": TOKEN}],
            "sex": "F", "age_band": "09-17", "citizenship": "PK", "status": "actual", "exploitation": ["sexual"],
            "place_identified": "PK-PB", "referral_source": "police"
        }
    })
}

fn refused(value: &[u8]) -> Fault {
    event_of_line(value, &Limits::default()).unwrap_err()
}

fn why(value: &[u8]) -> (FaultClass, FaultDetail) {
    let fault = refused(value);
    (fault.class, fault.detail)
}

#[test]
fn what_is_not_one_json_document_in_utf8_is_a_parse_fault() {
    let good = victim().to_string();
    assert!(event_of_line(good.as_bytes(), &Limits::default()).is_ok());
    let mut latin = good.clone().into_bytes();
    latin[40] = 0xe9;
    assert_eq!(why(&latin), (FaultClass::Parse, FaultDetail::NotUtf8));
    assert_eq!(why(&good.as_bytes()[..300]), (FaultClass::Parse, FaultDetail::Truncated));
    assert_eq!(why(b""), (FaultClass::Parse, FaultDetail::Truncated));
    assert_eq!(why(format!("{good}{good}").as_bytes()), (FaultClass::Parse, FaultDetail::SecondDocument));
    assert_eq!(why(format!("{good}\n{good}").as_bytes()), (FaultClass::Parse, FaultDetail::SecondDocument));
    assert_eq!(why(b"\xef\xbb\xbf{}"), (FaultClass::Parse, FaultDetail::Syntax));
    let tombstone = Message { key: None, headers: &[], value: None };
    assert_eq!(decode(&tombstone, &Limits::default()).unwrap_err().detail, FaultDetail::NoValue);
}

#[test]
fn a_thousand_levels_are_a_parse_fault_wherever_they_stand() {
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let good = victim().to_string();
    for (from, to) in
        [("\"F\"", deep.as_str()), ("\"1.0\"", &deep), ("{\"specversion\"", &format!("{{\"x\":{deep},\"specversion\""))]
    {
        assert_eq!(why(good.replacen(from, to, 1).as_bytes()), (FaultClass::Parse, FaultDetail::TooDeep));
    }
    assert_eq!(why(deep.as_bytes()), (FaultClass::Parse, FaultDetail::TooDeep));
}

#[test]
fn what_is_larger_than_the_limit_is_oversize_whatever_it_holds() {
    let limits = Limits::default();
    let big = vec![b'x'; 20 << 20];
    let fault = event_of_line(&big, &limits).unwrap_err();
    assert_eq!((fault.class, fault.detail), (FaultClass::Oversize, FaultDetail::TooLarge));
    assert_eq!(event_of_line(&big[..=limits.max_bytes], &limits).unwrap_err().class, FaultClass::Oversize);
    assert_eq!(event_of_line(&big[..limits.max_bytes], &limits).unwrap_err().class, FaultClass::Parse);
}

#[test]
fn a_broken_document_is_a_parse_fault_even_where_a_field_was_wrong_before() {
    let text = victim().to_string().replace("\"F\"", "7");
    assert_eq!(why(text.as_bytes()).0, FaultClass::Schema);
    assert_eq!(why(&text.as_bytes()[..text.len() - 1]), (FaultClass::Parse, FaultDetail::Truncated));
}

#[test]
fn binary_mode_names_the_header_and_takes_each_once() {
    let good = victim();
    let data = good["data"].to_string();
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("content-type", b"application/json; charset=utf-8"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"018f3b5c-0000-7000-8000-000000000001"),
        ("ce_source", b"urn:pk:tip:POL-PB"),
        ("ce_type", b"pk.tip.victim.identified"),
        ("ce_dataschema", b"https://schemas.amanat.example/victim.identified/v1"),
        ("ce_subject", b"POL-PB/r3c0rd0000000bcdfg"),
        ("ce_time", b"2025-03-01T10:15:00+05:00"),
        ("ce_sequence", b"1"),
        ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let padded = format!(" \n{data}\n");
    let check = |headers: &[(&str, &[u8])], value: &str| {
        decode(&Message { key: None, headers, value: Some(value.as_bytes()) }, &Limits::default())
            .map(|e| (e.ignored_attributes, e.raw.to_owned()))
    };
    assert_eq!(check(&headers, &padded).unwrap(), (1, data.clone().into_bytes()));
    let fault = check(&headers[..7], &data).unwrap_err();
    assert_eq!((fault.detail, fault.place.as_str()), (FaultDetail::Missing, "header ce_time"));
    headers.push(("ce_source", b"urn:pk:tip:FIA"));
    let fault = check(&headers, &data).unwrap_err();
    assert_eq!((fault.detail, fault.place.as_str()), (FaultDetail::Repeated, "header ce_source"));
    assert_eq!(check(&headers, &data[..50]).unwrap_err().class, FaultClass::Parse);
    headers.truncate(10);
    headers[0].1 = b"application/xml";
    assert_eq!(check(&headers, &data).unwrap_err().place, "header content-type");
    headers[0].1 = b"application/json";
    headers[6].1 = b"\xff\xfe";
    assert_eq!(check(&headers, &data).unwrap_err().detail, FaultDetail::NotUtf8);
}

#[test]
fn data_as_an_array_of_its_values_is_refused() {
    let mut event = victim();
    event["data"] = json!([1, "2024-03-09", [], "F"]);
    assert_eq!(refused(event.to_string().as_bytes()).detail, FaultDetail::NotAccepted);
}

#[test]
fn validate_tells_every_mistake_of_every_line_with_its_line() {
    let mut bad = victim();
    bad["data"]["sex"] = json!("female");
    bad["data"]["naam"] = json!("x");
    bad["data"].as_object_mut().unwrap().shift_remove("citizenship");
    bad["time"] = json!("yesterday");
    let mut bare = victim();
    bare.as_object_mut().unwrap().shift_remove("specversion");
    let long = "x".repeat(2 << 20);
    let file = format!("{}\n\n{bad}\n{{\n{}\r\n{bare}\n{long}", victim(), victim());
    let mut told = Vec::new();
    let count = validate::lines(file.as_bytes(), &Limits::default(), |fault| told.push(fault.place.clone())).unwrap();
    assert_eq!(count, 6);
    let places = [
        "time (line 3, column",
        "data.citizenship (line 3, column",
        "data.sex (line 3, column",
        "data (line 3, column",
        "line 4, column 1",
        "specversion (line 6",
        "value (line 7)",
    ];
    assert_eq!(told.len(), places.len(), "{told:?}");
    for (place, told) in places.iter().zip(&told) {
        assert!(told.starts_with(place), "{told} is not {place}");
    }
}

/// A value that no sentence of ours holds.
fn secret() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(vec!["qzx", "Zarmeena", "35202", "\u{6af}\u{644}", "wvq"]), 2..5)
        .prop_map(|parts| format!("Q{}7", parts.concat()))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        secret().prop_map(Value::from),
        (987_654_321_u64..987_999_999).prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            (secret(), inner).prop_map(|(key, value)| json!({ key: value })),
        ]
    })
}

/// Every text and number of a value that we put in.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(s) => found.push(s.clone()),
        Value::Number(n) => found.push(n.to_string()),
        Value::Array(items) => items.iter().for_each(|v| texts(v, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(key.clone());
            texts(value, found);
        }),
        _ => {}
    }
}

const PLACES: &[&str] = &[
    "/specversion",
    "/id",
    "/source",
    "/type",
    "/dataschema",
    "/subject",
    "/time",
    "/data",
    "/data/record_version",
    "/data/occurred_on",
    "/data/person",
    "/data/person/0",
    "/data/person/0/kind",
    "/data/person/0/token",
    "/data/sex",
    "/data/exploitation",
    "/data/exploitation/0",
    "/data/place_identified",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_of_the_input_occurs_in_a_fault(
        place in proptest::sample::select(PLACES), value in json_value(), key in secret(), add in any::<bool>(), cut in 0_usize..900,
    ) {
        let mut event = victim();
        let mut secrets = vec![TOKEN.to_owned(), "r3c0rd0000000bcdfg".to_owned()];
        texts(&value, &mut secrets);
        let at = event.pointer_mut(place).unwrap();
        match at.as_object_mut().filter(|_| add) {
            Some(map) => { map.insert(key.clone(), value); secrets.push(key); }
            None => *at = value,
        }
        let text = event.to_string();
        let whole = text.as_bytes();
        for line in [whole, &whole[..cut.min(whole.len())]] {
            let first = event_of_line(line, &Limits::default()).err();
            let mut all: Vec<String> = first.iter().map(|f| format!("{f} {f:?}")).collect();
            all.extend(VALIDATOR.line(1, line).iter().map(|f| format!("{f} {f:?}")));
            for (secret, told) in secrets.iter().flat_map(|s| all.iter().map(move |t| (s, t))) {
                prop_assert!(!told.contains(secret.as_str()), "{told}");
            }
        }
    }

    #[test]
    fn any_bytes_give_an_event_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = event_of_line(&bytes, &Limits::default());
        let _ = events::decode_sealed(events::EventType::RecordCorrected, 3, &bytes);
        let _ = VALIDATOR.line(1, &bytes);
    }

    #[test]
    fn any_edit_of_a_good_event_gives_an_event_or_a_fault(at in 0_usize..700, byte in any::<u8>(), text in "[\\[\\]{}\",:\\\\a-z0-9]{0,6}") {
        let mut line = victim().to_string().into_bytes();
        let at = at.min(line.len() - 1);
        line[at] = byte;
        line.splice(at..at, text.bytes());
        let decoded = event_of_line(&line, &Limits::default());
        let by_schema = VALIDATOR.by_schema_alone(&line);
        match decoded {
            Ok(_) => prop_assert_eq!(by_schema, vec![]),
            // A schema sees neither repeated names nor escapes nor how two attributes relate, and takes 1e0 for 1.
            Err(f) if f.class == FaultClass::Schema && !line.contains(&b'\\') => {
                let alone = ["subject", "dataschema", "data.record_version"];
                let beyond = f.detail == FaultDetail::Repeated || alone.iter().any(|p| f.place.starts_with(p));
                prop_assert!(beyond || !by_schema.is_empty(), "{}", f);
            }
            Err(_) => {}
        }
    }
}
