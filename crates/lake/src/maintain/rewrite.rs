//! The one way to replace files: the same rows in new files, in one commit (ingestion.md 3.12).
//!
//! Read at S, write, check that the rows are the same, commit removes and adds with `data_change=false` on S. Every
//! rewrite carries the shared transaction `rewrite/v1`: delta-rs lets two rewrites of the same file both pass, and the
//! rows would double (ingestion.md 2.2; `tests/it/conflicts.rs` holds delta-rs to it). Appends pass meanwhile.
//!
//! As with appends every error of a commit is ambiguous: the table is read again and searched for our commit.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use buoyant_kernel::expressions::Scalar;
use deltalake::kernel::{Action, Add, Remove};
use deltalake::protocol::DeltaOperation;
use futures::TryStreamExt;
use indexmap::IndexMap;
use serde_json::Value;
use uuid::Uuid;

use super::fingerprint::Fingerprint;
use super::sort::Sorter;
use super::{CLAIM, Maintainer, Now};
use crate::events::{ERASURE, FILE_BYTES, PARTITION_COLUMNS, compacted_properties, file_schema, is_known};
use crate::{DataFile, Events, EventsSnapshot, LakeError, Lane, Result, failpoint};

/// Application id that all rewrites share, so that two never both win.
const REWRITE: &str = "rewrite/v1";

/// Rows of rewritten files are in this order; the position makes it one order, whatever the files were.
pub(super) const ORDER: [&str; 6] =
    ["record_id", "record_version", "event_id", "log_stream", "log_partition", "log_offset"];

/// Why maintenance committed something; stands in the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Another process took the lease.
    Lease,
    /// Few large files instead of many small ones.
    Compaction,
    /// Set-aside bytes whose time is over.
    Expiry,
    /// Persons who were to be erased.
    Erasure,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Compaction => "compaction",
            Self::Expiry => "expiry",
            Self::Erasure => "erasure",
        }
    }
}

/// What is done to the rows on their way; their number stays.
pub(super) type Change = Arc<dyn Fn(RecordBatch) -> Result<RecordBatch> + Send + Sync>;

/// Files of one lane and date, to be replaced.
pub(super) struct Rewrite {
    pub files: Vec<DataFile>,
    pub reason: Reason,
    /// `None` = the rows stay as they are.
    pub change: Option<Change>,
    /// Whether no set-aside row of the new files has bytes, which they say.
    pub without_bytes: bool,
}

/// What a rewrite came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub files_before: u64,
    pub files_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub rows: u64,
}

impl Maintainer {
    /// Replaces files. `None` = one of them was replaced by somebody else meanwhile, and nothing was done.
    ///
    /// # Errors
    /// `RowsDiffer` when the new files do not hold the rows of the old ones, `Schema` when they would lose a column, `Superseded`, `Unresolved`, storage errors.
    /// The table is as it was, but for `Unresolved`, where the rewrite is in whole or not at all.
    pub(super) async fn rewrite(&mut self, rewrite: Rewrite, now: Now) -> Result<Option<Rewritten>> {
        let id = self.next_id();
        self.look().await?;
        is_known(&self.events.delta().await?.snapshot()?.schema())?;
        let snapshot = self.events.snapshot()?;
        let base = snapshot.lake_version;
        if !are_active(&snapshot, &rewrite.files) {
            return Ok(None);
        }
        let (events, rules, scratch) = (self.events.clone(), self.rules.clone(), self.scratch());
        let (files, change, without_bytes) = (rewrite.files.clone(), rewrite.change, rewrite.without_bytes);
        let runtime = tokio::runtime::Handle::current();
        // Sorting and encoding take a core for a while, so they happen on a thread that may compute.
        let work = move || {
            runtime.block_on(write(
                &events,
                &snapshot,
                &files,
                Written { change, without_bytes },
                rules.run_bytes,
                &scratch,
            ))
        };
        let written = tokio::task::spawn_blocking(work).await;
        let adds = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        failpoint("rewrite_after_upload")?;
        if matches!(rewrite.reason, Reason::Expiry | Reason::Erasure) {
            // Before the commit: bytes that must go are not forgotten if we die after it.
            self.note_purge(id, &rewrite.files, now).await?;
        }
        let done = self.commit(id, &rewrite.files, &adds, rewrite.reason, base, now.unix_ms).await?;
        Ok(done.map(|_| Rewritten {
            files_before: rewrite.files.len() as u64,
            files_after: adds.len() as u64,
            bytes_before: rewrite.files.iter().map(|file| file.bytes).sum(),
            bytes_after: adds.iter().map(|add| add.size.unsigned_abs()).sum(),
            rows: rewrite.files.iter().map(|file| file.rows).sum(),
        }))
    }

    /// Commits under the number of the lease, and finds out what became of it.
    pub(super) async fn commit(
        &mut self,
        id: Uuid,
        files: &[DataFile],
        adds: &[Add],
        reason: Reason,
        base: u64,
        now_ms: i64,
    ) -> Result<Option<u64>> {
        let retry = self.events.retry();
        let mut wait = Duration::from_millis(retry.wait_ms);
        let mut attempts = 0;
        loop {
            let error = match self.attempt(id, files, adds, reason, base, now_ms, attempts > 0).await {
                Err(e) if !matches!(e, LakeError::FailPoint(_) | LakeError::Superseded { .. }) => e,
                done => return done,
            };
            attempts += 1;
            tracing::warn!(%id, attempts, error = &error as &dyn std::error::Error, "maintenance commit to be resolved");
            if attempts >= retry.attempts {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one look and one try of `commit`, with what it was given")]
    async fn attempt(
        &mut self,
        id: Uuid,
        files: &[DataFile],
        adds: &[Add],
        reason: Reason,
        base: u64,
        now_ms: i64,
        again: bool,
    ) -> Result<Option<u64>> {
        if again {
            self.events.reload().await?;
        }
        if let Some(version) = self.events.find_commit(id, base).await? {
            return Ok(Some(version));
        }
        let number = self.fence()?;
        if !files.is_empty() && !are_active(&self.events.snapshot()?, files) {
            return Ok(None);
        }
        let mut txns = vec![(CLAIM.to_owned(), i64::try_from(number).unwrap_or(i64::MAX))];
        if !files.is_empty() {
            txns.push((REWRITE.to_owned(), self.events.txn(REWRITE).unwrap_or(0) + 1));
        }
        if reason == Reason::Erasure {
            txns.push((ERASURE.to_owned(), self.events.txn(ERASURE).unwrap_or(0) + 1));
        }
        let removes = files.iter().map(|file| Action::Remove(remove(file, now_ms)));
        let actions = removes.chain(adds.iter().cloned().map(Action::Add)).collect();
        let info = HashMap::from([
            ("batch_id".to_owned(), Value::String(id.to_string())),
            ("writer_id".to_owned(), Value::String(self.holder.clone())),
            ("maintenance".to_owned(), Value::String(reason.name().to_owned())),
        ]);
        let size = i64::try_from(FILE_BYTES).unwrap_or(i64::MAX);
        let operation = DeltaOperation::Optimize { predicate: None, target_size: size };
        failpoint("rewrite_before_commit")?;
        let version = self.events.replace(actions, txns, info, operation).await?;
        failpoint("rewrite_after_commit")?;
        Ok(Some(version))
    }
}

fn are_active(snapshot: &EventsSnapshot, files: &[DataFile]) -> bool {
    let active: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
    files.iter().all(|file| active.contains(file.path.as_str()))
}

/// The file leaves the table; its rows do not.
fn remove(file: &DataFile, now_ms: i64) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change: false,
        deletion_timestamp: Some(now_ms),
        extended_file_metadata: Some(true),
        partition_values: Some(HashMap::from([
            (PARTITION_COLUMNS[0].to_owned(), Some(file.lane.name().to_owned())),
            (PARTITION_COLUMNS[1].to_owned(), Some(date(file.ingest_date))),
        ])),
        size: i64::try_from(file.bytes).ok(),
        ..Remove::default()
    }
}

/// Days since 1970 as `2026-11-23`.
fn date(days: i32) -> String {
    (chrono::NaiveDate::default() + chrono::Duration::days(i64::from(days))).to_string()
}

/// How rows are written anew.
struct Written {
    change: Option<Change>,
    without_bytes: bool,
}

/// Writes the rows of files, all of one lane and date, into new ones, and checks that these hold what they should.
async fn write(
    events: &Events,
    snapshot: &EventsSnapshot,
    files: &[DataFile],
    Written { change, without_bytes }: Written,
    run_bytes: usize,
    scratch: &std::path::Path,
) -> Result<Vec<Add>> {
    let Some(first) = files.first() else { return Ok(Vec::new()) };
    let columns: Vec<&str> = file_columns();
    let mut read = Fingerprint::new(&file_schema())?;
    let mut sorter = Sorter::new(file_schema(), &ORDER, run_bytes, scratch)?;
    for file in files {
        let mut batches = snapshot.read(file, &columns)?;
        while let Some(batch) = batches.try_next().await? {
            let batch = match &change {
                Some(change) => change(batch)?,
                None => batch,
            };
            read.add(&batch)?;
            sorter.push(batch)?;
        }
    }
    let expected: u64 = files.iter().map(|file| file.rows).sum();
    if read.rows() != expected {
        return Err(LakeError::RowsDiffer { expected, found: read.rows() });
    }
    failpoint("rewrite_before_upload")?;
    let properties = compacted_properties(expected, without_bytes);
    let mut writer = events.files(properties)?;
    let place = place(first.lane, first.ingest_date);
    let mut sorted = sorter.finish()?;
    let written = loop {
        match sorted.next() {
            Ok(Some(batch)) => {
                if let Err(e) = writer.write_partition(batch, &place).await {
                    break Err(e.into());
                }
            }
            Ok(None) => break Ok(()),
            Err(e) => break Err(e),
        }
    };
    if let Err(e) = written {
        if let Err(error) = writer.abort().await {
            tracing::warn!(%error, "an upload could not be ended; its parts are left to the store's own clean-up");
        }
        return Err(e);
    }
    let mut adds = writer.close().await?;
    for add in &mut adds {
        add.data_change = false;
    }
    check(snapshot, first, &adds, &read).await?;
    Ok(adds)
}

/// Reads the new files back: the same rows as were read, each once.
async fn check(snapshot: &EventsSnapshot, like: &DataFile, adds: &[Add], read: &Fingerprint) -> Result<()> {
    let mut found = Fingerprint::new(&file_schema())?;
    for add in adds {
        let bytes = add.size.unsigned_abs();
        let file = DataFile { path: add.path.clone(), bytes, span: None, ..like.clone() };
        let mut batches = snapshot.read(&file, &file_columns())?;
        while let Some(batch) = batches.try_next().await? {
            found.add(&batch)?;
        }
    }
    if found.get() == read.get() {
        return Ok(());
    }
    Err(LakeError::RowsDiffer { expected: read.rows(), found: found.rows() })
}

/// All columns of a data file.
fn file_columns() -> Vec<&'static str> {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| file_schema().fields().iter().map(|field| field.name().clone()).collect());
    NAMES.iter().map(String::as_str).collect()
}

fn place(lane: Lane, ingest_date: i32) -> IndexMap<String, Scalar> {
    IndexMap::from([
        (PARTITION_COLUMNS[0].to_owned(), Scalar::String(lane.name().to_owned())),
        (PARTITION_COLUMNS[1].to_owned(), Scalar::Date(ingest_date)),
    ])
}
