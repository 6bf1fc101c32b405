//! The synthetic country from an empty directory to answers, once, with everything that needs an edition.

use serde_json::Value;

use crate::program::{World, free_address, get};

#[test]
fn a_synthetic_country_is_interrupted_resumed_published_asked_and_recomputed() {
    let world = World::new();
    let begun = {
        let mut up = world.start(&["up", "--sample", "--once"]);
        up.says("SYNTHETIC");
        up.terminate();
        up.end()
    };
    begun.ok();
    assert!(world.run(&["edition", "list"]).ok().contains("no edition yet"), "it heard the signal before it was done");

    let address = free_address();
    let mut up = world.start(&["up", "--sample", "--http", &address.to_string()]);
    up.says("edition 1 published");
    up.says("ready");
    let status = world.status();
    assert!(status["halted"] == 0 && status["counts"]["ok"].as_i64().unwrap() > 20_000, "{status}");
    let (code, body) = get(address, "/v1/indicators/V01/data?time_period=2024", "").unwrap();
    assert!(code == 200 && body.contains("\"synthetic\":true"), "{code} {body}");
    assert_eq!(get(address, "/readyz", "").unwrap().0, 200);
    asked(&world);
    let other = world.run(&["up", "--sample", "--seed", "2", "--http", &free_address().to_string()]);
    assert_ne!(other.code, Some(0), "{other:?}");
    up.terminate();
    up.end().ok();

    let listed = world.run(&["edition", "list"]).ok();
    assert!(listed.contains("SYNTHETIC"), "{listed}");
    let recomputed = world.run(&["edition", "recompute", "1"]).ok();
    assert!(recomputed.contains("equal"), "{recomputed}");
    assert!(world.run(&["sample", "--seed", "2"]).refused(6).contains("--seed 1"));
}

fn asked(world: &World) {
    let question = "select a.value, b.value from published.v01 a, published.v01 b limit 2";
    let json: Value = serde_json::from_str(&world.run(&["sql", question, "--format", "json"]).ok()).unwrap();
    assert_eq!(json["edition"], 1);
    assert_eq!(json["columns"].as_array().unwrap().len(), 2, "a column whose name stands twice is there twice");
    assert_eq!(json["rows"].as_array().unwrap().len(), 2);
    assert_eq!(json["rows"][0].as_array().unwrap().len(), 2);
    let csv =
        world.run(&["sql", "select '' as empty, null as nothing, '=1' as formula, 0.1 as tenth", "--format", "csv"]);
    assert_eq!(csv.ok(), "empty,nothing,formula,tenth\n\"\",,\"'=1\",0.1\n");
    let table = world.run(&["sql", question]).ok();
    assert!(table.contains("2 rows, edition 1, SYNTHETIC"), "{table}");
    let refusal = world.run(&["sql", "select * from marts.victims"]).refused(6);
    assert!(refusal.contains('['), "{refusal}");
    world.run(&["sql", "copy published.v01 to '/tmp/x'"]).refused(6);
}
