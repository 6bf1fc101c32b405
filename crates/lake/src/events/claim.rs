//! Claims: the fencing numbers of partitions (ingestion.md 3.5).
//!
//! A claim is one commit without files. Every data commit repeats its claims, so a writer that was paused and wakes
//! conflicts with the later claim and learns that it is no longer the owner, before its rows land.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;

use super::Events;
use super::entry::read_commit;
use crate::{LakeError, PartitionId, Result};

impl Events {
    /// Takes the partitions over, in one commit: each gets the next higher claim. Read the offsets *afterwards*.
    ///
    /// # Errors
    /// `Unresolved` when the store kept failing; claiming again is safe.
    pub async fn claim(&mut self, partitions: &[PartitionId]) -> Result<BTreeMap<PartitionId, i64>> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut wait = Duration::from_millis(self.retry.wait_ms);
        let mut attempts = 0;
        self.refresh().await?;
        loop {
            let base = self.lake_version();
            let wanted: BTreeMap<_, _> = partitions.iter().map(|p| (p.clone(), self.next_claim(p))).collect();
            let error = match self.put_claims(&wanted).await {
                Ok(()) => return Ok(wanted),
                Err(e) => e,
            };
            attempts += 1;
            tracing::warn!(attempts, error = &error as &dyn std::error::Error, "claim to be resolved");
            if attempts >= self.retry.attempts {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
            if self.reload().await.is_ok() && self.claims_landed(base, &wanted).await? {
                return Ok(wanted);
            }
        }
    }

    fn next_claim(&self, partition: &PartitionId) -> i64 {
        self.txn(&partition.claim_app_id()).unwrap_or(0) + 1
    }

    async fn put_claims(&mut self, wanted: &BTreeMap<PartitionId, i64>) -> Result<()> {
        let txns = wanted.iter().map(|(p, claim)| (p.claim_app_id(), *claim)).collect();
        let info = HashMap::from([
            ("writer_id".to_owned(), Value::String(self.writer_id.clone())),
            ("claims".to_owned(), wanted.iter().map(|(p, c)| (p.to_string(), Value::from(*c))).collect()),
        ]);
        self.append(Vec::new(), txns, info).await.map(drop)
    }

    /// Whether an answer was lost: a commit since `base` is by this writer and holds exactly these claims.
    async fn claims_landed(&self, base: u64, wanted: &BTreeMap<PartitionId, i64>) -> Result<bool> {
        let log = self.table.log_store();
        let mut ours: Vec<_> = wanted.iter().map(|(p, claim)| (p.claim_app_id(), *claim)).collect();
        ours.sort();
        for version in base + 1..=self.lake_version() {
            let Some(mut commit) = read_commit(&log, version).await? else {
                continue;
            };
            commit.txns.sort();
            if commit.writer_id.as_deref() == Some(&self.writer_id) && commit.txns == ours {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
