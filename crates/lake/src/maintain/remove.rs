//! What nobody reads any more: files that no version needs (vacuum), and files whose bytes had to go (purge).
//!
//! Vacuum's list is delta-rs's own dry run, in full mode, with the time given; the deletion is ours, after a fresh look.
//! delta-rs would make two commits around it with properties of its own, one of which may make a checkpoint that nobody
//! reads back.

use deltalake::operations::vacuum::{Clock, VacuumMode};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{Maintainer, Now};
use crate::fsync::staged;
use crate::{DataFile, LakeError, Result};

/// Where it is noted what must go.
const NOTES: &str = "lake/_purge";

/// Files that a rewrite replaces and that are to be deleted a day later.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    at_ms: i64,
    paths: Vec<String>,
}

#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn current_timestamp_millis(&self) -> i64 {
        self.0
    }
}

impl Maintainer {
    /// Files that no version of the last seven days needs: replaced ones, and those of batches that never committed.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn to_vacuum(&mut self, now: Now) -> Result<Vec<String>> {
        self.events.refresh().await?;
        let list = self.events.delta().await?.clone().vacuum().with_mode(VacuumMode::Full).with_dry_run(true);
        let list = list
            .with_clock(Arc::new(At(now.unix_ms)))
            .with_retention_period(chrono::Duration::milliseconds(self.rules.vacuum_after_ms))
            .with_enforce_retention_duration(false); // the rules decide, not a property that another engine may set
        let (_, found) = list.await?;
        Ok(found.files_deleted)
    }

    /// Deletes them, and on disk what uploads of killed processes have left for as long; gives their number.
    ///
    /// # Errors
    /// `Superseded`, storage errors.
    pub async fn vacuum(&mut self, now: Now) -> Result<u64> {
        let files = self.to_vacuum(now).await?;
        tracing::info!(files = files.len(), "files that no version needs");
        Ok(self.purge(&files).await? + self.sweep(now).await?)
    }

    /// In a bucket its own rule ends such uploads.
    async fn sweep(&self, now: Now) -> Result<u64> {
        let Some(dir) = self.events.store().dir().map(|dir| dir.join("lake")) else { return Ok(0) };
        let before_ms = now.unix_ms.saturating_sub(self.rules.vacuum_after_ms);
        let io = |e| LakeError::io("tidy", std::path::Path::new("lake"), e);
        let work = tokio::task::spawn_blocking(move || staged::sweep(&dir, before_ms).map_err(io));
        work.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Deletes files that are not in the table, now. Gives the number of those that were there; on S3, which does not say
    /// whether there was something to delete, of all of them.
    ///
    /// # Errors
    /// `Superseded`, storage errors.
    pub async fn purge(&mut self, paths: &[String]) -> Result<u64> {
        self.look().await?;
        let snapshot = self.events.snapshot()?;
        let active: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
        let gone =
            paths.iter().filter(|path| !active.contains(path.as_str())).map(|path| Ok(Path::from(path.as_str())));
        let gone = futures::stream::iter(gone.collect::<Vec<_>>()).boxed();
        let deleted = self.events.log().object_store(None).delete_stream(gone).filter_map(|done| async move {
            match done {
                Err(object_store::Error::NotFound { .. }) => None,
                other => Some(other),
            }
        });
        let deleted: Vec<Path> = deleted.try_collect().await?;
        Ok(deleted.len() as u64)
    }

    /// Notes what is to be purged once the rewrite `id` is a day old.
    pub(super) async fn note_purge(&self, id: Uuid, files: &[DataFile], now: Now) -> Result<()> {
        let note = Note { at_ms: now.unix_ms, paths: files.iter().map(|file| file.path.clone()).collect() };
        let note = serde_json::to_vec(&note).map_err(|e| LakeError::json("purge note", e))?;
        self.objects().put(&Path::from(format!("{NOTES}/{id}.json")), PutPayload::from(note)).await?;
        Ok(())
    }

    /// Purges what was noted a day ago. A note whose rewrite never committed names files of the table: they stay.
    ///
    /// # Errors
    /// `Superseded`, storage errors; the rest is purged the next time.
    pub async fn purge_due(&mut self, now: Now) -> Result<u64> {
        let objects = self.objects();
        let notes: Vec<_> = objects.list(Some(&Path::from(NOTES))).try_collect().await?;
        let mut purged = 0;
        for meta in notes {
            let bytes = objects.get(&meta.location).await?.bytes().await?;
            let note: Note = serde_json::from_slice(&bytes).map_err(|e| LakeError::json("purge note", e))?;
            if now.unix_ms - note.at_ms < self.rules.purge_after_ms {
                continue;
            }
            purged += self.purge(&note.paths).await?;
            objects.delete(&meta.location).await?;
        }
        Ok(purged)
    }
}
