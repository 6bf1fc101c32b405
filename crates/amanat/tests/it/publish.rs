//! Events from files and standard input: what is refused, what is set aside, what arrives.

use std::io::Write;

use crate::program::{World, event, events, is_empty};

#[test]
fn a_file_with_mistakes_is_refused_whole_by_line_and_field() {
    let world = World::new();
    let wrong_code = event(2, false).replace("\"sex\":\"F\"", "\"sex\":\"woman\"");
    let other_agency = event(3, false).replace("POL-PB", "XX-YY");
    let lines = [event(1, false), wrong_code, other_agency, "{\"half\":".to_owned(), event(5, false)].join("\n");
    let file = world.file("events.ndjson", lines);
    let error = world.run(&["publish", &file]).refused(3);
    for said in ["3 line(s)", "line 2", "data.sex", "line 3", "line 4", "nothing was sent"] {
        assert!(error.contains(said), "{said}: {error}");
    }
    assert!(!error.contains("woman"), "no value is printed: {error}");
    assert!(is_empty(&world.data()), "nothing is made for a file that is refused");
    let validated = world.run(&["validate", &file]);
    assert_eq!(validated.code, Some(3));
    for said in ["line 2", "data.sex", "line 3", "line 4"] {
        assert!(validated.out.contains(said), "{said}: {}", validated.out);
    }
    assert!(!validated.out.contains("woman"));
}

#[test]
fn what_the_policy_does_not_permit_is_said_before_it_is_sent() {
    let world = World::real();
    let file = world.file("events.ndjson", event(1, false).replace("POL-PB", "NOBODY"));
    for command in ["validate", "publish"] {
        let done = world.run(&[command, &file]);
        assert_eq!(done.code, Some(3), "{done:?}");
        assert!((done.out + &done.err).contains("line 1"), "{command}");
    }
    let late = event(1, false).replace("\"occurred_on\":\"2024-03-09\"", "\"occurred_on\":\"2024-05-09\"");
    let file = world.file("late.ndjson", late);
    assert!(world.run(&["publish", &file]).refused(3).contains("data.occurred_on"));
    // The rules are those of ingest, all of them: a token where it would be stored in clear.
    let token = "9x4k2mvq7trz00000001";
    let in_clear = event(1, false).replace("POL-PB/0q7vkzr3m9x00001", &format!("POL-PB/{token}"));
    let file = world.file("in-clear.ndjson", in_clear);
    let error = world.run(&["publish", &file]).refused(3);
    assert!(error.contains("subject: an id of the record") && !error.contains(token), "{error}");
    let good = world.file("good.ndjson", event(1, false));
    assert!(world.run(&["validate", &good]).ok().contains("1 event(s), no mistakes"));
}

#[test]
fn a_line_is_published_while_the_next_is_awaited_and_a_signal_loses_nothing() {
    let world = World::real();
    let mut publishing = world.start(&["publish", "-"]);
    let mut input = publishing.stdin.take().unwrap();
    input.write_all(events(0..3, false).as_bytes()).unwrap();
    let in_log = |status: &serde_json::Value| -> i64 {
        status["partitions"].as_array().unwrap().iter().filter_map(|p| p["in_log"].as_i64()).sum()
    };
    world.until("three lines are in the log", |status| in_log(status) == 3);
    input.write_all(events(3..4, false).as_bytes()).unwrap();
    world.until("the fourth is", |status| in_log(status) == 4);
    publishing.terminate();
    let said = publishing.end().ok();
    assert!(said.contains("published 4 event(s)"), "{said}");
    drop(input);
}

#[test]
fn a_mistake_in_standard_input_ends_it_and_says_how_far_it_came() {
    let world = World::real();
    let error = world.publish(&(events(0..5, false) + "{}\n" + &event(6, false))).refused(3);
    assert!(error.contains("line 6") && error.contains("5 line(s) before it are published"), "{error}");
}

#[test]
fn unchecked_bytes_are_for_sample_stores() {
    let world = World::real();
    let file = world.file("bytes", "anything");
    let error = world.run(&["publish", "--raw", "--agency", "FIA", &file]).refused(6);
    assert!(error.contains("sample stores only"), "{error}");
}

#[test]
fn what_cannot_be_accepted_is_set_aside_and_shown_byte_for_byte() {
    let world = World::sample();
    let lines: [&[u8]; 3] = [b"{\"half\":", b"\xff\xfe no text", "[\"عدالت\"] \u{1b}[2J".as_bytes()];
    let file = world.file("bytes", [lines.join(&b'\n'), b"\n".to_vec(), event(1, true).into_bytes()].concat());
    world.run(&["publish", "--raw", "--agency", "POL-PB", &file]).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let listed = world.run(&["set-aside", "list"]).ok();
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let mut seen = Vec::new();
    for line in listed.lines() {
        let position = line.split_whitespace().next().unwrap();
        let shown = world.command(&["set-aside", "show", position]).output().unwrap();
        assert!(shown.status.success(), "{shown:?}");
        assert!(String::from_utf8(shown.stderr).unwrap().contains("key"));
        seen.push(shown.stdout);
    }
    seen.sort();
    let mut sent: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    sent.sort();
    assert_eq!(seen, sent);
    let nowhere = world.run(&["set-aside", "show", "a/b/0/9"]).refused(2);
    assert!(nowhere.contains("no bytes were set aside"), "{nowhere}");
}

#[test]
fn an_event_that_says_otherwise_under_an_id_taken_is_listed_as_a_conflict_whose_bytes_stay_sealed() {
    let world = World::real();
    world.publish(&event(1, false)).ok();
    world.publish(&event(1, false).replace("\"sex\":\"F\"", "\"sex\":\"M\"")).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let listed = world.run(&["set-aside", "list"]).ok();
    assert!(listed.lines().count() == 1 && listed.contains("conflict"), "{listed}");
    let shown = world.run(&["set-aside", "show", listed.split_whitespace().next().unwrap()]);
    assert!(shown.out.is_empty(), "{}", shown.out);
    assert!(shown.refused(2).contains("kept sealed"));
}

#[test]
fn a_line_of_twenty_megabytes_is_set_aside_as_too_large_and_never_printed() {
    let world = World::sample();
    let file = world.file("bytes", [vec![b'a'; 20_000_000], b"\n".to_vec(), event(1, true).into_bytes()].concat());
    let validated = world.run(&["validate", &file]);
    assert_eq!(validated.code, Some(3));
    assert!(validated.out.contains("line 1") && validated.out.len() < 1_000, "{}", validated.out.len());
    world.run(&["publish", "--raw", "--agency", "POL-PB", &file]).ok();
    world.run(&["up", "--once", "--role", "ingest"]).ok();
    let listed = world.run(&["set-aside", "list", "--reason", "oversize"]).ok();
    assert!(listed.lines().count() == 1 && listed.len() < 1_000, "{}", listed.len());
    assert_eq!(world.status()["counts"]["ok"], 1);
}

#[test]
fn an_agency_that_no_stream_can_be_named_after_is_a_wrong_command() {
    let world = World::sample();
    let file = world.file("bytes", "anything");
    assert!(world.run(&["publish", "--raw", "--agency", "X/Y", &file]).refused(2).contains("stream"));
}
