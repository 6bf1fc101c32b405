//! The write road in one process: lines of a feed into a log, through ingest into a lake, into Snapshots.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::NaiveDate;
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink, EventSource, Outgoing, Position};
use ingest::{Clock, RandomIds, Worker, WorkerConfig, WorkerReport};
use lake::{Events, EventsSnapshot, Store, StoreKind};
use models::{RefreshOptions, RefreshReport, Snapshot};
use policy::{Keys, Master, Policy};
use sample::Feedline;
use uuid::Uuid;

/// Lines made durable together.
const BLOCK: usize = 4_000;

/// The day that editions of the sample speak of: the last of its fifteen years.
pub fn as_of() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 12, 31).expect("the calendar has this day")
}

/// A clock that stands still after everything the sample reports, so that nothing is closed by age.
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

/// When the worker closes a batch.
#[derive(Debug, Clone, Copy)]
pub struct Batches {
    /// Rows.
    pub rows: usize,
    /// Bytes of messages.
    pub bytes: usize,
    /// Bytes asked of the log at once.
    pub poll: usize,
}

impl Default for Batches {
    fn default() -> Self {
        let config = WorkerConfig::new(StoreKind::Sample);
        Self { rows: config.batch_rows, bytes: config.batch_bytes, poll: config.poll_bytes }
    }
}

/// A data directory of synthetic data, under one key for all measurements.
pub struct Place {
    pub store: Store,
    pub policy: Arc<Policy>,
    pub keys: Arc<Keys>,
    pub log: SqliteLog,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl Place {
    /// An empty one.
    pub fn new(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self {
            store: Store::local(path)?,
            policy: Arc::new(Policy::default()),
            keys: Arc::new(Keys::derive(&Master::from_bytes([7; 32]))),
            log: SqliteLog::open(path.join("log.db"), Uuid::from_u128(1))?,
        })
    }

    /// One that holds a whole feed, ingested from the embedded log.
    pub async fn filled(path: &Path, feed: impl Iterator<Item = Feedline>) -> Result<(Self, WorkerReport)> {
        let place = Self::new(path)?;
        append(&mut place.log.sink()?, feed)?;
        let report = place.ingest(place.log.source()?, Batches::default()).await?;
        Ok((place, report))
    }

    /// Ingests everything that a log holds; an error when a partition stands still.
    pub async fn ingest<S: EventSource + 'static>(&self, source: S, batches: Batches) -> Result<WorkerReport> {
        let config = WorkerConfig {
            batch_rows: batches.rows,
            batch_bytes: batches.bytes,
            poll_bytes: batches.poll,
            poll_wait: Duration::from_millis(1),
            ..WorkerConfig::new(StoreKind::Sample)
        };
        let events = Events::open_or_create(&self.store, &Uuid::new_v4().to_string()).await?;
        let (policy, keys) = (self.policy.clone(), self.keys.clone());
        let mut worker = Worker::new(source, events, policy, keys, config, Arc::new(StillClock), Arc::new(RandomIds));
        let report = worker.drain().await?;
        ensure!(report.halted().next().is_none(), "a partition stands still");
        ensure!(report.lag() == 0, "{} message(s) were not ingested", report.lag());
        Ok(report)
    }

    /// The lake as it is.
    pub async fn events(&self) -> Result<EventsSnapshot> {
        Ok(Events::open(&self.store, "reader").await?.snapshot()?)
    }

    /// A Snapshot of it.
    pub async fn refresh(&self, options: &RefreshOptions) -> Result<(Snapshot, RefreshReport)> {
        Ok(models::refresh(&self.store, &self.events().await?, &self.policy, &self.keys, options).await?)
    }

    /// Links everybody, and brings what was found into the lake.
    pub async fn link(&self) -> Result<usize> {
        self.refresh(&RefreshOptions::default()).await?;
        let (store, events) = (&self.store, self.events().await?);
        let threads = RefreshOptions::default().threads;
        let found = models::people::link(store, &events, &self.policy, &self.keys, threads).await?;
        let events = found.events(true);
        let headers: Vec<_> = events.iter().map(events::encode::Encoded::header_slices).collect();
        let messages: Vec<Outgoing<'_>> = events
            .iter()
            .zip(&headers)
            .map(|(event, headers)| Outgoing {
                key: Some(&event.key),
                headers,
                value: Some(&event.value),
                timestamp_ms: found.as_of_us / 1_000,
            })
            .collect();
        if !messages.is_empty() {
            self.log.sink()?.append(&eventlog::stream_name(models::people::LINK), &messages)?;
            self.ingest(self.log.source()?, Batches::default()).await?;
        }
        Ok(events.len())
    }
}

/// Appends lines to their topics, in their order, and tells how many there were.
pub fn append(sink: &mut impl EventSink, lines: impl Iterator<Item = Feedline>) -> Result<u64> {
    append_and(sink, lines, |_, _| ())
}

/// The same; `landed` is told where each line came to stand.
pub fn append_and(
    sink: &mut impl EventSink,
    mut lines: impl Iterator<Item = Feedline>,
    mut landed: impl FnMut(&Feedline, Position),
) -> Result<u64> {
    let mut count = 0;
    loop {
        let block: Vec<Feedline> = lines.by_ref().take(BLOCK).collect();
        if block.is_empty() {
            return Ok(count);
        }
        count += block.len() as u64;
        let mut topics: BTreeMap<&str, Vec<&Feedline>> = BTreeMap::new();
        for line in &block {
            topics.entry(line.topic).or_default().push(line);
        }
        for (topic, lines) in topics {
            for (line, position) in lines.iter().zip(append_to(sink, topic, &lines)?) {
                landed(line, position);
            }
        }
    }
}

fn append_to(sink: &mut impl EventSink, topic: &str, lines: &[&Feedline]) -> Result<Vec<Position>> {
    let headers: Vec<_> = lines.iter().map(|line| line.header_slices()).collect();
    let messages: Vec<Outgoing<'_>> = lines
        .iter()
        .zip(&headers)
        .map(|(line, headers)| Outgoing {
            key: line.key.as_deref(),
            headers,
            value: Some(&line.value),
            timestamp_ms: line.log_timestamp_ms,
        })
        .collect();
    Ok(sink.append(topic, &messages)?)
}
