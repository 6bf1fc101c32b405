//! A reset (ingestion.md 3.13) as workers meet it: what is skipped stays without rows, a generation begins where it was told to,
//! and a worker that holds the partition notices.

use crate::support::*;
use ingest::{Halt, State};
use lake::{Move, Outcome, PartitionId, Reset};
use uuid::Uuid;

impl Place {
    pub async fn reset(&mut self, moves: &[(PartitionId, Option<i64>, i64)]) -> Outcome {
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

/// `log`, a partition that stands still in it before offset 2, and where it stands when it was moved to 4.
async fn goes_on_behind_what_was_skipped(place: &mut Place) {
    place.send(&[case(5)]);
    let mut worker = place.restless_worker().await;
    let (monitor, partition) = (worker.monitor(), place.partition(POLICE));
    let state = || monitor.report().partitions.get(&partition).map(|status| status.state.clone());
    let moved = async {
        until(|| state().is_some_and(|state| state != State::Reading) && monitor.report().counts.ok == 2).await;
        let before = monitor.report().partitions[&partition].claim;
        let done = place.reset(&[(partition.clone(), Some(2), 4)]).await;
        assert!(matches!(done, Outcome::Committed { .. }));
        until(|| monitor.report().counts.ok == 3).await;
        assert_eq!(state(), Some(State::Reading));
        assert!(monitor.report().partitions[&partition].claim > before, "it is assigned anew");
    };
    worker.run_until(moved).await.unwrap();
    let offsets: Vec<_> = place.rows().await.iter().map(|row| row.offset).collect();
    assert_eq!(offsets, [0, 1, 4]);
    assert_eq!(place.reconciled().await.partitions[&place.partition(POLICE)].skipped, 2);
}

#[tokio::test]
async fn a_halted_partition_goes_on_after_a_reset_without_a_restart() {
    let mut place = Place::new();
    place.policy = policy("rule = \"suspend\"");
    place.send(&[case(1), case(2), case(3).value("{"), case(4)]);
    goes_on_behind_what_was_skipped(&mut place).await;
}

#[tokio::test]
async fn a_waiting_partition_goes_on_after_a_reset_without_a_restart() {
    let mut place = Place::new();
    let unknown = crate::avro::in_avro(&case(3), 77);
    place.send(&[case(1), case(2), unknown, case(4)]);
    goes_on_behind_what_was_skipped(&mut place).await;
}
