//! A partition being read: where it stands, what of it is in the open batch, and whether the log still is the one that
//! was ingested (ingestion.md 3.4, step 4).

use std::sync::Arc;

use eventlog::{Records, Watermarks};

use crate::batch::{Run, Topic};
use crate::committer::Assignment;
use crate::status::Halt;

/// A partition being read.
pub(crate) struct Reading {
    pub topic: Arc<Topic>,
    /// Next offset by the lake when the open batch began.
    committed: Option<i64>,
    /// Next offset of the last commit that was heard of.
    pub acknowledged: Option<i64>,
    /// First offset not yet in a closed batch, and first offset not yet read.
    pub from: i64,
    pub next: i64,
    /// The last ingested record and its log time: what the log must still have at that offset.
    probe: Option<(i64, i64)>,
    /// Messages of the open batch.
    pub chunks: Vec<Records>,
}

impl Reading {
    /// Where to read an assigned partition, or why not to.
    pub(crate) fn start(assignment: &Assignment, marks: Watermarks) -> Result<Self, Halt> {
        let topic = assignment.topic.clone().ok_or(Halt::OtherLog)?;
        let first = if lake::mistake("mistake.begins_at_the_end") { marks.high } else { marks.low };
        let from = assignment.next.unwrap_or(first);
        if from < marks.low || from > marks.high {
            return Err(out_of_range(from, marks));
        }
        // The last record ingested is read again to see that it is still the same; the pipeline leaves it out. Between it
        // and what is next there may be offsets without a record (transaction markers).
        let probe = assignment.last.filter(|(offset, _)| (marks.low..from).contains(offset));
        let next = probe.map_or(from, |(offset, _)| offset);
        let (committed, acknowledged) = (assignment.next, assignment.next);
        Ok(Self { topic, committed, acknowledged, from, next, probe, chunks: Vec::new() })
    }

    /// The offset at which the log differs from what was ingested. The question stays open until a record at that
    /// offset or after it has come: a batch may be empty.
    pub(crate) fn probe_fails(&mut self, records: &Records) -> Option<i64> {
        let (offset, log_ms) = self.probe?;
        let record = records.iter().find(|record| record.offset >= offset)?;
        self.probe = None;
        (record.offset == offset && record.timestamp_ms != log_ms).then_some(offset)
    }

    /// What the open batch holds of the partition, if anything.
    pub(crate) fn close(&mut self) -> Option<Run> {
        let chunks = std::mem::take(&mut self.chunks);
        if self.next <= self.from {
            return None;
        }
        let (topic, committed) = (self.topic.clone(), self.committed);
        let run = Run { topic, committed, from: self.from, to: self.next, chunks, origins: Vec::new() };
        (self.committed, self.from) = (Some(self.next), self.next);
        Some(run)
    }

    /// Whether everything that was handed over is known to be committed.
    pub(crate) fn is_settled(&self) -> bool {
        self.committed == self.acknowledged
    }
}

pub(crate) const fn out_of_range(wanted: i64, marks: Watermarks) -> Halt {
    if wanted < marks.low {
        Halt::Deleted { wanted, low: marks.low }
    } else {
        Halt::Truncated { wanted, high: marks.high }
    }
}
