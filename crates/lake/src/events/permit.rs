//! Permits: an operator lets messages of a partition be set aside although their number, or the policy, made it stand still
//! (ingestion.md 3.6).
//!
//! A permit is one commit without files, as a claim is: its transaction is the offset below which it holds, and its
//! commitInfo says who gave it and why, for whoever reads the log later. It never decreases. It permits nothing to be
//! lost: each message below it becomes a row all the same.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Events;
use crate::{LakeError, PartitionId, Result};

impl Events {
    /// Permits what cannot be accepted below this offset to be set aside. Giving a permit again, or a lower one, changes
    /// nothing. `reason` is kept in the log in clear: it names no person.
    ///
    /// # Errors
    /// `Unresolved` when the store kept failing; giving the permit again is safe.
    pub async fn permit(&mut self, partition: &PartitionId, below: i64, reason: &str) -> Result<u64> {
        let mut wait = Duration::from_millis(self.retry.wait_ms);
        let mut attempts = 0;
        self.refresh().await?;
        while self.permitted(partition).is_none_or(|permitted| permitted < below) {
            let Err(error) = self.put_permit(partition, below, reason).await else { break };
            attempts += 1;
            if attempts >= self.retry.attempts {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
            self.reload().await?;
        }
        Ok(self.lake_version())
    }

    /// The offset below which everything of the partition may be set aside, at the version seen.
    pub fn permitted(&self, partition: &PartitionId) -> Option<i64> {
        self.txn(&partition.permit_app_id())
    }

    async fn put_permit(&mut self, partition: &PartitionId, below: i64, reason: &str) -> Result<u64> {
        let permit = json!({ "partition": partition, "below": below, "reason": reason });
        let info = HashMap::from([
            ("writer_id".to_owned(), Value::String(self.writer_id.clone())),
            ("permit".to_owned(), permit),
        ]);
        self.append(Vec::new(), vec![(partition.permit_app_id(), below)], info).await
    }
}
