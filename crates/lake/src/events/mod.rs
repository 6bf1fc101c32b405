//! The table `events`: every accepted, set-aside and duplicate row, with the offset up to which each partition was
//! read, in one atomic commit (ingestion.md 3.1–3.5).
//!
//! In reading order: `schema` (columns), `write` (rows to files), `commit` (files to rows), `claim` (who may commit), `reset` (an operator moves an offset), `owner` (who holds what),
//! `snapshot` and `read` (readers), `checkpoint`, `seen` (what a writer knows of a version), `txns` (what it remembers), `entry` (one commit of the log).
//!
//! Guarantees: I1–I3 of ingestion.md 3.2, by the txn actions. Absent: knowledge of policy, SQL, the log's own kind.

mod checkpoint;
mod claim;
mod commit;
pub(crate) mod entry;
mod owner;
mod permit;
mod read;
mod reset;
mod schema;
mod seen;
mod snapshot;
pub(crate) mod txns;
mod write;

use std::collections::BTreeMap;

use deltalake::DeltaTable;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::logstore::LogStoreRef;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;

pub use commit::{ClosedBatch, Counts, OffsetRange, Outcome};
pub use owner::Owner;
pub use read::{IdFilter, RowFilter, Sought};
pub use reset::{Move, Reset};
pub use schema::{PARTITION_COLUMNS, STATS_COLUMNS, file_schema, schema};
pub(crate) use schema::{WITHOUT_BYTES, compacted_properties, is_known, sorting_columns, to_delta};
pub(crate) use snapshot::ERASURE;
pub use snapshot::{DataFile, EventsSnapshot, Lane, Skips, Span};
pub(crate) use write::FILE_BYTES;
pub use write::{LaneBatch, LaneWriter, Written};

use crate::events::entry::{Commit, newest_version, read_commit};
use crate::events::seen::Seen;
use crate::{LakeError, PartitionId, Result, Store};

/// Path of the table in the store.
const PATH: &str = "lake/events/";

/// The table `events` as one process sees it. A writer has its own; readers use [`EventsSnapshot`]s.
#[derive(Debug, Clone)]
pub struct Events {
    store: Store,
    /// As delta-rs has it: at the version seen or behind it; see [`Events::delta`].
    table: DeltaTable,
    writer_id: String,
    seen: Seen,
    retry: Retry,
    /// The last commit failed, and what came of it has not been looked at yet.
    unresolved: bool,
    /// Version of the newest checkpoint known of.
    checkpointed: u64,
}

/// How long a commit is tried before its error is given back. The batch may then be tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// Attempts in one call, at least 1.
    pub attempts: u32,
    /// Wait after the first failed attempt, in milliseconds; doubled each time, at most 2 s.
    pub wait_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 8, wait_ms: 20 }
    }
}

impl Events {
    /// Opens the table, creating it when the store has none. `writer_id` must be new at each start of a process: it
    /// marks this writer's claims and rows.
    ///
    /// # Errors
    /// `Damaged` when the last commit or its files are torn, `Schema` when our rows do not fit the table's columns.
    pub async fn open_or_create(store: &Store, writer_id: &str) -> Result<Self> {
        match Self::open(store, writer_id).await {
            Err(LakeError::NoTable(_)) => {}
            other => return other,
        }
        let builder = CreateBuilder::new()
            .with_log_store(store.table(PATH)?.build_storage()?)
            .with_table_name("events")
            .with_columns(schema::delta_columns()?)
            .with_partition_columns(PARTITION_COLUMNS)
            .with_save_mode(SaveMode::Ignore)
            .with_configuration(properties())
            .with_commit_properties(quiet());
        if let Err(e) = builder.await {
            // Another process may have created it meanwhile; opening tells.
            tracing::debug!(error = %e, "creating the table");
            return Self::open(store, writer_id).await.map_err(|_| e.into());
        }
        Self::open(store, writer_id).await
    }

    /// Opens the table for reading, or for writing as `writer_id`.
    ///
    /// # Errors
    /// `NoTable` when the store has none; else as [`Events::open_or_create`].
    pub async fn open(store: &Store, writer_id: &str) -> Result<Self> {
        let mut table = store.table(PATH)?.build()?;
        if !table.verify_deltatable_existence().await? {
            return Err(LakeError::NoTable("events"));
        }
        table.load().await?;
        schema::fits(&table.snapshot()?.schema())?;
        snapshot::check_last_commit(&table).await?;
        let seen = Seen::load(&table).await?;
        let checkpointed = seen.txns.checkpoint.unwrap_or(0);
        let (store, writer_id) = (store.clone(), writer_id.to_owned());
        Ok(Self { store, table, writer_id, seen, retry: Retry::default(), unresolved: false, checkpointed })
    }

    /// The same with other patience.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The store this table is in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Who commits through this handle.
    pub fn writer_id(&self) -> &str {
        &self.writer_id
    }

    /// Version of the table this handle has seen.
    pub fn lake_version(&self) -> u64 {
        self.seen.version()
    }

    /// Catches up with what others committed and gives the version.
    ///
    /// # Errors
    /// `Schema` when our rows do not fit the table's columns any more, storage errors; the version seen is the one before or one in
    /// between then.
    pub async fn refresh(&mut self) -> Result<u64> {
        match self.follow(|_| Ok(())).await {
            // Older commits were cleaned up meanwhile, or the table itself was changed: the newest checkpoint tells.
            Err(LakeError::HistoryGone { .. }) => self.reload().await,
            Err(error) => Err(error),
            Ok(()) => Ok(self.lake_version()),
        }
    }

    /// Follows the log to its newest version, commit by commit, unless one of them does not `pass`.
    async fn follow(&mut self, mut pass: impl FnMut(&Commit) -> Result<()>) -> Result<()> {
        let log = self.log();
        let newest = newest_version(&log.object_store(None), self.lake_version()).await?;
        while self.lake_version() < newest {
            let gone = LakeError::HistoryGone { lake_version: self.lake_version() + 1 };
            let Some(commit) = read_commit(&log, self.lake_version() + 1).await? else { return Err(gone) };
            pass(&commit)?;
            if commit.changes_table {
                return Err(gone);
            }
            self.seen.follow(commit)?;
        }
        Ok(())
    }

    /// Forgets what is cached and reads the table anew: after any error.
    pub(crate) async fn reload(&mut self) -> Result<u64> {
        let mut table = self.store.table(PATH)?.build()?;
        table.load().await?;
        schema::fits(&table.snapshot()?.schema())?;
        self.seen = Seen::load(&table).await?;
        self.checkpointed = self.seen.txns.checkpoint.unwrap_or(0).max(self.checkpointed);
        self.table = table;
        self.unresolved = false;
        Ok(self.lake_version())
    }

    /// The next offset to read of each partition, after catching up; `None` = never read.
    pub async fn next_offsets(&mut self, partitions: &[PartitionId]) -> Result<BTreeMap<PartitionId, Option<i64>>> {
        self.refresh().await?;
        Ok(partitions.iter().map(|p| (p.clone(), self.txn(&p.app_id()))).collect())
    }

    /// The next offset to read of a partition at the version seen; `None` = never read.
    pub fn next_offset(&self, partition: &PartitionId) -> Option<i64> {
        self.txn(&partition.app_id())
    }

    /// The claim on a partition at the version seen; `None` = never claimed.
    pub fn claim_of(&self, partition: &PartitionId) -> Option<i64> {
        self.txn(&partition.claim_app_id())
    }

    /// The next offset of a partition without an acknowledged receipt, at the version seen; `None` = there never was one.
    pub fn receipted(&self, partition: &PartitionId) -> Option<i64> {
        self.txn(&partition.receipt_app_id())
    }

    /// The log of the table.
    pub(crate) fn log(&self) -> LogStoreRef {
        self.table.log_store()
    }

    /// The table as delta-rs knows it, brought up to the version seen.
    pub(crate) async fn delta(&mut self) -> Result<&DeltaTable> {
        let version = self.lake_version();
        if self.table.snapshot()?.version() != version {
            let mut table = self.table.clone();
            table.update_incremental(Some(version)).await?;
            self.table = table;
        }
        Ok(&self.table)
    }

    /// What the version seen remembers of an application id.
    pub(crate) fn txn(&self, app_id: &str) -> Option<i64> {
        self.seen.txns.get(app_id)
    }

    /// How often a commit is tried.
    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// A pinned view of the version this handle has seen; call [`Events::refresh`] first to see others' commits.
    pub fn snapshot(&self) -> Result<EventsSnapshot> {
        Ok(EventsSnapshot::new(&self.seen, self.log()))
    }
}

fn properties() -> Vec<(String, Option<String>)> {
    let text = |key: &str, value: String| (key.to_owned(), Some(value));
    vec![
        text("delta.appendOnly", "true".into()),
        text("delta.dataSkippingStatsColumns", STATS_COLUMNS.join(",")),
        text("delta.enableExpiredLogCleanup", "false".into()),
        text("delta.logRetentionDuration", "interval 30 days".into()),
    ]
}

/// Commits without delta-rs's own housekeeping: an error there would hide that the commit is durable.
pub(crate) fn quiet() -> CommitProperties {
    CommitProperties::default()
        .with_max_retries(15)
        .with_create_checkpoint(false)
        .with_cleanup_expired_logs(Some(false))
}
