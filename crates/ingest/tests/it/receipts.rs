//! Agencies are told what became of their messages (ingestion.md 3.4, "Receipts"; rows "process dies after put" and "after commit,
//! before receipt" of its crash table).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::restart::process_that_ingests;
use crate::support::*;
use eventlog::{EventSink, EventSource, LogError, Outgoing, Position, RECEIPTS};
use events::receipt::{EditionNotice, Exception, MOST_EXCEPTIONS, Reader, Receipt, Told};
use ingest::Worker;
use lake::{Lane, PartitionId};
use proptest::prelude::*;
use tokio::sync::oneshot;

/// All that stands on the stream of receipts, partition by partition in order.
pub fn told(source: &mut impl EventSource) -> Vec<Told> {
    let mut all = Vec::new();
    for partition in source.partitions_of(RECEIPTS).unwrap() {
        let high = source.watermarks(&partition).unwrap().high;
        source.read_from(&partition, 0).unwrap();
        let mut next = 0;
        while next < high {
            let fetched = source.poll(1 << 20, Duration::ZERO).unwrap().unwrap();
            next = fetched.records.next_offset();
            all.extend(fetched.records.iter().map(|record| Told::decode(record.value.unwrap()).unwrap()));
        }
        source.stop(&partition).unwrap();
    }
    all
}

/// What a reader knows at the end: of each partition the ranges told, and the exceptions in them.
#[derive(Debug, Default, PartialEq)]
pub struct Known {
    pub ranges: Vec<(i64, i64)>,
    pub exceptions: BTreeMap<i64, Exception>,
}

/// Folds what was told. Each offset has one outcome, or the fold is wrong.
pub fn known(told: impl IntoIterator<Item = Told>) -> BTreeMap<(String, i32), Known> {
    let mut reader = Reader::default();
    let mut all: BTreeMap<(String, i32), Known> = BTreeMap::new();
    for told in told {
        let Some(Told::Receipt(receipt)) = reader.take(told) else { continue };
        let known = all.entry((receipt.stream, receipt.partition)).or_default();
        let after = known.ranges.last().map_or(i64::MIN, |last| last.1);
        assert!(after <= receipt.from && receipt.from < receipt.to, "an offset is told of twice");
        known.ranges.push((receipt.from, receipt.to));
        for exception in receipt.exceptions {
            assert!((receipt.from..receipt.to).contains(&exception.offset), "an exception outside of its range");
            assert_eq!(known.exceptions.insert(exception.offset, exception), None);
        }
    }
    all
}

/// Whether what was told is what the rows say: each row once, accepted or with its reason, and nothing more.
pub fn agrees(rows: &[Row], known: &BTreeMap<(String, i32), Known>) -> Result<(), String> {
    let mut exceptions = 0;
    for row in rows {
        let place = format!("{} offset {}", row.partition, row.offset);
        let of = known.get(&(row.partition.log_stream.to_string(), row.partition.partition));
        let told = of.filter(|of| of.ranges.iter().any(|(from, to)| (*from..*to).contains(&row.offset)));
        let Some(told) = told else { return Err(format!("nobody was told of {place}")) };
        let expected = (row.lane == Lane::Side).then(|| Exception {
            offset: row.offset,
            status: row.status().to_owned(),
            class: row.get("_error_class").map(str::to_owned),
            detail: row.get("_error_detail").map(str::to_owned),
        });
        exceptions += usize::from(expected.is_some());
        if told.exceptions.get(&row.offset) != expected.as_ref() {
            return Err(format!("{place} is {}, and something else was told", row.status()));
        }
    }
    let told: usize = known.values().map(|known| known.exceptions.len()).sum();
    if told == exceptions { Ok(()) } else { Err(format!("{told} exceptions were told of {exceptions} rows")) }
}

impl Place {
    async fn telling(&mut self) -> Worker<eventlog::sqlite::SqliteSource> {
        let sink = self.log.sink().unwrap();
        self.worker(config()).await.with_receipts(Box::new(sink))
    }

    async fn drain_and_tell(&mut self) {
        self.telling().await.drain().await.unwrap();
    }

    fn known(&self) -> BTreeMap<(String, i32), Known> {
        known(told(&mut self.log.source().unwrap()))
    }

    /// What was told is what the rows say, and reaches as far as the table.
    async fn everyone_was_told(&mut self) {
        let (rows, cut, known) = (self.rows().await, self.snapshot().await.cut, self.known());
        agrees(&rows, &known).unwrap();
        for (id, next) in cut {
            let of = &known[&(id.log_stream.to_string(), id.partition)];
            assert_eq!(of.ranges.last().map(|range| range.1), Some(next), "{id}");
        }
    }

    async fn receipted(&mut self, partition: &PartitionId) -> Option<i64> {
        self.events().await.receipted(partition)
    }
}

fn messages() -> Vec<Sent> {
    vec![case(1), case(2).value("half {"), case(1), case(1).value(OTHER_CASE), referral(5), case(6).on_topic_of("FIA")]
}

#[tokio::test]
async fn what_is_not_an_exception_was_accepted() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain_and_tell().await;
    place.everyone_was_told().await;
    let known = place.known();
    let police = &known[&(place.partition(POLICE).log_stream.to_string(), 0)];
    assert_eq!(police.ranges, [(0, 5)]);
    let said: Vec<_> = police.exceptions.values().map(|e| (e.offset, &*e.status, e.class.as_deref())).collect();
    let expected = [(1, "set_aside", Some("parse")), (2, "duplicate", None), (3, "conflict", Some("conflict"))];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_receipt_names_a_commit_that_has_its_rows() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain_and_tell().await;
    let version = place.snapshot().await.lake_version;
    for told in told(&mut place.log.source().unwrap()) {
        let Told::Receipt(receipt) = told else { panic!("no edition was published") };
        assert_eq!(receipt.lake_version, version);
        assert!(receipt.batch_id.is_some() && receipt.stream_name().starts_with("tip.events."), "{receipt:?}");
    }
}

#[tokio::test]
async fn no_value_of_a_message_is_told() {
    let mut place = Place::new();
    let secret = "Zarmina-35202-1234567-8";
    let bad = |n, data: String| case(n).value(data);
    place.send(&[
        referral(1),
        bad(2, format!("{{\"record_version\":\"{secret}\"}}")),
        bad(3, format!("{{\"{secret}\":1}}")),
        bad(4, format!("{secret} {{")),
        case(5).header("ce_type", secret),
        case(6).header("ce_source", &format!("urn:pk:tip:{secret}")),
    ]);
    place.drain_and_tell().await;
    place.everyone_was_told().await;
    for told in told(&mut place.log.source().unwrap()) {
        let text = String::from_utf8(told.encode()).unwrap();
        for value in [secret, "Zarmina", "35202", TOKEN, &id(1).to_string(), &id(2).to_string(), "payload"] {
            assert!(!text.contains(value), "{value} was told");
        }
    }
}

#[tokio::test]
async fn receipts_are_no_events_to_a_worker() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain_and_tell().await;
    place.drain_and_tell().await;
    let report = place.drain().await;
    assert!(report.partitions.keys().all(|id| !id.log_stream.ends_with(RECEIPTS)), "{report:?}");
    assert_eq!(report.lag(), 0);
}

#[tokio::test]
async fn the_next_data_commit_says_how_far_receipts_were_acknowledged() {
    let mut place = Place::new();
    let partition = place.partition(POLICE);
    place.send(&[case(1), case(2)]);
    let (mut at_once, sink) = (config(), Box::new(place.log.sink().unwrap()));
    at_once.batch_age = Duration::ZERO;
    let mut worker = place.worker(at_once).await.with_receipts(sink);
    let monitor = worker.monitor();
    let (cancel, cancelled) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { worker.run_until(async { drop(cancelled.await) }).await });
    wait_until(|| monitor.report().counts.rows() == 2 && monitor.report().receipts_owed == 0).await;
    let before = place.receipted(&partition).await;
    assert!(before.is_none_or(|next| next < 2), "{before:?}: no commit came after the last receipt");
    place.send(&[case(3)]);
    wait_until(|| monitor.report().counts.rows() == 3).await;
    assert_eq!(place.receipted(&partition).await, Some(2));
    cancel.send(()).unwrap();
    running.await.unwrap().unwrap();
    place.everyone_was_told().await;
}

async fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_crash_between_commit_and_receipt_loses_no_receipt() {
    let mut place = Place::new();
    place.send(&[messages(), (10..30).map(case).collect()].concat());
    // Each process commits a batch more, and dies before anybody is told of its last.
    for _ in 0..3 {
        let ended = process_that_ingests(&place, "after_commit=1*off->return(abort)").output().unwrap().status;
        assert!(!ended.success(), "it was to die");
    }
    let untold = agrees(&place.rows().await, &place.known());
    assert!(untold.is_err(), "the crash came before the receipt");
    place.drain_and_tell().await;
    place.everyone_was_told().await;
}

#[tokio::test]
async fn a_crash_after_the_receipt_tells_it_twice_and_readers_take_it_once() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain_and_tell().await;
    let once = place.known();
    let before = told(&mut place.log.source().unwrap()).len();
    place.drain_and_tell().await;
    assert!(told(&mut place.log.source().unwrap()).len() > before, "the lake does not know yet that it was told");
    assert_eq!(place.known(), once);
}

#[tokio::test]
async fn a_lake_of_before_is_told_of_from_its_rows() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain().await;
    place.send(&[case(20), case(21).value("no")]);
    place.drain().await;
    assert_eq!(place.known().len(), 0, "nobody was told");
    place.drain_and_tell().await;
    place.everyone_was_told().await;
}

/// A sink that takes nothing for a while.
struct Switched<S> {
    inner: S,
    away: Arc<AtomicBool>,
}

impl<S: EventSink> EventSink for Switched<S> {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>, LogError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(LogError::Unavailable { place: "a test".into(), reason: "it says so".into() });
        }
        self.inner.append(stream, messages)
    }
}

#[tokio::test]
async fn while_the_log_takes_no_receipts_ingest_goes_on_and_they_come_later_by_themselves() {
    let mut place = Place::new();
    place.send(&messages());
    let away = Arc::new(AtomicBool::new(true));
    let sink = Switched { inner: place.log.sink().unwrap(), away: away.clone() };
    let mut at_once = config();
    at_once.batch_age = Duration::ZERO;
    let mut worker = place.worker(at_once).await.with_receipts(Box::new(sink));
    let monitor = worker.monitor();
    let (cancel, cancelled) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { worker.run_until(async { drop(cancelled.await) }).await });
    wait_until(|| monitor.report().counts.rows() == 6).await;
    place.send(&[case(20), case(21).value("no")]);
    wait_until(|| monitor.report().counts.rows() == 8 && monitor.report().receipts_owed == 8).await;
    assert_eq!(place.known().len(), 0);
    let partition = place.partition(POLICE);
    assert_eq!(place.receipted(&partition).await, Some(0), "from its first offset on nothing was acknowledged");
    away.store(false, Ordering::SeqCst);
    // Nothing is committed any more, and all the same everyone is told.
    wait_until(|| monitor.report().receipts_owed == 0).await;
    place.everyone_was_told().await;
    cancel.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_worker_that_ends_does_not_wait_for_a_log_that_takes_no_receipts() {
    let mut place = Place::new();
    place.send(&messages());
    let sink = Switched { inner: place.log.sink().unwrap(), away: Arc::new(AtomicBool::new(true)) };
    let report = place.worker(config()).await.with_receipts(Box::new(sink)).drain().await.unwrap();
    assert_eq!((report.counts.rows(), place.known().len()), (6, 0));
    place.drain_and_tell().await;
    place.everyone_was_told().await;
}

#[tokio::test]
async fn what_a_reset_skipped_is_told_to_nobody() {
    let mut place = Place::new();
    let partition = place.partition(POLICE);
    place.send(&[case(1), case(2).value("no"), case(3), case(4), case(5), case(6), case(7).value("no"), case(8)]);
    // Some rows are in, and nobody was told, when an operator skips the next.
    assert!(!process_that_ingests(&place, "after_commit=return(abort)").output().unwrap().status.success());
    let next = place.snapshot().await.cut[&partition];
    assert!((1..6).contains(&next), "{next}");
    place.reset(&[(partition.clone(), Some(next), 6)]).await;
    place.drain_and_tell().await;
    let (rows, known) = (place.rows().await, place.known());
    agrees(&rows, &known).unwrap();
    let told = &known[&(partition.log_stream.to_string(), 0)];
    assert!(told.ranges.iter().all(|(from, to)| *to <= next || *from >= 6), "{told:?}");
    assert_eq!(told.ranges.last().map(|range| range.1), Some(8));
}

#[tokio::test]
async fn a_generation_that_a_reset_began_is_told_of_from_its_start() {
    let mut place = Place::new();
    place.send(&messages());
    place.drain_and_tell().await;
    let old = place.partition(POLICE);
    place.log = place.log.raise_generation(1).unwrap();
    let new = place.partition(POLICE);
    assert_ne!(old, new);
    place.reset(&[(new.clone(), None, 3), (place.partition("FIA"), None, 1)]).await;
    assert_eq!(place.receipted(&new).await, Some(3));
    place.send(&[case(30)]);
    place.drain_and_tell().await;
    agrees(&place.rows().await, &place.known()).unwrap();
    let ranges = |id: &PartitionId| place.known()[&(id.log_stream.to_string(), 0)].ranges.clone();
    assert_eq!((ranges(&old), ranges(&new)), (vec![(0, 5)], vec![(3, 6)]));
}

fn exception(offset: i64) -> Exception {
    let (class, detail) = (Some("schema".into()), Some("province: a code of the list is expected".into()));
    Exception { offset, status: "set_aside".into(), class, detail }
}

fn receipt(from: i64, to: i64, exceptions: impl IntoIterator<Item = i64>) -> Receipt {
    let exceptions = exceptions.into_iter().map(exception).collect();
    let stream = "uid#0/tip.events.FIA.v1".into();
    Receipt { lake_version: 7, batch_id: Some("b".into()), stream, partition: 0, from, to, exceptions }
}

#[test]
fn a_range_is_cut_in_two_beyond_a_thousand_exceptions() {
    let most = MOST_EXCEPTIONS as i64;
    let whole = receipt(5, 9_000, (0..most).map(|n| 10 + n * 2));
    assert_eq!(whole.clone().cut(), [whole]);
    let parts = receipt(5, 9_000, (0..=most).map(|n| 10 + n * 2)).cut();
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].from, parts[0].to, parts[0].exceptions.len()), (5, 10 + most * 2, MOST_EXCEPTIONS));
    assert_eq!((parts[1].from, parts[1].to, parts[1].exceptions.len()), (10 + most * 2, 9_000, 1));
}

#[test]
fn receipts_and_editions_are_read_as_they_were_sent_and_further_fields_are_ignored() {
    let edition =
        EditionNotice { edition: 3, as_of: "2025-12-31".into(), cut: BTreeMap::from([("uid#0/s/0".into(), 9)]) };
    for told in [Told::Receipt(receipt(5, 9, [6])), Told::Edition(edition)] {
        assert_eq!(Told::decode(&told.encode()), Some(told));
    }
    let later = r#"{"edition":4,"as_of":"2026-03-31","cut":{},"by":"a later program"}"#;
    assert!(matches!(Told::decode(later.as_bytes()), Some(Told::Edition(_))));
    assert_eq!(Told::decode(b"{}"), None);
}

#[test]
fn an_edition_is_told_once() {
    let edition = |edition| Told::Edition(EditionNotice { edition, as_of: String::new(), cut: BTreeMap::new() });
    let mut reader = Reader::default();
    let taken: Vec<bool> = [1, 1, 2, 1, 2, 3].iter().map(|n| reader.take(edition(*n)).is_some()).collect();
    assert_eq!(taken, [true, false, true, false, false, true]);
}

proptest! {
    /// Senders come and go, each begins where the log has acknowledged everything or before that, cuts as it likes, and what it
    /// sends may come twice. Holes are what resets skipped.
    #[test]
    fn any_interleaving_of_doubled_receipts_gives_each_offset_one_outcome(
        bad in prop::collection::btree_set(0_i64..200, 0..60),
        skipped in prop::option::of(20_i64..60),
        senders in prop::collection::vec((0_i64..1_000, 1_i64..60, any::<bool>()), 1..60),
    ) {
        let hole = skipped.map_or(300..300, |from| from..from + 7);
        let mut covered = 0_i64;
        let mut log = Vec::new();
        for (back, length, twice) in senders {
            let from = covered - back % (covered + 1);
            let to = (from + length).min(200);
            // Nobody speaks of the hole: a range that reaches it ends before it, and the next begins behind it.
            for (from, to) in [(from, to.min(hole.start)), (from.max(hole.end), to)] {
                if from < to && !(hole.contains(&from)) {
                    let part = receipt(from, to, bad.range(from..to).copied());
                    log.extend(std::iter::repeat_n(part, 1 + usize::from(twice)));
                }
            }
            covered = covered.max(to);
        }
        let known = known(log.into_iter().map(Told::Receipt));
        let of = known.into_values().next().unwrap_or_default();
        for offset in 0..200 {
            let told = of.ranges.iter().filter(|(from, to)| (*from..*to).contains(&offset)).count();
            let expected = offset < covered && !hole.contains(&offset);
            prop_assert_eq!(told, usize::from(expected), "offset {}", offset);
            prop_assert_eq!(of.exceptions.contains_key(&offset), expected && bad.contains(&offset));
        }
    }
}
