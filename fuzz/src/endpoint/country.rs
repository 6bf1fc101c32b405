//! A country of two indicators in two editions, over which requests are read.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
use async_trait::async_trait;
use query::{
    Catalogue, CodeEntry, CodeListMeta, Dimension, EditionMeta, EditionSource, IndicatorMeta, Reader, Settings,
    SourceError, Text,
};

/// The columns of codes; the last has no list, and so takes any code.
const DIMENSIONS: [&str; 4] = ["province", "sex", "agency_group", "note"];

/// The reader of everything that is asked.
pub(crate) static READER: LazyLock<Reader> = LazyLock::new(|| {
    let reader = Reader::open(Arc::new(Memory), catalogue(), Settings::default());
    futures::executor::block_on(reader).expect("a reader")
});

struct Memory;

#[async_trait]
impl EditionSource for Memory {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        let meta = |edition| EditionMeta {
            edition,
            as_of: "2024-12-31".to_owned(),
            published_at: format!("2025-0{edition}-15T08:00:00Z"),
            synthetic: true,
            ..EditionMeta::default()
        };
        Ok((1..=2).map(meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(2))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![edition(number)])
    }
}

/// Indicator, measure, period, codes, value in millionths.
type Row = (&'static str, &'static str, String, [&'static str; 4], Option<i128>);

/// Years and quarters by province, a share by sex, a period that is not known, a cell that is not shown, numbers with a fraction
/// and below zero.
fn rows(edition: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    let whole = |n: u32| Some(i128::from(n) * 1_000_000);
    for year in 2023..=2024 {
        for (province, base) in [("PK-PB", 100), ("PK-SD", 60)] {
            let shown = whole(base + edition).filter(|_| (year, province) != (2024, "PK-SD"));
            rows.push(("V01", "victims", year.to_string(), [province, "_T", "_Z", "_Z"], shown));
            for quarter in 1..=2 {
                let time = format!("{year}-Q{quarter}");
                rows.push(("V01", "victims", time.clone(), [province, "_T", "_Z", "_Z"], whole(base / 4)));
                let note = if quarter == 1 { "a.b" } else { "a" };
                rows.push(("C01", "cases", time, [province, "_Z", "FIA", note], Some(-500_000)));
            }
        }
        rows.push(("V01", "share_female", year.to_string(), ["_T", "F", "_Z", "_Z"], Some(62_500_000)));
    }
    rows.push(("V01", "victims", "_X".to_owned(), ["_T", "_T", "_Z", "_Z"], whole(7)));
    rows
}

fn edition(number: u32) -> RecordBatch {
    let rows = rows(number);
    let text =
        |of: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let decimal = |plus: i128| -> ArrayRef {
        let array: Decimal128Array = rows.iter().map(|row| row.4.map(|value| value + plus)).collect();
        Arc::new(array.with_precision_and_scale(38, 6).expect("a decimal"))
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("indicator", text(&|row| row.0.to_owned())),
        ("measure", text(&|row| row.1.to_owned())),
        ("time_period", text(&|row| row.2.clone())),
    ];
    for (at, name) in DIMENSIONS.into_iter().enumerate() {
        columns.push((name, text(&|row| row.3[at].to_owned())));
    }
    columns.extend([("value", decimal(0)), ("lo95", decimal(-4_000_000)), ("hi95", decimal(4_000_000))]);
    columns.push(("obs_status", text(&|row| if row.4.is_some() { "A" } else { "Q" }.to_owned())));
    columns.push(("conf_status", text(&|row| if row.4.is_some() { "F" } else { "C" }.to_owned())));
    columns.push(("unit", text(&|_| "person".to_owned())));
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("an edition")
}

fn text(en: &str) -> Text {
    Text { en: en.to_owned(), ur: "عنوان".to_owned() }
}

fn indicator(id: &str, dimensions: &[&str]) -> IndicatorMeta {
    let dimension = |name: &&str| Dimension {
        name: (*name).to_owned(),
        code_list: (*name != "note").then(|| (*name).to_owned()),
        title: text(name),
    };
    IndicatorMeta {
        id: id.to_owned(),
        title: text("What is counted"),
        description: text("What it shows."),
        unit: "person".to_owned(),
        counting_rule: text("Once each."),
        time_basis: text("Date of identification."),
        dimensions: dimensions.iter().map(dimension).collect(),
        agencies: Vec::new(),
        standard: Vec::new(),
        sensitivity: "std".to_owned(),
        since: "2023".to_owned(),
    }
}

fn list(name: &str, codes: &[&str]) -> CodeListMeta {
    let entry = |code: &&str| CodeEntry {
        code: (*code).to_owned(),
        en: "A code".to_owned(),
        ur: "نام".to_owned(),
        parent: None,
        attributes: [].into(),
    };
    CodeListMeta {
        name: name.to_owned(),
        version: "2026-11".to_owned(),
        source: "fuzzing".to_owned(),
        provisional: false,
        codes: codes.iter().map(entry).collect(),
    }
}

fn catalogue() -> Catalogue {
    Catalogue {
        indicators: vec![
            indicator("V01", &["province", "sex"]),
            indicator("C01", &["province", "agency_group", "note"]),
        ],
        code_lists: vec![
            list("province", &["PK-PB", "PK-SD"]),
            list("sex", &["F", "M", "_X"]),
            list("agency_group", &["FIA", "POL"]),
        ],
        ..Catalogue::default()
    }
}
