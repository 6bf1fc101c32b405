//! Stage: facts as typed rows, decoded once (models.md 1).
//!
//! Each accepted or conflicting row of the lake is decoded by `events`, linked with the other rows of its bucket (copies,
//! corrections, retractions) and written to its family's file of that bucket, sorted in the folding order. What the
//! links *mean* is `sql/staging`: nothing is left out here. What came since is staged as a layer above (see `extend`).
//!
//! Decisions, so that they need not be guessed:
//! - Buckets are by record. Their number is a power of two, at most [`MOST_BUCKETS`], by the number of rows
//!   ([`buckets_for`]); marts are the same whatever it is.
//! - A staged row keeps no position of the log: the cut of an edition is applied to the rows of the lake, before staging, and so is what the
//!   steward chose.
//! - A correction sorts after its target whatever its own `record_version` is: it replaces fields of its target.
//!
//! Absent: SQL, rules of counting, Delta.

mod again;
mod batch;
mod choices;
mod copies;
mod extend;
mod family;
mod link;
mod rows;
mod scatter;
mod tellers;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{StreamExt, TryStreamExt};
use lake::{EventsSnapshot, folder};
use policy::Erased;

pub(crate) use again::{EVENT, events};
pub(crate) use batch::{ORDER, fact_code, precision_code};
pub(crate) use choices::Choices;
pub(crate) use copies::Winners;
pub(crate) use extend::{RECORDS, extend, kept};
pub(crate) use family::{Family, RETRACTIONS};
pub(crate) use rows::Raw;
pub use scatter::Also;
pub(crate) use scatter::{COLUMNS, Ends, first_subject, texts, version_of};

use crate::layers::{self, Packing};
use batch::Linked;
use rows::Row;
use scatter::{Bucket, Gone, Scatter};

/// Version of how rows are staged. Another version is staged anew.
pub(crate) const FORMAT: u32 = 8;

/// Most buckets.
pub const MOST_BUCKETS: usize = 256;

/// Rows that a bucket should hold. With a quarter of them, a look for 1,000 records among a million events took 1.1 s instead of 0.4 s
/// (release): most of it was opening files.
const BUCKET_ROWS: u64 = 65_536;
/// Where there are this many buckets, each takes up to [`FULL_ROWS`] before there are more, so that files stay few.
const MANY_BUCKETS: u64 = 64;
/// Rows that a bucket of many holds, up to [`MOST_BUCKETS`] of them. A bucket is decoded as a whole: with 263 thousand rows in each, two at a
/// time, staging peaked at 0.9 GiB.
const FULL_ROWS: u64 = 5 * BUCKET_ROWS;

/// Why facts cannot be staged. Never quotes a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The lake cannot be read, or staged files not be written.
    #[error(transparent)]
    Lake(#[from] lake::LakeError),
    /// Arrow refuses a batch.
    #[error("staged rows do not fit their columns")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Scratch files cannot be written or read.
    #[error("scratch files of staging cannot be used")]
    Scratch(#[from] std::io::Error),
    /// A row of the lake whose envelope this program would not have written.
    #[error("a row of the lake has a `{0}` that this program does not write")]
    Row(&'static str),
    /// A row of an agency that the policy does not list.
    #[error(
        "a row of the lake is of an agency that the policy does not list: a policy may add agencies, never drop them"
    )]
    Agency,
    /// A stored payload that does not decode.
    #[error("a stored event does not decode")]
    Decode(#[source] events::Fault),
    /// A worker thread died.
    #[error("a staging task stopped")]
    Stopped,
}

/// Rows of the lake that were not staged, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// By status (`duplicate`, `set_aside`, `tombstone`, …).
    pub by_status: BTreeMap<String, u64>,
    /// Beyond the cut.
    pub beyond_cut: u64,
}

/// What staging did, row by row; sums are checked (`raw = staged + retractions + erased`).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StageCounts {
    /// Rows of the lake taken: accepted or in conflict.
    pub raw: u64,
    /// Of those, corrections and retractions of what was said of persons who are erased.
    #[serde(default)]
    pub erased: u64,
    /// Rows not taken.
    pub skipped: Skipped,
    /// Rows staged, by family.
    pub staged: BTreeMap<String, u64>,
    /// Retractions: they leave marks on their targets, and no rows that models read.
    pub retractions: u64,
    /// Retractions whose target has not arrived.
    pub retractions_waiting: u64,
    /// Retractions without effect: of the wrong type, or of a retraction.
    pub retractions_flagged: u64,
    /// Events of which the steward said what counts.
    #[serde(default)]
    pub choices: u64,
    /// Of those, events of which the row that counts is here: the other words have no effect (yet).
    #[serde(default)]
    pub chosen: u64,
}

impl StageCounts {
    fn add(&mut self, other: Self) {
        for (family, rows) in other.staged {
            *self.staged.entry(family).or_default() += rows;
        }
        self.erased += other.erased;
        self.retractions += other.retractions;
        self.retractions_waiting += other.retractions_waiting;
        self.retractions_flagged += other.retractions_flagged;
        self.chosen += other.chosen;
    }
}

/// How many buckets so many rows are dealt to.
pub fn buckets_for(rows: u64) -> usize {
    let buckets = rows.div_ceil(BUCKET_ROWS).min(MANY_BUCKETS).max(rows.div_ceil(FULL_ROWS));
    (buckets as usize).next_power_of_two().clamp(1, MOST_BUCKETS)
}

/// Columns of a family's staged rows.
pub(crate) fn schema(family: &Family) -> SchemaRef {
    batch::schema(family)
}

/// Columns of the staged rows of the family of this name, if there is one.
pub fn columns(family: &str) -> Option<SchemaRef> {
    Family::named(family).map(schema)
}

/// The columns that a family's staged rows are sorted by.
pub(crate) fn order(family: &Family) -> Vec<String> {
    batch::order(family)
}

/// Under which rows of persons who are erased are counted among those that were left out, taken out of the lake or not.
pub(crate) const ERASED: &str = "erased";

/// What staging knows of rows beyond those of a bucket.
struct Known {
    /// Which rows of events count that several buckets tell.
    winners: Winners,
    /// Events about persons who are erased.
    gone: Gone,
    /// Those persons.
    erased: Erased,
}

impl Skipped {
    fn skip(&mut self, status: &str, rows: u64) {
        *self.by_status.entry(status.to_owned()).or_default() += rows;
    }
}

/// Numbers an agency's code.
pub(crate) type Agencies = BTreeMap<String, u16>;

/// What staging needs to know.
pub(crate) struct Plan<'a> {
    /// The facts.
    pub events: &'a EventsSnapshot,
    /// Where they end; `None` = with the snapshot.
    pub ends: Option<Ends<'a>>,
    /// Numbers of the agencies.
    pub agencies: &'a Agencies,
    /// Whose rows are left out.
    pub erased: &'a Erased,
    /// Number of buckets; `None` = by the number of rows.
    pub buckets: Option<usize>,
    /// Where unnamed scratch files may be made.
    pub scratch: PathBuf,
    /// Buckets decoded at a time.
    pub parallel: usize,
}

/// Stages into `folder` and tells the number of buckets and what was done.
pub(crate) async fn stage(plan: Plan<'_>, folder: &folder::FolderWriter) -> Result<(usize, StageCounts), StageError> {
    let rows = plan.events.files.iter().map(|file| file.rows).sum();
    let count = plan.buckets.unwrap_or_else(|| buckets_for(rows));
    let choices = Choices::among(plan.events, &plan.events.files, plan.agencies, plan.ends).await?;
    let mut scatter = Scatter::new(count, &plan, &choices);
    for file in plan.events.files.iter() {
        let mut batches = plan.events.read(file, &scatter::COLUMNS)?;
        while let Some(batch) = batches.try_next().await? {
            scatter.push(&batch)?;
        }
    }
    let (raw, skipped, choices) = (scatter.rows, scatter.skipped.clone(), choices.len() as u64);
    let mut counts = StageCounts { raw, skipped, choices, ..StageCounts::default() };
    let (buckets, winners, gone) = scatter.finish()?;
    let known = std::sync::Arc::new(Known { winners, gone, erased: plan.erased.clone() });
    let agencies = std::sync::Arc::new(plan.agencies.clone());
    let mut work = futures::stream::iter(buckets.into_iter().enumerate())
        .map(|(number, bucket)| {
            let (folder, known, agencies) = (folder.clone(), known.clone(), agencies.clone());
            tokio::spawn(async move { write_bucket(number, bucket, &known, &agencies, &folder).await })
        })
        .buffer_unordered(plan.parallel.max(1));
    while let Some(done) = work.next().await {
        counts.add(done.map_err(|_| StageError::Stopped)??);
    }
    Ok((count, counts))
}

async fn write_bucket(
    number: usize,
    bucket: Bucket,
    known: &Known,
    agencies: &Agencies,
    folder: &folder::FolderWriter,
) -> Result<StageCounts, StageError> {
    let (batches, counts) = stage_bucket(bucket, known, agencies)?;
    for (family, batch) in batches {
        let order = batch::order(family);
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        layers::write(folder, &layers::file_name(family.name, number), &order, &batch, Packing::Small).await?;
    }
    Ok(counts)
}

type Batches = Vec<(&'static Family, RecordBatch)>;

/// Decodes, links and sorts the rows of one bucket.
fn stage_bucket(bucket: Bucket, known: &Known, agencies: &Agencies) -> Result<(Batches, StageCounts), StageError> {
    let sealed = bucket.take()?;
    let raws: Vec<_> = sealed.iter().flat_map(scatter::raws).collect();
    stage_rows(&raws, known, agencies)
}

fn stage_rows(
    raws: &[rows::Raw<'_>],
    known: &Known,
    agencies: &Agencies,
) -> Result<(Batches, StageCounts), StageError> {
    let decoded = raws.iter().map(|raw| Row::decode(*raw, &known.erased)).collect::<Result<Vec<_>, _>>();
    let (mut rows, gone) = rows::without(decoded.map_err(StageError::Decode)?, &known.gone);
    copies::mark(&mut rows, &known.winners);
    let links = link::link(&rows.iter().map(Row::told).collect::<Vec<_>>());
    let linked: Vec<Linked<'_, '_>> = rows.iter().zip(links).map(|(row, links)| Linked { row, links }).collect();
    let agency = |code: &str| agencies.get(code).copied();
    let mut batches = Vec::new();
    for family in Family::all() {
        let batch = batch::batch(family, &linked, &agency)?;
        if batch.num_rows() > 0 {
            batches.push((family, batch));
        }
    }
    let mut counts = StageCounts { erased: gone, ..StageCounts::default() };
    counts.add_rows(&batches);
    Ok((batches, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_become_more_as_rows_do_so_that_none_of_a_country_is_large() {
        let rows = [0, 65_536, 65_537, 4_000_000, 10_000_000, 20_971_520, 33_600_000, 80_000_000, 1_000_000_000];
        assert_eq!(rows.map(buckets_for), [1, 1, 2, 64, 64, 64, 128, 256, MOST_BUCKETS]);
    }
}
