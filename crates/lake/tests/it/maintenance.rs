//! Maintenance: other files, the same rows; and what has to go, goes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use lake::maintain::{Did, Lease, Maintainer, Now, Number, Round, Rules, Status};
use lake::{BatchStream, Counts, Events, EventsSnapshot, LakeError, Lane, LaneBatch, Outcome};
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::support::*;

async fn compacted(place: &Place) -> (EventsSnapshot, EventsSnapshot) {
    let before = place.events("r").await.snapshot().unwrap();
    let (mut maintainer, _lease) = maintainer(&place.store, "m").await;
    maintainer.announce().await.unwrap();
    maintainer.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    (before, place.events("r").await.snapshot().unwrap())
}

#[tokio::test]
async fn small_files_of_a_date_become_one_with_the_same_rows_and_the_same_cut() {
    let place = Place::new();
    filled(&place, 10, 300).await;
    let (before, after) = compacted(&place).await;
    assert_eq!((before.files.len(), after.files.len()), (10, 1));
    assert_eq!(fingerprint(&before).await, fingerprint(&after).await, "the old version can still be read as well");
    assert_eq!(before.cut, after.cut);
    assert_eq!(after.files[0].rows, 3_000);
}

#[tokio::test]
async fn rows_of_a_compacted_file_are_in_order_of_record_version_and_event() {
    let place = Place::new();
    filled(&place, 10, 300).await;
    let (_, after) = compacted(&place).await;
    let columns = ["record_id", "event_id"];
    let batches: Vec<_> = after.read(&after.files[0], &columns).unwrap().try_collect().await.unwrap();
    let pairs: Vec<(String, String)> = batches
        .iter()
        .flat_map(|batch| {
            let text = |n: usize| batch.column(n).as_string::<i32>().iter().map(|v| v.unwrap().to_owned());
            text(0).zip(text(1)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(pairs.len(), 3_000);
    assert!(pairs.is_sorted());
}

/// Offsets of rows, sorted, from a stream of them.
async fn found(rows: BatchStream) -> Vec<i64> {
    let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
    let offsets = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
    let mut offsets: Vec<i64> = offsets.collect();
    offsets.sort_unstable();
    offsets
}

#[tokio::test]
async fn what_relies_on_positions_finds_the_same_rows_in_compacted_files() {
    let place = Place::new();
    filled(&place, 10, 300).await;
    let (before, after) = compacted(&place).await;
    let at = partition(0);
    for snapshot in [&before, &after] {
        let rows_at = snapshot.rows_at(&at, &[7, 2_999, 1_500, 3_000], &["log_offset"]).unwrap();
        assert_eq!(found(rows_at).await, [7, 1_500, 2_999]);
        let tail = snapshot.scan_partition(&at, 2_990, &["log_offset"]).unwrap();
        assert_eq!(found(tail).await, (2_990..3_000).collect::<Vec<_>>());
    }
    assert!(after.files[0].may_hold(&at, 0, 1) && after.files[0].may_hold(&at, 2_999, 3_000));
    assert!(!after.files[0].may_hold(&at, 3_000, 4_000));
}

#[tokio::test]
async fn files_carry_filters_that_say_where_an_event_id_is_not_compacted_or_not() {
    let place = Place::new();
    filled(&place, 10, 300).await;
    let (before, after) = compacted(&place).await;
    let ids = |ids: &[&str]| Arc::new(ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>());
    let mut found = [Vec::new(), Vec::new()];
    for (snapshot, found) in [&before, &after].into_iter().zip(&mut found) {
        for file in snapshot.files.iter() {
            let mut nowhere = 0;
            for n in 0..100 {
                let sought = snapshot.seek_ids(file, &ids(&[&format!("other-{n}")]), &["event_id"]).await.unwrap();
                assert!(sought.filter.is_some_and(|filter| filter.bytes() > 0), "a file without a filter");
                nowhere += usize::from(sought.rows.is_none());
            }
            assert!(nowhere >= 98, "{nowhere} of 100");
            let sought = snapshot.seek_ids(file, &ids(&["id-5", "other-1"]), &["event_id"]).await.unwrap();
            assert_eq!(sought.filter.unwrap().may_hold("id-5"), sought.rows.is_some());
            let Some(rows) = sought.rows else { continue };
            for batch in rows.try_collect::<Vec<_>>().await.unwrap() {
                found.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
            }
        }
    }
    assert_eq!(found, [["id-5"], ["id-5"]], "that row and no other");
}

#[tokio::test]
async fn ids_are_written_as_they_are_and_compressed_by_maintenance() {
    let place = Place::new();
    filled(&place, 10, 300).await;
    let (before, after) = compacted(&place).await;
    let [ids, payload, other] = ["event_id", "payload", "record_version"];
    assert_eq!(compressed(&place, &before, &[ids, payload, other]).await, [false, true, true]);
    assert_eq!(compressed(&place, &after, &[ids, payload, other]).await, [true, true, true]);
}

/// Whether these columns are compressed; in all files alike.
async fn compressed(place: &Place, snapshot: &EventsSnapshot, columns: &[&str]) -> Vec<bool> {
    let mut found = HashSet::new();
    for file in snapshot.files.iter() {
        let bytes = Bytes::from(place.bytes(&format!("lake/events/{}", file.path)).await);
        let reader = SerializedFileReader::new(bytes).unwrap();
        let group = reader.metadata().row_group(0);
        let of = |name: &&str| {
            let column = group.columns().iter().find(|column| column.column_path().string() == **name).unwrap();
            column.compression() != Compression::UNCOMPRESSED
        };
        found.insert(columns.iter().map(of).collect::<Vec<_>>());
    }
    assert_eq!(found.len(), 1, "files differ: {found:?}");
    found.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_catch_up_over_a_rewrite_is_told_to_rebuild_and_never_given_less_or_more() {
    let place = Place::new();
    let mut events = filled(&place, 4, 10).await;
    let staged = events.lake_version();
    let at = partition(0);
    append(&mut events, &at, Some(40), 50, 1).await;
    append(&mut events, &at, Some(50), 60, 1).await;
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();

    // Told what is staged, compaction leaves the rest alone: a catch-up finds exactly the new rows.
    let waiting = |groups: Vec<lake::maintain::Wanted>| groups.iter().map(|group| group.files.len()).sum::<usize>();
    for (told, expected) in [(staged, 4), (staged + 1, 5), (staged, 4), (staged + 2, 6), (staged, 4)] {
        assert_eq!(waiting(m.to_compact(NEXT_DAY, Some(told)).await.unwrap()), expected, "staged up to {told}");
    }
    m.compact(NEXT_DAY, Some(staged), |_, _| {}).await.unwrap();
    let snapshot = place.events("r").await.snapshot().unwrap();
    assert_eq!(snapshot.files.len(), 3);
    let new: u64 = snapshot.added_since(staged).await.unwrap().iter().map(|file| file.rows).sum();
    assert_eq!(new, 20);

    // Not told, it compacts them: the catch-up says so.
    m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    let snapshot = place.events("r").await.snapshot().unwrap();
    assert!(matches!(snapshot.added_since(staged).await, Err(LakeError::HistoryGone { .. })));
    // Whoever staged all of them before sees nothing new: a rewrite brings no rows.
    assert_eq!(snapshot.added_since(staged + 3).await.unwrap(), []);
    assert_eq!(offsets(&snapshot).await.len(), 60);
}

#[tokio::test]
async fn compaction_appends_and_claims_do_not_hinder_each_other() {
    let place = Place::new();
    let mut events = filled(&place, 8, 50).await;
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let at = partition(0);
    let writer = async {
        let mut claim = 1;
        for n in 8..30 {
            if n % 10 == 0 {
                claim = events.claim(std::slice::from_ref(&at)).await.unwrap()[&at];
            }
            let outcome = append(&mut events, &at, Some(n * 50), (n + 1) * 50, claim).await;
            assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
        }
    };
    let rewriter = async {
        for _ in 0..4 {
            m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
        }
    };
    tokio::join!(writer, rewriter);
    let expected: Vec<_> = (0..1_500).map(|n| (0, n)).collect();
    assert_eq!(all_offsets(&place).await, expected);
}

#[tokio::test]
async fn two_maintainers_that_rewrite_the_same_files_at_once_never_both_win() {
    let (place, faults) = (Place::new(), Faults::default());
    let before = fingerprint(&filled(&place, 6, 50).await.snapshot().unwrap()).await;
    let (mut first, _lease) = maintainer(&place.through(&faults), "first").await;
    first.announce().await.unwrap();
    faults.script("_delta_log", &[Fault::Wait]);
    let commit = tokio::spawn(async move { first.compact(NEXT_DAY, None, |_, _| {}).await });
    faults.someone_waits().await;

    // The first stands before its put, its look behind it; another takes over and rewrites the same files.
    let mut lease = Lease::new(&place.store, "second");
    lease.keep(Duration::ZERO, 0).await.unwrap();
    lease.keep(Duration::from_secs(90), 0).await.unwrap();
    let mut second = Maintainer::open(&place.store, "second", lease.number(), Rules::default()).await.unwrap();
    second.announce().await.unwrap();
    second.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();

    faults.open_gate();
    let lost = commit.await.unwrap().unwrap_err();
    assert!(matches!(lost, LakeError::Superseded { .. }), "{lost}");
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!((fingerprint(&after).await, after.files.len()), (before, 1));
}

#[tokio::test]
async fn a_second_compaction_of_the_same_holder_that_loses_the_race_does_nothing() {
    let (place, faults) = (Place::new(), Faults::default());
    let before = fingerprint(&filled(&place, 6, 50).await.snapshot().unwrap()).await;
    let (mut first, lease) = maintainer(&place.through(&faults), "m").await;
    // A mistake of ours: two at work under one lease.
    let mut second = Maintainer::open(&place.store, "m", lease.number(), Rules::default()).await.unwrap();
    first.announce().await.unwrap();
    second.announce().await.unwrap();
    second.to_compact(NEXT_DAY, None).await.unwrap();
    faults.script("_delta_log", &[Fault::Wait]);
    let commit = tokio::spawn(async move { first.compact(NEXT_DAY, None, |_, _| {}).await });
    faults.someone_waits().await;
    second.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    faults.open_gate();
    commit.await.unwrap().unwrap();
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!((fingerprint(&after).await, after.files.len()), (before, 1));
}

#[tokio::test]
async fn a_full_disk_ends_a_rewrite_and_nothing_else() {
    let (place, faults) = (Place::new(), Faults::default());
    let before = fingerprint(&filled(&place, 6, 50).await.snapshot().unwrap()).await;
    let (mut m, _lease) = maintainer(&place.through(&faults), "m").await;
    m.announce().await.unwrap();
    faults.script(".parquet", &[Fault::Full]);
    let error = m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, LakeError::Full { .. }), "{error}");
    faults.script("_delta_log", &[Fault::Full; 3]);
    let error = m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, LakeError::Unresolved { .. }), "{error}");
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!((fingerprint(&after).await, after.files.len()), (before, 6));
    m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!((fingerprint(&after).await, after.files.len()), (before, 1), "the disk is well again");
}

#[tokio::test]
async fn a_rewrite_whose_answer_was_lost_is_found_and_not_made_again() {
    let (place, faults) = (Place::new(), Faults::default());
    let before = fingerprint(&filled(&place, 6, 50).await.snapshot().unwrap()).await;
    let (mut m, _lease) = maintainer(&place.through(&faults), "m").await;
    m.announce().await.unwrap();
    faults.script("_delta_log", &[Fault::LostAnswer]);
    let did = m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    assert_eq!(did.rewrites, 1);
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!((fingerprint(&after).await, after.files.len()), (before, 1));
}

/// A side file of a date: half set aside, half in conflict.
async fn side(events: &mut Events, date: i32, from: Option<i64>, to: i64) {
    let at = partition(0);
    let rows = rows(&at, from.unwrap_or(0)..to);
    let status = (0..rows.num_rows()).map(|n| if n % 2 == 0 { "set_aside" } else { "conflict" });
    let status: arrow::array::DictionaryArray<arrow::datatypes::Int32Type> = status.collect();
    let mut columns = rows.columns().to_vec();
    columns[rows.schema().index_of("_status").unwrap()] = std::sync::Arc::new(status);
    let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let written = events.write(vec![LaneBatch { lane: Lane::Side, ingest_date: date, rows }]).await.unwrap();
    events.commit(&batch(&at, from, to, 1, written)).await.unwrap();
}

/// Rows with a payload, by status.
async fn payloads(snapshot: &EventsSnapshot) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in snapshot.files.iter() {
        let batches: Vec<_> =
            snapshot.read(file, &["_status", "payload", "headers"]).unwrap().try_collect().await.unwrap();
        for batch in batches {
            let status = cast(batch.column(0), &DataType::Utf8).unwrap();
            assert_eq!(batch.column(2).null_count(), 0, "the hash in the headers stays");
            for row in (0..batch.num_rows()).filter(|row| batch.column(1).is_valid(*row)) {
                *found.entry(status.as_string::<i32>().value(row).to_owned()).or_default() += 1;
            }
        }
    }
    found
}

#[tokio::test]
async fn set_aside_bytes_of_old_dates_go_once_and_their_files_a_day_later() {
    let place = Place::new();
    let mut events = place.events("w").await;
    claim(&mut events, &partition(0)).await;
    side(&mut events, 20_000, None, 10).await;
    side(&mut events, 20_050, Some(10), 20).await;
    let (mut m, lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let now = Now { unix_ms: 20_095 * DAY_MS, today: 20_095 };

    assert_eq!(m.expire(20_005, now).await.unwrap().files_expired, 1);
    let after = place.events("r").await.snapshot().unwrap();
    assert_eq!(payloads(&after).await, BTreeMap::from([("conflict".into(), 10), ("set_aside".into(), 5)]));
    assert_eq!(offsets(&after).await.len(), 20, "rows, offsets and hashes stay");
    let version = after.lake_version;
    assert_eq!(m.expire(20_005, now).await.unwrap().files_expired, 0, "once");
    let mut again = Maintainer::open(&place.store, "m", lease.number(), Rules::default()).await.unwrap();
    assert_eq!(again.expire(20_005, now).await.unwrap().files_expired, 0, "by another process too");
    assert_eq!(place.events("r").await.lake_version(), version);

    let files = async || place.files("lake/events/_lane=side", ".parquet").await.len();
    assert_eq!(m.purge_due(Now { unix_ms: now.unix_ms + DAY_MS - 1, ..now }).await.unwrap(), 0);
    assert_eq!(files().await, 3, "who reads it may still");
    assert_eq!(m.purge_due(Now { unix_ms: now.unix_ms + DAY_MS, ..now }).await.unwrap(), 1);
    assert_eq!(files().await, 2);
    m.vacuum(Now { unix_ms: now.unix_ms + 9 * DAY_MS, ..now }).await.unwrap();
    assert_eq!(files().await, 2, "vacuum does not mind that what it would delete is gone");
}

#[tokio::test]
async fn vacuum_keeps_what_a_version_of_seven_days_or_a_batch_on_its_way_may_need() {
    let place = Place::new();
    let events = filled(&place, 6, 10).await;
    closed(&events, &partition(0), Some(60), 70, 1).await; // on its way
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let at = |days: i64| Now { unix_ms: today + days * DAY_MS, today: 30_000 };
    m.compact(at(0), None, |_, _| {}).await.unwrap();
    assert_eq!(m.to_vacuum(at(6)).await.unwrap(), [] as [String; 0]);
    assert_eq!(m.to_vacuum(at(8)).await.unwrap().len(), 7, "six replaced and the orphan");
    let before = fingerprint(&place.events("r").await.snapshot().unwrap()).await;
    assert_eq!(m.vacuum(at(8)).await.unwrap(), 7);
    assert_eq!(fingerprint(&place.events("r").await.snapshot().unwrap()).await, before);
}

#[tokio::test]
async fn files_of_the_table_are_never_purged() {
    let place = Place::new();
    let events = filled(&place, 2, 10).await;
    let paths: Vec<_> = events.snapshot().unwrap().files.iter().map(|file| file.path.clone()).collect();
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    assert_eq!(m.purge(&paths).await.unwrap(), 0);
    assert_eq!(all_offsets(&place).await.len(), 20);
}

#[tokio::test]
async fn a_torn_checkpoint_is_removed_and_the_one_before_is_in_force() {
    for hinted in [true, false] {
        let place = Place::new();
        let mut events = filled(&place, 4, 5).await;
        events.checkpoint().await.unwrap();
        append(&mut events, &partition(0), Some(20), 25, 1).await;
        let torn = events.checkpoint().await.unwrap();
        append(&mut events, &partition(0), Some(25), 30, 1).await;
        let path = format!("lake/events/_delta_log/{torn:020}.checkpoint.parquet");
        let bytes = place.bytes(&path).await;
        place.overwrite(&path, &bytes[..bytes.len() / 2]).await;
        if !hinted {
            place.delete("lake/events/_delta_log/_last_checkpoint").await;
        }
        assert!(Events::open(&place.store, "x").await.is_err());
        let (m, _lease) = maintainer(&place.store, "m").await;
        assert_eq!(offsets(&m.events().snapshot().unwrap()).await.len(), 30);
        assert_eq!(all_offsets(&place).await.len(), 30, "and for everyone");
    }
}

#[tokio::test]
async fn a_torn_checkpoint_without_the_commits_before_it_is_damage_and_not_an_older_version() {
    let place = Place::new();
    let mut events = filled(&place, 4, 5).await;
    let torn = events.checkpoint().await.unwrap();
    place.overwrite(&format!("lake/events/_delta_log/{torn:020}.checkpoint.parquet"), b"PAR1").await;
    place.delete(&format!("lake/events/_delta_log/{:020}.json", 2)).await;
    let opened = Maintainer::open(&place.store, "m", Number::default(), Rules::default()).await;
    assert!(matches!(opened, Err(LakeError::HistoryGone { lake_version: 2 })), "{opened:?}");
}

#[tokio::test]
async fn old_commits_go_but_never_the_last_two_checkpoints_nor_what_came_after() {
    let place = Place::new();
    let mut events = filled(&place, 3, 5).await;
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let far = Now { unix_ms: i64::MAX / 4, today: 30_000 };
    events.checkpoint().await.unwrap();
    assert_eq!(m.clean_log(far).await.unwrap(), 0, "one checkpoint is not enough");
    append(&mut events, &partition(0), Some(15), 20, 1).await;
    let before = events.checkpoint().await.unwrap();
    append(&mut events, &partition(0), Some(20), 25, 1).await;
    events.checkpoint().await.unwrap();
    append(&mut events, &partition(0), Some(25), 30, 1).await;
    assert_eq!(m.clean_log(NEXT_DAY).await.unwrap(), 0, "nothing is thirty days old");
    assert!(m.clean_log(far).await.unwrap() > 0);
    let least = place.files("lake/events/_delta_log", ".json").await.into_iter().next().unwrap();
    assert!(least.as_ref().ends_with(&format!("{before:020}.json")), "{least:?}");
    assert_eq!(all_offsets(&place).await.len(), 30);
    append(&mut events, &partition(0), Some(30), 35, 1).await;
    let fresh = place.events("r").await.snapshot().unwrap();
    assert_eq!(offsets(&fresh).await.len(), 35);
    assert!(matches!(fresh.added_since(0).await, Err(LakeError::HistoryGone { .. })));
}

#[tokio::test]
async fn a_round_does_what_is_due_and_leaves_a_status_that_anyone_reads() {
    let place = Place::new();
    filled(&place, 12, 5).await;
    assert_eq!(Status::read(&place.store).await.unwrap(), None);
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    let round = Round { now: NEXT_DAY, staged: None, keep_from: Some(0), all: false, before: Did::default() };
    let mut heard = 0;
    let (did, status) = m.round(round, |_, _| heard += 1).await.unwrap();
    assert_eq!((did.rewrites, did.files_replaced, did.files_written, heard), (1, 12, 1, 1));
    assert_eq!((status.files, status.files_waiting, status.daily_ms), (1, 0, NEXT_DAY.unix_ms));
    assert_eq!(Status::read(&place.store).await.unwrap(), Some(status));
    let (did, status) = m.round(round, |_, _| {}).await.unwrap();
    assert_eq!((did.rewrites, status.did.rewrites), (0, 1), "nothing is left to do");
}

#[tokio::test]
async fn the_first_offset_since_a_date_is_exact_for_each_partition_compacted_or_not() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let partitions = [partition(0), partition(1), partition(2)];
    events.claim(&partitions).await.unwrap();
    // Partition 2 is never heard of again after the first date; the dates' files hold the others together.
    for (date, from) in [(20_000, 0), (20_001, 10), (20_002, 20)] {
        let several = &partitions[..if from == 0 { 3 } else { 2 }];
        let mut lanes = Vec::new();
        let mut ranges = Vec::new();
        for (n, at) in several.iter().enumerate() {
            let begin = from + 1_000 * n as i64;
            lanes.push(LaneBatch { lane: Lane::Main, ingest_date: date, rows: rows(at, begin..begin + 10) });
            let known = (from > 0).then_some(begin);
            ranges.push(lake::OffsetRange { partition: at.clone(), from: known, to: begin + 10, claim: 1 });
        }
        let written = events.write(lanes).await.unwrap();
        let id = uuid::Uuid::from_u128(from as u128);
        let batch = lake::ClosedBatch {
            batch_id: id,
            ranges,
            written,
            counts: Counts::default(),
            schema_ids: Vec::new(),
            receipted: Vec::new(),
        };
        assert!(matches!(events.commit(&batch).await.unwrap(), Outcome::Committed { .. }));
    }
    for compact in [false, true] {
        if compact {
            compacted(&place).await;
        }
        let snapshot = place.events("r").await.snapshot().unwrap();
        let firsts = |date| async move { snapshot.first_offsets_since(date).await.unwrap() };
        let expected = BTreeMap::from([(partitions[0].clone(), 10), (partitions[1].clone(), 1_010)]);
        assert_eq!(firsts(20_001).await, expected, "compacted: {compact}");
    }
}

#[tokio::test]
async fn an_object_store_that_is_no_disk_is_maintained_as_well() {
    let url = url::Url::parse("memory:///bucket/amanat/").unwrap();
    let memory = std::sync::Arc::new(object_store::memory::InMemory::new());
    let store = lake::Store::from_object_store(url, memory).unwrap();
    let mut events = Events::open_or_create(&store, "w").await.unwrap();
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    for n in 0..12 {
        append(&mut events, &at, (n > 0).then_some(n * 5), (n + 1) * 5, claim).await;
    }
    let before = fingerprint(&events.snapshot().unwrap()).await;
    let (mut m, _lease) = maintainer(&store, "m").await;
    let round = Round { now: NEXT_DAY, staged: None, keep_from: Some(0), all: true, before: Did::default() };
    let (did, status) = m.round(round, |_, _| {}).await.unwrap();
    assert_eq!((did.files_replaced, status.files), (12, 1));
    m.checkpoint(true).await.unwrap();
    let after = Events::open(&store, "r").await.unwrap().snapshot().unwrap();
    assert_eq!(fingerprint(&after).await, before);
}
