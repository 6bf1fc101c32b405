//! A Snapshot: the marts made by one refresh, and what they were made from.
//!
//! A Snapshot is a folder `lake/marts/<number>` under a manifest that is written last: its marts, or what is other in them than in
//! the Snapshot it lies on (`layers`). It is read whole into memory and never changes; who holds one keeps it, whatever later
//! refreshes do. Its rows leave as [`disclosure::Microdata`], for
//! the vault alone.
//!
//! Absent: making one (see `refresh`), any count.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int32Type, Int64Type, UInt16Type, UInt64Type};
use disclosure::{Column, Microdata, MicrodataSource};
use events::code_list::{self, CodeList};
use futures::FutureExt;
use lake::folder::{self, Folder};
use lake::{PartitionId, Store};
use policy::{Cardinality, Policy, TimeLevel, time};
use serde::{Deserialize, Serialize};

use crate::error::ModelsError;
use crate::graph::NodeReport;
use crate::layers::{Kept, Layers};
use crate::mart;
use crate::runtime::side_by_side;
use crate::stage::StageCounts;

/// Where Snapshots lie in the store.
pub(crate) const MARTS: &str = "lake/marts";
/// The mart of the reporting calendar: no dataset, for it counts nothing.
pub(crate) const CALENDAR: &str = "calendar";
/// The marts without a dataset: the calendar, and reference data. They count nobody, and nobody can ask about them.
pub(crate) const WITHOUT_DATASET: [&str; 7] =
    ["agencies", "area_changes", "areas", CALENDAR, "codes", "courts", "populations"];
/// Marts that are read at a time by who opens a Snapshot.
const AT_ONCE: usize = 2;
/// Version of what a Snapshot's manifest says and of how marts are written. Another version is made anew.
pub(crate) const FORMAT: u32 = 4;

/// What a Snapshot was made from. Two with equal inputs under one key have equal marts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Version of this form.
    pub format: u32,
    /// Version of the table of events.
    pub lake_version: u64,
    /// The next offset of each partition: events below it are in, others are not.
    pub cut: Vec<CutEntry>,
    /// BLAKE3 of `sql/`.
    pub sql_blake3: String,
    /// BLAKE3 of the policy.
    pub policy_blake3: String,
}

/// One partition of a cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CutEntry {
    /// `<source>/<stream>`.
    pub log_stream: String,
    /// Its number.
    pub partition: i32,
    /// The next offset.
    pub next: i64,
}

/// A mart as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MartInfo {
    /// Rows.
    pub rows: u64,
    /// BLAKE3 of its canonical form ([`lake::canonical`]).
    pub blake3: String,
}

/// What the manifest of a Snapshot says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// What it was made from.
    pub inputs: Inputs,
    /// What staging did.
    pub stage: StageCounts,
    /// Buckets of staged rows.
    pub buckets: u64,
    /// Milliseconds of staging; 0 when earlier staged rows were used again.
    pub stage_millis: u64,
    /// What each model came to.
    pub models: Vec<NodeReport>,
    /// Marts by name.
    pub marts: BTreeMap<String, MartInfo>,
    /// The records that were folded; none where all were.
    pub records_changed: Option<u64>,
    /// The highest layer of the staged rows it was folded from.
    pub staged: String,
    /// The highest layer of the states that the fold made; none where nothing is kept.
    pub states: Option<String>,
    /// Who was left out because the steward ordered it, as images.
    #[serde(default)]
    pub erased: BTreeSet<[u8; 16]>,
    /// How many of them only later than the cut: a number that was published of this cut counts them.
    #[serde(default)]
    pub erased_since: u64,
    /// The hashes of the marts of the Snapshot that it stands for: of the same cut, with somebody who is erased now.
    #[serde(default)]
    pub stands_for: Option<BTreeMap<String, String>>,
}

/// The marts of one refresh.
#[derive(Clone)]
pub struct Snapshot {
    name: String,
    info: Arc<SnapshotInfo>,
    marts: Arc<BTreeMap<String, RecordBatch>>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({})", self.name)
    }
}

impl Snapshot {
    /// A Snapshot in memory.
    pub(crate) fn new(name: String, info: SnapshotInfo, marts: BTreeMap<String, RecordBatch>) -> Self {
        Self { name, info: Arc::new(info), marts: Arc::new(marts) }
    }

    /// Version of the lake that the latest Snapshot was staged from, without reading its marts; what maintenance must not
    /// touch lies after it.
    ///
    /// # Errors
    /// Storage errors, and a manifest that is not one.
    pub async fn latest_lake_version(store: &Store) -> Result<Option<u64>, ModelsError> {
        let Some(folder) = folder::latest(store, MARTS).await? else { return Ok(None) };
        Ok(Some(info_of(&folder)?.inputs.lake_version))
    }

    /// The name of the Snapshot that [`Snapshot::open_with`] would open, without reading its marts.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn name_with(store: &Store, hashes: &BTreeMap<String, String>) -> Result<Option<String>, ModelsError> {
        let all = folder::list(store, MARTS).await?;
        Ok(all.into_iter().rev().find(|found| has_marts(found, hashes)).map(|found| found.name))
    }

    /// The last complete Snapshot of a store; `None` before the first refresh.
    pub async fn open_latest(store: &Store) -> Result<Option<Self>, ModelsError> {
        match folder::latest(store, MARTS).await? {
            Some(found) => Ok(Some(Self::read(store, &found).await?)),
            None => Ok(None),
        }
    }

    /// The last complete Snapshot whose marts have these hashes, or that stands for one: that which an edition was made of. `None`
    /// where there is none any more.
    pub async fn open_with(store: &Store, hashes: &BTreeMap<String, String>) -> Result<Option<Self>, ModelsError> {
        for found in folder::list(store, MARTS).await?.into_iter().rev() {
            if has_marts(&found, hashes) {
                return Ok(Some(Self::read(store, &found).await?));
            }
        }
        Ok(None)
    }

    /// Reads a complete folder and those it lies on.
    pub(crate) async fn read(store: &Store, found: &Folder) -> Result<Self, ModelsError> {
        let info: SnapshotInfo = info_of(found)?;
        let layers = Layers::below(store, MARTS, found.clone()).await?;
        let task = |(name, described): (&String, &MartInfo)| {
            let (layers, name, described) = (layers.clone(), name.clone(), described.clone());
            async move { Ok((name.clone(), mart_as_described(&layers, &name, &described).await?)) }.boxed()
        };
        let marts = side_by_side(info.marts.iter().map(task).collect(), AT_ONCE).await?.into_iter().collect();
        Ok(Self::new(found.name.clone(), info, marts))
    }

    /// Its name: a number that grows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its manifest says.
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// Version of the table of events it was made from.
    pub fn lake_version(&self) -> u64 {
        self.info.inputs.lake_version
    }

    /// Where the log ends for it: the next offset of each partition.
    pub fn cut(&self) -> BTreeMap<PartitionId, i64> {
        let id =
            |entry: &CutEntry| PartitionId { log_stream: entry.log_stream.as_str().into(), partition: entry.partition };
        self.info.inputs.cut.iter().map(|entry| (id(entry), entry.next)).collect()
    }

    /// BLAKE3 of `sql/` as it was folded.
    pub fn sql_hash(&self) -> &str {
        &self.info.inputs.sql_blake3
    }

    /// BLAKE3 of the policy it was folded under.
    pub fn policy_hash(&self) -> &str {
        &self.info.inputs.policy_blake3
    }

    /// BLAKE3 of the canonical form of each mart: what "equal" means.
    pub fn hashes(&self) -> BTreeMap<String, String> {
        self.info.marts.iter().map(|(name, mart)| (name.clone(), mart.blake3.clone())).collect()
    }

    /// Events that went in: accepted or in conflict.
    pub fn events(&self) -> u64 {
        self.info.stage.raw
    }

    /// The reporting calendar: what agencies were expected to report, and their word that there was nothing.
    pub fn calendar(&self) -> Result<Vec<Report>, ModelsError> {
        reports(self.mart(CALENDAR)?)
    }

    /// The same of the latest Snapshot, without reading its other marts.
    ///
    /// # Errors
    /// No Snapshot; storage errors.
    pub(crate) async fn latest_calendar(store: &Store) -> Result<Vec<Report>, ModelsError> {
        let latest = folder::latest(store, MARTS).await?.ok_or(ModelsError::NoSnapshot)?;
        reports(&mart_of(&Layers::below(store, MARTS, latest).await?, CALENDAR).await?)
    }

    /// The rows of a dataset as the vault reads them, with every column, level, measure and band that the policy names,
    /// and the levels of time.
    ///
    /// # Errors
    /// There is no such mart, or it lacks a column that the policy names.
    pub fn microdata(&self, dataset: &str, policy: &Policy) -> Result<Microdata, ModelsError> {
        microdata_of(self.mart(dataset)?, dataset, policy)
    }

    /// The same of what began on one of these days (days since 1970-01-01): what is known only by its year begins with it.
    pub fn microdata_within(
        &self,
        dataset: &str,
        policy: &Policy,
        days: &RangeInclusive<i32>,
    ) -> Result<Microdata, ModelsError> {
        let mart = self.mart(dataset)?;
        let began = mart.column_by_name("occurred_from").and_then(|c| c.as_primitive_opt::<Int32Type>());
        let began = began.ok_or_else(|| missing(dataset, "occurred_from"))?;
        let within: BooleanArray = began.values().iter().map(|day| Some(days.contains(day))).collect();
        microdata_of(&filter_record_batch(mart, &within)?, dataset, policy)
    }

    /// This Snapshot as the vault's source of rows.
    pub fn source<'a>(&'a self, policy: &'a Policy) -> Source<'a> {
        Source { snapshot: self, policy }
    }

    /// Bytes of memory that its marts take.
    pub fn memory_bytes(&self) -> usize {
        self.marts.values().map(RecordBatch::get_array_memory_size).sum()
    }

    pub(crate) fn marts(&self) -> &BTreeMap<String, RecordBatch> {
        &self.marts
    }

    pub(crate) fn mart(&self, name: &str) -> Result<&RecordBatch, ModelsError> {
        self.marts.get(name).ok_or_else(|| ModelsError::NoTable(name.to_owned()))
    }
}

/// The rows of a mart in these layers.
async fn mart_of(layers: &Layers, name: &str) -> Result<RecordBatch, ModelsError> {
    let key = mart::key(!WITHOUT_DATASET.contains(&name));
    let kept = Kept { table: name, key: &key, replaces: name };
    mart::from_files(&layers.schema(name).await?, layers.rows(kept, None, &[], 1).await?)
}

/// The same, if they are as many as the manifest names.
///
/// # Errors
/// `Reconcile` where they are not; storage errors.
pub(crate) async fn mart_as_described(
    layers: &Layers,
    name: &str,
    described: &MartInfo,
) -> Result<RecordBatch, ModelsError> {
    let rows = mart_of(layers, name).await?;
    let (left, right) = (rows.num_rows() as u64, described.rows);
    if left == right {
        return Ok(rows);
    }
    Err(ModelsError::Reconcile { what: "rows of a mart, and rows that its manifest names", left, right })
}

/// The lines of the mart of the reporting calendar.
fn reports(mart: &RecordBatch) -> Result<Vec<Report>, ModelsError> {
    let column = |name: &str| mart.column_by_name(name).ok_or_else(|| missing(CALENDAR, name));
    let numbers = |name: &str| Ok::<_, ModelsError>(column(name)?.as_primitive::<UInt16Type>().clone());
    let days = |name: &str| Ok::<_, ModelsError>(column(name)?.as_primitive::<Int32Type>().clone());
    let (agency, kind, from, to) = (numbers("agency")?, numbers("kind")?, days("period_from")?, days("period_to")?);
    let nil = column("nil")?.as_boolean().clone();
    let report = |row| Report {
        agency: agency.value(row),
        kind: kind.value(row),
        from: from.value(row),
        to: to.value(row),
        nil: nil.value(row),
    };
    Ok((0..mart.num_rows()).map(report).collect())
}

/// A line of the reporting calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    /// Number of the agency.
    pub agency: u16,
    /// What is reported (list `report_kind`).
    pub kind: u16,
    /// First day of the period.
    pub from: i32,
    /// Last day of the period.
    pub to: i32,
    /// Whether it is the agency's word that there was nothing to report; else the steward's that a report is expected.
    pub nil: bool,
}

/// A Snapshot under a policy, as the vault sees it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    snapshot: &'a Snapshot,
    policy: &'a Policy,
}

impl<'a> Source<'a> {
    /// The Snapshot.
    pub(crate) fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The policy that its rows are opened under.
    pub(crate) fn policy(&self) -> &'a Policy {
        self.policy
    }
}

impl Source<'_> {
    /// The rows of a dataset that began on one of these days.
    pub(crate) fn within(&self, dataset: &str, days: &RangeInclusive<i32>) -> Result<Microdata, ModelsError> {
        self.snapshot.microdata_within(dataset, self.policy, days)
    }
}

impl MicrodataSource for Source<'_> {
    type Error = ModelsError;

    fn open(&self, dataset: &str) -> Result<Microdata, ModelsError> {
        self.snapshot.microdata(dataset, self.policy)
    }
}

/// What a folder's manifest says of a Snapshot.
pub(crate) fn info_of(folder: &Folder) -> Result<SnapshotInfo, ModelsError> {
    serde_json::from_value(folder.manifest.metadata.clone()).map_err(ModelsError::Manifest)
}

/// Whether a folder holds the marts with these hashes, or stands for one that did.
pub(crate) fn has_marts(folder: &Folder, hashes: &BTreeMap<String, String>) -> bool {
    info_of(folder).is_ok_and(|info| {
        if info.stands_for.as_ref() == Some(hashes) {
            return true;
        }
        let same = |(name, mart): (&String, &MartInfo)| hashes.get(name) == Some(&mart.blake3);
        info.marts.len() == hashes.len() && info.marts.iter().all(same)
    })
}

/// The rows of a mart in the vault's words.
fn microdata_of(mart: &RecordBatch, dataset: &str, policy: &Policy) -> Result<Microdata, ModelsError> {
    let known = policy.datasets.get(dataset).ok_or_else(|| ModelsError::NoTable(dataset.to_owned()))?;
    let mut dims = time_columns(mart, dataset)?;
    for column in known.columns.values() {
        let fits = || missing(dataset, &column.name);
        let values = mart.column_by_name(&column.name).ok_or_else(fits)?;
        let list = code_list::find(&column.list).ok_or_else(fits)?;
        let finest = match column.cardinality {
            Cardinality::One => {
                Column::One(values.as_primitive_opt::<UInt16Type>().ok_or_else(fits)?.values().to_vec())
            }
            Cardinality::Many => unpack(values.as_primitive_opt::<Int64Type>().ok_or_else(fits)?.values()),
        };
        for level in &column.levels {
            let coarser = code_list::find(&level.list).ok_or_else(fits)?;
            dims.insert(level.name.clone(), rolled_up(&finest, list, coarser));
        }
        dims.insert(column.name.clone(), finest);
    }
    let mut measures = BTreeMap::new();
    for measure in known.measures.values() {
        let values = mart.column_by_name(&measure.name).and_then(|c| c.as_primitive_opt::<Int64Type>());
        let values: Vec<Option<i64>> = values.ok_or_else(|| missing(dataset, &measure.name))?.iter().collect();
        let bands = values.iter().map(|value| measure.band_of(*value)).collect();
        dims.insert(measure.band.clone(), Column::One(bands));
        measures.insert(measure.name.clone(), values);
    }
    let wide = |name: &str| -> Result<Vec<u64>, ModelsError> {
        let column = mart.column_by_name(name).and_then(|c| c.as_primitive_opt::<UInt64Type>());
        Ok(column.ok_or_else(|| missing(dataset, name))?.values().to_vec())
    };
    Ok(Microdata {
        dataset: dataset.to_owned(),
        sid: wide("sid")?,
        case_sid: wide("case_sid")?,
        agency: codes(mart, dataset, "agency")?,
        served_by: mart.column_by_name("served_by").map(|_| codes(mart, dataset, "served_by")).transpose()?,
        dims,
        measures,
    })
}

fn missing(mart: &str, column: &str) -> ModelsError {
    ModelsError::Column { mart: mart.to_owned(), column: column.to_owned() }
}

fn codes(mart: &RecordBatch, dataset: &str, name: &str) -> Result<Vec<u16>, ModelsError> {
    let column = mart.column_by_name(name).and_then(|c| c.as_primitive_opt::<UInt16Type>());
    Ok(column.ok_or_else(|| missing(dataset, name))?.values().to_vec())
}

fn time_columns(mart: &RecordBatch, dataset: &str) -> Result<BTreeMap<String, Column>, ModelsError> {
    let mut out = BTreeMap::new();
    for level in [TimeLevel::Year, TimeLevel::Quarter, TimeLevel::Month] {
        out.insert(level.name().to_owned(), Column::One(codes(mart, dataset, level.name())?));
    }
    let fiscal = |quarter| TimeLevel::Quarter.roll_up(TimeLevel::FiscalYear, quarter).unwrap_or(time::UNKNOWN);
    let fiscal_years = codes(mart, dataset, TimeLevel::Quarter.name())?.into_iter().map(fiscal);
    out.insert(TimeLevel::FiscalYear.name().to_owned(), Column::One(fiscal_years.collect()));
    Ok(out)
}

/// Bits to lists of codes.
fn unpack(sets: &[i64]) -> Column {
    let (mut offsets, mut codes) = (vec![0_u32], Vec::with_capacity(sets.len()));
    for &set in sets {
        let mut rest = set as u64;
        while rest != 0 {
            codes.push(rest.trailing_zeros() as u16);
            rest &= rest - 1;
        }
        offsets.push(codes.len() as u32);
    }
    Column::Many { offsets, codes }
}

/// A column at a coarser level; a unit keeps each coarser code once.
fn rolled_up(column: &Column, list: &CodeList, coarser: &CodeList) -> Column {
    let map: Vec<u16> = (0..list.codes.len() as u16).map(|code| list.roll_up(code, coarser)).collect();
    let up = |code: u16| map.get(usize::from(code)).copied().unwrap_or(coarser.unknown());
    match column {
        Column::One(codes) => Column::One(codes.iter().map(|code| up(*code)).collect()),
        Column::Many { offsets, codes } => {
            let (mut to_offsets, mut to) = (vec![0_u32], Vec::with_capacity(codes.len()));
            for ends in offsets.windows(2) {
                let start = to.len();
                for &code in &codes[ends[0] as usize..ends[1] as usize] {
                    let code = up(code);
                    if !to[start..].contains(&code) {
                        to.push(code);
                    }
                }
                to_offsets.push(to.len() as u32);
            }
            Column::Many { offsets: to_offsets, codes: to }
        }
    }
}
