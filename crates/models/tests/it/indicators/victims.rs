//! Victims: who is counted, when, as what, and how often.

use super::{Tale, who};

/// An identification in Lahore of somebody who was recruited in Karachi.
fn identified(day: &str, person: char, status: &str, age: &str) -> String {
    format!(
        r#"{},"citizenship":"PK","means":["threats","takes_earnings"],"recruiter_relation":"family","scope":"domestic",
        "sector":"brick_kiln","place_recruited":"PK-SD-KHI","place_exploited":"PK-PB-LHR""#,
        barely_identified(day, person, status, age, "")
    )
}

/// The same where nothing more is known.
fn barely_identified(day: &str, person: char, status: &str, age: &str, more: &str) -> String {
    format!(
        r#""occurred_on":"{day}",{},"sex":"F","age_band":"{age}","status":"{status}",
        "exploitation":["sexual","forced_labour"],"place_identified":"PK-PB-LHR","referral_source":"police"{more}"#,
        who(person)
    )
}

fn determined(day: &str, person: char, status: &str) -> String {
    format!(r#""occurred_on":"{day}",{},"status":"{status}","body":"POL""#, who(person))
}

/// Eleven whom agencies call so, ten persons as linkage found them, nine if all that is plausible were linked; all of 2023.
fn people() -> Tale {
    let mut tale = Tale::default();
    let police = "POL-PB";
    let identify = |tale: &mut Tale, agency, day, person, status, age| {
        tale.tell(agency, "victim.identified", &identified(day, person, status, age))
    };
    let determine = |tale: &mut Tale, day, person, status| {
        tale.tell(police, "victim.status_determined", &determined(day, person, status));
    };
    // 1: possible, determined on the 90th day; 2: on the day after.
    identify(&mut tale, police, "2023-02-01", '1', "possible", "18-20");
    determine(&mut tale, "2023-05-02", '1', "actual");
    identify(&mut tale, police, "2023-02-01", '2', "possible", "18-20");
    determine(&mut tale, "2023-05-03", '2', "actual");
    // 3: determined to be possible, which settles nothing; never an actual victim.
    identify(&mut tale, police, "2023-03-01", '3', "possible", "18-20");
    determine(&mut tale, "2023-03-10", '3', "possible");
    // 4: a child whom the bureau knows too, as an actual victim; nobody determined her status.
    identify(&mut tale, police, "2023-03-01", '4', "possible", "18-20");
    identify(&mut tale, "CPB-PB", "2023-04-01", '4', "actual", "09-17");
    tale.one(("CPB-PB", '4'), (police, '4'));
    // 5 to 8: identified by a second record after 90 days, 91 days, 24 months, 24 months and a day.
    for (person, again) in [('5', "2023-04-10"), ('6', "2023-04-11"), ('7', "2025-01-10"), ('8', "2025-01-11")] {
        identify(&mut tale, police, "2023-01-10", person, "actual", "30-38");
        identify(&mut tale, police, again, person, "actual", "30-38");
    }
    // 9: found to be no victim by a second record, and determined to be one after that.
    identify(&mut tale, police, "2023-01-10", '9', "actual", "30-38");
    identify(&mut tale, police, "2024-01-10", '9', "not_victim", "30-38");
    determine(&mut tale, "2024-02-01", '9', "actual");
    // b: of unknown age, in an unknown quarter of the year.
    let unknown = barely_identified("2023", 'b', "actual", "_X", r#","citizenship":"_X""#);
    tale.tell(police, "victim.identified", &unknown);
    // c: a possible victim in a shelter, who may be the first.
    identify(&mut tale, "SHL-PB", "2023-02-20", 'c', "possible", "18-20");
    tale.perhaps_one(("SHL-PB", 'c'), (police, '1'));
    tale
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_counts_once_where_and_when_she_was_first_identified_with_the_status_last_determined() {
    let counted = people().counted().await;
    // V01: 1, 2, 4, 5, 6, 7, 8, 9 and b; 3 and c are possible victims.
    assert_eq!(counted.year("V01", "victims", "2023"), 9);
    assert_eq!(counted.year("V01", "victims", "2024"), 0);
    assert_eq!(counted.year("V01", "victims", "2025"), 0);
    // All but b, of whom only the year is known: 1, 2, 4, and those of January.
    assert_eq!(counted.at("V01", "victims", "2023-Q1", &[("province", "PK-PB")]), 8);
    assert_eq!(counted.at("V01", "victims", "_X", &[("province", "PK-PB")]), 1);
    // V04 is made of these: 4 is a child, as child protection says; the age of b is not known.
    assert_eq!(counted.at("V01", "victims", "2023", &[("age_group", "child")]), 1);
    assert_eq!(counted.at("V01", "victims", "2023", &[("age_group", "adult")]), 7);
    assert_eq!(counted.at("V01", "victims", "2023", &[("age_group", "_X")]), 1);
    // V02 divides this by the inhabitants of the province.
    assert_eq!(counted.at("V01", "victims", "2023", &[("province", "PK-PB")]), 9);
    // V03: under each of her forms, and once in the total; V11: by who told of her.
    assert_eq!(counted.at("V03", "victims", "2023", &[("exploitation", "sexual")]), 9);
    assert_eq!(counted.at("V03", "victims", "2023", &[("exploitation", "forced_labour"), ("sex", "F")]), 9);
    assert_eq!(counted.year("V03", "victims", "2023"), 9);
    assert_eq!(counted.at("V11", "victims", "2023", &[("referral_source", "police")]), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_her_at_first_identification_counts_and_what_is_not_said_is_unknown() {
    let counted = people().counted().await;
    let at = |indicator, codes: &[(&str, &str)]| counted.at(indicator, "victims", "2023", codes);
    // Of V01's nine nothing more is known of b. V05: under each of the means; V06, V07: one code each.
    assert_eq!([at("V05", &[("means", "threats")]), at("V05", &[("means", "takes_earnings")])], [8, 8]);
    assert_eq!([at("V05", &[("means", "_X")]), at("V05", &[])], [1, 9]);
    assert_eq!([at("V06", &[("recruiter_relation", "family")]), at("V06", &[("recruiter_relation", "_X")])], [8, 1]);
    assert_eq!([at("V07", &[("sector", "brick_kiln")]), at("V07", &[("sector", "_X")])], [8, 1]);
    // V08: citizenship and scope apart. V09: from Sindh, where she was recruited, to Punjab, where she was exploited.
    assert_eq!([at("V08", &[("citizenship", "PK")]), at("V08", &[("citizenship", "_X")])], [8, 1]);
    assert_eq!([at("V08", &[("scope", "domestic")]), at("V08", &[("scope", "_X")])], [8, 1]);
    assert_eq!(at("V09", &[("origin", "PK-SD"), ("province", "PK-PB")]), 8);
    assert_eq!(at("V09", &[("origin", "PK-PB"), ("province", "PK-PB")]), 0);
    assert_eq!(at("V09", &[("origin", "_X"), ("province", "_X")]), 1);
    // Q02 is made of the unknown ones: of nine, all have a sex, eight a known age group.
    assert_eq!(counted.at("V01", "victims", "2023", &[("sex", "_X")]), 0);
    assert_eq!(counted.at("V01", "victims", "2023", &[("sex", "F")]), 9);
}

/// All is recorded on 9 March 2025.
#[tokio::test(flavor = "multi_thread")]
async fn days_to_report_are_known_where_the_day_is() {
    let mut tale = Tale::default();
    for (person, day) in [('1', "2025-03-09"), ('2', "2025-03-01"), ('3', "2025-02"), ('4', "2023-01-10")] {
        tale.tell("POL-PB", "victim.identified", &identified(day, person, "possible", "18-20"));
    }
    let counted = tale.counted().await;
    let at = |year, band| counted.at("Q03", "persons_identified_by_days", year, &[("band", band)]);
    // On the day, eight days later; of 3 the month alone is known. 789 days are beyond the bounds, and count as the widest.
    assert_eq!([at("2025", "0"), at("2025", "7-13"), at("2025", "_X"), at("2023", "365_or_more")], [1, 1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_decides_what_was_determined_soon_who_was_found_again_and_whom_several_know() {
    let counted = people().counted().await;
    // V10: 1, 2, 3, 4 and c were identified as possible; only the first was determined on or before the 90th day.
    assert_eq!(counted.year("V10", "possible_victims", "2023"), 5);
    assert_eq!(counted.year("V10", "possible_victims_determined_within_90_days", "2023"), 1);
    // V12: of V01's nine, 6 after 91 days and 7 after 24 months; 4 after a month and 9 as no victim do not count.
    assert_eq!(counted.year("V12", "victims", "2023"), 9);
    assert_eq!(counted.year("V12", "victims_identified_again_within_24_months", "2023"), 2);
    // Q01: eleven persons, of whom police and child protection know 4; with c and 1 as one person ten, of whom two.
    assert_eq!(counted.year("Q01", "persons_identified", "2023"), 11);
    assert_eq!(counted.year("Q01", "persons_known_to_several_groups", "2023"), 1);
    assert_eq!(counted.year("Q01", "persons_if_all_plausible_linked", "2023"), 10);
    assert_eq!(counted.year("Q01", "persons_known_to_several_groups_if_all_plausible_linked", "2023"), 2);
}
