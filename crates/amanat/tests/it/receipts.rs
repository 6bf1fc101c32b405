//! What agencies are told on `tip.receipts.v1`: of their messages, and of editions.

use serde_json::Value;

use crate::program::{World, event, events};

/// What `amanat receipts --json` prints, with these further arguments.
fn told(world: &World, args: &[&str]) -> Vec<Value> {
    let printed = world.run(&[&["receipts", "--json"], args].concat()).ok();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_agency_sees_what_was_accepted_and_what_was_not() {
    let world = World::sample();
    world.publish(&(events(0..3, true) + &event(1, true))).ok();
    let bad = world.file("bad.bin", "no event\n");
    world.run(&["publish", "--raw", "--agency", "FIA", &bad]).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let all = told(&world, &[]);
    assert_eq!(all.len(), 2, "{all:?}");
    let police = told(&world, &["--agency", "POL-PB"]);
    let (from, to) = (police[0]["from"].as_i64(), police[0]["to"].as_i64());
    assert!(police.len() == 1 && (from, to) == (Some(0), Some(4)), "{police:?}");
    let exceptions = police[0]["exceptions"].as_array().unwrap();
    assert!(exceptions.len() == 1 && exceptions[0]["status"] == "duplicate", "{exceptions:?}");
    let text = world.run(&["receipts", "--agency", "FIA"]).ok();
    assert!(text.contains("tip.events.FIA.v1/0 offsets 0 to 0: 0 accepted, 1 not"), "{text}");
    assert!(text.contains("0 set_aside: parse: "), "{text}");
    // Sent again by the next worker, who cannot know that it was; printed once.
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    assert_eq!(told(&world, &[]), all);
}

#[test]
fn the_stream_of_receipts_is_no_partition_to_status_or_reset() {
    let world = World::real();
    world.publish(&events(0..3, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    assert_eq!(told(&world, &[]).len(), 1);
    let status = world.status();
    assert_eq!(status["partitions"].as_array().unwrap().len(), 1, "{status}");
    let reset = ["reset", "tip.receipts.v1/0", "--to", "latest", "--operator", "o", "--reason", "r", "--yes"];
    assert!(world.run(&reset).refused(2).contains("has no partition"));
}

#[test]
fn where_receipts_are_switched_off_nobody_is_told_and_the_next_worker_makes_up_for_it() {
    let world = World::real();
    let off = world.file("off.toml", "[ingest]\nreceipts = false\n");
    world.publish(&events(0..3, false)).ok();
    world.run(&["up", "--once", "--role", "ingest", "--config", &off]).ok();
    assert!(told(&world, &[]).is_empty());
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let all = told(&world, &[]);
    assert!(all.len() == 1 && all[0]["to"] == 3, "{all:?}");
}

#[test]
fn an_edition_is_published_though_the_log_is_away_and_announced_when_it_is_back() {
    let world = World::real();
    world.publish(&events(0..3, false)).ok();
    world.run(&["up", "--once"]).ok();
    let published = world.run(&["edition", "publish", "--as-of", "2024-12-31", "--brokers", "127.0.0.1:1"]);
    assert!(published.out.contains("published edition 1") && published.code == Some(0), "{published:?}");
    assert!(published.err.contains("not announced on tip.receipts.v1"), "{published:?}");
    let editions = || told(&world, &[]).into_iter().filter(|told| told["edition"].is_i64()).collect::<Vec<_>>();
    assert!(editions().is_empty());
    world.run(&["up", "--once"]).ok();
    let now = editions();
    assert!(now.len() == 1 && now[0]["edition"] == 1 && now[0]["as_of"] == "2024-12-31", "{now:?}");
    let cut = now[0]["cut"].as_object().unwrap();
    assert!(cut.len() == 1 && cut.values().all(|next| next == 3), "{cut:?}");
    assert!(world.run(&["receipts"]).ok().contains("edition 1 of 2024-12-31 is published"));
}
