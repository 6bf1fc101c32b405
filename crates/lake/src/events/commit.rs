//! Files to rows: the commit that makes a batch and its offsets one fact (ingestion.md 3.4, "B.4").
//!
//! Every error of a commit is ambiguous: the put may have landed. So an error never leads to another append before a
//! freshly read table shows that the first did not land. `commit` may be called again with the same batch at any time.

use std::collections::HashMap;
use std::time::Duration;

use deltalake::kernel::transaction::{CommitBuilder, TableReference};
use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::txns::read_commit;
use super::{Events, Written, quiet};
use crate::{LakeError, PartitionId, Result, failpoint, mistake};

/// Offsets `[from, to)` of a partition, read under a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OffsetRange {
    /// Which partition.
    pub partition: PartitionId,
    /// First offset wanted = the table's next offset; `None` when the partition was never read.
    pub from: Option<i64>,
    /// Next offset to read after this batch.
    pub to: i64,
    /// The claim under which it was read.
    pub claim: i64,
}

/// How many rows of each kind a batch holds; for the audit trail only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accepted rows.
    pub ok: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// Copies of events already there.
    pub duplicate: u64,
    /// Same event id, other content.
    pub conflict: u64,
}

/// A batch whose files are written: what one commit will make visible.
#[derive(Debug, Clone)]
pub struct ClosedBatch {
    /// Unique; how a lost answer is recognised.
    pub batch_id: Uuid,
    /// Each partition at most once.
    pub ranges: Vec<OffsetRange>,
    /// Its files.
    pub written: Written,
    /// What is in them.
    pub counts: Counts,
    /// Contracts under which rows were decoded.
    pub schema_ids: Vec<String>,
    /// Of these partitions, the offset below which the log has acknowledged every receipt (ingestion.md 3.4). Only the owner
    /// of a partition says so, in a commit that holds rows of it; what is not above the table's own is left out.
    pub receipted: Vec<(PartitionId, i64)>,
}

/// How a commit ended. Only `Committed` changed the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The batch is in the table, once.
    Committed {
        /// Version that holds it.
        lake_version: u64,
    },
    /// Another writer claimed this partition: drop it, and encode the rest of the batch anew.
    Fenced {
        /// Which.
        partition: PartitionId,
        /// The claim in the table.
        claim: Option<i64>,
    },
    /// The table's next offset is not where the batch begins: drop the partition's buffers and read from `seen`.
    Moved {
        /// Which.
        partition: PartitionId,
        /// The table's next offset.
        seen: Option<i64>,
    },
}

impl Events {
    /// Makes a batch visible together with its offsets, or tells why that may not be.
    ///
    /// # Errors
    /// `Unresolved` when the store kept failing: whether the batch is in is unknown, call again with the same batch.
    /// `BadRange` when the batch contradicts itself.
    pub async fn commit(&mut self, batch: &ClosedBatch) -> Result<Outcome> {
        check_ranges(batch)?;
        let mut wait = Duration::from_millis(self.retry.wait_ms);
        let mut attempts = 0;
        loop {
            let error = match self.attempt(batch, self.unresolved).await {
                Ok(outcome) => return Ok(outcome),
                Err(e @ LakeError::FailPoint(_)) => return Err(e),
                Err(e) => e,
            };
            if mistake("mistake.error_taken_for_success") {
                let ends = batch.ranges.iter().map(|range| (range.partition.app_id(), range.to));
                self.txns.committed(self.txns.version, ends);
                return Ok(Outcome::Committed { lake_version: self.lake_version() });
            }
            self.unresolved = true;
            attempts += 1;
            tracing::warn!(batch_id = %batch.batch_id, attempts, error = &error as &dyn std::error::Error, "commit to be resolved");
            if attempts >= self.retry.attempts {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }

    /// One look and one try. The first look may be the state left by our own last commit: whatever happened since
    /// shares an application id with this batch and so fails the try, or does not concern it.
    async fn attempt(&mut self, batch: &ClosedBatch, again: bool) -> Result<Outcome> {
        if again {
            self.reload().await?;
            if mistake("mistake.retry_without_looking") {
                return Ok(Outcome::Committed { lake_version: self.put(batch).await? });
            }
        }
        if let Some(lake_version) = self.find(batch).await? {
            return Ok(Outcome::Committed { lake_version });
        }
        for range in &batch.ranges {
            if let Some(refusal) = self.refusal(range) {
                if again {
                    return Ok(refusal);
                }
                // What is cached may be old; only a fresh look refuses.
                self.reload().await?;
                return Box::pin(self.attempt(batch, true)).await;
            }
        }
        failpoint("before_commit")?;
        let lake_version = self.put(batch).await?;
        failpoint("after_commit")?;
        Ok(Outcome::Committed { lake_version })
    }

    /// Claim and offset of a range against the version seen.
    fn refusal(&self, range: &OffsetRange) -> Option<Outcome> {
        let partition = || range.partition.clone();
        let claim = self.txns.get(&range.partition.claim_app_id());
        if claim != Some(range.claim) && !mistake("mistake.no_claim") {
            return Some(Outcome::Fenced { partition: partition(), claim });
        }
        let seen = self.txns.get(&range.partition.app_id());
        (seen != range.from).then(|| Outcome::Moved { partition: partition(), seen })
    }

    /// The commit of this batch, if it landed between the batch's base and the version seen.
    async fn find(&self, batch: &ClosedBatch) -> Result<Option<u64>> {
        self.find_commit(batch.batch_id, batch.written.base_version).await
    }

    /// The commit with this id, if it landed after version `base` and up to the version seen.
    pub(crate) async fn find_commit(&self, id: Uuid, base: u64) -> Result<Option<u64>> {
        let log = self.table.log_store();
        let id = id.to_string();
        for version in base + 1..=self.lake_version() {
            let commit = read_commit(&log, version).await?.ok_or(LakeError::HistoryGone { lake_version: version })?;
            if commit.batch_id.as_deref() == Some(id.as_str()) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// One commit on the version seen. Each claim is repeated, so that a later claim conflicts with us.
    async fn put(&mut self, batch: &ClosedBatch) -> Result<u64> {
        let adds = batch.written.adds.iter().cloned().map(Action::Add).collect();
        let txns = batch
            .ranges
            .iter()
            .flat_map(|range| [(range.partition.app_id(), range.to), (range.partition.claim_app_id(), range.claim)]);
        let append = || DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let mut txns = planted(txns.collect());
        txns.extend(self.receipts(batch));
        if mistake("mistake.offsets_first") {
            self.put_actions(Vec::new(), txns, self.audit(batch), append()).await?;
            return self.put_actions(adds, Vec::new(), self.audit(batch), append()).await;
        }
        self.put_actions(adds, txns, self.audit(batch), append()).await
    }

    /// The receipts of the batch that moved. They never decrease: a later owner may know of more than we do.
    fn receipts(&self, batch: &ClosedBatch) -> Vec<(String, i64)> {
        let ours = |id: &PartitionId| batch.ranges.iter().any(|range| range.partition == *id);
        let moved = |(id, next): &&(PartitionId, i64)| ours(id) && self.receipted(id).is_none_or(|seen| seen < *next);
        batch.receipted.iter().filter(moved).map(|(id, next)| (id.receipt_app_id(), *next)).collect()
    }

    /// Commits actions and transactions on the version seen and moves to the version made.
    pub(crate) async fn put_actions(
        &mut self,
        actions: Vec<Action>,
        txns: Vec<(String, i64)>,
        info: HashMap<String, Value>,
        operation: DeltaOperation,
    ) -> Result<u64> {
        let log = self.table.log_store();
        let before = self.lake_version();
        let transactions = txns.iter().map(|(app, version)| Transaction::new(app, *version)).collect();
        let properties = quiet().with_application_transactions(transactions).with_metadata(info);
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(self.table.snapshot()? as &dyn TableReference), log.clone(), operation)
            .await?;
        let version = done.version();
        // From here on the commit is durable. What others committed in between is read; if that fails, the error
        // makes the caller look again, and it finds this batch. Until then table and transactions both stay where they
        // were: a table that moved alone would hide this commit from the next try, which would then be a second one
        // (`protocol`, mistake `TableMovesBeforeTxns`).
        let mut seen = self.txns.clone();
        if version == before + 1 {
            seen.committed(version, txns);
        } else {
            seen.advance(&log, version).await?;
        }
        (self.txns, self.table.state) = (seen, Some(done.snapshot()));
        Ok(version)
    }

    /// What a person reads in the log (ingestion.md 3.3).
    fn audit(&self, batch: &ClosedBatch) -> HashMap<String, Value> {
        HashMap::from([
            ("batch_id".into(), Value::String(batch.batch_id.to_string())),
            ("writer_id".into(), Value::String(self.writer_id.clone())),
            ("ranges".into(), json(&batch.ranges)),
            ("rows".into(), json(&batch.counts)),
            ("schema_ids".into(), json(&batch.schema_ids)),
        ])
    }
}

/// The transactions, with the mistake that is switched on, if one is.
fn planted(mut txns: Vec<(String, i64)>) -> Vec<(String, i64)> {
    let is_claim = |app: &str| app.starts_with("claim/");
    if mistake("mistake.no_offsets") {
        txns.retain(|(app, _)| is_claim(app));
    }
    if mistake("mistake.no_claim") {
        txns.retain(|(app, _)| !is_claim(app));
    }
    if mistake("mistake.last_offset_for_next") {
        txns.iter_mut().filter(|(app, _)| !is_claim(app)).for_each(|(_, next)| *next -= 1);
    }
    txns
}

/// Plain structs to JSON; cannot fail because they have neither maps with odd keys nor floats.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn check_ranges(batch: &ClosedBatch) -> Result<()> {
    for (n, range) in batch.ranges.iter().enumerate() {
        let again = batch.ranges[..n].iter().any(|r| r.partition == range.partition);
        if again || range.from.is_some_and(|from| from > range.to) {
            return Err(LakeError::BadRange { partition: range.partition.clone(), to: range.to });
        }
    }
    Ok(())
}
