//! A log that is away, and logs that are not what they were: what waiting mends is waited for, one bad partition halts
//! alone, and nothing is skipped in silence.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::support::*;
use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::sqlite::SqliteLog;
use eventlog::{
    Change, EventSink as _, EventSource, Fetched, LogError, Outgoing, Partition, Records, RecordsBuilder, Watermarks,
};
use ingest::{Halt, IngestError, State};
use lake::PartitionId;
use uuid::Uuid;

/// A source that says what a test wrote down before it asks the real one.
pub struct Scripted<S> {
    real: S,
    /// Errors of the next calls of `poll`, `partitions` and `watermarks`.
    polls: VecDeque<LogError>,
    scans: VecDeque<LogError>,
    /// Another time for every record, as a recreated stream would have.
    shift_ms: i64,
    /// Partitions that have no leader, and how often they are still asked in vain.
    leaderless: BTreeMap<Partition, u32>,
    /// Another name for the log.
    pub uid: Option<String>,
    /// Batches without records that come before the next ones.
    empty: VecDeque<(Partition, i64)>,
}

impl<S> Scripted<S> {
    pub fn new(real: S) -> Self {
        Self {
            real,
            polls: VecDeque::new(),
            scans: VecDeque::new(),
            shift_ms: 0,
            leaderless: BTreeMap::new(),
            uid: None,
            empty: VecDeque::new(),
        }
    }
}

fn away() -> LogError {
    LogError::Unavailable { place: "a test".into(), reason: "it says so".into() }
}

impl<S: EventSource> EventSource for Scripted<S> {
    fn source_uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_else(|| self.real.source_uid())
    }
    fn partitions(&mut self) -> Result<Vec<Partition>, LogError> {
        self.scans.pop_front().map_or_else(|| self.real.partitions(), Err)
    }
    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks, LogError> {
        match self.leaderless.get_mut(partition).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                Err(away())
            }
            None => self.real.watermarks(partition),
        }
    }
    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        self.real.read_from(partition, next)
    }
    fn stop(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.real.stop(partition)
    }
    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>, LogError> {
        if let Some(error) = self.polls.pop_front() {
            return Err(error);
        }
        if let Some((partition, next)) = self.empty.pop_front() {
            return Ok(Some(Fetched { partition, records: RecordsBuilder::starting_at(next).finish() }));
        }
        let fetched = self.real.poll(max_bytes, wait)?;
        Ok(fetched.map(|f| Fetched { records: shifted(&f.records, self.shift_ms), ..f }))
    }
    fn hint(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        self.real.hint(partition, next)
    }
}

fn shifted(records: &Records, by_ms: i64) -> Records {
    let mut builder = RecordsBuilder::starting_at(records.get(0).map_or(records.next_offset(), |r| r.offset));
    for r in records.iter() {
        builder.push(r.offset, r.timestamp_ms + by_ms, r.key, r.headers, r.value);
    }
    builder.advance_to(records.next_offset());
    builder.finish()
}

fn halt_of(report: &ingest::WorkerReport, place: &Place, agency: &str) -> Option<Halt> {
    match &report.partitions[&place.partition(agency)].state {
        State::Halted(halt) => Some(halt.clone()),
        State::Reading | State::Waiting(_) => None,
    }
}

#[tokio::test]
async fn a_log_that_is_away_at_the_start_and_later_is_waited_for() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.scans.extend((0..5).map(|_| away()));
    source.polls.extend((0..5).map(|_| away()));
    let mut worker = place.worker_of(source, config()).await;
    let report = worker.drain().await.unwrap();
    assert_eq!((report.counts.ok, report.reachable.log_away), (2, false));
    place.reconciled().await;
}

#[tokio::test]
async fn a_log_that_refuses_for_good_ends_the_worker_with_its_reason() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.polls.push_back(LogError::Refused { reason: "not authorised".into() });
    let mut worker = place.worker_of(source, config()).await;
    assert!(matches!(worker.drain().await, Err(IngestError::Log(LogError::Refused { .. }))));
    assert_eq!(worker.drain().await.unwrap().counts.ok, 1, "it may be run again");
}

#[tokio::test]
async fn a_partition_whose_offsets_are_gone_halts_and_the_others_go_on() {
    let mut place = Place::new();
    place.send(&[case(1), event("FIA", "case.registered", 1, CASE)]);
    place.drain().await;
    place.send(&[case(2), event("FIA", "case.registered", 2, CASE)]);
    let police = Partition::new(eventlog::stream_name(POLICE), 0);
    let watermarks = Watermarks { low: 5, high: 9 };
    let mut source = Scripted::new(place.log.source().unwrap());
    source.polls.push_back(LogError::OffsetOutOfRange { partition: police, wanted: 1, watermarks });
    let mut worker = place.worker_of(source, config()).await;
    let report = worker.drain().await.unwrap();
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Deleted { wanted: 1, low: 5 }));
    assert_eq!((halt_of(&report, &place, "FIA"), report.counts.ok), (None, 1));
    assert_eq!(place.drain().await.counts.ok, 1, "what was not read is read later");
    place.reconciled().await;
}

#[tokio::test]
async fn records_deleted_before_they_were_ingested_halt_the_partition() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    place.drain().await;
    place.send(&[case(2)]);
    place.send(&[case(3)]);
    place.log.trim(&Partition::new(eventlog::stream_name(POLICE), 0), 2).unwrap();
    let report = place.drain().await;
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Deleted { wanted: 1, low: 2 }));
    assert_eq!(report.counts.rows(), 0);
}

/// A topic deleted and made anew under the same name, shorter than it was.
#[tokio::test]
async fn a_stream_that_is_shorter_than_what_was_ingested_halts() {
    let mut place = Place::new();
    place.send(&[case(1), case(2), case(3)]);
    place.drain().await;
    place.recreate_log(Uuid::from_u128(1));
    place.send(&[case(9)]);
    let report = place.drain().await;
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Truncated { wanted: 3, high: 1 }));
}

/// A topic made anew that has already grown past what was ingested: its last ingested record is not the one stored.
#[tokio::test]
async fn a_recreated_stream_that_has_grown_past_what_was_ingested_halts() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    place.drain().await;
    place.send(&[case(3)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.shift_ms = 1;
    let mut worker = place.worker_of(source, config()).await;
    let report = worker.drain().await.unwrap();
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Recreated { offset: 1 }));
    assert_eq!(report.counts.rows(), 0);
}

/// An agency that reports once a month: its last row is not among the newest of the lake.
#[tokio::test]
async fn a_recreated_stream_of_an_agency_that_reports_rarely_halts() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    place.drain().await;
    place.days = 30;
    place.send(&[event("FIA", "case.registered", 1, CASE)]);
    place.drain().await;
    place.send(&[case(3)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.shift_ms = 1;
    let report = place.worker_of(source, config()).await.drain().await.unwrap();
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Recreated { offset: 1 }));
    assert_eq!(place.drain().await.counts.ok, 1, "the right log goes on");
}

/// What comes first may be a batch that holds nothing, or one that ends before the record in question.
#[tokio::test]
async fn an_empty_first_batch_does_not_use_up_the_question_whether_the_stream_is_the_same() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    place.drain().await;
    place.send(&[case(3)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.shift_ms = 1;
    source.empty.push_back((Partition::new(eventlog::stream_name(POLICE), 0), 0));
    let report = place.worker_of(source, config()).await.drain().await.unwrap();
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::Recreated { offset: 1 }));
}

/// Transaction markers take offsets after the last record, so it is not at `next - 1`.
#[tokio::test]
async fn a_recreated_stream_is_recognised_across_transaction_markers() {
    let clock = ManualClock::at(LOG_MS);
    let log = SimulatedLog::new("log", 1, clock);
    let police = Partition::new(eventlog::stream_name(POLICE), 0);
    let mut place = Place::new();
    append(&log, &[case(1), case(2)]);
    log.leave_gap(&police, 3).unwrap();
    place.worker_of(log.source(), config()).await.drain().await.unwrap();
    append(&log, &[case(3)]);
    let mut source = Scripted::new(log.source());
    source.shift_ms = 1;
    let report = place.worker_of(source, config()).await.drain().await.unwrap();
    let halts: Vec<_> = report.halted().map(|(_, halt)| halt.clone()).collect();
    assert_eq!(halts, [Halt::Recreated { offset: 1 }]);
    let report = place.worker_of(log.source(), config()).await.drain().await.unwrap();
    assert_eq!((report.counts.ok, report.halted().count()), (1, 0), "the right log goes on");
}

#[tokio::test]
async fn a_partition_without_a_leader_does_not_hold_up_the_others_and_is_read_when_it_has_one() {
    let mut place = Place::new();
    place.send(&[case(1), event("FIA", "case.registered", 1, CASE)]);
    let mut source = Scripted::new(place.log.source().unwrap());
    source.leaderless.insert(Partition::new(eventlog::stream_name(POLICE), 0), u32::MAX);
    let mut at_once = config();
    (at_once.batch_age, at_once.rescan) = (Duration::ZERO, Duration::ZERO);
    let mut worker = place.worker_of(source, at_once).await;
    let monitor = worker.monitor();
    let fia = place.partition("FIA");
    let committed = || monitor.report().partitions.get(&fia).and_then(|status| status.committed) == Some(1);
    let report = worker.run_until(wait_until(committed)).await.unwrap();
    assert_eq!((report.counts.ok, report.reachable.log_away), (1, false));
    let mut source = Scripted::new(place.log.source().unwrap());
    source.leaderless.insert(Partition::new(eventlog::stream_name(POLICE), 0), 3);
    let report = place.worker_of(source, config()).await.drain().await.unwrap();
    assert_eq!(report.counts.ok, 1, "all that the log held is waited for");
    place.reconciled().await;
}

#[tokio::test]
async fn a_stream_that_appears_while_a_worker_runs_is_read() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    let mut at_once = config();
    (at_once.batch_age, at_once.rescan) = (Duration::ZERO, Duration::ZERO);
    let mut worker = place.worker(at_once).await;
    let monitor = worker.monitor();
    let (police, fia) = (place.partition(POLICE), place.partition("FIA"));
    let committed = |of: &PartitionId| monitor.report().partitions.get(of).and_then(|status| status.committed);
    let later = async {
        wait_until(|| committed(&police) == Some(1)).await;
        place.send(&[event("FIA", "case.registered", 1, CASE)]);
        wait_until(|| committed(&fia) == Some(1)).await;
    };
    assert_eq!(worker.run_until(later).await.unwrap().counts.ok, 2);
    place.reconciled().await;
}

#[tokio::test]
async fn a_partition_that_is_given_up_is_released_once_what_was_read_of_it_is_committed() {
    let mut place = Place::new();
    let log = SimulatedLog::new("log", 1, ManualClock::at(LOG_MS));
    append(&log, &[case(1), case(2)]);
    log.give("one", [Partition::new(eventlog::stream_name(POLICE), 0)], Change::Some);
    let mut worker = place.worker_of(log.member("one"), config()).await;
    let monitor = worker.monitor();
    // The clock stands still: nothing closes the batch, and no wait for the commit comes to its end.
    let moved = async {
        wait_until(|| monitor.report().held_bytes > 0).await;
        let before = log.released("one");
        log.give("one", [], Change::Some);
        wait_until(|| log.released("one") > before).await;
        assert_eq!(monitor.report().counts.ok, 2, "committed before others may have the partition");
    };
    assert_eq!(worker.run_until(moved).await.unwrap().counts.ok, 2);
    place.reconciled().await;
}

#[tokio::test]
async fn a_last_record_larger_than_the_byte_budget_does_not_stop_a_restart() {
    let mut place = Place::new();
    let log = SimulatedLog::new("log", 1, ManualClock::at(LOG_MS));
    append(&log, &[case(1).value(vec![b'{'; 64 << 10])]);
    place.worker_of(log.source(), config()).await.drain().await.unwrap();
    append(&log, &[case(2)]);
    let mut small = config();
    (small.batch_bytes, small.memory_bytes, small.poll_bytes) = (8 << 10, 32 << 10, 4 << 10);
    let mut worker = place.worker_of(log.source(), small).await;
    let drained = tokio::time::timeout(Duration::from_mins(1), worker.drain()).await;
    assert_eq!(drained.expect("it comes to its end").unwrap().counts.ok, 1);
    place.reconciled().await;
}

/// The generation is the operator's word that the stream begins anew (ingestion.md 3.3).
#[tokio::test]
async fn a_raised_generation_of_the_same_log_is_read_anew_without_another_confirmation() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    let generation = |place: &Place, uid: &str| {
        let mut source = Scripted::new(place.log.source().unwrap());
        source.uid = Some(uid.to_owned());
        source
    };
    let first = generation(&place, "cluster#1");
    assert_eq!(place.worker_of(first, config()).await.drain().await.unwrap().counts.ok, 2);
    for other in ["cluster#0", "another#2"] {
        let source = generation(&place, other);
        let report = place.worker_of(source, config()).await.drain().await.unwrap();
        let halts: Vec<_> = report.halted().map(|(_, halt)| halt.clone()).collect();
        assert_eq!(halts, [Halt::OtherLog], "{other}");
        assert!(halts[0].to_string().contains("log.accept_new_source"), "the remedy is named");
    }
    let raised = generation(&place, "cluster#2");
    let report = place.worker_of(raised, config()).await.drain().await.unwrap();
    let read = (report.counts.ok, report.counts.duplicate, report.halted().count());
    assert_eq!(read, (0, 2, 0), "event ids mark what was there");
}

/// A file imported before the agency's first event is no other log of its stream.
#[tokio::test]
async fn a_file_that_was_imported_first_does_not_halt_the_agencys_log() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    let mut file = Scripted::new(place.log.source().unwrap());
    file.uid = Some(format!("{}0123456789abcdef", eventlog::FILE_UID_PREFIX));
    assert_eq!(place.worker_of(file, config()).await.drain().await.unwrap().counts.ok, 1);
    let report = place.drain().await;
    assert_eq!((halt_of(&report, &place, POLICE), report.counts.ok), (None, 1));
}

#[tokio::test]
async fn another_log_under_the_same_streams_halts_until_it_is_confirmed() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    place.drain().await;
    place.recreate_log(Uuid::from_u128(2));
    place.send(&[case(2), case(3)]);
    let report = place.drain().await;
    assert_eq!(halt_of(&report, &place, POLICE), Some(Halt::OtherLog));
    assert_eq!(report.counts.rows(), 0);
    let mut confirmed = config();
    confirmed.accept_new_source = true;
    assert_eq!(place.try_drain(confirmed).await.unwrap().counts.ok, 2);
}

#[tokio::test]
async fn streams_that_are_not_events_are_left_alone() {
    let mut place = Place::new();
    let mut sink = place.log.sink().unwrap();
    let out = eventlog::Outgoing { key: None, headers: &[], value: Some(b"x"), timestamp_ms: LOG_MS };
    eventlog::EventSink::append(&mut sink, "tip.receipts.v1", &[out]).unwrap();
    assert!(place.drain().await.partitions.is_empty());
}

fn append(log: &SimulatedLog, messages: &[Sent]) {
    for sent in messages {
        let headers: Vec<_> = sent.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let (headers, value) = (headers.as_slice(), sent.value.as_deref());
        let out = Outgoing { key: Some(b"key"), headers, value, timestamp_ms: sent.log_ms };
        log.sink().append(&eventlog::stream_name(&sent.agency), &[out]).unwrap();
    }
}

async fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

impl Place {
    /// The log's file is lost and another takes its place.
    fn recreate_log(&mut self, uid: Uuid) {
        let path = self.log.path().to_owned();
        for end in ["", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(end);
            let _ = std::fs::remove_file(file);
        }
        self.log = SqliteLog::open(&path, uid).unwrap();
    }
}
