//! Checkpoints: so that opening the table reads one file and a few commits, however long the log is.
//!
//! Concurrent checkpointers race in delta-rs (ingestion.md 2.3), so exactly one process may call this: the maintainer.

use std::sync::Arc;

use deltalake::protocol::checkpoints::create_checkpoint;
use object_store::{ObjectStore, ObjectStoreExt};

use super::Events;
use super::txns::{Checkpoint, checkpoint_path, hinted_checkpoint, put_hint, read_checkpoint, remove_hint};
use crate::{LakeError, Result, failpoint};

/// Versions between checkpoints.
const EVERY: u64 = 100;

impl Events {
    /// Versions seen since the newest checkpoint.
    pub fn versions_since_checkpoint(&self) -> u64 {
        self.lake_version().saturating_sub(self.checkpointed)
    }

    /// Makes a checkpoint when the last one is 100 versions behind; tells whether it did. Only one process may call
    /// this.
    ///
    /// # Errors
    /// As [`Events::checkpoint`].
    pub async fn checkpoint_if_due(&mut self) -> Result<bool> {
        if self.versions_since_checkpoint() < EVERY {
            return Ok(false);
        }
        self.checkpoint().await.map(|_| true)
    }

    /// Makes a checkpoint of the version seen, reads it back, and gives the version. Only one process may call this.
    ///
    /// # Errors
    /// Storage errors, and `Damaged` when the checkpoint does not read back as what it should hold; it is removed then
    /// and the one before is in force. The table stays usable either way.
    pub async fn checkpoint(&mut self) -> Result<u64> {
        let version = self.lake_version();
        let objects = self.log().object_store(None);
        let before = hinted_checkpoint(&objects).await?;
        create_checkpoint(self.delta().await?, None).await?;
        failpoint("after_checkpoint")?;
        let holds = |found: &Checkpoint| -> Result<bool> {
            let files = self.seen.files().len() as u64;
            let txns = found.txns.iter().map(|(app, version)| (app.as_str(), *version));
            Ok(found.files == files && txns.eq(self.seen.txns.iter()))
        };
        let right = match read_checkpoint(&objects, version).await {
            Ok(found) => holds(&found)?,
            Err(LakeError::Object(e)) => return Err(LakeError::Object(e)),
            Err(_) => false,
        };
        if right {
            self.checkpointed = version;
            return Ok(version);
        }
        take_back(&objects, version, before).await?;
        let what = format!("checkpoint {} did not hold what the log does; it was removed", checkpoint_path(version));
        Err(LakeError::Damaged { table: "events".into(), what })
    }
}

/// The checkpoint before this one is in force again. The hint first, so that it never names one that is not there.
async fn take_back(objects: &Arc<dyn ObjectStore>, version: u64, before: Option<u64>) -> Result<()> {
    match before.filter(|before| *before != version) {
        Some(before) => put_hint(objects, before).await?,
        None => remove_hint(objects).await?,
    }
    objects.delete(&checkpoint_path(version)).await?;
    Ok(())
}
