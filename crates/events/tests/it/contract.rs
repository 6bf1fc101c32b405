//! The committed files say what the program does.

use events::{EventType, avro, code_list, schema};
use std::collections::BTreeSet;
use std::path::PathBuf;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// With `AMANAT_WRITE_SCHEMAS=1` the files are written instead; a released version is never changed, a new one is added.
#[test]
fn each_committed_schema_equals_the_one_that_the_contract_makes() {
    let of = |(kind, version): (EventType, u16)| {
        let files = [format!("v{version}.json"), format!("v{version}.avsc")];
        let made = [schema::of(kind, version), avro::schema_of(kind, version)];
        files.into_iter().zip(made).map(move |(file, schema)| (kind.short_name(), file, schema))
    };
    let mut schemas: Vec<_> = EventType::versions().flat_map(of).collect();
    schemas.push(("envelope", "v1.json".to_owned(), schema::envelope()));
    for (name, file, schema) in schemas {
        let (path, made) = (folder().join(name).join(&file), schema::render(&schema));
        if std::env::var_os("AMANAT_WRITE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("schemas/{name}/{file} is missing"));
        assert_eq!(committed, made, "schemas/{name}/{file} differs; AMANAT_WRITE_SCHEMAS=1 writes it");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&made).unwrap(), schema);
    }
}

#[test]
fn no_folder_of_schemas_is_without_a_type() {
    let known: BTreeSet<_> = EventType::ALL
        .iter()
        .map(|t| t.short_name())
        .chain(["envelope", "code-lists", "README.md", "RELEASED", "asyncapi.yaml"])
        .collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(name.as_str()), "schemas/{name} belongs to no event type");
    }
}

#[test]
fn no_object_of_a_schema_is_open() {
    fn walk(value: &serde_json::Value, path: &str) {
        if let Some(map) = value.as_object() {
            if map.contains_key("properties") && map.get("type").is_some_and(|t| t == "object") {
                assert!(map.contains_key("additionalProperties"), "{path} is open");
            }
            map.iter().for_each(|(key, value)| walk(value, &format!("{path}/{key}")));
        }
        value.as_array().into_iter().flatten().enumerate().for_each(|(i, v)| walk(v, &format!("{path}/{i}")));
    }
    for (kind, version) in EventType::versions() {
        walk(&schema::of(kind, version), kind.short_name());
    }
}

#[test]
fn every_code_list_file_is_loaded_and_whole() {
    let files: BTreeSet<_> = std::fs::read_dir(folder().join("code-lists"))
        .unwrap()
        .map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let loaded: BTreeSet<_> = code_list::all().iter().map(|l| l.name.to_owned()).collect();
    assert_eq!(files, loaded);
    for list in code_list::all() {
        let codes: BTreeSet<_> = list.codes.iter().map(|c| c.code).collect();
        assert_eq!(codes.len(), list.codes.len(), "{} repeats a code", list.name);
        assert_eq!(list.text(list.unknown()), "_X");
        for (number, code) in list.codes.iter().enumerate() {
            assert_eq!(list.code(code.code), Some(number as u16));
            assert!(!code.en.is_empty() && !code.ur.is_empty(), "{} {} lacks a label", list.name, code.code);
            assert!(
                code.ur.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)),
                "{} {} is not Urdu",
                list.name,
                code.code
            );
            for (key, value) in &code.attrs {
                // The `act` of a section is an Act of law, not a code of the list `act`.
                if let Some(other) = code_list::find(key).filter(|_| (list.name, key.as_str()) != ("section", "act")) {
                    assert!(
                        other.code(value).is_some(),
                        "{} {} rolls up to a code that {key} lacks",
                        list.name,
                        code.code
                    );
                }
            }
        }
        assert_eq!(list.code("no such code"), None);
        assert_eq!(list.code(""), None);
    }
}

#[test]
fn roll_ups_and_parents_lead_where_the_domain_says() {
    let up = |list: &str, code: &str, other: &str| {
        let (list, other) = (code_list::list(list), code_list::list(other));
        other.text(list.roll_up(list.code(code).unwrap(), other))
    };
    assert_eq!(up("age_band", "09-17", "age_group"), "child");
    assert_eq!(up("age_band", "18-20", "age_group"), "adult");
    assert_eq!(up("age_band", "_X", "age_group"), "_X");
    assert_eq!(up("citizenship", "PK", "citizenship_subregion"), "034");
    assert_eq!(up("citizenship", "PK", "citizenship_region"), "142");
    assert_eq!(up("exploitation", "bonded_labour", "exploitation_form"), "forced_labour_slavery");
    assert_eq!(up("sector", "brick_kiln", "isic"), "C");
    assert_eq!(up("place", "PK-PB-LHR", "province"), "PK-PB");
    let place = code_list::list("place");
    let lahore = place.get(place.code("PK-PB-LHR").unwrap()).unwrap();
    assert_eq!(place.text(lahore.parent.unwrap()), "PK-PB");
    assert_eq!(code_list::list("citizenship").codes.len(), 250);
    assert_eq!(code_list::list("province").codes.len(), 8);
    assert!(code_list::list("section").codes.iter().filter(|c| c.attrs["act"] == "PTPA").count() == 3);
}
