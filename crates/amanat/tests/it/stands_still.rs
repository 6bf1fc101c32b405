//! A partition that stands still before a message that cannot be accepted: what the operator sees, and how it goes on.

use serde_json::Value;

use crate::program::{Started, World, event, events, free_address, get};

/// A sample store whose policy is to stand still, and the configuration that says so.
fn world() -> (World, String) {
    let world = World::sample();
    let rule = "rule = \"set_aside_with_limit\"";
    assert!(policy::DEFAULT_AGENCIES.contains(rule));
    world.file("agencies.toml", policy::DEFAULT_AGENCIES.replace(rule, "rule = \"suspend\""));
    let config = world.file("amanat.toml", "[policy]\nagencies = \"agencies.toml\"\n");
    (world, config)
}

fn send_bad(world: &World) {
    let file = world.file("bytes", "{\"half\": \"Atlantis");
    world.run(&["publish", "--raw", "--agency", "POL-PB", &file]).ok();
}

fn halted(status: &Value) -> Option<&Value> {
    status["partitions"].as_array().unwrap().iter().find(|partition| partition["reason"] == "rejected")
}

/// Its name, and an offset behind the message.
fn place(partition: &Value) -> (String, String) {
    let name = format!("{}/{}", partition["log_stream"].as_str().unwrap(), partition["partition"]);
    (name, (partition["in_lake"].as_i64().unwrap_or(0) + 1).to_string())
}

#[test]
fn status_says_which_partition_stands_still_why_and_what_to_do_and_resume_lets_it_go_on() {
    let (world, config) = world();
    world.publish(&events(0..9, true)).ok();
    send_bad(&world);
    let once = ["up", "--once", "--role", "ingest", "--config", &config];
    for _ in 0..2 {
        let error = world.run(&once).refused(5);
        assert!(error.contains("stand still") && error.contains("amanat resume"), "{error}");
        assert!(!error.contains("Atlantis"), "{error}");
    }
    let status = world.status();
    assert_eq!((&status["halted"], &status["counts"]["ok"]), (&1.into(), &9.into()), "{status}");
    let table = world.run(&["status"]).ok();
    assert!(table.contains("HALTED") && table.contains("parse") && table.contains("amanat resume"), "{table}");
    let (name, below) = place(halted(&status).unwrap());

    let resume = |below: &str, reason: &str| world.run(&["resume", &name, "--below", below, "--reason", reason]);
    assert!(resume("1000", "too far").refused(2).contains("has not come yet"));
    assert!(world.run(&["resume", &name, "--below", &below]).refused(2).contains("--reason"));
    assert!(world.run(&["resume", "nowhere", "--below", "1", "--reason", "x"]).refused(2).contains("STREAM/PARTITION"));
    let said = world.run(&["resume", &name, "--below", &below, "--reason", "an old client", "--json"]).ok();
    let permit: Value = serde_json::from_str(&said).unwrap();
    let version = permit["lake_version"].as_u64().unwrap();
    let commit = world.data().join(format!("lake/events/_delta_log/{version:020}.json"));
    assert!(std::fs::read_to_string(commit).unwrap().contains("an old client"), "the reason stands in the log");

    assert!(world.run(&once).ok().contains("1 set aside"));
    let status = world.status();
    assert_eq!(status["halted"], 0, "{status}");
    assert!(resume(&below, "again").refused(2).contains("is ingested"));
}

#[test]
fn a_running_worker_shows_it_in_its_metrics_and_goes_on_when_it_is_permitted() {
    let (world, config) = world();
    let address = free_address();
    let mut up = world.start(&["up", "--http", &address.to_string(), "--config", &config]);
    up.says("ready");
    send_bad(&world);
    world.publish(&event(1, true)).ok();
    let status = world.until("it stands still", |status| halted(status).is_some());
    let (_, metrics) = get(address, "/metrics", "").unwrap();
    assert!(metrics.contains("amanat_ingest_halted_partitions{reason=\"rejected\"} 1"), "{metrics}");
    let (name, below) = place(halted(&status).unwrap());
    world.run(&["resume", &name, "--below", &below, "--reason", "seen"]).ok();
    world.until("it goes on", |status| status["counts"]["set_aside: parse"] == 1 && status["halted"] == 0);
    ended(up);
}

#[test]
fn a_worker_that_was_killed_leaves_its_file_and_one_that_ends_takes_it_away() {
    let (world, config) = world();
    let file = world.data().join("ingest/0.decoding");
    let address = free_address().to_string();
    let mut up = world.start(&["up", "--http", &address, "--config", &config]);
    up.says("ready");
    world.publish(&events(0..1, true)).ok();
    world.until("it ingests", |status| status["counts"]["ok"] == 1);
    drop(up); // kills it
    assert!(file.exists());
    let mut up = world.start(&["up", "--http", &address, "--config", &config]);
    up.says("ready");
    world.publish(&events(1..4, true)).ok();
    world.until("all are in the lake", |status| status["counts"]["ok"] == 4);
    ended(up);
    assert!(!file.exists());
}

fn ended(up: Started) {
    up.terminate();
    up.end().ok();
}
