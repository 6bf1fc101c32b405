//! Corrections and retractions, each as a sentence of domain.md 4: whatever came first, whatever they point at.

use std::collections::BTreeSet;

use disclosure::Column;
use events::code_list::list;
use lake::Events;
use models::{ModelsError, RefreshOptions, Snapshot, SqlSet, refresh};

use crate::road::{Road, Told, id, subject};
use crate::support::{keys, policy};

/// Version `version` of a case, registered in a province.
fn case(number: u64, version: u32, province: &str) -> Told {
    let data = format!(
        r#"{{"record_version":{version},"occurred_on":"2024-03-09","sections":["PTPA-3-1"],"province":"{province}"}}"#
    );
    Told { agency: "POL-PB", number, kind: "case.registered", version: 1, record: 1, hour: 8 + version, data }
}

fn about(kind: &'static str, number: u64, target: u64, target_type: &str, rest: &str) -> Told {
    let data =
        format!(r#"{{"record_version":9,"target":"{}","target_type":"pk.tip.{target_type}",{rest}}}"#, id(target));
    Told { agency: "POL-PB", number, kind, version: 1, record: 1, hour: 10, data }
}

/// A correction of the province of a case.
fn corrected(number: u64, target: u64, province: &str) -> Told {
    let rest = format!(r#""fields":{{"province":"{province}"}},"reason":"data_entry""#);
    about("record.corrected", number, target, "case.registered", &rest)
}

fn retracted(number: u64, target: u64, target_type: &str) -> Told {
    about("record.retracted", number, target, target_type, r#""reason":"error""#)
}

impl Told {
    fn by(self, agency: &'static str) -> Self {
        Self { agency, ..self }
    }

    /// The same in a story of its own: its record, and ids of ten events for each story.
    fn renumbered(&self, story: u64) -> Self {
        let mut data = self.data.clone();
        for number in (1..10).rev() {
            data = data.replace(&id(number).to_string(), &id(story * 16 + number).to_string());
        }
        Self { number: story * 16 + self.number, record: story, data, ..self.clone() }
    }

    fn at(self, hour: u32) -> Self {
        Self { hour, ..self }
    }
}

/// What is told of one case, and in which provinces it is in the end, by agency.
struct Story {
    sentence: &'static str,
    told: Vec<Told>,
    ends: &'static [(&'static str, &'static str)],
}

fn story(sentence: &'static str, told: Vec<Told>, ends: &'static [(&'static str, &'static str)]) -> Story {
    Story { sentence, told, ends }
}

const POLICE: &str = "POL-PB";

fn stories() -> Vec<Story> {
    let wrong_type = about("record.corrected", 2, 1, "accused.arrested", r#""fields":{"sex":"F"},"reason":"other""#);
    let of_correction = |number, target| retracted(number, target, "record.corrected");
    vec![
        story(
            "a correction replaces a field",
            vec![case(1, 1, "PK-PB"), corrected(2, 1, "PK-SD")],
            &[(POLICE, "PK-SD")],
        ),
        story(
            "a correction stands in its target's place: it does not overtake a later version of the record",
            vec![case(1, 1, "PK-PB"), case(2, 2, "PK-KP"), corrected(3, 1, "PK-SD")],
            &[(POLICE, "PK-KP")],
        ),
        story(
            "of two corrections of one fact the later stands",
            vec![case(1, 1, "PK-PB"), corrected(2, 1, "PK-SD"), corrected(3, 1, "PK-BA").at(11)],
            &[(POLICE, "PK-BA")],
        ),
        story("a correction without its target is no case", vec![corrected(2, 1, "PK-SD")], &[]),
        story("a retraction removes its target", vec![case(1, 1, "PK-PB"), retracted(2, 1, "case.registered")], &[]),
        story(
            "a correction of a retracted fact has nothing to correct",
            vec![case(1, 1, "PK-PB"), corrected(2, 1, "PK-SD"), retracted(3, 1, "case.registered")],
            &[],
        ),
        story(
            "a record of which one version is retracted says what it said before",
            vec![case(1, 1, "PK-PB"), case(2, 2, "PK-KP"), retracted(3, 2, "case.registered")],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "a retracted correction corrects nothing",
            vec![case(1, 1, "PK-PB"), corrected(2, 1, "PK-SD"), of_correction(3, 2)],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "corrections in a circle, and one of itself, change nothing",
            vec![case(1, 1, "PK-PB"), corrected(2, 3, "PK-SD"), corrected(3, 2, "PK-KP"), corrected(4, 4, "PK-BA")],
            &[(POLICE, "PK-PB")],
        ),
        story("a circle alone is no case", vec![corrected(2, 3, "PK-SD"), corrected(3, 2, "PK-KP")], &[]),
        story(
            "retractions in a circle, and one of itself, remove nothing",
            vec![case(1, 1, "PK-PB"), of_correction(2, 3), of_correction(3, 2), of_correction(4, 4)],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "a correction that misnames its target's type has no effect",
            vec![case(1, 1, "PK-PB"), wrong_type],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "a retraction that misnames its target's type has no effect",
            vec![case(1, 1, "PK-PB"), retracted(2, 1, "accused.arrested")],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "another agency retracts nothing",
            vec![case(1, 1, "PK-PB"), retracted(2, 1, "case.registered").by("FIA")],
            &[(POLICE, "PK-PB")],
        ),
        story(
            "two agencies may use one event id, and each corrects its own",
            vec![case(1, 1, "PK-PB"), case(1, 1, "PK-KP").by("FIA"), corrected(2, 1, "PK-SD").by("FIA")],
            &[("FIA", "PK-SD"), (POLICE, "PK-PB")],
        ),
        story(
            "the same event twice is one case",
            vec![case(1, 1, "PK-PB"), case(1, 1, "PK-PB"), corrected(2, 1, "PK-SD")],
            &[(POLICE, "PK-SD")],
        ),
    ]
}

/// All messages of all stories; each story has a record and event ids of its own.
fn messages(stories: &[Story]) -> Vec<Told> {
    let of = |(at, story): (usize, &Story)| {
        let at = at as u64 + 1;
        story.told.iter().map(move |told| told.renumbered(at)).collect::<Vec<_>>()
    };
    stories.iter().enumerate().flat_map(of).collect()
}

/// The provinces of the cases with this record number, by agency.
fn provinces(snapshot: &Snapshot, record: u64) -> Vec<(&'static str, &'static str)> {
    let rows = snapshot.microdata("cases", &policy()).unwrap();
    let Column::One(codes) = &rows.dims["province"] else { panic!("a case is in one province") };
    let mut found = Vec::new();
    for agency in ["FIA", POLICE] {
        let sid = policy::record_sid(&keys(), "cases", &subject(agency, record));
        let at = rows.sid.iter().zip(codes).filter(|(case, _)| **case == sid);
        found.extend(at.map(|(_, code)| (agency, list("province").text(*code))));
    }
    found
}

fn check(stories: &[Story], snapshot: &Snapshot, how: &str) {
    for (at, story) in stories.iter().enumerate() {
        assert_eq!(provinces(snapshot, at as u64 + 1), story.ends, "{} ({how})", story.sentence);
    }
    let cases: usize = stories.iter().map(|story| story.ends.len()).sum();
    assert_eq!(snapshot.microdata("cases", &policy()).unwrap().sid.len(), cases, "and no other case ({how})");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_story_ends_alike_whatever_came_first_and_in_however_many_parts() {
    let stories = stories();
    let all = messages(&stories);
    let (forwards, report) = Road::new().tell(&all).await;
    check(&stories, &forwards, "in order");
    let events: BTreeSet<_> = all.iter().map(|told| (told.agency, told.number)).collect();
    assert_eq!(report.stage.raw, events.len() as u64, "nothing is lost on the way");

    let backwards: Vec<Told> = all.iter().rev().cloned().collect();
    let (at_once, _) = Road::new().tell(&backwards).await;
    check(&stories, &at_once, "backwards");

    let road = Road::new();
    let mut last = None;
    for part in backwards.chunks(7) {
        last = Some(road.tell(part).await.0);
    }
    check(&stories, last.as_ref().unwrap(), "backwards, refreshed in between");
    assert!(forwards.hashes() == at_once.hashes() && last.unwrap().hashes() == at_once.hashes());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_staging_is_needed_by_a_story() {
    let road = Road::new();
    let (right, _) = road.tell(&messages(&stories())).await;
    let events = Events::open(&road.store, "reader").await.unwrap().snapshot().unwrap();
    for rule in ["retractions", "retracted_targets", "unknown_targets", "flagged"] {
        let sql = SqlSet::embedded().with_rule("staging/", rule, "AND true").unwrap();
        let options = RefreshOptions { sql, ..RefreshOptions::default() };
        // A Snapshot with other cases, or none because a test of a `.yml` no longer holds.
        let wrong = refresh(&road.store, &events, &policy(), &keys(), &options).await;
        assert!(wrong.is_err_and(|e| matches!(e, ModelsError::Test { .. })) || differs(&road, &right).await, "{rule}");
    }
}

/// Whether the last Snapshot has other cases than this one.
async fn differs(road: &Road, right: &Snapshot) -> bool {
    Snapshot::open_latest(&road.store).await.unwrap().unwrap().hashes() != right.hashes()
}
