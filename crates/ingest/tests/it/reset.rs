//! A reset (ingestion.md 3.13) as workers meet it: what is skipped stays without rows, a generation begins where it was told to,
//! and a worker that holds the partition notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::*;
use ingest::{Clock, CountedIds, Halt, State, Worker};
use lake::{Move, Outcome, PartitionId, Reset};
use policy::Policy;
use tokio::sync::oneshot;
use uuid::Uuid;

impl Place {
    async fn reset(&mut self, moves: &[(PartitionId, Option<i64>, i64)]) -> Outcome {
        let moves =
            moves.iter().map(|(partition, from, to)| Move { partition: partition.clone(), from: *from, to: *to });
        let reset = Reset {
            id: Uuid::from_u128(77),
            moves: moves.collect(),
            operator: "the night shift".into(),
            reason: "a test".into(),
        };
        self.events().await.reset(&reset).await.unwrap()
    }

    /// A worker of the same log under this generation.
    async fn generation(&mut self, uid: &str) -> ingest::WorkerReport {
        let mut source = crate::source_faults::Scripted::new(self.log.source().unwrap());
        source.uid = Some(uid.to_owned());
        self.worker_of(source, config()).await.drain().await.unwrap()
    }
}

fn at(uid: &str, agency: &str) -> PartitionId {
    PartitionId::new(uid, &eventlog::stream_name(agency), 0)
}

#[tokio::test]
async fn skipped_offsets_have_no_row_and_count_as_read() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    place.drain().await;
    place.send(&[case(2), case(3), case(4)]);
    let partition = place.partition(POLICE);
    assert!(matches!(place.reset(&[(partition.clone(), Some(1), 3)]).await, Outcome::Committed { .. }));
    assert_eq!(place.drain().await.counts.ok, 1);
    let offsets: Vec<_> = place.rows().await.iter().map(|row| row.offset).collect();
    assert_eq!(offsets, [0, 3]);
    let tally = &place.reconciled().await.partitions[&partition];
    assert_eq!((tally.skipped, tally.missing, tally.next), (2, 0, Some(4)));
}

#[tokio::test]
async fn what_is_skipped_before_the_first_row_is_missed_by_nobody() {
    let mut place = Place::new();
    place.send(&[case(1), case(2), case(3)]);
    let partition = place.partition(POLICE);
    place.reset(&[(partition.clone(), None, 2)]).await;
    assert_eq!(place.drain().await.counts.ok, 1);
    let tally = &place.reconciled().await.partitions[&partition];
    assert_eq!((tally.first, tally.skipped), (Some(2), 0));
}

/// A clock that goes: partitions are looked at again.
#[derive(Debug)]
struct Going(Instant);

impl Clock for Going {
    fn now_us(&self) -> i64 {
        (LOG_MS + 60_000) * 1000
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A worker that runs until it is told to end.
struct Running {
    monitor: ingest::Monitor,
    cancel: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<ingest::WorkerReport>,
}

impl Running {
    async fn start(place: &mut Place) -> Self {
        let (source, events) = (place.log.source().unwrap(), place.events().await);
        let (policy, keys) = (Arc::new(Policy::default()), Arc::new(keys()));
        let mut config = config();
        (config.rescan, config.batch_age) = (Duration::from_millis(20), Duration::ZERO);
        let (clock, ids) = (Arc::new(Going(Instant::now())), Arc::new(CountedIds::new(1 << 50)));
        let mut worker = Worker::new(source, events, policy, keys, config, clock, ids);
        let monitor = worker.monitor();
        let (cancel, cancelled) = oneshot::channel::<()>();
        let run = async move { worker.run_until(async { drop(cancelled.await) }).await.unwrap() };
        Self { monitor, cancel, ended: tokio::spawn(run) }
    }

    async fn until(&self, partition: &PartitionId, is: impl Fn(&ingest::PartitionStatus) -> bool) {
        wait_until(|| self.monitor.report().partitions.get(partition).is_some_and(&is)).await;
    }

    async fn end(self) -> ingest::WorkerReport {
        self.cancel.send(()).unwrap();
        self.ended.await.unwrap()
    }
}

/// It commits nothing, so no conflict tells it: it looks.
#[tokio::test]
async fn a_partition_that_waits_for_a_schema_reads_on_when_an_operator_skips_what_needs_it() {
    let mut place = Place::new();
    let mut framed = case(2).value([&[0, 0, 0, 0, 7][..], &[2; 40]].concat());
    framed.headers.retain(|(name, _)| name != "content-type");
    place.send(&[case(1), framed, case(3)]);
    let partition = place.partition(POLICE);
    let worker = Running::start(&mut place).await;
    worker.until(&partition, |p| matches!(p.state, State::Waiting(_)) && p.committed == Some(1)).await;
    assert!(matches!(place.reset(&[(partition.clone(), Some(1), 2)]).await, Outcome::Committed { .. }));
    worker.until(&partition, |p| p.committed == Some(3)).await;
    let report = worker.end().await;
    assert_eq!((report.counts.ok, report.fenced), (2, 0));
    assert_eq!(place.reconciled().await.partitions[&partition].skipped, 1);
}

#[tokio::test]
async fn a_partition_that_halted_is_read_on_without_a_restart_when_an_operator_skips_what_it_halted_for() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    place.drain().await;
    place.send(&[case(2)]);
    place.send(&[case(3)]);
    place.log.trim(&eventlog::Partition::new(eventlog::stream_name(POLICE), 0), 2).unwrap();
    let partition = place.partition(POLICE);
    let worker = Running::start(&mut place).await;
    worker.until(&partition, |p| matches!(p.state, State::Halted(Halt::Deleted { .. }))).await;
    assert!(matches!(place.reset(&[(partition.clone(), Some(1), 2)]).await, Outcome::Committed { .. }));
    worker.until(&partition, |p| p.committed == Some(3) && p.state == State::Reading).await;
    assert_eq!(worker.end().await.counts.ok, 1);
    place.reconciled().await;
}

async fn wait_until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_mins(1), "it never came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reset_that_saw_another_offset_moves_nothing() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    place.drain().await;
    let partition = place.partition(POLICE);
    let told = place.reset(&[(partition.clone(), Some(1), 9)]).await;
    assert_eq!(told, Outcome::Moved { partition, seen: Some(2) });
    place.reconciled().await;
}

#[tokio::test]
async fn a_generation_begins_where_it_was_told_to_and_what_was_there_is_marked_by_its_id() {
    let mut place = Place::new();
    place.send(&[case(1), event("FIA", "case.registered", 2, CASE), case(3)]);
    assert_eq!(place.generation("log#0").await.counts.ok, 3);
    let moves = [(at("log#1", POLICE), None, 1), (at("log#1", "FIA"), None, 1)];
    assert!(matches!(place.reset(&moves).await, Outcome::Committed { .. }));
    place.send(&[case(4), case(3).value(OTHER_CASE), case(3)]);
    let report = place.generation("log#1").await;
    assert_eq!((report.counts.ok, report.counts.duplicate, report.counts.conflict), (1, 2, 1));
    let rows = place.rows().await;
    let copies: Vec<_> = rows.iter().filter(|row| row.header("amanat-of").is_some()).collect();
    let first = format!("{}/1", at("log#0", POLICE));
    assert!(copies.len() == 3 && copies.iter().all(|row| row.header("amanat-of") == Some(&first)), "{copies:?}");
    assert!(rows.iter().all(|row| row.partition != at("log#1", "FIA")), "who was not moved is not read again");
    place.reconciled().await;
    let old = place.generation("log#0").await;
    assert!(old.halted().count() == 2 && old.halted().all(|(_, halt)| *halt == Halt::OtherLog), "it is over");
}
