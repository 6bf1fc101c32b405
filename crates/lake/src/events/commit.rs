//! Files to rows: the commit that makes a batch and its offsets one fact (ingestion.md 3.4, "B.4").
//!
//! Every error of a commit is ambiguous: the put may have landed. So an error never leads to another append before a
//! freshly read table shows that the first did not land. `commit` may be called again with the same batch at any time.

use std::collections::HashMap;
use std::time::Duration;

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitData, PROTOCOL, TableReference, TransactionError,
};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::CommitOrBytes;
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::entry::{Commit, read_commit};
use super::seen::file_of;
use super::{Events, Written, quiet};
use crate::{LakeError, PartitionId, Result, failpoint, mistake};

/// How often a commit is put before others that were faster make it an error.
const PUTS: i32 = 16;

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
    /// `BadRange` when the batch contradicts itself. `Schema` when the table's columns were changed so that the batch does not
    /// fit them any more: another program must read these offsets, and the lake knows whether this batch is in.
    pub async fn commit(&mut self, batch: &ClosedBatch) -> Result<Outcome> {
        check_ranges(batch)?;
        let mut wait = Duration::from_millis(self.retry.wait_ms);
        let mut attempts = 0;
        loop {
            let error = match self.attempt(batch, self.unresolved).await {
                Ok(outcome) => return Ok(outcome),
                Err(e @ (LakeError::FailPoint(_) | LakeError::Schema(_))) => return Err(e),
                Err(e) => e,
            };
            if mistake("mistake.error_taken_for_success") {
                let ends = batch.ranges.iter().map(|range| (range.partition.app_id(), range.to));
                self.seen.mistaken(ends);
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
        let claim = self.txn(&range.partition.claim_app_id());
        if claim != Some(range.claim) && !mistake("mistake.no_claim") {
            return Some(Outcome::Fenced { partition: partition(), claim });
        }
        let seen = self.txn(&range.partition.app_id());
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
        let adds = batch.written.adds.clone();
        let txns = batch
            .ranges
            .iter()
            .flat_map(|range| [(range.partition.app_id(), range.to), (range.partition.claim_app_id(), range.claim)]);
        let mut txns = planted(txns.collect());
        txns.extend(self.receipts(batch));
        if mistake("mistake.offsets_first") {
            self.append(Vec::new(), txns, self.audit(batch)).await?;
            return self.append(adds, Vec::new(), self.audit(batch)).await;
        }
        self.append(adds, txns, self.audit(batch)).await
    }

    /// The receipts of the batch that moved. They never decrease: a later owner may know of more than we do.
    fn receipts(&self, batch: &ClosedBatch) -> Vec<(String, i64)> {
        let ours = |id: &PartitionId| batch.ranges.iter().any(|range| range.partition == *id);
        let moved = |(id, next): &&(PartitionId, i64)| ours(id) && self.receipted(id).is_none_or(|seen| seen < *next);
        batch.receipted.iter().filter(moved).map(|(id, next)| (id.receipt_app_id(), *next)).collect()
    }

    /// Commits new files and transactions on the newest version and moves there.
    ///
    /// As delta-rs commits an append, but without its look at all files after each one: what others committed since the version
    /// seen is read and may stand beside this commit unless it shares an application id with it; then a put that creates
    /// the next version or fails. What an error leaves behind is a version seen before this commit, so that the next try meets it.
    ///
    /// # Errors
    /// `Delta` of a conflict, when another commit shares an application id or changed the table; `HistoryGone`; storage errors,
    /// after which it may be in the log or not.
    pub(crate) async fn append(
        &mut self,
        adds: Vec<Add>,
        txns: Vec<(String, i64)>,
        info: HashMap<String, Value>,
    ) -> Result<u64> {
        let files = adds.iter().map(file_of).collect::<Result<Vec<_>>>()?;
        let transactions = txns.iter().map(|(app, version)| Transaction::new(app, *version)).collect();
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let data = CommitData::new(adds.into_iter().map(Action::Add).collect(), operation, info, transactions);
        PROTOCOL.can_commit(self.table.snapshot()?, &data.actions, &data.operation).map_err(DeltaTableError::from)?;
        let (log, bytes) = (self.log(), data.get_bytes().map_err(DeltaTableError::from)?);
        for _ in 0..PUTS {
            self.follow(|commit| concerns(commit, &txns)).await?;
            let version = self.lake_version() + 1;
            match log.write_commit_entry(version, CommitOrBytes::LogBytes(bytes.clone()), Uuid::nil()).await {
                Ok(()) => {
                    self.seen.committed(files, txns);
                    return Ok(version);
                }
                // Another was faster, or it is ours and its answer was lost: the next look tells.
                Err(TransactionError::VersionAlreadyExists(_)) => {}
                Err(error) => return Err(DeltaTableError::from(error).into()),
            }
        }
        Err(DeltaTableError::from(TransactionError::MaxCommitAttempts(PUTS)).into())
    }

    /// Commits actions that remove files, by delta-rs and its rules for conflicts.
    ///
    /// # Errors
    /// As [`Events::append`].
    pub(crate) async fn replace(
        &mut self,
        actions: Vec<Action>,
        txns: Vec<(String, i64)>,
        info: HashMap<String, Value>,
        operation: DeltaOperation,
    ) -> Result<u64> {
        let transactions = txns.iter().map(|(app, version)| Transaction::new(app, *version)).collect();
        let properties = quiet().with_application_transactions(transactions).with_metadata(info);
        let (log, table) = (self.log(), self.delta().await?);
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(table.snapshot()? as &dyn TableReference), log, operation)
            .await?;
        // From here on the commit is durable. If reading it back fails, the error makes the caller look again.
        self.follow(|_| Ok(())).await?;
        Ok(done.version())
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

/// A commit of others that ours must not stand beside.
fn concerns(commit: &Commit, txns: &[(String, i64)]) -> Result<()> {
    let conflict = if commit.changes_table {
        CommitConflictError::MetadataChanged
    } else if commit.txns.iter().any(|(app, _)| txns.iter().any(|(ours, _)| ours == app)) {
        CommitConflictError::ConcurrentTransaction
    } else {
        return Ok(());
    };
    Err(DeltaTableError::from(TransactionError::CommitConflict(conflict)).into())
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
