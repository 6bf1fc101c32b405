//! What was set aside, for an operator: a list without contents, and one message opened.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use futures::TryStreamExt as _;
use lake::{EventsSnapshot, LakeError, Lane, PartitionId};
use policy::Keys;

use crate::set_aside::{OpenError, Place, SetAsideMessage, open_set_aside};

/// A row of the side lane that has a reason: set aside, or in conflict. It holds no value of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideRow {
    /// Partition of the log.
    pub partition: PartitionId,
    /// Offset in it.
    pub offset: i64,
    /// Agency of the stream.
    pub agency: String,
    /// `set_aside` or `conflict`.
    pub status: String,
    /// Reason code (`_error_class`).
    pub class: String,
    /// The sentence with place and remedy (`_error_detail`).
    pub detail: String,
    /// When it was ingested, microseconds UTC.
    pub ingested_at_us: i64,
}

const COLUMNS: [&str; 8] =
    ["log_stream", "log_partition", "log_offset", "agency", "_status", "_error_class", "_error_detail", "ingested_at"];

/// Rows of the side lane, and how many there are of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetAsideList {
    /// The newest, newest first: by when they were ingested, then by place.
    pub rows: Vec<SetAsideRow>,
    /// All, with those that are not in `rows`.
    pub all: usize,
}

impl SetAsideList {
    fn keep_newest(&mut self, limit: usize) {
        self.rows.sort_by(|a, b| b.age().cmp(&a.age()));
        self.rows.truncate(limit);
    }
}

impl SetAsideRow {
    fn age(&self) -> (i64, &PartitionId, i64) {
        (self.ingested_at_us, &self.partition, self.offset)
    }
}

/// The newest rows with a reason that are wanted, at most `limit`.
///
/// # Errors
/// Storage errors of the lake.
pub async fn list_set_aside(
    snapshot: &EventsSnapshot,
    wanted: impl Fn(&SetAsideRow) -> bool,
    limit: usize,
) -> Result<SetAsideList, LakeError> {
    let mut list = SetAsideList::default();
    for file in snapshot.files.iter().filter(|file| file.lane == Lane::Side) {
        let mut batches = snapshot.read(file, &COLUMNS)?;
        while let Some(batch) = batches.try_next().await? {
            let before = list.rows.len();
            list_batch(&batch, &wanted, &mut list.rows)?;
            list.all += list.rows.len() - before;
            list.keep_newest(limit);
        }
    }
    Ok(list)
}

fn list_batch(
    batch: &RecordBatch,
    wanted: &impl Fn(&SetAsideRow) -> bool,
    rows: &mut Vec<SetAsideRow>,
) -> Result<(), LakeError> {
    let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
    let (streams, agencies, statuses, classes) = (text(0)?, text(3)?, text(4)?, text(5)?);
    let details = batch.column(6).as_string::<i32>();
    for row in (0..batch.num_rows()).filter(|row| classes.is_valid(*row)) {
        let value = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(row).to_owned();
        let row = SetAsideRow {
            partition: PartitionId {
                log_stream: streams.as_string::<i32>().value(row).into(),
                partition: batch.column(1).as_primitive::<Int32Type>().value(row),
            },
            offset: batch.column(2).as_primitive::<Int64Type>().value(row),
            agency: value(&agencies),
            status: value(&statuses),
            class: value(&classes),
            detail: if details.is_valid(row) { details.value(row).to_owned() } else { String::new() },
            ingested_at_us: batch.column(7).as_primitive::<TimestampMicrosecondType>().value(row),
        };
        rows.extend(wanted(&row).then_some(row));
    }
    Ok(())
}

/// Why a set-aside message could not be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShowError {
    /// No row, or not a set-aside one.
    #[error("no message was set aside at this place")]
    NotThere,
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// The bytes could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// The message set aside at a place, in clear. The caller shows it to whom the policy allows and records that it did.
///
/// # Errors
/// As [`ShowError`] says.
pub async fn show_set_aside(
    snapshot: &EventsSnapshot,
    keys: &Keys,
    partition: &PartitionId,
    offset: i64,
) -> Result<SetAsideMessage, ShowError> {
    let mut batches = snapshot.rows_at(partition, &[offset], &["_status", "payload"])?;
    while let Some(batch) = batches.try_next().await.map_err(ShowError::Lake)? {
        let statuses = cast(batch.column(0), &DataType::Utf8).map_err(LakeError::from)?;
        let statuses = statuses.as_string::<i32>();
        if let Some(row) = (0..batch.num_rows()).find(|row| statuses.value(*row) == "set_aside") {
            let payloads = batch.column(1).as_binary::<i32>();
            let payload = payloads.is_valid(row).then(|| payloads.value(row));
            let place = Place { log_stream: &partition.log_stream, partition: partition.partition, offset };
            return Ok(open_set_aside(keys, place, payload)?);
        }
    }
    Err(ShowError::NotThere)
}
