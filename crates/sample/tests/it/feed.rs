use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::{Limits, Message, decode};
use sample::{Expected, Feed, Feedline, Size, World};

const DAY_MS: i64 = 86_400_000;

fn small() -> Feed {
    Feed::new(World::new(1, Size::Small))
}

fn decoded<T>(line: &Feedline, then: impl FnOnce(Result<events::Event<'_>, events::Fault>) -> T) -> T {
    let headers = line.header_slices();
    let message = Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
    then(decode(&message, &Limits::default()))
}

#[test]
fn every_line_that_should_be_accepted_is_an_event_of_the_contract() {
    for line in small().filter(|line| !matches!(line.expected, Expected::SetAside(_))) {
        decoded(&line, |event| {
            let event = event.unwrap_or_else(|fault| panic!("{}: {fault}", line.note));
            assert!(event.synthetic);
            assert_eq!(event.agency, line.agency());
            assert_eq!(Some(event.record_id.as_bytes()), line.key.as_deref());
            assert_eq!(event.ignored_attributes, 0);
        });
    }
}

#[test]
fn dates_agree_with_each_other() {
    for line in small().filter(|line| !matches!(line.expected, Expected::SetAside(_))) {
        decoded(&line, |event| {
            let event = event.unwrap();
            assert!(event.recorded_at / 1000 <= line.log_timestamp_ms, "{}", line.note);
            if let Some(occurred) = event.occurred {
                let recorded_on = events::calendar::karachi_day(event.recorded_at);
                assert!(occurred.to <= recorded_on, "{}", line.note);
                assert!(events::calendar::year(occurred.from) >= 2011, "{}", line.note);
            }
            assert_eq!(event.id.get_version_num(), 7);
        });
    }
}

#[test]
fn lines_arrive_in_the_order_of_the_log() {
    let mut last = i64::MIN;
    for line in small() {
        assert!(line.log_timestamp_ms >= last);
        last = line.log_timestamp_ms;
    }
    let end = events::calendar::karachi_midnight(events::calendar::days_from_civil(2026, 7, 10)) / 1000;
    assert!(last < end, "the feed ends before August 2026");
}

#[test]
fn an_id_comes_once_but_for_duplicates_and_conflicts_which_come_after() {
    let mut first: HashMap<(String, uuid::Uuid), (String, Vec<u8>)> = HashMap::new();
    for line in small().filter(|line| !matches!(line.expected, Expected::SetAside(_))) {
        decoded(&line, |event| {
            let event = event.unwrap();
            let key = (event.agency.to_owned(), event.id);
            let content = format!("{:?}{:?}{:?}", event.data, event.occurred, event.recorded_at);
            match first.get(&key) {
                None => {
                    assert_eq!(line.expected, Expected::Accept);
                    first.insert(key, (content, line.value.clone()));
                }
                Some((before, _)) if *before == content => {
                    assert_eq!(line.expected, Expected::Duplicate);
                }
                Some((_, bytes)) => {
                    assert_eq!(line.expected, Expected::Conflict);
                    assert!(line.note != "conflict, the second counts" || line.value < *bytes);
                    assert!(line.note != "conflict, the first counts" || line.value > *bytes);
                }
            }
        });
    }
}

#[test]
fn the_small_feed_has_every_kind_of_trouble() {
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut expected = [0usize; 4];
    for line in small() {
        *notes.entry(line.note).or_default() += 1;
        expected[match line.expected {
            Expected::Accept => 0,
            Expected::Duplicate => 1,
            Expected::Conflict => 2,
            Expected::SetAside(_) => 3,
        }] += 1;
    }
    for trouble in [
        "correction before its target",
        "correction of a correction",
        "correction in a circle",
        "correction of a retracted fact",
        "correction of an unknown fact",
        "retraction of a correction",
        "retraction of a retraction",
        "retraction of a version",
        "conflict, the second counts",
        "conflict, the first counts",
        "duplicate",
        "duplicate, written anew",
        "correction by another agency",
        "nothing to report",
    ] {
        assert!(notes.contains_key(trouble), "{trouble}");
    }
    let total: usize = expected.iter().sum();
    assert!((34_000..40_000).contains(&total), "{total}");
    assert!((20..45).contains(&expected[3]), "one line in a thousand is malformed: {}", expected[3]);
}

#[test]
fn late_reports_come_months_after_what_they_report() {
    let late = small()
        .filter(|line| line.expected == Expected::Accept)
        .filter(|line| decoded(line, |event| event.unwrap().recorded_at / 1000 + 60 * DAY_MS < line.log_timestamp_ms));
    assert!(late.count() > 300);
}

#[test]
fn the_same_seed_makes_the_same_feed_and_another_seed_another() {
    let hash = |seed| {
        let mut hasher = blake3::Hasher::new();
        for line in Feed::new(World::new(seed, Size::PercentOfSmall(10))) {
            hasher.update(line.topic.as_bytes());
            hasher.update(line.key.as_deref().unwrap_or_default());
            hasher.update(&line.value);
            hasher.update(&line.log_timestamp_ms.to_le_bytes());
            for (name, value) in &line.headers {
                hasher.update(name.as_bytes());
                hasher.update(value);
            }
        }
        hasher.finalize().to_hex().to_string()
    };
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

/// Types of outreach and of aftermaths.
const BESIDE: [&str; 11] = [
    "contact.received",
    "activity.held",
    "case.transferred",
    "case.linked",
    "case.stage_changed",
    "accused.identified",
    "compensation.ordered",
    "compensation.paid",
    "inspection.referred",
    "referral.acted_on",
    "worker.released",
];

/// Whether a line tells of what came to the world later, or corrects or retracts one that does.
fn of_what_came_later(line: &Feedline) -> bool {
    let names = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        BESIDE.iter().any(|kind| text.contains(kind))
    };
    names(&line.value) || line.headers.iter().any(|(_, value)| names(value))
}

/// The record of the case of which a line says that it is another's.
fn case_registered_anew(line: &Feedline) -> Option<Vec<u8>> {
    let is_link = line.headers.iter().any(|(_, value)| **value == *b"pk.tip.case.linked");
    let said: serde_json::Value = serde_json::from_slice(&line.value).ok().filter(|_| is_link)?;
    said["case_id"].as_str().map(|id| id.as_bytes().to_vec())
}

/// What came to the world later changes nothing of what was there: measurements and seeds stay comparable. Changed once, with
/// a third helpline, whose calendar stands among those of the others.
#[test]
fn what_came_to_the_world_later_comes_beside_the_rest_of_the_feed_which_is_as_it_was() {
    let mut hasher = blake3::Hasher::new();
    let mut beside = 0;
    let lines: Vec<Feedline> = Feed::new(World::new(7, Size::PercentOfSmall(10))).collect();
    // A correction that misnames its target's type tells of outreach by its record alone.
    let mut records: BTreeSet<_> =
        lines.iter().filter(|line| of_what_came_later(line)).map(|line| line.key.clone()).collect();
    // So does a case that an agency registered anew, by the word that it is another's.
    records.extend(lines.iter().filter_map(case_registered_anew).map(Some));
    for line in lines {
        if records.contains(&line.key) {
            beside += 1;
            continue;
        }
        for part in [line.topic.as_bytes(), line.key.as_deref().unwrap_or_default(), &line.value] {
            hasher.update(part);
        }
        hasher.update(&line.log_timestamp_ms.to_le_bytes());
        for (name, value) in &line.headers {
            hasher.update(name.as_bytes());
            hasher.update(value);
        }
    }
    assert_eq!(hasher.finalize().to_hex()[..16], *"f15a007ef065dd63");
    assert!(beside > 50, "{beside}");
}

#[test]
fn every_code_of_the_world_stands_in_its_list() {
    // the decoder refuses a code that does not; what is left is that the feed uses many of them
    let mut exploitation = BTreeSet::new();
    for line in small().filter(|line| line.expected == Expected::Accept) {
        decoded(&line, |event| {
            if let events::Data::VictimIdentified(victim) = event.unwrap().data.newest() {
                exploitation.extend(victim.exploitation);
            }
        });
    }
    assert!(exploitation.len() >= 12, "{exploitation:?}");
}

#[test]
fn the_export_is_one_event_a_line_in_structured_mode() {
    let mut text = Vec::new();
    let world = World::new(1, Size::PercentOfSmall(5));
    let written = sample::feed::write_ndjson(Feed::new(world), &mut text).unwrap();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len() as u64, written);
    for line in lines {
        let message = Message { key: None, headers: &[], value: Some(line) };
        assert!(decode(&message, &Limits::default()).unwrap().synthetic);
    }
}
