//! Messages written by hand, on their way through a log and ingest into marts.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::{EventSink as _, Outgoing};
use ingest::{Clock, CountedIds, Worker, WorkerConfig};
use lake::{Events, Store, StoreKind};
use models::{Plans, RefreshOptions, RefreshReport, Snapshot, refresh};
use tempfile::TempDir;

use crate::support::{keys, policy};

/// 9 March 2025, 12:00 in Karachi, in milliseconds UTC.
const LOG_MS: i64 = 1_741_503_600_000;

/// Planning takes longer than folding a few rows: it is done once for all.
pub static PLANS: LazyLock<Plans> = LazyLock::new(Plans::default);

#[derive(Debug)]
pub struct StillClock;

impl Clock for StillClock {
    fn now_us(&self) -> i64 {
        LOG_MS * 1_000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// A message of an agency: its number is that of its event.
#[derive(Clone)]
pub struct Told {
    pub agency: &'static str,
    pub number: u64,
    pub kind: &'static str,
    pub version: u16,
    pub record: u64,
    pub hour: u32,
    pub data: String,
}

pub fn id(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u128((LOG_MS as u128 - 86_400_000) << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(number))
}

pub fn subject(agency: &str, record: u64) -> String {
    format!("{agency}/{record:0>16}bcdf")
}

/// A log, and the lake that it is ingested into.
pub struct Road {
    pub store: Store,
    log: SimulatedLog,
    _dir: TempDir,
}

impl Road {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SimulatedLog::new("test", 1, ManualClock::at(LOG_MS));
        Self { store: crate::stores::at(dir.path()), log, _dir: dir }
    }

    /// Sends messages, ingests them and folds.
    pub async fn tell(&self, messages: &[Told]) -> (Snapshot, RefreshReport) {
        let options = RefreshOptions { thorough: true, plans: PLANS.clone(), ..RefreshOptions::default() };
        self.tell_with(messages, &options).await
    }

    /// The same, folded in this way.
    pub async fn tell_with(&self, messages: &[Told], options: &RefreshOptions) -> (Snapshot, RefreshReport) {
        let mut sink = self.log.sink();
        for told in messages {
            let text = |text: String| text.into_bytes();
            let subject = subject(told.agency, told.record);
            let headers = [
                ("content-type", text("application/json".into())),
                ("ce_specversion", text("1.0".into())),
                ("ce_id", text(id(told.number).to_string())),
                ("ce_source", text(format!("urn:pk:tip:{}", told.agency))),
                ("ce_type", text(format!("pk.tip.{}", told.kind))),
                ("ce_dataschema", text(format!("https://schemas.amanat.example/{}/v{}", told.kind, told.version))),
                ("ce_subject", text(subject.clone())),
                ("ce_time", text(format!("2025-03-09T{:02}:00:00+05:00", told.hour))),
                ("ce_synthetic", text("true".into())),
            ];
            let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            let out = Outgoing {
                key: Some(subject.as_bytes()),
                headers: &headers,
                value: Some(told.data.as_bytes()),
                timestamp_ms: LOG_MS,
            };
            sink.append(&eventlog::stream_name(told.agency), &[out]).unwrap();
        }
        let mut config = WorkerConfig::new(StoreKind::Sample);
        config.poll_wait = Duration::from_millis(1);
        let events = Events::open_or_create(&self.store, "test").await.unwrap();
        let ids = Arc::new(CountedIds::new(events.lake_version() + 1));
        let mut worker = Worker::new(self.log.source(), events, policy(), keys(), config, Arc::new(StillClock), ids);
        let report = worker.drain().await.unwrap();
        assert_eq!(report.counts.set_aside, [0; 8], "every message of these tests is an event of the contract");
        let snapshot = Events::open(&self.store, "reader").await.unwrap().snapshot().unwrap();
        refresh(&self.store, &snapshot, &policy(), &keys(), options).await.unwrap()
    }
}
