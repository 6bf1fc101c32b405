//! A sample's feed on its way through a log and ingest into a lake, and from there into Snapshots.

use std::sync::Arc;
use std::time::Duration;

use disclosure::Vault;
use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::{EventSink as _, Outgoing};
use ingest::{Clock, CountedIds, StaticSchemas, Worker, WorkerConfig};
use lake::{Events, EventsSnapshot, Store, StoreKind};
use models::{RefreshOptions, RefreshReport, Snapshot, refresh};
use policy::{Keys, Master, Policy};
use sample::{Feed, Feedline, Size, World};
use tempfile::TempDir;

/// The day that editions of the sample speak of.
pub const AS_OF: &str = "2025-12-31";

/// A clock that stands still after everything the sample reports.
#[derive(Debug)]
struct StillClock;

impl Clock for StillClock {
    fn now_us(&self) -> i64 {
        1_800_000_000_000_000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

pub fn keys() -> Arc<Keys> {
    Arc::new(Keys::derive(&Master::from_bytes([7; 32])))
}

/// A vault that has released nothing yet.
pub fn vault(policy: &Policy) -> Vault {
    Vault::forgetful(Arc::new(policy.clone()), &keys())
}

pub fn policy() -> Arc<Policy> {
    Arc::new(Policy::default())
}

pub fn world(size: Size) -> World {
    World::new(11, size)
}

pub fn feed(size: Size) -> Vec<Feedline> {
    Feed::new(world(size)).collect()
}

/// How lines reach the lake.
pub struct Arrival {
    pub partitions: i32,
    pub batch_rows: usize,
}

impl Default for Arrival {
    fn default() -> Self {
        Self { partitions: 1, batch_rows: WorkerConfig::new(StoreKind::Sample).batch_rows }
    }
}

/// A lake in a temporary directory, or on S3.
pub struct Lake {
    pub store: Store,
    log: SimulatedLog,
    arrival: Arrival,
    _dir: TempDir,
}

impl Lake {
    /// Ingests lines in this order.
    pub async fn of(lines: &[Feedline], arrival: Arrival) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SimulatedLog::new("test", arrival.partitions, ManualClock::at(0));
        let lake = Self { store: crate::stores::at(dir.path()), log, arrival, _dir: dir };
        let mut sink = lake.log.sink();
        for line in lines {
            let headers = line.header_slices();
            let out = Outgoing {
                key: line.key.as_deref(),
                headers: &headers,
                value: Some(&line.value),
                timestamp_ms: line.log_timestamp_ms,
            };
            sink.append(line.topic, &[out]).unwrap();
        }
        lake.drain().await;
        lake
    }

    /// The steward says something after all of that.
    pub async fn tell(&self, said: &events::encode::Encoded, timestamp_ms: i64) {
        let headers = said.header_slices();
        let out = Outgoing { key: Some(&said.key), headers: &headers, value: Some(&said.value), timestamp_ms };
        self.log.sink().append(&eventlog::stream_name(models::people::STEWARD), &[out]).unwrap();
        self.drain().await;
    }

    async fn drain(&self) {
        let mut config = WorkerConfig::new(StoreKind::Sample);
        config.poll_wait = Duration::from_millis(1);
        config.batch_rows = self.arrival.batch_rows;
        let events = Events::open_or_create(&self.store, "test").await.unwrap();
        let ids = Arc::new(CountedIds::new(events.lake_version() + 1));
        let worker = Worker::new(self.log.source(), events, policy(), keys(), config, Arc::new(StillClock), ids);
        let mut worker = worker.with_schemas(Arc::new(StaticSchemas(sample::avro::schemas().collect())));
        worker.drain().await.unwrap();
    }

    pub async fn events(&self) -> EventsSnapshot {
        Events::open(&self.store, "reader").await.unwrap().snapshot().unwrap()
    }

    pub async fn refresh(&self, options: &RefreshOptions) -> (Snapshot, RefreshReport) {
        refresh(&self.store, &self.events().await, &policy(), &keys(), options).await.unwrap()
    }
}

/// Every test of every `.yml`.
pub fn thorough() -> RefreshOptions {
    RefreshOptions { thorough: true, ..RefreshOptions::default() }
}
