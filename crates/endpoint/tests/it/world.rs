//! A small country in memory and a client that asks the doors without a network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use endpoint::{Doors, Gate, GateSettings, Peer, Record, Settings};
use policy::{Grant, Readers, Role, Share, new_reader};
use query::{
    Catalogue, CodeEntry, CodeListMeta, Dimension, EditionMeta, EditionSource, IndicatorMeta, Reader, SourceError, Text,
};
use serde_json::Value;
use tower::ServiceExt;

const DIMENSIONS: [&str; 4] = ["province", "sex", "agency_group", "note"];

/// V01 by year, quarter and province, and by year and sex; C01 by quarter, province and agency. Dimensions not named
/// are `_Z`. Values are in millionths.
type Row = (&'static str, &'static str, String, [&'static str; 4], Option<i128>);

fn rows(edition: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    let whole = |n: u32| Some(i128::from(n) * 1_000_000);
    for year in 2022..=2024 {
        for (province, base) in [("PK-PB", 100), ("PK-SD", 60), ("PK-KP", 12)] {
            let n = base + (year - 2022) * 10 + (edition - 1);
            // One cell is suppressed.
            let shown = whole(n).filter(|_| (year, province) != (2024, "PK-KP"));
            rows.push(("V01", "victims", year.to_string(), [province, "_T", "_Z", "_Z"], shown));
            for quarter in 1..=4 {
                let time = format!("{year}-Q{quarter}");
                rows.push(("V01", "victims", time.clone(), [province, "_T", "_Z", "_Z"], whole(n / 4)));
                rows.push(("C01", "cases", time, [province, "_Z", "FIA", "_Z"], whole(quarter)));
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
        let array: Decimal128Array = rows.iter().map(|r| r.4.map(|v| v + plus)).collect();
        Arc::new(array.with_precision_and_scale(38, 6).expect("a decimal"))
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("edition", Arc::new(Int64Array::from_value(i64::from(number), rows.len()))),
        ("indicator", text(&|r| r.0.to_owned())),
        ("measure", text(&|r| r.1.to_owned())),
        ("time_period", text(&|r| r.2.clone())),
    ];
    for (at, name) in DIMENSIONS.into_iter().enumerate() {
        columns.push((name, text(&|r| r.3[at].to_owned())));
    }
    columns.extend([("value", decimal(0)), ("lo95", decimal(-4_000_000)), ("hi95", decimal(4_000_000))]);
    columns.push(("obs_status", text(&|r| if r.4.is_some() { "A" } else { "Q" }.to_owned())));
    columns.push(("conf_status", text(&|r| if r.4.is_some() { "F" } else { "C" }.to_owned())));
    columns.push(("unit", text(&|_| "person".to_owned())));
    columns.push(("as_of", Arc::new(Date32Array::from_value(20_088, rows.len()))));
    let fields = columns.iter().map(|(name, array)| {
        let nullable = matches!(array.data_type(), DataType::Decimal128(..));
        Field::new(*name, array.data_type().clone(), nullable)
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, a)| a).collect()).expect("an edition")
}

/// A gate for one key of a role, and the header that bears the key.
pub fn gate_of(role: Role, record: Arc<dyn Record>) -> (Arc<Gate>, String) {
    let name = format!("{}-1", role.name());
    let grant = Grant { name: &name, role, share: Share::Ministry, purpose: "test", expires: None, tables: &[] };
    let (key, lines) = new_reader(grant, ([7; 32], [1; 16]));
    let readers = Readers::parse(&lines).expect("readers");
    let clock = std::time::SystemTime::now;
    let gate = GateSettings { readers, clock, random: || [9; 32], record, register: None };
    (Arc::new(Gate::new(gate)), format!("Bearer {key}"))
}

/// Editions in memory, of which the first `visible` are published.
pub struct Memory {
    pub visible: AtomicU32,
    synthetic: bool,
    /// One that is not released.
    embargoed: Option<u32>,
}

#[async_trait]
impl EditionSource for Memory {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        let meta = |edition| EditionMeta {
            edition,
            as_of: "2024-12-31".to_owned(),
            published_at: format!("2025-0{edition}-15T08:00:00Z"),
            synthetic: self.synthetic,
            methodology: Some("m1".to_owned()),
            embargo_until: self
                .embargoed
                .filter(|number| *number == edition)
                .map(|_| "2999-01-01T00:00:00Z".to_owned()),
            ..EditionMeta::default()
        };
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

fn indicator(id: &str, title: &str, dimensions: &[(&str, bool)]) -> IndicatorMeta {
    let dimension = |(name, listed): &(&str, bool)| Dimension {
        name: (*name).to_owned(),
        code_list: listed.then(|| (*name).to_owned()),
        title: text(name, "پہلو"),
    };
    IndicatorMeta {
        id: id.to_owned(),
        title: text(title, "عنوان"),
        description: text("What it shows.", "وضاحت"),
        unit: "person".to_owned(),
        counting_rule: text("Once each.", "ایک بار"),
        time_basis: text("Date of identification.", "شناخت کی تاریخ"),
        dimensions: dimensions.iter().map(dimension).collect(),
        agencies: vec!["FIA".to_owned()],
        standard: vec!["GLOTIP".to_owned()],
        sensitivity: "std".to_owned(),
        since: "2022".to_owned(),
    }
}

fn list(name: &str, codes: &[(&str, &str)]) -> CodeListMeta {
    let entry = |(code, en): &(&str, &str)| CodeEntry {
        code: (*code).to_owned(),
        en: (*en).to_owned(),
        ur: "نام".to_owned(),
        parent: None,
        attributes: [].into(),
    };
    CodeListMeta {
        name: name.to_owned(),
        version: "1".to_owned(),
        source: "test".to_owned(),
        provisional: false,
        codes: codes.iter().map(entry).collect(),
    }
}

fn catalogue() -> Catalogue {
    let many: Vec<String> = (0..60).map(|n| format!("N{n:02}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|c| (c.as_str(), "A note")).collect();
    Catalogue {
        indicators: vec![
            indicator("V01", "Identified victims", &[("province", true), ("sex", true)]),
            indicator("C01", "Cases registered", &[("province", true), ("agency_group", true), ("note", true)]),
        ],
        code_lists: vec![
            list("province", &[("PK-PB", "Punjab"), ("PK-SD", "Sindh"), ("PK-KP", "Khyber Pakhtunkhwa")]),
            list("sex", &[("F", "Female"), ("M", "Male"), ("_X", "Unknown")]),
            list("agency_group", &[("FIA", "Federal Investigation Agency"), ("POL", "Provincial police")]),
            list("note", &many),
        ],
        population: Vec::new(),
        counted: Vec::new(),
    }
}

/// The doors over the first `visible` editions, and what stands behind it.
pub struct World {
    pub doors: Doors,
    pub reader: Reader,
    pub memory: Arc<Memory>,
}

pub async fn world(visible: u32, synthetic: bool, settings: Settings) -> World {
    over(Memory { visible: AtomicU32::new(visible), synthetic, embargoed: None }, settings).await
}

/// The same where the second of two editions is under embargo.
pub async fn embargoed(settings: Settings) -> World {
    over(Memory { visible: AtomicU32::new(2), synthetic: false, embargoed: Some(2) }, settings).await
}

async fn over(memory: Memory, settings: Settings) -> World {
    let memory = Arc::new(memory);
    let source: Arc<dyn EditionSource> = Arc::clone(&memory) as _;
    let reader = Reader::open(source, catalogue(), query::Settings::default()).await.expect("a reader");
    World { doors: endpoint::doors(reader.clone(), settings), reader, memory }
}

/// A published, real store of two editions.
pub async fn real() -> World {
    world(2, false, Settings::default()).await
}

/// An answer, read to its end.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("a text"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The code of a problem, which has the form of RFC 9457.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        assert_eq!(self.header("cache-control"), "no-store");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        code
    }

    pub fn hint(&self) -> String {
        self.json()["hint"].as_str().expect("a hint").to_owned()
    }

    /// The cells of a named column.
    pub fn cells(&self, name: &str) -> Vec<Value> {
        let json = self.json();
        let columns = json["columns"].as_array().expect("columns");
        let at = columns.iter().position(|c| c["name"] == name).expect("the column");
        json["rows"].as_array().expect("rows").iter().map(|row| row[at].clone()).collect()
    }
}

impl World {
    pub async fn ask(&self, request: Request<Body>) -> Reply {
        let response = self.doors.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(body.into()).expect("a request")).await
    }

    /// As a client at this address.
    pub async fn get_from(&self, peer: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let peer = Peer(SocketAddr::new(peer.parse().expect("an address"), 40_000));
        let mut request = Request::get(path).extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", path, headers, Body::empty()).await
    }

    /// A question in JSON.
    pub async fn sql(&self, body: &str, headers: &[(&str, &str)]) -> Reply {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send("POST", "/v1/sql", &headers, body.to_owned()).await
    }
}
