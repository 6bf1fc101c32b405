use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use events::{FaultClass, Limits, Message, decode};
use sample::feed::MALFORMATIONS;
use sample::{Expected, Feed, Feedline, Reason};

fn class(line: &Feedline) -> Option<FaultClass> {
    let headers = line.header_slices();
    let message = Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
    decode(&message, &Limits::default()).err().map(|fault| fault.class)
}

/// What the decoder alone can tell; the rest is for who knows the topic, the policy, the store and the log's time.
fn decoders_part(line: &Feedline, reason: Reason) -> Option<FaultClass> {
    match reason {
        Reason::Parse => Some(FaultClass::Parse),
        Reason::Oversize => Some(FaultClass::Oversize),
        Reason::Schema if matches!(line.note, "a date next year" | "recorded after it was logged") => None,
        Reason::Schema => Some(FaultClass::Schema),
        Reason::AgencyMismatch | Reason::TypeNotPermitted | Reason::WrongStore => None,
    }
}

#[test]
fn one_line_in_a_hundred_is_malformed_in_every_way_there_is_and_each_for_its_own_reason() {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut largest = 0;
    let mut lines = 0;
    for line in Feed::malformed(3, 10_000, 10_000) {
        lines += 1;
        if let Expected::SetAside(reason) = line.expected {
            *kinds.entry(line.note).or_default() += 1;
            assert_eq!(class(&line), decoders_part(&line, reason), "{}", line.note);
            largest = largest.max(line.value.len());
        }
    }
    assert_eq!(lines, 10_000);
    assert_eq!(largest, 20_000_000);
    let all: BTreeSet<&str> = MALFORMATIONS.iter().map(|(note, _)| *note).collect();
    assert_eq!(kinds.keys().copied().collect::<BTreeSet<_>>(), all);
    let malformed: usize = kinds.values().sum();
    assert!((90..=110).contains(&malformed), "{malformed}");
}

#[test]
fn malformed_lines_differ_from_good_ones_in_what_their_name_says() {
    for line in Feed::malformed(3, 10_000, 20_000) {
        match line.note {
            "another agency's topic" => assert!(!source(&line).ends_with(line.agency())),
            "not synthetic" => {
                assert!(text(&line).contains("synthetic=false") || text(&line).contains("\"synthetic\":false"));
            }
            "nesting 1,000 deep" => assert!(text(&line).contains(&"[".repeat(1000))),
            _ => {}
        }
    }
}

fn source(line: &Feedline) -> String {
    let header = line.headers.iter().find(|(name, _)| *name == "ce_source");
    header.map_or_else(String::new, |(_, value)| String::from_utf8(value.to_vec()).unwrap())
}

fn text(line: &Feedline) -> String {
    let mut text = String::from_utf8_lossy(&line.value).into_owned();
    for (name, value) in &line.headers {
        write!(text, " {}={}", name.trim_start_matches("ce_"), String::from_utf8_lossy(value)).unwrap();
    }
    text
}
