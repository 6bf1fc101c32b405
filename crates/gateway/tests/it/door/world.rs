//! A door over a log in a folder of its own, and requests to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink, EventSource, FEEDS, LogError, Outgoing, Position, RECEIPTS};
use events::EventType;
use events::feed::FeedReport;
use events::receipt::{EditionNotice, Exception, Receipt, Told};
use gateway::csv::{Corrections, WrongRow};
use gateway::door::{Door, Limits, OpenSource, Settings, Sheets, Template, beside, router};
use policy::{Policy, Producers, new_producer};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// 30 November 2026, noon UTC.
pub const NOW_MS: i64 = 1_796_040_000_000;

/// The stream of the police of Punjab.
pub const STREAM: &str = "tip.events.POL-PB.v1";

/// Longest wait for a condition; a machine under load is slow, not wrong.
const PATIENCE: Duration = Duration::from_mins(1);

pub fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS as u64)
}

fn random() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
    blake3::hash(&number).as_bytes()[..16].try_into().unwrap()
}

/// The log of a world.
#[derive(Clone)]
pub enum Log {
    Sqlite(SqliteLog),
    Simulated(SimulatedLog),
}

impl Log {
    pub fn sink(&self) -> Box<dyn EventSink> {
        match self {
            Self::Sqlite(log) => Box::new(log.sink().unwrap()),
            Self::Simulated(log) => Box::new(log.sink()),
        }
    }

    pub fn source(&self) -> Result<Box<dyn EventSource>, LogError> {
        Ok(match self {
            Self::Sqlite(log) => Box::new(log.source()?),
            Self::Simulated(log) => Box::new(log.source()),
        })
    }

    fn open(&self) -> OpenSource {
        let log = self.clone();
        Box::new(move || log.source())
    }

    /// Messages on a stream: the values of all partitions.
    pub fn on(&self, stream: &str) -> Vec<Vec<u8>> {
        let mut source = self.source().unwrap();
        let mut left = std::collections::BTreeMap::new();
        for partition in source.partitions_of(stream).unwrap() {
            let high = source.watermarks(&partition).unwrap().high;
            if high > 0 {
                source.read_from(&partition, 0).unwrap();
                left.insert(partition, high);
            }
        }
        let mut found = Vec::new();
        while !left.is_empty() {
            let Some(fetched) = source.poll(1 << 20, Duration::from_millis(10)).unwrap() else { continue };
            found.extend(fetched.records.iter().map(|record| record.value.unwrap().to_vec()));
            if left[&fetched.partition] <= fetched.records.next_offset() {
                left.remove(&fetched.partition);
            }
        }
        found
    }

    /// Says something on the stream of receipts.
    pub fn tell(&self, told: &Told) {
        let value = told.encode();
        let message = Outgoing { key: Some(b"k"), headers: &[], value: Some(&value), timestamp_ms: NOW_MS };
        self.sink().append(RECEIPTS, &[message]).unwrap();
    }

    /// Says on the stream of feeds how good an agency's feed is; at this time of the log.
    pub fn feed(&self, agency: &str, as_of: &str, timestamp_ms: i64) {
        let report = FeedReport {
            agency: agency.into(),
            as_of: as_of.into(),
            months: Vec::new(),
            types: Vec::new(),
            reports: Vec::new(),
            contradictions: Vec::new(),
            alerts: Vec::new(),
        };
        let value = report.encode();
        let message = Outgoing { key: Some(agency.as_bytes()), headers: &[], value: Some(&value), timestamp_ms };
        self.sink().append(FEEDS, &[message]).unwrap();
    }

    fn uid(&self) -> String {
        self.source().unwrap().source_uid().to_owned()
    }

    /// What became of the offsets `[from, to)` of the agency's first partition.
    pub fn told(&self, (from, to): (i64, i64), lake_version: u64, exceptions: &[(i64, &str)]) {
        let exception = |(offset, status): &(i64, &str)| Exception {
            offset: *offset,
            status: (*status).to_owned(),
            class: (*status == "set_aside").then(|| "schema".to_owned()),
            detail: (*status == "set_aside").then(|| "data.sex: a code of the list is expected.".to_owned()),
        };
        let stream = format!("{}/{STREAM}", self.uid());
        let exceptions = exceptions.iter().map(exception).collect();
        let receipt = Receipt { lake_version, batch_id: None, stream, partition: 0, from, to, exceptions };
        self.tell(&Told::Receipt(receipt));
    }

    /// An edition that counts what lies below `next`.
    pub fn edition(&self, edition: i64, next: i64) {
        let cut = [(format!("{}/{STREAM}/0", self.uid()), next)].into();
        self.tell(&Told::Edition(EditionNotice { edition, as_of: "2026-11-30".into(), cut }));
    }
}

/// A sink that takes nothing while it is shut.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn shut(&self, shut: bool) {
        *self.0.0.lock().unwrap() = shut;
        self.0.1.notify_all();
    }
}

struct Gated {
    sink: Box<dyn EventSink>,
    gate: Gate,
}

impl EventSink for Gated {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> eventlog::Result<Vec<Position>> {
        let shut = self.gate.0.0.lock().unwrap();
        drop(self.gate.0.1.wait_while(shut, |shut| *shut).unwrap());
        self.sink.append(stream, messages)
    }
}

/// What an answer was.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Answered {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct World {
    pub folder: TempDir,
    pub log: Log,
    pub gate: Gate,
    pub settings: Settings,
    pub door: Door,
    pub keys: [String; 2],
}

/// Keys of the police of Punjab and of the FIA.
fn producers() -> ([String; 2], Producers) {
    let (police, one) = new_producer("pb", "POL-PB", None, [1; 32]);
    let (fia, two) = new_producer("fia", "FIA", None, [2; 32]);
    ([police, fia], Producers::parse(&(one + &two)).unwrap())
}

pub fn settings(limits: Limits) -> Settings {
    let day_ms = 86_400_000;
    let late = "time: at most one day after the log received the event is expected; check the clock";
    Settings {
        policy: Arc::new(Policy::default()),
        admission: Arc::new(move |event, now_ms| (event.recorded_at > (now_ms + day_ms) * 1000).then_some(late)),
        sheets: Some(Arc::new(Paper)),
        limits,
        clock: noon,
        random,
        row_key: [3; 32],
        digest_key: [4; 32],
    }
}

/// Spreadsheets as text, so that a test sees what they are made of.
struct Paper;

impl Sheets for Paper {
    fn has_template(&self, kind: EventType) -> bool {
        kind != EventType::TokensRotated
    }

    fn template(&self, agency: &str, kind: EventType) -> Option<Template> {
        let made = |what: &str| format!("{what} of {} for {agency}", kind.short_name());
        let columns = kind.names_a_person().then(|| made("columns"));
        self.has_template(kind).then(|| Template {
            workbook: made("workbook").into(),
            mapping: made("mapping"),
            columns,
        })
    }

    fn corrections(&self, rows: &Corrections<'_>) -> Option<Vec<u8>> {
        let row = |row: &WrongRow| {
            let mistakes = row.mistakes.iter().map(|(place, _)| format!("{place}@{:?}", rows.column_of(place)));
            format!("{} {} {}\n", row.line, row.cells.join("|"), mistakes.collect::<Vec<_>>().join(";"))
        };
        Some(format!("{}\n{}", rows.header.join("|"), rows.rows.iter().map(row).collect::<String>()).into())
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("log.db"), Uuid::from_u128(1)).unwrap();
        Self::over(folder, Log::Sqlite(log), settings(limits))
    }

    pub fn simulated() -> (Self, SimulatedLog) {
        let log = SimulatedLog::new("simulated", 1, ManualClock::default());
        let world = Self::over(tempfile::tempdir().unwrap(), Log::Simulated(log.clone()), settings(Limits::default()));
        (world, log)
    }

    pub fn over(folder: TempDir, log: Log, settings: Settings) -> Self {
        let gate = Gate::default();
        let sink = Box::new(Gated { sink: log.sink(), gate: gate.clone() });
        let door = Door::open(&folder.path().join("gateway.db"), sink, log.open(), settings.clone()).unwrap();
        let (keys, producers) = producers();
        door.admit(producers);
        let world = Self { folder, log, gate, settings, door, keys };
        world.knows_the_log();
        world
    }

    /// The same folder and log after the process has ended and begun anew.
    pub fn again(self) -> Self {
        let Self { folder, log, settings, door, .. } = self;
        drop(door);
        Self::over(folder, log, settings)
    }

    /// The door knows its log when its thread has opened it: then events are taken.
    fn knows_the_log(&self) {
        let first = event(0);
        let one = self.post("/v1/events", &first, &[]);
        let wait = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(self.until(|| self.send(one()), |answer| answer.status != 503));
        };
        // A runtime of its own may not be within that of a test.
        std::thread::scope(|scope| scope.spawn(wait).join().unwrap());
    }

    pub fn router(&self) -> Router {
        beside(router(self.door.clone()), None)
    }

    /// A request as the police of Punjab send one.
    pub fn post<'a>(
        &'a self,
        path: &'a str,
        body: &'a str,
        headers: &'a [(&'a str, &'a str)],
    ) -> impl Fn() -> Request<Body> + 'a {
        move || {
            let mut request = Request::post(path);
            let own = [
                ("authorization", format!("Bearer {}", self.keys[0])),
                ("content-type", "application/x-ndjson".into()),
            ];
            for (name, value) in own.iter().filter(|(name, _)| !headers.iter().any(|(other, _)| other == name)) {
                request = request.header(*name, value);
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.body(Body::from(body.to_owned())).unwrap()
        }
    }

    pub async fn events(&self, body: &str, headers: &[(&str, &str)]) -> Answered {
        self.send(self.post("/v1/events", body, headers)()).await
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.get_by(path, &self.keys[0]).await
    }

    pub async fn get_by(&self, path: &str, key: &str) -> Answered {
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        read(self.router().oneshot(request).await.unwrap()).await
    }

    /// Asks until the answer is as wanted.
    pub async fn until<F: Future<Output = Answered>>(
        &self,
        ask: impl Fn() -> F,
        wanted: impl Fn(&Answered) -> bool,
    ) -> Answered {
        let began = Instant::now();
        loop {
            let answer = ask().await;
            if wanted(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{answer:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Events on the police's stream, but the one by which the world began.
    pub fn appended(&self) -> Vec<Vec<u8>> {
        self.log.on(STREAM).split_off(1)
    }
}

pub async fn read(response: Response<Body>) -> Answered {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answered { status: parts.status.as_u16(), headers: parts.headers, body, text }
}

/// An event of nobody that the police of Punjab may send.
pub fn event(number: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"018f2f6e-8d0a-7c3e-9b1f-2a4c{number:08x}","source":"urn:pk:tip:POL-PB","type":"pk.tip.victim.identified","dataschema":"https://schemas.amanat.example/victim.identified/v1","subject":"POL-PB/0q7vkzr3m9xw2t8h","time":"2026-03-10T14:00:00+05:00","datacontenttype":"application/json","synthetic":true,"data":{{"record_version":1,"occurred_on":"2026-03-09","person":[{{"kind":"document","token":"9x4k2mvq7trz0wbh6sdn"}}],"sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["forced_labour"],"place_identified":"PK-PB","referral_source":"police"}}}}"#
    )
}

/// Lines of events with these numbers.
pub fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| event(number) + "\n").collect()
}
