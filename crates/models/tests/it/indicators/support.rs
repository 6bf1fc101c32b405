//! Support: referrals, services, stays, returns, contacts of helplines.

use super::{Counted, Tale, event, record, who};
use crate::rows::rows;

fn referred(day: &str, person: char) -> String {
    format!(r#""occurred_on":"{day}",{},"service":"shelter","to_body":"SHL""#, who(person))
}

fn started(day: &str, person: char, service: &str, referral: Option<u64>) -> String {
    format!(r#""occurred_on":"{day}",{},"service":"{service}"{}"#, who(person), naming("referral_id", referral))
}

fn ended(day: &str, person: char, why: &str) -> String {
    format!(r#""occurred_on":"{day}",{},"service":"shelter","exit_reason":"{why}""#, who(person))
}

fn naming(field: &str, number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| format!(r#","{field}":"{}""#, event(number)))
}

/// Five who were served in 2023, two who returned, two contacts of a helpline.
fn people() -> Tale {
    let mut tale = Tale::default();
    let (bureau, shelter) = ("CPB-PB", "SHL-PB");
    // 1: served on the 30th day, for 60 days; 2: on the 31st.
    let first = tale.tell(bureau, "victim.referred", &referred("2023-03-01", '1'));
    let stay = tale.tell(shelter, "service.started", &started("2023-03-31", '1', "shelter", Some(first)));
    tale.of_record(shelter, stay, "service.ended", &ended("2023-05-30", '1', "completed"));
    let second = tale.tell(bureau, "victim.referred", &referred("2023-03-01", '2'));
    tale.tell(shelter, "service.started", &started("2023-04-01", '2', "medical", Some(second)));
    // 3: comes by herself, leaves after a week and comes again: one stay of 30 days.
    let stay = tale.tell(shelter, "service.started", &started("2023-06-01", '3', "shelter", None));
    tale.of_record(shelter, stay, "service.ended", &ended("2023-06-08", '3', "left"));
    tale.of_record(shelter, stay, "service.started", &started("2023-06-10", '3', "shelter", None));
    tale.of_record(shelter, stay, "service.ended", &ended("2023-07-01", '3', "completed"));
    // 4: still there; 5: of whose stay only the month is known.
    tale.tell(shelter, "service.started", &started("2023-08-01", '4', "shelter", None));
    let stay = tale.tell(shelter, "service.started", &started("2023-09", '5', "shelter", None));
    tale.of_record(shelter, stay, "service.ended", &ended("2023-10-15", '5', "family"));
    // 6 and 7 return; 6 is assisted twice, and reported on twice; somebody finds 7 again.
    let home =
        |day: &str, person| format!(r#""occurred_on":"{day}",{},"from_country":"LY","kind":"assisted""#, who(person));
    let sixth = tale.tell("IOM", "victim.returned", &home("2023-04-01", '6'));
    tale.tell("IOM", "victim.returned", &home("2023-04-02", '7'));
    tale.tell("IOM", "victim.returned", &home("2024-04-02", '7'));
    for (day, outcome) in [("2024-01-01", "not_reintegrated"), ("2024-02-01", "reintegrated")] {
        let helped = format!(
            r#""occurred_on":"{day}",{},"kind":"financial","outcome_6":"{outcome}"{}"#,
            who('6'),
            naming("return_id", Some(sixth))
        );
        tale.tell("IOM", "reintegration.assisted", &helped);
    }
    let found = |day: &str, person, status: &str, more: &str| {
        format!(
            r#""occurred_on":"{day}",{},"sex":"F","age_band":"18-20","citizenship":"PK","status":"{status}",
            "exploitation":["sexual"],"place_identified":"PK-PB-LHR"{more}"#,
            who(person)
        )
    };
    tale.tell("IOM", "victim.identified", &found("2023-06-01", '7', "actual", ""));
    let abroad = format!(r#""occurred_on":"2024-05-01",{},"service":"repatriation","to_country":"BD""#, who('1'));
    tale.tell(bureau, "victim.referred", &abroad);
    let activity =
        r#""occurred_on":"2024-03-09","kind":"training","audience":"police","place":"PK-SD-KHI","participants":42"#;
    tale.tell("UNODC", "activity.held", activity);
    let campaign = r#""occurred_on":"2024-03-10","kind":"campaign","audience":"general_public","place":"_X""#;
    tale.tell("POL-PB", "activity.held", campaign);
    // Three contacts: one leads to two victims, one to somebody who is none, one to nobody.
    let contact = r#""occurred_on":"2023-03","kind":"help","place":"PK-PB-LHR","referral_made":"no""#;
    let contacts = [1, 2, 3].map(|_| tale.tell("HLP-PB", "contact.received", contact));
    for (person, status, contact) in [('8', "actual", 0), ('9', "possible", 0), ('b', "not_victim", 1)] {
        let named = format!(r#","contact_id":"{}""#, record("HLP-PB", contacts[contact]));
        tale.tell("POL-PB", "victim.identified", &found("2023-03-20", person, status, &named));
    }
    tale
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_counts_for_the_referral_it_names_assistance_for_its_return_and_a_victim_for_her_contact() {
    let counted = people().counted().await;
    // S01: 1 and 2 were referred; 1 was served within 30 days.
    assert_eq!(counted.year("S01", "persons_referred", "2023"), 2);
    assert_eq!(counted.year("S01", "persons_receiving_within_30_days", "2023"), 1);
    // R01: 6 and 7, each at the first return; 6 was assisted, and the later word on how she is stands.
    assert_eq!(counted.year("R01", "persons_returned", "2023"), 2);
    assert_eq!(counted.year("R01", "persons_returned", "2024"), 0);
    assert_eq!(counted.year("R01", "persons_assisted", "2023"), 1);
    let outcome = |code| counted.at("R01", "persons_assisted_outcome_6_months", "2023", &[("outcome", code)]);
    assert_eq!([outcome("reintegrated"), outcome("not_reintegrated")], [1, 0]);
    // S02: both were referred to a shelter; 1 to another country, too. R02: by where they came from, each year anew.
    assert_eq!(counted.at("S02", "persons_referred", "2023", &[("service", "shelter")]), 2);
    assert_eq!(counted.at("S02", "persons_referred", "2024", &[("service", "repatriation")]), 1);
    assert_eq!(counted.at("R02", "persons_referred_abroad", "2024", &[("country", "BD")]), 1);
    let came = |year| counted.at("R02", "persons_returned", year, &[("country", "LY")]);
    assert_eq!([came("2023"), came("2024")], [2, 1]);
    // P02: two activities; of the campaign nobody said how many it reached.
    assert_eq!(counted.at("P02", "activities", "2024", &[("kind", "training")]), 1);
    assert_eq!(counted.year("P02", "activities", "2024"), 2);
    assert_eq!(counted.at("P02", "participants", "2024", &[("kind", "training"), ("audience", "police")]), 42);
    // P01: three contacts, of which one led to two victims.
    assert_eq!(counted.year("P01", "contacts", "2023"), 3);
    assert_eq!(counted.year("P01", "contacts_leading_to_identification", "2023"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_is_what_one_record_tells_of_shelter_from_its_first_beginning_to_its_last_end() {
    let marts = people().marts().await;
    let counted = Counted::of(&marts);
    // S03: 1 and 3 completed their stays, after 60 and 30 days; 4 is still there, of 5 the first day is not known.
    assert_eq!(counted.year("S03", "persons_sheltered", "2023"), 4);
    let left = |why| counted.at("S03", "persons_sheltered", "2023", &[("exit_reason", why)]);
    assert_eq!([left("completed"), left("family"), left("_X")], [2, 1, 1]);
    let days = |band| counted.at("S03", "persons_sheltered_by_days", "2023", &[("band", band)]);
    assert_eq!([days("30-59"), days("60-89"), days("_X")], [1, 1, 2]);
    let expected = [
        "2023-Q1 completed yes yes 60-89",
        "2023-Q2 completed yes yes 30-59",
        "2023-Q3 _X no yes _X",
        "2023-Q3 family yes yes _X",
    ];
    assert_eq!(
        rows(&marts, "stays", &["quarter", "exit_reason", "ended", "first_stay", "days_of_stay_band"]),
        expected
    );
    let returns = ["year", "first_return", "identified_again"];
    assert_eq!(rows(&marts, "returns", &returns), ["2023 yes no", "2023 yes yes", "2024 no no"]);
}
