//! Erasure: what rows say of a person goes, in every file, whatever its age (ingestion.md 3.12; privacy.md 8.5).
//!
//! Not Delta's DELETE: it starves behind appends, and takes rows away of which the offsets must stay. Files are found by reading
//! who is named in them, those that came since the last look alone; what they are replaced by is made by the one rewriter. Replaced
//! files are deleted a day later (`remove`). What may not be read again from the log of the table: least and greatest record ids of
//! old files go with its clean-up.
//!
//! Absent: whom a row is about, and who is erased ([`Erase`] knows).

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;

use super::expire::in_groups;
use super::rewrite::{Change, Reason, Rewrite};
use super::{Did, Maintainer, Now};
use crate::events::RowFilter;
use crate::{DataFile, Lane, Result};

/// Columns by which rows are found.
const SEEN: [&str; 7] = ["event_id", "event_type", "agency", "schema_id", "record_id", "_status", "subject_refs"];
/// And of rows that are about other rows.
const SAID: [&str; 8] =
    ["event_id", "event_type", "agency", "schema_id", "record_id", "_status", "subject_refs", "payload"];
/// The types that are about other rows and name nobody.
const ABOUT_OTHERS: [&str; 2] = ["pk.tip.record.corrected", "pk.tip.record.retracted"];

/// Who knows whom a row is about, and who is erased.
///
/// Must be a function of the rows it has seen: an answer may not change with time.
pub trait Erase: Debug + Send + Sync {
    /// Notes whom rows (event id, type, agency, schema, record, status, subjects) are about, and gives whether some must be changed. Files
    /// of the side lane come first; all rows may come twice.
    ///
    /// # Errors
    /// A row that this program does not write.
    fn see(&mut self, rows: &RecordBatch) -> Result<bool>;

    /// Notes corrections and retractions (the same columns, and the payload) of rows that must go; gives whether some were new: then
    /// all of them are shown once more.
    ///
    /// # Errors
    /// As [`Erase::see`].
    fn see_said_of_others(&mut self, rows: &RecordBatch) -> Result<bool>;

    /// As many rows, with all columns of a data file, of which nobody who is erased can be read any more.
    ///
    /// # Errors
    /// As [`Erase::see`].
    fn erase(&self, rows: RecordBatch) -> Result<RecordBatch>;
}

/// What was looked through, and for whom.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Names the persons.
    pub whom: Option<[u8; 32]>,
    /// Files in which nobody of them is.
    pub clean: HashSet<String>,
}

impl Maintainer {
    /// Erases in all files that were not looked through for the same persons before; `whom` tells other persons from these.
    ///
    /// # Errors
    /// `Superseded`, `RowsDiffer`, storage errors; what was done so far stays, and the rest is done by the next call.
    pub async fn erase<E: Erase + 'static>(&mut self, mut eraser: E, whom: [u8; 32], now: Now) -> Result<Did> {
        self.events.refresh().await?;
        if self.looked.whom != Some(whom) {
            self.looked = Looked { whom: Some(whom), clean: HashSet::new() };
        }
        let found = self.find(&mut eraser).await?;
        let eraser = Arc::new(eraser);
        let mut did = Did::default();
        for (files, without_bytes) in self.erasable(found).await? {
            let eraser = Arc::clone(&eraser);
            let change: Change = Arc::new(move |rows| eraser.erase(rows));
            let rewrite = Rewrite { files, reason: Reason::Erasure, change: Some(change), without_bytes };
            // Replaced meanwhile by somebody else: found again by the next look.
            if let Some(done) = self.rewrite(rewrite, now).await? {
                did.rewrites += 1;
                did.files_erased += done.files_before;
                did.files_written += done.files_after;
                did.bytes_written += done.bytes_after;
                did.rows_rewritten += done.rows;
            }
        }
        Ok(did)
    }

    /// The files that must be replaced. Rows that are about other rows may lie before or behind them, so all files are asked whom they
    /// are about, then what was said of those rows, until nothing more is found, and then which of them it concerns.
    async fn find<E: Erase>(&mut self, eraser: &mut E) -> Result<Vec<DataFile>> {
        let snapshot = self.events.snapshot()?;
        let here: HashSet<String> = snapshot.files.iter().map(|file| file.path.clone()).collect();
        self.looked.clean.retain(|path| here.contains(path));
        if snapshot.files.iter().all(|file| self.looked.clean.contains(&file.path)) {
            return Ok(Vec::new());
        }
        // Second contents of events lie in the side lane: whoever has seen them knows which rows of the other to remember.
        let (side, main): (Vec<_>, Vec<_>) = snapshot.files.iter().partition(|file| file.lane == Lane::Side);
        for file in side.into_iter().chain(main) {
            let mut rows = snapshot.read(file, &SEEN)?;
            while let Some(rows) = rows.try_next().await? {
                eraser.see(&rows)?;
            }
        }
        let mut more = true;
        while more {
            more = false;
            for file in snapshot.files.iter() {
                let mut rows = snapshot.read_where(file, &SAID, &RowFilter::EventTypes(&ABOUT_OTHERS))?;
                while let Some(rows) = rows.try_next().await? {
                    more |= eraser.see_said_of_others(&rows)?;
                }
            }
        }
        let mut found = Vec::new();
        let unknown = snapshot.files.iter().filter(|file| !self.looked.clean.contains(&file.path));
        for file in unknown.collect::<Vec<_>>() {
            let (mut rows, mut some) = (snapshot.read(file, &SEEN)?, false);
            while let Some(rows) = rows.try_next().await? {
                some |= eraser.see(&rows)?;
            }
            if some {
                found.push(file.clone());
            } else {
                self.looked.clean.insert(file.path.clone());
            }
        }
        Ok(found)
    }

    /// Files in groups that one rewrite takes: of one lane and date, and with or without set-aside bytes.
    async fn erasable(&self, files: Vec<DataFile>) -> Result<Vec<(Vec<DataFile>, bool)>> {
        let mut groups: BTreeMap<(Lane, i32, bool), Vec<DataFile>> = BTreeMap::new();
        for file in files {
            let without_bytes = file.lane == Lane::Side && self.says_without_bytes(&file).await?;
            groups.entry((file.lane, file.ingest_date, without_bytes)).or_default().push(file);
        }
        let most = self.rules.group_bytes;
        let groups = groups.into_iter().flat_map(|((_, _, without_bytes), files)| {
            in_groups(files, most).into_iter().map(move |files| (files, without_bytes))
        });
        Ok(groups.collect())
    }
}
