//! Runs the models: each after what it reads, bucket by bucket.
//!
//! A model that reads staged rows runs once per bucket of records; one that reads states runs once per bucket of the key
//! its `.yml` names (a person, the event answered). Plans have one partition and stream (models.md 2); buckets run side
//! by side on the runtime of the caller.
//!
//! Absent: files of marts and their manifest (see `refresh`), what a number means.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use lake::Store;
use lake::folder::Folder;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::check;
use crate::engine::{Engine, Prepared, Rows, Table};
use crate::error::ModelsError;
use crate::exchange;
use crate::model::{Layer, Model, Read};
use crate::stage::{self, Family};

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

/// A table that a model made.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, a batch for each bucket it was made in.
    pub batches: Vec<RecordBatch>,
}

impl State {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// The staged rows that a run reads.
pub(crate) struct Staged {
    /// Where.
    pub store: Store,
    /// The folder.
    pub folder: Folder,
    /// Its number of buckets.
    pub buckets: usize,
}

impl Staged {
    /// A family's rows of a bucket.
    async fn bytes(&self, family: &str, bucket: usize) -> Result<Option<Bytes>, ModelsError> {
        let name = stage::file_name(family, bucket);
        if self.folder.file(&name).is_err() {
            return Ok(None);
        }
        let object = self.store.objects().get(&Path::from(self.folder.path_of(&name))).await;
        let bytes = object.map_err(lake::LakeError::from)?.bytes().await;
        Ok(Some(bytes.map_err(lake::LakeError::from)?))
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
                states.insert(model.table.clone(), state);
                self.forget(at, &mut states);
            }
            report.millis = began.elapsed().as_millis() as u64;
            tracing::debug!(table = model.table, rows = report.rows, millis = report.millis, "folded");
            reports.push(report);
        }
        Ok((states, reports))
    }

    /// Lets go of states that no later model reads.
    fn forget(&self, done: usize, states: &mut BTreeMap<String, State>) {
        let mart = |name: &str| self.models.iter().any(|m| m.layer == Layer::Marts && m.table == name);
        let read = |name: &str| self.models[done + 1..].iter().any(|m| m.reads.iter().any(|r| r.table == name));
        states.retain(|name, _| mart(name) || read(name));
    }

    /// Plans a model without running it.
    pub async fn plan(&self, model: &Model, states: &BTreeMap<String, State>) -> Result<Prepared, ModelsError> {
        let (tables, views) = self.leaves(model, states)?;
        self.engine.prepare(&tables, &views, &model.sql).await.map_err(|e| ModelsError::plan(model, e))
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
        let fold = Arc::new(self.plan(model, states).await?);
        let mut checks =
            check::Checks::plan(self.engine, model, &self.leaves(model, states)?, &fold, self.thorough).await?;
        let inputs = self.inputs(model, states)?;
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
        let state = State { schema: fold.schema(), batches };
        checks.verdict(model, &state.batches)?;
        Ok((state, buckets))
    }

    /// What each bucket of a model reads.
    fn inputs(&self, model: &Model, states: &BTreeMap<String, State>) -> Result<Vec<Input>, ModelsError> {
        let staged =
            model.reads.iter().filter_map(|read| self.view(read)).map(family_of).collect::<Result<Vec<_>, _>>()?;
        if !staged.is_empty() {
            let input = |bucket| Input::Staged(staged.iter().map(|family| family.name).collect(), bucket);
            return Ok((0..self.staged.buckets).map(input).collect());
        }
        let rows = model.reads.iter().filter_map(|read| states.get(&read.table)).map(State::rows).max().unwrap_or(0);
        let buckets = exchange::buckets_for(rows);
        let mut inputs = vec![HashMap::new(); buckets];
        for read in &model.reads {
            let state = &states[&read.table];
            let key = read.by.as_deref().ok_or_else(|| ModelsError::NoKey(model.path.clone()))?;
            let dealt = exchange::deal(&state.schema, &state.batches, key, &read.order, buckets)?;
            for (input, batch) in inputs.iter_mut().zip(dealt) {
                input.insert(read.table.clone(), Rows::Batches(vec![batch]));
            }
        }
        Ok(inputs.into_iter().map(Input::Dealt).collect())
    }
}

fn family_of(view: &Model) -> Result<&'static Family, ModelsError> {
    let read = view.reads.first().and_then(|read| read.table.strip_prefix("staged_")).and_then(Family::named);
    read.ok_or_else(|| ModelsError::NoTable(view.path.clone()))
}

/// What one bucket of a model reads.
enum Input {
    /// These families' files of this bucket.
    Staged(Vec<&'static str>, usize),
    /// Rows dealt to it.
    Dealt(HashMap<String, Rows>),
}

async fn run_bucket(
    fold: &Prepared,
    input: Input,
    staged: &Staged,
    checks: &[Prepared],
) -> Result<(RecordBatch, Vec<i64>), ModelsError> {
    let mut rows = match input {
        Input::Dealt(rows) => rows,
        Input::Staged(families, bucket) => {
            let mut rows = HashMap::new();
            let mut any = false;
            for family in families {
                let bytes = staged.bytes(family, bucket).await?;
                any |= bytes.is_some();
                let found = bytes.map_or_else(|| Rows::Batches(Vec::new()), Rows::Parquet);
                rows.insert(format!("staged_{family}"), found);
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

/// Reads whole files of a folder, for callers without a session.
pub(crate) async fn read_all(folder: &Folder, name: &str) -> Result<(SchemaRef, Vec<RecordBatch>), ModelsError> {
    let schema = folder.schema(name).await?;
    Ok((schema, folder.read(name, None).await?.try_collect().await?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
        let staged = Arc::new(Staged { store, folder, buckets: 1 });
        let run = Run { engine: &engine, models: &models, staged, parallel: 1, thorough: false };
        let mut states = BTreeMap::new();
        let mut plans = Vec::new();
        for model in models.iter().filter(|model| model.layer != Layer::Staging) {
            let plan = run.plan(model, &states).await.unwrap();
            states.insert(model.table.clone(), State { schema: plan.schema(), batches: Vec::new() });
            plans.push((model.clone(), plan.text()));
        }
        plans
    }

    #[tokio::test]
    async fn every_mart_streams_over_sorted_rows_and_sorts_nothing() {
        let plans = plans().await;
        assert_eq!(plans.iter().filter(|(model, _)| model.layer == Layer::Marts).count(), 11);
        for (model, plan) in plans {
            let lines = |operator: &'static str| plan.lines().filter(move |line| line.contains(operator));
            assert_eq!(lines("SortExec").count(), 0, "{}\n{plan}", model.path);
            assert_eq!(lines("RepartitionExec").count(), 0, "{}\n{plan}", model.path);
            // What a join needs is small and by event id: the only thing that is not in the order of the rows.
            let folds =
                || lines("AggregateExec").filter(|line| !line.contains("referral_id") && !line.contains("return_id"));
            assert!(folds().all(|line| line.contains("ordering_mode=Sorted")), "{}\n{plan}", model.path);
            assert!(lines("WindowAggExec").all(|line| line.contains("mode=[Sorted]")), "{}\n{plan}", model.path);
            if model.layer == Layer::Marts {
                assert!(folds().count() + lines("WindowAggExec").count() > 0, "{}\n{plan}", model.path);
            }
        }
    }
}
