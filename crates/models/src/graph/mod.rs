//! Runs the models: each after what it reads, bucket by bucket.
//!
//! A model that reads staged rows runs once per bucket of records; one that reads states runs once per bucket of the key
//! its `.yml` names (a person, the event answered). Plans have one partition and stream (models.md 2); buckets run side
//! by side on the runtime of the caller.
//!
//! A run over some records alone is the same run over fewer keys (models.md 6): the plans are the same, a model that reads states
//! gets all rows of the keys that changed, of which those that did not change come from earlier runs (`states`).
//!
//! What a run takes of memory does not grow with the country but for the finished marts, which whoever answers questions holds anyway:
//! rows between models are held up to a limit and else read again, and large tables are dealt a group of buckets at a time ([`Memory`]).
//!
//! Absent: files of marts and their manifest (see `refresh`), what a number means.

mod bucket;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use futures::StreamExt;
use lake::folder::FolderWriter;

use crate::check;
use crate::engine::{Engine, Prepared, Rows, Table};
use crate::error::ModelsError;
use crate::exchange::{self, Dealt};
use crate::keys::{self, Keys};
use crate::layers::{self, Layers};
use crate::mart::Finish;
use crate::model::{Layer, Model, Read};
use crate::stage::{self, Family};
use crate::states::{self, States};
use bucket::{Input, Work};
use state::{Changed, Room, State};

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

/// Buckets that are begun for each that can be computed: while one's rows are made durable, another is folded.
const WAITING: usize = 2;

/// A mart that a run made: its rows, or those of the keys that changed, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Mart {
    /// Its finished rows.
    pub rows: RecordBatch,
    /// The keys whose rows these are; `None` = of all.
    pub of: Option<Changed>,
}

/// How much of memory a fold takes. Marts are the same whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of rows between models that are held; others are read again from where they are kept.
    pub held_bytes: usize,
    /// Rows of a table that are dealt to buckets at a time.
    pub rows_at_once: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { held_bytes: 512 << 20, rows_at_once: 2 << 20 }
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
    /// Where states are kept, for models that read them and for later runs.
    pub keep: &'a FolderWriter,
    /// What becomes of marts.
    pub finish: Arc<Finish>,
    /// How much is held and dealt at a time.
    pub memory: Memory,
}

impl Run<'_> {
    /// Gives the marts by name, and a report of every model.
    pub async fn all(&self) -> Result<(BTreeMap<String, Mart>, Vec<NodeReport>), ModelsError> {
        let room = Room::new(self.memory.held_bytes);
        let (mut states, mut marts) = (BTreeMap::new(), BTreeMap::new());
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
                let (state, mart) = self.one(model, &states, &room, &mut report).await?;
                marts.extend(mart.map(|mart| (model.table.clone(), mart)));
                states.insert(model.table.clone(), state);
                states.retain(|name, _| self.is_read_after(at, name));
            }
            report.millis = began.elapsed().as_millis() as u64;
            tracing::debug!(table = model.table, rows = report.rows, millis = report.millis, "folded");
            reports.push(report);
        }
        Ok((marts, reports))
    }

    fn is_read(&self, table: &str) -> bool {
        self.models.iter().any(|model| model.reads.iter().any(|read| read.table == table))
    }

    fn is_read_after(&self, done: usize, table: &str) -> bool {
        self.models[done + 1..].iter().any(|model| model.reads.iter().any(|read| read.table == table))
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

    async fn one(
        &self,
        model: &Model,
        states: &BTreeMap<String, State>,
        room: &Room,
        report: &mut NodeReport,
    ) -> Result<(State, Option<Mart>), ModelsError> {
        let fold = self.plan(model, states).await?;
        let mut checks =
            check::Checks::plan(self.engine, model, &self.leaves(model, states)?, &fold, self.thorough).await?;
        let questions = checks.queries();
        let (reads, of) = self.reads(model, states, &[std::slice::from_ref(&fold), &questions].concat()).await?;
        let keep = (model.kept || self.is_read(&model.table)).then(|| self.keep.clone());
        let work = Arc::new(Work {
            model: model.clone(),
            fold: Arc::clone(&fold),
            checks: questions,
            staged: Arc::clone(&self.staged),
            keep: keep.clone(),
            hashed: states::hashed(model, self.models),
            room: room.clone(),
            finish: Arc::clone(&self.finish),
        });
        let (mut parts, mut finished) = (Vec::new(), Vec::new());
        let (buckets, at_once) = reads.buckets(self.memory.rows_at_once);
        report.buckets = buckets as u64;
        for from in (0..buckets).step_by(at_once) {
            let group = from..(from + at_once).min(buckets);
            let inputs = self.inputs(&reads, group.clone(), buckets).await?;
            let mut running = futures::stream::iter(group.zip(inputs))
                .map(|(number, input)| {
                    let work = Arc::clone(&work);
                    tokio::spawn(async move { work.bucket(number, input).await })
                })
                .buffered(self.parallel.max(1) * WAITING);
            while let Some(done) = running.next().await {
                let done = done.map_err(|_| ModelsError::Stopped)?.map_err(|e| e.in_model(model))?;
                checks.note(&done.counted);
                report.rows += done.rows as u64;
                parts.extend(done.part);
                finished.extend(done.finished);
            }
        }
        checks.verdict(model, report.rows)?;
        if let (Some(folder), Some(changed)) = (&keep, &of) {
            layers::write_changed(folder, &model.table, &changed.keys).await?;
        }
        let mart = self.finish.mart(model, &fold.schema(), finished)?;
        let mart = mart.map(|rows| Mart { rows, of: of.clone() });
        Ok((State { schema: fold.schema(), parts, of }, mart))
    }

    /// What plans of a model read, and of which keys that is all there is.
    async fn reads<'s>(
        &self,
        model: &'s Model,
        states: &'s BTreeMap<String, State>,
        plans: &[Arc<Prepared>],
    ) -> Result<(Reads<'s>, Option<Changed>), ModelsError> {
        let staged =
            model.reads.iter().filter_map(|read| self.view(read)).map(family_of).collect::<Result<Vec<_>, _>>()?;
        if !staged.is_empty() {
            let of = self.changed_records(&staged).await?;
            return Ok((Reads::Staged(staged, self.staged.layers.buckets()), of));
        }
        let mut tables = Vec::new();
        for read in &model.reads {
            let by = read.by.as_deref().ok_or_else(|| ModelsError::NoKey(model.path.clone()))?;
            let state = &states[&read.table];
            let schema = Arc::new(state.schema.project(&columns(plans, read, by, &state.schema))?);
            tables.push(Dealing { read, by, state, schema, before: Vec::new() });
        }
        let Some(before) = self.before else { return Ok((Reads::Dealt(tables), None)) };
        let changed = self.changed_keys(&tables, before).await?;
        for Dealing { read, by, state, schema, before: rows } in &mut tables {
            *rows = before.rows(&read.table, schema, by, &changed.keys, replaced(state)).await?;
        }
        Ok((Reads::Dealt(tables), Some(changed)))
    }

    /// What each bucket of a group reads.
    async fn inputs(&self, reads: &Reads<'_>, group: Range<usize>, buckets: usize) -> Result<Vec<Input>, ModelsError> {
        let tables = match reads {
            Reads::Staged(families, _) => return Ok(group.map(|at| Input::Staged(families.clone(), at)).collect()),
            Reads::Dealt(tables) => tables,
        };
        let mut inputs: Vec<HashMap<String, Dealt>> = group.clone().map(|_| HashMap::new()).collect();
        for Dealing { read, by, state, schema, before } in tables {
            let mut rows = state.read(self.keep, schema, by, group.clone(), buckets, self.parallel).await?;
            rows.extend(before.iter().cloned());
            let dealt = exchange::deal(schema, rows, by, &read.order, group.clone(), buckets)?;
            for (input, dealt) in inputs.iter_mut().zip(dealt) {
                input.insert(read.table.clone(), dealt);
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
    async fn changed_keys(&self, tables: &[Dealing<'_>], before: &States) -> Result<Changed, ModelsError> {
        let mut values = Vec::new();
        for Dealing { read, by, state, .. } in tables {
            values.extend(state.column(self.keep, by, self.parallel).await?);
            values.extend(before.keys(&read.table, by, replaced(state)).await?);
        }
        let mut hashes = Vec::new();
        for values in &values {
            hashes.extend(keys::hashes(values)?.iter().flatten());
        }
        Ok(Changed { keys: Arc::new(hashes.into_iter().collect()), values })
    }
}

/// What a model reads.
enum Reads<'a> {
    /// These families' rows, in so many buckets.
    Staged(Vec<&'static Family>, usize),
    /// Rows of other models, dealt to buckets.
    Dealt(Vec<Dealing<'a>>),
}

/// A table that a model reads, dealt by one of its columns.
struct Dealing<'a> {
    read: &'a Read,
    by: &'a str,
    state: &'a State,
    /// The columns of it that are read.
    schema: SchemaRef,
    /// Rows of earlier runs.
    before: Vec<RecordBatch>,
}

impl Reads<'_> {
    /// How many buckets, and how many of them are dealt at a time: such a group has about so many rows.
    fn buckets(&self, rows_at_once: usize) -> (usize, usize) {
        let tables = match self {
            Self::Staged(_, buckets) => return (*buckets, *buckets),
            Self::Dealt(tables) => tables,
        };
        let rows = |of: &Dealing<'_>| of.state.rows() + of.before.iter().map(RecordBatch::num_rows).sum::<usize>();
        let most = tables.iter().map(rows).max().unwrap_or(0);
        let groups = most.div_ceil(rows_at_once.max(1)).next_power_of_two().min(exchange::MOST_BUCKETS);
        let buckets = exchange::buckets_for(most).max(groups);
        (buckets, buckets / groups)
    }
}

/// Where the columns lie that plans read of a table, and those by which it is dealt and sorted.
fn columns(plans: &[Arc<Prepared>], read: &Read, by: &str, schema: &Schema) -> Vec<usize> {
    let mut names: BTreeSet<String> = plans.iter().flat_map(|plan| plan.columns(&read.table)).collect();
    names.extend(read.order.iter().cloned());
    names.insert(by.to_owned());
    (0..schema.fields().len()).filter(|at| names.contains(schema.field(*at).name())).collect()
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
        let keep = lake::folder::create(&store, "lake/states", "1").await.unwrap();
        let finish = Finish {
            policy: Arc::new(policy::Policy::default()),
            keys: Arc::new(policy::Keys::derive(&policy::Master::from_bytes([7; 32]))),
        };
        let run = Run {
            engine: &engine,
            models: &models,
            staged,
            parallel: 1,
            thorough: false,
            before: None,
            keep: &keep,
            finish: Arc::new(finish),
            memory: Memory::default(),
        };
        let mut states = BTreeMap::new();
        let mut plans = Vec::new();
        for model in models.iter().filter(|model| model.layer != Layer::Staging) {
            let plan = run.plan(model, &states).await.unwrap();
            states.insert(model.table.clone(), State { schema: plan.schema(), parts: Vec::new(), of: None });
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
