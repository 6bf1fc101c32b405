//! From messages to rows: decode, admit or set aside, seal, deduplicate, append to the columns.
//!
//! One step for a whole batch, without any I/O but the look for earlier copies. What a message becomes
//! depends on the message, its place, the policy, and the earlier messages of its partition, on nothing else: not on
//! batch boundaries, other partitions, or time. So a large batch is read by several threads, each with some of its
//! partitions (`share`), and the rows are the same. The main lane is appended as messages are read; the side lane is small
//! and is put in order at the end, when second copies have been compared with the first.
//!
//! Source: ingestion.md 3.6 (order of the steps), 3.7 (deduplication), I6 (nothing is dropped).

use std::collections::HashMap;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use eventlog::{Record, Records};
use events::{Limits, calendar};
use lake::PartitionId;
use policy::Keys;

use crate::IngestError;
use crate::batch::{EncodedBatch, RangeRows, RawBatch, Run, Topic};
use crate::columns::Columns;
use crate::config::{Pacing, WorkerConfig};
use crate::copies::{Earlier, Found, Wanted};
use crate::crash_loop::CrashLoop;
use crate::schemas::KnownSchemas;
use crate::set_aside::{ErrorClass, SetAsideKeys};
use crate::side::{Side, SideRow};
use crate::status::Halt;
use crate::tolerance::Tolerance;
use crate::window::Window;

mod reader;
mod share;

use reader::{Reader, collect};
use share::{Held, Read, Share, Work};

/// The CPU side of a worker: builders, keys and windows that live as long as it does.
pub(crate) struct Pipeline {
    reader: Reader,
    known: KnownSchemas,
    window_bytes: usize,
    set_aside_days: i32,
    writer_id: String,
    held: HashMap<PartitionId, Held>,
    /// Assignments that stand still since the last batch, each with the reason.
    rejections: Vec<(Arc<Topic>, Halt)>,
    crash_loop: CrashLoop,
    /// Of the main lane, for each thread that reads.
    main: Vec<Columns>,
    side: Columns,
    /// A planted mistake; see [`lake::mistake`].
    drops_what_is_bad: bool,
}

/// Where a message of the batch stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// Place of its partition in the batch.
    pub run: usize,
    pub offset: i64,
    /// Log's time, milliseconds UTC.
    pub log_ms: i64,
}

/// A partition that is read from now on.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub topic: Arc<Topic>,
    pub window: Window,
    pub tolerance: Tolerance,
    /// First offset that is not in the lake.
    pub next: i64,
    /// Offset after the last that the log held when the partition was assigned.
    pub log_end: i64,
}

/// Key for fingerprints of contents and for the windows' index.
pub(crate) fn content_key(keys: &Keys) -> (u64, u64) {
    let key = blake3::derive_key("amanat 2026-11 deduplication", &*keys.set_aside_hash);
    let word = |at: usize| u64::from_le_bytes(key[at..at + 8].try_into().expect("a key has 32 bytes"));
    (word(0), word(8))
}

impl Pipeline {
    pub(crate) fn new(
        keys: Arc<Keys>,
        config: &WorkerConfig,
        schema: SchemaRef,
        writer_id: &str,
        known: KnownSchemas,
        crash_loop: CrashLoop,
    ) -> Self {
        let reader = Reader {
            set_aside: SetAsideKeys::new(&keys),
            content_key: content_key(&keys),
            keys,
            limits: Limits { max_bytes: config.max_payload },
            store: config.store_kind,
            schemas: known.now(),
        };
        let threads = if config.pacing == Pacing::OneThread { 1 } else { config.decode_threads.max(1) };
        Self {
            reader,
            known,
            window_bytes: config.window_bytes,
            set_aside_days: i32::try_from(config.set_aside_days).unwrap_or(i32::MAX),
            writer_id: writer_id.to_owned(),
            held: HashMap::new(),
            rejections: Vec::new(),
            crash_loop,
            main: (0..threads).map(|_| Columns::new(schema.clone())).collect(),
            side: Columns::new(schema),
            drops_what_is_bad: lake::mistake("mistake.bad_messages_dropped"),
        }
    }

    /// A partition is read from now on; its window and its tolerance are those of its committed rows.
    pub(crate) fn assign(&mut self, assigned: Assigned) {
        let Assigned { topic, window, tolerance, next, log_end } = assigned;
        let window = if lake::mistake("mistake.window_starts_empty") { window.emptied() } else { window };
        self.held.insert(topic.id.clone(), Held { window, tolerance });
        self.crash_loop.assign(&topic.id, next, log_end);
        self.shrink_windows();
    }

    /// A partition is read no longer.
    pub(crate) fn release(&mut self, partition: &PartitionId) {
        self.held.remove(partition);
    }

    /// Assignments of which no more is read, because the batches so far hold a message that may not be set aside.
    pub(crate) fn rejections(&mut self) -> Vec<(Arc<Topic>, Halt)> {
        std::mem::take(&mut self.rejections)
    }

    /// No more messages come, and none has killed the process.
    pub(crate) fn end(&mut self) {
        self.crash_loop.end();
    }

    /// Makes the rows of a batch.
    pub(crate) async fn encode(
        &mut self,
        batch: &RawBatch,
        earlier: &mut impl Earlier,
    ) -> Result<EncodedBatch, IngestError> {
        self.reader.schemas = self.known.now();
        let (mut main, mut work) = self.read(batch)?;
        self.crash_loop.batch_is_decoded();
        if work.is_undecided() {
            let found = earlier.find(wanted(batch, &work)).await?;
            let moved = self.decide(batch, &mut work, &found);
            main = without(main, &moved)?;
        }
        let keep_until = date_text(calendar::karachi_day(batch.ingested_at_us).saturating_add(self.set_aside_days));
        let side_rows = self.append_side(batch, &mut work, &keep_until);
        let side = self.side.finish(&batch.runs, batch, &self.writer_id)?;
        self.shrink_windows();
        Ok(EncodedBatch {
            id: batch.id,
            ingest_date: calendar::karachi_day(batch.ingested_at_us),
            oldest_log_ms: batch.oldest_log_ms,
            ranges: ranges(batch, &work, &side_rows),
            schema_ids: work.schema_ids(),
            main,
            side,
        })
    }

    /// Why each record of a run would be set aside; `None` = it would not. Nothing is appended or remembered.
    pub(crate) fn judge(&mut self, run: &Run) -> Vec<Option<ErrorClass>> {
        self.reader.schemas = self.known.now();
        let records = run.chunks.iter().flat_map(eventlog::Records::iter);
        let class = |record: Record<'_>| {
            let at = At { run: 0, offset: record.offset, log_ms: record.timestamp_ms };
            let headers = collect(record.headers);
            match self.reader.read(&run.topic, at, &record, &headers) {
                Err(Side::SetAside { class, .. }) => Some(class),
                _ => None,
            }
        };
        records.map(class).collect()
    }

    /// Reads the messages: the main lane, in order of place, and what else was gathered.
    fn read(&mut self, batch: &RawBatch) -> Result<(Vec<RecordBatch>, Work), ArrowError> {
        let watched = batch.runs.iter().any(|run| self.crash_loop.watches(&run.topic.id, run.from));
        let most = if watched { 1 } else { self.main.len() };
        let mut crash_loop = watched.then_some(&mut self.crash_loop);
        let mut shares = Vec::new();
        for (runs, main) in cut(&batch.runs, most).into_iter().zip(&mut self.main) {
            let first = runs.start;
            let runs = &batch.runs[runs];
            let hold =
                |run: &Run| self.held.remove(&run.topic.id).expect("a partition is held before its first message");
            let held = runs.iter().map(hold).collect();
            let (reader, crash_loop, drops_what_is_bad) = (&self.reader, crash_loop.take(), self.drops_what_is_bad);
            shares.push(Share { reader, main, first, runs, held, crash_loop, drops_what_is_bad });
        }
        let mut main = Vec::new();
        let mut work = Work::default();
        for read in at_once(shares, batch, &self.writer_id) {
            let Read { main: rows, held, work: of_share, rejections } = read?;
            work.follow(of_share, main.iter().map(RecordBatch::num_rows).sum());
            main.push(rows);
            let ids = batch.runs[work.ends.len() - held.len()..].iter().map(|run| run.topic.id.clone());
            self.held.extend(ids.zip(held));
            self.rejections.extend(rejections);
        }
        Ok((main, work))
    }

    /// Compares second copies with the first ones, and finds which rows of the main lane are second copies after all:
    /// these are returned, ascending, and have become rows of the side lane.
    fn decide(&mut self, batch: &RawBatch, work: &mut Work, found: &Found) -> Vec<usize> {
        for (partition, rows) in &found.contents {
            if let Some(held) = self.held.get_mut(partition) {
                for row in rows {
                    held.window.learn(&row.id, row.offset, row.content);
                }
            }
        }
        let mut moved = Vec::new();
        for (row, at, id) in std::mem::take(&mut work.perhaps_copies) {
            let key = (batch.runs[at.run].topic.id.clone(), id);
            let Some(first) = found.rows.get(&key) else { continue };
            let elsewhere = (first.partition != key.0).then(|| first.partition.clone());
            if let Some(Held { window, .. }) = self.held.get_mut(&key.0) {
                if elsewhere.is_some() { window.forget(&id) } else { window.correct(&id, first.offset) }
            }
            for copy in work.side.iter_mut().filter_map(|side| side.copy_of(at.run, at.offset)) {
                copy.point_to(first.offset, elsewhere.clone());
            }
            let kept = self.reader.read_again(&batch.runs[at.run], at).expect("it was read a moment ago");
            work.side.push(SideRow::copy(at, kept, first.offset, elsewhere));
            work.main_rows[at.run] -= 1;
            moved.push(row);
        }
        for side in &mut work.side {
            let run = &batch.runs[side.at.run];
            let Some(copy) = side.undecided() else { continue };
            let same = if let Some(first) = found.rows.get(&(run.topic.id.clone(), copy.id())) {
                first.same_as(&copy.kept)
            } else {
                // The first copy is of this batch. (If not, its range was taken from us and this one will not be
                // committed either, because ranges are contiguous.)
                let at = At { offset: copy.first, ..side.at };
                let first = self.reader.read_again(run, at);
                first.is_some_and(|first| first.content().same_as(&copy.kept.content()))
            };
            side.settle(same);
        }
        moved
    }

    /// Appends the side lane in order of place; returns how many rows each run has in it.
    fn append_side(&mut self, batch: &RawBatch, work: &mut Work, keep_until: &str) -> Vec<usize> {
        work.side.sort_by_key(|row| (row.at.run, row.at.offset));
        let mut rows = vec![0; batch.runs.len()];
        let mut side = std::mem::take(&mut work.side).into_iter().peekable();
        for (place, run) in batch.runs.iter().enumerate() {
            self.side.begin_run();
            while let Some(row) = side.next_if(|row| row.at.run == place) {
                row.append(&mut self.side, &run.topic, keep_until);
                row.count(&mut work.counts[place]);
                rows[place] += 1;
            }
            work.counts[place].ok = work.main_rows[place] as u64 - work.counts[place].tombstone;
        }
        rows
    }

    /// Keeps the windows together within their bytes: the longest forgets its older half. While there is room nothing is
    /// forgotten, because a look into the lake costs more. Not within a batch: what it brought can be looked up in the lake only
    /// by later ones.
    fn shrink_windows(&mut self) {
        let bytes = |held: &HashMap<_, Held>| held.values().map(|held| held.window.bytes()).sum::<usize>();
        while bytes(&self.held) > self.window_bytes {
            let windows = self.held.values_mut().map(|held| &mut held.window);
            let Some(longest) = windows.max_by_key(|window| window.len()) else { return };
            if longest.len() == 0 {
                return;
            }
            longest.drop_oldest(longest.len().div_ceil(2));
            longest.shrink();
        }
    }
}

/// Bytes of messages for which a thread of its own is worth starting.
const SHARE_BYTES: usize = 1 << 20;

/// Cuts the runs of a batch into at most so many shares of about as many bytes.
fn cut(runs: &[Run], most: usize) -> Vec<Range<usize>> {
    let sizes: Vec<usize> = runs.iter().map(|run| run.chunks.iter().map(Records::bytes).sum()).collect();
    even(&sizes, most)
}

/// Neighbours together, so that each group has about the same sum. A size goes where its middle lies.
fn even(sizes: &[usize], most: usize) -> Vec<Range<usize>> {
    let total: usize = sizes.iter().sum();
    let groups = most.min(total / SHARE_BYTES).max(1);
    let (mut ends, mut before) = (vec![0; groups], 0);
    for (place, size) in sizes.iter().enumerate() {
        let group = (before + size / 2) * groups / total.max(1);
        ends[group.min(groups - 1)..].fill(place + 1);
        before += size;
    }
    let mut start = 0;
    let mut groups: Vec<_> = ends.into_iter().map(|end| std::mem::replace(&mut start, end)..end).collect();
    groups.retain(|group| !group.is_empty());
    groups
}

/// Reads shares, the first here and each other on a thread of its own; in their order.
fn at_once(shares: Vec<Share<'_>>, batch: &RawBatch, writer_id: &str) -> Vec<Result<Read, ArrowError>> {
    let mut shares = shares.into_iter();
    let Some(first) = shares.next() else { return Vec::new() };
    thread::scope(|scope| {
        let mut others = Vec::new();
        for share in shares {
            let thread = thread::Builder::new().name("ingest-pipeline".into());
            let started = thread.spawn_scoped(scope, move || share.read(batch, writer_id));
            others.push(started.expect("a thread can be started"));
        }
        let first = first.read(batch, writer_id);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(first).chain(others).collect()
    })
}

/// Ids whose first row must be looked up: copies of rows that are not in this batch, and ids older than the window.
fn wanted(batch: &RawBatch, work: &Work) -> Vec<Wanted> {
    let place = |run: usize| (batch.runs[run].topic.id.clone(), batch.runs[run].topic.kin.clone());
    let undecided = work.side.iter().filter_map(|row| Some((row.at.run, row.undecided()?)));
    let wanted = |run: usize, id, at, learns| {
        let (partition, kin) = place(run);
        Wanted { partition, kin, id, at, learns }
    };
    let copies = undecided
        .filter(|(run, copy)| copy.first < batch.runs[*run].from)
        .map(|(run, copy)| wanted(run, copy.id(), Some(copy.first), copy.learns));
    let old = work.perhaps_copies.iter().map(|(_, at, id)| wanted(at.run, *id, None, false));
    let mut wanted: Vec<_> = copies.chain(old).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The rows without these (ascending).
fn without(batches: Vec<RecordBatch>, rows: &[usize]) -> Result<Vec<RecordBatch>, ArrowError> {
    let (mut left, mut start) = (rows, 0);
    let less = |batch: RecordBatch| {
        let end = start + batch.num_rows();
        let (here, after) = left.split_at(left.partition_point(|row| *row < end));
        let mut keep = vec![true; if here.is_empty() { 0 } else { batch.num_rows() }];
        for row in here {
            keep[row - start] = false;
        }
        (left, start) = (after, end);
        if here.is_empty() { Ok(batch) } else { filter_record_batch(&batch, &BooleanArray::from(keep)) }
    };
    batches.into_iter().map(less).collect()
}

fn ranges(batch: &RawBatch, work: &Work, side_rows: &[usize]) -> Vec<RangeRows> {
    let (mut main, mut side) = (0, 0);
    let take = |end: &mut usize, rows: usize| {
        *end += rows;
        *end - rows..*end
    };
    let runs = batch.runs.iter().enumerate();
    let all = runs.map(|(place, run)| RangeRows {
        topic: run.topic.clone(),
        committed: run.committed,
        to: work.ends[place],
        main: take(&mut main, work.main_rows[place]),
        side: take(&mut side, side_rows[place]),
        counts: work.counts[place],
    });
    // A partition that stands still at its first message has nothing to commit.
    all.zip(&batch.runs).filter(|(range, run)| range.to > run.from).map(|(range, _)| range).collect()
}

/// A calendar day as `YYYY-MM-DD`. Days beyond every calendar in use are the last of the year 9999.
fn date_text(day: i32) -> String {
    let (year, month, day) = calendar::civil_from_days(day.min(calendar::days_from_civil(9999, 12, 31)));
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_shares_of_about_as_many_bytes_and_a_small_one_not_at_all() {
        let cut = |sizes: &[usize], most| {
            let sizes: Vec<usize> = sizes.iter().map(|kib| kib << 10).collect();
            even(&sizes, most).into_iter().map(|share| (share.start, share.end)).collect::<Vec<_>>()
        };
        assert_eq!(cut(&[4096, 4096, 4096, 4096], 2), [(0, 2), (2, 4)]);
        assert_eq!(cut(&[1024, 1024, 9216, 1024], 2), [(0, 2), (2, 4)]);
        assert_eq!(cut(&[12_288], 4), [(0, 1)]);
        assert_eq!(cut(&[12_288, 0, 0], 4), [(0, 1), (1, 3)]);
        assert_eq!(cut(&[3072, 3072, 3072, 3072], 8), [(0, 1), (1, 2), (2, 3), (3, 4)]);
        assert_eq!(cut(&[1, 1], 2), [(0, 2)]);
    }
}
