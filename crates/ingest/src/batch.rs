//! What travels between the worker's threads: a batch of messages as read, and the same batch as rows.
//!
//! Absent: any decision. Which rows there are is decided in [`crate::pipeline`], whether they count in the committer.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use eventlog::{Partition, Records};
use events::EventType;
use lake::PartitionId;
use policy::{Agencies, OnReject};
use uuid::Uuid;

use crate::budget::{Charge, Ticket};
use crate::status::Counts;

/// A partition as this worker holds it: who may speak on it, and under which claim its rows are written.
///
/// One assignment, one `Topic`: assigning the partition again makes another, with a higher claim, so that what is
/// still under way for the old one is recognised and dropped.
#[derive(Debug)]
pub(crate) struct Topic {
    /// Name and number in the source.
    pub source: Partition,
    /// The same place in the lake: `<source_uid>/<stream>` and number.
    pub id: PartitionId,
    /// The agency that the stream belongs to (the middle of its name).
    pub agency: String,
    /// Where first rows of its events may lie beside the partition itself, in the order in which they count: earlier
    /// generations of it; of a replay, the agency's own partitions.
    pub kin: Arc<[PartitionId]>,
    /// Fencing number: no commit is made under a lower one than the highest committed (ingestion.md I3).
    pub claim: i64,
    /// What becomes of its messages that cannot be accepted.
    pub on_reject: OnReject,
    may_emit: Vec<bool>,
}

impl Topic {
    pub(crate) fn new(source: Partition, id: PartitionId, agency: &str, claim: i64, agencies: &Agencies) -> Self {
        let may_emit = EventType::ALL.iter().map(|&kind| agencies.may_emit(agency, kind)).collect();
        let (agency, on_reject) = (agency.to_owned(), agencies.on_reject(agency));
        Self { source, id, agency, kin: Arc::default(), claim, on_reject, may_emit }
    }

    /// The same with kin.
    pub(crate) fn with_kin(self, kin: Vec<PartitionId>) -> Self {
        Self { kin: kin.into(), ..self }
    }

    /// Whether the policy lets this stream's agency emit the type.
    pub(crate) fn may_emit(&self, kind: EventType) -> bool {
        self.may_emit.get(kind as usize).copied().unwrap_or(false)
    }
}

/// The messages of one partition in a batch, in offset order.
#[derive(Debug)]
pub(crate) struct Run {
    pub topic: Arc<Topic>,
    /// Next offset that the lake names for the partition; `None` when it was never consumed.
    pub committed: Option<i64>,
    /// First offset wanted: anything below is a probe and not ours to write again.
    pub from: i64,
    /// Offset after the last one, gaps included.
    pub to: i64,
    pub chunks: Vec<Records>,
    /// Of a replay: the position of the set-aside row that each record was, from `from` on. Else empty.
    pub origins: Vec<String>,
}

impl Run {
    /// The position of the set-aside row that the record at this offset was.
    pub(crate) fn origin(&self, offset: i64) -> Option<&str> {
        let place = usize::try_from(offset - self.from).ok()?;
        self.origins.get(place).map(String::as_str)
    }

    /// Log's time of the first message wanted, milliseconds UTC.
    pub(crate) fn first_log_ms(&self) -> Option<i64> {
        let mut records = self.chunks.iter().flat_map(Records::iter);
        records.find(|record| record.offset >= self.from).map(|record| record.timestamp_ms)
    }
}

/// A closed batch as read: contiguous per partition, sorted by place.
#[derive(Debug)]
pub(crate) struct RawBatch {
    pub id: Uuid,
    pub runs: Vec<Run>,
    /// Time of closing, microseconds UTC; never earlier than that of the batch before.
    pub ingested_at_us: i64,
    /// Log's time of its oldest message, milliseconds UTC.
    pub oldest_log_ms: i64,
    /// Memory that the messages take, in bytes.
    pub bytes: usize,
    /// That memory in the byte budget.
    pub charge: Option<Charge>,
    pub ticket: Ticket,
}

/// What a batch says about one partition: the offsets `[from, to)`, and where its rows stand in the lanes.
#[derive(Debug, Clone)]
pub(crate) struct RangeRows {
    pub topic: Arc<Topic>,
    pub committed: Option<i64>,
    pub to: i64,
    pub main: Range<usize>,
    pub side: Range<usize>,
    pub counts: Counts,
}

/// The same batch as rows, both lanes in order of place.
#[derive(Debug)]
pub(crate) struct EncodedBatch {
    pub id: Uuid,
    /// Days since 1970, Asia/Karachi.
    pub ingest_date: i32,
    /// Log's time of its oldest message, milliseconds UTC.
    pub oldest_log_ms: i64,
    pub ranges: Vec<RangeRows>,
    /// Contracts under which rows were decoded.
    pub schema_ids: Vec<String>,
    /// The main lane in pieces, which follow one another; rows are counted over all of them.
    pub main: Vec<RecordBatch>,
    pub side: RecordBatch,
}

/// The rows of a range that is counted over all pieces of a lane.
pub(crate) fn pick(pieces: &[RecordBatch], rows: &Range<usize>) -> Vec<RecordBatch> {
    let mut start = 0;
    let part = |piece: &RecordBatch| {
        let end = start + piece.num_rows();
        let (from, to) = (rows.start.max(start), rows.end.min(end));
        let part = (from < to).then(|| piece.slice(from - start, to - from));
        start = end;
        part
    };
    pieces.iter().filter_map(part).collect()
}
