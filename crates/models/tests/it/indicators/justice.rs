//! Justice: cases, accused persons, charges, judgments, and what victims were paid.

use super::{Tale, event, record, who};
use crate::rows::rows;

fn case(day: &str, section: &str, province: &str) -> String {
    format!(r#""occurred_on":"{day}","sections":["{section}"],"province":"{province}""#)
}

fn accused(day: &str, person: char, role: &str, more: &str) -> String {
    format!(
        r#""occurred_on":"{day}",{},"sex":"M","age_band":"30-38","citizenship":"PK","role":["{role}"],
        "province":"PK-PB"{more}"#,
        who(person)
    )
}

fn charged(day: &str, person: char, case: &str) -> String {
    format!(
        r#""occurred_on":"{day}",{},"sex":"M","age_band":"30-38","citizenship":"PK","sections":["PTPA-3-2","PPC-371A"],
        "province":"PK-PB","case_id":"{case}""#,
        who(person)
    )
}

fn judged(day: &str, person: char, verdict: &str, more: &str) -> String {
    format!(
        r#""occurred_on":"{day}",{},"sex":"M","age_band":"30-38","citizenship":"PK","sections":["PTPA-3-2"],
        "province":"PK-PB","verdict":"{verdict}","court_level":"sessions"{more}"#,
        who(person)
    )
}

/// Cases of 2023: one trafficking event that police registered under the Penal Code and the FIA under the PTPA, one that both
/// registered under the PTPA, one of which only the year is known.
fn cases() -> Tale {
    let mut tale = Tale::default();
    let penal = tale.tell("POL-PB", "case.registered", &case("2023-01-10", "PPC-370", "PK-PB"));
    let federal = tale.tell("FIA", "case.registered", &case("2023-02-10", "PTPA-3-1", "PK-PB"));
    let (penal, federal) = (record("POL-PB", penal), record("FIA", federal));
    let transfer =
        format!(r#""occurred_on":"2023-02-01","case_id":"{penal}","to_agency":"FIA","reason":"transnational""#);
    tale.tell("POL-PB", "case.transferred", &transfer);
    let same =
        |one: &str, other: &str| format!(r#""occurred_on":"2023-06-01","case_id":"{one}","other_case_id":"{other}""#);
    tale.tell("FIA", "case.linked", &same(&federal, &penal));
    let first = tale.tell("POL-PB", "case.registered", &case("2023-03-01", "PTPA-3-2", "PK-PB"));
    let second = tale.tell("FIA", "case.registered", &case("2023-03-05", "PTPA-3-1", "PK-PB"));
    tale.tell("POL-PB", "case.linked", &same(&record("POL-PB", first), &record("FIA", second)));
    tale.tell("POL-SD", "case.registered", &case("2023", "PTPA-4", "PK-SD"));
    // Its stages come in the wrong order.
    for (day, stage) in [("2023-09-01", "in_trial"), ("2023-05-01", "charge_submitted")] {
        let reached = format!(r#""occurred_on":"{day}","case_id":"{}","stage":"{stage}""#, record("POL-PB", first));
        tale.tell("POL-PB", "case.stage_changed", &reached);
    }
    tale
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trafficking_event_that_two_agencies_registered_is_one_case() {
    let counted = cases().counted().await;
    let at = |period, group, province| {
        counted.at("C01", "cases", period, &[("agency_group", group), ("province", province)])
    };
    // The FIA's of February: what police registered first is none under the PTPA. Of the two of March the first, by police.
    assert_eq!(at("2023-Q1", "FIA", "PK-PB"), 1);
    assert_eq!(at("2023-Q1", "POL", "PK-PB"), 1);
    assert_eq!(at("_X", "POL", "PK-SD"), 1);
    assert_eq!(counted.at("C01", "cases", "2023-Q2", &[]), 0);
    // C02 is the registers as they stand: five cases of 2023, each under its section.
    let under = |section| counted.at("C02", "cases", "2023", &[("section", section)]);
    assert_eq!([under("PTPA-3-1"), under("PTPA-3-2"), under("PTPA-4"), under("PPC-370")], [2, 1, 1, 1]);
    assert_eq!(counted.year("C02", "cases", "2023"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_bears_its_latest_stage_and_whether_it_was_transferred_or_linked() {
    let marts = cases().marts().await;
    let levels = ["section", "stage", "transferred", "linked", "first_registration"];
    let expected = [
        "PPC-370 registered yes yes no",
        "PTPA-3-1 registered no yes no",
        "PTPA-3-1 registered no yes yes",
        "PTPA-3-2 in_trial no yes yes",
        "PTPA-4 registered no no yes",
    ];
    assert_eq!(rows(&marts, "cases", &levels), expected);
}

/// Six accused, of whom the FIA, the prosecution and the court know the first by names of their own.
fn accused_persons() -> Tale {
    let mut tale = Tale::default();
    let case = tale.tell("POL-PB", "case.registered", &case("2023-03-01", "PTPA-3-2", "PK-PB"));
    let case = record("POL-PB", case);
    // 1: an official, arrested, charged 31 days after the registration, convicted 320 days after it.
    tale.tell("FIA", "accused.arrested", &accused("2023-02-15", '1', "official", r#","official":"yes""#));
    tale.tell("PRO-PB", "charge.filed", &charged("2023-04-01", '2', &case));
    let sentence = format!(
        r#","case_id":"{case}","sentence":{{"imprisonment_months":60,"fine_pkr":100000,"compensation_pkr":50000}}"#
    );
    let judgment = tale.tell("CRT-PB", "judgment.delivered", &judged("2024-01-15", '3', "convicted", &sentence));
    tale.one(("PRO-PB", '2'), ("FIA", '1'));
    tale.one(("CRT-PB", '3'), ("FIA", '1'));
    // 4: charged, and the charge withdrawn.
    let charge = tale.tell("PRO-PB", "charge.filed", &charged("2023-06-01", '4', &case));
    tale.of_record("PRO-PB", charge, "charge.withdrawn", &format!(r#""occurred_on":"2023-07-01",{}"#, who('4')));
    // 5: charged, convicted, and the judgment overturned.
    tale.tell("PRO-PB", "charge.filed", &charged("2023-06-01", '5', &case));
    let reversed = tale.tell("CRT-PB", "judgment.delivered", &judged("2024-03-01", '5', "convicted", ""));
    let appeal = format!(r#""occurred_on":"2024-09-01",{},"outcome":"overturned""#, who('5'));
    tale.of_record("CRT-PB", reversed, "appeal.decided", &appeal);
    tale.one(("CRT-PB", '5'), ("PRO-PB", '5'));
    // 6: charged in 2022 and again in 2023, convicted of a lesser offence in 2023, fined.
    tale.tell("PRO-PB", "charge.filed", &charged("2022-05-01", '6', "POL-PB/bcdfghjkmnpqrst9"));
    tale.tell("PRO-PB", "charge.filed", &charged("2023-05-01", '6', &case));
    let fined = r#","sentence":{"imprisonment_months":0,"fine_pkr":5000}"#;
    tale.tell("CRT-PB", "judgment.delivered", &judged("2023-12-01", '6', "convicted_lesser", fined));
    tale.one(("CRT-PB", '6'), ("PRO-PB", '6'));
    // 7: an official who is known and was never arrested; 8: arrested twice.
    tale.tell("POL-PB", "accused.identified", &accused("2023-08-01", '7', "facilitator", r#","official":"yes""#));
    tale.tell("POL-PB", "accused.arrested", &accused("2023-03-03", '8', "transporter", ""));
    tale.tell("POL-PB", "accused.arrested", &accused("2024-03-03", '8', "recruiter", ""));
    // The court orders what the first must pay by an order of its own; two payments, one of which names no order.
    let to = |day: &str, amount: u64, more: &str| {
        format!(r#""occurred_on":"{day}",{},"amount_pkr":{amount},"province":"PK-PB"{more}"#, who('9'))
    };
    let named = format!(r#","judgment_id":"{}""#, event(judgment));
    let order = tale.tell("CRT-PB", "compensation.ordered", &to("2024-01-20", 50_000, &named));
    let answers = format!(r#","order_id":"{}""#, event(order));
    tale.tell("CRT-PB", "compensation.paid", &to("2024-06-01", 20_000, &answers));
    tale.tell("CRT-PB", "compensation.paid", &to("2025-01-05", 10_000, ""));
    tale
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accused_counts_at_first_arrest_at_the_first_charge_that_stands_and_at_the_first_conviction_that_stands() {
    let counted = accused_persons().counted().await;
    // C03: 1 and 8, each at the first arrest; 7 was never arrested.
    assert_eq!(counted.year("C03", "persons_arrested", "2023"), 2);
    assert_eq!(counted.at("C03", "persons_arrested", "2023", &[("role", "transporter")]), 1);
    assert_eq!(counted.year("C03", "persons_arrested", "2024"), 0);
    // C04: 1 and 5 in 2023; 4's charge was withdrawn, 6 was first charged in 2022.
    assert_eq!(counted.year("C04", "persons_prosecuted", "2022"), 1);
    assert_eq!(counted.at("C04", "persons_prosecuted", "2023", &[("province", "PK-PB")]), 2);
    // C05: 6 in 2023, 1 in 2024; 5's judgment was overturned.
    assert_eq!(counted.at("C05", "persons_convicted", "2023", &[("sex", "M")]), 1);
    assert_eq!(counted.at("C05", "persons_convicted", "2024", &[("section", "PTPA-3-2")]), 1);
    // C06: of who was charged in 2022, 6; of the two of 2023, 1.
    assert_eq!(counted.year("C06", "persons_prosecuted_and_convicted", "2022"), 1);
    assert_eq!(counted.year("C06", "persons_prosecuted_and_convicted", "2023"), 1);
    // C09: 1 and 7 of three accused; 1 of two prosecuted; 1 alone was convicted in 2024.
    assert_eq!(counted.year("C09", "persons_accused", "2023"), 3);
    assert_eq!(counted.year("C09", "officials_accused", "2023"), 2);
    assert_eq!(counted.year("C09", "persons_prosecuted", "2023"), 2);
    assert_eq!(counted.year("C09", "officials_prosecuted", "2023"), 1);
    assert_eq!(counted.year("C09", "persons_convicted", "2024"), 1);
    assert_eq!(counted.year("C09", "officials_convicted", "2024"), 1);
    assert_eq!(counted.year("C09", "officials_convicted", "2023"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_justice_took_what_it_imposed_and_what_was_paid() {
    let counted = accused_persons().counted().await;
    // C07: 1 was charged after 31 days, 5 after 92; nobody registered the case of 6. 1 was judged after 320 days.
    let days = |measure, year, band| counted.at("C07", measure, year, &[("band", band)]);
    let charged = "persons_prosecuted_by_days";
    assert_eq!(
        [days(charged, "2023", "30-59"), days(charged, "2023", "90-179"), days(charged, "2022", "_X")],
        [1, 1, 1]
    );
    let judged = "persons_convicted_by_days";
    assert_eq!([days(judged, "2024", "180-364"), days(judged, "2023", "_X")], [1, 1]);
    // C08: 1 was imprisoned for 60 months and fined, 6 fined alone; 5's judgment no longer stands.
    let months = |year, band| counted.at("C08", "persons_by_months_of_imprisonment", year, &[("band", band)]);
    assert_eq!([months("2024", "60-83"), months("2023", "0")], [1, 1]);
    let fined = |year, band| counted.at("C08", "persons_by_fine_in_rupees", year, &[("band", band)]);
    assert_eq!([fined("2024", "100000-199999"), fined("2023", "1-9999")], [1, 1]);
    assert_eq!(counted.year("C08", "persons_imprisoned_and_fined", "2024"), 1);
    assert_eq!(counted.year("C08", "persons_fined_only", "2023"), 1);
    // C10: the order tells of what the judgment imposed, so that it is counted once.
    assert_eq!(counted.year("C10", "compensation_ordered", "2024"), 0);
    assert_eq!(counted.year("C10", "compensation_ordered_apart", "2024"), 50_000);
    assert_eq!(counted.year("C10", "compensation_paid", "2024"), 20_000);
    assert_eq!(counted.year("C10", "compensation_paid", "2025"), 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_and_a_judgment_bear_how_long_they_took_and_what_came_of_them() {
    let marts = accused_persons().marts().await;
    let levels = ["year", "withdrawn", "first_charge", "official", "convicted", "days_to_charge_band"];
    let expected = [
        "2022 no yes _X yes _X", // 6, whose first case nobody registered
        "2023 no no _X yes 60-89",
        "2023 no yes _X no 90-179",  // 5: 92 days
        "2023 no yes yes yes 30-59", // 1
        "2023 yes no _X no 90-179",  // 4
    ];
    assert_eq!(rows(&marts, "charges", &levels), expected);
    // An order tells of what the first must pay, so the judgment does not.
    let levels = ["year", "first_conviction", "sentence", "official", "days_to_judgment_band", "compensation_pkr_band"];
    let expected = ["2023 yes fine _X _X _X", "2024 no _X _X _X _X", "2024 yes imprisonment_and_fine yes 180-364 _X"];
    assert_eq!(rows(&marts, "judgments", &levels), expected);
    let expected = ["2024 no 50000-99999", "2024 yes 10000-24999", "2025 yes 10000-24999"];
    assert_eq!(rows(&marts, "compensations", &["year", "paid", "amount_pkr_band"]), expected);
}
