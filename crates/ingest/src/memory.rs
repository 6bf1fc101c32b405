//! What the lake remembers of a partition for its next reader: its newest event ids and its last row.
//!
//! A pure function of one version of the table (ingestion.md 3.7). Files are read from the newest backward, and no further
//! than there is room for what they hold, so that a restart costs what a window holds and not what a week brought. Of the
//! files that are not read, the window is told up to when their ids were made. Absent: looking an id up (`lookup`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use events::calendar;
use futures::TryStreamExt as _;
use lake::{DataFile, EventsSnapshot, LakeError, Lane, PartitionId, RowFilter};

use crate::generation::earlier_generations;
use crate::lookup::{Places, uuid};
use crate::window::{Seen, Window, made_at_ms};

/// What the lake remembers of a partition for its reader.
#[derive(Debug)]
pub(crate) struct Memory {
    pub window: Window,
    /// Offset and log time (milliseconds) of the last row before the next offset. `None` before the first row, and behind a skip:
    /// what an operator's reset skipped may not be readable, so there is no record to compare until a row is.
    pub last: Option<(i64, i64)>,
}

/// How windows are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowRule {
    /// How far back files are read for it, in seconds.
    pub span_s: i64,
    /// Key of the index and of fingerprints.
    pub key: (u64, u64),
    /// Bytes that all windows may take together.
    pub bytes: usize,
}

/// An id that a row of a partition carries: offset, id.
type Carried = (i64, [u8; 16]);

/// What rebuilding has found so far.
#[derive(Default)]
struct Newest<'p> {
    ids: HashMap<&'p PartitionId, Vec<Carried>>,
    /// Until when ids were made that are in files which were not read.
    unread_ms: HashMap<&'p PartitionId, i64>,
}

impl<'p> Newest<'p> {
    fn unread(&mut self, partition: &'p PartitionId, until_ms: i64) {
        let until = self.unread_ms.entry(partition).or_insert(until_ms);
        *until = (*until).max(until_ms);
    }

    fn window(&mut self, partition: &PartitionId, rule: WindowRule) -> Window {
        let mut window = Window::new(rule.key);
        if let Some(until) = self.unread_ms.get(partition) {
            window.forget_until(*until);
        }
        let mut ids = self.ids.remove(partition).unwrap_or_default();
        ids.sort_unstable_by_key(|(offset, _)| *offset);
        for (offset, id) in ids {
            if !matches!(window.seen(&id), Seen::Before(_)) {
                window.insert(id, offset, None);
            }
        }
        window
    }
}

/// Rebuilds the windows of these partitions, and finds their last rows.
pub(crate) async fn memories(
    snapshot: &EventsSnapshot,
    partitions: &[PartitionId],
    rule: WindowRule,
) -> Result<BTreeMap<PartitionId, Memory>, LakeError> {
    let files = newest_first(snapshot);
    let mut newest = newest_ids(snapshot, &files, partitions, rule).await?;
    let mut lasts = last_rows(snapshot, &files, partitions).await?;
    let memory = |partition: &PartitionId| {
        let (window, last) = (newest.window(partition, rule), lasts.remove(partition));
        (partition.clone(), Memory { window, last })
    };
    Ok(partitions.iter().map(memory).collect())
}

/// The files, those with the newest rows first: a partition's offsets ascend with the date and within it.
pub(crate) fn newest_first(snapshot: &EventsSnapshot) -> Vec<&DataFile> {
    let mut files: Vec<&DataFile> = snapshot.files.iter().collect();
    files.sort_by_key(|file| Reverse((file.ingest_date, file.span.as_ref().map_or(i64::MAX, |span| span.offsets.1))));
    files
}

async fn newest_ids<'p>(
    snapshot: &EventsSnapshot,
    files: &[&DataFile],
    partitions: &'p [PartitionId],
    rule: WindowRule,
) -> Result<Newest<'p>, LakeError> {
    let mut newest = Newest::default();
    let mut room = Window::ids_in(rule.bytes);
    let today = files.first().map_or(0, |file| file.ingest_date);
    let oldest = today - i32::try_from(rule.span_s / 86_400).unwrap_or(i32::MAX / 2) - 1;
    // What an earlier generation of a partition holds is looked up: its offsets are not this one's.
    let kin: Vec<_> = partitions.iter().map(|id| (id, earlier_generations(id, snapshot.cut.keys()))).collect();
    for file in files.iter().filter(|file| file.lane == Lane::Main) {
        let holds = |id: &PartitionId| file.may_hold(id, 0, i64::MAX);
        let here: Vec<_> = partitions.iter().filter(|id| snapshot.cut.contains_key(*id) && holds(id)).collect();
        let recent = file.ingest_date >= oldest;
        if recent && room > 0 && !here.is_empty() {
            room = room.saturating_sub(read_ids(snapshot, file, &here, &mut newest.ids).await?);
        } else {
            for partition in here {
                newest.unread(partition, made_until_ms(file, recent));
            }
        }
        for (partition, _) in kin.iter().filter(|(_, earlier)| earlier.iter().any(holds)) {
            newest.unread(partition, made_until_ms(file, recent));
        }
    }
    Ok(newest)
}

/// How far an agency's clock is taken to be ahead of the log's at most, where only the log's time is known.
const AHEAD_MS: i64 = 86_400_000;

/// A time by which all ids in a file were made, as far as they are of version 7; milliseconds.
///
/// The greatest id tells it unless it is of version 8, as imported events have. Then nothing is known of a recent file, and all
/// its ids are looked up; of an older one the date is, and a margin for clocks that are ahead: one imported row must not make
/// each id of a partition be looked up for ever.
fn made_until_ms(file: &DataFile, recent: bool) -> i64 {
    let by_date = || if recent { i64::MAX } else { calendar::karachi_midnight(file.ingest_date + 1) / 1000 + AHEAD_MS };
    file.ids.and_then(|(_, greatest)| made_at_ms(greatest.as_bytes())).unwrap_or_else(by_date)
}

/// Reads the ids of these partitions' rows, and says how many there are.
async fn read_ids<'p>(
    snapshot: &EventsSnapshot,
    file: &DataFile,
    partitions: &[&'p PartitionId],
    ids: &mut HashMap<&'p PartitionId, Vec<Carried>>,
) -> Result<usize, LakeError> {
    let columns = ["log_stream", "log_partition", "log_offset", "event_id"];
    let mut batches = snapshot.read(file, &columns)?;
    let mut count = 0;
    while let Some(batch) = batches.try_next().await? {
        let places = Places::of(&batch)?;
        let texts = batch.column(3).as_string::<i32>();
        for row in (0..batch.num_rows()).filter(|row| texts.is_valid(*row)) {
            let Some(partition) = places.partition(row, partitions) else { continue };
            let Some(id) = uuid(texts.value(row)) else { continue };
            ids.entry(partition).or_default().push((places.offset(row), id));
            count += 1;
        }
    }
    Ok(count)
}

/// Offset and log time (milliseconds) of the last row before each partition's next offset. A partition of which a reset skipped
/// that row is absent, and one of which nothing was read.
async fn last_rows(
    snapshot: &EventsSnapshot,
    files: &[&DataFile],
    partitions: &[PartitionId],
) -> Result<BTreeMap<PartitionId, (i64, i64)>, LakeError> {
    let mut found = BTreeMap::new();
    for partition in partitions {
        let skipped = snapshot.skips.get(partition).map_or(0, |skip| skip.end);
        let Some(next) = snapshot.cut.get(partition).copied().filter(|next| *next > skipped) else { continue };
        let mut last = last_row(snapshot, files, partition, next - 1..next).await?;
        if last.is_none() {
            // The markers of transactions take offsets behind the last row.
            last = last_row(snapshot, files, partition, skipped..next - 1).await?;
        }
        found.extend(last.map(|last| (partition.clone(), last)));
    }
    Ok(found)
}

/// The last row with an offset of these. A partition's rows ascend with the date, so the newest date that holds some is read and
/// no other; of its files the pages that may hold some.
async fn last_row(
    snapshot: &EventsSnapshot,
    files: &[&DataFile],
    partition: &PartitionId,
    offsets: Range<i64>,
) -> Result<Option<(i64, i64)>, LakeError> {
    let filter = RowFilter::Offsets { partition: partition.clone(), from: offsets.start, to: offsets.end };
    let mut last: Option<(i32, (i64, i64))> = None;
    for file in files.iter().filter(|file| file.may_hold(partition, offsets.start, offsets.end)) {
        if last.is_some_and(|(date, (offset, _))| date != file.ingest_date || offset == offsets.end - 1) {
            break;
        }
        let mut batches = snapshot.read_where(file, &["log_offset", "log_ts"], &filter)?;
        while let Some(batch) = batches.try_next().await? {
            let places = batch.column(0).as_primitive::<Int64Type>().values();
            let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
            let rows = places.iter().zip(times).map(|(offset, at)| (*offset, at.div_euclid(1000)));
            last = rows.chain(last.map(|(_, row)| row)).max().map(|row| (file.ingest_date, row)).or(last);
        }
    }
    Ok(last.map(|(_, row)| row))
}
