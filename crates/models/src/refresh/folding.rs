//! The fold of a refresh: models run over staged rows, marts are finished, written and described.
//!
//! All of them, or what is other than in the last Snapshot: then each table is made for the keys that changed, and written as a layer.
//!
//! Absent: rules (those are `sql/`), the choice between the two (see [`super`]).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::FutureExt;
use lake::folder::{self, Folder, FolderWriter};

use super::staging::{STAGED, StagedRows};
use super::{Last, Layering, RefreshOptions, Work, next_name, rollups};
use crate::engine::Engine;
use crate::error::ModelsError;
use crate::graph::{Mart, NodeReport, Run, Staged};
use crate::keys::Keys;
use crate::layers::{self, Laid, Layers};
use crate::mart::{self, Finish};
use crate::model::{self, Model};
use crate::runtime::side_by_side;
use crate::snapshot::{self, Inputs, MARTS, MartInfo, Snapshot, SnapshotInfo};
use crate::stage;
use crate::states::{STATES, States};

/// Rows of marts by name.
pub(super) type Marts = BTreeMap<String, RecordBatch>;
/// By mart: the keys whose rows changed, and their rows.
type Changes = BTreeMap<String, (Keys, RecordBatch)>;

impl Work {
    pub(super) fn rules(&self, inputs: &Inputs) -> Result<(Vec<Model>, Arc<Engine>), ModelsError> {
        let rules = format!("{} {}", inputs.sql_blake3, inputs.policy_blake3);
        let engine = self.options.plans.engine(&rules, || rollups(&self.policy));
        Ok((model::models(&self.options.sql)?, engine))
    }

    /// Folds staged rows into marts and makes the Snapshot: all of them, or those of the records that changed since the last one.
    pub(super) async fn fold(
        &self,
        inputs: Inputs,
        staged: &StagedRows,
        last: Option<Last>,
    ) -> Result<Snapshot, ModelsError> {
        let name = next_name(folder::latest(&self.store, MARTS).await?.as_ref());
        match last {
            None => self.fold_all(name, inputs, staged).await,
            Some(last) => self.fold_above(name, inputs, staged, &last).await,
        }
    }

    async fn fold_all(&self, name: String, inputs: Inputs, staged: &StagedRows) -> Result<Snapshot, ModelsError> {
        let (models, engine) = self.rules(&inputs)?;
        let layers = Layers::below(&self.store, STAGED, staged.folder.clone()).await?;
        let keep = self.next_states().await?;
        let (made, ran) = self.ran(&engine, &models, layers, None, &keep).await?;
        let kept = laid(keep, None).await?;
        let marts = whole(made);
        let described = self.described(inputs, staged, ran, &marts).await?;
        let info = SnapshotInfo { states: Some(kept.name), ..described };
        self.write_whole(&name, &info, &marts).await?;
        Ok(Snapshot::new(name, info, marts))
    }

    async fn fold_above(
        &self,
        name: String,
        inputs: Inputs,
        staged: &StagedRows,
        last: &Last,
    ) -> Result<Snapshot, ModelsError> {
        let (models, engine) = self.rules(&inputs)?;
        let records = layers::changed(&self.store, &staged.folder).await?.remove(stage::RECORDS).unwrap_or_default();
        let records_changed = Some(records.len() as u64);
        let below = folder::open(&self.store, STATES, &last.states).await?;
        let before = States::open(&self.store, below, &models, records, self.options.threads).await?;
        let alone = Layers::alone(&self.store, staged.folder.clone(), staged.layer_buckets);
        let keep = self.next_states().await?;
        let (made, ran) = self.ran(&engine, &models, alone, Some(&before), &keep).await?;
        let kept = laid(keep, Some(last.states.clone())).await?;
        let changes = self.changes(&models, made)?;
        let marts = self.marts_above(last, &changes).await?;
        let described = self.described(inputs, staged, ran, &marts).await?;
        let mut info = SnapshotInfo { records_changed, states: Some(kept.name.clone()), ..described };
        if self.is_due(staged).await? {
            info.staged = self.lay_staged_together(staged).await?;
            info.states = Some(self.lay_states_together(kept, &models).await?);
            self.write_whole(&name, &info, &marts).await?;
        } else {
            self.write_above(&name, &last.folder.name, &info, &changes).await?;
        }
        Ok(Snapshot::new(name, info, marts))
    }

    async fn next_states(&self) -> Result<FolderWriter, ModelsError> {
        let tip = folder::latest(&self.store, STATES).await?;
        Ok(folder::create(&self.store, STATES, &next_name(tip.as_ref())).await?)
    }

    /// The marts that models make of staged rows and of all before; states are kept in a folder.
    pub(super) async fn ran(
        &self,
        engine: &Engine,
        models: &[Model],
        staged: Layers,
        before: Option<&States>,
        keep: &FolderWriter,
    ) -> Result<(BTreeMap<String, Mart>, Vec<NodeReport>), ModelsError> {
        let staged = Arc::new(Staged { layers: staged });
        let finish = Arc::new(Finish { policy: Arc::clone(&self.policy), keys: Arc::clone(&self.keys) });
        let RefreshOptions { threads: parallel, thorough, memory, .. } = self.options;
        Run { engine, models, staged, parallel, thorough, before, keep, finish, memory }.all().await
    }

    /// What is other in each mart: the keys whose rows changed, and their rows now.
    fn changes(&self, models: &[Model], made: BTreeMap<String, Mart>) -> Result<Changes, ModelsError> {
        let mut out = Changes::new();
        for model in models {
            let Some(Mart { rows, of }) = made.get(&model.table) else { continue };
            let values = of.as_ref().map_or(&[][..], |changed| &changed.values);
            let keys = mart::keys_of(model, values, self.policy.datasets.get(&model.table), &self.keys)?;
            out.insert(model.table.clone(), (keys, rows.clone()));
        }
        Ok(out)
    }

    /// The marts of a Snapshot with what is other in them.
    async fn marts_above(&self, last: &Last, changes: &Changes) -> Result<Marts, ModelsError> {
        let layers = Layers::below(&self.store, MARTS, last.folder.clone()).await?;
        let mut tasks = Vec::with_capacity(changes.len());
        let rows_of = |name: &String| last.info.marts.get(name).map_or(0, |mart| mart.rows);
        for name in largest_first(changes.keys().map(|name| (name, rows_of(name)))) {
            let described = last.info.marts.get(&name).cloned().ok_or_else(|| ModelsError::NoTable(name.clone()))?;
            let ((keys, rows), layers) = (changes[&name].clone(), layers.clone());
            tasks.push(async move {
                let before = snapshot::mart_as_described(&layers, &name, &described).await?;
                Ok((name, mart::replace(&before, &keys, &rows)?))
            });
        }
        let tasks = tasks.into_iter().map(FutureExt::boxed).collect();
        Ok(side_by_side(tasks, self.options.threads).await?.into_iter().collect())
    }

    pub(super) async fn described(
        &self,
        inputs: Inputs,
        staged: &StagedRows,
        models: Vec<NodeReport>,
        marts: &Marts,
    ) -> Result<SnapshotInfo, ModelsError> {
        let info = |name: String, rows: RecordBatch| async move {
            let hash = lake::canonical::hash(&rows.schema(), std::slice::from_ref(&rows))?.to_hex().to_string();
            Ok((name, MartInfo { rows: rows.num_rows() as u64, blake3: hash }))
        };
        let described = self.each(marts, info).await?.into_iter().collect();
        Ok(SnapshotInfo {
            inputs,
            stage: staged.info.counts.clone(),
            buckets: staged.info.buckets,
            stage_millis: staged.millis,
            models,
            marts: described,
            records_changed: None,
            staged: staged.folder.name.clone(),
            states: None,
            erased: staged.erased().clone(),
            erased_since: 0,
            stands_for: None,
        })
    }

    /// Writes all marts, as a Snapshot that lies on nothing.
    pub(super) async fn write_whole(&self, name: &str, info: &SnapshotInfo, marts: &Marts) -> Result<(), ModelsError> {
        let writer = folder::create(&self.store, MARTS, name).await?;
        self.each(marts, |mart, rows| {
            let writer = writer.clone();
            async move { write_mart(&writer, &mart, &rows).await }
        })
        .await?;
        let laid = Laid { over: None, layer_buckets: 1, said: info };
        writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?;
        Ok(())
    }

    /// Does something to each mart, side by side.
    async fn each<T: Send + 'static, F: Future<Output = Result<T, ModelsError>> + Send + 'static>(
        &self,
        marts: &Marts,
        work: impl Fn(String, RecordBatch) -> F,
    ) -> Result<Vec<T>, ModelsError> {
        let names = largest_first(marts.iter().map(|(name, rows)| (name, rows.num_rows() as u64)));
        let task = |name: String| {
            let rows = marts[&name].clone();
            work(name, rows).boxed()
        };
        side_by_side(names.into_iter().map(task).collect(), self.options.threads).await
    }

    /// Writes what is other than in the Snapshot below.
    async fn write_above(
        &self,
        name: &str,
        below: &str,
        info: &SnapshotInfo,
        changes: &Changes,
    ) -> Result<(), ModelsError> {
        let writer = folder::create(&self.store, MARTS, name).await?;
        for (mart, (keys, rows)) in changes.iter().filter(|(_, (keys, _))| !keys.is_empty()) {
            layers::write_changed(&writer, mart, keys).await?;
            write_mart(&writer, mart, rows).await?;
        }
        let laid = Laid { over: Some(below.to_owned()), layer_buckets: 1, said: info };
        writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?;
        Ok(())
    }

    /// Whether layers are many, or those above have grown.
    async fn is_due(&self, staged: &StagedRows) -> Result<bool, ModelsError> {
        let layers = Layers::below(&self.store, STAGED, staged.folder.clone()).await?;
        let (below, above) = layers.rows_below_and_above();
        let Layering { grown_per_mille, most, .. } = self.options.layering;
        Ok(layers.len() > most + 1 || above * 1000 > below * grown_per_mille)
    }

    /// Lays the layers of states together; gives the name of the one that they become.
    async fn lay_states_together(&self, tip: Folder, models: &[Model]) -> Result<String, ModelsError> {
        let writer = folder::create(&self.store, STATES, &next_name(Some(&tip))).await?;
        let states = States::open(&self.store, tip, models, Keys::default(), self.options.threads).await?;
        states.lay_together(&writer).await?;
        Ok(laid(writer, None).await?.name)
    }
}

/// Names of marts by their rows, so that none of the large ones is left for the end, with one thread.
fn largest_first<'a>(marts: impl Iterator<Item = (&'a String, u64)>) -> Vec<String> {
    let mut by_rows: Vec<_> = marts.map(|(name, rows)| (Reverse(rows), name.clone())).collect();
    by_rows.sort_unstable();
    by_rows.into_iter().map(|(_, name)| name).collect()
}

/// The rows of marts of which all were made.
pub(super) fn whole(made: BTreeMap<String, Mart>) -> Marts {
    made.into_iter().map(|(name, mart)| (name, mart.rows)).collect()
}

/// Finishes a layer of states.
async fn laid(writer: FolderWriter, over: Option<String>) -> Result<Folder, ModelsError> {
    let laid = Laid { over, layer_buckets: 1, said: serde_json::Map::new() };
    Ok(writer.finish(serde_json::to_value(&laid).map_err(ModelsError::Manifest)?).await?)
}

/// Writes a mart's file, be it empty.
async fn write_mart(writer: &FolderWriter, mart: &str, rows: &RecordBatch) -> Result<(), ModelsError> {
    let rows = mart::to_file(rows)?;
    let schema = rows.schema();
    let order: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Ok(writer.write(&layers::file_name(mart, 0), &schema, &order, &[rows]).await?)
}
