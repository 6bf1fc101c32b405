//! Reference data are what the steward said last, whatever came first; what was said later than a cut is not known below it.

use std::collections::BTreeMap;

use models::edition::{Found, Populations, Row, release};
use models::reference::{Agency, Area, Change, Count, Court, DatedCode, Line as _, Reference, day, said};
use models::{RefreshOptions, Snapshot};
use sample::tangle::LOG_MS;

use crate::incremental::Growing;
use crate::road::{PLANS, Road, Told};
use crate::support::{Arrival, Lake, feed, policy, vault};

/// A word of the steward on a record of hers, said at an hour.
fn told(kind: &'static str, number: u64, record: u64, hour: u32, data: &str) -> Told {
    let data = format!(r#"{{"record_version":1,{data},"published_in":"Notification"}}"#);
    Told { agency: "STEWARD", number, kind, version: 1, record, hour, data }
}

fn declared(number: u64, record: u64, hour: u32, from: &str, rest: &str) -> Told {
    let data = format!(
        r#""area":"PK-PB-NEW","level":"district","parent":"PK-PB-LHR","valid_from":"{from}","name_en":"New","name_ur":"نیا"{rest}"#
    );
    told("area.declared", number, record, hour, &data)
}

/// The days of the area, and whether it has a parent.
fn new_areas(snapshot: &Snapshot) -> Vec<(String, Option<String>)> {
    let text = |day| models::reference::text_of_day(day);
    let areas = Reference::of(snapshot, &policy()).unwrap().areas;
    let new = areas.into_iter().filter(|area| area.area == "PK-PB-NEW");
    new.map(|area| (area.valid_from.map(text).unwrap(), area.valid_to.map(text))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_said_of_an_area_and_a_first_day_the_last_word_stands_whole() {
    let ended = r#","valid_to":"2022-06-30""#;
    let words = [
        declared(1, 1, 9, "2020-01-01", ended),
        // Later, and without an end: it lasts.
        declared(2, 1, 11, "2020-01-01", ""),
        // Another record on the same key, said between the two.
        declared(3, 2, 10, "2020-01-01", ended),
        // Another first day is another row, and is taken back.
        declared(4, 3, 9, "2023-01-01", ""),
        declared(5, 4, 9, "2024-01-01", ""),
        declared(6, 4, 12, "2024-01-01", r#","withdrawn":"yes""#),
        // It ends before it begins: it never was.
        declared(7, 5, 9, "2025-01-01", ended),
    ];
    let expected = [("2020-01-01".to_owned(), None), ("2023-01-01".to_owned(), None)];
    let (together, _) = Road::new().tell(&words).await;
    assert_eq!(new_areas(&together), expected);

    let (road, mut last) = (Road::new(), BTreeMap::new());
    for word in words.iter().rev() {
        last = road.tell(std::slice::from_ref(word)).await.0.hashes();
    }
    assert_eq!(last, together.hashes(), "one after the other, the last first");
}

fn of(year: &str, persons: i64) -> Count {
    let built_in = Reference::built_in().counts;
    let nation = built_in.into_iter().find(|count| count.area == Count::NATION).unwrap();
    let source = format!("A made-up census of {year}");
    Count { counted_on: day(&format!("{year}-07-01")).unwrap(), persons, source, ..nation }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_word_comes_back_as_it_was_said() {
    let level = |list: &str, code: &str| events::code_list::list(list).code(code).unwrap();
    let area = Area {
        area: "PK-PB-LHR-CTY".into(),
        level: level("area_level", "district"),
        parent: Some("PK-PB-LHR".into()),
        valid_from: day("2001-08-14"),
        valid_to: day("2030-12-31"),
        name_en: "A made-up district".into(),
        name_ur: "فرضی ضلع".into(),
        source: "Notification 12(I), 2001".into(),
    };
    let change = Change {
        area: "PK-PB-LHR".into(),
        into_area: "PK-PB-LHR-CTY".into(),
        changed_on: day("2001-08-14").unwrap(),
        share_per_mille: Some(250),
        source: "Notification 12(I), 2001".into(),
    };
    let court = Court {
        court: "CRT-PB-LHR-1".into(),
        level: level("court_level", "special"),
        area: "PK-PB".into(),
        valid_from: day("2010-01-01").unwrap(),
        valid_to: None,
        name_en: "A made-up special court".into(),
        name_ur: "فرضی خصوصی عدالت".into(),
        source: "Notification, 2010".into(),
    };
    let agency = Agency {
        agency: "HLP-NAT".into(),
        group: level("agency_group", "HLP"),
        valid_from: day("2015-01-01"),
        valid_to: day("2030-12-31"),
        successor: Some("HLP-PB".into()),
        name_en: "Helpline 1098 (made up)".into(),
        name_ur: "مددگار ۱۰۹۸".into(),
        source: "Notification, 2015".into(),
    };
    let code = DatedCode {
        list: "section".into(),
        code: "PTPA-4".into(),
        valid_from: day("2018-06-01"),
        valid_to: None,
        replaced_by: Some("PTPA-3-1".into()),
        name_en: "PTPA s. 4 (made up)".into(),
        name_ur: "پی ٹی پی اے دفعہ 4".into(),
        source: "A made-up gazette".into(),
    };
    let women = Count { sex: Some(level("sex", "F")), age_group: Some(level("age_group", "child")), ..of("2027", 7) };
    let growing = Growing::new();
    let at_us = LOG_MS * 1_000;
    growing.tell(&said(&area, false, at_us, true)).await;
    growing.tell(&said(&change, false, at_us, true)).await;
    growing.tell(&said(&court, false, at_us, true)).await;
    growing.tell(&said(&women, false, at_us, true)).await;
    growing.tell(&said(&agency, false, at_us, true)).await;
    growing.tell(&said(&code, false, at_us, true)).await;
    let options = RefreshOptions { thorough: true, plans: PLANS.clone(), ..RefreshOptions::default() };
    let known = Reference::of(&growing.refresh(&options).await.0, &policy()).unwrap();
    assert!(known.areas.contains(&area) && known.changes.contains(&change));
    assert_eq!((known.courts.as_slice(), known.counts.contains(&women)), (&[court][..], true));
    let helplines: Vec<&Agency> = known.agencies.iter().filter(|known| known.agency == "HLP-NAT").collect();
    assert_eq!(helplines, [&agency], "in place of what the policy says");
    assert_eq!(known.agencies.len(), policy().agencies.iter().count());
    let sections: Vec<&DatedCode> = known.codes.iter().filter(|known| known.code == "PTPA-4").collect();
    assert_eq!(sections, [&code], "in place of what the contract says");
    assert!(!known.clone().on(day("2018-05-31").unwrap()).codes.contains(&code));

    let years = known.tables(2017..=2030);
    let rows: BTreeMap<&str, usize> = years.iter().map(|table| (table.name, table.rows.num_rows())).collect();
    assert_eq!((rows["courts"], rows["areas"], rows["populations"]), (1, known.areas.len(), known.counts.len()));
    assert_eq!((rows["agencies"], rows["codes"]), (known.agencies.len(), known.codes.len()));

    growing.tell(&said(&change, true, at_us + 1, true)).await;
    let after = Reference::of(&growing.refresh(&options).await.0, &policy()).unwrap();
    assert!(!after.changes.contains(&change), "it was taken back");
    assert_eq!(change.key(), "PK-PB-LHR/PK-PB-LHR-CTY/2001-08-14");
}

/// After everything that the sample reports.
const AFTER_ALL_MS: i64 = 1_790_000_000_000;

/// Rates of the nation by year.
fn rates(snapshot: &Snapshot) -> BTreeMap<String, Option<disclosure::Amount>> {
    let policy = policy();
    let source = snapshot.source(&policy);
    let rows = release(&source, &vault(&policy), "2025-12-31".parse().unwrap(), 1).unwrap().rows;
    let of_nation = |row: &&Row| row.key.indicator == "V02" && row.key.dimensions[0] == "_T";
    rows.iter().filter(of_nation).map(|row| (row.key.time_period.clone(), row.figure.value())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_divides_by_what_was_known_below_its_cut() {
    let lake = Lake::of(&feed(sample::Size::Small), Arrival::default()).await;
    let (first, _) = lake.refresh(&RefreshOptions::default()).await;
    let before = rates(&first);
    // Twice as many in a census of 2020.
    let people =
        Populations::of(&Reference::of(&first, &policy()).unwrap().counts).in_year(Count::NATION, 2020).unwrap();
    assert_eq!(people.found, Found::Interpolated);
    lake.tell(&said(&of("2020", people.persons * 2), false, AFTER_ALL_MS * 1_000, true), AFTER_ALL_MS).await;
    let (second, _) = lake.refresh(&RefreshOptions::default()).await;
    let after = rates(&second);
    assert_ne!(first.hashes()["populations"], second.hashes()["populations"], "the manifest names what it divides by");
    let shown =
        |rates: &BTreeMap<String, Option<disclosure::Amount>>, year: &str| rates[year].map(disclosure::Amount::micros);
    let (then, now) = (shown(&before, "2020").unwrap(), shown(&after, "2020").unwrap());
    assert!((then - 2 * now).abs() * 100 <= then, "{then} of so many, {now} of twice as many");
    assert_eq!(shown(&before, "2023"), shown(&after, "2023"), "the census of 2023 stands");

    let below = RefreshOptions { below: Some(first.cut()), ..RefreshOptions::default() };
    let (again, _) = lake.refresh(&below).await;
    assert_eq!((again.hashes(), rates(&again)), (first.hashes(), before), "below the cut nobody knows of it");
}
