//! Stages what came since the last time: the records that new events are about, whole, as a layer above what is staged.
//!
//! Rows that were staged before are found by their record, linked anew with the new ones and written once more, so that a record
//! lies in one layer. An event that was told before (a conflict, or a copy that ingest did not see) is read from the lake again
//! with all its rows: which of them counts is decided by content, and staged rows have none.
//!
//! Absent: what to do when the lake's history is gone (the caller stages everything).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::UInt64Type;
use futures::TryStreamExt;
use lake::{DataFile, folder};
use uuid::Uuid;

use super::batch::{self, IS_CHOSEN, Linked, RECORD_HASH};
use super::choices::Choices;
use super::copies::{self, Winners};
use super::link::{self, Told};
use super::rows::{self, Raw, Row};
use super::scatter::{self, Gone, Scatter, raws};
use super::{Agencies, Family, Plan, RETRACTIONS, StageCounts, StageError, again};
use crate::error::ModelsError;
use crate::exchange;
use crate::keys::{Keys, hash_bytes};
use crate::layers::{self, Kept, Layers, Packing, Pick};

/// What was added.
pub(crate) struct Extended {
    /// Buckets of the layer.
    pub buckets: usize,
    /// What has been staged, with all that lies below.
    pub counts: StageCounts,
}

/// The name under which a layer says which records it holds.
pub(crate) const RECORDS: &str = "records";

/// By which staged rows are found and replaced.
pub(crate) fn kept(family: &Family) -> Kept<'static> {
    Kept { table: family.name, key: RECORD_HASH, replaces: RECORDS }
}

/// Stages the rows of `added` above `below`, of which `counts` were staged before. Gives nothing where everything has to be staged: an event
/// has several contents, one of them a correction or retraction of what is not here, and whether that waits or was said of somebody who is
/// erased decides which content counts.
pub(crate) async fn extend(
    plan: Plan<'_>,
    added: &[DataFile],
    below: &Layers,
    counts: &StageCounts,
    folder: &folder::FolderWriter,
) -> Result<Option<Extended>, ModelsError> {
    let said = Choices::among(plan.events, added, plan.agencies, plan.ends).await?;
    let choices = Choices::staged(&plan, below).await?.and(&said);
    let (fresh, mut gone, scattered) = fresh(&plan, added, &choices).await?;
    let new = fresh.iter().flat_map(raws).map(|raw| raw.key()).chain(said.events());
    let told_before = told_before(new.collect(), below, plan.parallel).await?;
    let (again, more) = if told_before.events.is_empty() {
        (Vec::new(), Gone::new())
    } else {
        refetch(&plan, &told_before.events, &choices).await?
    };
    gone.extend(more);
    let is_again = |raw: &Raw<'_>| told_before.events.contains(&raw.key());
    let (new_again, new): (Vec<_>, Vec<_>) = fresh.iter().flat_map(raws).partition(&is_again);
    let again: Vec<Raw<'_>> = again.iter().flat_map(scatter::raws).filter(is_again).collect();
    let told_again = again.len() - new_again.len();
    let decoded = new.into_iter().chain(again).map(|raw| Row::decode(raw, plan.erased)).collect::<Result<Vec<_>, _>>();
    let (mut rows, erased) = rows::without(decoded.map_err(StageError::Decode)?, &gone);
    copies::mark(&mut rows, &Winners::new());

    let of_rows = rows.iter().map(|row| hash_bytes(row.raw.record_id.as_bytes()));
    let records: Keys = of_rows.chain(told_before.records).collect();
    let earlier = earlier(below, &Arc::new(records.clone()), plan.parallel).await?;
    if !plan.erased.is_empty() && is_in_doubt(&rows, &earlier) {
        return Ok(None);
    }
    let mut after = counts.clone();
    after.raw += scattered.raw;
    after.erased += erased;
    after.choices = choices.len() as u64;
    after.skip(&scattered.skipped);
    after.take_away(&earlier);
    let staged_before = row_count(&earlier);
    let earlier = without(earlier, &told_before.events)?;
    // Of rows that were told before, those that were not staged were left out with what they correct, and counted.
    after.erased -= (told_again - (staged_before - row_count(&earlier))) as u64;
    let families = merge(&rows, earlier, plan.agencies)?;
    after.add_rows(&families);
    let buckets = super::buckets_for(row_count(&families) as u64).min(below.buckets());
    write(&families, buckets, folder).await?;
    layers::write_changed(folder, RECORDS, &records).await?;
    Ok(Some(Extended { buckets, counts: after }))
}

/// The rows of each family, in no order.
pub(crate) type ByFamily = Vec<(&'static Family, RecordBatch)>;

/// What was read of the new files.
struct Scattered {
    raw: u64,
    skipped: super::Skipped,
}

fn row_count(families: &ByFamily) -> usize {
    families.iter().map(|(_, rows)| rows.num_rows()).sum()
}

/// Whether one of several contents of an event corrects or retracts what is neither among these rows nor staged before.
fn is_in_doubt(rows: &[Row<'_>], earlier: &ByFamily) -> bool {
    let mut contents: HashMap<(u16, u128), usize> = HashMap::new();
    for row in rows {
        *contents.entry(row.raw.key()).or_default() += 1;
    }
    let staged: HashSet<(u16, u128)> = earlier.iter().flat_map(|(_, rows)| again::events(rows)).collect();
    rows.iter().filter(|row| contents[&row.raw.key()] > 1).any(|row| {
        let target = row.target().map(|target| (row.raw.agency, target));
        target.is_some_and(|target| !contents.contains_key(&target) && !staged.contains(&target))
    })
}

/// The rows that count of new files, sealed.
async fn fresh(
    plan: &Plan<'_>,
    added: &[DataFile],
    choices: &Choices,
) -> Result<(Vec<RecordBatch>, Gone, Scattered), ModelsError> {
    let mut scatter = Scatter::new(1, plan, choices);
    for file in added {
        let mut batches = plan.events.read(file, &scatter::COLUMNS)?;
        while let Some(batch) = batches.try_next().await? {
            scatter.push(&batch)?;
        }
    }
    let scattered = Scattered { raw: scatter.rows, skipped: scatter.skipped.clone() };
    let (rows, gone) = scatter.into_one()?;
    Ok((rows, gone, scattered))
}

/// Events that are new, or newly spoken of by the steward, and were told before, and the records of those earlier rows.
struct ToldBefore {
    events: HashSet<(u16, u128)>,
    records: Vec<u64>,
}

async fn told_before(events: HashSet<(u16, u128)>, below: &Layers, parallel: usize) -> Result<ToldBefore, ModelsError> {
    let events = Arc::new(events);
    // The lowest bits of an id are random: they tell nearly all ids apart without a look into the set.
    let ids: Arc<Keys> = Arc::new(events.iter().map(|(_, id)| *id as u64).collect());
    let is_one = {
        let events = Arc::clone(&events);
        Pick::new(&again::EVENT, move |rows| {
            Ok(again::events(rows).map(|event| Some(ids.contains(event.1 as u64) && events.contains(&event))).collect())
        })
    };
    let mut found = ToldBefore { events: HashSet::new(), records: Vec::new() };
    for family in Family::all() {
        let columns = [RECORD_HASH, again::EVENT[0], again::EVENT[1]];
        for rows in below.rows(kept(family), Some(&columns), std::slice::from_ref(&is_one), parallel).await? {
            found.events.extend(again::events(&rows));
            let hashes = rows.column_by_name(RECORD_HASH).map(AsArray::as_primitive::<UInt64Type>);
            found.records.extend(hashes.into_iter().flat_map(|hashes| hashes.values().iter().copied()));
        }
    }
    Ok(found)
}

/// All rows of these events that count, sealed, wherever they are in the lake.
async fn refetch(
    plan: &Plan<'_>,
    events: &HashSet<(u16, u128)>,
    choices: &Choices,
) -> Result<(Vec<RecordBatch>, Gone), ModelsError> {
    let ids: Vec<Uuid> = events.iter().map(|(_, id)| Uuid::from_u128(*id)).collect();
    let texts = Arc::new(ids.iter().map(Uuid::to_string).collect::<HashSet<String>>());
    let mut scatter = Scatter::new(1, plan, choices);
    for file in plan.events.files.iter().filter(|file| ids.iter().any(|id| file.may_carry(*id))) {
        let Some(mut batches) = plan.events.seek_ids(file, &texts, &scatter::COLUMNS).await?.rows else { continue };
        while let Some(batch) = batches.try_next().await? {
            scatter.push(&batch)?;
        }
    }
    Ok(scatter.into_one()?)
}

/// The rows of these records that are staged.
async fn earlier(below: &Layers, records: &Arc<Keys>, parallel: usize) -> Result<ByFamily, ModelsError> {
    let mut out = Vec::new();
    for family in Family::all() {
        let rows = below.rows(kept(family), None, &[Pick::within(RECORD_HASH, records)], parallel).await?;
        if !rows.is_empty() {
            out.push((family, concat_batches(&batch::schema(family), &rows)?));
        }
    }
    Ok(out)
}

/// The rows of other events.
fn without(rows: ByFamily, events: &HashSet<(u16, u128)>) -> Result<ByFamily, ModelsError> {
    if events.is_empty() {
        return Ok(rows);
    }
    let others = |rows: &RecordBatch| -> BooleanArray {
        again::events(rows).map(|event| Some(!events.contains(&event))).collect()
    };
    rows.into_iter().map(|(family, rows)| Ok((family, filter_record_batch(&rows, &others(&rows))?))).collect()
}

/// New rows and earlier ones of the same records, linked and sorted.
fn merge(rows: &[Row<'_>], earlier: ByFamily, agencies: &Agencies) -> Result<ByFamily, ModelsError> {
    let mut told: Vec<Told<'_>> = rows.iter().map(Row::told).collect();
    for (family, rows) in &earlier {
        told.extend(again::told(family, rows));
    }
    let links = link::link(&told);
    let (mine, mut rest) = links.split_at(rows.len());
    let linked: Vec<Linked<'_, '_>> = rows.iter().zip(mine).map(|(row, links)| Linked { row, links: *links }).collect();
    let agency = |code: &str| agencies.get(code).copied();
    let mut parts = std::collections::BTreeMap::new();
    for (family, rows) in &earlier {
        let (own, others) = rest.split_at(rows.num_rows());
        parts.insert(family.name, again::with_links(rows, own)?);
        rest = others;
    }
    let mut out = Vec::new();
    for family in Family::all() {
        let new = batch::batch(family, &linked, &agency)?;
        let both = match parts.remove(family.name) {
            Some(old) => concat_batches(&new.schema(), [&old, &new])?,
            None => new,
        };
        if both.num_rows() > 0 {
            out.push((family, exchange::sorted(&both, &batch::order(family))?));
        }
    }
    Ok(out)
}

async fn write(families: &ByFamily, buckets: usize, folder: &folder::FolderWriter) -> Result<(), ModelsError> {
    for (family, rows) in families {
        let order = batch::order(family);
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        for (bucket, rows) in exchange::split(rows, RECORD_HASH, buckets)?.iter().enumerate() {
            layers::write(folder, &layers::file_name(family.name, bucket), &order, rows, Packing::Small).await?;
        }
    }
    Ok(())
}

impl StageCounts {
    fn skip(&mut self, skipped: &super::Skipped) {
        self.skipped.beyond_cut += skipped.beyond_cut;
        for (status, rows) in &skipped.by_status {
            *self.skipped.by_status.entry(status.clone()).or_default() += rows;
        }
    }

    /// Counts rows that are staged.
    pub(super) fn add_rows(&mut self, families: &ByFamily) {
        for (family, rows) in families {
            self.chosen += flagged_so(rows, IS_CHOSEN);
            if family.name == RETRACTIONS.name {
                let (waiting, flagged) = waiting_and_flagged(rows);
                self.retractions += rows.num_rows() as u64;
                self.retractions_waiting += waiting;
                self.retractions_flagged += flagged;
            } else {
                *self.staged.entry(family.name.to_owned()).or_default() += rows.num_rows() as u64;
            }
        }
    }

    /// Forgets rows that are staged anew.
    fn take_away(&mut self, families: &ByFamily) {
        for (family, rows) in families {
            self.chosen -= flagged_so(rows, IS_CHOSEN);
            if family.name == RETRACTIONS.name {
                let (waiting, flagged) = waiting_and_flagged(rows);
                self.retractions -= rows.num_rows() as u64;
                self.retractions_waiting -= waiting;
                self.retractions_flagged -= flagged;
            } else if let Some(staged) = self.staged.get_mut(family.name) {
                *staged -= rows.num_rows() as u64;
            }
        }
        self.staged.retain(|_, rows| *rows > 0);
    }
}

fn waiting_and_flagged(rows: &RecordBatch) -> (u64, u64) {
    (flagged_so(rows, "target_unknown"), flagged_so(rows, "flagged"))
}

/// Rows for which a flag holds.
fn flagged_so(rows: &RecordBatch, name: &str) -> u64 {
    rows.column_by_name(name).map_or(0, |flags| flags.as_boolean().true_count() as u64)
}
