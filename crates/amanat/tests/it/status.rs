//! What an operator sees of each partition: lag, freshness, what was set aside beside its limit, claim and owner.

use serde_json::Value;

use crate::program::{World, event, events, free_address};

/// The only partition that there is.
fn partition(status: &Value) -> &Value {
    let all = status["partitions"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{status}");
    &all[0]
}

fn send_bad(world: &World) {
    let file = world.file("bytes", "{\"half\": \"Atlantis");
    world.run(&["publish", "--raw", "--agency", "POL-PB", &file]).ok();
}

fn ingest(world: &World) {
    world.run(&["up", "--once", "--role", "ingest"]).ok();
}

#[test]
fn status_tells_lag_freshness_claim_owner_and_what_was_set_aside_of_a_partition() {
    let world = World::sample();
    world.publish(&events(0..3, true)).ok();
    send_bad(&world);
    ingest(&world);
    let status = world.status();
    let caught_up = partition(&status);
    assert_eq!((&caught_up["lag"], &caught_up["oldest_unread_age_seconds"]), (&0.into(), &0.0.into()), "{status}");
    assert_eq!((&caught_up["agency"], &caught_up["claim"]), (&"POL-PB".into(), &1.into()), "{status}");
    let owner = &caught_up["owner"];
    assert!(owner["writer_id"].as_str().unwrap().starts_with("ingest-") && owner["pid"].is_null(), "{status}");
    let aside = &caught_up["set_aside"];
    let counts =
        ["window_messages", "window_offsets", "limit_messages", "all_messages", "all_rows"].map(|name| &aside[name]);
    assert_eq!(counts, [&1.into(), &10_000.into(), &500.into(), &1.into(), &4.into()] as [&Value; 5], "{status}");
    let last = caught_up["last_ingested_age_seconds"].as_f64().unwrap();
    assert!((0.0..600.0).contains(&last) && status["bytes"]["total_bytes"].as_u64().unwrap() > 0, "{status}");

    world.publish(&events(3..5, true)).ok();
    let status = world.status();
    let behind = partition(&status);
    let age = behind["oldest_unread_age_seconds"].as_f64().unwrap();
    assert!(behind["lag"] == 2 && status["totals"]["lag_messages"] == 2 && age < 600.0, "{status}");
    ingest(&world);
    assert_eq!(partition(&world.status())["claim"], 2, "each start claims anew");
}

#[test]
fn the_table_names_the_agency_its_partitions_and_a_total_in_a_hundred_columns() {
    let world = World::sample();
    world.publish(&events(0..3, true)).ok();
    send_bad(&world);
    ingest(&world);
    let table = world.run(&["status"]).ok();
    let row = |begins: &str| table.lines().find(|line| line.trim_start().starts_with(begins)).unwrap();
    assert!(row("POL-PB").contains("#0/tip.events.POL-PB.v1"), "{table}");
    assert!(row("0 ").contains("1/500") && row("0 ").contains("25.00 %") && row("0 ").contains("ingest-"), "{table}");
    assert!(
        row("all ").contains("25.00 %") && table.contains("set_aside: parse") && table.contains("bytes in the lake"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(!table.contains("Atlantis"));
}

#[test]
fn beside_a_running_worker_its_process_is_named_and_no_longer_when_it_has_ended() {
    let world = World::real();
    let mut up = world.start(&["up", "--http", &free_address().to_string()]);
    up.says("ready");
    world.publish(&event(1, false)).ok();
    let named =
        |status: &Value| status["partitions"][0]["owner"]["pid"].is_u64() && status["partitions"][0]["lag"] == 0;
    let status = world.until("its process is named", named);
    let owner = &partition(&status)["owner"];
    let host = owner["host"].as_str().unwrap();
    assert!(!host.is_empty() && owner["writer_id"].as_str().unwrap().starts_with("ingest-"), "{status}");
    let table = world.run(&["status"]).ok();
    assert!(table.contains(&format!(":{}", owner["pid"])), "{table}");
    up.terminate();
    up.end().ok();
    let owner = partition(&world.status())["owner"].clone();
    assert!(owner["pid"].is_null() && owner["writer_id"].is_string(), "{owner}");
}

#[test]
fn with_the_log_away_what_the_lake_knows_is_shown() {
    let world = World::real();
    world.publish(&events(0..3, false)).ok();
    ingest(&world);
    let away = ["status", "--json", "--brokers", "127.0.0.1:1"];
    let status: Value = serde_json::from_str(&world.run(&away).ok()).unwrap();
    let known = partition(&status);
    assert!(status["log_away"].is_string() && known["lag"].is_null() && known["oldest_unread_age_seconds"].is_null());
    assert_eq!((&known["in_lake"], &known["claim"]), (&3.into(), &1.into()), "{status}");
    assert!(known["owner"]["writer_id"].is_string(), "{status}");
}

#[test]
fn a_status_that_is_watched_is_told_again() {
    let world = World::real();
    let mut watch = world.start(&["status", "--json", "--watch", "1"]);
    watch.says("\"lake_version\":null");
    world.publish(&event(1, false)).ok();
    ingest(&world);
    watch.says("\"ok\":1");
    assert!(world.run(&["status", "--watch", "0"]).refused(2).contains("--watch"));
}
