//! Each golden sample says what it should, to the typed decoder and to JSON Schema alike.

use crate::contract::folder;
use events::encode::{self, Draft, event_of_line};
use events::{EventType, FaultClass, Limits, Validator};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;

fn samples(which: &str) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for name in EventType::ALL.iter().map(|t| t.short_name()).chain(["envelope"]) {
        let entries = std::fs::read_dir(folder().join(name).join("samples").join(which));
        let paths: Vec<_> = entries.unwrap_or_else(|_| panic!("{name} has no {which} samples")).collect();
        assert!(!paths.is_empty());
        for path in paths {
            let path = path.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, serde_json::from_str(&text).unwrap()));
        }
    }
    found
}

/// The path of a place, without line and column.
fn path(place: &str) -> &str {
    place.split(" (line").next().unwrap()
}

#[test]
fn each_valid_sample_is_accepted_by_the_decoder_and_by_the_schema() {
    let validator = Validator::new(&Limits::default());
    for (path, sample) in samples("valid") {
        let line = sample.to_string();
        if let Err(fault) = event_of_line(line.as_bytes(), &Limits::default()) {
            panic!("{}: {fault}", path.display());
        }
        assert_eq!(validator.by_schema_alone(line.as_bytes()), vec![], "{}", path.display());
    }
}

#[test]
fn each_invalid_sample_is_refused_by_both_for_the_reason_and_at_the_place_it_states() {
    let validator = Validator::new(&Limits::default());
    for (file, sample) in samples("invalid") {
        let file = file.display();
        let text = sample["text"].as_str().map_or_else(|| sample["event"].to_string(), str::to_owned);
        let expect = |key: &str| sample["expect"][key].as_str().unwrap();
        let fault = event_of_line(text.as_bytes(), &Limits::default()).expect_err(&format!("{file} is accepted"));
        assert_eq!(fault.class.as_str(), expect("class"), "{file}: {fault}");
        assert_eq!(fault.detail.as_str(), expect("detail"), "{file}: {fault}");
        assert_eq!(path(&fault.place), expect("place"), "{file}: {fault}");
        let told = validator.line(1, text.as_bytes());
        assert!(
            told.iter().any(|f| (f.detail, path(&f.place)) == (fault.detail, path(&fault.place))),
            "{file}: {told:?}"
        );
        if fault.class == FaultClass::Schema && sample["text"].is_null() && !beyond_schema(expect("place")) {
            let told = validator.by_schema_alone(text.as_bytes());
            let agrees = told.iter().any(|f| path(&f.place) == path(&fault.place));
            assert!(agrees, "{file}: JSON Schema says {told:?}, the decoder says {fault}");
        }
    }
}

/// What relates two attributes (the subject's agency, the schema's type): JSON Schema looks at each alone.
fn beyond_schema(place: &str) -> bool {
    matches!(place, "subject" | "dataschema")
}

#[test]
fn each_valid_sample_written_again_is_the_same_event() {
    for (path, sample) in samples("valid") {
        let line = sample.to_string();
        let event = event_of_line(line.as_bytes(), &Limits::default()).unwrap();
        let person: Vec<_> = event.tokens.iter().map(|t| (t.kind, t.token)).collect();
        let draft = Draft::of(&event, &person);
        let mut json = String::new();
        encode::data_json(&draft, &mut json);
        let again: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(again, sample["data"], "{}", path.display());
        let line = encode::structured(&draft);
        let again = event_of_line(line.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((&again.data, &again.occurred, again.id), (&event.data, &event.occurred, event.id));
    }
}

/// The lake's form: each token spliced out by its byte range, a surrogate in its place.
#[test]
fn each_valid_sample_sealed_by_its_byte_ranges_keeps_its_data() {
    for (path, sample) in samples("valid") {
        let line = sample.to_string();
        let event = event_of_line(line.as_bytes(), &Limits::default()).unwrap();
        let (mut sealed, mut done) = (String::new(), 0);
        for (i, token) in event.tokens.iter().enumerate() {
            assert_eq!(&event.raw[token.at.clone()], token.token.as_bytes());
            sealed.push_str(std::str::from_utf8(&event.raw[done..token.at.start]).unwrap());
            write!(sealed, "{i:032x}").unwrap();
            done = token.at.end;
        }
        sealed.push_str(std::str::from_utf8(&event.raw[done..]).unwrap());
        let read = events::decode_sealed(event.kind, event.version, sealed.as_bytes()).unwrap();
        assert_eq!(
            (read.data, read.occurred, read.record_version),
            (event.data.newest(), event.occurred, event.record_version)
        );
        let persons: Vec<_> =
            (0..event.tokens.len()).map(|i| (event.tokens[i].kind, (i as u128).to_be_bytes())).collect();
        assert_eq!(read.persons.as_slice(), persons, "{}", path.display());
        let open = events::decode_sealed(event.kind, event.version, event.raw);
        assert_eq!(open.is_ok(), event.tokens.is_empty(), "a token is no surrogate");
    }
}
