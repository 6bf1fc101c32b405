//! Checkpoints: so that opening the table reads one file and a few commits, however long the log is.
//!
//! Concurrent checkpointers race in delta-rs (ingestion.md 2.3), so exactly one process may call this: the single
//! worker, until there is a maintainer.

use deltalake::protocol::checkpoints::create_checkpoint;

use super::Events;
use super::txns::{Txns, checkpoint_path};
use crate::{LakeError, Result};

/// Versions between checkpoints.
const EVERY: u64 = 100;

impl Events {
    /// Makes a checkpoint when the last one is 100 versions behind; tells whether it did. Only one process may call
    /// this.
    ///
    /// # Errors
    /// Storage errors, and `Damaged` when the checkpoint does not read back as what it should hold. The table stays
    /// usable either way.
    pub async fn checkpoint_if_due(&mut self) -> Result<bool> {
        let version = self.lake_version();
        if version < self.checkpointed + EVERY {
            return Ok(false);
        }
        create_checkpoint(&self.table, None).await?;
        self.checkpointed = version;
        let read_back = Txns::load(&self.table.log_store(), version).await?;
        if !read_back.iter().eq(self.txns.iter()) {
            let what = format!("checkpoint {} does not hold what the log does", checkpoint_path(version));
            return Err(LakeError::Damaged { table: "events".into(), what });
        }
        Ok(true)
    }
}
