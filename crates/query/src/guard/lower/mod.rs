//! Cuts what reads protected tables out of a plan and puts released cells in its place (privacy.md 6.4).
//!
//! ```text
//! input:  Sort ── Projection ── Aggregate ── Filter ── facade of victims
//! output: Sort ── Projection ── released_1                      and a CellQuery that answers released_1
//! ```
//!
//! The plan is the one that the planner of SQL made, before any rewriting, so that no rewriting can move a part of the
//! question across the cut (privacy.md 4, H1, H13). Labels are `open < released < protected`; only an aggregate or DISTINCT
//! turns protected into released. Expressions are looked at top down, left to right; the first error is told; both inputs
//! of a join are lowered before the join is judged.
//!
//! Reading order: this walk, `region` (what a protected subtree is), `meaning`, `literal` and `predicate` (what may be said
//! below the aggregate), `measure`, `release`, `sets`, `bases`, `asked`, `rows` (the aggregate), `batch` and
//! `interval` (the answer), `join`, `open`, `strict`, `hidden` and `delta` (what stays above), `misplaced` (every form that is refused).
//!
//! Absent: any rule on what may be computed from open tables; that is `guard::plan`, which judges what comes out of here.

mod asked;
mod bases;
mod batch;
mod delta;
mod hidden;
mod interval;
mod join;
mod literal;
mod meaning;
mod measure;
mod misplaced;
mod open;
mod predicate;
mod region;
mod release;
mod rows;
mod sets;
mod strict;
#[cfg(test)]
mod tests;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Distinct, LogicalPlan, TableScan};
use disclosure::CellQuery;

pub(crate) use release::{Release, Released};

use self::open::Open;
use self::region::Region;
use super::errors::Words;
use crate::facade::{Facade, Protected};
use crate::notes::Note;
use crate::refusal::{Code, Refusal};

/// A plan over open and released tables, and what must be asked to fill the released ones.
pub(crate) struct Lowered {
    pub(crate) plan: LogicalPlan,
    /// Canonical, each once.
    pub(crate) questions: Vec<CellQuery>,
    /// The tables of the plan that the answers fill.
    pub(crate) releases: Vec<Release>,
    pub(crate) notes: Vec<Note>,
}

/// What a subtree is.
enum Node<'a> {
    /// Open or released tables alone.
    Open(Open),
    /// Records of one protected table, not yet aggregated.
    Protected(Region<'a>),
}

/// Whether a plan reads a protected table, in subqueries too.
pub(super) fn reads_protected(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let walked = plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::TableScan(scan) if scan.source.is::<Facade>());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    debug_assert!(walked.is_ok(), "the closure never fails");
    found
}

/// Lowers a raw plan, or says why not.
///
/// With `extended`, every number of the answer is followed by its companions (privacy.md 6.14).
pub(super) fn lower(
    plan: &LogicalPlan,
    extended: bool,
    protected: &Protected<'_>,
    words: &Words,
) -> Result<Lowered, Refusal> {
    let mut lowering = Lowering::new(protected, words);
    lowering.companions = extended || hidden::asks_for_companions(plan);
    let plan = match lowering.node(plan)? {
        Node::Open(open) => lowering.answer(open, extended)?,
        Node::Protected(region) => return Err(lowering.records(&region, plan)),
    };
    let Lowering { questions, releases, mut notes, .. } = lowering;
    notes.sort();
    notes.dedup();
    Ok(Lowered { plan, questions, releases, notes })
}

struct Lowering<'a> {
    protected: &'a Protected<'a>,
    words: &'a Words,
    /// Whether the query around each subquery that is being lowered has released columns, innermost last.
    outer: Vec<bool>,
    /// Whether companions are asked for: then they follow every released number.
    companions: bool,
    /// Projections that were lowered: each names the companions that it computes.
    steps: usize,
    questions: Vec<CellQuery>,
    releases: Vec<Release>,
    notes: Vec<Note>,
    /// Subqueries in expressions that were lowered, for the test that none is passed by.
    #[cfg(test)]
    subqueries: usize,
}

impl<'a> Lowering<'a> {
    fn new(protected: &'a Protected<'a>, words: &'a Words) -> Self {
        Self {
            protected,
            words,
            outer: Vec::new(),
            companions: false,
            steps: 0,
            questions: Vec::new(),
            releases: Vec::new(),
            notes: Vec::new(),
            #[cfg(test)]
            subqueries: 0,
        }
    }

    /// Lowers a step and all under it.
    fn node(&mut self, plan: &LogicalPlan) -> Result<Node<'a>, Refusal> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan, plan),
            LogicalPlan::SubqueryAlias(alias) => match self.node(&alias.input)? {
                // Columns are known by their position; the new name stands in the schema of the plan.
                Node::Protected(region) => Ok(Node::Protected(region)),
                Node::Open(input) => self.over(plan, input),
            },
            LogicalPlan::Filter(filter) => match self.node(&filter.input)? {
                Node::Protected(region) => {
                    let schema = filter.input.schema();
                    Ok(Node::Protected(self.filtered(region, &filter.predicate, schema)?))
                }
                Node::Open(input) => self.over(plan, input),
            },
            LogicalPlan::Projection(projection) => match self.node(&projection.input)? {
                Node::Protected(region) => {
                    let schema = projection.input.schema();
                    Ok(Node::Protected(self.projected(region, &projection.expr, schema)?))
                }
                Node::Open(input) => self.projection(projection, input),
            },
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => match self.node(&aggregate.input)? {
                Node::Protected(region) => self.release(region, aggregate).map(Node::Open),
                Node::Open(input) => self.aggregate(aggregate, input),
            },
            LogicalPlan::Distinct(Distinct::All(input)) => match self.node(input)? {
                Node::Protected(region) => self.shown(&region, input.schema()).map(Node::Open),
                Node::Open(input) => self.bare(input).and_then(|input| self.over(plan, input)),
            },
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let input = self.open(&on.input, "DISTINCT ON")?;
                self.distinct_on(on, input)
            }
            LogicalPlan::Window(window) => {
                let input = self.open(&window.input, "A window function")?;
                self.window(window, input)
            }
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Sort(sort) => self.open(&sort.input, "ORDER BY").and_then(|input| self.over(plan, input)),
            LogicalPlan::Limit(limit) => self.open(&limit.input, "LIMIT").and_then(|input| self.over(plan, input)),
            LogicalPlan::Repartition(step) => {
                self.open(&step.input, "This step").and_then(|input| self.over(plan, input))
            }
            LogicalPlan::Unnest(unnest) => self.open(&unnest.input, "UNNEST").and_then(|input| self.over(plan, input)),
            LogicalPlan::Subquery(subquery) => {
                let input = self.open(&subquery.subquery, "A subquery").and_then(|input| self.bare(input))?;
                self.over(plan, input)
            }
            LogicalPlan::Values(values) => self.values(values, plan),
            LogicalPlan::EmptyRelation(_) => Ok(Node::Open(Open::leaf(plan.clone()))),
            LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Statement(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::DescribeTable(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::RecursiveQuery(_) => {
                let refusal =
                    Refusal::new(Code::ProtectedStatement, "Only queries are answered from protected tables.");
                Err(refusal.hint("Begin with SELECT or WITH, without RECURSIVE."))
            }
        }
    }

    fn scan(&self, scan: &TableScan, plan: &LogicalPlan) -> Result<Node<'a>, Refusal> {
        let Some(facade) = scan.source.downcast_ref::<Facade>() else {
            return Ok(Node::Open(Open::leaf(plan.clone())));
        };
        // The planner pushes nothing into a scan; whatever did, it was not the planner (privacy.md 6.3).
        if scan.fetch.is_some() || !scan.filters.is_empty() || scan.projection.is_some() {
            return Err(misplaced::form("A part of a protected table"));
        }
        let dataset = self.protected.datasets.get(&facade.dataset).ok_or_else(misplaced::internal)?;
        Ok(Node::Protected(Region::whole(dataset, &scan.source.schema())))
    }

    /// An input that must not be protected any more.
    fn open(&mut self, plan: &LogicalPlan, what: &str) -> Result<Open, Refusal> {
        match self.node(plan)? {
            Node::Open(open) => Ok(open),
            Node::Protected(_) => Err(misplaced::form(what).hint(misplaced::AGGREGATE_FIRST)),
        }
    }
}
