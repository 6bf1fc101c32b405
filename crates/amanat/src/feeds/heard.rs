//! What the stream of feeds says last of each agency, for the steward's page: the reports that agencies hear, and no look of its own.
//!
//! The stream is read when somebody asks, from where the last look ended, by a source that is closed afterwards: nothing listens while
//! nobody looks. Nothing of it is written to a disk.
//!
//! Absent: measuring (`models::quality`), who may ask (`endpoint`), how a report is shown (`shown`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use endpoint::{Feed, FeedSummary, Feeds};
use eventlog::{EventSource, FEEDS, Fetched, Partition};
use events::feed::FeedReport;
use tracing::warn;

use super::shown;
use crate::config::Config;
use crate::data_dir::DataDir;

/// How long what was read is shown before the log is asked again.
const READ_FOR: Duration = Duration::from_secs(2);
/// Longest wait for the next messages, after which it is looked how long the log has taken.
const LOOK: Duration = Duration::from_millis(250);
/// How long the log may take to give what it says that it has: less than a request may take.
const LONGEST: Duration = Duration::from_secs(8);
/// Bytes of reports that are read at once.
const AT_ONCE: usize = 1 << 20;

/// The reports of this data directory's log.
pub struct Heard {
    config: Config,
    dir: Arc<DataDir>,
    looked: Mutex<Looked>,
}

/// The last look at the log.
#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    /// One sentence of why it could not be read.
    failed: Option<String>,
    reports: Reports,
}

impl Heard {
    /// Nothing is read yet.
    pub fn new(config: Config, dir: Arc<DataDir>) -> Self {
        Self { config, dir, looked: Mutex::default() }
    }

    /// Does something with the last report of each agency, a moment old at most.
    fn with<T>(&self, work: impl FnOnce(&BTreeMap<String, Told>) -> T) -> Result<T, String> {
        // One reads; who comes meanwhile waits for it, and hears the same where the log is away.
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.at.is_none_or(|at| at.elapsed() >= READ_FOR) {
            let source = self.dir.source(&self.config);
            let caught_up = source.and_then(|mut source| looked.reports.catch_up(&mut *source));
            looked.failed = caught_up.err().map(|error| unread(&error));
            looked.at = Some(Instant::now());
        }
        looked.failed.clone().map_or_else(|| Ok(work(&looked.reports.last)), Err)
    }
}

impl Feeds for Heard {
    fn all(&self) -> Result<Vec<FeedSummary>, String> {
        self.with(|last| last.values().map(|told| shown::summary(&self.dir.policy, told)).collect())
    }

    fn one(&self, agency: &str) -> Result<Option<Feed>, String> {
        self.with(|last| last.get(agency).map(|told| shown::feed(&self.dir.policy, told)))
    }
}

fn unread(error: &anyhow::Error) -> String {
    warn!(error = &**error as &dyn std::error::Error, "the reports on agencies' feeds could not be read");
    "The log of events does not give the reports on agencies' feeds now.".to_owned()
}

/// A report, and when the log was told it.
pub(super) struct Told {
    /// Milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What was told.
    pub report: FeedReport,
}

/// The last report of each agency, and how far the stream was read.
#[derive(Default)]
struct Reports {
    /// Which log it was.
    log: String,
    next: BTreeMap<Partition, i64>,
    last: BTreeMap<String, Told>,
}

impl Reports {
    /// Reads to where the stream ends now. What was read of another log is forgotten: its positions mean nothing in this one.
    fn catch_up(&mut self, source: &mut dyn EventSource) -> anyhow::Result<()> {
        if source.source_uid() != self.log {
            *self = Self { log: source.source_uid().to_owned(), ..Self::default() };
        }
        let mut unread = self.begin(source)?;
        let began = Instant::now();
        while !unread.is_empty() {
            ensure!(began.elapsed() < LONGEST, "the log takes too long to give what it has");
            let Some(fetched) = source.poll(AT_ONCE, LOOK)? else { continue };
            self.learn(&fetched);
            let is_read = |end: &i64| fetched.records.next_offset() >= *end;
            if unread.get(&fetched.partition).is_some_and(is_read) {
                unread.remove(&fetched.partition);
            }
        }
        Ok(())
    }

    /// Begins to read each partition that has more than was read, and tells where those end.
    fn begin(&self, source: &mut dyn EventSource) -> anyhow::Result<BTreeMap<Partition, i64>> {
        let mut unread = BTreeMap::new();
        for partition in source.partitions_of(FEEDS)? {
            let marks = source.watermarks(&partition)?;
            let next = self.next.get(&partition).copied().unwrap_or(marks.low).clamp(marks.low, marks.high);
            if next < marks.high {
                source.read_from(&partition, next)?;
                unread.insert(partition, marks.high);
            }
        }
        Ok(unread)
    }

    /// What was told later stands, whichever partition is read first.
    fn learn(&mut self, fetched: &Fetched) {
        for record in fetched.records.iter() {
            let Some(report) = record.value.and_then(FeedReport::decode) else {
                warn!(offset = record.offset, "a report on a feed has a form that this program does not know");
                continue;
            };
            let told = Told { at_ms: record.timestamp_ms, report };
            if self.last.get(&told.report.agency).is_none_or(|known| known.at_ms <= told.at_ms) {
                self.last.insert(told.report.agency.clone(), told);
            }
        }
        self.next.insert(fetched.partition.clone(), fetched.records.next_offset());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use eventlog::sqlite::SqliteLog;
    use eventlog::{EventSink, Outgoing};
    use uuid::Uuid;

    use super::*;

    fn log(dir: &tempfile::TempDir, number: u128) -> SqliteLog {
        SqliteLog::open(dir.path().join(format!("{number}.db")), Uuid::from_u128(number)).unwrap()
    }

    fn tell(log: &SqliteLog, at_ms: i64, value: &[u8]) {
        let message = Outgoing { key: None, headers: &[], value: Some(value), timestamp_ms: at_ms };
        log.sink().unwrap().append(FEEDS, &[message]).unwrap();
    }

    fn report(agency: &str, as_of: &str) -> Vec<u8> {
        let report = FeedReport {
            agency: agency.into(),
            as_of: as_of.into(),
            months: Vec::new(),
            types: Vec::new(),
            reports: Vec::new(),
            contradictions: Vec::new(),
            alerts: Vec::new(),
        };
        report.encode()
    }

    fn known(reports: &Reports) -> Vec<(&str, &str)> {
        reports.last.iter().map(|(agency, told)| (agency.as_str(), told.report.as_of.as_str())).collect()
    }

    #[test]
    fn the_last_report_of_each_agency_stands_and_what_is_no_report_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(&dir, 1);
        let mut reports = Reports::default();
        let mut look = || {
            reports.catch_up(&mut log.source().unwrap()).unwrap();
            known(&reports).into_iter().map(|(agency, day)| format!("{agency} {day}")).collect::<Vec<_>>()
        };
        assert!(look().is_empty(), "a log that was told nothing");
        tell(&log, 1_000, &report("FIA", "2026-11-28"));
        tell(&log, 1_000, &report("POL-PB", "2026-11-28"));
        assert_eq!(look(), ["FIA 2026-11-28", "POL-PB 2026-11-28"]);
        tell(&log, 2_000, b"{}");
        tell(&log, 3_000, &report("FIA", "2026-11-29"));
        tell(&log, 2_000, &report("FIA", "2026-11-27"));
        assert_eq!(look(), ["FIA 2026-11-29", "POL-PB 2026-11-28"]);
        assert_eq!(look(), ["FIA 2026-11-29", "POL-PB 2026-11-28"], "nothing new");
    }

    #[test]
    fn what_another_log_told_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (log(&dir, 1), log(&dir, 2));
        tell(&one, 1_000, &report("FIA", "2026-11-28"));
        tell(&other, 1_000, &report("POL-PB", "2026-11-28"));
        let mut reports = Reports::default();
        reports.catch_up(&mut one.source().unwrap()).unwrap();
        reports.catch_up(&mut other.source().unwrap()).unwrap();
        assert_eq!(known(&reports), [("POL-PB", "2026-11-28")]);
    }
}
