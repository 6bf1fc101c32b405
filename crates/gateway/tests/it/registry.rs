//! Subjects, versions and ids.

use std::os::unix::fs::PermissionsExt;

use gateway::{BuiltIn, Draft, Level, Reference, RegistryError, SchemaType, Which};

use crate::world::{COUNT, COUNT_DEFAULT, ID, World, draft, record};

#[test]
fn ids_ascend_over_all_subjects_and_versions_begin_at_one_in_each() {
    let world = World::new();
    let register = |subject: &str, fields: &str| {
        let version = world.registry.register(subject, &draft(fields), false).unwrap();
        (version.schema.id, version.version)
    };
    assert_eq!(register("a", ID), (1, 1));
    assert_eq!(register("b", COUNT), (2, 1));
    assert_eq!(register("a", &format!("{ID},{COUNT_DEFAULT}")), (3, 2));
    assert_eq!(world.registry.subjects().unwrap(), ["a", "b"]);
    assert_eq!(world.registry.versions("a").unwrap(), [1, 2]);
}

#[test]
fn what_says_the_same_is_the_same_version_whatever_its_layout() {
    let world = World::new();
    let first = world.registry.register("a", &draft(ID), false).unwrap();
    let layouts = [
        r#"{ "fields": [ {"type": {"type": "string"}, "name": "id"} ], "name": "pk.tip.Seen", "type": "record" }"#,
        r#"{"type":"record","namespace":"ignored","name":"pk.tip.Seen","fields":[{"name":"id","type":"string","order":"ascending"}]}"#,
    ];
    for layout in layouts {
        assert_eq!(world.registry.register("a", &Draft::avro(layout), false).unwrap(), first);
        assert_eq!(world.registry.find("a", &Draft::avro(layout)).unwrap(), first);
    }
    assert_eq!(first.schema.draft.text, record(ID), "the text stays as it was sent first");
}

#[test]
fn a_default_or_a_description_makes_another_schema() {
    let world = World::new();
    let ids: Vec<i32> = [COUNT, COUNT_DEFAULT, r#"{"name":"count","type":"int","doc":"how many"}"#]
        .iter()
        .map(|fields| world.registry.register("a", &draft(fields), false).unwrap().schema.id)
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn the_same_schema_under_another_subject_has_the_same_id() {
    let world = World::new();
    let first = world.registry.register("a", &draft(ID), false).unwrap();
    let second = world.registry.register("b", &draft(ID), false).unwrap();
    assert_eq!(first.schema.id, second.schema.id);
    assert_eq!(world.registry.places(1).unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
}

#[test]
fn normalize_stores_the_canonical_form() {
    let world = World::new();
    let spaced = r#"{"type": "record", "name": "pk.tip.Seen", "fields": []}"#;
    let version = world.registry.register("a", &Draft::avro(spaced), true).unwrap();
    assert_eq!(version.schema.draft.text, r#"{"fields":[],"name":"Seen","namespace":"pk.tip","type":"record"}"#);
}

#[test]
fn what_was_answered_is_there_after_the_file_is_opened_again() {
    let world = World::new();
    let version = world.registry.register("a", &draft(ID), false).unwrap();
    world.registry.set_level(Some("a"), Level::Full).unwrap();
    let again = world.again();
    assert_eq!(again.version("a", Which::Latest).unwrap(), version);
    assert_eq!(again.level(Some("a")).unwrap(), Level::Full);
}

#[test]
fn the_file_is_its_owners_alone() {
    let world = World::new();
    let mode = std::fs::metadata(world.folder.path().join("gateway.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    std::fs::write(&path, "no database").unwrap();
    let error = gateway::Registry::open(&path, &[]).err().unwrap();
    assert!(matches!(error, RegistryError::Unusable { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "no database");
}

#[test]
fn processes_that_register_at_once_share_ids_and_lose_nothing() {
    let world = World::new();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let registry = world.again();
            std::thread::spawn(move || {
                let ids = (0..20).map(|number| {
                    let field = format!(r#"{{"name":"f{number}","type":"int","default":0}}"#);
                    registry.register("a", &draft(&field), false).unwrap().schema.id
                });
                ids.collect::<Vec<_>>()
            })
        })
        .collect();
    let seen: Vec<Vec<i32>> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(seen.iter().all(|ids| *ids == seen[0]), "the same schema has the same id for all");
    assert_eq!(world.registry.versions("a").unwrap(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn what_is_not_there_is_named() {
    let world = World::new();
    assert!(matches!(world.registry.versions("a"), Err(RegistryError::SubjectNotFound(_))));
    assert!(matches!(world.registry.schema(1), Err(RegistryError::SchemaNotFound(_))));
    world.registry.register("a", &draft(ID), false).unwrap();
    assert!(matches!(world.registry.version("a", Which::Number(9)), Err(RegistryError::VersionNotFound { .. })));
    assert!(matches!(world.registry.find("a", &draft(COUNT)), Err(RegistryError::SchemaNotFound(_))));
    assert!(matches!(world.registry.level(Some("a")), Err(RegistryError::NoLevel(_))));
}

#[test]
fn a_subject_without_a_good_name_is_refused() {
    for name in ["", "a\nb", &"x".repeat(256)] {
        let error = World::new().registry.register(name, &draft(ID), false).unwrap_err();
        assert!(matches!(error, RegistryError::InvalidSubject), "{error}");
    }
}

#[test]
fn a_json_schema_is_kept_and_followed_by_itself_alone() {
    let world = World::new();
    let json = |text: &str| Draft { schema_type: SchemaType::Json, text: text.into(), references: Vec::new() };
    world.registry.register("j", &json(r#"{"type":"object"}"#), false).unwrap();
    assert_eq!(world.registry.register("j", &json(r#"{ "type" : "object" }"#), false).unwrap().version, 1);
    let other = world.registry.register("j", &json(r#"{"type":"string"}"#), false).unwrap_err();
    assert!(matches!(other, RegistryError::Incompatible { .. }), "{other}");
    let avro = world.registry.register("j", &draft(ID), false).unwrap_err();
    assert!(matches!(avro, RegistryError::Incompatible { .. }), "{avro}");
    let wrong = world.registry.register("k", &json(r#"{"type":"objekt"}"#), false).unwrap_err();
    assert!(matches!(wrong, RegistryError::InvalidSchema(_)), "{wrong}");
}

fn referring(field_type: &str, name: &str, version: i32) -> Draft {
    let references = vec![Reference { name: name.into(), subject: "place".into(), version }];
    Draft { references, ..draft(&format!(r#"{ID},{{"name":"place","type":"{field_type}"}}"#)) }
}

#[test]
fn a_schema_may_use_the_types_of_another_subject() {
    let world = World::new();
    let place = r#"{"type":"record","name":"geo.Place","fields":[{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}}]}"#;
    world.registry.register("place", &Draft::avro(place), false).unwrap();
    let version = world.registry.register("a", &referring("geo.Place", "geo.Place", 1), false).unwrap();
    assert_eq!(world.registry.referenced_by("place", Which::Latest).unwrap(), [version.schema.id]);
    assert_eq!(world.registry.schema(version.schema.id).unwrap().draft.references.len(), 1, "served as it was sent");
    let resolved = world.registry.resolved(version.schema.id).unwrap().draft;
    assert!(resolved.references.is_empty() && resolved.text.contains(r#""symbols":["A"]"#), "{}", resolved.text);
    apache_avro::Schema::parse_str(&resolved.text).expect("complete in itself");
}

#[test]
fn what_a_reference_brings_along_is_compared() {
    let world = World::new();
    let place = |size: u32| Draft::avro(format!(r#"{{"type":"fixed","name":"geo.Place","size":{size}}}"#));
    world.registry.set_level(Some("place"), Level::None).unwrap();
    world.registry.register("place", &place(4), false).unwrap();
    world.registry.register("place", &place(5), false).unwrap();
    world.registry.register("a", &referring("geo.Place", "geo.Place", 1), false).unwrap();
    let error = world.registry.register("a", &referring("geo.Place", "geo.Place", 2), false).unwrap_err();
    assert!(matches!(error, RegistryError::Incompatible { .. }), "{error}");
}

#[test]
fn a_reference_that_leads_nowhere_is_refused_with_its_place() {
    let world = World::new();
    let missing = world.registry.register("a", &referring("geo.Place", "geo.Place", 1), false).unwrap_err();
    assert!(missing.to_string().contains("'place' version 1"), "{missing}");
    world.registry.register("place", &Draft::avro(r#"{"type":"fixed","name":"geo.Place","size":4}"#), false).unwrap();
    let unnamed = world.registry.register("a", &referring("geo.Place", "geo.Other", 1), false).unwrap_err();
    assert!(unnamed.to_string().contains("does not define"), "{unnamed}");
    let unknown = world.registry.register("a", &draft(r#"{"name":"p","type":"geo.Place"}"#), false).unwrap_err();
    assert!(unknown.to_string().contains("references"), "{unknown}");
}

fn contracts() -> Vec<BuiltIn> {
    let contract = |subject: &str, version, text| BuiltIn { subject: subject.into(), version, text };
    let second = record(&format!("{ID},{COUNT_DEFAULT}"));
    vec![contract("x", 1, record(ID)), contract("y", 1, r#""string""#.into()), contract("x", 2, second)]
}

#[test]
fn contracts_are_registered_at_start_in_their_order_once() {
    let world = World::with(&contracts());
    let ids = |subject: &str, version| world.registry.version(subject, Which::Number(version)).unwrap().schema.id;
    assert_eq!((ids("x", 1), ids("y", 1), ids("x", 2)), (1, 2, 3));
    let again = gateway::Registry::open(&world.folder.path().join("gateway.db"), &contracts()).unwrap();
    assert_eq!(again.versions("x").unwrap(), [1, 2]);
}

#[test]
fn an_agency_may_register_a_writers_schema_under_a_contract_if_the_contract_reads_it() {
    let world = World::with(&contracts());
    let extra = |field: &str| draft(&format!("{ID},{COUNT_DEFAULT},{field}"));
    world.registry.register("x", &extra(r#"{"name":"note","type":"int","default":1}"#), false).unwrap();
    // BACKWARD lets a number be widened; then the contract, which reads an int, could not read the events.
    let wide = draft(&format!(r#"{ID},{{"name":"count","type":"long","default":0}}"#));
    let error = world.registry.register("x", &wide, false).unwrap_err().to_string();
    assert!(error.contains("version 2 of the contract"), "{error}");
}

#[test]
fn a_contracts_level_is_not_lowered_neither_by_itself_nor_by_the_global_one() {
    let world = World::with(&contracts());
    let lower = world.registry.set_level(Some("x"), Level::None).unwrap_err();
    assert!(matches!(lower, RegistryError::NotPermitted(_)), "{lower}");
    world.registry.set_level(None, Level::None).unwrap();
    assert_eq!(world.registry.level_in_force("x").unwrap(), Level::BackwardTransitive);
    assert_eq!(world.registry.level_in_force("other").unwrap(), Level::None);
    world.registry.set_level(Some("x"), Level::FullTransitive).unwrap();
}
