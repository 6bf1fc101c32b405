//! The role that keeps the lake small: once, as a dry run, within `up`, and beside it.

use serde_json::Value;

use crate::program::{World, events, free_address};

/// A store into which events came in many small batches.
fn in_small_files(world: &World, batches: u32) {
    for n in 0..batches {
        world.publish(&events(n * 5..(n + 1) * 5, false)).ok();
        world.run(&["up", "--once", "--role", "ingest"]).ok();
    }
}

#[test]
fn maintaining_once_says_what_it_did_and_a_dry_run_writes_nothing() {
    let world = World::real();
    assert!(world.run(&["maintain", "--once"]).ok().contains("nothing was ingested yet"));
    in_small_files(&world, 4);
    let before = world.status();
    assert!(before["maintenance"].is_null(), "{before}");

    let due = world.run(&["maintain", "--dry-run"]).ok();
    assert!(due.contains("would compact") && due.contains("version(s) since the last checkpoint"), "{due}");
    let kept = |status: &Value| ["lake_version", "counts", "bytes", "maintenance"].map(|name| status[name].clone());
    assert_eq!(kept(&world.status()), kept(&before), "nothing was written");

    let said = world.run(&["maintain", "--once"]).ok();
    assert!(said.contains("checkpoint(s)") && said.contains("the table has"), "{said}");
    let after = world.status();
    assert_eq!(after["counts"], before["counts"]);
    assert!(after["maintenance"]["last_run_ms"].as_i64().unwrap() > 0, "{after}");
    assert!(world.run(&["status"]).ok().contains("maintenance: 20"));
    // The lease was given back, so the next one need not wait.
    world.run(&["maintain", "--once"]).ok();
}

#[test]
fn up_maintains_and_another_maintainer_lets_it() {
    let world = World::real();
    world.publish(&events(0..10, false)).ok();
    let mut up = world.start(&["up", "--http", &free_address().to_string()]);
    up.says("ready");
    let status = world.until("a round was done", |status| !status["maintenance"].is_null());
    let holder = status["maintenance"]["holder"].as_str().unwrap().to_owned();
    let beside = world.start(&["maintain"]);
    world.publish(&events(10..20, false)).ok();
    world.until("all are in the lake", |status| status["counts"]["ok"] == 20);
    assert_eq!(world.status()["maintenance"]["holder"], holder.as_str(), "one at a time");
    beside.terminate();
    beside.end().ok();
    up.terminate();
    up.end().ok();
}
