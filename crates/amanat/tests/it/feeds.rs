//! The steward looks at agencies' feeds over HTTP: what the agencies heard last, from another process than the one that measured.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::linking::identified;
use crate::people::send;
use crate::program::{World, free_address};

#[test]
fn the_steward_sees_the_report_that_was_sent_last() {
    let world = World::sample();
    world.publish(&identified("POL-PB", 1, '1')).ok();
    world.run(&["up", "--once"]).ok();
    world.run(&["feeds", "--send"]).ok();
    let key = |role: &str| {
        let made = world.run(&["key", "new", "--id", role, "--role", role, "--share", "ministry"]).ok();
        format!("authorization: Bearer {}\r\n", made.lines().next().unwrap())
    };
    let (steward, analyst) = (key("steward"), key("analyst"));
    let address = free_address();
    let mut up = world.start(&["up", "--role", "endpoint", "--http", &address.to_string()]);
    up.says("ready");
    let get = |path: &str, headers: &str| {
        let (status, _, body) = send(address, "GET", path, headers, &Value::Null);
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let (status, listed) = get("/v1/feeds", &steward);
    assert_eq!((status, &listed["feeds"][0]["agency"]), (200, &"POL-PB".into()), "{listed}");
    assert_eq!((&listed["feeds"][0]["accepted"], &listed["feeds"][0]["en"]), (&1.into(), &"Police, Punjab".into()));
    assert_eq!(get("/v1/feeds", &analyst).0, 403);

    world.publish(&identified("POL-PB", 2, '2')).ok();
    world.run(&["up", "--once", "--role", "ingest", "--role", "refresh"]).ok();
    world.run(&["feeds", "--send"]).ok();
    let end = Instant::now() + Duration::from_secs(20);
    let feed = loop {
        let (_, feed) = get("/v1/feeds/POL-PB", &steward);
        if feed["summary"]["accepted"] == 2 {
            break feed;
        }
        assert!(Instant::now() < end, "{feed}");
    };
    assert_eq!(feed["types"][0]["event_type"], "pk.tip.victim.identified", "{feed}");
    assert_eq!(get("/v1/feeds/FIA", &steward).0, 404, "nothing came of it");
    up.terminate();
    up.end().ok();
}
