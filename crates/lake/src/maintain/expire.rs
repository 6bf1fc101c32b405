//! Expiry of set-aside bytes: after their time (90 days) the ciphertext goes; hash, reason, position and the sentence
//! remain (ingestion.md I6, 3.6).
//!
//! Each side file is rewritten once: the new file says so in its footer. What it replaced is deleted a day later
//! (`remove`), not with vacuum's seven.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray};
use arrow::compute::{cast, kernels::cmp, nullif};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use super::rewrite::{Change, Reason, Rewrite};
use super::{Did, Maintainer, Now};
use crate::events::WITHOUT_BYTES;
use crate::{DataFile, LakeError, Lane, Result, parquet_file};

impl Maintainer {
    /// Takes the bytes from set-aside rows of ingest dates before `keep_from` (days since 1970).
    ///
    /// # Errors
    /// `Superseded`, `RowsDiffer`, storage errors; what was done so far stays.
    pub async fn expire(&mut self, keep_from: i32, now: Now) -> Result<Did> {
        let mut did = Did::default();
        for files in self.to_expire(keep_from).await? {
            let (reason, change) = (Reason::Expiry, Some(Arc::new(without_bytes) as Change));
            let rewrite = Rewrite { files, reason, change, without_bytes: true };
            if let Some(done) = self.rewrite(rewrite, now).await? {
                did.rewrites += 1;
                did.files_expired += done.files_before;
                did.files_written += done.files_after;
                did.bytes_written += done.bytes_after;
                did.rows_rewritten += done.rows;
            }
        }
        Ok(did)
    }

    /// Side files of dates before `keep_from` that still hold bytes, by date, in groups that one rewrite takes.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn to_expire(&mut self, keep_from: i32) -> Result<Vec<Vec<DataFile>>> {
        self.events.refresh().await?;
        let snapshot = self.events.snapshot()?;
        let mut by_date: BTreeMap<i32, Vec<DataFile>> = BTreeMap::new();
        for file in snapshot.files.iter().filter(|file| file.lane == Lane::Side && file.ingest_date < keep_from) {
            if self.without_bytes.contains(&file.path) {
                continue;
            }
            if self.says_without_bytes(file).await? {
                self.without_bytes.insert(file.path.clone());
            } else {
                by_date.entry(file.ingest_date).or_default().push(file.clone());
            }
        }
        let most = self.rules.group_bytes;
        Ok(by_date.into_values().flat_map(|files| in_groups(files, most)).collect())
    }

    pub(super) async fn says_without_bytes(&self, file: &DataFile) -> Result<bool> {
        let objects = self.events.log().object_store(None);
        let opened = parquet_file::open(objects, &file.path, Some(file.bytes)).await?;
        let pairs = opened.metadata().file_metadata().key_value_metadata();
        Ok(pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == WITHOUT_BYTES)))
    }
}

pub(super) fn in_groups(files: Vec<DataFile>, most: u64) -> Vec<Vec<DataFile>> {
    let mut groups: Vec<Vec<DataFile>> = Vec::new();
    for file in files {
        match groups.last_mut() {
            Some(group) if group.iter().map(|f| f.bytes).sum::<u64>() + file.bytes <= most => group.push(file),
            _ => groups.push(vec![file]),
        }
    }
    groups
}

/// The rows with `payload` null where they were set aside; a conflict is an event and keeps its own.
fn without_bytes(batch: RecordBatch) -> Result<RecordBatch> {
    let missing = |name: &str| LakeError::Schema(format!("no column `{name}`"));
    let schema = batch.schema();
    let at = schema.index_of("payload").map_err(|_| missing("payload"))?;
    let status = batch.column_by_name("_status").ok_or_else(|| missing("_status"))?;
    let status = cast(status, &DataType::Utf8)?;
    let set_aside = cmp::eq(status.as_string::<i32>(), &arrow::array::StringArray::new_scalar("set_aside"))?;
    let payload = nullif(batch.column(at), &set_aside)?;
    let mut columns = batch.columns().to_vec();
    // Rebuilt from its values: what lies under a null must not reach the new file.
    columns[at] = Arc::new(payload.as_binary::<i32>().iter().collect::<BinaryArray>()) as ArrayRef;
    Ok(RecordBatch::try_new(schema, columns)?)
}
