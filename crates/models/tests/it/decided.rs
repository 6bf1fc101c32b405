//! Which content of an event counts, as the steward decided it (docs/decisions/2026-11-30-which-content-counts.md).

use std::collections::BTreeMap;

use models::conflicts::{Because, Conflict, Difference, conflicts};
use models::{RefreshOptions, RefreshReport, Snapshot, refresh};

use crate::incremental::{LOG, layering};
use crate::road::{PLANS, Road, Told, id};
use crate::rows::rows;
use crate::support::{keys, policy};

/// A registration of a case, as event 1.
fn case(record: u64, province: &str) -> Told {
    let data =
        format!(r#"{{"record_version":1,"occurred_on":"2024-03-09","sections":["PTPA-3-1"],"province":"{province}"}}"#);
    Told { agency: "POL-PB", number: 1, kind: "case.registered", version: 1, record, hour: 8, data }
}

/// Two contents of event 1: of itself the first counts, which is the lesser. They are rows 0 and 1 of their stream.
fn contents() -> [Told; 2] {
    [case(1, "PK-PB"), case(1, "PK-SD")]
}

/// The steward says which row of the police's stream is what event 1 says.
fn decided(number: u64, hour: u32, offset: u64) -> Told {
    about("POL-PB", 1, number, hour, offset)
}

fn about(agency: &str, event: u64, number: u64, hour: u32, offset: u64) -> Told {
    let row = format!("{LOG}/tip.events.POL-PB.v1/0/{offset}");
    let data = format!(r#"{{"record_version":1,"agency":"{agency}","event_id":"{}","row":"{row}"}}"#, id(event));
    Told { agency: "STEWARD", number, kind: "conflict.decided", version: 1, record: 1, hour, data }
}

fn provinces(snapshot: &Snapshot) -> Vec<String> {
    rows(snapshot, "cases", &["province"])
}

/// Tells parts one after the other, each worked on alone; what comes of it is what a rebuild makes, in however many
/// buckets.
async fn told(parts: &[&[Told]]) -> (Snapshot, RefreshReport) {
    let (road, step) =
        (Road::new(), RefreshOptions { layering: layering(3), plans: PLANS.clone(), ..RefreshOptions::default() });
    let mut last = None;
    for part in parts {
        last = Some(road.tell_with(part, &step).await);
    }
    let (snapshot, report) = last.unwrap();
    for buckets in [None, Some(16)] {
        let anew = RefreshOptions { rebuild: true, buckets, ..step.clone() };
        let (rebuilt, again) = road.tell_with(&[], &anew).await;
        assert_eq!(
            (snapshot.hashes(), &report.stage),
            (rebuilt.hashes(), &again.stage),
            "step by step as from nothing"
        );
    }
    (snapshot, report)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_content_counts_until_the_steward_says_which_does() {
    let [one, other] = contents();
    let (snapshot, report) = told(&[&[one.clone(), other.clone()]]).await;
    assert_eq!((provinces(&snapshot), report.stage.choices), (vec!["PK-PB".to_owned()], 0));
    for (offset, province) in [(0, "PK-PB"), (1, "PK-SD")] {
        let (snapshot, report) = told(&[&[one.clone(), other.clone()], &[decided(9, 9, offset)]]).await;
        assert_eq!(provinces(&snapshot), [province]);
        assert_eq!((report.stage.choices, report.stage.chosen), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_holds_whether_it_comes_before_between_or_after_the_contents() {
    let ([one, other], word) = (contents(), decided(9, 9, 1));
    let all: [&[Told]; 4] = [
        &[word.clone(), one.clone(), other.clone()],
        &[one.clone(), word.clone(), other.clone()],
        &[one.clone(), other.clone(), word.clone()],
        &[other.clone(), one.clone(), decided(9, 9, 0)],
    ];
    let mut marts: Vec<BTreeMap<String, String>> = Vec::new();
    for order in all {
        let apart: Vec<&[Told]> = order.chunks(1).collect();
        for parts in [vec![order], apart] {
            let (snapshot, report) = told(&parts).await;
            assert_eq!((provinces(&snapshot), report.stage.chosen), (vec!["PK-SD".to_owned()], 1));
            marts.push(snapshot.hashes());
        }
    }
    assert!(marts.windows(2).all(|two| two[0] == two[1]), "whatever came first, and in however many parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_decision_replaces_an_earlier_one_by_its_time_and_not_by_its_arrival() {
    let (earlier, later) = (decided(8, 9, 1), decided(9, 10, 0));
    for words in [[earlier.clone(), later.clone()], [later, earlier]] {
        let (snapshot, report) = told(&[&contents(), &words[..1], &words[1..]]).await;
        assert_eq!(provinces(&snapshot), ["PK-PB"], "the word of ten o'clock stands");
        assert_eq!((report.stage.choices, report.stage.chosen), (1, 1), "one event was decided, twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_a_row_that_is_not_there_or_is_of_another_event_has_no_effect_and_is_counted() {
    let another = Told { number: 2, ..case(2, "PK-KP") };
    let words = [
        ("a row that never comes", decided(9, 9, 40)),
        ("a row of another event", decided(9, 9, 2)),
        ("an event that never comes", about("POL-PB", 77, 9, 9, 1)),
        ("another agency's event of the same id", about("FIA", 1, 9, 9, 1)),
        ("an agency that there is not", about("POL-XX", 1, 9, 9, 1)),
    ];
    for (which, word) in words {
        let (snapshot, report) = told(&[&contents(), &[another.clone(), word]]).await;
        assert_eq!(provinces(&snapshot), ["PK-KP", "PK-PB"].map(str::to_owned), "{which}");
        assert_eq!((report.stage.choices, report.stage.chosen), (1, 0), "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steward_may_choose_the_content_of_another_record() {
    let contents = [case(1, "PK-PB"), case(2, "PK-SD")];
    for (offset, province) in [(0, "PK-PB"), (1, "PK-SD"), (0, "PK-PB")] {
        let (snapshot, _) = told(&[&contents, &[decided(8, 9, 1 - offset)], &[decided(9, 10, offset)]]).await;
        assert_eq!(provinces(&snapshot), [province], "the other record has no case");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_stewards_own_words_on_conflicts_none_chooses() {
    // Two contents of word 8; a word on which of them counts.
    let on_a_word = Told {
        data: format!(
            r#"{{"record_version":1,"agency":"STEWARD","event_id":"{}","row":"{LOG}/tip.events.STEWARD.v1/0/0"}}"#,
            id(8)
        ),
        ..decided(9, 10, 0)
    };
    let (snapshot, report) = told(&[&contents(), &[decided(8, 9, 1), decided(8, 9, 0), on_a_word]]).await;
    assert_eq!(provinces(&snapshot), ["PK-PB"], "the least of the two words stands, as of any event's contents");
    assert_eq!((report.stage.choices, report.stage.chosen), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_beyond_a_cut_decides_nothing_below_it() {
    let road = Road::new();
    let (before, _) = road.tell(&contents()).await;
    let (after, _) = road.tell(&[decided(9, 9, 1)]).await;
    assert_eq!((provinces(&before), provinces(&after)), (vec!["PK-PB".to_owned()], vec!["PK-SD".to_owned()]));
    let events = lake::Events::open(&road.store, "reader").await.unwrap().snapshot().unwrap();
    let below = |cut| RefreshOptions { below: Some(cut), plans: PLANS.clone(), ..RefreshOptions::default() };
    let (again, _) = refresh(&road.store, &events, &policy(), &keys(), &below(before.cut())).await.unwrap();
    assert_eq!(again.hashes(), before.hashes(), "an edition of then is made again as it was");
    let (again, _) = refresh(&road.store, &events, &policy(), &keys(), &below(after.cut())).await.unwrap();
    assert_eq!(again.hashes(), after.hashes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_about_a_person_who_is_erased_goes_though_the_steward_chose_it() {
    let identified = |token: char, province: &str| {
        let data = format!(
            r#"{{"record_version":1,"occurred_on":"2024-03-09",
            "person":[{{"kind":"document","token":"bcdfghjkmnpqrst{token}"}}],
            "sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["sexual"],
            "place_identified":"{province}","referral_source":"police"}}"#
        );
        Told { kind: "victim.identified", data, ..case(1, "PK-PB") }
    };
    let contents = [identified('1', "PK-PB"), identified('2', "PK-SD")];
    let places = |snapshot: &Snapshot| rows(snapshot, "victims", &["province"]);
    let (snapshot, _) = told(&[&contents, &[decided(8, 9, 1)]]).await;
    assert_eq!(places(&snapshot), ["PK-SD"]);
    let person = policy::person_surrogate(&keys(), "POL-PB", "bcdfghjkmnpqrst2");
    let data = format!(
        r#"{{"record_version":1,"person_id":"{:032x}","legal_basis":"subject_request"}}"#,
        u128::from_be_bytes(person)
    );
    let order = Told { kind: "person.erasure_ordered", record: 2, data, ..decided(9, 10, 0) };
    let (snapshot, report) = told(&[&contents, &[decided(8, 9, 1)], &[order]]).await;
    assert_eq!(places(&snapshot), ["PK-PB"], "what is said of her is gone; the other content is about somebody else");
    assert_eq!((report.stage.choices, report.stage.chosen), (1, 0));
}

async fn conflicts_of(road: &Road) -> Vec<Conflict> {
    let events = lake::Events::open(&road.store, "reader").await.unwrap().snapshot().unwrap();
    conflicts(&events, &policy(), &keys()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_says_which_content_counts_and_why() {
    let road = Road::new();
    road.tell(&contents()[..1]).await;
    assert_eq!(conflicts_of(&road).await, [], "one content is no conflict");
    road.tell(&[case(1, "PK-PB"), case(1, "PK-SD")]).await;
    let [conflict] = &conflicts_of(&road).await[..] else { panic!("one event has two contents, and a copy of one") };
    let rows: Vec<&str> = conflict.contents.iter().map(|content| content.row.as_str()).collect();
    assert_eq!(rows, [0, 2].map(|offset| format!("{LOG}/tip.events.POL-PB.v1/0/{offset}")));
    assert_eq!((conflict.counts, conflict.because), (0, Because::Least));
    for (number, hour, offset, counts, is_decided) in [(8, 9, 40, 0, false), (9, 10, 2, 1, true)] {
        road.tell(&[decided(number, hour, offset)]).await;
        let conflict = conflicts_of(&road).await.remove(0);
        let (Because::Decided(at) | Because::DecidedForAbsent(at)) = conflict.because else { panic!("{conflict:?}") };
        assert_eq!((conflict.counts, conflict.is_decided()), (counts, is_decided));
        assert_eq!(at, 1_741_460_400_000_000 + i64::from(hour) * 3_600_000_000, "at that hour of 9 March in Karachi");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_differs_codes_and_dates_are_told_and_of_all_else_only_that_it_does() {
    let ordered = |record: u64, token: char, said: &str| {
        let data = format!(r#"{{"person":[{{"kind":"document","token":"bcdfghjkmnpqrst{token}"}}],{said}}}"#);
        Told { agency: "CRT-PB", kind: "compensation.ordered", data, ..case(record, "PK-PB") }
    };
    let one = r#""record_version":1,"occurred_on":"2024-03-09","amount_pkr":70007,"province":"PK-PB""#;
    let other = r#""record_version":2,"occurred_on":"2024-03","amount_pkr":80008,"province":"PK-SD",
        "case_id":"POL-PB/bcdfghjkmnpqrst9""#;
    let road = Road::new();
    road.tell(&[ordered(1, '1', one), ordered(2, '2', other)]).await;
    let found = conflicts_of(&road).await;
    let told = |field: &str, said: Option<[&str; 2]>| Difference {
        field: field.to_owned(),
        said: said.map(|said| said.map(|said| Some(said.to_owned())).to_vec()),
    };
    let expected = [
        told("amount_pkr", None),
        told("case_id", None),
        told("occurred_on", Some(["2024-03-09", "2024-03"])),
        told("person", None),
        told("province", Some(["PK-PB", "PK-SD"])),
        told("record_version", None),
        told("subject", None),
    ];
    assert_eq!(found[0].differs, expected);
    let all = format!("{found:?}");
    let surrogate = policy::person_surrogate(&keys(), "CRT-PB", "bcdfghjkmnpqrst1");
    let surrogate = format!("{:032x}", u128::from_be_bytes(surrogate));
    for hidden in ["70007", "80008", "bcdf", surrogate.as_str()] {
        assert!(!all.contains(hidden), "{hidden} is in {all}");
    }
}
