//! People sealed on an agency's machine, on their way to the lake.

use std::path::Path;

use crate::program::World;

/// Put together from common names; the second stands in both offices, spelled differently.
const PEOPLE: &str = "case_no,entered,Name,D.O.B.,CNIC No.,sex,age\n\
    17,2026-02-03,Gulnaz Rajput,05/03/2007,33102-8765432-9,F,18-20\n\
    18,2026-02-04,Shagufta Bibi d/o Sikandar,12/06/2006,,F,18-20\n\
    19,2026-02-05,نامعلوم,,,F,18-20\n";

const MAPPING: &str = r#"
title = "A women's centre"
event = "victim.identified"
key = "case_no"
agency = { constant = "SHL-PB" }
time = { column = "entered", form = "date" }
[person]
document = "token_document"
name_birth = "token_name_birth"
phonetic = "token_phonetic"
mother_name = "token_mother_name"
[fields]
occurred_on = { column = "entered" }
status = { constant = "actual" }
sex = { column = "sex" }
age_band = { column = "age" }
citizenship = { constant = "PK" }
exploitation = { constant = "forced_labour", list = true }
place_identified = { constant = "PK-PB" }
referral_source = { constant = "self" }
"#;

const IDENTITIES: [&str; 8] = ["Gulnaz", "Rajput", "33102", "8765432", "Shagufta", "Sikandar", "05/03/2007", "نامعلوم"];

#[test]
fn sealed_rows_are_imported_as_they_are_and_no_identity_reaches_the_warehouse() {
    let world = World::new();
    let key = world.data().with_extension("key").display().to_string();
    world.run(&["tokenize", "--new-key", "example", "--key", &key]).ok();
    let people = world.file("people.csv", PEOPLE);
    let sealed = people.replace("people.csv", "sealed.csv");
    let seal = ["tokenize", &people, "--key", &key, "--keep", "case_no,entered,sex,age", "--out", &sealed];
    let error = world.run(&seal).refused(3);
    assert!(error.contains("1 row(s) were not sealed"), "{error}");
    let mapping = world.file("mapping.toml", MAPPING);
    let report = world.run(&["import", &sealed, "--mapping", &mapping]).ok();
    assert!(report.contains("2 accepted"), "{report}");
    let mut bytes = Vec::new();
    read_all(&world.data(), &mut bytes);
    assert!(bytes.len() > 10_000);
    for identity in IDENTITIES {
        assert!(!bytes.windows(identity.len()).any(|window| window == identity.as_bytes()), "{identity}");
    }
}

fn read_all(folder: &Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { read_all(&path, bytes) } else { bytes.extend(std::fs::read(path).unwrap()) }
    }
}
