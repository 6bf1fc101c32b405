//! Staged rows for a refresh: those of an earlier one, what is new above them, or all.
//!
//! Absent: how rows are staged (see [`crate::stage`]).

use std::collections::BTreeSet;
use std::time::Instant;

use arrow::compute::concat_batches;
use futures::FutureExt;
use lake::folder::{self, Folder, FolderWriter};
use lake::{DataFile, LakeError};
use policy::Erased;
use serde::{Deserialize, Serialize};

use super::{Work, next_name};
use crate::erased::Orders;
use crate::error::ModelsError;
use crate::exchange;
use crate::layers::{self, Laid, Layers, Packing};
use crate::runtime::side_by_side;
use crate::snapshot::{CutEntry, Inputs};
use crate::stage::{self, Family, StageCounts};

/// Where staged rows lie in the store.
pub(crate) const STAGED: &str = "lake/staged";

/// Staged rows and how they came.
pub(super) struct StagedRows {
    /// The highest layer.
    pub folder: Folder,
    /// The folder that they lie on.
    pub over: Option<String>,
    /// Buckets of that layer.
    pub layer_buckets: usize,
    /// What its manifest says.
    pub info: StagedInfo,
    /// How long it took to stage; 0 if it was there.
    pub millis: u64,
}

impl StagedRows {
    /// Whose rows were left out, as images.
    pub fn erased(&self) -> &BTreeSet<[u8; 16]> {
        &self.info.key.erased
    }

    fn of(folder: Folder, laid: Laid<StagedInfo>, millis: u64) -> Self {
        Self { folder, over: laid.over, layer_buckets: laid.layer_buckets, info: laid.said, millis }
    }
}

/// What the manifest of staged rows says.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StagedInfo {
    key: StagedKey,
    /// Buckets of the lowest layer.
    pub buckets: u64,
    /// What was staged, all layers together.
    pub counts: StageCounts,
}

/// What staged rows were made from. `sql/` is not part of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StagedKey {
    format: u32,
    lake_version: u64,
    cut: Vec<CutEntry>,
    policy_blake3: String,
    /// Whose rows were left out, as images.
    erased: BTreeSet<[u8; 16]>,
    /// Rewrites that had taken persons out of rows: what was staged before one is staged anew.
    erasures: i64,
}

impl StagedKey {
    /// Whether rows may be staged above those of another key: the same rules, and the same persons left out.
    fn may_lie_on(&self, other: &Self) -> bool {
        let rules = |key: &Self| (key.format, key.erasures, key.policy_blake3.clone(), key.erased.clone());
        rules(self) == rules(other) && other.lake_version < self.lake_version
    }
}

impl Work {
    /// Staged rows of these inputs: those of an earlier refresh if they are complete, what is new above them, or all.
    pub(super) async fn staged(&self, parent: &str, inputs: &Inputs) -> Result<StagedRows, ModelsError> {
        let tip = folder::latest(&self.store, parent).await?.filter(|_| !self.options.rebuild);
        let tip = tip.and_then(|folder| Some((Laid::<StagedInfo>::of(&folder).ok()?, folder)));
        let erased = self.erased(tip.as_ref().map(|(laid, _)| &laid.said.key)).await?;
        let wanted = self.key(inputs, &erased);
        if let Some((laid, folder)) = tip
            && self.options.buckets.is_none_or(|buckets| buckets as u64 == laid.said.buckets)
        {
            if laid.said.key == wanted {
                return Ok(StagedRows::of(folder, laid, 0));
            }
            if let Some(added) = self.added(&laid.said, &wanted).await?
                && let Some(above) = self.stage_above(parent, folder, laid, &added, wanted.clone(), &erased).await?
            {
                return Ok(above);
            }
        }
        self.stage_all(parent, wanted, &erased).await
    }

    fn key(&self, inputs: &Inputs, erased: &Erased) -> StagedKey {
        StagedKey {
            format: stage::FORMAT,
            lake_version: inputs.lake_version,
            cut: inputs.cut.clone(),
            policy_blake3: inputs.policy_blake3.clone(),
            erased: erased.images().copied().collect(),
            erasures: self.events.erasures,
        }
    }

    /// Who is erased: whom earlier staged rows leave out, and whom orders name that came since.
    async fn erased(&self, before: Option<&StagedKey>) -> Result<Erased, ModelsError> {
        let since = match before {
            Some(before) if before.format == stage::FORMAT && before.lake_version <= self.events.lake_version => {
                self.events.added_since(before.lake_version).await.ok().map(|added| (before, added))
            }
            _ => None,
        };
        let Some((before, added)) = since else {
            return Ok(Erased::clone(&*Orders::of(&self.events, &self.keys).await?.erased));
        };
        let mut erased = Erased::clone(&*Orders::among(&self.events, &added, &self.keys).await?.erased);
        for image in &before.erased {
            erased.carried_out(*image);
        }
        Ok(erased)
    }

    /// The files that came since rows were staged, if they are few, and nothing but files came.
    async fn added(&self, staged: &StagedInfo, wanted: &StagedKey) -> Result<Option<Vec<DataFile>>, ModelsError> {
        if !wanted.may_lie_on(&staged.key) {
            return Ok(None);
        }
        let added = match self.events.added_since(staged.key.lake_version).await {
            Err(LakeError::HistoryGone { .. }) => return Ok(None),
            added => added?,
        };
        let rows: u64 = added.iter().map(|file| file.rows).sum();
        Ok((rows * 1000 <= staged.counts.raw * self.options.layering.new_per_mille).then_some(added))
    }

    async fn stage_above(
        &self,
        parent: &str,
        tip: Folder,
        laid: Laid<StagedInfo>,
        added: &[DataFile],
        key: StagedKey,
        erased: &Erased,
    ) -> Result<Option<StagedRows>, ModelsError> {
        let (began, over) = (Instant::now(), tip.name.clone());
        let writer = folder::create(&self.store, parent, &next_name(Some(&tip))).await?;
        let below = Layers::below(&self.store, parent, tip).await?;
        let agencies = self.agencies();
        let extended = stage::extend(self.plan(&agencies, erased), added, &below, &laid.said.counts, &writer).await?;
        let Some(extended) = extended else { return Ok(None) };
        reconcile(&extended.counts)?;
        let info = StagedInfo { key, buckets: laid.said.buckets, counts: extended.counts };
        let laid = Laid { over: Some(over), layer_buckets: extended.buckets, said: info };
        let folder = writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?;
        Ok(Some(StagedRows::of(folder, laid, began.elapsed().as_millis() as u64)))
    }

    async fn stage_all(&self, parent: &str, key: StagedKey, erased: &Erased) -> Result<StagedRows, ModelsError> {
        let began = Instant::now();
        let name = next_name(folder::latest(&self.store, parent).await?.as_ref());
        let writer = folder::create(&self.store, parent, &name).await?;
        let agencies = self.agencies();
        let (buckets, counts) = stage::stage(self.plan(&agencies, erased), &writer).await?;
        reconcile(&counts)?;
        let info = StagedInfo { key, buckets: buckets as u64, counts };
        let laid = Laid { over: None, layer_buckets: buckets, said: info };
        let folder = writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?;
        Ok(StagedRows::of(folder, laid, began.elapsed().as_millis() as u64))
    }

    fn agencies(&self) -> stage::Agencies {
        self.policy.agencies.iter().map(|agency| (agency.code.clone(), agency.index)).collect()
    }

    fn plan<'a>(&'a self, agencies: &'a stage::Agencies, erased: &'a Erased) -> stage::Plan<'a> {
        stage::Plan {
            events: &self.events,
            ends: self.options.below.as_ref().map(|cut| stage::Ends { cut, also: self.options.also.as_ref() }),
            agencies,
            erased,
            buckets: self.options.buckets,
            scratch: self.store.scratch(),
            parallel: self.options.threads,
        }
    }

    /// Lays the layers of staged rows together; gives the name of the one that they become.
    pub(super) async fn lay_staged_together(&self, staged: &StagedRows) -> Result<String, ModelsError> {
        let layers = Layers::below(&self.store, STAGED, staged.folder.clone()).await?;
        let writer = folder::create(&self.store, STAGED, &next_name(Some(&staged.folder))).await?;
        let mut tasks = Vec::new();
        for family in Family::all() {
            for bucket in 0..layers.buckets() {
                tasks.push(lay_together(layers.clone(), family, bucket, writer.clone()).boxed());
            }
        }
        side_by_side(tasks, self.options.threads).await?;
        let laid = Laid { over: None, layer_buckets: layers.buckets(), said: staged.info.clone() };
        Ok(writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?.name)
    }
}

/// Lays a bucket of a family together.
async fn lay_together(
    layers: Layers,
    family: &'static Family,
    bucket: usize,
    writer: FolderWriter,
) -> Result<(), ModelsError> {
    let order = stage::order(family);
    let by: Vec<&str> = order.iter().map(String::as_str).collect();
    let parts = layers.bucket(stage::kept(family), bucket).await?;
    let rows = concat_batches(&stage::schema(family), &parts)?;
    let (name, rows) = (layers::file_name(family.name, bucket), exchange::sorted(&rows, &order)?);
    Ok(layers::write(&writer, &name, &by, &rows, Packing::Small).await?)
}

/// Every row of the lake that counts is staged, is a retraction, or was about a row that is erased.
fn reconcile(counts: &StageCounts) -> Result<(), ModelsError> {
    let right = counts.staged.values().sum::<u64>() + counts.retractions + counts.erased;
    if counts.raw == right {
        return Ok(());
    }
    Err(ModelsError::Reconcile { what: "rows of the lake, and rows staged or retractions", left: counts.raw, right })
}
