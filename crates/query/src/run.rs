//! Computes a guarded plan under limits, on threads of its own.
//!
//! Each question has a session of its own: no catalogue, no functions, no stores, no formats, no files to spill to, and a
//! pool of memory that ends at its limit. One partition per question, so that an answer is the same each time and
//! questions share the threads fairly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::record_batch::RecordBatch;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result as DataFusionResult};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use disclosure::CellQuery;
use futures::StreamExt;
use policy::{Access, Asker};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::current::Current;
use crate::explain;
use crate::facade::{Permit, Protected, Scope};
use crate::functions::FUNCTIONS;
use crate::guard::{self, Guarded, Release, Released};
use crate::metered;
use crate::oracle::{Asked, Begun, Oracle, Outcome, ReleasedCells};
use crate::order::Ordered;
use crate::question::{Answer, Limits, Question, Shape, Turn};
use crate::refusal::{Code, Refusal};

/// Rows of one step of work: small, so that a question yields often and a wide row stays a small batch.
const BATCH_ROWS: usize = 4_096;

/// What questions are asked of.
#[derive(Clone)]
pub(crate) struct Ground {
    /// The picture.
    pub(crate) current: Arc<Current>,
    /// Answers for protected tables.
    pub(crate) oracle: Option<Arc<dyn Oracle>>,
    /// Who may ask what.
    pub(crate) access: Arc<Access>,
    /// Now.
    pub(crate) now: SystemTime,
}

/// Plans a question, or one that is only explained, over a picture and the protected tables of an oracle.
pub(crate) fn guarded(
    question: &Question,
    is_explained: bool,
    limits: &Limits,
    ground: &Ground,
) -> Result<Guarded, Refusal> {
    let Ground { current, oracle, access, now } = ground;
    let protected = oracle.as_deref().map(|oracle| Protected::new(oracle, current));
    let permit = Some(Permit { access, asker: question.asker.as_ref(), is_explained });
    let (tables, protected) = (current.tables(), protected.as_ref());
    guard::guard(question, limits, Scope { tables, current, now: *now, protected, permit })
}

/// What a question takes and gives, over a picture: its plan is made and not run. Placeholders without values get
/// stand-ins. The same refusals as an answer, but for those that depend on the values.
pub(crate) async fn shape(
    question: Question,
    limits: Limits,
    Ground { current, oracle, now, .. }: Ground,
) -> Result<Shape, Refusal> {
    let explained = explain::explained(&question).filter(|_| oracle.is_some());
    let mut asked = explained.clone().unwrap_or(question);
    let (guarded, params) = {
        let protected = oracle.as_deref().map(|oracle| Protected::new(oracle, &current));
        let (tables, protected) = (current.tables(), protected.as_ref());
        let scope = Scope { tables, current: &current, now, protected, permit: None };
        let parameters = guard::parameters(&asked.sql, &limits, scope)?;
        let missing = parameters.iter().skip(asked.params.len()).map(|parameter| parameter.stand_in.clone());
        asked.params.extend(missing.collect::<Vec<_>>());
        let params = parameters.into_iter().map(|parameter| parameter.data_type).collect();
        (guard::shaped(&asked, &limits, scope)?, params)
    };
    if explained.is_some() && !guarded.questions.is_empty() {
        return Ok(Shape { params, columns: explain::schema() });
    }
    let Guarded { plan, releases, words, .. } = guarded;
    let plan = bound(plan, &releases, |_| Ok(Vec::new())).map_err(|_| Refusal::ours())?;
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(limits.memory));
    let physical = physical(plan, &words, &limits, &pool, &CancellationToken::new()).await?.0;
    Ok(Shape { params, columns: physical.schema() })
}

/// Answers a question over a picture, or EXPLAINs it; of protected tables both need a key and are recorded. `stop` is cancelled
/// when nobody waits for the answer any more; at `until` its time is over.
pub(crate) async fn answer(
    question: Question,
    limits: Limits,
    ground: Ground,
    (stop, until): (CancellationToken, Instant),
) -> Result<Answer, Refusal> {
    let explained = explain::explained(&question).filter(|_| ground.oracle.is_some());
    let asked = explained.as_ref().unwrap_or(&question);
    let mut guarded = guarded(asked, explained.is_some(), &limits, &ground);
    let is_protected = guarded.as_ref().map_or_else(|e| e.code.is_recorded(), |guarded| !guarded.questions.is_empty());
    if explained.is_some() && guarded.is_ok() && !is_protected {
        // Plans are not shown: the word itself is refused.
        guarded = self::guarded(&question, false, &limits, &ground);
    }
    let Ground { current, oracle, .. } = ground;
    if !is_protected {
        let Guarded { plan, words, notes, .. } = guarded?;
        return Ok(Answer { notes, ..computed(plan, &words, limits, current, stop).await? });
    }
    let began = Instant::now();
    let Some(oracle) = oracle else { return Err(guarded.err().unwrap_or_else(no_vault)) };
    let asker = question.asker.as_ref().ok_or_else(no_key)?;
    let mut recorded = Recorded::begin(Arc::clone(&oracle), &question.sql, asker, until)?;
    let answer = match guarded {
        Ok(guarded) if explained.is_some() => recorded.explain(guarded, asker, &current),
        Ok(guarded) => protected(guarded, asker, &mut recorded, limits, current, stop).await,
        Err(refusal) => Err(refusal),
    };
    // What was refused before any record was read took a time that tells nothing.
    let slot = oracle.slot().filter(|_| recorded.reached_the_vault);
    recorded.end(answer.as_ref().err().map(|refusal| refusal.code), slot.map(|slot| leaves_after(began, slot)))?;
    if let Some(slot) = slot {
        let after = leaves_after(began, slot);
        if after > slot {
            warn_of_lateness(slot, after);
        }
        tokio::time::sleep_until(began + after).await;
        oracle.leaves(after);
    }
    answer
}

/// A question that was recorded as begun. However it ends, its end is recorded once: work whose asker has left, or whose time
/// is over, is dropped somewhere on its way, and what it has charged by then stays charged.
struct Recorded {
    oracle: Arc<dyn Oracle>,
    begun: Option<Begun>,
    outcome: Outcome,
    until: Instant,
    /// Whether anything was asked of the vault: only then can its time tell anything.
    reached_the_vault: bool,
}

impl Recorded {
    fn begin(oracle: Arc<dyn Oracle>, sql: &str, asker: &Asker, until: Instant) -> Result<Self, Refusal> {
        let begun = Some(oracle.begin(sql, asker)?);
        Ok(Self { oracle, begun, outcome: Outcome::default(), until, reached_the_vault: false })
    }

    /// Puts the questions to the vault, in this order.
    fn ask(&mut self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        self.note(questions);
        self.reached_the_vault = true;
        let begun = self.begun.as_ref().ok_or_else(Refusal::ours)?;
        let answers = self.oracle.ask_begun(begun, questions, asker)?;
        self.outcome.questions.iter_mut().zip(&answers).for_each(|(asked, answer)| asked.answered(answer));
        Ok(answers)
    }

    /// Answers EXPLAIN: from the questions and from what was charged before, so that there is no slot to wait for.
    fn explain(&mut self, guarded: Guarded, asker: &Asker, current: &Current) -> Result<Answer, Refusal> {
        self.note(&guarded.questions);
        explain::explain(guarded, asker, current, self.oracle.as_ref())
    }

    fn note(&mut self, questions: &[CellQuery]) {
        let datasets = self.oracle.datasets();
        self.outcome.questions = questions.iter().map(|question| Asked::new(question, datasets)).collect();
    }

    /// Records the end; an error where it cannot be, and then no answer leaves.
    fn end(mut self, refused: Option<Code>, slot: Option<Duration>) -> Result<(), Refusal> {
        (self.outcome.refused, self.outcome.slot) = (refused, slot);
        self.begun.take().map_or(Ok(()), |begun| self.oracle.end(begun, &self.outcome))
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let code = if std::thread::panicking() {
            Code::ProtectedInternal
        } else if Instant::now() >= self.until {
            Code::TimeLimit
        } else {
            Code::Cancelled
        };
        self.outcome.refused = Some(code);
        // Where this fails the oracle has said why, and a question without an end says the same: it got no answer.
        let _ = self.oracle.end(begun, &self.outcome);
    }
}

/// How long after its beginning an answer leaves: the first of one, two, four, … times `slot` that is not over yet.
fn leaves_after(began: Instant, slot: Duration) -> Duration {
    let (took, mut after) = (began.elapsed(), slot.max(Duration::from_millis(1)));
    while after < took {
        after *= 2;
    }
    after
}

/// Too late for its slot: a sign that the slot is too short for what is asked, or the machine too slow.
fn warn_of_lateness(slot: Duration, after: Duration) {
    tracing::warn!(slot_ms = slot.as_millis(), left_after_ms = after.as_millis(), "an answer was late for its slot");
}

/// Asks the vault and computes the rest over what it released.
async fn protected(
    guarded: Guarded,
    asker: &Asker,
    recorded: &mut Recorded,
    limits: Limits,
    current: Arc<Current>,
    stop: CancellationToken,
) -> Result<Answer, Refusal> {
    let Guarded { plan, questions, releases, notes, words } = guarded;
    let ordered = Ordered::coarse_to_fine(questions, recorded.oracle.datasets(), &recorded.oracle.years());
    // On this thread, which may block: work in the vault keeps its turn until it has ended, whoever has left meanwhile.
    let answers = tokio::task::block_in_place(|| recorded.ask(&ordered.questions, asker))?;
    let answers = ordered.put_back(answers).ok_or_else(Refusal::ours)?;
    let plan = bound(plan, &releases, |release| release.batch(&answers).map(|rows| vec![rows])).map_err(|error| {
        tracing::error!(error = %error, "released cells do not fit their table");
        Refusal::ours()
    })?;
    match computed(plan, &words, limits, current, stop).await {
        Ok(answer) => Ok(Answer { notes, ..answer }),
        // Over released numbers these have codes of their own (privacy.md 6.4).
        Err(refusal) if refusal.code == Code::Expression => Err(Refusal { code: Code::ProtectedExpression, ..refusal }),
        Err(refusal) => Err(refusal),
    }
}

fn no_vault() -> Refusal {
    let refusal = Refusal::new(Code::ProtectedInternal, "No vault is attached that could answer this question.");
    refusal.hint("Ask the published tables: SELECT * FROM information_schema.tables lists them.")
}

fn no_key() -> Refusal {
    let refusal = Refusal::new(Code::KeyNeeded, "Questions about protected tables need a key that is bound to a role.");
    refusal.hint("Send it as `Authorization: Bearer …`, or in AMANAT_KEY to `amanat sql`; `amanat key new` makes one. The published tables need none.")
}

/// Puts the rows in the places of the released tables.
fn bound(
    plan: LogicalPlan,
    releases: &[Release],
    rows_of: impl Fn(&Release) -> DataFusionResult<Vec<RecordBatch>>,
) -> DataFusionResult<LogicalPlan> {
    let mut tables: BTreeMap<&str, Arc<dyn TableSource>> = BTreeMap::new();
    for release in releases {
        let rows = MemTable::try_new(Arc::clone(&release.schema), vec![rows_of(release)?])?;
        tables.insert(&release.name, provider_as_source(Arc::new(rows)));
    }
    let bound = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) if scan.source.is::<Released>() => {
            let Some(rows) = tables.get(scan.table_name.table()) else {
                return Err(DataFusionError::Internal("a released table has no rows".to_owned()));
            };
            scan.source = Arc::clone(rows);
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        node => Ok(Transformed::no(node)),
    });
    bound.map(|bound| bound.data)
}

/// Computes a plan whose tables are all in memory.
async fn computed(
    plan: LogicalPlan,
    words: &guard::Words,
    limits: Limits,
    current: Arc<Current>,
    stop: CancellationToken,
) -> Result<Answer, Refusal> {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(limits.memory));
    let (physical, state) = physical(plan, words, &limits, &pool, &stop).await?;
    let mut stream = execute_stream(physical, state.task_ctx()).map_err(|e| guard::computing(&e, &limits))?;
    let held = MemoryConsumer::new("answer").register(&pool);
    let (schema, mut batches, mut rows) = (stream.schema(), Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|e| guard::computing(&e, &limits))?;
        rows += batch.num_rows();
        if rows > limits.rows {
            let detail = format!("The answer has more than {} rows.", limits.rows);
            return Err(Refusal::new(Code::RowLimit, detail)
                .hint("Add LIMIT, a condition, or GROUP BY; or take the whole edition as a file."));
        }
        held.try_grow(metered::bytes(&batch)).map_err(|_| guard::memory(&limits))?;
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
        tokio::task::consume_budget().await;
    }
    Ok(Answer {
        schema,
        batches,
        edition: current.latest().map(|e| e.edition),
        notes: Vec::new(),
        turn: Turn::default(),
    })
}

/// The work that a plan over tables in memory is turned into, and the session that it belongs to.
async fn physical(
    plan: LogicalPlan,
    words: &guard::Words,
    limits: &Limits,
    pool: &Arc<dyn MemoryPool>,
    stop: &CancellationToken,
) -> Result<(Arc<dyn ExecutionPlan>, SessionState), Refusal> {
    tokio::task::yield_now().await;
    let state = session(Arc::clone(pool)).map_err(|e| guard::computing(&e, limits))?;
    let plan = state.optimize(&plan).map_err(|e| guard::planning(&e, words))?;
    guard::check_optimised(&plan)?;
    let plan = metered::interruptible(plan, stop).map_err(|e| guard::computing(&e, limits))?;
    tokio::task::yield_now().await;
    let physical =
        state.query_planner().create_physical_plan(&plan, &state).await.map_err(|e| guard::planning(&e, words))?;
    let physical = metered::meter(physical).map_err(|e| guard::computing(&e, limits))?;
    tokio::task::yield_now().await;
    Ok((physical, state))
}

fn session(pool: Arc<dyn MemoryPool>) -> DataFusionResult<SessionState> {
    let stores = DefaultObjectStoreRegistry::new();
    stores.deregister_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_object_store_registry(Arc::new(stores))
        .build()?;
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    // Nothing is spilled, so nothing is set aside for merging what was spilled.
    config.options_mut().execution.sort_spill_reservation_bytes = 0;
    // Rewriting looks up functions by name as well (DISTINCT ON by `first_value`): it finds those on offer.
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(Arc::new(runtime))
        .with_scalar_functions(FUNCTIONS.scalar.values().cloned().collect())
        .with_aggregate_functions(FUNCTIONS.aggregate.values().cloned().collect())
        .with_window_functions(FUNCTIONS.window.values().cloned().collect())
        .build())
}
