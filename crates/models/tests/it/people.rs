//! A person is counted once, however many agencies know her, as soon as linkage has said so; and no longer than it says so.

use linkage::{Evidence, PersonId, Word};
use models::Snapshot;
use models::people::{self, Found};

use crate::road::{Road, Told};
use crate::rows::rows;
use crate::support::{keys, policy};

/// An identification of a person by two tokens.
fn identified(agency: &'static str, number: u64, document: char, band: &str, day: &str) -> Told {
    let data = format!(
        r#"{{"record_version":1,"occurred_on":"{day}","person":[{{"kind":"document","token":"{}"}},{{"kind":"name_birth","token":"{}"}}],
        "sex":"F","age_band":"{band}","citizenship":"PK","status":"actual","exploitation":["sexual"],
        "place_identified":"PK-PB","referral_source":"police"}}"#,
        document_of(document),
        name_of(document),
    );
    Told { agency, number, kind: "victim.identified", version: 1, record: number, hour: 9, data }
}

fn document_of(person: char) -> String {
    format!("bcdfghjkmnpqrst{person}")
}

fn name_of(person: char) -> String {
    format!("zyxwvtsrqpnmkjh{person}")
}

fn person(agency: &str, token: char) -> PersonId {
    policy::person_surrogate(&keys(), agency, &document_of(token))
}

fn hex(person: PersonId) -> String {
    format!("{:032x}", u128::from_be_bytes(person))
}

/// What linkage finds, as events of the agency LINK from this number on.
fn said(found: &Found, from: u64) -> Vec<Told> {
    let told = |(at, (person, version, word)): (usize, &(PersonId, i64, Word))| {
        let (kind, rest) = match word {
            Word::Merged { into, .. } => {
                ("persons.merged", format!(r#""into":"{}","evidence":"model","confidence":990"#, hex(*into)))
            }
            Word::Split { from, into, .. } => {
                ("persons.split", format!(r#""from":"{}","into":"{}","evidence":"steward""#, hex(*from), hex(*into)))
            }
            Word::Doubted { into } => ("persons.doubted", format!(r#""into":"{}""#, hex(*into))),
        };
        let data = format!(r#"{{"record_version":{version},"person_id":"{}",{rest}}}"#, hex(*person));
        // The record is the person's.
        let record = u64::from_be_bytes(*person.first_chunk().unwrap());
        Told { agency: "LINK", number: from + at as u64, kind, version: 1, record, hour: 10, data }
    };
    found.words.iter().enumerate().map(told).collect()
}

fn decided(number: u64, one: PersonId, other: PersonId, word: &str, version: u64) -> Told {
    let data = format!(
        r#"{{"record_version":{version},"person_id":"{}","other_id":"{}","one":"{word}"}}"#,
        hex(one),
        hex(other)
    );
    Told { agency: "STEWARD", number, kind: "persons.decided", version: 1, record: 1, hour: 11, data }
}

async fn found(road: &Road) -> Found {
    let events = lake::Events::open(&road.store, "link").await.unwrap().snapshot().unwrap();
    people::link(&road.store, &events, &policy(), &keys(), 2).await.unwrap()
}

/// Links, says what was found, and folds.
async fn linked(road: &Road, from: u64) -> (Found, Snapshot) {
    let found = found(road).await;
    let (snapshot, _) = road.tell(&said(&found, from)).await;
    (found, snapshot)
}

fn victims(snapshot: &Snapshot) -> Vec<String> {
    rows(snapshot, "victims", &["age_band", "month"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_two_agencies_is_two_until_linkage_says_that_she_is_one_and_says_it_once() {
    let road = Road::new();
    let (before, _) = road
        .tell(&[
            identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
            identified("CPB-PB", 2, '1', "09-17", "2024-05-02"),
            identified("CPB-PB", 3, '2', "09-17", "2024-06-02"),
        ])
        .await;
    assert_eq!(victims(&before).len(), 3);
    let (first, after) = linked(&road, 100).await;
    let [(joined, 1, Word::Merged { into, evidence, .. })] = first.words[..] else { panic!("{:?}", first.words) };
    assert_eq!((joined, into), (person("CPB-PB", '1'), person("POL-PB", '1')), "the older id stays");
    assert_eq!(evidence, Evidence::Rule("document_and_name"));
    let expected = ["09-17 2024-03", "09-17 2024-06"];
    assert_eq!(victims(&after), expected, "identified first by police, her age as child protection says it");
    assert_eq!((first.summary.persons, first.summary.clusters), (3, 2));
    assert_eq!(found(&road).await.words, [], "what was said is not said again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steward_parts_whom_linkage_has_put_together_and_may_take_the_word_back() {
    let road = Road::new();
    road.tell(&[
        identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
        identified("CPB-PB", 2, '1', "18-20", "2024-05-02"),
    ])
    .await;
    let (_, one) = linked(&road, 100).await;
    assert_eq!(victims(&one).len(), 1);
    let (police, bureau) = (person("POL-PB", '1'), person("CPB-PB", '1'));

    road.tell(&[decided(200, police, bureau, "no", 1)]).await;
    let (parted, two) = linked(&road, 300).await;
    let word = Word::Split { from: police, into: bureau, evidence: Evidence::Steward };
    assert_eq!(parted.words, [(bureau, 2, word)]);
    assert_eq!(victims(&two).len(), 2);

    road.tell(&[decided(600, police, bureau, "_X", 2)]).await;
    let (_, last) = linked(&road, 700).await;
    assert_eq!(victims(&last), ["18-20 2024-03"], "then the evidence decides");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steward_puts_together_whom_no_evidence_does() {
    let road = Road::new();
    let (police, shelter) = (person("POL-PB", '1'), person("SHL-PB", '2'));
    road.tell(&[
        identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
        identified("SHL-PB", 2, '2', "18-20", "2024-06-02"),
        decided(200, police, shelter, "yes", 1),
    ])
    .await;
    let (found, one) = linked(&road, 300).await;
    assert_eq!(victims(&one), ["18-20 2024-03"]);
    assert!(matches!(found.words[..], [(_, 1, Word::Merged { evidence: Evidence::Steward, .. })]));
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_that_contradict_each_other_are_refused_and_name_nobody() {
    let road = Road::new();
    let (one, other) = (person("POL-PB", '1'), person("CPB-PB", '1'));
    road.tell(&[
        identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
        identified("CPB-PB", 2, '1', "18-20", "2024-05-02"),
        decided(200, one, other, "no", 1),
        Told { record: 2, ..decided(201, other, one, "yes", 1) },
    ])
    .await;
    let events = lake::Events::open(&road.store, "link").await.unwrap().snapshot().unwrap();
    let error = people::link(&road.store, &events, &policy(), &keys(), 2).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("contradict") && !source.contains(&hex(one)), "{source}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identification_that_was_taken_back_is_no_evidence() {
    let road = Road::new();
    let back = format!(
        r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.victim.identified","reason":"error"}}"#,
        crate::road::id(2)
    );
    road.tell(&[
        identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
        identified("CPB-PB", 2, '1', "18-20", "2024-05-02"),
        Told { agency: "CPB-PB", number: 3, kind: "record.retracted", version: 1, record: 2, hour: 10, data: back },
    ])
    .await;
    let found = found(&road).await;
    assert_eq!((found.words.len(), found.summary.persons), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_new_token_is_whom_the_token_of_before_names_at_once() {
    let road = Road::new();
    let rotated = format!(
        r#"{{"record_version":1,"person":[{{"kind":"document","token":"{}"}},{{"kind":"document","token":"{}"}}]}}"#,
        document_of('1'),
        document_of('5')
    );
    let (snapshot, _) = road
        .tell(&[
            identified("POL-PB", 1, '1', "18-20", "2024-03-09"),
            Told { agency: "POL-PB", number: 2, kind: "tokens.rotated", version: 1, record: 2, hour: 9, data: rotated },
            identified("POL-PB", 3, '5', "18-20", "2024-05-02"),
        ])
        .await;
    assert_eq!(victims(&snapshot), ["18-20 2024-03"]);
    let (found, after) = linked(&road, 100).await;
    assert_eq!((found.words, victims(&after)), (vec![], vec!["18-20 2024-03".to_owned()]), "linkage obeys it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_counts_nobody_otherwise_and_is_taken_back_when_nothing_speaks_for_it() {
    let road = Road::new();
    let (police, bureau) = (person("POL-PB", '1'), person("CPB-PB", '2'));
    let doubted = Found {
        words: vec![(bureau, 1, Word::Doubted { into: police })],
        doubtful: Vec::new(),
        summary: linkage::Summary::default(),
        as_of_us: 0,
    };
    let facts =
        [identified("POL-PB", 1, '1', "18-20", "2024-03-09"), identified("CPB-PB", 2, '2', "18-20", "2024-05-02")];
    let (snapshot, _) = road.tell(&[&facts[..], &said(&doubted, 100)].concat()).await;
    assert_eq!(victims(&snapshot).len(), 2);
    let (taken_back, after) = linked(&road, 200).await;
    assert_eq!(taken_back.words, [(bureau, 2, Word::Doubted { into: bureau })]);
    assert_eq!((victims(&after).len(), found(&road).await.words), (2, vec![]), "it is said once");
}
