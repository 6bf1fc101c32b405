//! Which set-aside rows there are to replay: what a predicate takes, less what a replayed row names already.

use std::collections::BTreeMap;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use futures::TryStreamExt as _;
use lake::{EventsSnapshot, LakeError, Lane, PartitionId};

use super::{Replayed, replay_partition};
use crate::headers::REPLAY_OF;
use crate::selection::{Seen, Selection};

/// Which set-aside rows are resolved: position of each, and the offset in [`replay_partition`] of the row that names it.
///
/// # Errors
/// Storage errors, `Damaged` when a replayed row names nothing.
pub async fn resolved(snapshot: &EventsSnapshot) -> Result<BTreeMap<(PartitionId, i64), i64>, LakeError> {
    let mut resolved = BTreeMap::new();
    let id = replay_partition();
    if !snapshot.cut.contains_key(&id) {
        return Ok(resolved);
    }
    let mut batches = snapshot.scan_partition(&id, 0, &["log_offset", "headers"])?;
    while let Some(batch) = batches.try_next().await? {
        let offsets = batch.column(0).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let offset = offsets.value(row);
            let origin = header(batch.column(1), row, REPLAY_OF).as_deref().and_then(position);
            let what = || format!("the row at {id}/{offset}, which does not name the row that it resolves");
            let origin = origin.ok_or_else(|| LakeError::Damaged { table: "events".into(), what: what() })?;
            resolved.insert(origin, offset);
        }
    }
    Ok(resolved)
}

/// One header of a row.
fn header(column: &ArrayRef, row: usize, wanted: &str) -> Option<String> {
    let entries = column.as_map_opt().filter(|map| map.is_valid(row))?.value(row);
    let (names, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
    (0..entries.len()).find(|n| names.value(*n) == wanted).map(|n| values.value(n).to_owned())
}

/// `STREAM/PARTITION/OFFSET`; a stream has slashes of its own.
fn position(text: &str) -> Option<(PartitionId, i64)> {
    let mut parts = text.rsplitn(3, '/');
    let (offset, partition) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((PartitionId { log_stream: parts.next()?.into(), partition }, offset))
}

/// Offsets of the selected rows, by the agency of their stream and by partition.
pub(super) type Candidates = BTreeMap<(String, PartitionId), Vec<i64>>;

/// What the predicate takes and nothing resolves.
pub(super) async fn candidates(
    snapshot: &EventsSnapshot,
    selection: &Selection,
) -> Result<(Candidates, Replayed), LakeError> {
    const COLUMNS: [&str; 8] = [
        "log_stream",
        "log_partition",
        "log_offset",
        "agency",
        "_status",
        "_error_class",
        "_error_detail",
        "ingest_date",
    ];
    let resolved = resolved(snapshot).await?;
    let mut found = (Candidates::new(), Replayed { lake_version: snapshot.lake_version, ..Replayed::default() });
    for file in snapshot.files.iter().filter(|file| file.lane == Lane::Side) {
        let mut batches = snapshot.read(file, &COLUMNS)?;
        while let Some(batch) = batches.try_next().await? {
            let rows = SideRows::of(&batch)?;
            for row in (0..batch.num_rows()).filter(|row| rows.statuses.value(*row) == "set_aside") {
                let seen = rows.seen(row, file.ingest_date);
                if !selection.takes(&seen) {
                    continue;
                }
                let id = PartitionId { log_stream: seen.log_stream.into(), partition: seen.partition };
                let place = (id, seen.offset);
                if resolved.contains_key(&place) {
                    found.1.resolved_before += 1;
                    continue;
                }
                found.1.selected += 1;
                found.0.entry((seen.agency.to_owned(), place.0)).or_default().push(seen.offset);
            }
        }
    }
    Ok(found)
}

/// The columns of a batch of the side lane that a predicate sees.
struct SideRows<'b> {
    batch: &'b RecordBatch,
    streams: StringArray,
    agencies: StringArray,
    statuses: StringArray,
    classes: StringArray,
    details: StringArray,
}

impl<'b> SideRows<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self, LakeError> {
        Ok(Self {
            batch,
            streams: text(batch.column(0))?,
            agencies: text(batch.column(3))?,
            statuses: text(batch.column(4))?,
            classes: text(batch.column(5))?,
            details: text(batch.column(6))?,
        })
    }

    fn seen(&self, row: usize, ingest_date: i32) -> Seen<'_> {
        Seen {
            class: self.classes.value(row),
            detail: self.details.value(row),
            agency: self.agencies.value(row),
            log_stream: self.streams.value(row),
            partition: self.batch.column(1).as_primitive::<Int32Type>().value(row),
            offset: self.batch.column(2).as_primitive::<Int64Type>().value(row),
            ingest_date,
        }
    }
}

pub(super) fn text(column: &ArrayRef) -> Result<StringArray, LakeError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}
