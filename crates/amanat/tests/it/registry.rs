//! `amanat schema`, and the registry that `up` serves.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::program::{World, free_address, get};

const FIRST: &str = r#"{"type":"record","name":"pk.test.Seen","fields":[{"name":"id","type":"string"}]}"#;
const SECOND: &str = r#"{"type":"record","name":"pk.test.Seen","fields":[{"name":"id","type":"string"},{"name":"n","type":"int","default":0}]}"#;
const BROKEN: &str = r#"{"type":"record","name":"pk.test.Seen","fields":[{"name":"id","type":"int"}]}"#;

/// The contracts come first; the first schema that an agency registers has the id after theirs.
/// Each version of a type is one.
fn contracts() -> usize {
    events::EventType::versions().count()
}

#[test]
fn a_schema_is_checked_registered_listed_and_shown() {
    let world = World::real();
    let subject = ["--subject", "pk.test.Seen"];
    let with = |verb: &'static str, file: &str| world.run(&[&["schema", verb, file], &subject[..]].concat());
    let (first, second) = (world.file("1.avsc", FIRST), world.file("2.avsc", SECOND));
    let said = |number: usize| format!("id {}: version {number}", contracts() + number);
    assert!(with("register", &first).ok().starts_with(&said(1)));
    assert!(with("register", &first).ok().starts_with(&said(1)), "the same again is the same");
    assert!(with("check", &second).ok().starts_with("compatible"));
    assert!(with("register", &second).ok().starts_with(&said(2)));
    let broken = world.file("3.avsc", BROKEN);
    let checked = with("check", &broken);
    assert!(checked.out.contains("version 2") && checked.out.contains("id:"), "{checked:?}");
    checked.refused(3);
    with("register", &broken).refused(3);
    assert_eq!(world.run(&["schema", "show", &(contracts() + 1).to_string()]).ok().trim(), FIRST);
    world.run(&["schema", "show", "999"]).refused(3);
    let listed: Value = serde_json::from_str(&world.run(&["schema", "list", "--json"]).ok()).unwrap();
    let ours =
        json!({ "subject": "pk.test.Seen", "version": 2, "id": contracts() + 2, "type": "AVRO", "contract": false });
    assert!(listed.as_array().unwrap().contains(&ours), "{listed}");
    let guarded = listed.as_array().unwrap().iter().filter(|row| row["contract"] == true).count();
    assert_eq!(guarded, contracts(), "each contract has its schema there from the start");
    let id_of = |subject: &str, version: u32| {
        let is = |row: &&Value| row["subject"] == subject && row["version"] == version;
        listed.as_array().unwrap().iter().find(is).map(|row| row["id"].as_u64().unwrap())
    };
    for (place, (kind, version)) in events::EventType::versions().enumerate() {
        let id = id_of(&format!("pk.tip.{kind:?}"), version.into());
        assert_eq!(id, Some(place as u64 + 1), "a new version comes after all before it and moves no id");
    }
    let mode = std::fs::metadata(world.data().join("gateway.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn up_serves_the_registry_at_its_own_address() {
    let world = World::real();
    let registry = free_address();
    let mut up = world.start_with(&["up", "--role", "gateway"], &[("AMANAT_GATEWAY__HTTP", &registry.to_string())]);
    up.says("schemas");
    world.run(&["schema", "register", &world.file("1.avsc", FIRST), "--subject", "s"]).ok();
    let path = format!("/schemas/ids/{}", contracts() + 1);
    assert_eq!(get(registry, &path, "").unwrap(), (200, json!({ "schema": FIRST }).to_string()));
    up.terminate();
    up.end().ok();
}

#[test]
fn with_another_registry_the_embedded_one_is_not_served_and_the_door_for_events_is() {
    let world = World::real();
    let (door, file) = (free_address(), world.file("amanat.toml", "[registry]\nurl = \"http://127.0.0.1:1\"\n"));
    let environment = [("AMANAT_GATEWAY__HTTP", door.to_string())];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut up = world.start_with(&["up", "--role", "gateway", "--config", &file], &environment);
    up.says("agencies");
    assert_eq!(get(door, "/subjects", "").unwrap().0, 404);
    assert_eq!(get(door, "/v1/problems", "").unwrap().0, 200);
    up.terminate();
    up.end().ok();
    let listed = world.run(&["schema", "list", "--config", &file]).refused(2);
    assert!(listed.contains("registry.url"), "{listed}");
    let away = world.run(&["schema", "show", "1", "--config", &file]).refused(5);
    assert!(away.contains("http://127.0.0.1:1"), "{away}");
}
