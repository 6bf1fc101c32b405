//! The entries of a Delta log, read as they lie there: what one commit says, and which is the newest.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use deltalake::logstore::LogStoreRef;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{LakeError, Result};

/// Folder of the log within a table.
pub(super) const LOG: &str = "_delta_log";

/// The lines of a commit that matter here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    txn: Option<Txn>,
    commit_info: Option<Info>,
    add: Option<Added>,
    remove: Option<Removed>,
    meta_data: Option<IgnoredAny>,
    protocol: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Txn {
    app_id: String,
    version: i64,
}

#[derive(Deserialize)]
struct Info {
    batch_id: Option<String>,
    writer_id: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// A file that a commit adds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Added {
    /// Path within the table.
    pub path: String,
    /// Its bytes.
    pub size: i64,
    /// Whether it brings new rows.
    pub data_change: bool,
    /// Values of the partition columns.
    #[serde(default)]
    pub partition_values: HashMap<String, Option<String>>,
    /// Statistics, as JSON.
    #[serde(default)]
    pub stats: Option<String>,
}

#[derive(Deserialize)]
struct Removed {
    path: String,
}

/// What one commit says.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub txns: Vec<(String, i64)>,
    pub batch_id: Option<String>,
    pub writer_id: Option<String>,
    /// Further keys of `commitInfo`.
    pub info: BTreeMap<String, serde_json::Value>,
    /// Files that it adds.
    pub adds: Vec<Added>,
    /// Paths of the files that it removes.
    pub removes: Vec<String>,
    /// Whether it changes the table itself: its columns, properties or protocol.
    pub changes_table: bool,
}

/// Reads the commit of one version; `None` when it is not in the log.
///
/// # Errors
/// `Json` when a line is torn.
pub(crate) async fn read_commit(log: &LogStoreRef, version: u64) -> Result<Option<Commit>> {
    let Some(bytes) = log.read_commit_entry(version).await? else {
        return Ok(None);
    };
    let mut commit = Commit::default();
    for line in serde_json::Deserializer::from_slice(&bytes).into_iter::<Line>() {
        let line = line.map_err(|e| LakeError::json(format!("commit {version}"), e))?;
        commit.txns.extend(line.txn.map(|txn| (txn.app_id, txn.version)));
        if let Some(info) = line.commit_info {
            (commit.batch_id, commit.writer_id, commit.info) = (info.batch_id, info.writer_id, info.rest);
        }
        commit.adds.extend(line.add.map(|add| Added { path: percent_decode(&add.path), ..add }));
        commit.removes.extend(line.remove.map(|remove| percent_decode(&remove.path)));
        commit.changes_table |= line.meta_data.is_some() || line.protocol.is_some();
    }
    Ok(Some(commit))
}

/// Paths in the log are URI-encoded (Delta protocol, "Add File").
fn percent_decode(path: &str) -> String {
    Path::from_url_path(path).map_or_else(|_| path.to_owned(), |p| p.to_string())
}

/// The newest version of the log, which had `seen` once.
///
/// # Errors
/// `HistoryGone` when `seen` is no longer in the log or one after it is missing: only the newest checkpoint tells then.
pub(super) async fn newest_version(objects: &Arc<dyn ObjectStore>, seen: u64) -> Result<u64> {
    let from = Path::from(LOG).join(format!("{seen:020}"));
    let names: Vec<_> = objects.list_with_offset(Some(&Path::from(LOG)), &from).try_collect().await?;
    let mut versions: Vec<u64> = names.iter().filter_map(|meta| commit_version(meta.location.filename()?)).collect();
    versions.sort_unstable();
    let follows = versions.iter().zip(seen..).take_while(|(found, wanted)| *found == wanted).count() as u64;
    if follows == 0 || follows < versions.len() as u64 {
        return Err(LakeError::HistoryGone { lake_version: seen + follows });
    }
    Ok(seen + follows - 1)
}

/// The file of a version's commit.
pub(crate) fn commit_path(version: u64) -> Path {
    Path::from(LOG).join(format!("{version:020}.json"))
}

fn commit_version(name: &str) -> Option<u64> {
    name.strip_suffix(".json").filter(|v| v.len() == 20)?.parse().ok()
}
