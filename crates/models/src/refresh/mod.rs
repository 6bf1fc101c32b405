//! `refresh`: facts become a Snapshot.
//!
//! stage (decode, link, sort) → fold (`sql/`) → marts → manifest. The manifest is written last: killed anywhere, the next
//! refresh starts from the last complete one, uses staged rows that are complete, and sweeps what is not. Nothing new in
//! the lake, the same `sql/` and policy: the last Snapshot is given back.
//!
//! With few new events, the same steps run over the records that they are about, and over the persons whose records these are;
//! what comes of it lies as a layer above what was there (`layers`). The marts are the same, byte for byte, as those of a rebuild.
//! When layers are many, or have grown, they are laid together.
//!
//! One refresh at a time: the caller holds [`lake::StoreLock::REFRESH`]. Readers keep the Snapshot they opened.
//!
//! Absent: publishing (see `edition`), any clock but for the times in the report.

mod folding;
mod staging;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use events::code_list;
use lake::folder::{self, Folder};
use lake::{EventsSnapshot, PartitionId, Store};
use policy::{Keys, Policy};
use serde::{Deserialize, Serialize};

use crate::engine::{Plans, Rollups};
use crate::erased::Orders;
use crate::error::ModelsError;
use crate::graph::{Memory, NodeReport};
use crate::layers::{Laid, Layers};
use crate::runtime::{Cpu, give_back};
use crate::snapshot::{self, CutEntry, Inputs, MARTS, MartInfo, Snapshot, SnapshotInfo};
use crate::sql::SqlSet;
use crate::stage::{Also, StageCounts};
use crate::states::STATES;
pub(crate) use staging::STAGED;
use staging::StagedRows;

/// Where a recomputation works; nothing stays there.
const RECOMPUTE: &str = "lake/recompute";
/// Snapshots kept beside the last one.
const KEPT: usize = 1;

/// When a refresh works on what is new alone, and when layers are laid together. Marts are the same whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layering {
    /// New rows that are staged above others, of a thousand that are staged; with more, everything is staged and folded.
    pub new_per_mille: u64,
    /// Rows above the lowest layer, of a thousand in it, at which layers are laid together.
    pub grown_per_mille: u64,
    /// Layers above the lowest at which they are.
    pub most: usize,
}

impl Default for Layering {
    /// A layer costs every later refresh the opening of its files and the reading of its rows. An event brings its record's others
    /// with it, some three: beyond a thirtieth of new ones the layer would be laid together at once.
    fn default() -> Self {
        Self { new_per_mille: 35, grown_per_mille: 125, most: 16 }
    }
}

/// How to refresh.
#[derive(Debug, Clone)]
pub struct RefreshOptions {
    /// Only events below these offsets, for a recomputation. The result is in memory alone; nothing stays in the store.
    pub below: Option<BTreeMap<PartitionId, i64>>,
    /// Beyond those, the events of some types below later offsets.
    pub also: Option<Also>,
    /// The files of `sql/`.
    pub sql: SqlSet,
    /// Number of buckets (a power of two); `None` = by the number of rows.
    pub buckets: Option<usize>,
    /// Threads that compute.
    pub threads: usize,
    /// Whether every test of every `.yml` is run.
    pub thorough: bool,
    /// Make a new Snapshot even if nothing changed, and fold all records.
    pub force: bool,
    /// Stage and fold everything, whatever was there.
    pub rebuild: bool,
    /// When it works on what is new alone.
    pub layering: Layering,
    /// How much of memory it takes.
    pub memory: Memory,
    /// Plans of earlier refreshes.
    pub plans: Plans,
    /// The Snapshot that is open to questions: it is kept, however old.
    pub in_use: Option<InUse>,
}

/// A Snapshot that is open to questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// Hashes of its marts.
    pub marts: BTreeMap<String, String>,
    /// Its cut: where it holds somebody who is erased now, another takes its place that is folded below the same cut.
    pub cut: BTreeMap<PartitionId, i64>,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        Self {
            below: None,
            also: None,
            sql: SqlSet::embedded(),
            buckets: None,
            threads: 2,
            thorough: false,
            force: false,
            rebuild: false,
            layering: Layering::default(),
            memory: Memory::default(),
            plans: Plans::default(),
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
    /// The records that were folded; none where all were.
    pub records_changed: Option<u64>,
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
    cpu.run(Box::pin(work.run())).await
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
        for parent in [STAGED, STATES, MARTS] {
            folder::sweep(&self.store, parent).await?;
        }
        let last = self.last().await?;
        if let Some(last) = &last
            && !self.options.force
            && !self.options.rebuild
            && last.info.inputs == inputs
        {
            let found = Snapshot::read(&self.store, &last.folder).await?;
            let report = report(&found, true);
            return Ok((found, report));
        }
        let staged = self.staged(STAGED, &inputs).await?;
        if staged.layer_buckets > 1 {
            give_back();
        }
        let last = last.filter(|last| self.may_go_on_from(last, &inputs, &staged));
        self.replace_in_use(&staged).await?;
        let found = self.fold(inputs, &staged, last).await?;
        self.forget_old(&found).await?;
        let report = report(&found, false);
        Ok((found, report))
    }

    /// The last Snapshot, if it is of this form and something can be laid on it.
    async fn last(&self) -> Result<Option<Last>, ModelsError> {
        let Some(folder) = folder::latest(&self.store, MARTS).await? else { return Ok(None) };
        let Ok(info) = snapshot::info_of(&folder) else { return Ok(None) };
        Ok(info.states.clone().map(|states| Last { folder, info, states }))
    }

    /// Whether what was staged now lies right above what a Snapshot was folded from, by the same rules.
    fn may_go_on_from(&self, last: &Last, inputs: &Inputs, staged: &StagedRows) -> bool {
        let rules = |of: &Inputs| (of.format, of.sql_blake3.clone(), of.policy_blake3.clone());
        let same = rules(&last.info.inputs) == rules(inputs) && staged.over.as_ref() == Some(&last.info.staged);
        same && !self.options.force && !self.options.rebuild
    }

    /// The same below a cut, leaving nothing behind.
    async fn recompute(&self, inputs: Inputs) -> Result<(Snapshot, RefreshReport), ModelsError> {
        self.clear_recompute().await?;
        let found = self.recomputed(inputs).await;
        self.clear_recompute().await?;
        let found = found?;
        let report = report(&found, false);
        Ok((found, report))
    }

    async fn recomputed(&self, inputs: Inputs) -> Result<Snapshot, ModelsError> {
        let staged = self.staged(RECOMPUTE, &inputs).await?;
        let (models, engine) = self.rules(&inputs)?;
        let layers = Layers::alone(&self.store, staged.folder.clone(), staged.layer_buckets);
        let keep = folder::create(&self.store, RECOMPUTE, "states").await?;
        let (made, models_ran) = self.ran(&engine, &models, layers, None, &keep).await?;
        let marts = folding::whole(made);
        let described = self.described(inputs, &staged, models_ran, &marts).await?;
        let erased_since = match &self.options.below {
            Some(cut) if !described.erased.is_empty() => Orders::of(&self.events, &self.keys).await?.beyond(cut),
            _ => 0,
        };
        Ok(Snapshot::new("recomputed".to_owned(), SnapshotInfo { erased_since, ..described }, marts))
    }

    /// Makes the Snapshot that is open to questions anew, below its own cut, where it holds somebody who is erased now.
    async fn replace_in_use(&self, staged: &StagedRows) -> Result<(), ModelsError> {
        let Some(InUse { marts, cut }) = &self.options.in_use else { return Ok(()) };
        let Some(kept) = Snapshot::name_with(&self.store, marts).await? else { return Ok(()) };
        let kept = folder::open(&self.store, MARTS, &kept).await?;
        if snapshot::info_of(&kept)?.erased.is_superset(staged.erased()) {
            return Ok(());
        }
        let options = RefreshOptions { below: Some(cut.clone()), also: None, ..self.options.clone() };
        let below = Self {
            store: self.store.clone(),
            events: self.events.clone(),
            policy: Arc::clone(&self.policy),
            keys: Arc::clone(&self.keys),
            options,
        };
        let (anew, _) = below.recompute(below.inputs()).await?;
        let name = next_name(folder::latest(&self.store, MARTS).await?.as_ref());
        let info = SnapshotInfo { stands_for: Some(marts.clone()), ..anew.info().clone() };
        self.write_whole(&name, &info, anew.marts()).await
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

    /// Removes what no Snapshot that is kept lies on or goes on from.
    async fn forget_old(&self, now: &Snapshot) -> Result<(), ModelsError> {
        let info = now.info();
        for (parent, tip) in [(STAGED, Some(&info.staged)), (STATES, info.states.as_ref())] {
            let tips: Vec<String> = tip.cloned().into_iter().collect();
            self.forget_but(parent, &tips).await?;
        }
        let mut all = folder::list(&self.store, MARTS).await?;
        all.retain(|old| snapshot::info_of(old).is_ok_and(|old| old.erased.is_superset(&info.erased)));
        let in_use = match &self.options.in_use {
            Some(in_use) => Snapshot::name_with(&self.store, &in_use.marts).await?,
            None => None,
        };
        let last = all.len().saturating_sub(1 + KEPT);
        let kept = all.iter().enumerate().filter(|(at, old)| *at >= last || Some(&old.name) == in_use.as_ref());
        let kept: Vec<String> = kept.map(|(_, folder)| folder.name.clone()).collect();
        self.forget_but(MARTS, &kept).await
    }

    /// Removes all complete folders but these and those they lie on.
    async fn forget_but(&self, parent: &str, tips: &[String]) -> Result<(), ModelsError> {
        let mut kept: Vec<String> = Vec::new();
        for tip in tips {
            let mut next = Some(tip.clone());
            while let Some(name) = next.filter(|name| !kept.contains(name)) {
                let folder = folder::open(&self.store, parent, &name).await?;
                kept.push(name);
                next = Laid::<serde_json::Value>::of(&folder)?.over;
            }
        }
        for old in folder::list(&self.store, parent).await? {
            if !kept.contains(&old.name) {
                folder::remove(&self.store, parent, &old.name).await?;
            }
        }
        Ok(())
    }
}

/// The last Snapshot.
struct Last {
    folder: Folder,
    info: SnapshotInfo,
    /// The highest layer of its states.
    states: String,
}

fn report(snapshot: &Snapshot, unchanged: bool) -> RefreshReport {
    let info = snapshot.info();
    RefreshReport {
        snapshot: snapshot.name().to_owned(),
        unchanged,
        stage: info.stage.clone(),
        buckets: info.buckets,
        stage_millis: info.stage_millis,
        records_changed: info.records_changed,
        models: info.models.clone(),
        marts: info.marts.clone(),
    }
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
