//! Rows to receipts: from a batch in hand, or from the table.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use events::receipt::{Exception, Receipt};
use futures::TryStreamExt as _;
use lake::{DataFile, EventsSnapshot, LakeError, Lane, PartitionId, RowFilter};

use crate::batch::{EncodedBatch, RangeRows, pick};

/// Offsets of which receipts are made at once from the table. All of them may be exceptions, of some hundred bytes each.
const PIECE: i64 = 1 << 15;

/// Columns of a row of the side lane that a receipt shows.
const COLUMNS: [&str; 4] = ["log_offset", "_status", "_error_class", "_error_detail"];

/// What rows of the side lane say, in their order.
///
/// # Errors
/// When the rows have other columns than the table's.
pub(super) fn exceptions(rows: &RecordBatch) -> Result<Vec<Exception>, ArrowError> {
    let column = |name: &str| rows.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("no {name}")));
    let text = |name: &str| cast(column(name)?, &DataType::Utf8);
    let [offsets, statuses, classes, details] = COLUMNS;
    let (offsets, statuses, classes, details) = (column(offsets)?, text(statuses)?, text(classes)?, text(details)?);
    let offsets = offsets.as_primitive::<Int64Type>();
    let (statuses, classes, details) =
        (statuses.as_string::<i32>(), classes.as_string::<i32>(), details.as_string::<i32>());
    let value = |of: &arrow::array::StringArray, row| of.is_valid(row).then(|| of.value(row).to_owned());
    let exception = |row| Exception {
        offset: offsets.value(row),
        status: statuses.value(row).to_owned(),
        class: value(classes, row),
        detail: value(details, row),
    };
    Ok((0..rows.num_rows()).map(exception).collect())
}

/// The first offset of a range that has a row; its end where none has.
pub(super) fn first_offset(batch: &EncodedBatch, range: &RangeRows) -> i64 {
    let first = |lane: &[RecordBatch], of: &Range<usize>| {
        let rows = pick(lane, &(of.start..of.end.min(of.start + 1)));
        Some(rows.first()?.column_by_name(COLUMNS[0])?.as_primitive_opt::<Int64Type>()?.value(0))
    };
    let firsts = [first(&batch.main, &range.main), first(std::slice::from_ref(&batch.side), &range.side)];
    firsts.into_iter().flatten().min().unwrap_or(range.to)
}

/// Receipts that tell all of `[from, upto)`.
pub(super) struct Piece {
    pub from: i64,
    pub upto: i64,
    pub receipts: Vec<Receipt>,
}

/// The receipts of `[from, to)`, or of the first part of it, from the table. Without `from`, from the first row on, which is
/// looked up in `firsts`.
pub(super) async fn piece(
    snapshot: &EventsSnapshot,
    id: &PartitionId,
    from: Option<i64>,
    to: i64,
    firsts: &BTreeMap<PartitionId, i64>,
) -> Result<Piece, LakeError> {
    let from = from.unwrap_or_else(|| firsts.get(id).copied().unwrap_or(to).min(to));
    let upto = to.min(from.saturating_add(PIECE));
    let side = read(snapshot, id, (from, upto), Lane::Side, &COLUMNS).await?;
    let mut told = Vec::new();
    for rows in &side {
        told.extend(exceptions(rows)?);
    }
    // A compacted file is in order of record.
    told.sort_by_key(|exception| exception.offset);
    let mut receipts = Vec::new();
    for (from, to) in with_rows(snapshot, id, from, upto, &side).await? {
        let within = |exception: &&Exception| (from..to).contains(&exception.offset);
        let receipt = Receipt {
            lake_version: snapshot.lake_version,
            batch_id: None,
            stream: id.log_stream.to_string(),
            partition: id.partition,
            from,
            to,
            exceptions: told.iter().filter(within).cloned().collect(),
        };
        receipts.extend(receipt.cut());
    }
    Ok(Piece { from, upto, receipts })
}

/// Where in `[from, upto)` there are rows: everywhere, unless a reset has skipped something since `from`. Then the rows themselves say
/// it, because what was skipped was not accepted and must not be told so (ingestion.md 3.13).
async fn with_rows(
    snapshot: &EventsSnapshot,
    id: &PartitionId,
    from: i64,
    upto: i64,
    side: &[RecordBatch],
) -> Result<Vec<(i64, i64)>, LakeError> {
    if from >= upto {
        return Ok(Vec::new());
    }
    if snapshot.skips.get(id).is_none_or(|skip| skip.end <= from) {
        return Ok(vec![(from, upto)]);
    }
    let main = read(snapshot, id, (from, upto), Lane::Main, &COLUMNS[..1]).await?;
    let of = |rows: &RecordBatch| rows.column(0).as_primitive::<Int64Type>().values().to_vec();
    let mut offsets: Vec<i64> = main.iter().chain(side).flat_map(of).collect();
    offsets.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for at in offsets {
        match runs.last_mut().filter(|(_, end)| *end >= at) {
            Some((_, end)) => *end = at + 1,
            None => runs.push((at, at + 1)),
        }
    }
    Ok(runs)
}

async fn read(
    snapshot: &EventsSnapshot,
    id: &PartitionId,
    (from, to): (i64, i64),
    lane: Lane,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, LakeError> {
    let filter = RowFilter::Offsets { partition: id.clone(), from, to };
    let wanted = |file: &&DataFile| file.lane == lane && file.may_hold(id, from, to);
    let mut found = Vec::new();
    for file in snapshot.files.iter().filter(wanted) {
        let batches: Vec<RecordBatch> = snapshot.read_where(file, columns, &filter)?.try_collect().await?;
        found.extend(batches);
    }
    Ok(found)
}
