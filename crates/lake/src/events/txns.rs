//! The application transactions of one version of a table: which offset each partition has reached, under which
//! claim.
//!
//! delta-rs answers for one application id by a replay of the log; this reads the newest checkpoint's `txn` column
//! and the commits after it once, and then only what is new. [`Txns::load`] is checked against delta-rs in tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use deltalake::logstore::LogStoreRef;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use serde::{Deserialize, Serialize};

use super::entry::{Commit, LOG, read_commit};
use crate::{LakeError, Result, parquet_file};

/// Every `txn` of the log up to `version`, the latest of each application id.
#[derive(Debug, Clone)]
pub(crate) struct Txns {
    pub version: u64,
    /// The checkpoint this was read from.
    pub checkpoint: Option<u64>,
    by_app: Arc<BTreeMap<String, i64>>,
}

impl Txns {
    /// Reads the transactions of `version`.
    pub async fn load(log: &LogStoreRef, version: u64) -> Result<Self> {
        let objects = log.object_store(None);
        let checkpoint = newest_checkpoint(&objects, version).await?;
        let mut txns = Self { version: 0, checkpoint, by_app: Arc::default() };
        match checkpoint {
            Some(at) => {
                txns.by_app = Arc::new(read_checkpoint(&objects, at).await?.txns);
                txns.version = at;
            }
            None => txns.by_app = Arc::new(commit_of(log, 0).await?.txns.into_iter().collect()),
        }
        while txns.version < version {
            txns.follow(commit_of(log, txns.version + 1).await?.txns);
        }
        Ok(txns)
    }

    /// Notes the transactions of the next version.
    pub fn follow(&mut self, txns: impl IntoIterator<Item = (String, i64)>) {
        let mut txns = txns.into_iter().peekable();
        if txns.peek().is_some() {
            Arc::make_mut(&mut self.by_app).extend(txns);
        }
        self.version += 1;
    }

    /// Takes these for transactions of this version, which they are not (a planted mistake; see [`crate::mistake`]).
    pub fn pretend(&mut self, txns: impl IntoIterator<Item = (String, i64)>) {
        Arc::make_mut(&mut self.by_app).extend(txns);
    }

    pub fn get(&self, app_id: &str) -> Option<i64> {
        self.by_app.get(app_id).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.by_app.iter().map(|(app, version)| (app.as_str(), *version))
    }
}

async fn commit_of(log: &LogStoreRef, version: u64) -> Result<Commit> {
    read_commit(log, version).await?.ok_or(LakeError::HistoryGone { lake_version: version })
}

/// The newest single-file checkpoint at or before `version`. Listing costs no more than the commit itself does, and
/// `_last_checkpoint` may be newer than the version asked for.
async fn newest_checkpoint(objects: &Arc<dyn ObjectStore>, version: u64) -> Result<Option<u64>> {
    // The hint lets a long log be listed from its end only.
    let hint = hinted_checkpoint(objects).await?;
    if hint.is_some_and(|v| v <= version) && exists(objects, hint.unwrap_or(0)).await? {
        return Ok(hint);
    }
    Ok(checkpoints(objects).await?.into_iter().filter(|v| *v <= version).max())
}

/// Versions of all single-file checkpoints, in no order.
pub(crate) async fn checkpoints(objects: &Arc<dyn ObjectStore>) -> Result<Vec<u64>> {
    let names: Vec<_> = objects.list(Some(&LOG.into())).try_collect().await?;
    Ok(names.iter().filter_map(|meta| checkpoint_version(meta.location.filename()?)).collect())
}

fn hint_path() -> Path {
    Path::from(LOG).join("_last_checkpoint")
}

#[derive(Serialize, Deserialize)]
struct Hint {
    version: u64,
    #[serde(default)]
    size: i64,
}

/// The version that the log says its newest checkpoint has.
pub(crate) async fn hinted_checkpoint(objects: &Arc<dyn ObjectStore>) -> Result<Option<u64>> {
    match objects.get(&hint_path()).await {
        Ok(found) => Ok(serde_json::from_slice::<Hint>(&found.bytes().await?).ok().map(|hint| hint.version)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Says that a checkpoint is the newest.
pub(crate) async fn put_hint(objects: &Arc<dyn ObjectStore>, version: u64) -> Result<()> {
    let size = read_checkpoint(objects, version).await?.actions;
    let hint = serde_json::to_vec(&Hint { version, size }).map_err(|e| LakeError::json("_last_checkpoint", e))?;
    objects.put(&hint_path(), hint.into()).await?;
    Ok(())
}

/// Says that there is no checkpoint.
pub(crate) async fn remove_hint(objects: &Arc<dyn ObjectStore>) -> Result<()> {
    match objects.delete(&hint_path()).await {
        Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

async fn exists(objects: &Arc<dyn ObjectStore>, version: u64) -> Result<bool> {
    match objects.head(&checkpoint_path(version)).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

pub(crate) fn checkpoint_path(version: u64) -> Path {
    Path::from(format!("_delta_log/{version:020}.checkpoint.parquet"))
}

fn checkpoint_version(name: &str) -> Option<u64> {
    name.strip_suffix(".checkpoint.parquet").filter(|v| v.len() == 20)?.parse().ok()
}

/// What a checkpoint holds.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    pub txns: BTreeMap<String, i64>,
    /// Data files.
    pub files: u64,
    /// Actions of all kinds.
    pub actions: i64,
}

pub(crate) async fn read_checkpoint(objects: &Arc<dyn ObjectStore>, version: u64) -> Result<Checkpoint> {
    let file = parquet_file::open(Arc::clone(objects), checkpoint_path(version).as_ref(), None).await?;
    let columns = ProjectionMask::columns(file.parquet_schema(), ["txn", "add.path"]);
    let mut rows = file.with_projection(columns).build()?;
    let mut found = Checkpoint::default();
    while let Some(batch) = rows.try_next().await? {
        found.actions += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        let part = |name: &str| batch.column_by_name(name).and_then(|column| column.as_struct_opt());
        if let Some(add) = part("add") {
            found.files += (add.len() - add.null_count()) as u64;
        }
        let Some(txn) = part("txn") else { continue };
        let (Some(apps), Some(versions)) = (txn.column_by_name("appId"), txn.column_by_name("version")) else {
            return Err(LakeError::Damaged { table: "events".into(), what: format!("checkpoint {version}") });
        };
        let (apps, versions) = (apps.as_string::<i32>(), versions.as_primitive::<Int64Type>());
        let named = (0..batch.num_rows()).filter(|row| txn.is_valid(*row) && apps.is_valid(*row));
        found.txns.extend(named.map(|row| (apps.value(row).to_owned(), versions.value(row))));
    }
    Ok(found)
}
