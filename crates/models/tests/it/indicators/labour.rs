//! Labour: inspections, what became of what they found, and who was released.

use super::{Counted, Tale, event};
use crate::rows::rows;

fn inspected(day: &str, kind: &str, outcome: &str, more: &str) -> String {
    format!(
        r#""occurred_on":"{day}","place":"PK-PB-LHR","sector":"brick_kiln","kind":"{kind}","outcome":["{outcome}"]{more}"#
    )
}

fn referred(inspection: u64, to: &str) -> String {
    format!(
        r#""occurred_on":"2023-06-01","inspection_id":"{}","to_body":"{to}","findings":["bonded_labour_found"]"#,
        event(inspection)
    )
}

fn acted(referral: u64, action: &str) -> String {
    format!(r#""occurred_on":"2023-07-01","referral_id":"{}","action":"{action}""#, event(referral))
}

/// Six inspections of 2023 in Punjab, and a release by the police of Sindh that no inspection found.
fn inspections() -> Tale {
    let mut tale = Tale::default();
    let conduct = |tale: &mut Tale, data: String| tale.tell("LAB-PB", "inspection.conducted", &data);
    // 1: finds five bonded workers and is told anew; a case is registered, and seven are released in the end.
    let found = conduct(&mut tale, inspected("2023-02-01", "bonded", "bonded_labour_found", r#","released":4"#));
    let anew = inspected("2023-02-01", "bonded", "bonded_labour_found", r#","released":5"#);
    let anew = tale.of_record("LAB-PB", found, "inspection.conducted", &anew);
    let referral = tale.tell("LAB-PB", "inspection.referred", &referred(found, "POL"));
    tale.tell("POL-PB", "referral.acted_on", &acted(referral, "case_registered"));
    let released = |workers: u64, place: &str, more: &str| {
        format!(r#""occurred_on":"2023-03-01","place":"{place}","sector":"brick_kiln","workers":{workers}{more}"#)
    };
    let named = format!(r#","inspection_id":"{}""#, event(anew));
    tale.tell("LAB-PB", "worker.released", &released(7, "PK-PB-LHR", &named));
    // 2: finds nothing.
    conduct(&mut tale, inspected("2023-02-10", "child", "no_violation", ""));
    // 3: releases three, of which nothing else is told; child protection acts, which is no law enforcement.
    let third = conduct(&mut tale, inspected("2023-05-01", "bonded", "bonded_labour_found", r#","released":3"#));
    let referral = tale.tell("LAB-PB", "inspection.referred", &referred(third, "CPB"));
    tale.tell("CPB-PB", "referral.acted_on", &acted(referral, "service_provided"));
    // 4: referred twice, sent back and not acted on.
    let fourth = conduct(&mut tale, inspected("2023-05-02", "general", "violation_noted", ""));
    for action in ["returned", "no_action"] {
        let referral = tale.tell("LAB-PB", "inspection.referred", &referred(fourth, "FIA"));
        tale.tell("FIA", "referral.acted_on", &acted(referral, action));
    }
    // 5: releases nine who were not bonded; 6: child labour in another quarter.
    conduct(&mut tale, inspected("2023-05-03", "general", "violation_noted", r#","released":9"#));
    conduct(&mut tale, inspected("2023-08-01", "child", "child_labour_found", ""));
    tale.tell("POL-SD", "worker.released", &released(4, "PK-SD-KHI", ""));
    tale
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inspection_counts_whether_it_finds_anything_or_not_and_however_often_it_is_referred() {
    let counted = inspections().counted().await;
    // L01: 1 and 2 in the first quarter, 3 in the second, 6 in the third; general inspections are no part of it.
    let at = |period| counted.at("L01", "inspections", period, &[("province", "PK-PB"), ("sector", "brick_kiln")]);
    assert_eq!([at("2023-Q1"), at("2023-Q2"), at("2023-Q3")], [2, 1, 1]);
    // L02: all of these but 2.
    let at = |period| counted.at("L02", "inspections_finding", period, &[("province", "PK-PB")]);
    assert_eq!([at("2023-Q1"), at("2023-Q2"), at("2023-Q3")], [1, 1, 1]);
    // L04: 1 and 4 were referred to law enforcement, and 1 acted on.
    assert_eq!(counted.at("L04", "inspections_referred", "2023", &[("province", "PK-PB")]), 2);
    assert_eq!(counted.at("L04", "inspections_acted_on", "2023", &[("province", "PK-PB")]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_told_once_by_itself_or_by_its_inspection() {
    let marts = inspections().marts().await;
    let counted = Counted::of(&marts);
    // L03: ten persons in two releases of Punjab, four in one of Sindh.
    let at = |measure, province| counted.at("L03", measure, "2023", &[("province", province)]);
    assert_eq!([at("persons_released", "PK-PB"), at("persons_released", "PK-SD")], [10, 4]);
    assert_eq!([at("releases", "PK-PB"), at("releases", "PK-SD")], [2, 1]);
    // Seven of the first inspection, not its own five besides; three of the third; four of Sindh; the nine were not bonded.
    let expected = ["PK-PB LAB 2-4", "PK-PB LAB 5-9", "PK-SD POL 2-4"];
    assert_eq!(rows(&marts, "releases", &["province", "agency_group", "released_band"]), expected);
    let mut released = marts.microdata("releases", &crate::support::policy()).unwrap().measures["released"].clone();
    released.sort_unstable();
    assert_eq!(released, [Some(3), Some(4), Some(7)]);
}
