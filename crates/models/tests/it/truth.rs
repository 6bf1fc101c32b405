//! The marts say what the world says: every cell of the thirteen indicators, before protection, against the sample's
//! ground truth, which is counted by code that shares nothing with `sql/`; and of what no indicator counts, every row.

use std::collections::BTreeMap;

use events::code_list::list;
use models::edition::{DIMENSIONS, unprotected};
use models::indicator::published_column;
use models::{RefreshOptions, Snapshot, SqlSet};
use sample::{Size, Truth};

use crate::rows::rows;
use crate::support::{AS_OF, Arrival, Lake, feed, policy, thorough, vault, world};

/// Indicator, measure, period, dimensions that apply.
type Cell = (String, String, String, BTreeMap<String, String>);

/// What counts a cell of the truth: V02 is a rate and V04 a share of V01's numbers.
fn named<'a>(indicator: &'a str, measure: &'a str) -> (&'a str, &'a str) {
    match indicator {
        "V02" | "V04" => ("V01", "victims"),
        _ => (indicator, measure),
    }
}

fn dimensions_of(indicator: &str) -> Vec<&'static str> {
    models::indicator::all().iter().find(|i| i.id == indicator).unwrap().dimensions()
}

fn truth(size: Size) -> BTreeMap<Cell, u64> {
    let mut cells = BTreeMap::new();
    for cell in Truth::of(world(size)).cells() {
        let (indicator, measure) = named(cell.indicator, cell.measure);
        let mut dims: BTreeMap<String, String> =
            dimensions_of(indicator).into_iter().map(|d| (d.to_owned(), "_T".to_owned())).collect();
        if cell.indicator == "V04" {
            let code = if cell.measure == "unknown" { "_X" } else { cell.measure };
            dims.insert("age_group".into(), code.into());
        }
        for (dim, code) in &cell.dims {
            let dim = &published_column(dim).unwrap();
            assert!(dims.insert((*dim).to_owned(), (*code).to_owned()).is_some(), "{indicator} has no {dim}");
        }
        if cell.measure.contains("outcome") && dims["outcome"] == "_T" {
            continue; // the table has no total: it is `persons_assisted`
        }
        let key = (indicator.to_owned(), measure.to_owned(), cell.time_period.to_string(), dims);
        let before = cells.insert(key, cell.value as u64);
        assert!(before.is_none_or(|before| before == cell.value as u64), "the truth contradicts itself");
    }
    cells
}

fn counted(snapshot: &Snapshot) -> BTreeMap<Cell, u64> {
    let policy = policy();
    let cells = unprotected(&snapshot.source(&policy), &vault(&policy), AS_OF.parse().unwrap()).unwrap();
    let named = |(key, count): (models::edition::Key, u64)| {
        let dims = DIMENSIONS.iter().zip(key.dimensions).filter(|(_, code)| code != "_Z");
        let dims = dims.map(|(dim, code)| ((*dim).to_owned(), code)).collect();
        (count > 0).then_some(((key.indicator, key.measure, key.time_period, dims), count))
    };
    cells.into_iter().filter_map(named).collect()
}

/// What a cell is one of: indicator, measure, and the dimensions on which it is split.
fn grid((indicator, measure, period, dims): &Cell) -> (String, String, usize, Vec<String>) {
    let split = dims.iter().filter(|(_, code)| *code != "_T").map(|(name, _)| name.clone());
    // A year, a quarter or none: told apart by their length.
    (indicator.clone(), measure.clone(), period.len(), split.collect())
}

/// Cells that differ, with both values.
fn differences(size: Size, snapshot: &Snapshot) -> Vec<String> {
    let (truth, mut counted) = (truth(size), counted(snapshot));
    // Other grids have populations counted by hand.
    let grids: std::collections::BTreeSet<_> = truth.keys().map(grid).collect();
    counted.retain(|cell, _| grids.contains(&grid(cell)));
    let keys: std::collections::BTreeSet<&Cell> = truth.keys().chain(counted.keys()).collect();
    let differ = keys.into_iter().filter(|key| truth.get(*key) != counted.get(*key));
    differ.map(|key| format!("{key:?}: true {:?}, counted {:?}", truth.get(key), counted.get(key))).collect()
}

/// The rows of contacts and activities as the world has them, each as its codes.
fn outreach(size: Size) -> [Vec<String>; 2] {
    let (place, province) = (list("place"), list("province"));
    let in_province = |said: &str| province.text(place.roll_up(place.code(said).unwrap(), province));
    let (mut contacts, mut activities) = (Vec::new(), Vec::new());
    for story in world(size).outreach() {
        for told in &story.contacts {
            let (year, province) = (told.filed.when.year(), in_province(told.place));
            contacts.push(format!("{year} {} {province} {}", told.kind, told.referral_made));
        }
        for told in &story.activities {
            let (year, province) = (told.filed.when.year(), in_province(told.place));
            let band = policy().datasets.get("activities").unwrap().measures["participants"].clone();
            let band = band.band_text(band.band_of(told.participants)).unwrap();
            activities.push(format!("{year} {} {} {province} {band}", told.kind, told.audience));
        }
    }
    contacts.sort();
    activities.sort();
    [contacts, activities]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_thirteen_indicators_is_the_worlds_and_each_rule_is_needed() {
    let size = Size::Small;
    let lake = Lake::of(&feed(size), Arrival::default()).await;
    let (snapshot, report) = lake.refresh(&thorough()).await;
    let differ = differences(size, &snapshot);
    assert!(differ.is_empty(), "{} differ, among them {:#?}", differ.len(), &differ[..differ.len().min(12)]);
    assert!(report.stage.raw > 20_000);
    let [contacts, activities] = outreach(size);
    assert!(contacts.len() > 400 && activities.len() > 200);
    assert_eq!(rows(&snapshot, "contacts", &["year", "kind", "province", "referral_made"]), contacts);
    let levels = ["year", "kind", "audience", "province", "participants_band"];
    assert_eq!(rows(&snapshot, "activities", &levels), activities);

    let off =
        [("corrections", "AND is_correction = false"), ("retractions", "AND true"), ("deduplication", "AND true")];
    for (rule, line) in off {
        let sql = SqlSet::embedded().with_rule("staging/", rule, line).unwrap();
        let (snapshot, _) = lake.refresh(&RefreshOptions { sql, ..RefreshOptions::default() }).await;
        assert!(!differences(size, &snapshot).is_empty(), "without {rule} the numbers are the same");
    }
}
