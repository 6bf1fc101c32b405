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
    asked_about_records(&world, address);
    let other = world.run(&["up", "--sample", "--seed", "2", "--http", &free_address().to_string()]);
    assert_ne!(other.code, Some(0), "{other:?}");
    up.terminate();
    up.end().ok();

    let listed = world.run(&["edition", "list"]).ok();
    assert!(listed.contains("SYNTHETIC"), "{listed}");
    let recomputed = world.run(&["edition", "recompute", "1"]).ok();
    assert!(recomputed.contains("equal"), "{recomputed}");
    a_second_edition_is_the_first(&world);
    a_vault_without_its_memory_refuses(&world);
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

/// Victims of V01 by year, as they were published and as a question about the records counts them.
const BOTH: &str = "select p.time_period, p.value, q.n from published.v01 p \
    join (select year, count(*) as n from victims where status = 'actual' group by year) q \
    on p.time_period = cast(q.year as varchar) \
    where p.province = '_T' and p.sex = '_T' and p.age_group = '_T' order by 1";

fn asked_about_records(world: &World, address: std::net::SocketAddr) {
    let json: Value = serde_json::from_str(&world.run(&["sql", BOTH, "--format", "json"]).ok()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 15, "{json}");
    for row in rows {
        assert!(row[1].is_number() && row[1] == row[2], "published and asked are one number: {row}");
    }
    let refused = world.run(&["sql", "select * from victims"]).refused(6);
    assert!(refused.contains("PRIV-1003"), "{refused}");
    let explained = world.run(&["sql", "explain select count(*) from victims where year = 2024"]).ok();
    assert!(explained.lines().all(|line| line.len() < 100), "fits a screen: {explained}");
    let explained: Value = serde_json::from_str(&explained).expect("JSON");
    assert!(explained["questions"][0]["measures"][0]["half_width_95"].is_number(), "{explained}");
    let (code, body) = get(address, "/readyz", "").unwrap();
    assert_eq!((code, body.contains("PRIV")), (200, false));
    let shown = world.run(&["audit", "show", "--json"]).ok();
    assert!(shown.contains("analyst") && shown.contains("PRIV-1003") && shown.contains("answered"), "{shown}");
    let verified = world.run(&["audit", "verify"]).ok();
    assert!(verified.contains("whole") || verified.contains("entries"), "{verified}");
}

/// Nothing came in between: the same persons, so the same numbers, by the memory of both editions.
fn a_second_edition_is_the_first(world: &World) {
    let first = world.run(&["sql", "select value from published.v01 order by 1", "--format", "csv"]).ok();
    world.run(&["edition", "publish", "--as-of", "2025-12-31"]).ok();
    let second = world.run(&["sql", "select value from published.v01 order by 1", "--format", "csv"]).ok();
    assert_eq!(first, second);
    for edition in ["1", "2"] {
        let recomputed = world.run(&["edition", "recompute", edition]).ok();
        assert!(recomputed.contains("equal"), "{recomputed}");
    }
}

fn a_vault_without_its_memory_refuses(world: &World) {
    let (vault, away) = (world.data().join("vault.db"), world.root.path().join("vault.db"));
    let older = world.root.path().join("older.db");
    std::fs::copy(&vault, &older).unwrap();
    world.run(&["sql", "select sector, count(*) from victims where year = 2024 group by sector"]).ok();
    std::fs::rename(&vault, &away).unwrap();
    let refused = world.run(&["sql", BOTH]).refused(4);
    assert!(refused.contains("restore it from the backup"), "{refused}");
    std::fs::rename(&older, &vault).unwrap();
    let refused = world.run(&["sql", BOTH]).refused(4);
    assert!(refused.contains("restore the newer one"), "{refused}");
    std::fs::remove_file(&vault).unwrap();
    std::fs::rename(&away, &vault).unwrap();
    world.run(&["sql", BOTH]).ok();
}
