//! The agencies' door of the real program: from a request to what the lake and an edition say of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Started, World, event, free_address};

/// Longest wait for a condition; a machine under load is slow, not wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request; its status and body, where somebody answers.
fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Asks until the answer is as wanted.
pub fn until(ask: impl Fn() -> Option<(u16, Value)>, wanted: impl Fn(u16, &Value) -> bool) -> (u16, Value) {
    let began = Instant::now();
    loop {
        let answer = ask();
        match answer {
            Some((status, body)) if wanted(status, &body) => return (status, body),
            other => assert!(began.elapsed() < PATIENCE, "{other:?}"),
        }
        std::thread::yield_now();
    }
}

struct Served {
    address: SocketAddr,
    up: Started,
}

impl Served {
    fn start(world: &World) -> Self {
        Self::start_with(world, "")
    }

    /// A program that stops itself at places.
    fn start_with(world: &World, fail_points: &str) -> Self {
        let address = free_address();
        let (http, door) = (free_address().to_string(), address.to_string());
        let environment = [("AMANAT_GATEWAY__HTTP", &*door), ("FAILPOINTS", fail_points)];
        let up = world.start_with(&["up", "--http", &http], &environment);
        Self { address, up }
    }

    /// Sends until the process has ended, by the hand that is planted in it.
    fn dies_of(mut self, key: &str, repeat: &str, lines: &str) {
        let headers = headers(key, repeat);
        let began = Instant::now();
        while self.up.runs() {
            assert!(began.elapsed() < PATIENCE, "it still runs");
            if let Some((status, body)) = ask(self.address, "POST", "/v1/events", &headers, lines) {
                assert_eq!(status, 503, "nothing is acknowledged before it is recorded: {body}");
            }
        }
    }

    /// Sends lines until the door knows its log.
    fn send(&self, key: &str, repeat: &str, lines: &str) -> (u16, Value) {
        let headers = headers(key, repeat);
        until(|| ask(self.address, "POST", "/v1/events", &headers, lines), |status, _| status != 503)
    }

    fn get(&self, key: &str, path: &str) -> Option<(u16, Value)> {
        ask(self.address, "GET", path, &format!("authorization: Bearer {key}\r\n"), "")
    }

    /// The receipt of an answer, once its first event is so far.
    fn followed(&self, key: &str, answer: &Value, status: &str) -> Value {
        let path = answer["url"].as_str().unwrap();
        until(|| self.get(key, path), |_, receipt| receipt["events"][0]["status"] == status).1
    }
}

fn headers(key: &str, repeat: &str) -> String {
    format!("authorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\nidempotency-key: {repeat}\r\n")
}

pub fn key(world: &World, agency: &str, id: &str) -> String {
    let said = world.run(&["producer", "new", "--agency", agency, "--id", id]).ok();
    said.lines().next().unwrap().to_owned()
}

#[test]
fn an_event_is_sent_acknowledged_accepted_and_counted_and_a_copy_is_a_duplicate() {
    let world = World::real();
    let police = key(&world, "POL-PB", "pb-1");
    let served = Served::start(&world);
    let (status, first) = served.send(&police, "one", &event(1, false));
    assert_eq!((status, &first["accepted"]), (202, &1.into()), "{first}");
    let receipt = served.followed(&police, &first, "accepted");
    assert!(receipt["events"][0]["lake_version"].is_u64(), "{receipt}");
    let (_, copy) = served.send(&police, "two", &event(1, false));
    assert_eq!(served.followed(&police, &copy, "duplicate")["counts"]["duplicate"], 1);
    world.run(&["refresh"]).ok();
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let path = first["url"].as_str().unwrap().to_owned();
    until(|| served.get(&police, &path), |_, receipt| receipt["events"][0]["counted_in"] == 1);
    served.up.terminate();
    served.up.end().ok();
}

#[test]
fn what_was_acknowledged_is_answered_again_after_the_process_was_killed() {
    let world = World::real();
    let police = key(&world, "POL-PB", "pb-1");
    let served = Served::start(&world);
    let lines = event(1, false) + "\n" + &event(2, true);
    let (status, first) = served.send(&police, "one", &lines);
    assert_eq!((status, &first["accepted"], &first["refused"]), (207, &1.into(), &1.into()), "{first}");
    let problem = &first["results"][1]["problem"];
    assert_eq!((&problem["code"], &problem["mistakes"][0]["place"]), (&"not_admitted".into(), &"synthetic".into()));
    drop(served); // killed
    let served = Served::start(&world);
    assert_eq!(served.send(&police, "one", &lines), (207, first.clone()));
    let receipt = served.followed(&police, &first, "accepted");
    assert_eq!(receipt["events"].as_array().unwrap().len(), 1);
    let status = world.status();
    assert_eq!(status["counts"], serde_json::json!({ "ok": 1 }), "it is there once: {status}");
    assert_eq!(status["partitions"][0]["in_log"], 1, "and was appended once: {status}");
}

#[test]
fn killed_between_the_log_and_the_record_the_repeat_is_a_second_copy_with_one_receipt_and_counts_once() {
    let world = World::real();
    let police = key(&world, "POL-PB", "pb-1");
    let lines = event(1, false) + "\n" + &event(2, false);
    Served::start_with(&world, "door_after_append=return(abort)").dies_of(&police, "one", &lines);
    let served = Served::start(&world);
    let (status, answer) = served.send(&police, "one", &lines);
    assert_eq!((status, &answer["accepted"]), (202, &2.into()), "{answer}");
    assert_eq!(served.send(&police, "one", &lines), (202, answer.clone()), "the same receipt from now on");
    let receipt = served.followed(&police, &answer, "duplicate");
    assert_eq!(receipt["counts"]["duplicate"], 2, "{receipt}");
    let status = world.until("both copies are read", |status| status["partitions"][0]["in_lake"] == 4);
    assert_eq!(status["counts"], serde_json::json!({ "ok": 2, "duplicate": 2 }), "{status}");
    let receipts = rusqlite::Connection::open(world.data().join("gateway.db")).unwrap();
    let receipts: i64 = receipts.query_row("SELECT count(*) FROM receipts", [], |row| row.get(0)).unwrap();
    assert_eq!(receipts, 1);
}

#[test]
fn killed_after_the_record_the_repeat_finds_the_receipt_and_appends_nothing() {
    let world = World::real();
    let police = key(&world, "POL-PB", "pb-1");
    Served::start_with(&world, "door_after_record=return(abort)").dies_of(&police, "one", &event(1, false));
    let served = Served::start(&world);
    let (status, answer) = served.send(&police, "one", &event(1, false));
    assert_eq!(status, 202, "{answer}");
    served.followed(&police, &answer, "accepted");
    assert_eq!(world.status()["partitions"][0]["in_log"], 1, "appended once");
}

#[test]
fn keys_are_made_listed_and_taken_out_beside_the_running_door() {
    let world = World::real();
    let served = Served::start(&world);
    let police = key(&world, "POL-PB", "pb-1");
    let send = || {
        let headers = format!("authorization: Bearer {police}\r\ncontent-type: application/json\r\n");
        ask(served.address, "POST", "/v1/validate", &headers, &event(1, false))
    };
    until(send, |status, _| status == 200);
    assert_eq!(world.run(&["producer", "list"]).ok(), "pb-1  POL-PB, by key\n");
    let kept = std::fs::read_to_string(world.data().join("producers.toml")).unwrap();
    assert!(!kept.contains(&police["amanat_".len()..]), "a hash is kept, not the key");
    assert!(world.run(&["producer", "new", "--agency", "POL-PB", "--id", "pb-1"]).refused(2).contains("twice"));
    assert!(world.run(&["producer", "new", "--agency", "NOBODY", "--id", "x"]).refused(2).contains("lists no agency"));
    world.run(&["producer", "remove", "pb-1"]).ok();
    until(send, |status, _| status == 401);
    world.run(&["producer", "remove", "pb-1"]).refused(2);
}

#[test]
fn an_agency_sees_how_good_its_feed_is_and_gets_templates_for_its_reports() {
    let world = World::real();
    let police = key(&world, "POL-PB", "pb-1");
    let served = Served::start(&world);
    let (_, first) = served.send(&police, "one", &event(1, false));
    served.followed(&police, &first, "accepted");
    world.run(&["refresh"]).ok();
    let told = world.run(&["feeds", "--agency", "POL-PB", "--send"]).ok();
    assert!(told.starts_with("POL-PB  Police, Punjab") && told.contains("1 accepted, 0 there already"), "{told}");
    let is_told = |status: u16, body: &Value| status == 200 && body["report"]["months"][0]["accepted"] == 1;
    let (_, feed) = until(|| served.get(&police, "/v1/feed"), is_told);
    assert_eq!(feed["report"]["agency"], "POL-PB");
    let (_, days) = served.get(&police, "/v1/feed/days").unwrap();
    assert_eq!(days["days"][0]["accepted"], 1, "{days}");
    let (_, own) = served.get(&police, "/v1/agency").unwrap();
    assert!(own["templates"].as_array().unwrap().contains(&"victim.identified".into()), "{own}");
    let (status, _) = served.get(&police, "/v1/templates/victim.identified/rows.mapping.toml").unwrap();
    assert_eq!(status, 200);
    let unknown = world.run(&["feeds", "--agency", "NOBODY"]);
    assert!(unknown.err.contains("no agency has the code"), "{unknown:?}");
    served.up.terminate();
    served.up.end().ok();
}
