//! Persons of several agencies, from their events to an edition that counts them once, by the program.

use serde_json::{Value, json};

use crate::program::World;

/// An identification of a person by her document and her name.
pub fn identified(agency: &str, number: u32, person: char) -> String {
    let event = json!({
        "specversion": "1.0",
        "id": format!("018f3b5c-0000-7000-8000-{number:012x}"),
        "source": format!("urn:pk:tip:{agency}"),
        "type": "pk.tip.victim.identified",
        "dataschema": "https://schemas.amanat.example/victim.identified/v3",
        "subject": format!("{agency}/{number:0>16}bcdf"),
        "time": "2025-03-01T10:15:00+05:00",
        "synthetic": true,
        "data": {
            "record_version": 1, "occurred_on": "2024-03-09",
            "person": [
                {"kind": "document", "token": format!("bcdfghjkmnpqrst{person}")},
                {"kind": "name_birth", "token": format!("zyxwvtsrqpnmkjh{person}")}
            ],
            "sex": "F", "age_band": "18-20", "citizenship": "PK", "status": "actual", "exploitation": ["sexual"],
            "place_identified": "PK-PB", "referral_source": "police"
        }
    });
    format!("{event}\n")
}

/// Three persons of agencies, of whom two are one, in the lake.
fn world() -> World {
    let world = World::sample();
    let told = [identified("POL-PB", 1, '1'), identified("CPB-PB", 2, '1'), identified("CPB-PB", 3, '2')];
    world.publish(&told.concat()).ok();
    ingest(&world);
    world
}

fn ingest(world: &World) {
    world.run(&["up", "--role", "ingest", "--once"]).ok();
}

fn said(world: &World, args: &[&str]) -> Value {
    serde_json::from_str(&world.run(args).ok()).unwrap()
}

#[test]
fn who_is_found_to_be_one_is_said_once_and_the_number_says_what_moved_it() {
    let world = world();
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let tried = said(&world, &["link", "run", "--dry-run", "--json"]);
    let found = said(&world, &["link", "run", "--json"]);
    assert_eq!(tried, found, "to try says what it would say");
    assert_eq!([&found["persons_of_agencies"], &found["persons"], &found["merged"]], [3, 2, 1], "{found}");
    ingest(&world);
    assert_eq!(said(&world, &["link", "run", "--json"])["merged"], 0, "what is known is not said again");

    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let number = ["explain-number", "V01", "time_period=2024", "--edition", "2", "--edition", "1"];
    let explained = said(&world, &[&number[..], &["--json"]].concat());
    let steps = json!([{"kind": "who is one person", "moved": "by fewer than 11, perhaps by none"}]);
    assert_eq!(explained["steps"], steps, "the only kind that came between, and no count: {explained}");
    assert!(world.run(&number).ok().contains("not shown"), "two persons are no number to be shown");
    for edition in ["1", "2"] {
        assert!(world.run(&["edition", "recompute", edition]).ok().contains("equal"));
    }
}

#[test]
fn the_stewards_word_is_an_event_and_waits_for_persons_who_are_not_known_yet() {
    let world = world();
    let (one, other) = ("0".repeat(31) + "1", "0".repeat(31) + "2");
    world.run(&["link", "decide", &one, &other, "--one", "yes"]).ok();
    ingest(&world);
    assert_eq!(said(&world, &["link", "run", "--dry-run", "--json"])["decisions_waiting"], 1);
    world.run(&["link", "decide", &other, &one, "--one", "withdraw"]).ok();
    ingest(&world);
    let found = said(&world, &["link", "run", "--dry-run", "--json"]);
    assert_eq!(found["decisions_waiting"], 0, "of a pair the last word stands, whoever is named first");
    let refused = world.run(&["link", "decide", &one, &one, "--one", "no"]).refused(2);
    assert!(refused.contains("two different persons"), "{refused}");
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_next_step() {
    let world = world();
    for _ in 0..2 {
        world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    }
    let explain = |cell: &[&str]| {
        let args = [&["explain-number"], cell, &["--edition", "1", "--edition", "2"]].concat();
        world.run(&args).refused(2)
    };
    assert!(explain(&["V04", "time_period=2024"]).contains("V01"), "it is computed from another's cells");
    assert!(explain(&["V01", "time_period=2024", "role=recruiter"]).contains("it has province"));
    assert!(explain(&["V01", "province=PK-PB"]).contains("time_period"));
    assert!(explain(&["V99", "time_period=2024"]).contains("no indicator V99"));
}

#[test]
fn who_is_erased_is_counted_no_more_and_editions_of_before_say_why_they_differ() {
    let world = world();
    world.run(&["link", "run"]).ok();
    ingest(&world);
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let order = |more: &[&str]| {
        let args = [&["erase", "order", "--agency", "POL-PB", "--basis", "subject-request"], more].concat();
        world.told(&args, "bcdfghjkmnpqrst1")
    };
    assert!(order(&[]).ok().starts_with("2 id(s) of one person would be erased"), "both agencies' ids of her");
    assert!(world.run(&["erase", "list"]).ok().contains("nobody"), "nothing was ordered yet");
    order(&["--yes"]).ok();
    ingest(&world);
    world.run(&["refresh"]).ok();
    assert!(world.run(&["edition", "recompute", "1"]).ok().contains("differs, since 2 person(s) were erased"));
    world.run(&["maintain", "--once"]).ok();
    let listed = said(&world, &["erase", "list", "--json"]);
    let carried_out: Vec<&Value> = listed.as_array().unwrap().iter().map(|order| &order["carried_out"]).collect();
    assert_eq!(carried_out, [true, true], "{listed}");
    world.run(&["refresh"]).ok();
    assert!(world.run(&["edition", "recompute", "1"]).ok().contains("differs, since 2 person(s) were erased"));
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    assert!(world.run(&["edition", "recompute", "2"]).ok().contains("equal"));
    assert_eq!(said(&world, &["link", "run", "--json"])["persons"], 1, "the other person is there");
}

#[test]
fn a_name_is_no_token_and_somebody_unknown_is_not_erased() {
    let world = world();
    let order = ["erase", "order", "--agency", "POL-PB", "--basis", "court-order", "--yes"];
    let ordered = |text: &str| world.told(&order, text);
    assert!(ordered("Somebody\n").refused(2).contains("Names and numbers do not belong here"));
    assert!(ordered("bcdfghjkmnpqrst9\n").refused(6).contains("no event names this person"));
}
