//! Versions side by side (design: ingestion.md 3.10): each is read, each becomes the next as its golden samples say, and
//! what is newer than this program is told from what is no version at all.

use crate::contract::folder;
use events::avro::{self, WriterSchemas};
use events::encode::{self, Draft, event_of_line};
use events::{Data, Event, EventType, Limits, Message, NewerVersion, decode_sealed, newer_version, schema};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The golden samples of each step, and their file.
fn upcasts() -> Vec<(String, Value, Value)> {
    let of = |kind: &EventType| files(&folder().join(kind.short_name()).join("samples/upcasts"));
    let found = EventType::ALL.iter().flat_map(of).map(|path| {
        let sample = json(&path);
        (path.display().to_string(), sample["from"].clone(), sample["to"].clone())
    });
    found.collect()
}

fn read(event: &Value, then: impl FnOnce(Event<'_>)) {
    then(event_of_line(event.to_string().as_bytes(), &Limits::default()).unwrap());
}

#[test]
fn each_golden_sample_of_a_step_becomes_what_it_says() {
    let all = upcasts();
    assert!(all.len() >= 6, "{}", all.len());
    for (file, from, to) in all {
        read(&from, |event| {
            let (version, next) = (event.version, event.data.clone().next());
            assert_eq!((next.kind(), next.version()), (event.kind, version + 1), "{file}");
            let person: Vec<_> = event.tokens.iter().map(|t| (t.kind, t.token)).collect();
            let line = encode::structured(&Draft { data: &next, ..Draft::of(&event, &person) });
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), to, "{file}");
            read(&to, |said| assert_eq!(said.data, next, "{file}"));
        });
    }
}

#[test]
fn each_step_of_each_type_has_a_golden_sample() {
    let steps: Vec<String> = upcasts().iter().map(|(_, from, _)| from["dataschema"].as_str().unwrap().into()).collect();
    for kind in EventType::ALL {
        for version in 1..kind.newest() {
            assert!(steps.iter().any(|step| step == kind.dataschema(version)), "{kind} version {version}");
        }
    }
}

/// The payload as the lake has it: a surrogate in place of each token.
fn sealed(event: &Event<'_>) -> Vec<u8> {
    let surrogate = |at: usize| format!("{at:032x}");
    let surrogates: Vec<[u8; 32]> =
        (0..event.tokens.len()).map(|at| surrogate(at).into_bytes().try_into().unwrap()).collect();
    let mut out = Vec::new();
    if event.form == avro::Form::Json {
        let mut text = String::from_utf8(event.raw.to_vec()).unwrap();
        for (at, token) in event.tokens.iter().enumerate() {
            text = text.replace(token.token, &surrogate(at));
        }
        return text.into_bytes();
    }
    avro::write_sealed(event, &surrogates, &mut out).unwrap();
    out
}

#[test]
fn whoever_reads_facts_sees_the_newest_version_in_whichever_version_and_format_they_were_sent() {
    for kind in EventType::ALL {
        for path in files(&folder().join(kind.short_name()).join("samples/valid")) {
            read(&json(&path), |event| {
                let newest = event.data.clone().newest();
                assert_eq!(newest.version(), kind.newest());
                let seen = decode_sealed(*kind, event.version, &sealed(&event)).unwrap();
                assert_eq!(seen.data, newest, "{}", path.display());
                let mut schemas = WriterSchemas::default();
                schemas.insert(7, &avro::schema_of(*kind, event.version).to_string()).unwrap();
                let sent = encode::avro_of(&event, 7);
                let headers = sent.header_slices();
                let message = Message { key: None, headers: &headers, value: Some(&sent.value) };
                let again = events::decode_with(&message, &Limits::default(), &schemas).unwrap();
                assert_eq!((&again.data, again.version), (&event.data, event.version));
                assert_eq!(decode_sealed(*kind, again.version, &sealed(&again)).unwrap().data, newest);
            });
        }
    }
}

#[test]
fn an_avro_writer_of_one_version_may_speak_another() {
    let kind = EventType::VictimIdentified;
    let valid = folder().join("victim.identified/samples/valid");
    let mut schemas = WriterSchemas::default();
    (1..=2).for_each(|version| schemas.insert(version, &avro::schema_of(kind, version as u16).to_string()).unwrap());
    // Written by the schema of `writer`, said to be of `version`.
    let sent = |file: &str, writer: u32, version: u16, then: &dyn Fn(&Event<'_>)| {
        read(&json(&valid.join(file)), |event| {
            let mut sent = encode::avro_of(&event, writer);
            let header = sent.headers.iter_mut().find(|(name, _)| *name == "ce_dataschema").unwrap();
            header.1 = kind.dataschema(version).into();
            let headers = sent.header_slices();
            let message = Message { key: None, headers: &headers, value: Some(&sent.value) };
            then(&events::decode_with(&message, &Limits::default(), &schemas).unwrap());
        });
    };
    sent("full.json", 1, 3, &|event| {
        let Data::VictimIdentified(victim) = &event.data else { panic!("{:?}", event.data.version()) };
        assert!(victim.contact_id.is_none() && victim.referral_source.is_some());
        assert!(decode_sealed(kind, 3, &sealed(event)).is_ok(), "stored by the schema of the version it speaks");
    });
    sent("v2_full.json", 2, 1, &|event| {
        assert!(matches!(event.data, Data::VictimIdentifiedV1(_)));
        assert_eq!(event.ignored_attributes, 1, "what version 1 does not know is passed over and counted");
        assert!(decode_sealed(kind, 1, &sealed(event)).is_ok());
    });
}

#[test]
fn every_version_of_a_fact_has_corrections_that_speak_of_it() {
    let corrected = EventType::RecordCorrected;
    for kind in EventType::ALL.iter().filter(|kind| kind.is_fact()) {
        for version in 1..=kind.newest() {
            let whole = schema::of(*kind, version);
            let mut own: Vec<_> = whole["properties"].as_object().unwrap().iter().collect();
            own.retain(|(name, _)| !["record_version", "person"].contains(&name.as_str()));
            let speaks = |correction: u16| {
                let rules = schema::of(corrected, correction)["allOf"].clone();
                let of = |rule: &&Value| rule["if"]["properties"]["target_type"]["const"] == kind.name();
                // A correction of before the type speaks of no version of it.
                let Some(rule) = rules.as_array().unwrap().iter().find(of).cloned() else { return false };
                let fields = rule["then"]["properties"]["fields"]["properties"].clone();
                own.iter().all(|(name, of)| same(&fields[name.as_str()], of))
                    && fields.as_object().unwrap().len() == own.len()
            };
            assert!(
                (1..=corrected.newest()).any(speaks),
                "{kind} version {version}: release a version of record.corrected"
            );
        }
    }
}

fn same(one: &Value, two: &Value) -> bool {
    let bare = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|object| object.remove("description"));
        value
    };
    bare(one) == bare(two)
}

#[test]
fn a_new_version_takes_its_place_after_all_that_were_released_before() {
    let places: Vec<_> = EventType::versions().map(|(kind, version)| kind.place(version)).collect();
    assert_eq!(places, (0..places.len()).collect::<Vec<_>>());
    // The ids of the first release, and those of the versions that it had when types were added, are for ever.
    let released = |name: &str, version| EventType::from_name(name).unwrap().place(version);
    assert_eq!((released("pk.tip.case.registered", 1), released("pk.tip.report.nil", 1)), (0, 17));
    assert_eq!((released("pk.tip.victim.identified", 2), released("pk.tip.record.corrected", 3)), (18, 21));
    assert_eq!((released("pk.tip.contact.received", 1), released("pk.tip.record.retracted", 2)), (22, 25));
    for kind in EventType::ALL {
        let versions: Vec<_> = EventType::versions().filter(|(of, _)| of == kind).map(|(_, version)| version).collect();
        assert_eq!(versions, (1..=kind.newest()).collect::<Vec<_>>(), "versions of {kind} are numbered as released");
    }
    for (kind, version) in EventType::versions() {
        assert_eq!(EventType::of_dataschema(kind.dataschema(version)), Some((kind, version)));
    }
}

/// What is newer than a program of before knows, of a line with this change.
fn newer(change: impl FnOnce(&mut Value)) -> Option<(String, EventType, u16)> {
    let mut event = json(&folder().join("victim.identified/samples/valid/v2_full.json"));
    change(&mut event);
    let line = event.to_string();
    let message = Message { key: None, headers: &[], value: Some(line.as_bytes()) };
    let found = newer_version(&message, &Limits::default(), |_| 1);
    found.map(|NewerVersion { agency, kind, version }| (agency.to_owned(), kind, version))
}

#[test]
fn a_version_that_is_not_known_is_told_from_what_is_refused_in_any_version() {
    assert_eq!(newer(|_| {}), Some(("POL-PB".into(), EventType::VictimIdentified, 2)));
    let far = |event: &mut Value| event["dataschema"] = "https://schemas.amanat.example/victim.identified/v9999".into();
    assert_eq!(newer(far), Some(("POL-PB".into(), EventType::VictimIdentified, 9999)));
    // Data that no version known here would take: only who knows the version can tell.
    assert!(newer(|event| event["data"]["new_field"] = 7.into()).is_some());
    for (attribute, value) in [
        ("dataschema", "https://schemas.amanat.example/victim.identified/v1"),
        ("dataschema", "https://schemas.amanat.example/victim.identified/v0"),
        ("dataschema", "https://schemas.amanat.example/victim.identified/v02"),
        ("dataschema", "https://schemas.amanat.example/victim.identified/v10000"),
        ("dataschema", "https://schemas.amanat.example/case.registered/v2"),
        ("dataschema", "v2"),
        ("type", "pk.tip.victim.vanished"),
        ("id", "none"),
        ("source", "urn:pk:tip:FIA"),
        ("time", "yesterday"),
    ] {
        assert_eq!(newer(|event| event[attribute] = value.into()), None, "{attribute} {value}");
    }
    let broken = Message { key: None, headers: &[], value: Some(b"{\"dataschema\":") };
    assert_eq!(newer_version(&broken, &Limits::default(), |_| 1), None);
}
