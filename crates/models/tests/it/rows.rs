//! The rows of each mart as the vault reads them: every column that the policy names, told by one agency or another.

use disclosure::{Column, Microdata};
use models::Snapshot;

use crate::road::{Road, Told};
use crate::support::policy;

/// A message; `data` is what it carries beside its version.
fn told(agency: &'static str, number: u64, kind: &'static str, data: &str) -> Told {
    Told { agency, number, kind, record: number, hour: 9, data: format!(r#"{{"record_version":1,{data}}}"#) }
}

/// The rows of a dataset, each as the codes of some levels, in the order of the codes.
fn rows(snapshot: &Snapshot, dataset: &str, levels: &[&str]) -> Vec<String> {
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
