//! `refresh`: facts become a Snapshot.
//!
//! stage (decode, link, sort) → fold (`sql/`) → marts → manifest. The manifest is written last: killed anywhere, the next
//! refresh starts from the last complete one, uses staged rows that are complete, and sweeps what is not. Nothing new in
//! the lake, the same `sql/` and policy: the last Snapshot is given back.
//!
//! One refresh at a time: the caller holds [`lake::StoreLock::REFRESH`]. Readers keep the Snapshot they opened.
//!
//! Absent: publishing (see `edition`), any clock but for the times in the report.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use events::code_list;
use lake::folder::{self, Folder};
use lake::{EventsSnapshot, PartitionId, Store};
use policy::{Keys, Policy};
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Rollups};
use crate::error::ModelsError;
use crate::graph::{NodeReport, Run, Staged, State};
use crate::mart;
use crate::model::{self, Layer, Model};
use crate::runtime::Cpu;
use crate::snapshot::{self, CutEntry, Inputs, MARTS, MartInfo, Snapshot, SnapshotInfo};
use crate::sql::SqlSet;
use crate::stage::{self, StageCounts};

/// Where staged rows lie in the store.
const STAGED: &str = "lake/staged";
/// Where a recomputation works; nothing stays there.
const RECOMPUTE: &str = "lake/recompute";
/// The mart of the reporting calendar: no dataset, for it counts nothing.
const CALENDAR: &str = "calendar";
/// Snapshots kept beside the last one.
const KEPT: usize = 1;

/// How to refresh.
#[derive(Debug, Clone)]
pub struct RefreshOptions {
    /// Only events below these offsets, for a recomputation. The result is in memory alone; nothing stays in the store.
    pub below: Option<BTreeMap<PartitionId, i64>>,
    /// The files of `sql/`.
    pub sql: SqlSet,
    /// Number of buckets (a power of two); `None` = by the number of rows.
    pub buckets: Option<usize>,
    /// Threads that compute.
    pub threads: usize,
    /// Whether every test of every `.yml` is run.
    pub thorough: bool,
    /// Make a new Snapshot even if nothing changed.
    pub force: bool,
    /// Hashes of the marts of a Snapshot that is open to questions: it is kept, however old.
    pub in_use: Option<BTreeMap<String, String>>,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        Self {
            below: None,
            sql: SqlSet::embedded(),
            buckets: None,
            threads: 2,
            thorough: false,
            force: false,
            in_use: None,
        }
    }
}

/// What a refresh did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshReport {
    /// Name of the Snapshot.
    pub snapshot: String,
    /// Whether the last Snapshot was still right and nothing was done.
    pub unchanged: bool,
    /// What staging did.
    pub stage: StageCounts,
    /// Buckets of staged rows.
    pub buckets: u64,
    /// Milliseconds of staging; 0 when earlier staged rows were used again.
    pub stage_millis: u64,
    /// What each model came to, in order.
    pub models: Vec<NodeReport>,
    /// Marts by name.
    pub marts: BTreeMap<String, MartInfo>,
}

/// Makes a Snapshot of the facts, or gives back the last one if it is still right.
pub async fn refresh(
    store: &Store,
    events: &EventsSnapshot,
    policy: &Arc<Policy>,
    keys: &Arc<Keys>,
    options: &RefreshOptions,
) -> Result<(Snapshot, RefreshReport), ModelsError> {
    let work = Work {
        store: store.clone(),
        events: events.clone(),
        policy: Arc::clone(policy),
        keys: Arc::clone(keys),
        options: options.clone(),
    };
    let cpu = Cpu::new(options.threads)?;
    cpu.run(async move { work.run().await }).await
}

struct Work {
    store: Store,
    events: EventsSnapshot,
    policy: Arc<Policy>,
    keys: Arc<Keys>,
    options: RefreshOptions,
}

impl Work {
    async fn run(self) -> Result<(Snapshot, RefreshReport), ModelsError> {
        let inputs = self.inputs();
        if self.options.below.is_some() {
            return self.recompute(inputs).await;
        }
        for parent in [STAGED, MARTS] {
            folder::sweep(&self.store, parent).await?;
        }
        let last = folder::latest(&self.store, MARTS).await?;
        if let Some(last) = &last
            && !self.options.force
            && snapshot::info_of(last).is_ok_and(|info| info.inputs == inputs)
        {
            let found = Snapshot::read(last).await?;
            let report = report(&found, true);
            return Ok((found, report));
        }
        let staged = self.staged(STAGED, &inputs).await?;
        let name = next_name(last.as_ref());
        let found = self.fold(MARTS, &name, inputs, staged).await?;
        self.forget_old(STAGED, 1).await?;
        self.forget_old(MARTS, 1 + KEPT).await?;
        let report = report(&found, false);
        Ok((found, report))
    }

    /// The same below a cut, leaving nothing behind.
    async fn recompute(&self, inputs: Inputs) -> Result<(Snapshot, RefreshReport), ModelsError> {
        self.clear_recompute().await?;
        let staged = self.staged(RECOMPUTE, &inputs).await?;
        let found = self.fold(RECOMPUTE, "marts", inputs, staged).await;
        self.clear_recompute().await?;
        let found = found?;
        let report = report(&found, false);
        Ok((found, report))
    }

    async fn clear_recompute(&self) -> Result<(), ModelsError> {
        for old in folder::list(&self.store, RECOMPUTE).await? {
            folder::remove(&self.store, RECOMPUTE, &old.name).await?;
        }
        folder::sweep(&self.store, RECOMPUTE).await?;
        Ok(())
    }

    fn inputs(&self) -> Inputs {
        let cut = self.options.below.as_ref().unwrap_or(&self.events.cut);
        let entry = |(id, next): (&PartitionId, &i64)| CutEntry {
            log_stream: id.log_stream.to_string(),
            partition: id.partition,
            next: *next,
        };
        Inputs {
            format: snapshot::FORMAT,
            lake_version: self.events.lake_version,
            cut: cut.iter().map(entry).collect(),
            sql_blake3: self.options.sql.hash().to_hex().to_string(),
            policy_blake3: self.policy.hash.to_hex().to_string(),
        }
    }

    /// Staged rows of these inputs: those of an earlier refresh if they are complete, else made now.
    async fn staged(&self, parent: &str, inputs: &Inputs) -> Result<StagedRows, ModelsError> {
        let wanted = StagedInfo::key(inputs);
        if let Some(last) = folder::latest(&self.store, parent).await?
            && let Ok(info) = serde_json::from_value::<StagedInfo>(last.manifest.metadata.clone())
            && info.key == wanted
            && self.options.buckets.is_none_or(|buckets| buckets as u64 == info.buckets)
        {
            return Ok(StagedRows { folder: last, buckets: info.buckets as usize, counts: info.counts, millis: 0 });
        }
        let began = Instant::now();
        let name = next_name(folder::latest(&self.store, parent).await?.as_ref());
        let writer = folder::create(&self.store, parent, &name).await?;
        let agencies = self.policy.agencies.iter().map(|agency| (agency.code.clone(), agency.index)).collect();
        let plan = stage::Plan {
            events: &self.events,
            cut: self.options.below.as_ref(),
            agencies: &agencies,
            buckets: self.options.buckets,
            scratch: self.store.scratch(),
            parallel: self.options.threads,
        };
        let (buckets, counts) = stage::stage(plan, &writer).await?;
        reconcile(&counts)?;
        let info = StagedInfo { key: wanted, buckets: buckets as u64, counts: counts.clone() };
        let folder = writer.finish(serde_json::to_value(&info).map_err(ModelsError::Manifest)?).await?;
        Ok(StagedRows { folder, buckets, counts, millis: began.elapsed().as_millis() as u64 })
    }

    /// Folds staged rows into marts and makes the Snapshot.
    async fn fold(
        &self,
        parent: &str,
        name: &str,
        inputs: Inputs,
        staged: StagedRows,
    ) -> Result<Snapshot, ModelsError> {
        let models = model::models(&self.options.sql)?;
        let engine = Engine::new(rollups(&self.policy));
        let run = Run {
            engine: &engine,
            models: &models,
            staged: Arc::new(Staged { store: self.store.clone(), folder: staged.folder, buckets: staged.buckets }),
            parallel: self.options.threads,
            thorough: self.options.thorough,
        };
        let (states, reports) = run.all().await?;
        let marts = self.marts(&models, &states)?;
        let writer = folder::create(&self.store, parent, name).await?;
        let mut described = BTreeMap::new();
        for (mart, rows) in &marts {
            let hash = lake::canonical::hash(&rows.schema(), std::slice::from_ref(rows))?;
            described
                .insert(mart.clone(), MartInfo { rows: rows.num_rows() as u64, blake3: hash.to_hex().to_string() });
            let schema = rows.schema();
            let order: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            writer.write(&snapshot::file_name(mart), &schema, &order, std::slice::from_ref(rows)).await?;
        }
        let info = SnapshotInfo {
            inputs,
            stage: staged.counts,
            buckets: staged.buckets as u64,
            stage_millis: staged.millis,
            models: reports,
            marts: described,
        };
        writer.finish(serde_json::to_value(&info).map_err(ModelsError::Manifest)?).await?;
        Ok(Snapshot::new(name.to_owned(), info, marts))
    }

    /// Marts of the policy's datasets, and the calendar: what the policy does not name has no universe for its units and
    /// can be asked for by nobody.
    fn marts(
        &self,
        models: &[Model],
        states: &BTreeMap<String, State>,
    ) -> Result<BTreeMap<String, arrow::array::RecordBatch>, ModelsError> {
        let mut out = BTreeMap::new();
        for model in models.iter().filter(|model| model.layer == Layer::Marts) {
            let dataset = self.policy.datasets.get(&model.table);
            if dataset.is_none() && model.table != CALENDAR {
                continue;
            }
            let state = states.get(&model.table).ok_or_else(|| ModelsError::NoTable(model.table.clone()))?;
            let rows = mart::finish(model, state, dataset, &self.keys)?;
            out.insert(model.table.clone(), rows);
        }
        Ok(out)
    }

    /// Removes all complete folders but the last few.
    async fn forget_old(&self, parent: &str, keep: usize) -> Result<(), ModelsError> {
        let mut all = folder::list(&self.store, parent).await?;
        all.truncate(all.len().saturating_sub(keep));
        let in_use = |old: &Folder| self.options.in_use.as_ref().is_some_and(|hashes| snapshot::has_marts(old, hashes));
        for old in all.into_iter().filter(|old| !in_use(old)) {
            folder::remove(&self.store, parent, &old.name).await?;
        }
        Ok(())
    }
}

/// Staged rows and how they came.
struct StagedRows {
    folder: Folder,
    buckets: usize,
    counts: StageCounts,
    millis: u64,
}

/// What the manifest of staged rows says.
#[derive(Serialize, Deserialize)]
struct StagedInfo {
    key: StagedKey,
    buckets: u64,
    counts: StageCounts,
}

/// What staged rows were made from. `sql/` is not part of it.
#[derive(PartialEq, Serialize, Deserialize)]
struct StagedKey {
    format: u32,
    lake_version: u64,
    cut: Vec<CutEntry>,
    policy_blake3: String,
}

impl StagedInfo {
    fn key(inputs: &Inputs) -> StagedKey {
        StagedKey {
            format: stage::FORMAT,
            lake_version: inputs.lake_version,
            cut: inputs.cut.clone(),
            policy_blake3: inputs.policy_blake3.clone(),
        }
    }
}

fn report(snapshot: &Snapshot, unchanged: bool) -> RefreshReport {
    let info = snapshot.info();
    RefreshReport {
        snapshot: snapshot.name().to_owned(),
        unchanged,
        stage: info.stage.clone(),
        buckets: info.buckets,
        stage_millis: info.stage_millis,
        models: info.models.clone(),
        marts: info.marts.clone(),
    }
}

/// Every row of the lake that counts is staged or is a retraction.
fn reconcile(counts: &StageCounts) -> Result<(), ModelsError> {
    let right = counts.staged.values().sum::<u64>() + counts.retractions;
    if counts.raw == right {
        return Ok(());
    }
    Err(ModelsError::Reconcile { what: "rows of the lake, and rows staged or retractions", left: counts.raw, right })
}

fn next_name(last: Option<&Folder>) -> String {
    let last = last.and_then(|folder| folder.name.parse::<u64>().ok()).unwrap_or(0);
    format!("{:08}", last + 1)
}

/// Every roll-up of the code lists, and the group of each agency. The last entry of a map is for "not said".
fn rollups(policy: &Policy) -> Rollups {
    let mut maps: Rollups = HashMap::new();
    for list in code_list::all() {
        for coarser in code_list::all() {
            if list.codes.iter().any(|code| code.attrs.contains_key(coarser.name)) {
                let codes = (0..list.codes.len() as u16).map(|code| list.roll_up(code, coarser));
                let map = codes.chain([coarser.unknown()]).collect();
                maps.insert((list.name.to_owned(), coarser.name.to_owned()), map);
            }
        }
    }
    let groups = code_list::list("agency_group");
    let group = |agency: &policy::Agency| groups.code(&agency.group).unwrap_or(groups.unknown());
    let map = policy.agencies.iter().map(group).chain([groups.unknown()]).collect();
    maps.insert(("agency".to_owned(), "group".to_owned()), map);
    maps
}
