//! The Delta log: checkpoints that were read back, old commits cleaned up, a torn checkpoint put right.
//!
//! Commits are not compacted into `…compacted.json` files: the reader inside delta-rs 1.1 passes over them, so they would
//! cost a write and gain nothing (`buoyant_kernel` 0.28, `log_segment_files`).

use std::sync::Arc;

use deltalake::protocol::checkpoints::cleanup_expired_logs_for;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Maintainer, Now};
use crate::events::entry::commit_path;
use crate::events::txns::{checkpoint_path, checkpoints, hinted_checkpoint, put_hint, read_checkpoint, remove_hint};
use crate::{LakeError, Result, Store};

impl Maintainer {
    /// Makes a checkpoint when enough versions came since the last one, fewer when nobody commits (`idle`). Gives its
    /// version.
    ///
    /// # Errors
    /// `Superseded`; `Damaged` when it does not read back as what the table holds: it is then removed, and the one before
    /// it stays in force. Storage errors.
    pub async fn checkpoint(&mut self, idle: bool) -> Result<Option<u64>> {
        let enough = if idle { self.rules.checkpoint_idle } else { self.rules.checkpoint_every };
        self.checkpoint_after(enough).await
    }

    /// The same after so many versions.
    ///
    /// # Errors
    /// As [`Maintainer::checkpoint`].
    pub(super) async fn checkpoint_after(&mut self, enough: u64) -> Result<Option<u64>> {
        self.look().await?;
        if self.events.versions_since_checkpoint() < enough {
            return Ok(None);
        }
        self.events.checkpoint().await.map(Some)
    }

    /// Deletes commits and checkpoints that are too old, but never the last two checkpoints nor what came after the
    /// first of them. Gives the number of files deleted.
    ///
    /// # Errors
    /// `Superseded`, storage errors.
    pub async fn clean_log(&mut self, now: Now) -> Result<u64> {
        self.look().await?;
        let log = self.events.log();
        let mut known = checkpoints(&log.object_store(None)).await?;
        known.sort_unstable();
        let [.., before, _] = known[..] else { return Ok(0) };
        let cutoff = now.unix_ms - self.rules.log_kept_ms;
        let deleted = cleanup_expired_logs_for(before, log.as_ref(), cutoff, None).await?;
        if deleted > 0 {
            self.events.reload().await?;
        }
        Ok(deleted as u64)
    }
}

/// Puts a log right whose newest checkpoint is torn, as after a copy that was made while it was written: the checkpoint
/// before it, or the first commit, comes into force again, if every commit since is there. Gives the version of the torn
/// one; `None` = nothing was wrong with it. Only a maintainer may call this.
///
/// # Errors
/// `HistoryGone` when commits are missing, so that only a copy of the store helps; storage errors.
pub async fn mend(store: &Store) -> Result<Option<u64>> {
    let objects = store.table("lake/events/")?.build_storage()?.object_store(None);
    let mut known = checkpoints(&objects).await?;
    known.sort_unstable();
    let hinted = hinted_checkpoint(&objects).await?;
    let Some(newest) = known.last().copied().max(hinted) else { return Ok(None) };
    if read_checkpoint(&objects, newest).await.is_ok() {
        return Ok(None);
    }
    let mut before = None;
    for version in known.into_iter().rev().filter(|version| *version < newest) {
        if read_checkpoint(&objects, version).await.is_ok() {
            before = Some(version);
            break;
        }
    }
    for version in before.map_or(0, |version| version + 1)..=newest {
        if !is_there(&objects, &commit_path(version)).await? {
            return Err(LakeError::HistoryGone { lake_version: version });
        }
    }
    // The hint first: whoever opens in between finds the table as it was, torn, and not an older one.
    match before {
        Some(version) => put_hint(&objects, version).await?,
        None => remove_hint(&objects).await?,
    }
    match objects.delete(&checkpoint_path(newest)).await {
        Err(object_store::Error::NotFound { .. }) | Ok(()) => {}
        Err(e) => return Err(e.into()),
    }
    tracing::warn!(version = newest, "a torn checkpoint was removed; the one before it is in force");
    Ok(Some(newest))
}

async fn is_there(objects: &Arc<dyn ObjectStore>, path: &Path) -> Result<bool> {
    match objects.head(path).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
