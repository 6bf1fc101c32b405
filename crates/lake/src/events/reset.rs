//! An operator moves the next offset: forward over what is to be skipped, or to where a new generation of a log begins
//! (ingestion.md 3.13).
//!
//! A reset is one commit without rows. It conflicts with every batch that begins where the offset stood, so a worker that holds the
//! claim finds its partition moved and reads it anew; no claim is taken. It never goes backward in one generation: no
//! offset is ever written twice. `commitInfo` says who moved what, and why.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Events, Outcome};
use crate::{LakeError, PartitionId, Result, failpoint};

/// One partition of a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Which partition.
    pub partition: PartitionId,
    /// The next offset as the operator saw it; `None` = never read, as in a generation that begins.
    pub from: Option<i64>,
    /// The next offset from now on.
    pub to: i64,
}

/// What an operator decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// Unique; how a lost answer is recognised.
    pub id: Uuid,
    /// Each partition at most once.
    pub moves: Vec<Move>,
    /// Who decided it, in the operator's own words.
    pub operator: String,
    /// Why, in the operator's own words.
    pub reason: String,
}

impl Events {
    /// Moves the next offsets, all in one commit, or tells which of them stands elsewhere by now (`Moved`).
    ///
    /// # Errors
    /// `BadRange` for a move backward or one that is there twice. `Unresolved` when the store kept failing: whether
    /// it is done is unknown, call again with the same reset.
    pub async fn reset(&mut self, reset: &Reset) -> Result<Outcome> {
        check(reset)?;
        let mut wait = Duration::from_millis(self.retry.wait_ms);
        let mut attempts = 0;
        self.refresh().await?;
        let base = self.lake_version();
        loop {
            let error = match self.try_reset(reset, base).await {
                Ok(outcome) => return Ok(outcome),
                Err(e @ LakeError::FailPoint(_)) => return Err(e),
                Err(e) => e,
            };
            attempts += 1;
            tracing::warn!(attempts, error = &error as &dyn std::error::Error, "reset to be resolved");
            if attempts >= self.retry.attempts {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
            // A look that fails is the next try's error.
            drop(self.reload().await);
        }
    }

    async fn try_reset(&mut self, reset: &Reset, base: u64) -> Result<Outcome> {
        self.refresh().await?;
        if let Some(lake_version) = self.find_commit(reset.id, base).await? {
            return Ok(Outcome::Committed { lake_version });
        }
        let mut txns = Vec::new();
        for Move { partition, from, to } in &reset.moves {
            let seen = self.txn(&partition.app_id());
            if seen != *from {
                return Ok(Outcome::Moved { partition: partition.clone(), seen });
            }
            txns.push((partition.app_id(), *to));
            if from.is_none() {
                // It begins here, and nobody is owed a receipt of what lies before (3.4).
                txns.push((partition.receipt_app_id(), *to));
            }
            if let Some(from) = *from
                && self.has_rows(partition).await?
            {
                let so_far = self.txn(&partition.skipped_app_id()).unwrap_or(0);
                txns.push((partition.skipped_app_id(), so_far + (to - from)));
                txns.push((partition.skip_end_app_id(), *to));
            }
        }
        failpoint("before_commit")?;
        let lake_version = self.append(Vec::new(), txns, self.audit_of(reset)).await?;
        failpoint("after_commit")?;
        Ok(Outcome::Committed { lake_version })
    }

    /// Whether the partition has any row. Where it has none, what is skipped lies before its first and is missed by nobody.
    async fn has_rows(&self, partition: &PartitionId) -> Result<bool> {
        let snapshot = self.snapshot()?;
        let mut rows = snapshot.scan_partition(partition, 0, &["log_offset"])?;
        while let Some(batch) = rows.try_next().await? {
            if batch.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn audit_of(&self, reset: &Reset) -> HashMap<String, Value> {
        let Reset { id, moves, operator, reason } = reset;
        HashMap::from([
            ("batch_id".into(), Value::String(id.to_string())),
            ("writer_id".into(), Value::String(self.writer_id.clone())),
            ("reset".into(), json!({ "operator": operator, "reason": reason, "moves": moves })),
        ])
    }
}

fn check(reset: &Reset) -> Result<()> {
    for (n, Move { partition, from, to }) in reset.moves.iter().enumerate() {
        let again = reset.moves[..n].iter().any(|other| other.partition == *partition);
        if again || *to < 0 || from.is_some_and(|from| from > *to) {
            return Err(LakeError::BadRange { partition: partition.clone(), to: *to });
        }
    }
    Ok(())
}
