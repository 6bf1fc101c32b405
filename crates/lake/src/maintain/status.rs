//! One round of maintenance, and what is kept of it for an operator to see.

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::{HOUR_MS, Maintainer, Now, Wanted};
use crate::{LakeError, Result, Store};

const PATH: &str = "lake/_maintain/status.json";

/// What maintenance did, in counts. They add up over rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Did {
    /// Commits that replaced files.
    pub rewrites: u64,
    /// Files that compaction replaced.
    pub files_replaced: u64,
    /// Files that set-aside bytes were taken from.
    pub files_expired: u64,
    /// Files that persons were erased from.
    pub files_erased: u64,
    /// Files written in their place.
    pub files_written: u64,
    /// Bytes of these.
    pub bytes_written: u64,
    /// Rows in them.
    pub rows_rewritten: u64,
    /// Checkpoints made.
    pub checkpoints: u64,
    /// Files of the log deleted.
    pub log_files_deleted: u64,
    /// Data files deleted that no version needs.
    pub files_vacuumed: u64,
    /// Data files deleted because their bytes had to go.
    pub files_purged: u64,
}

impl std::ops::AddAssign for Did {
    fn add_assign(&mut self, other: Self) {
        self.rewrites += other.rewrites;
        self.files_replaced += other.files_replaced;
        self.files_expired += other.files_expired;
        self.files_erased += other.files_erased;
        self.files_written += other.files_written;
        self.bytes_written += other.bytes_written;
        self.rows_rewritten += other.rows_rewritten;
        self.checkpoints += other.checkpoints;
        self.log_files_deleted += other.log_files_deleted;
        self.files_vacuumed += other.files_vacuumed;
        self.files_purged += other.files_purged;
    }
}

/// The state of the table after the last round, as any process may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// When the round ended, milliseconds since 1970.
    pub last_run_ms: i64,
    /// When the daily work was done, milliseconds since 1970.
    pub daily_ms: i64,
    /// Who maintains.
    pub holder: String,
    /// Under which number.
    pub number: u64,
    /// Version of the table.
    pub lake_version: u64,
    /// Versions since the last checkpoint: what opening the table has to read.
    pub versions_since_checkpoint: u64,
    /// Files of the table.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Files that compaction would replace.
    pub files_waiting: u64,
    /// What was done since the status was first written.
    pub did: Did,
}

impl Status {
    /// What the last round left; `None` = nobody has maintained this store.
    ///
    /// # Errors
    /// `Json` when it is not readable, storage errors.
    pub async fn read(store: &Store) -> Result<Option<Self>> {
        match store.objects().get(&Path::from(PATH)).await {
            Ok(found) => {
                let bytes = found.bytes().await?;
                serde_json::from_slice(&bytes).map(Some).map_err(|e| LakeError::json("status of maintenance", e))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// What a round is given.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// When it is.
    pub now: Now,
    /// Version up to which staging has read the table.
    pub staged: Option<u64>,
    /// Set-aside bytes of ingest dates before this go (days since 1970); `None` = they stay.
    pub keep_from: Option<i32>,
    /// Do the daily work even if it was done today.
    pub all: bool,
    /// What was done in this turn before the round.
    pub before: Did,
}

impl Maintainer {
    /// Does everything that is due: checkpoint and compaction each time, the rest once a day. `heard` is told of each
    /// group of files before it is compacted.
    ///
    /// # Errors
    /// `Superseded` when another process maintains; storage errors. What was done so far stays.
    pub async fn round(&mut self, round: Round, heard: impl FnMut(&Wanted, usize)) -> Result<(Did, Status)> {
        let seen = self.events.lake_version();
        self.announce().await?;
        let idle = self.events.lake_version() == seen;
        let mut did = round.before;
        did.checkpoints += u64::from(self.checkpoint(idle).await?.is_some());
        let last = Status::read(self.events.store()).await.unwrap_or_default();
        let daily_ms = last.as_ref().map_or(i64::MIN / 2, |last| last.daily_ms);
        let daily = round.all || round.now.unix_ms - daily_ms >= 24 * HOUR_MS;
        did += self.compact(round.now, round.staged, heard).await?;
        if daily {
            if let Some(keep_from) = round.keep_from {
                did += self.expire(keep_from, round.now).await?;
            }
            if self.events.snapshot()?.erasures > 0 {
                // Commits of before name records; they go once two checkpoints have made them needless, of a quiet table too.
                did.checkpoints += u64::from(self.checkpoint_after(1).await?.is_some());
            }
            did.files_vacuumed = self.vacuum(round.now).await?;
            did.log_files_deleted = self.clean_log(round.now).await?;
        }
        did.files_purged = self.purge_due(round.now).await?;
        let status = self.status(round, daily, last, did).await?;
        let bytes = serde_json::to_vec_pretty(&status).map_err(|e| LakeError::json("status of maintenance", e))?;
        self.objects().put(&Path::from(PATH), PutPayload::from(bytes)).await?;
        Ok((did, status))
    }

    async fn status(&mut self, round: Round, daily: bool, last: Option<Status>, did: Did) -> Result<Status> {
        let waiting = self.to_compact(round.now, round.staged).await?;
        let snapshot = self.events.snapshot()?;
        let mut all = last.as_ref().map(|last| last.did).unwrap_or_default();
        all += did;
        Ok(Status {
            last_run_ms: round.now.unix_ms,
            daily_ms: if daily { round.now.unix_ms } else { last.map_or(0, |last| last.daily_ms) },
            holder: self.holder.clone(),
            number: self.number.get().unwrap_or(0),
            lake_version: snapshot.lake_version,
            versions_since_checkpoint: self.events.versions_since_checkpoint(),
            files: snapshot.files.len() as u64,
            bytes: snapshot.files.iter().map(|file| file.bytes).sum(),
            files_waiting: waiting.iter().map(|group| group.files.len() as u64).sum(),
            did: all,
        })
    }
}
