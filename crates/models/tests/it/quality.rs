//! How good each agency's feed is: what arrived, how complete and how soon it is, what is missing, what is beyond a limit.

use events::feed::{FeedReport, ReportState, Versions};
use models::quality::{FeedLimits, Feeds};

use crate::road::{Road, Told, id};
use crate::support::{keys, policy};

/// 9 March 2025, the day on which everything here is recorded and arrives.
const TODAY: i32 = 20_156;

/// A person is identified on a day; `means` as it is written.
fn identified(agency: &'static str, number: u64, day: &str, more: &str) -> Told {
    let data = format!(
        r#"{{"record_version":1,"occurred_on":"{day}","person":[{{"kind":"document","token":"bcdfghjkmnpqrst{number}"}}],
        "sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["sexual"],
        "place_identified":"PK-PB"{more}}}"#
    );
    Told { agency, number, kind: "victim.identified", version: 3, record: number, hour: 9, data }
}

async fn reports(road: &Road) -> Vec<FeedReport> {
    let events = lake::Events::open(&road.store, "feeds").await.unwrap().snapshot().unwrap();
    let (policy, keys, limits) = (policy(), keys(), FeedLimits::default());
    let feeds = Feeds {
        store: &road.store,
        events: &events,
        policy: &policy,
        keys: &keys,
        limits: &limits,
        today: TODAY,
        threads: 2,
    };
    feeds.reports().await.unwrap()
}

fn of<'a>(reports: &'a [FeedReport], agency: &str) -> &'a FeedReport {
    reports.iter().find(|report| report.agency == agency).unwrap()
}

#[tokio::test]
async fn a_field_is_known_as_corrections_have_left_it_and_unknown_is_not_known() {
    let road = Road::new();
    let correction = Told {
        kind: "record.corrected",
        number: 9,
        data: format!(
            r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.victim.identified","fields":{{"means":["debt_bondage"]}},"reason":"data_entry"}}"#,
            id(2)
        ),
        ..identified("FIA", 2, "2025-03-05", "")
    };
    let told = [
        identified("FIA", 1, "2025-03-05", r#","means":["_X"],"referral_source":"police""#),
        identified("FIA", 2, "2025-03-02", ""),
        identified("FIA", 3, "2025", r#","means":["debt_bondage"]"#),
        correction,
        identified("POL-PB", 4, "2025-03-09", ""),
    ];
    road.tell(&told).await;
    let reports = reports(&road).await;
    assert_eq!(reports.iter().map(|report| report.agency.as_str()).collect::<Vec<_>>(), ["FIA", "POL-PB"]);
    let kind = &of(&reports, "FIA").types[0];
    assert_eq!((kind.event_type.as_str(), kind.now.facts, kind.before.facts), ("pk.tip.victim.identified", 3, 0));
    let known = |field: &str| kind.now.known[field];
    assert_eq!((known("sex"), known("means"), known("referral_source"), known("sector")), (3, 2, 1, 0));
    // Four and seven days; of the third only the year is known.
    assert_eq!(kind.now.days_to_record, Some(4));
    let month = &of(&reports, "FIA").months[0];
    assert_eq!((month.month.as_str(), month.accepted, month.facts), ("2025-03", 4, 3));
    assert_eq!(of(&reports, "POL-PB").types[0].now.days_to_record, Some(0));
}

#[tokio::test]
async fn what_was_retracted_or_came_twice_is_no_fact() {
    let road = Road::new();
    let other = identified("FIA", 1, "2025-03-05", r#","means":["debt_bondage"]"#);
    let retraction = Told {
        kind: "record.retracted",
        number: 8,
        data: format!(
            r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.victim.identified","reason":"error"}}"#,
            id(2)
        ),
        ..identified("FIA", 2, "2025-03-05", "")
    };
    let once = identified("FIA", 1, "2025-03-05", "");
    road.tell(&[once.clone(), identified("FIA", 2, "2025-03-05", ""), retraction]).await;
    road.tell(&[once, other]).await;
    let reports = reports(&road).await;
    let month = &of(&reports, "FIA").months[0];
    assert_eq!((month.accepted, month.duplicates, month.conflicts, month.set_aside()), (3, 1, 1, 0));
    assert_eq!((month.facts, month.days_to_arrive), (1, Some(0)));
}

#[tokio::test]
async fn an_expected_report_is_missing_until_a_fact_or_the_word_that_there_was_none() {
    let road = Road::new();
    let expected = |number: u64, agency: &str, kind: &str, period: &str| Told {
        kind: "report.expected",
        version: 1,
        number,
        record: number,
        data: format!(r#"{{"record_version":1,"agency":"{agency}","period":"{period}","kind":"{kind}"}}"#),
        ..identified("STEWARD", 1, "2025", "")
    };
    let nil = Told {
        kind: "report.nil",
        version: 1,
        number: 20,
        record: 20,
        data: r#"{"record_version":1,"period":"2025-01","kind":"cases"}"#.into(),
        ..identified("FIA", 1, "2025", "")
    };
    let told = [
        expected(10, "FIA", "victims", "2025-02"),
        expected(11, "FIA", "cases", "2025-01"),
        expected(12, "FIA", "charges", "2025-01"),
        expected(13, "FIA", "cases", "2025-03"),
        nil,
        identified("FIA", 1, "2025-02-11", ""),
    ];
    road.tell(&told).await;
    let reports = reports(&road).await;
    let state = |kind: &str, to: &str| {
        let all = &of(&reports, "FIA").reports;
        all.iter().find(|report| report.kind == kind && report.to == to).map(|report| report.state).unwrap()
    };
    assert_eq!(state("victims", "2025-02-28"), ReportState::Received);
    assert_eq!(state("cases", "2025-01-31"), ReportState::Nothing);
    assert_eq!(state("charges", "2025-01-31"), ReportState::Missing);
    assert_eq!(state("cases", "2025-03-31"), ReportState::Ahead);
    let alerts: Vec<&str> = of(&reports, "FIA").alerts.iter().map(|alert| alert.of.as_str()).collect();
    assert_eq!(alerts, ["charges 2025-01-01 to 2025-01-31"]);
}

#[tokio::test]
async fn of_few_persons_known_to_several_agencies_nothing_is_said() {
    let road = Road::new();
    road.tell(&[identified("FIA", 1, "2025-03-05", ""), identified("POL-PB", 2, "2025-03-05", "")]).await;
    assert!(reports(&road).await.iter().all(|report| report.contradictions.is_empty()));
}

/// The case of a record in one of its versions.
fn version(agency: &'static str, record: u64, version: u32, number: u64) -> Told {
    Told {
        kind: "case.registered",
        version: 1,
        number,
        record,
        data: format!(
            r#"{{"record_version":{version},"occurred_on":"2025-03-01","sections":["PTPA-3-1"],"province":"PK-PB"}}"#
        ),
        ..identified(agency, 1, "2025", "")
    }
}

#[tokio::test]
async fn a_version_whose_predecessor_never_came_is_a_gap_once() {
    let road = Road::new();
    let retraction = Told {
        kind: "record.retracted",
        version: 3,
        number: 22,
        data: format!(
            r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.case.registered","reason":"error"}}"#,
            id(21)
        ),
        ..version("FIA", 3, 2, 22)
    };
    let told = [
        // Version 2 never came; that 3 came twice says nothing more.
        version("FIA", 1, 1, 10),
        version("FIA", 1, 3, 11),
        version("FIA", 1, 3, 12),
        // Several in a row are one gap, and so is a beginning that never came.
        version("FIA", 2, 4, 13),
        // A retraction has a version of its record like anything else, and so has what follows it.
        version("FIA", 3, 1, 21),
        retraction,
        version("FIA", 3, 3, 23),
        // Another agency's record is another record.
        version("POL-PB", 1, 2, 30),
    ];
    road.tell(&told).await;
    let first = reports(&road).await;
    let versions = |reports: &[FeedReport], agency: &str| of(reports, agency).recent_versions().unwrap();
    assert_eq!(versions(&first, "FIA"), Versions { came: 6, gaps: 2 });
    assert_eq!(versions(&first, "POL-PB"), Versions { came: 1, gaps: 1 });
    // What comes late closes its gap.
    road.tell(&[version("FIA", 1, 2, 40)]).await;
    assert_eq!(versions(&reports(&road).await, "FIA"), Versions { came: 7, gaps: 1 });
}
