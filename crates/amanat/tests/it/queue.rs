//! What the steward decides: which content of an event counts, from two contents on the log to an edition that counts the one that was
//! chosen; and of pairs of persons, over HTTP.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use policy::{Keys, Master};
use serde_json::{Value, json};

use crate::linking::identified;
use crate::people::send;
use crate::program::{Started, World, free_address};

const EVENT: &str = "018f3b5c-0000-7000-8000-000000000001";

/// A registration of a case in a province, always under the same id.
fn case(province: &str) -> String {
    let event = json!({
        "specversion": "1.0", "id": EVENT, "source": "urn:pk:tip:POL-PB", "type": "pk.tip.case.registered",
        "dataschema": "https://schemas.amanat.example/case.registered/v1",
        "subject": "POL-PB/r3c0rd0000000bcdfg", "time": "2025-03-01T10:15:00+05:00", "synthetic": true,
        "data": {"record_version": 1, "occurred_on": "2024-03-09", "sections": ["PTPA-3-1"], "province": province}
    });
    format!("{event}\n")
}

/// A store with both contents folded.
fn world() -> World {
    let world = World::sample();
    for province in ["PK-PB", "PK-SD"] {
        world.publish(&case(province)).ok();
    }
    world.run(&["up", "--once"]).ok();
    world
}

fn listed(world: &World, more: &[&str]) -> Vec<Value> {
    let args = [&["conflict", "list", "--json"], more].concat();
    serde_json::from_str(&world.run(&args).ok()).unwrap()
}

/// In which provinces the latest edition counts a case.
fn counted(world: &World) -> String {
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let sql = "select province from published.c01 where time_period = '2024-Q1' and value = 1 and province like 'PK%' and agency_group = 'POL'";
    world.run(&["sql", sql, "--format", "csv"]).ok()
}

#[test]
fn the_stewards_word_moves_a_case_from_one_province_to_another() {
    let world = world();
    let listed_now = listed(&world, &[]);
    let [conflict] = &listed_now[..] else { panic!("{listed_now:?}") };
    let differs = json!([{"field": "province", "said": ["PK-PB", "PK-SD"]}]);
    assert_eq!(
        (&conflict["differs"], &conflict["because"], &conflict["counts"]),
        (&differs, &json!("least"), &json!(1))
    );
    assert!(counted(&world).contains("PK-PB"));

    let text = world.run(&["conflict", "list"]).ok();
    assert!(text.contains("province: PK-PB | PK-SD") && !text.contains("r3c0rd"), "no id of a record: {text}");
    assert!(world.run(&["conflict", "list", "--agency", "FIA"]).ok().contains("no conflict waits"));
    world.run(&["conflict", "decide", "POL-PB", EVENT, "--counts", "2"]).ok();
    world.run(&["up", "--once"]).ok();
    assert!(counted(&world).contains("PK-SD"));
    assert!(listed(&world, &[]).is_empty(), "nothing waits");
    let decided = listed(&world, &["--decided"]);
    assert_eq!((&decided[0]["because"], &decided[0]["counts"]), (&json!("decided"), &json!(2)));
    for edition in ["1", "2"] {
        assert!(world.run(&["edition", "recompute", edition]).ok().contains("equal"), "each by what was known then");
    }
    let number = ["explain-number", "C01", "time_period=2024-Q1", "province=PK-SD", "agency_group=POL"];
    let explained = world.run(&[&number[..], &["--edition", "1", "--edition", "2"]].concat()).ok();
    assert!(explained.contains("which content of an event counts"), "{explained}");
}

#[test]
fn what_is_no_conflict_or_no_content_is_not_decided() {
    let world = world();
    let none = world.run(&["conflict", "decide", "FIA", EVENT, "--counts", "1"]).refused(6);
    assert!(none.contains("nothing is to be decided"), "{none}");
    let beyond = world.run(&["conflict", "decide", "POL-PB", EVENT, "--counts", "3"]).refused(2);
    assert!(beyond.contains("contents 1 to 2"), "{beyond}");
    world.run(&["conflict", "decide", "POL-PB", EVENT]).refused(2);
}

/// A service with the steward's key.
struct Served {
    up: Started,
    address: SocketAddr,
    bearer: String,
    began: Instant,
}

impl Served {
    fn of(world: &World) -> Self {
        let made = world.run(&["key", "new", "--id", "steward-1", "--role", "steward", "--share", "ministry"]).ok();
        let bearer = format!("authorization: Bearer {}\r\n", made.lines().next().unwrap());
        let address = free_address();
        let quick = [("AMANAT_REFRESH__EVERY_SECONDS", "1")];
        let mut up = world.start_with(&["up", "--http", &address.to_string()], &quick);
        up.says("ready");
        Self { up, address, bearer, began: Instant::now() }
    }

    /// Looks until what waits is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (status, _, body) = send(self.address, "GET", "/v1/queue", &self.bearer, &Value::Null);
            assert_eq!(status, 200, "{body}");
            let waiting = serde_json::from_str(&body).unwrap();
            if wanted(&waiting) {
                return waiting;
            }
            assert!(self.began.elapsed() < Duration::from_mins(2), "{what}: {waiting}");
        }
    }

    fn say(&self, path: &str, body: &Value) {
        let (status, _, body) = send(self.address, "POST", path, &self.bearer, body);
        assert_eq!(status, 202, "{body}");
    }

    fn say_of_pair(&self, pair: [&str; 2], are_one: &str) {
        self.say("/v1/queue/links", &json!({"person": pair[0], "other": pair[1], "are_one": are_one}));
    }

    fn close(self) {
        self.up.terminate();
        self.up.end().ok();
    }
}

#[test]
fn the_steward_decides_over_http_and_it_stands_in_the_audit_log() {
    let world = world();
    let served = Served::of(&world);
    let waiting = served.until("everybody is compared", |waiting| !waiting["links_as_of"].is_null());
    let row = &waiting["conflicts"][0]["contents"][1]["row"];
    served.say("/v1/queue/conflicts", &json!({"agency": "POL-PB", "event_id": EVENT, "row": row}));
    let (one, other) = ("0".repeat(31) + "1", "0".repeat(31) + "2");
    served.say_of_pair([&one, &other], "no");
    served.until("the conflict is decided", |waiting| waiting["conflicts"] == json!([]));
    let said = json!([{"person": one, "other": other, "are_one": false}]);
    served.until("the pair is decided", |waiting| waiting["said"] == said);
    served.close();
    assert!(counted(&world).contains("PK-SD"));
    let decisions = world.run(&["audit", "decisions", "--json", "--last", "9"]).ok();
    assert!(decisions.contains("conflict_decided") && decisions.contains("link_decided"), "{decisions}");
}

#[test]
fn words_that_contradict_each_other_are_told_and_one_can_be_taken_back() {
    let world = World::sample();
    let told = [('1', 1), ('2', 2), ('3', 3)].map(|(person, number)| identified("POL-PB", number, person));
    world.publish(&told.concat()).ok();
    world.run(&["up", "--once"]).ok();
    let master = std::fs::read(world.data().join("keys/master")).unwrap();
    let keys = Keys::derive(&Master::from_bytes(master.try_into().unwrap()));
    let id = |person: char| {
        let surrogate = policy::person_surrogate(&keys, "POL-PB", &format!("bcdfghjkmnpqrst{person}"));
        format!("{:032x}", u128::from_be_bytes(surrogate))
    };
    let [one, two, three] = ['1', '2', '3'].map(id);
    let served = Served::of(&world);
    served.until("everybody is compared", |waiting| !waiting["links_as_of"].is_null());
    served.say_of_pair([&one, &two], "yes");
    served.say_of_pair([&two, &three], "yes");
    served.say_of_pair([&one, &three], "no");
    let waiting = served.until("it is told", |waiting| waiting["links_problem"] == "words_contradict");
    assert_eq!(waiting["said"].as_array().map(Vec::len), Some(3), "each can be taken back: {waiting}");
    served.say_of_pair([&three, &one], "withdraw");
    served.until("nothing contradicts", |waiting| {
        waiting["links_problem"].is_null() && waiting["said"].as_array().is_some_and(|said| said.len() == 2)
    });
    served.close();
}
