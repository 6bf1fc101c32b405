//! Receipts: after a commit, agencies are told on a stream of the same log what became of their messages (ingestion.md 3.4).
//!
//! ```text
//! committer ──what is in the lake now──▶ ledger ◀──what is owed── sender ──▶ tip.receipts.v1
//!           ◀──up to where it was told──        ──what was told──▶       (rows of the side lane, read again where needed)
//! ```
//!
//! The committer never waits for it. The ledger knows of each partition of ours up to where the table has it and up to where the
//! log has acknowledged receipts; the difference is owed. Receipts made at the commit wait in the ledger as long as there is
//! room; what found none, what an owner before us left, and what a crash took with it is made from the table, by the same sender
//! at its next turn. So memory is bounded however long the log is away, and there is one way to make up for anything.
//!
//! Guarantees: below the next offset that a data commit writes down (`receipt/v1`), the log has acknowledged a receipt of every offset
//! that has a row. A partition's receipts stand in the log in ascending order, each sent when the one before it was
//! acknowledged. Non-guarantees: a receipt may come twice; readers know it by its offsets ([`events::receipt::Reader`]).
//! Failure: nothing here stops ingest. Absent: any value of a message, and the question who reads receipts.

mod ledger;
mod made;
mod sender;

use std::fmt;
use std::sync::{Arc, Mutex};

use eventlog::EventSink;
use events::receipt::Receipt;
use lake::PartitionId;

use crate::batch::{EncodedBatch, RangeRows, Topic};
use ledger::{Ledger, Ready};
pub(crate) use sender::Sender;

/// The sink for receipts. A sender that is still in an append when its worker has ended keeps it until that is over.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Mutex<Box<dyn EventSink>>>);

impl Sink {
    pub(crate) fn new(sink: Box<dyn EventSink>) -> Self {
        Self(Arc::new(Mutex::new(sink)))
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// The committer's end. When it is dropped, the sender sends what is owed, as far as the log takes it, and ends.
#[derive(Debug, Default)]
pub(crate) struct Receipts(Option<Arc<Ledger>>);

impl Receipts {
    /// For a sender with this ledger.
    pub(crate) fn of(sender: &Sender) -> Self {
        Self(Some(sender.ledger.clone()))
    }

    /// The partition is ours from now on: the table has it up to `committed`, the log has receipts up to `receipted`.
    pub(crate) fn assigned(&self, topic: &Arc<Topic>, receipted: Option<i64>, committed: Option<i64>) {
        if let Some(ledger) = &self.0 {
            ledger.open(topic, receipted, committed);
        }
    }

    /// The partition is no longer ours: its next owner sends what is owed.
    pub(crate) fn released(&self, topic: &Arc<Topic>) {
        if let Some(ledger) = &self.0 {
            ledger.close(topic);
        }
    }

    /// A batch is in the table.
    pub(crate) fn committed(&self, batch: &EncodedBatch, lake_version: u64) {
        let Some(ledger) = &self.0 else { return };
        for range in &batch.ranges {
            let begins = range.committed.unwrap_or_else(|| made::first_offset(batch, range));
            let room = ledger.has_room_for(range.side.len());
            let ready = room.then(|| at_commit(batch, range, begins, lake_version)).flatten();
            ledger.committed(&range.topic, begins, range.to, ready.unwrap_or_default());
        }
    }

    /// Up to where the log has acknowledged receipts of a batch's partitions. Of one that was never read: where it begins, so that
    /// nobody has to look for that later.
    pub(crate) fn acknowledged(&self, batch: &EncodedBatch) -> Vec<(PartitionId, i64)> {
        let Some(ledger) = &self.0 else { return Vec::new() };
        let of = |range: &RangeRows| match range.committed {
            _ if lake::mistake("mistake.receipts_before_they_are_acknowledged") => Some(range.to),
            None => Some(made::first_offset(batch, range)),
            Some(_) => ledger.acknowledged(&range.topic),
        };
        batch.ranges.iter().filter_map(|range| Some((range.topic.id.clone(), of(range)?))).collect()
    }
}

impl Drop for Receipts {
    fn drop(&mut self) {
        if let Some(ledger) = &self.0 {
            ledger.end();
        }
    }
}

/// The receipts of a range, from the rows in hand. `None` where its columns are not as expected; then the table is asked.
fn at_commit(batch: &EncodedBatch, range: &RangeRows, from: i64, lake_version: u64) -> Option<Vec<Ready>> {
    if from >= range.to {
        return Some(Vec::new());
    }
    let rows = batch.side.slice(range.side.start, range.side.len());
    let receipt = Receipt {
        lake_version,
        batch_id: Some(batch.id.to_string()),
        stream: range.topic.id.log_stream.to_string(),
        partition: range.topic.id.partition,
        from,
        to: range.to,
        exceptions: made::exceptions(&rows).ok()?,
    };
    Some(Ready::all(from, range.to, receipt.cut()))
}
