//! A log with some messages, a lake in a temporary directory, and the rows that came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use eventlog::sqlite::{SqliteLog, SqliteSource};
use eventlog::{EventSink as _, Outgoing};
use futures::TryStreamExt as _;
use ingest::{Clock, CountedIds, IngestError, Reconciliation, Worker, WorkerConfig, WorkerReport};
use lake::{Events, EventsSnapshot, Lane, PartitionId, Store, StoreKind};
use policy::{Keys, Master, Policy};
use tempfile::TempDir;
use uuid::Uuid;

/// 9 March 2024, 12:00 in Karachi, in milliseconds UTC: when the log received what tests send.
pub const LOG_MS: i64 = 1_709_967_600_000;
/// One hour earlier, as agencies write it.
pub const TIME: &str = "2024-03-09T11:00:00+05:00";
pub const POLICE: &str = "POL-PB";
pub const TOKEN: &str = "0123456789bcdfghjkmn";

/// A message on its way into the log.
#[derive(Debug, Clone)]
pub struct Sent {
    pub agency: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub value: Option<Vec<u8>>,
    pub log_ms: i64,
}

/// Event id number `n`, made an hour before the log received it.
pub fn id(n: u64) -> Uuid {
    let ms = LOG_MS as u128 - 3_600_000;
    Uuid::from_u128(ms << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(n))
}

pub fn record(agency: &str, n: u64) -> String {
    format!("{agency}/{n:0>16}bcdf")
}

/// An event in binary mode, with this data.
pub fn event(agency: &str, kind: &str, n: u64, data: &str) -> Sent {
    let header = |name: &str, value: String| (name.to_owned(), value.into_bytes());
    Sent {
        agency: agency.to_owned(),
        headers: vec![
            header("content-type", "application/json".into()),
            header("ce_specversion", "1.0".into()),
            header("ce_id", id(n).to_string()),
            header("ce_source", format!("urn:pk:tip:{agency}")),
            header("ce_type", format!("pk.tip.{kind}")),
            header("ce_dataschema", format!("https://schemas.amanat.example/{kind}/v1")),
            header("ce_subject", record(agency, n)),
            header("ce_time", TIME.into()),
            header("ce_synthetic", "true".into()),
        ],
        value: Some(data.as_bytes().to_vec()),
        log_ms: LOG_MS,
    }
}

pub const CASE: &str = r#"{"record_version":1,"occurred_on":"2024-03-08","sections":["PTPA-3-1"],"province":"PK-PB"}"#;

/// The same case in another province.
pub const OTHER_CASE: &str =
    r#"{"record_version":1,"occurred_on":"2024-03-08","sections":["PTPA-3-1"],"province":"PK-SD"}"#;

/// A case registered by the police of Punjab.
pub fn case(n: u64) -> Sent {
    event(POLICE, "case.registered", n, CASE)
}

/// A referral that names a person by two tokens.
pub fn referral(n: u64) -> Sent {
    let data = format!(
        r#"{{"record_version":1, "occurred_on":"2024-03", "person":[{{"kind":"document","token":"{TOKEN}"}},{{"token":"zyxwvtsrqpnmkjhg{n:0>4}","kind":"phonetic"}}],"to_body":"SHL","service":"shelter"}}"#
    );
    event(POLICE, "victim.referred", n, &data)
}

impl Sent {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub fn value(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.value = Some(value.into());
        self
    }

    pub fn on_topic_of(mut self, agency: &str) -> Self {
        agency.clone_into(&mut self.agency);
        self
    }

    /// The same event as one JSON document.
    pub fn structured(mut self) -> Self {
        let attributes: Vec<String> = self
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let name = name.strip_prefix("ce_")?;
                Some(format!("\"{name}\":\"{}\"", std::str::from_utf8(value).unwrap()))
            })
            .collect();
        let data = String::from_utf8(self.value.take().unwrap()).unwrap();
        self.value = Some(format!("{{{},\"data\":{data}}}", attributes.join(",")).into_bytes());
        self.headers = vec![("content-type".into(), b"application/cloudevents+json".to_vec())];
        self
    }
}

/// A clock that stands still, so many days after the log received what tests send: nothing is closed by age, and all
/// dates are known.
#[derive(Debug)]
pub struct StillClock {
    pub days: i64,
}

impl Clock for StillClock {
    fn now_us(&self) -> i64 {
        (LOG_MS + 60_000 + self.days * 86_400_000) * 1000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// A clock whose time passes with each look, so that a worker scans again and again.
#[derive(Debug, Default)]
struct FastClock(AtomicU64);

impl Clock for FastClock {
    fn now_us(&self) -> i64 {
        LOG_MS * 1000
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(100, Ordering::SeqCst))
    }
}

/// Waits for a condition that a worker brings about beside.
pub async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

pub fn keys() -> Keys {
    Keys::derive(&Master::from_bytes([7; 32]))
}

pub fn config() -> WorkerConfig {
    let mut config = WorkerConfig::new(StoreKind::Sample);
    config.poll_wait = Duration::from_millis(5);
    config.backoff_first = Duration::from_millis(1);
    config.backoff_most = Duration::from_millis(4);
    config.store_attempts = Some(3);
    config
}

/// The default policy, with this in place of its table `[on_reject]`.
pub fn policy(on_reject: &str) -> Arc<Policy> {
    let (head, rest) = policy::DEFAULT_AGENCIES.split_once("[on_reject]").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    let agencies = format!("{head}[on_reject]\n{on_reject}\n\n{rest}");
    Arc::new(Policy::parse(&agencies, policy::DEFAULT_DATASETS).unwrap())
}

/// A data directory: the embedded log, and a lake in it or on S3.
pub struct Place {
    path: PathBuf,
    pub log: SqliteLog,
    writers: u64,
    /// Days by which the workers' clock is after [`LOG_MS`].
    pub days: i64,
    pub policy: Arc<Policy>,
    _dir: Option<TempDir>,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self::at(dir.path().to_owned(), 0);
        Self { _dir: Some(dir), ..place }
    }

    /// A directory of another process's; `writers` sets this one's writers apart.
    pub fn at(path: PathBuf, writers: u64) -> Self {
        let log = SqliteLog::open(path.join("log.db"), Uuid::from_u128(1)).unwrap();
        Self { path, log, writers: writers << 16, days: 0, policy: Arc::default(), _dir: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one message after the other.
    pub fn send(&self, messages: &[Sent]) {
        for message in messages {
            self.send_together(std::slice::from_ref(message));
        }
    }

    /// Appends the messages of each stream at once.
    pub fn send_together(&self, messages: &[Sent]) {
        let mut sink = self.log.sink().unwrap();
        let mut streams: BTreeMap<&str, Vec<(&Sent, Vec<_>)>> = BTreeMap::new();
        for sent in messages {
            let headers: Vec<_> = sent.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
            streams.entry(&sent.agency).or_default().push((sent, headers));
        }
        for (agency, messages) in streams {
            let outgoing = messages.iter().map(|(sent, headers)| {
                let (value, timestamp_ms) = (sent.value.as_deref(), sent.log_ms);
                Outgoing { key: Some(b"key"), headers, value, timestamp_ms }
            });
            sink.append(&eventlog::stream_name(agency), &outgoing.collect::<Vec<_>>()).unwrap();
        }
    }

    pub fn partition(&self, agency: &str) -> PartitionId {
        PartitionId::new(self.log.source_uid(), &eventlog::stream_name(agency), 0)
    }

    /// The lake, on disk or on S3.
    pub fn store(&self) -> Store {
        crate::stores::at(&self.path)
    }

    pub async fn events(&mut self) -> Events {
        self.writers += 1;
        let store = self.store();
        Events::open_or_create(&store, &format!("writer-{}", self.writers)).await.unwrap()
    }

    pub async fn worker(&mut self, config: WorkerConfig) -> Worker<SqliteSource> {
        let source = self.log.source().unwrap();
        self.worker_of(source, config).await
    }

    pub async fn worker_of<S: eventlog::EventSource + 'static>(
        &mut self,
        source: S,
        config: WorkerConfig,
    ) -> Worker<S> {
        let events = self.events().await;
        let (policy, keys) = (self.policy.clone(), Arc::new(keys()));
        let ids = Arc::new(CountedIds::new(self.writers));
        Worker::new(source, events, policy, keys, config, Arc::new(StillClock { days: self.days }), ids)
    }

    /// A worker whose clock runs, so that it scans again and again.
    pub async fn restless_worker(&mut self) -> Worker<SqliteSource> {
        let (source, events) = (self.log.source().unwrap(), self.events().await);
        let (policy, ids) = (self.policy.clone(), Arc::new(CountedIds::new(99)));
        Worker::new(source, events, policy, Arc::new(keys()), config(), Arc::new(FastClock::default()), ids)
    }

    /// Ingests all there is with a new worker.
    pub async fn drain(&mut self) -> WorkerReport {
        self.try_drain(config()).await.unwrap()
    }

    pub async fn try_drain(&mut self, config: WorkerConfig) -> Result<WorkerReport, IngestError> {
        self.worker(config).await.drain().await
    }

    pub async fn snapshot(&mut self) -> EventsSnapshot {
        self.events().await.snapshot().unwrap()
    }

    pub async fn rows(&mut self) -> Vec<Row> {
        rows(&self.snapshot().await).await
    }

    /// Rows of a place whose offsets must all be covered.
    pub async fn reconciled(&mut self) -> Reconciliation {
        let all = ingest::reconcile(&self.snapshot().await).await.unwrap();
        assert!(all.is_whole(), "{all:?}");
        all
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub lane: Lane,
    pub partition: PartitionId,
    pub offset: i64,
    pub text: BTreeMap<&'static str, Option<String>>,
    pub payload: Option<Vec<u8>>,
    pub headers: Vec<(String, String)>,
    pub subjects: Option<Vec<Vec<u8>>>,
    pub links: Option<Vec<Vec<u8>>>,
}

impl Row {
    pub fn get(&self, column: &str) -> Option<&str> {
        self.text[column].as_deref()
    }

    pub fn status(&self) -> &str {
        self.get("_status").unwrap()
    }

    pub fn class(&self) -> &str {
        self.get("_error_class").unwrap_or("")
    }

    pub fn detail(&self) -> &str {
        self.get("_error_detail").unwrap_or("")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn payload_text(&self) -> &str {
        std::str::from_utf8(self.payload.as_ref().unwrap()).unwrap()
    }
}

/// Columns read as text. `ingested_at`, `writer_id`, `claim`, `batch_id` differ between runs and are left out.
const TEXT: [&str; 14] = [
    "event_id",
    "record_id",
    "event_type",
    "agency",
    "schema_id",
    "record_version",
    "occurred_from",
    "occurred_to",
    "occurred_precision",
    "recorded_at",
    "log_ts",
    "_status",
    "_error_class",
    "_error_detail",
];

/// All rows of a version in order of place.
pub async fn rows(snapshot: &EventsSnapshot) -> Vec<Row> {
    let mut rows = Vec::new();
    for file in snapshot.files.iter() {
        let mut columns =
            vec!["log_stream", "log_partition", "log_offset", "payload", "headers", "subject_refs", "link_refs"];
        columns.extend(TEXT);
        let batches: Vec<_> = snapshot.read(file, &columns).unwrap().try_collect().await.unwrap();
        for batch in batches {
            let text = |column: &str| cast(batch.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
            let texts: Vec<_> = TEXT.iter().map(|name| (*name, text(name))).collect();
            let streams = text("log_stream");
            for row in 0..batch.num_rows() {
                let partition = batch.column(1).as_primitive::<Int32Type>().value(row);
                rows.push(Row {
                    lane: file.lane,
                    partition: PartitionId { log_stream: streams.as_string::<i32>().value(row).into(), partition },
                    offset: batch.column(2).as_primitive::<Int64Type>().value(row),
                    text: texts.iter().map(|(name, column)| (*name, string(column, row))).collect(),
                    payload: binary(batch.column(3), row),
                    headers: headers(batch.column(4), row),
                    subjects: list(batch.column(5), row),
                    links: list(batch.column(6), row),
                });
            }
        }
    }
    rows.sort_by(|a, b| (&a.partition, a.offset).cmp(&(&b.partition, b.offset)));
    rows
}

/// Stream and offset of the rows of each file, in the order written.
pub async fn places_by_file(snapshot: &EventsSnapshot) -> Vec<(Lane, Vec<(String, i64)>)> {
    let mut files = Vec::new();
    for file in snapshot.files.iter() {
        let batches: Vec<_> = snapshot.read(file, &["log_stream", "log_offset"]).unwrap().try_collect().await.unwrap();
        let mut places = Vec::new();
        for batch in batches {
            let streams = cast(batch.column(0), &DataType::Utf8).unwrap();
            let offsets = batch.column(1).as_primitive::<Int64Type>();
            let place = |row| (streams.as_string::<i32>().value(row).to_owned(), offsets.value(row));
            places.extend((0..batch.num_rows()).map(place));
        }
        files.push((file.lane, places));
    }
    files
}

fn string(column: &dyn Array, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned())
}

fn binary(column: &dyn Array, row: usize) -> Option<Vec<u8>> {
    column.is_valid(row).then(|| column.as_binary::<i32>().value(row).to_vec())
}

fn headers(column: &dyn Array, row: usize) -> Vec<(String, String)> {
    let entries = column.as_map().value(row);
    let (names, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
    (0..entries.len()).map(|n| (names.value(n).to_owned(), values.value(n).to_owned())).collect()
}

fn list(column: &dyn Array, row: usize) -> Option<Vec<Vec<u8>>> {
    column.is_valid(row).then(|| {
        let items = column.as_list::<i32>().value(row);
        items.as_binary::<i32>().iter().map(|item| item.unwrap().to_vec()).collect()
    })
}
