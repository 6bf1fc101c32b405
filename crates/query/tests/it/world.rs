//! A small country in memory: three provinces, three years, two editions. Every number follows from a short rule, so that
//! an expected answer can be worked out on paper.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use query::{
    Catalogue, CodeEntry, CodeListMeta, Dimension, EditionMeta, EditionSource, IndicatorMeta, Limits, PopulationRow,
    Reader, Settings, SourceError, Text,
};

pub const DIMENSIONS: [&str; 11] = [
    "province",
    "sex",
    "age_group",
    "exploitation",
    "referral_source",
    "agency_group",
    "role",
    "citizenship",
    "section",
    "sector",
    "outcome",
];
pub const PROVINCES: [&str; 3] = ["PK-PB", "PK-SD", "PK-KP"];
pub const YEARS: [i64; 3] = [2022, 2023, 2024];

/// Victims of a year and province: 100, 60, 40 in 2022 and ten more each year; the second edition has found ten more in
/// Punjab in 2024.
pub fn victims(edition: u32, year: i64, province: &str) -> i64 {
    let base = match province {
        "PK-PB" => 100,
        "PK-SD" => 60,
        _ => 40,
    };
    let late = if edition > 1 && year == 2024 && province == "PK-PB" { 10 } else { 0 };
    base + (year - 2022) * 10 + late
}

/// Cases of a quarter: the same in both editions.
pub fn cases(year: i64, quarter: i64, province: &str, agency: &str) -> i64 {
    let base = match province {
        "PK-PB" => 5,
        "PK-SD" => 3,
        _ => 1,
    };
    (year - 2021) + quarter + base + if agency == "POL" { 2 } else { 0 }
}

/// One row; dimensions not named are `_Z`.
struct Row {
    indicator: &'static str,
    measure: &'static str,
    time: String,
    dimensions: Vec<(&'static str, String)>,
    /// In millionths; None where it is suppressed.
    micros: Option<i128>,
    /// Half the width of the interval, in millionths.
    half: i128,
    unit: &'static str,
}

fn whole(n: i64) -> i128 {
    i128::from(n) * 1_000_000
}

fn rows(edition: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for year in YEARS {
        let total: i64 = PROVINCES.iter().map(|p| victims(edition, year, p)).sum();
        let v01 = |time: String, dimensions: Vec<(&'static str, String)>, micros| Row {
            indicator: "V01",
            measure: "victims",
            time,
            dimensions,
            micros,
            half: 6_000_000,
            unit: "person",
        };
        let by = |p: &str, s: &str, a: &str| {
            vec![("province", p.to_owned()), ("sex", s.to_owned()), ("age_group", a.to_owned())]
        };
        rows.push(v01(year.to_string(), by("_T", "_T", "_T"), Some(whole(total))));
        for province in PROVINCES {
            let n = victims(edition, year, province);
            // One cell is suppressed in each edition.
            let shown = (year != 2024 || province != "PK-KP").then(|| whole(n));
            rows.push(v01(year.to_string(), by(province, "_T", "_T"), shown));
            rows.push(Row {
                indicator: "V02",
                measure: "victims_per_100000",
                time: year.to_string(),
                dimensions: vec![("province", province.to_owned())],
                micros: shown.map(|n| n * 100_000 / i128::from(population(province))),
                half: 0,
                unit: "rate",
            });
            for quarter in 1..=4 {
                let n = if quarter < 4 { n / 4 } else { n - 3 * (n / 4) };
                rows.push(v01(format!("{year}-Q{quarter}"), by(province, "_T", "_T"), Some(whole(n))));
                for agency in ["FIA", "POL"] {
                    rows.push(Row {
                        indicator: "C01",
                        measure: "cases",
                        time: format!("{year}-Q{quarter}"),
                        dimensions: vec![("province", province.to_owned()), ("agency_group", agency.to_owned())],
                        micros: Some(whole(cases(year, quarter, province, agency))),
                        half: 0,
                        unit: "case",
                    });
                }
            }
        }
        for (sex, tenths) in [("F", 6), ("M", 4)] {
            for (age, halves) in [("child", 1), ("adult", 1)] {
                rows.push(v01(year.to_string(), by("_T", sex, age), Some(whole(total * tenths * halves / 20))));
            }
            rows.push(v01(year.to_string(), by("_T", sex, "_T"), Some(whole(total * tenths / 10))));
        }
    }
    rows
}

pub fn population(province: &str) -> i64 {
    match province {
        "PK-PB" => 120_000_000,
        "PK-SD" => 50_000_000,
        _ => 40_000_000,
    }
}

/// An edition as the lake would give it.
pub fn edition(number: u32) -> RecordBatch {
    let rows = rows(number);
    let text =
        |of: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let decimal = |of: &dyn Fn(&Row) -> Option<i128>| -> ArrayRef {
        let array: Decimal128Array = rows.iter().map(of).collect();
        Arc::new(array.with_precision_and_scale(38, 6).expect("a decimal"))
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| i64::from(number)))),
        text(&|r| r.indicator.to_owned()),
        text(&|r| r.measure.to_owned()),
        text(&|r| r.time.clone()),
    ];
    for name in DIMENSIONS {
        let code = move |r: &Row| {
            r.dimensions.iter().find(|(n, _)| *n == name).map_or_else(|| "_Z".to_owned(), |(_, code)| code.clone())
        };
        columns.push(text(&code));
    }
    columns.push(decimal(&|r| r.micros));
    columns.push(decimal(&|r| r.micros.map(|m| m - r.half)));
    columns.push(decimal(&|r| r.micros.map(|m| m + r.half)));
    columns.push(text(&|r| if r.micros.is_some() { "A" } else { "Q" }.to_owned()));
    columns.push(text(&|r| if r.micros.is_some() { "F" } else { "C" }.to_owned()));
    columns.push(text(&|r| r.unit.to_owned()));
    columns.push(Arc::new(Date32Array::from_iter_values(rows.iter().map(|_| as_of_days(number)))));
    RecordBatch::try_new(lake::published::schema(&DIMENSIONS), columns).expect("an edition")
}

/// 2024-12-31 and 2025-03-31, as days since 1970.
fn as_of_days(number: u32) -> i32 {
    if number == 1 { 20_088 } else { 20_178 }
}

pub fn meta(number: u32) -> EditionMeta {
    EditionMeta {
        edition: number,
        as_of: if number == 1 { "2024-12-31" } else { "2025-03-31" }.to_owned(),
        published_at: if number == 1 { "2025-01-15T08:00:00Z" } else { "2025-04-15T08:00:00Z" }.to_owned(),
        synthetic: true,
        methodology: Some("m1".to_owned()),
        policy_hash: None,
        sql_hash: None,
        embargo_until: None,
    }
}

/// Editions in memory, of which the first `visible` are published.
pub struct Memory {
    pub visible: AtomicU32,
}

#[async_trait]
impl EditionSource for Memory {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        Ok((1..=self.visible.load(Ordering::SeqCst)).map(meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(self.visible.load(Ordering::SeqCst)).filter(|n| *n > 0))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![edition(number)])
    }
}

fn text(en: &str, ur: &str) -> Text {
    Text { en: en.to_owned(), ur: ur.to_owned() }
}

fn indicator(id: &str, title: &str, unit: &str, dimensions: &[&str]) -> IndicatorMeta {
    IndicatorMeta {
        id: id.to_owned(),
        title: text(title, "عنوان"),
        description: text("What it shows.", "وضاحت"),
        unit: unit.to_owned(),
        counting_rule: text("Once each.", "ایک بار"),
        time_basis: text("Date of identification.", "شناخت کی تاریخ"),
        dimensions: dimensions
            .iter()
            .map(|d| Dimension { name: (*d).to_owned(), code_list: Some((*d).to_owned()), title: text(d, "پہلو") })
            .collect(),
        agencies: vec!["FIA".to_owned(), "POL".to_owned()],
        standard: vec!["GLOTIP".to_owned()],
        sensitivity: "std".to_owned(),
        since: "2022".to_owned(),
    }
}

/// A code, its label, and the list and code that it rolls up to.
type Code<'a> = (&'a str, &'a str, Option<(&'a str, &'a str)>);

fn list(name: &str, codes: &[Code<'_>]) -> CodeListMeta {
    CodeListMeta {
        name: name.to_owned(),
        version: "1".to_owned(),
        source: "test".to_owned(),
        provisional: false,
        codes: codes
            .iter()
            .map(|(code, en, above)| CodeEntry {
                code: (*code).to_owned(),
                en: (*en).to_owned(),
                ur: "نام".to_owned(),
                parent: None,
                attributes: above.iter().map(|(list, code)| ((*list).to_owned(), (*code).to_owned())).collect(),
            })
            .collect(),
    }
}

pub fn catalogue() -> Catalogue {
    let province = [
        ("PK-PB", "Punjab", None),
        ("PK-SD", "Sindh", None),
        ("PK-KP", "Khyber Pakhtunkhwa", None),
        ("PK-BA", "Balochistan", None),
    ];
    let band = [
        ("00-08", "0 to 8", Some(("age_group", "child"))),
        ("09-17", "9 to 17", Some(("age_group", "child"))),
        ("18-24", "18 to 24", Some(("age_group", "adult"))),
    ];
    let person = |year, province: &str, n| PopulationRow {
        year,
        province: province.to_owned(),
        sex: "_T".to_owned(),
        age_group: "_T".to_owned(),
        population: n,
        method: "census".to_owned(),
        source: "test".to_owned(),
    };
    let years = YEARS.map(|y| y as i32);
    Catalogue {
        indicators: vec![
            indicator("V01", "Identified victims", "person", &["province", "sex", "age_group"]),
            indicator("V02", "Identified victims per 100,000 residents", "per_100000", &["province"]),
            indicator("C01", "Cases registered", "case", &["province", "agency_group"]),
        ],
        code_lists: vec![
            list("province", &province),
            list("sex", &[("F", "Female", None), ("M", "Male", None)]),
            list("age_group", &[("child", "Child", None), ("adult", "Adult", None)]),
            list("age_band", &band),
            list("agency_group", &[("FIA", "Federal Investigation Agency", None), ("POL", "Provincial police", None)]),
            list(
                "citizenship",
                &[
                    ("PK", "Pakistan", Some(("citizenship_region", "142"))),
                    ("AF", "Afghanistan", Some(("citizenship_region", "142"))),
                ],
            ),
        ],
        population: years
            .into_iter()
            .flat_map(|y| PROVINCES.map(|p| person(y, p, population(p))))
            .chain(years.into_iter().map(|y| person(y, "_T", 210_000_000)))
            .collect(),
        counted: Vec::new(),
    }
}

/// A reader over the first `visible` editions.
pub async fn reader_over(visible: u32, settings: Settings) -> (Reader, Arc<Memory>) {
    let memory = Arc::new(Memory { visible: AtomicU32::new(visible) });
    let source: Arc<dyn EditionSource> = Arc::clone(&memory) as _;
    (Reader::open(source, catalogue(), settings).await.expect("a reader"), memory)
}

/// A reader over both editions, with limits that a hostile question reaches soon.
pub async fn reader(limits: Limits) -> Reader {
    reader_over(2, Settings { limits, ..Settings::default() }).await.0
}
