//! What the engine leaves out: memory that it does not count, and work that it does not interrupt. And a last look: rows
//! come from memory and from nowhere else.
//!
//! - Window functions hold back rows until their partition is whole; those rows are counted here ([`meter`]).
//! - A join may give millions of rows for each batch that it reads. The steps above it would then work on without ever
//!   giving way; so each join gives way after a number of batches ([`meter`]).
//! - A join on a condition works on inside itself while nothing passes the condition; so the condition asks each time
//!   whether the question is still wanted ([`interruptible`]).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    ColumnarValue, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::refusal::{Code, Refusal};

/// A window step holds its input and, while it joins the pieces, a copy.
const COPIES: usize = 2;

/// Bytes of the rows of a batch: of its part of shared buffers, not of the buffers.
pub(crate) fn bytes(batch: &RecordBatch) -> usize {
    let of = |column: &arrow::array::ArrayRef| {
        let data = column.to_data();
        data.get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
    };
    batch.columns().iter().map(of).sum()
}

/// The same plan, with what flows into its window steps counted against the question's memory, and with joins that give
/// way. An error when it reads anything but memory.
pub(crate) fn meter(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if node.children().is_empty() && !reads_memory(node.as_ref()) {
            return Err(DataFusionError::Internal("a plan reads something else than memory".to_owned()));
        }
        let holds = node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>();
        let multiplies = node.is::<CrossJoinExec>()
            || node.is::<HashJoinExec>()
            || node.is::<NestedLoopJoinExec>()
            || node.is::<SortMergeJoinExec>();
        if multiplies {
            return Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>));
        }
        if !holds {
            return Ok(Transformed::no(node));
        }
        let inputs = node.children().into_iter().map(|input| Metered::over(Arc::clone(input))).collect();
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        node.replace_children(inputs, options).map(Transformed::yes)
    })
    .map(|done| done.data)
}

/// True for a step without input that gives rows of memory, or one row or none.
fn reads_memory(node: &dyn ExecutionPlan) -> bool {
    let memory = |source: &DataSourceExec| source.data_source().is::<MemorySourceConfig>();
    node.is::<EmptyExec>()
        || node.is::<PlaceholderRowExec>()
        || node.downcast_ref::<DataSourceExec>().is_some_and(memory)
}

/// The same plan, whose joins end with an error once `stop` is cancelled.
pub(crate) fn interruptible(plan: LogicalPlan, stop: &CancellationToken) -> Result<LogicalPlan> {
    let wanted = Arc::new(ScalarUDF::new_from_impl(Wanted::new(stop.clone())));
    plan.transform_down_with_subqueries(|node| match node {
        LogicalPlan::Join(mut join) => {
            let filter = join.filter.take();
            let changed = filter.is_some();
            join.filter = filter.map(|filter| wanted.call(vec![filter]));
            Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
        }
        node => Ok(Transformed::no(node)),
    })
    .map(|done| done.data)
}

/// A truth value as it is, as long as the question is wanted. No question can name it.
#[derive(Debug)]
struct Wanted {
    signature: Signature,
    stop: CancellationToken,
}

impl Wanted {
    fn new(stop: CancellationToken) -> Self {
        Self { signature: Signature::exact(vec![DataType::Boolean], Volatility::Immutable), stop }
    }
}

/// There is one in a plan.
impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for Wanted {}

impl std::hash::Hash for Wanted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

impl ScalarUDFImpl for Wanted {
    fn name(&self) -> &'static str {
        "wanted"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.stop.is_cancelled() {
            let refusal = Refusal::new(Code::Cancelled, "The question was withdrawn.");
            return Err(DataFusionError::External(Box::new(refusal)));
        }
        Ok(args.args.swap_remove(0))
    }
}

/// A step that changes nothing and counts what passes.
#[derive(Debug)]
struct Metered {
    input: Arc<dyn ExecutionPlan>,
}

impl Metered {
    fn over(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input })
    }
}

impl DisplayAs for Metered {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metered")
    }
}

impl ExecutionPlan for Metered {
    fn name(&self) -> &'static str {
        "Metered"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::over(children.swap_remove(0)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("window").register(context.memory_pool());
        Ok(Box::pin(MeteredStream { input: self.input.execute(partition, context)?, held }))
    }
}

struct MeteredStream {
    input: SendableRecordBatchStream,
    held: MemoryReservation,
}

impl Stream for MeteredStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.input.poll_next_unpin(context));
        if let Some(Ok(batch)) = &next {
            self.held.try_grow(bytes(batch).saturating_mul(COPIES))?;
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for MeteredStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
