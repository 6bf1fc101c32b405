//! What the contract suite needs to know of a log, and helpers to read one whole.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eventlog::kafka::{KafkaConfig, KafkaSink, KafkaSource};
use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink, EventSource, Outgoing, Partition, stream_name};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use uuid::Uuid;

/// Long enough for anything that comes at all, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A moment in 2026, for timestamps.
pub const NOW: i64 = 1_790_000_000_000;

/// A log under test.
pub trait Bench {
    fn source(&self) -> Box<dyn EventSource>;
    fn sink(&self) -> Box<dyn EventSink>;
    /// Deletes records below an offset; all of them, for a log that deletes in pieces.
    fn trim(&self, partition: &Partition, below: i64);
    /// Deletes a stream; the next append makes it anew.
    fn delete(&self, stream: &str);
    /// Whether polls wait in real time.
    fn waits(&self) -> bool {
        true
    }
}

pub struct Sqlite {
    folder: tempfile::TempDir,
    log: SqliteLog,
}

impl Sqlite {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("log.db"), Uuid::from_u128(1)).unwrap();
        Self { folder, log }
    }
}

impl Bench for Sqlite {
    fn source(&self) -> Box<dyn EventSource> {
        Box::new(self.log.source().unwrap())
    }
    fn sink(&self) -> Box<dyn EventSink> {
        Box::new(self.log.sink().unwrap())
    }
    fn trim(&self, partition: &Partition, below: i64) {
        self.log.trim(partition, below).unwrap();
    }
    fn delete(&self, stream: &str) {
        // Nothing in the program does this to an embedded log; somebody with a SQLite shell might.
        let connection = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        let batches = "DELETE FROM batches WHERE partition IN (SELECT id FROM partitions WHERE stream = ?1)";
        connection.execute(batches, [stream]).unwrap();
        connection.execute("DELETE FROM partitions WHERE stream = ?1", [stream]).unwrap();
    }
}

pub struct Simulated {
    log: SimulatedLog,
}

impl Simulated {
    pub fn new() -> Self {
        Self { log: SimulatedLog::new("simulated", 3, ManualClock::at(NOW)) }
    }
}

impl Bench for Simulated {
    fn source(&self) -> Box<dyn EventSource> {
        Box::new(self.log.source())
    }
    fn sink(&self) -> Box<dyn EventSink> {
        Box::new(self.log.sink())
    }
    fn trim(&self, partition: &Partition, below: i64) {
        self.log.trim(partition, below).unwrap();
    }
    fn delete(&self, stream: &str) {
        self.log.delete(stream);
    }
    fn waits(&self) -> bool {
        false
    }
}

pub struct Kafka {
    pub config: KafkaConfig,
}

impl Kafka {
    /// The broker that `AMANAT_TEST_KAFKA` names. Without one the test is skipped, aloud; with `CI_REQUIRE_KAFKA=1` that
    /// is a failure.
    pub fn new() -> Option<Self> {
        static SAY_ONCE: Once = Once::new();
        if let Ok(bootstrap) = std::env::var("AMANAT_TEST_KAFKA") {
            return Some(Self { config: KafkaConfig::new(bootstrap) });
        }
        assert!(
            std::env::var_os("CI_REQUIRE_KAFKA").is_none_or(|value| value != "1"),
            "CI_REQUIRE_KAFKA=1, but AMANAT_TEST_KAFKA names no broker"
        );
        SAY_ONCE.call_once(|| {
            // Not `eprintln!`: the test harness would swallow it.
            let notice = "\n*** SKIPPED: the tests against a real Kafka. Run them with\n\
                          ***   cargo xtask kafka up --with -- cargo test -p eventlog\n\n";
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
        });
        None
    }

    pub fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.config.bootstrap).create().unwrap()
    }
}

impl Bench for Kafka {
    fn source(&self) -> Box<dyn EventSource> {
        Box::new(KafkaSource::connect(self.config.clone()).unwrap())
    }
    fn sink(&self) -> Box<dyn EventSink> {
        Box::new(KafkaSink::new(self.config.clone()).unwrap())
    }
    fn trim(&self, partition: &Partition, below: i64) {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(&partition.stream, partition.number, Offset::Offset(below)).unwrap();
        let admin = self.admin();
        let done = futures::executor::block_on(admin.delete_records(&offsets, &AdminOptions::new())).unwrap();
        done.elements()[0].error().unwrap();
    }
    fn delete(&self, stream: &str) {
        let admin = self.admin();
        let done = futures::executor::block_on(admin.delete_topics(&[stream], &AdminOptions::new())).unwrap();
        for topic in done {
            topic.unwrap();
        }
        // The answer comes before every broker has let go of it.
        let mut source = self.source();
        until("the topic is gone", || source.partitions().unwrap().iter().all(|p| &*p.stream != stream));
    }
}

/// The name of a stream that no other test uses, nor an earlier run on the same broker.
pub fn fresh_stream() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    stream_name(&format!("T{now}-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// A record, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub value: Option<Vec<u8>>,
}

impl From<eventlog::Record<'_>> for Owned {
    fn from(record: eventlog::Record<'_>) -> Self {
        Self {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            headers: record.headers.map(|(name, value)| (name.to_string(), value.to_vec())).collect(),
            value: record.value.map(<[u8]>::to_vec),
        }
    }
}

pub type ByPartition = BTreeMap<Partition, Vec<Owned>>;

/// A message without headers.
pub fn message<'a>(key: &'a str, value: &'a str) -> Outgoing<'a> {
    Outgoing { key: Some(key.as_bytes()), headers: &[], value: Some(value.as_bytes()), timestamp_ms: NOW }
}

/// Appends so many small messages with keys `k0`, `k1`, … `k6` in turn and values `0`, `1`, ….
pub fn append_numbers(sink: &mut dyn EventSink, stream: &str, numbers: std::ops::Range<usize>) {
    let texts: Vec<(String, String)> = numbers.map(|n| (format!("k{}", n % 7), n.to_string())).collect();
    let messages: Vec<_> = texts.iter().map(|(key, value)| message(key, value)).collect();
    sink.append(stream, &messages).unwrap();
}

pub fn partitions_of(source: &mut dyn EventSource, stream: &str) -> Vec<Partition> {
    let all = source.partitions().unwrap();
    assert!(all.is_sorted());
    all.into_iter().filter(|partition| &*partition.stream == stream).collect()
}

/// Asks for all partitions of a stream from their beginning.
pub fn read_stream(source: &mut dyn EventSource, stream: &str) -> Vec<Partition> {
    let partitions = partitions_of(source, stream);
    for partition in &partitions {
        let low = source.watermarks(partition).unwrap().low;
        source.read_from(partition, low).unwrap();
    }
    partitions
}

/// Polls until each of the partitions has reached its high watermark, and returns what came.
pub fn drain(source: &mut dyn EventSource, partitions: &[Partition]) -> ByPartition {
    let mut got = ByPartition::new();
    let mut waiting: BTreeMap<&Partition, i64> = BTreeMap::new();
    for partition in partitions {
        let watermarks = source.watermarks(partition).unwrap();
        if watermarks.low < watermarks.high {
            waiting.insert(partition, watermarks.high);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while !waiting.is_empty() {
        assert!(Instant::now() < deadline, "these did not reach their ends: {waiting:?}");
        let Some(fetched) = source.poll(1 << 20, Duration::from_millis(200)).unwrap() else {
            continue;
        };
        let so_far = got.entry(fetched.partition.clone()).or_default();
        so_far.extend(fetched.records.iter().map(Owned::from));
        assert!(so_far.is_sorted_by(|a, b| a.offset < b.offset), "offsets ascend in {}", fetched.partition);
        if waiting.get(&fetched.partition).is_some_and(|high| fetched.records.next_offset() >= *high) {
            waiting.remove(&fetched.partition);
        }
    }
    got
}

/// All records of a stream, from the beginning.
pub fn read_all(bench: &dyn Bench, stream: &str) -> ByPartition {
    let mut source = bench.source();
    let partitions = read_stream(&mut *source, stream);
    drain(&mut *source, &partitions)
}

/// Values, in the order of the records.
pub fn values(records: &[Owned]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.value.clone().unwrap()).unwrap()).collect()
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
