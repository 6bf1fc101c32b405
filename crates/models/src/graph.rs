//! Runs the models: each after what it reads, bucket by bucket.
//!
//! A model that reads staged rows runs once per bucket of records; one that reads states runs once per bucket of the key
//! its `.yml` names (a person, the event answered). Plans have one partition and stream (models.md 2); buckets run side
//! by side on the runtime of the caller.
//!
//! A run over some records alone is the same run over fewer keys (models.md 6): the plans are the same, a model that reads states
//! gets all rows of the keys that changed, of which those that did not change come from earlier runs (`states`).
//!
//! Absent: files of marts and their manifest (see `refresh`), what a number means.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use lake::folder::FolderWriter;

use crate::check;
use crate::engine::{Engine, Prepared, Rows, Table};
use crate::error::ModelsError;
use crate::exchange;
use crate::keys::{self, Keys};
use crate::layers::Layers;
use crate::model::{Layer, Model, Read};
use crate::stage::{self, Family};
use crate::states::{self, States};

/// What running one model came to: a line of `refresh --explain`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NodeReport {
    /// The table.
    pub table: String,
    /// The file under `sql/`.
    pub path: String,
    /// What it reads.
    pub reads: Vec<String>,
    /// Its rows; a view has none of its own.
    pub rows: u64,
    /// Buckets it ran in.
    pub buckets: u64,
    /// Milliseconds it took.
    pub millis: u64,
}

/// A table that a model made, or the rows of it that replace earlier ones.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, a batch for each bucket it was made in.
    pub batches: Vec<RecordBatch>,
    /// The keys whose rows these are; `None` = of all.
    pub of: Option<Changed>,
}

/// Keys of which a table was made anew.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    /// Their hashes.
    pub keys: Arc<Keys>,
    /// Themselves, some more than once.
    pub values: Vec<ArrayRef>,
}

impl State {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// The staged rows that a run reads.
pub(crate) struct Staged {
    /// Where.
    pub layers: Layers,
}

impl Staged {
    /// A family's rows of a bucket, sorted.
    pub async fn rows(&self, family: &Family, bucket: usize) -> Result<Option<Rows>, ModelsError> {
        if self.layers.len() == 1 {
            return Ok(self.layers.whole_file(family.name, bucket).await?.map(Rows::Parquet));
        }
        let parts = self.layers.bucket(stage::kept(family), bucket).await?;
        if parts.is_empty() {
            return Ok(None);
        }
        let rows = concat_batches(&stage::schema(family), &parts)?;
        Ok(Some(Rows::Batches(vec![exchange::sorted(&rows, &stage::order(family))?])))
    }
}

/// The tables at the bottom of a plan, and the views over them: name and SQL.
pub(crate) type Leaves = (Vec<Table>, Vec<(String, String)>);

/// Runs all models over staged rows.
pub(crate) struct Run<'a> {
    /// Plans.
    pub engine: &'a Engine,
    /// In order.
    pub models: &'a [Model],
    /// Rows to start from.
    pub staged: Arc<Staged>,
    /// Buckets run at a time.
    pub parallel: usize,
    /// Whether every test of every `.yml` is run, or only those that cost little.
    pub thorough: bool,
    /// What earlier runs made, where `staged` has only the records that changed since.
    pub before: Option<&'a States>,
    /// Where states are kept for later runs.
    pub keep: Option<&'a FolderWriter>,
}

impl Run<'_> {
    /// Gives the marts by name, and a report of every model.
    pub async fn all(&self) -> Result<(BTreeMap<String, State>, Vec<NodeReport>), ModelsError> {
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        let mut reports = Vec::new();
        for (at, model) in self.models.iter().enumerate() {
            let began = Instant::now();
            let mut report = NodeReport {
                table: model.table.clone(),
                path: format!("sql/{}", model.path),
                reads: model.reads.iter().map(|read| read.table.clone()).collect(),
                rows: 0,
                buckets: 0,
                millis: 0,
            };
            if model.layer != Layer::Staging {
                let (state, buckets) = self.one(model, &states).await?;
                (report.rows, report.buckets) = (state.rows() as u64, buckets as u64);
                if let Some(folder) = self.keep.filter(|_| model.kept || self.is_read(&model.table)) {
                    states::write(folder, model, self.models, &state).await?;
                }
                states.insert(model.table.clone(), state);
                self.forget(at, &mut states);
            }
            report.millis = began.elapsed().as_millis() as u64;
            tracing::debug!(table = model.table, rows = report.rows, millis = report.millis, "folded");
            reports.push(report);
        }
        Ok((states, reports))
    }

    fn is_read(&self, table: &str) -> bool {
        self.models.iter().any(|model| model.reads.iter().any(|read| read.table == table))
    }

    /// Lets go of states that no later model reads.
    fn forget(&self, done: usize, states: &mut BTreeMap<String, State>) {
        let mart = |name: &str| self.models.iter().any(|m| m.layer == Layer::Marts && m.table == name);
        let read = |name: &str| self.models[done + 1..].iter().any(|m| m.reads.iter().any(|r| r.table == name));
        states.retain(|name, _| mart(name) || read(name));
    }

    /// Plans a model without running it.
    pub async fn plan(&self, model: &Model, states: &BTreeMap<String, State>) -> Result<Arc<Prepared>, ModelsError> {
        let (tables, views) = self.leaves(model, states)?;
        let planned = self.engine.prepared(&model.path, &tables, &views, &model.sql).await;
        planned.map_err(|e| ModelsError::plan(model, e))
    }

    /// The tables a model's plan reads, and the views between.
    fn leaves(&self, model: &Model, states: &BTreeMap<String, State>) -> Result<Leaves, ModelsError> {
        let (mut tables, mut views) = (Vec::new(), Vec::new());
        for read in &model.reads {
            if let Some(view) = self.view(read) {
                let family = family_of(view)?;
                let name = format!("staged_{}", family.name);
                tables.push(Table { name, schema: stage::schema(family), order: stage::order(family) });
                views.push((view.table.clone(), view.sql.clone()));
            } else {
                let state = states.get(&read.table).ok_or_else(|| ModelsError::NoTable(read.table.clone()))?;
                let (name, schema) = (read.table.clone(), Arc::clone(&state.schema));
                tables.push(Table { name, schema, order: read.order.clone() });
            }
        }
        Ok((tables, views))
    }

    fn view(&self, read: &Read) -> Option<&Model> {
        self.models.iter().find(|m| m.layer == Layer::Staging && m.table == read.table)
    }

    async fn one(&self, model: &Model, states: &BTreeMap<String, State>) -> Result<(State, usize), ModelsError> {
        let fold = self.plan(model, states).await?;
        let mut checks =
            check::Checks::plan(self.engine, model, &self.leaves(model, states)?, &fold, self.thorough).await?;
        let (inputs, of) = self.inputs(model, states).await?;
        let buckets = inputs.len();
        let checking = Arc::new(checks.queries());
        let mut work = futures::stream::iter(inputs)
            .map(|input| {
                let (fold, staged, checking) = (Arc::clone(&fold), Arc::clone(&self.staged), Arc::clone(&checking));
                tokio::spawn(async move { run_bucket(&fold, input, &staged, &checking).await })
            })
            .buffered(self.parallel.max(1));
        let mut batches = Vec::with_capacity(buckets);
        while let Some(done) = work.next().await {
            let (batch, checked) = done.map_err(|_| ModelsError::Stopped)?.map_err(|e| e.in_model(model))?;
            checks.note(&checked);
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        drop(work);
        let state = State { schema: fold.schema(), batches, of };
        checks.verdict(model, &state.batches)?;
        Ok((state, buckets))
    }

    /// What each bucket of a model reads, and of which keys that is all there is.
    async fn inputs(
        &self,
        model: &Model,
        states: &BTreeMap<String, State>,
    ) -> Result<(Vec<Input>, Option<Changed>), ModelsError> {
        let staged =
            model.reads.iter().filter_map(|read| self.view(read)).map(family_of).collect::<Result<Vec<_>, _>>()?;
        if !staged.is_empty() {
            let input = |bucket| Input::Staged(staged.clone(), bucket);
            let inputs = (0..self.staged.layers.buckets()).map(input).collect();
            return Ok((inputs, self.changed_records(&staged).await?));
        }
        let Some(before) = self.before else {
            return Ok((Self::dealt(model, |read| states[&read.table].clone())?, None));
        };
        let changed = self.changed_keys(model, states, before).await?;
        let mut read = BTreeMap::new();
        for Read { table, by, .. } in &model.reads {
            let (state, by) = (&states[table], by.as_deref().unwrap_or_default());
            let mut whole = state.clone();
            whole.batches.extend(before.rows(table, &state.schema, by, &changed.keys, replaced(state)).await?);
            read.insert(table.clone(), whole);
        }
        Ok((Self::dealt(model, |of| read[&of.table].clone())?, Some(changed)))
    }

    /// Rows of states, dealt to buckets by what the model says.
    fn dealt(model: &Model, state: impl Fn(&Read) -> State) -> Result<Vec<Input>, ModelsError> {
        let rows = model.reads.iter().map(|read| state(read).rows()).max().unwrap_or(0);
        let buckets = exchange::buckets_for(rows);
        let mut inputs = vec![HashMap::new(); buckets];
        for read in &model.reads {
            let state = state(read);
            let key = read.by.as_deref().ok_or_else(|| ModelsError::NoKey(model.path.clone()))?;
            let dealt = exchange::deal(&state.schema, &state.batches, key, &read.order, buckets)?;
            for (input, batch) in inputs.iter_mut().zip(dealt) {
                input.insert(read.table.clone(), Rows::Batches(vec![batch]));
            }
        }
        Ok(inputs.into_iter().map(Input::Dealt).collect())
    }

    /// The records of a run over some of them.
    async fn changed_records(&self, families: &[&'static Family]) -> Result<Option<Changed>, ModelsError> {
        let Some(before) = self.before else { return Ok(None) };
        let mut values = Vec::new();
        for family in families {
            let rows = self.staged.layers.rows(stage::kept(family), Some(&["record_id"]), &[], self.parallel).await?;
            values.extend(rows.iter().map(|rows| Arc::clone(rows.column(0))));
        }
        Ok(Some(Changed { keys: before.records(), values }))
    }

    /// The keys of a model whose rows have changed: those of rows that were made now, and of rows that these replace.
    async fn changed_keys(
        &self,
        model: &Model,
        states: &BTreeMap<String, State>,
        before: &States,
    ) -> Result<Changed, ModelsError> {
        let mut values = Vec::new();
        for read in &model.reads {
            let by = read.by.as_deref().ok_or_else(|| ModelsError::NoKey(model.path.clone()))?;
            let state = &states[&read.table];
            let column = state.schema.index_of(by)?;
            values.extend(state.batches.iter().map(|batch| Arc::clone(batch.column(column))));
            values.extend(before.keys(&read.table, by, replaced(state)).await?);
        }
        let mut hashes = Vec::new();
        for values in &values {
            hashes.extend(keys::hashes(values)?.iter().flatten());
        }
        Ok(Changed { keys: Arc::new(hashes.into_iter().collect()), values })
    }
}

/// The keys that a state of a run over some records replaces.
fn replaced(state: &State) -> &Arc<Keys> {
    static NONE: std::sync::LazyLock<Arc<Keys>> = std::sync::LazyLock::new(Arc::default);
    state.of.as_ref().map_or(&NONE, |changed| &changed.keys)
}

/// The family whose staged rows a view is over.
pub(crate) fn family_of(view: &Model) -> Result<&'static Family, ModelsError> {
    let read = view.reads.first().and_then(|read| read.table.strip_prefix("staged_")).and_then(Family::named);
    read.ok_or_else(|| ModelsError::NoTable(view.path.clone()))
}

/// What one bucket of a model reads.
enum Input {
    /// These families' rows of this bucket.
    Staged(Vec<&'static Family>, usize),
    /// Rows dealt to it.
    Dealt(HashMap<String, Rows>),
}

async fn run_bucket(
    fold: &Prepared,
    input: Input,
    staged: &Staged,
    checks: &[Arc<Prepared>],
) -> Result<(RecordBatch, Vec<i64>), ModelsError> {
    let mut rows = match input {
        Input::Dealt(rows) => rows,
        Input::Staged(families, bucket) => {
            let mut rows = HashMap::new();
            let mut any = false;
            for family in families {
                let found = staged.rows(family, bucket).await?;
                any |= found.is_some();
                rows.insert(format!("staged_{}", family.name), found.unwrap_or_else(|| Rows::Batches(Vec::new())));
            }
            if !any {
                return Ok((RecordBatch::new_empty(fold.schema()), vec![0; checks.len()]));
            }
            rows
        }
    };
    let out = fold.run(rows.clone()).await.map_err(ModelsError::Engine)?;
    let batch = concat_batches(&fold.schema(), &out)?;
    rows.insert(check::OUTPUT.to_owned(), Rows::Batches(vec![batch.clone()]));
    let mut checked = Vec::with_capacity(checks.len());
    for query in checks {
        checked.push(check::number(&query.run(rows.clone()).await.map_err(ModelsError::Engine)?));
    }
    Ok((batch, checked))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lake::Store;

    use super::*;
    use crate::engine::Rollups;
    use crate::model;
    use crate::sql::SqlSet;

    /// The plan of every model that is no view, as text, without a row.
    async fn plans() -> Vec<(Model, String)> {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        let folder = lake::folder::create(&store, "lake/staged", "1").await.unwrap();
        let folder = folder.finish(serde_json::Value::Null).await.unwrap();
        let models = model::models(&SqlSet::embedded()).unwrap();
        let engine = Engine::new(Rollups::from([(("agency".to_owned(), "group".to_owned()), vec![0])]));
        let staged = Arc::new(Staged { layers: Layers::alone(&store, folder, 1) });
        let run =
            Run { engine: &engine, models: &models, staged, parallel: 1, thorough: false, before: None, keep: None };
        let mut states = BTreeMap::new();
        let mut plans = Vec::new();
        for model in models.iter().filter(|model| model.layer != Layer::Staging) {
            let plan = run.plan(model, &states).await.unwrap();
            states.insert(model.table.clone(), State { schema: plan.schema(), batches: Vec::new(), of: None });
            plans.push((model.clone(), plan.text()));
        }
        plans
    }

    #[tokio::test]
    async fn every_mart_streams_over_sorted_rows_and_sorts_nothing() {
        let plans = plans().await;
        assert_eq!(plans.iter().filter(|(model, _)| model.layer == Layer::Marts).count(), 21);
        for (model, plan) in plans {
            let lines = |operator: &'static str| plan.lines().filter(move |line| line.contains(operator));
            assert_eq!(lines("SortExec").count(), 0, "{}\n{plan}", model.path);
            assert_eq!(lines("RepartitionExec").count(), 0, "{}\n{plan}", model.path);
            // What a join needs is small and by event id: the only thing that is not in the order of the rows.
            let folds =
                || lines("AggregateExec").filter(|line| !line.contains("referral_id") && !line.contains("return_id"));
            assert!(folds().all(|line| line.contains("ordering_mode=Sorted")), "{}\n{plan}", model.path);
            assert!(lines("WindowAggExec").all(|line| line.contains("mode=[Sorted]")), "{}\n{plan}", model.path);
            // These bear the states of records as they are.
            let is_plain = ["compensations", "releases"].contains(&model.table.as_str());
            if model.layer == Layer::Marts && !is_plain {
                assert!(folds().count() + lines("WindowAggExec").count() > 0, "{}\n{plan}", model.path);
            }
        }
    }
}
