//! `up` beside the other commands, told to end, and with the log away or another than before.

use crate::program::{World, event, events, free_address, get, get_until};

#[test]
fn events_published_beside_a_running_program_arrive_and_a_signal_ends_it_with_all_committed() {
    let world = World::real();
    let address = free_address();
    let mut up = world.start(&["up", "--http", &address.to_string()]);
    up.says("ready");
    world.publish(&events(0..40, false)).ok();
    let file = world.file("more.ndjson", events(40..60, false));
    world.run(&["publish", &file]).ok();
    world.until("all are in the lake", |status| status["counts"]["ok"] == 60);
    let answer = world.run(&["sql", "select count(*) as n from reference.province", "--format", "csv"]).ok();
    assert!(answer.starts_with("n\n"), "{answer}");
    let (status, metrics) = get(address, "/metrics", "").unwrap();
    assert!(status == 200 && metrics.contains("amanat_"), "{status} {metrics}");
    assert_eq!(get(address, "/metrics", "x-forwarded-for: 192.0.2.1\r\n").unwrap().0, 404, "not through a proxy");
    let second = world.run(&["up", "--http", &free_address().to_string()]).refused(4);
    assert!(second.contains("in use by process"), "{second}");
    world.publish(&events(60..70, false)).ok();
    up.terminate();
    let said = up.end().ok();
    assert!(said.contains("event(s) ingested"), "{said}");
    let once = world.run(&["up", "--once"]).ok();
    assert!(once.contains("0 duplicate(s)"), "{once}");
    let status = world.status();
    assert_eq!(status["counts"]["ok"], 70, "{status}");
    assert!(status["partitions"].as_array().unwrap().iter().all(|p| p["lag"] == 0 && p["halt"].is_null()), "{status}");
}

#[test]
fn metrics_have_an_address_of_their_own_where_one_is_set() {
    let world = World::real();
    let (door, metrics) = (free_address(), free_address());
    let file = world.file("amanat.toml", format!("metrics = \"{metrics}\"\n"));
    let mut up = world.start(&["up", "--http", &door.to_string(), "--config", &file]);
    up.says("ready");
    assert_eq!(get(door, "/metrics", "").unwrap().0, 404);
    assert_eq!(get(metrics, "/metrics", "").unwrap().0, 200);
    assert_eq!(get(metrics, "/v1/indicators", "").unwrap().0, 404);
    up.terminate();
    up.end().ok();
}

#[test]
fn with_the_log_away_what_is_published_is_served_and_the_reason_is_said() {
    let world = World::real();
    let address = free_address();
    let up = world.start(&["up", "--brokers", "127.0.0.1:1", "--http", &address.to_string()]);
    assert_eq!(get_until(address, "/healthz").0, 200);
    let (status, body) = get_until(address, "/readyz");
    assert!(status == 503 && body.contains("the event log does not answer"), "{status} {body}");
    up.terminate();
    up.end().ok();
}

#[test]
fn with_the_log_away_one_round_fails_as_such() {
    let error = World::real().run(&["up", "--once", "--brokers", "127.0.0.1:1"]).refused(5);
    assert!(error.contains("127.0.0.1:1"), "{error}");
    let table = World::real().run(&["status", "--brokers", "127.0.0.1:1"]).ok();
    assert!(table.contains("the event log does not answer"), "{table}");
}

#[test]
fn a_log_that_is_another_than_before_halts_visibly() {
    let world = World::real();
    world.publish(&events(0..3, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    for file in ["log.db", "log.db-wal", "log.db-shm"] {
        let _ = std::fs::remove_file(world.data().join(file));
    }
    world.publish(&event(7, false)).ok();
    let status = world.status();
    assert_eq!(status["halted"], 1, "{status}");
    let table = world.run(&["status"]).ok();
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.contains("HALTED") && words.contains("from another log"), "{table}");
    let error = world.run(&["up", "--once", "--role", "ingest"]).refused(5);
    assert!(error.contains("stand still") && error.contains("POL-PB"), "{error}");
    assert_eq!(world.status()["counts"]["ok"], 3, "nothing was read from it");
}
