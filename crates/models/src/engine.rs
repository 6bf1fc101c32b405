//! The one place of this crate that owns a DataFusion session.
//!
//! A fold is planned once and run once per bucket: the leaves of its plan name tables and their declared order, and find
//! the rows of *their* bucket in the context of each run. One partition, no spilling, no catalogue of files, nothing
//! that listens to the outside: `first_value`, `last_value` ([`crate::pick`]) and `rollup` are the only functions beside
//! DataFusion's own.
//!
//! Absent: storage (rows come in as bytes of a Parquet file or as batches) and any rule of counting (that is `sql/`).
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt16Array};
use arrow::datatypes::{DataType, SchemaRef, UInt16Type};
use bytes::Bytes;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DfResult, exec_err, plan_err};
use datafusion::datasource::{TableType, ViewTable};
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, collect, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::exchange;
use crate::pick;

/// Rows per batch inside a plan.
const BATCH_ROWS: usize = 8192;

/// A table that a plan reads: its columns and the order its rows are promised to come in.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Name in SQL.
    pub name: String,
    /// Columns.
    pub schema: SchemaRef,
    /// Columns the rows are sorted by, ascending, nulls last; empty = no promise.
    pub order: Vec<String>,
}

/// The rows of one bucket of a table.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// A whole Parquet file.
    Parquet(Bytes),
    /// Batches in the promised order, of all columns or of those that the plan reads ([`Prepared::columns`]).
    Batches(Vec<RecordBatch>),
}

/// Rolls codes up: `(list, level)` → the code of that level for each code of the list.
pub(crate) type Rollups = HashMap<(String, String), Vec<u16>>;

/// Plans that refreshes by the same rules have made: whoever refreshes again keeps them, for planning every file of `sql/` takes
/// longer than folding a few records.
#[derive(Debug, Clone, Default)]
pub struct Plans(Arc<Mutex<Option<Known>>>);

/// The rules that an engine was made for, and the engine.
type Known = (String, Arc<Engine>);

impl Plans {
    /// The engine of these rules, with what it has planned if it is the one used last.
    pub(crate) fn engine(&self, rules: &str, rollups: impl FnOnce() -> Rollups) -> Arc<Engine> {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*kept {
            Some((known, engine)) if known == rules => Arc::clone(engine),
            _ => {
                let engine = Arc::new(Engine::new(rollups()));
                *kept = Some((rules.to_owned(), Arc::clone(&engine)));
                engine
            }
        }
    }
}

/// Plans folds.
pub(crate) struct Engine {
    rollup: Arc<Rollup>,
    /// By the file that a text belongs to, and the text: tables of one file have the same columns each time.
    planned: Mutex<HashMap<(String, String), Arc<Prepared>>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// An engine that knows these roll-ups.
    pub fn new(rollups: Rollups) -> Self {
        Self { rollup: Arc::new(Rollup::new(rollups)), planned: Mutex::default() }
    }

    /// As [`Self::prepare`], once for each text of a file of `sql/`.
    pub async fn prepared(
        &self,
        file: &str,
        tables: &[Table],
        views: &[(String, String)],
        sql: &str,
    ) -> DfResult<Arc<Prepared>> {
        let key = (file.to_owned(), sql.to_owned());
        let planned = || self.planned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = planned().get(&key) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(self.prepare(tables, views, sql).await?);
        planned().insert(key, Arc::clone(&made));
        Ok(made)
    }

    /// Plans `sql` over `tables` and the views above them. The plan can be run for any number of buckets.
    pub async fn prepare(&self, tables: &[Table], views: &[(String, String)], sql: &str) -> DfResult<Prepared> {
        let ctx = self.session();
        for table in tables {
            ctx.register_table(table.name.as_str(), Arc::new(BucketTable(table.clone())))?;
        }
        for (name, text) in views {
            let plan = ctx.state().create_logical_plan(text).await?;
            ctx.register_table(name.as_str(), Arc::new(ViewTable::new(plan, None)))?;
        }
        let logical = ctx.state().create_logical_plan(sql).await?;
        let plan = ctx.state().create_physical_plan(&logical).await?;
        Ok(Prepared { plan, config: ctx.copied_config() })
    }

    fn session(&self) -> SessionContext {
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false)
            .with_collect_statistics(false);
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
        let ctx = SessionContext::new_with_state(state);
        ctx.register_udaf(pick::first_value());
        ctx.register_udaf(pick::last_value());
        ctx.register_udf(ScalarUDF::new_from_shared_impl(Arc::clone(&self.rollup) as Arc<dyn ScalarUDFImpl>));
        ctx
    }
}

/// A planned fold.
pub(crate) struct Prepared {
    plan: Arc<dyn ExecutionPlan>,
    config: SessionConfig,
}

impl Prepared {
    /// Columns of the result.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// The columns that it reads of a table, at any of its leaves.
    pub fn columns(&self, table: &str) -> BTreeSet<String> {
        let (mut found, mut plans) = (BTreeSet::new(), vec![&self.plan]);
        while let Some(plan) = plans.pop() {
            plans.extend(plan.children());
            if plan.downcast_ref::<BucketScan>().is_some_and(|scan| scan.table.name == table) {
                found.extend(plan.schema().fields().iter().map(|field| field.name().clone()));
            }
        }
        found
    }

    /// The physical plan as text, for the tests that assert its shape.
    #[cfg(test)]
    pub fn text(&self) -> String {
        datafusion::physical_plan::displayable(self.plan.as_ref()).indent(false).to_string()
    }

    /// Folds one bucket.
    pub async fn run(&self, rows: HashMap<String, Rows>) -> DfResult<Vec<RecordBatch>> {
        let config = self.config.clone().with_extension(Arc::new(Bucket(rows)));
        let context = TaskContext::default().with_session_config(config);
        // A join keeps its build side in the plan; each bucket starts from a clean one.
        let plan = reset_plan_states(Arc::clone(&self.plan))?;
        let partitions = plan.properties().output_partitioning().partition_count();
        if partitions == 1 {
            return datafusion::physical_plan::common::collect(execute_stream(plan, Arc::new(context))?).await;
        }
        collect(plan, Arc::new(context)).await
    }
}

/// What a run's leaves read: the rows of each table in this bucket.
struct Bucket(HashMap<String, Rows>);

/// A table without rows of its own: plans are made over it, rows come with each run.
#[derive(Debug)]
struct BucketTable(Table);

#[async_trait::async_trait]
impl TableProvider for BucketTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(BucketScan::new(self.0.clone(), projection.cloned())?))
    }
}

/// The leaf of a plan: reads its table's rows of the bucket that is being run.
#[derive(Debug)]
struct BucketScan {
    table: Table,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl BucketScan {
    fn new(table: Table, projection: Option<Vec<usize>>) -> DfResult<Self> {
        let schema = match &projection {
            Some(columns) => Arc::new(table.schema.project(columns)?),
            None => Arc::clone(&table.schema),
        };
        // The order holds as far as its columns are read.
        let mut order = Vec::new();
        for name in &table.order {
            let Ok(column) = col(name, &schema) else { break };
            order.push(PhysicalSortExpr::new_default(column).asc().nulls_last());
        }
        let equivalences = match LexOrdering::new(order) {
            Some(order) => EquivalenceProperties::new_with_orderings(schema, [order]),
            None => EquivalenceProperties::new(schema),
        };
        let properties = Arc::new(PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { table, projection, properties })
    }

    fn parquet(&self, bytes: Bytes) -> DfResult<ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(BATCH_ROWS);
        let mask = match &self.projection {
            Some(columns) => ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied()),
            None => ProjectionMask::all(),
        };
        Ok(builder.with_projection(mask).build()?)
    }

    fn batches(&self, batches: &[RecordBatch]) -> DfResult<Vec<RecordBatch>> {
        let mut out = Vec::new();
        for batch in batches {
            let batch = exchange::project(batch, &self.schema())?;
            let mut at = 0;
            while at < batch.num_rows() {
                let rows = BATCH_ROWS.min(batch.num_rows() - at);
                out.push(batch.slice(at, rows));
                at += rows;
            }
        }
        Ok(out)
    }
}

impl DisplayAs for BucketScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BucketScan: table={}", self.table.name)?;
        if let Some(order) = self.properties.output_ordering() {
            write!(f, ", output_ordering=[{order}]")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for BucketScan {
    fn name(&self) -> &'static str {
        "BucketScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let Some(bucket) = context.session_config().get_extension::<Bucket>() else {
            return exec_err!("a fold runs on a bucket");
        };
        let Some(rows) = bucket.0.get(&self.table.name) else {
            return exec_err!("the bucket has no table {}", self.table.name);
        };
        let schema = self.schema();
        Ok(match rows {
            Rows::Parquet(bytes) => {
                let reader = self.parquet(bytes.clone())?;
                let stream = futures::stream::iter(reader.map(|batch| Ok(batch?)));
                Box::pin(RecordBatchStreamAdapter::new(schema, stream))
            }
            Rows::Batches(batches) => {
                let stream = futures::stream::iter(self.batches(batches)?.into_iter().map(Ok));
                Box::pin(RecordBatchStreamAdapter::new(schema, stream))
            }
        })
    }
}

/// `rollup(list, level, code)`: the code's parent at a coarser level; null stays the level's unknown.
#[derive(Debug)]
struct Rollup {
    signature: Signature,
    maps: Rollups,
}

impl Rollup {
    fn new(maps: Rollups) -> Self {
        let shape = TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8, DataType::UInt16]);
        Self { signature: Signature::new(shape, Volatility::Immutable), maps }
    }

    fn map(&self, args: &[ColumnarValue]) -> DfResult<&[u16]> {
        let text = |arg: &ColumnarValue| match arg {
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Some(text.clone()),
            _ => None,
        };
        let (Some(list), Some(level)) = (text(&args[0]), text(&args[1])) else {
            return plan_err!("rollup takes the names of a list and of a level as literals");
        };
        if let Some(map) = self.maps.get(&(list.clone(), level.clone())) {
            return Ok(map);
        }
        plan_err!("the list {list} has no level {level}")
    }
}

impl PartialEq for Rollup {
    fn eq(&self, other: &Self) -> bool {
        self.maps == other.maps
    }
}

impl Eq for Rollup {}

impl std::hash::Hash for Rollup {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.maps.len().hash(state);
    }
}

impl ScalarUDFImpl for Rollup {
    fn name(&self) -> &'static str {
        "rollup"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::UInt16)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let map = self.map(&args.args)?;
        // The unknown code is the last of every list, and so of every map.
        let unknown = map.last().copied().unwrap_or(0);
        let codes = args.args[2].to_array(args.number_rows)?;
        let codes = codes.as_primitive::<UInt16Type>();
        let out: UInt16Array =
            codes.iter().map(|code| Some(code.and_then(|c| map.get(c as usize).copied()).unwrap_or(unknown))).collect();
        Ok(ColumnarValue::Array(Arc::new(out) as ArrayRef))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    fn table() -> Table {
        let schema = Schema::new(vec![
            Field::new("k", DataType::Utf8, false),
            Field::new("v", DataType::Int64, false),
            Field::new("x", DataType::Int64, true),
        ]);
        Table { name: "t".into(), schema: Arc::new(schema), order: vec!["k".into(), "v".into()] }
    }

    fn batch(rows: &[(&str, i64, Option<i64>)]) -> RecordBatch {
        RecordBatch::try_new(
            table().schema,
            vec![
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.1))),
                Arc::new(rows.iter().map(|r| r.2).collect::<Int64Array>()),
            ],
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_fold_streams_and_keeps_the_last_value_said() {
        let engine = Engine::new(Rollups::new());
        let sql = "SELECT k, last_value(x ORDER BY v) FILTER (WHERE x IS NOT NULL) AS x, \
                   first_value(v ORDER BY v) AS first FROM t WHERE v < 9 GROUP BY k";
        let fold = engine.prepare(&[table()], &[], sql).await.unwrap();
        assert!(fold.text().contains("ordering_mode=Sorted"), "{}", fold.text());
        assert!(!fold.text().contains("SortExec"), "{}", fold.text());
        let rows = [
            batch(&[("a", 1, Some(1)), ("a", 2, None), ("b", 1, None)]),
            batch(&[("b", 2, None), ("c", 1, Some(5)), ("c", 2, Some(6)), ("c", 9, Some(7))]),
        ];
        let out = fold.run(HashMap::from([("t".into(), Rows::Batches(rows.to_vec()))])).await.unwrap();
        let text = arrow::util::pretty::pretty_format_batches(&out).unwrap().to_string();
        assert_eq!(
            text,
            "+---+---+-------+\n| k | x | first |\n+---+---+-------+\n| a | 1 | 1     |\n| b |   | 1     |\n| c | 6 | 1     |\n+---+---+-------+"
        );
    }
}
