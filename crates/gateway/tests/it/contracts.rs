//! The contracts of this house, as far as they have Avro schemas: each version must read what every version before it wrote.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::{Draft, Level};

use crate::world::World;

/// Text of each version of each type under a folder of schemas.
fn versions(folder: &Path) -> BTreeMap<String, BTreeMap<u32, String>> {
    let mut all: BTreeMap<String, BTreeMap<u32, String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        for file in std::fs::read_dir(entry.path()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "avsc") {
                let number = file.file_stem().unwrap().to_string_lossy().trim_start_matches('v').parse().unwrap();
                all.entry(name.clone()).or_default().insert(number, std::fs::read_to_string(&file).unwrap());
            }
        }
    }
    all
}

/// What stands in the way of a contract's versions, as the registry says it.
fn breaches(folder: &Path) -> Vec<String> {
    let world = World::new();
    let mut breaches = Vec::new();
    for (name, versions) in versions(folder) {
        world.registry.set_level(Some(&name), Level::BackwardTransitive).unwrap();
        for (number, text) in versions {
            if let Err(error) = world.registry.register(&name, &Draft::avro(text), false) {
                breaches.push(format!("{name}/v{number}.avsc: {error}"));
            }
        }
    }
    breaches
}

#[test]
fn each_version_of_a_contract_reads_what_the_earlier_ones_wrote() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    assert_eq!(breaches(&folder), Vec::<String>::new());
}

#[test]
fn a_version_that_could_not_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let of = folder.path().join("thing.seen");
    std::fs::create_dir(&of).unwrap();
    std::fs::write(of.join("v1.avsc"), r#"{"type":"record","name":"T","fields":[]}"#).unwrap();
    let second = r#"{"type":"record","name":"T","fields":[{"name":"n","type":"int"}]}"#;
    std::fs::write(of.join("v2.avsc"), second).unwrap();
    let breaches = breaches(folder.path());
    assert!(breaches.len() == 1 && breaches[0].starts_with("thing.seen/v2.avsc"), "{breaches:?}");
}
