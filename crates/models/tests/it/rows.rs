//! The rows of each mart as the vault reads them: every column that the policy names, told by one agency or another.

use disclosure::{Column, Microdata};
use models::Snapshot;

use crate::road::{Road, Told};
use crate::support::policy;

/// A message; `data` is what it carries beside its version.
fn told(agency: &'static str, number: u64, kind: &'static str, data: &str) -> Told {
    Told {
        agency,
        number,
        kind,
        version: 1,
        record: number,
        hour: 9,
        data: format!(r#"{{"record_version":1,{data}}}"#),
    }
}

/// The rows of a dataset, each as the codes of some levels, in the order of the codes.
pub fn rows(snapshot: &Snapshot, dataset: &str, levels: &[&str]) -> Vec<String> {
    let (policy, data) = (policy(), snapshot.microdata(dataset, &policy()).unwrap());
    let known = policy.datasets.get(dataset).unwrap();
    let text = |level: &&str, row: usize| {
        let codes = match &data.dims[*level] {
            Column::One(codes) => &codes[row..=row],
            Column::Many { offsets, codes } => &codes[offsets[row] as usize..offsets[row + 1] as usize],
        };
        let text = |code: &u16| known.code_text(level, *code).unwrap();
        codes.iter().map(text).collect::<Vec<_>>().join("+")
    };
    let row = |row| levels.iter().map(|level| text(level, row)).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<String> = (0..data.sid.len()).map(row).collect();
    rows.sort();
    rows
}

fn sorted(data: &Microdata, measure: &str) -> Vec<Option<i64>> {
    let mut values = data.measures[measure].clone();
    values.sort_unstable();
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_is_what_was_said_and_its_band_the_bin_that_holds_it() {
    let judged = |number, token: &str, sentence: &str| {
        let data = format!(
            r#""occurred_on":"2024-11-20","person":[{{"kind":"document","token":"bcdfghjkmnpqrst{token}"}}],"sex":"M",
            "age_band":"30-38","citizenship":"PK","province":"PK-PB","sections":["PTPA-3-2"],"verdict":"convicted",
            "court_level":"sessions"{sentence}"#
        );
        told("CRT-PB", number, "judgment.delivered", &data)
    };
    let inspected = |number, found: &str| {
        let data = format!(
            r#""occurred_on":"2024-11","place":"PK-PB-LHR","sector":"brick_kiln","kind":"bonded",
            "outcome":["no_violation"]{found}"#
        );
        told("LAB-PB", number, "inspection.conducted", &data)
    };
    let (snapshot, _) = Road::new()
        .tell(&[
            judged(1, "1", r#","sentence":{"imprisonment_months":60,"fine_pkr":0}"#),
            judged(2, "2", r#","sentence":{"imprisonment_months":500}"#),
            judged(3, "3", ""),
            inspected(4, r#","workers":12,"children":0"#),
            inspected(5, ""),
        ])
        .await;

    let judgments = snapshot.microdata("judgments", &policy()).unwrap();
    let months = sorted(&judgments, "imprisonment_months");
    assert_eq!(months, [None, Some(60), Some(500)], "as said; the bounds are the vault's to apply");
    assert_eq!(sorted(&judgments, "fine_pkr"), [None, None, Some(0)]);
    let bands = ["imprisonment_months_band", "fine_pkr_band", "compensation_pkr_band"];
    assert_eq!(rows(&snapshot, "judgments", &bands), ["240+ _X _X", "60-83 0 _X", "_X _X _X"]);

    let inspections = snapshot.microdata("inspections", &policy()).unwrap();
    assert_eq!(sorted(&inspections, "workers"), [None, Some(12)]);
    let bands = ["sector", "workers_band", "children_band", "released_band"];
    assert_eq!(rows(&snapshot, "inspections", &bands), ["brick_kiln 10-19 0 _X", "brick_kiln _X _X _X"]);
}

/// A person whom the bureau identified in Lahore and the shelter never did.
const PERSON: &str = r#""person":[{"kind":"document","token":"bcdfghjkmnpqrst1"}]"#;
/// One of whom nobody said who she is.
const STRANGER: &str = r#""person":[{"kind":"document","token":"bcdfghjkmnpqrst2"}]"#;

fn identified(agency: &'static str, number: u64) -> Told {
    let data = format!(
        r#""occurred_on":"2024-03-09",{PERSON},"sex":"F","age_band":"09-17","citizenship":"AF","status":"actual",
        "exploitation":["sexual"],"place_identified":"PK-PB-LHR","referral_source":"police""#
    );
    told(agency, number, "victim.identified", &data)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_bears_who_the_person_is_where_she_was_found_where_she_went_and_how_it_ended() {
    let referral = |number, who: &str, to: &str| {
        told(
            "CPB-PB",
            number,
            "victim.referred",
            &format!(r#""occurred_on":"2024-03-10",{who},"service":"shelter"{to}"#),
        )
    };
    let ended = |number, day: u8, of: u64, why: &str| {
        let id = crate::road::id(of);
        let data = format!(
            r#""occurred_on":"2024-05-{day:02}",{PERSON},"service":"shelter","exit_reason":"{why}","referral_id":"{id}""#
        );
        told("SHL-PB", number, "service.ended", &data)
    };
    let (snapshot, _) = Road::new()
        .tell(&[
            identified("CPB-PB", 1),
            referral(2, PERSON, r#","to_body":"SHL""#),
            referral(3, STRANGER, r#","to_country":"BD""#),
            ended(4, 2, 2, "completed"),
            ended(5, 1, 2, "left"),
            ended(6, 3, 99, "family"),
        ])
        .await;
    let who = ["sex", "age_group", "age_band", "citizenship", "citizenship_subregion", "province"];
    assert_eq!(rows(&snapshot, "services", &who), ["F child 09-17 AF 034 PK-PB", "_X _X _X _X _X _X"]);
    let what = ["service", "to_body", "to_country", "to_country_region", "exit_reason", "first_referral"];
    assert_eq!(rows(&snapshot, "services", &what), ["shelter SHL _X _X completed yes", "shelter _X BD 142 _X yes"]);
    // None began in time, but the shelter ended one: she was in its caseload (privacy.md 6.6, rule 3).
    let number = |agency: &str| policy().agencies.get(agency).unwrap().index;
    let mut served = snapshot.microdata("services", &policy()).unwrap().served_by.unwrap();
    served.sort_unstable();
    let mut expected = [number("SHL-PB"), number("CPB-PB")];
    expected.sort_unstable();
    assert_eq!(served, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_bears_who_the_person_is_where_she_was_found_and_where_she_came_from() {
    let returned = |number, who: &str| {
        let data = format!(r#""occurred_on":"2024-Q2",{who},"from_country":"LY","kind":"assisted""#);
        told("IOM", number, "victim.returned", &data)
    };
    let (snapshot, _) = Road::new().tell(&[identified("IOM", 1), returned(2, PERSON), returned(3, STRANGER)]).await;
    let who = ["sex", "age_group", "age_band", "citizenship", "citizenship_region", "province"];
    assert_eq!(rows(&snapshot, "returns", &who), ["F child 09-17 AF 142 PK-PB", "_X _X _X _X _X _X"]);
    let what = ["from_country", "from_country_subregion", "from_country_region", "kind", "assisted", "first_return"];
    assert_eq!(rows(&snapshot, "returns", &what), ["LY 015 002 assisted no yes", "LY 015 002 assisted no yes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_and_an_activity_are_counted_once_each_corrected_and_retracted_like_any_fact() {
    let contact = |number, month: &str, rest: &str| {
        told("HLP-PB", number, "contact.received", &format!(r#""occurred_on":"{month}",{rest}"#))
    };
    let activity = |agency, number, rest: &str| {
        told(agency, number, "activity.held", &format!(r#""occurred_on":"2024-03-09",{rest}"#))
    };
    // About the record of the event of this number, by the agency that told of it.
    let about = |told: Told, of: u64, version: u16, rest: &str| {
        let (target, kind) = (crate::road::id(of), told.kind);
        let data = format!(r#"{{"record_version":2,"target":"{target}","target_type":"pk.tip.{kind}",{rest}}}"#);
        let kind = if version == 4 { "record.corrected" } else { "record.retracted" };
        Told { number: told.number + 50, kind, version, data, ..told }
    };
    let help = r#""kind":"help","place":"PK-PB-LHR","referral_made":"no""#;
    let training = r#""kind":"training","audience":"police","place":"PK-SD-KHI","participants":42"#;
    let (first, withdrawn, trained) =
        (contact(1, "2024-03", help), contact(2, "2024-03", help), activity("UNODC", 4, training));
    let (snapshot, _) = Road::new()
        .tell(&[
            first.clone(),
            about(first, 1, 4, r#""fields":{"referral_made":"yes"},"reason":"verification""#),
            withdrawn.clone(),
            about(withdrawn, 2, 2, r#""reason":"error""#),
            contact(3, "2024", r#""kind":"_X","place":"_X","referral_made":"_X""#),
            trained.clone(),
            about(trained, 4, 4, r#""fields":{"participants":24},"reason":"data_entry""#),
            activity("POL-PB", 5, r#""kind":"campaign","audience":"general_public","place":"_X""#),
        ])
        .await;
    let contacts = ["quarter", "month", "kind", "province", "referral_made"];
    assert_eq!(
        rows(&snapshot, "contacts", &contacts),
        ["2024-Q1 2024-03 help PK-PB yes", "_X _X _X _X _X"],
        "one was retracted"
    );
    let activities = ["kind", "audience", "province", "participants_band"];
    assert_eq!(
        rows(&snapshot, "activities", &activities),
        ["campaign general_public _X _X", "training police PK-SD 20-29"]
    );
    assert_eq!(sorted(&snapshot.microdata("activities", &policy()).unwrap(), "participants"), [None, Some(24)]);
}
