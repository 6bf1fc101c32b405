//! `replay` and `reset` as an operator meets them: what was set aside comes in, what cannot be read is skipped, a stream is read again.

use crate::program::{World, event, events, free_address};
use serde_json::Value;

const TINY: (&str, &str) = ("AMANAT_INGEST__MAX_PAYLOAD_BYTES", "100");
const POLICE: &str = "tip.events.POL-PB.v1/0";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A store in which three events were set aside because the limit was too small by mistake, and one that is no event.
fn set_aside() -> World {
    let world = World::sample();
    world.publish(&events(0..3, true)).ok();
    let bad = world.file("bad.bin", "no event\n");
    world.run(&["publish", "--raw", "--agency", "POL-PB", &bad]).ok();
    world.start_with(&["up", "--once", "--role", "ingest"], &[TINY]).end().ok();
    assert_eq!(world.status()["counts"]["set_aside: oversize"], 3);
    world
}

fn reset(world: &World, more: &[&str]) -> crate::program::Done {
    world.run(&[&["reset", POLICE, "--operator", "night shift", "--reason", "a test"], more].concat())
}

#[test]
fn what_was_set_aside_by_a_mistake_of_ours_is_replayed_and_folded_like_any_other_event() {
    let world = set_aside();
    let would = json(&world.run(&["replay", "--dry-run", "--json"]).ok());
    assert_eq!((&would["passed"]["oversize"], &would["refused"]["parse"]), (&3.into(), &1.into()), "{would}");
    let some = world.run(&["replay", "--where", "_error_class = 'oversize' and log_offset < 1"]).ok();
    assert!(some.contains("1 passed: oversize 1") && some.contains("appended: 1 accepted"), "{some}");
    let rest = world.run(&["replay"]).ok();
    assert!(rest.contains("3 set-aside message(s) selected, 1 more were resolved before"), "{rest}");
    assert!(rest.contains("2 passed: oversize 2\n1 stay set aside: parse 1\n"), "{rest}");
    let again = json(&world.run(&["replay", "--json"]).ok());
    assert_eq!((&again["resolved_before"], &again["appended"]["ok"]), (&3.into(), &0.into()), "{again}");

    let list = world.run(&["set-aside", "list"]).ok();
    assert_eq!(list.matches("[resolved: replayed as replay/v1/0/").count(), 3, "{list}");
    let status = world.status();
    assert_eq!(status["counts"]["ok"], 3, "{status}");
    let folded = json(&world.run(&["refresh", "--json"]).ok());
    assert!(folded.to_string().contains("\"raw\":3"), "{folded}");
}

#[test]
fn a_predicate_that_asks_for_more_than_it_may_is_refused_with_its_place() {
    let world = set_aside();
    let error = world.run(&["replay", "--where", "agency = 'FIA' and payload = 'x'"]).refused(2);
    assert!(error.contains("at character 20") && error.contains("payload is no column"), "{error}");
}

#[test]
fn a_skip_is_shown_first_needs_a_yes_and_a_running_program_reads_on_behind_it() {
    let world = World::real();
    world.publish(&events(0..2, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    world.publish(&events(2..6, false)).ok();
    let would = reset(&world, &["--to", "5", "--dry-run"]).ok();
    assert!(would.contains("3 event(s) would be skipped: offsets 2 to 4 become no rows; 5 is next"), "{would}");
    let unasked = reset(&world, &["--to", "5"]).refused(2);
    assert!(unasked.contains("3 event(s) would be skipped") && unasked.contains("--yes"), "{unasked}");
    assert!(reset(&world, &["--to", "7"]).refused(2).contains("0 to 6"));
    let done = json(&reset(&world, &["--to", "5", "--yes", "--json"]).ok());
    assert_eq!((&done["way"], &done["events"], &done["done"]), (&"skip".into(), &3.into(), &true.into()), "{done}");
    assert!(reset(&world, &["--to", "5", "--yes"]).ok().contains("nothing to do"));
    let mut up = world.start(&["up", "--http", &free_address().to_string()]);
    up.says("ready");
    let status = world.until("it reads on", |status| status["counts"]["ok"] == 3);
    assert_eq!(status["halted"], 0, "{status}");
    up.terminate();
    up.end().ok();
}

#[test]
fn a_stream_is_read_again_under_a_new_generation_and_nothing_is_counted_twice() {
    let world = World::real();
    world.publish(&events(0..4, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let would = reset(&world, &["--to", "1", "--dry-run"]).ok();
    assert!(would.contains("3 event(s) would be read again, from offset 1 on, in generation 1"), "{would}");
    reset(&world, &["--to", "1", "--yes"]).ok();
    world.publish(&event(4, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let status = world.status();
    assert_eq!((&status["counts"]["ok"], &status["counts"]["duplicate"]), (&5.into(), &3.into()), "{status}");
}

/// The lake knows of the generation before the log does.
#[test]
fn a_reset_that_was_killed_halfway_halts_the_workers_until_the_next_one_finishes_it() {
    let world = World::real();
    world.publish(&events(0..4, false)).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let arguments = ["reset", POLICE, "--to", "2", "--operator", "night shift", "--reason", "a test", "--yes"];
    let killed = world.start_with(&arguments, &[("FAILPOINTS", "after_commit=return(abort)")]).end();
    assert_ne!(killed.code, Some(0), "{killed:?}");
    let halted = world.run(&["up", "--once", "--role", "ingest"]).refused(5);
    assert!(halted.contains("stand still"), "{halted}");
    let finished = reset(&world, &["--to", "earliest", "--yes"]).ok();
    assert!(finished.contains("begun by an earlier reset, which is finished"), "{finished}");
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let status = world.status();
    assert_eq!((&status["counts"]["ok"], &status["counts"]["duplicate"]), (&4.into(), &2.into()), "{status}");
}
