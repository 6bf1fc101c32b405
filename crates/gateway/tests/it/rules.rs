//! The rules of evolution, as Confluent's documentation states them under "Schema Evolution and Compatibility".

use std::path::Path;

use gateway::{Against, Draft, Level, RegistryError};

use crate::world::{COUNT, COUNT_DEFAULT, ID, World, draft, record};

/// Whether `new` may follow `old` at a level.
fn may_follow(level: Level, old: &str, new: &str) -> bool {
    let world = World::new();
    world.registry.set_level(Some("s"), level).unwrap();
    world.registry.register("s", &Draft::avro(old), false).unwrap();
    let verdict = world.registry.check("s", Against::Level, &Draft::avro(new)).unwrap();
    match world.registry.register("s", &Draft::avro(new), false) {
        Ok(_) => assert!(verdict.compatible, "what is registered was found compatible"),
        Err(RegistryError::Incompatible { .. }) => {
            assert!(!verdict.compatible, "what is refused was found incompatible");
        }
        Err(other) => panic!("{other}"),
    }
    verdict.compatible
}

fn backward(old: &str, new: &str) -> bool {
    may_follow(Level::Backward, old, new)
}

fn forward(old: &str, new: &str) -> bool {
    may_follow(Level::Forward, old, new)
}

fn with(field: &str) -> String {
    record(&format!("{ID},{field}"))
}

/// Every pair of the file that the client in Java compares as well, with what each direction must say.
#[test]
fn the_corpus_of_pairs_is_judged_as_it_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pairs.json");
    let pairs: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let pairs = pairs.as_array().unwrap();
    assert!(pairs.len() >= 50, "the corpus is there");
    for pair in pairs {
        let (old, new) = (pair["old"].to_string(), pair["new"].to_string());
        let told = (backward(&old, &new), forward(&old, &new));
        let expected = (pair["backward"].as_bool().unwrap(), pair["forward"].as_bool().unwrap());
        assert_eq!(told, expected, "{} (backward, forward)", pair["name"]);
    }
}

#[test]
fn a_field_with_a_default_may_be_added_and_one_without_may_not() {
    assert!(backward(&record(ID), &with(COUNT_DEFAULT)));
    assert!(!backward(&record(ID), &with(COUNT)));
    assert!(forward(&record(ID), &with(COUNT)), "who does not know the field skips it");
}

#[test]
fn a_field_may_be_removed_backward_and_only_with_a_default_forward() {
    assert!(backward(&with(COUNT), &record(ID)));
    assert!(!forward(&with(COUNT), &record(ID)));
    assert!(forward(&with(COUNT_DEFAULT), &record(ID)));
}

#[test]
fn full_asks_for_both_directions() {
    assert!(may_follow(Level::Full, &record(ID), &with(COUNT_DEFAULT)));
    assert!(!may_follow(Level::Full, &record(ID), &with(COUNT)));
    assert!(!may_follow(Level::Full, &with(COUNT), &record(ID)));
}

#[test]
fn none_asks_for_nothing() {
    assert!(may_follow(Level::None, &record(ID), r#"{"type":"enum","name":"Other","symbols":["A"]}"#));
}

#[test]
fn transitive_levels_ask_every_version_and_the_others_the_last_alone() {
    let (first, second, third) = (with(COUNT), record(ID), with(r#"{"name":"count","type":"string","default":""}"#));
    for (level, allowed) in [(Level::Backward, true), (Level::BackwardTransitive, false)] {
        let world = World::new();
        world.registry.set_level(None, level).unwrap();
        for schema in [&first, &second] {
            world.registry.register("s", &Draft::avro(schema), false).unwrap();
        }
        // An int of the first version cannot be read as a string; the second version wrote no count at all.
        let verdict = world.registry.check("s", Against::Level, &Draft::avro(&third)).unwrap();
        assert_eq!(verdict.compatible, allowed, "{level}: {:?}", verdict.differences);
    }
}

#[test]
fn backward_transitive_is_the_level_where_none_was_set() {
    assert_eq!(World::new().registry.level(None).unwrap(), Level::BackwardTransitive);
}

#[test]
fn a_refusal_names_the_version_the_field_and_the_remedy() {
    let world = World::new();
    world.registry.register("s", &draft(ID), false).unwrap();
    let error = world.registry.register("s", &draft(&format!("{ID},{COUNT}")), false).unwrap_err().to_string();
    for part in ["'s'", "version 1", "`count`", "default"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn one_version_can_be_compared_alone_in_the_directions_of_the_level() {
    let world = World::new();
    world.registry.set_level(Some("s"), Level::None).unwrap();
    world.registry.register("s", &draft(ID), false).unwrap();
    world.registry.register("s", &draft(&format!("{ID},{COUNT}")), false).unwrap();
    world.registry.set_level(Some("s"), Level::Backward).unwrap();
    let against = |version: i32| {
        let draft = draft(&format!("{ID},{COUNT}"));
        world.registry.check("s", Against::One(gateway::Which::Number(version)), &draft).unwrap().compatible
    };
    assert!(!against(1) && against(2));
}
