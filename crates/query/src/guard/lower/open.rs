//! What stays above the released rows: the steps as they are, with the subqueries of their expressions lowered
//! (privacy.md 6.3, region R).
//!
//! Of each column it is known whether it is a released number, in which a NULL may stand for a hidden cell.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, TableReference};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::{
    Aggregate, DistinctOn, Expr, Join, JoinType, LogicalPlan, Projection, SortExpr, Subquery, Union, Values, Window,
};

use super::hidden::under_name;
use super::{Lowering, Node, misplaced};
use crate::companions::is_companion;
use crate::functions::LEVEL_OF;
use crate::refusal::Refusal;

/// A plan over open and released tables.
#[derive(Debug)]
pub(super) struct Open {
    /// Its columns, those that the question knows first, then hidden ones (`hidden`).
    pub(super) plan: LogicalPlan,
    /// One for each column that the question knows.
    pub(super) columns: Vec<Known>,
    /// Whether any released table is under it.
    pub(super) released: bool,
}

/// What is known of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Whether a NULL in it may be a hidden cell.
    pub(super) tainted: bool,
    /// Under which name its companions are in the plan, where they are.
    pub(super) companions: Option<Arc<str>>,
}

impl Known {
    pub(super) fn tainted(tainted: bool) -> Self {
        Self { tainted, companions: None }
    }
}

impl Open {
    pub(super) fn leaf(plan: LogicalPlan) -> Self {
        let columns = vec![Known::default(); plan.schema().fields().len()];
        Self { plan, columns, released: false }
    }

    /// What is known of a column, `schema` being that of the raw plan.
    pub(super) fn known(&self, column: &Column, schema: &DFSchema) -> Option<&Known> {
        let at = schema.maybe_index_of_column(column)?;
        let position = named_columns(schema).position(|other| other == at)?;
        self.columns.get(position)
    }
}

/// The columns of a raw plan that a question can name: all but the number of the grouping set, which no lowered plan has.
pub(super) fn named_columns(schema: &DFSchema) -> impl Iterator<Item = usize> + '_ {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| field.name() != Aggregate::INTERNAL_GROUPING_ID).map(|(at, _)| at)
}

/// An expression whose subqueries are lowered.
pub(super) struct Written {
    pub(super) expr: Expr,
    /// Whether it uses a released number.
    pub(super) tainted: bool,
    /// Whether a subquery in it reads a released table.
    pub(super) released: bool,
}

impl<'a> Lowering<'a> {
    /// A step over one open input whose columns it leaves as they are.
    pub(super) fn over(&mut self, plan: &LogicalPlan, input: Open) -> Result<Node<'a>, Refusal> {
        let schema = Arc::clone(plan.inputs().first().ok_or_else(misplaced::internal)?.schema());
        let written = self.all(plan.expressions(), &schema, &input)?;
        let released = input.released || written.iter().any(|w| w.released);
        let exprs = written.into_iter().map(|w| w.expr).collect();
        let plan = self.built(plan.with_new_exprs(exprs, vec![input.plan]))?;
        Ok(Node::Open(Open { plan, columns: input.columns, released }))
    }

    pub(super) fn projection(&mut self, projection: &Projection, input: Open) -> Result<Node<'a>, Refusal> {
        let written = self.all(projection.expr.clone(), projection.input.schema(), &input)?;
        let released = input.released || written.iter().any(|w| w.released);
        let (columns, hidden) = self.following(&written, projection.input.schema(), &input)?;
        let exprs = named(written, &projection.schema).chain(hidden).collect();
        let plan = self.built(Projection::try_new(exprs, Arc::new(input.plan)))?;
        Ok(Node::Open(Open { plan: LogicalPlan::Projection(plan), columns, released }))
    }

    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, input: Open) -> Result<Node<'a>, Refusal> {
        let schema = aggregate.input.schema();
        let groups = self.all(aggregate.group_expr.clone(), schema, &input)?;
        let aggregates = self.all(aggregate.aggr_expr.clone(), schema, &input)?;
        self.strict_aggregate(aggregate, input, groups, aggregates)
    }

    pub(super) fn window(&mut self, window: &Window, input: Open) -> Result<Node<'a>, Refusal> {
        let written = self.all(window.window_expr.clone(), window.input.schema(), &input)?;
        self.strict_window(window, input, written)
    }

    pub(super) fn distinct_on(&mut self, on: &DistinctOn, input: Open) -> Result<Node<'a>, Refusal> {
        let schema = on.input.schema();
        let keys = self.all(on.on_expr.clone(), schema, &input)?;
        let select = self.all(on.select_expr.clone(), schema, &input)?;
        let sorts = on.sort_expr.clone().unwrap_or_default();
        let sorted = self.all(sorts.iter().map(|sort| sort.expr.clone()).collect(), schema, &input)?;
        let sorts: Vec<SortExpr> = sorts.iter().zip(sorted).map(|(sort, w)| sort.with_expr(w.expr)).collect();
        let columns = select.iter().map(|w| Known::tainted(w.tainted)).collect();
        let keys = keys.into_iter().map(|w| w.expr).collect();
        let select = named(select, &on.schema).collect();
        let sorts = on.sort_expr.as_ref().map(|_| sorts);
        let plan = self.built(DistinctOn::try_new(keys, select, sorts, Arc::new(input.plan)))?;
        let plan = LogicalPlan::Distinct(datafusion::logical_expr::Distinct::On(plan));
        Ok(Node::Open(Open { plan, columns, released: input.released }))
    }

    pub(super) fn union(&mut self, union: &Union) -> Result<Node<'a>, Refusal> {
        let mut inputs = Vec::new();
        for input in &union.inputs {
            inputs.push(self.open(input, "UNION")?);
        }
        let mut columns = vec![Known::default(); union.schema.fields().len()];
        for input in &inputs {
            columns.iter_mut().zip(&input.columns).for_each(|(all, one)| all.tainted |= one.tainted);
        }
        let released = inputs.iter().any(|input| input.released);
        let inputs = self.side_by_side(&mut columns, inputs)?;
        let plan = LogicalPlan::Union(self.built(Union::try_new_with_loose_types(inputs))?);
        Ok(Node::Open(Open { plan, columns, released }))
    }

    pub(super) fn values(&mut self, values: &Values, plan: &LogicalPlan) -> Result<Node<'a>, Refusal> {
        let none = Open::leaf(plan.clone());
        let written = self.all(values.values.concat(), &DFSchema::empty(), &none)?;
        let released = written.iter().any(|w| w.released);
        let mut columns = none.columns;
        let width = columns.len().max(1);
        written.iter().enumerate().for_each(|(at, w)| columns[at % width].tainted |= w.tainted);
        let exprs = written.into_iter().map(|w| w.expr).collect();
        let plan = self.built(plan.with_new_exprs(exprs, Vec::new()))?;
        Ok(Node::Open(Open { plan, columns, released }))
    }

    pub(super) fn open_join(&mut self, join: &Join, left: Open, right: Open) -> Result<Node<'a>, Refusal> {
        let schema = self.built(join.left.schema().join(join.right.schema()))?;
        let both = Open {
            plan: left.plan.clone(),
            columns: left.columns.iter().chain(&right.columns).cloned().collect(),
            released: left.released || right.released,
        };
        let whole = LogicalPlan::Join(join.clone());
        let written = self.all(whole.expressions(), &schema, &both)?;
        let released = both.released || written.iter().any(|w| w.released);
        let exprs = written.into_iter().map(|w| w.expr).collect();
        let all_left = left.plan.schema().fields().len();
        let mut plan = self.built(whole.with_new_exprs(exprs, vec![left.plan, right.plan]))?;
        let columns = match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left.columns,
            JoinType::RightSemi | JoinType::RightAnti => right.columns,
            _ => {
                plan = self.in_order(plan, (left.columns.len(), all_left), right.columns.len())?;
                both.columns
            }
        };
        let columns = fit(columns, &join.schema);
        Ok(Node::Open(Open { plan, columns, released }))
    }

    fn all(&mut self, exprs: Vec<Expr>, schema: &DFSchema, input: &Open) -> Result<Vec<Written>, Refusal> {
        exprs.into_iter().map(|expr| self.written(expr, schema, input)).collect()
    }

    /// An expression over open rows with every subquery in it lowered. `schema` is that of the input in the raw plan: the
    /// lowered one has the same names.
    fn written(&mut self, expr: Expr, schema: &DFSchema, input: &Open) -> Result<Written, Refusal> {
        let (mut tainted, mut released, mut refusal) = (false, false, None);
        let expr = expr.transform_up(|expr| match self.step(expr, schema, input) {
            Ok(step) => {
                tainted |= step.tainted;
                released |= step.released;
                Ok(Transformed::yes(step.expr))
            }
            Err(error) => {
                refusal = Some(error);
                Err(DataFusionError::Plan("refused".to_owned()))
            }
        });
        match expr {
            Ok(expr) => Ok(Written { expr: expr.data, tainted, released }),
            Err(error) => Err(refusal.unwrap_or_else(|| super::super::planning(&error, self.words))),
        }
    }

    /// One part of an expression over open rows; its parts have been looked at. Every form is named, so that a new one of
    /// the library that holds a subquery does not pass by.
    #[expect(deprecated, reason = "Wildcard is named so that every variant is")]
    fn step(&mut self, expr: Expr, schema: &DFSchema, input: &Open) -> Result<Written, Refusal> {
        let plain = |expr: Expr| Written { expr, tainted: false, released: false };
        match expr {
            Expr::Column(ref column) => {
                let tainted = input.known(column, schema).is_some_and(|known| known.tainted);
                Ok(Written { expr, tainted, released: false })
            }
            Expr::Exists(exists) => {
                let (subquery, inner) = self.subquery(&exists.subquery, input)?;
                Ok(Written {
                    expr: Expr::Exists(Exists { subquery, ..exists }),
                    tainted: false,
                    released: inner.released,
                })
            }
            Expr::InSubquery(within) => {
                let (subquery, inner) = self.subquery(&within.subquery, input)?;
                let expr = Expr::InSubquery(InSubquery { subquery, ..within });
                Ok(Written { expr, tainted: inner.tainted, released: inner.released })
            }
            Expr::SetComparison(compared) => {
                let (subquery, inner) = self.subquery(&compared.subquery, input)?;
                let expr = Expr::SetComparison(SetComparison { subquery, ..compared });
                Ok(Written { expr, tainted: inner.tainted, released: inner.released })
            }
            Expr::ScalarSubquery(subquery) => {
                let (subquery, inner) = self.subquery(&subquery, input)?;
                let expr = Expr::ScalarSubquery(subquery);
                Ok(Written { expr, tainted: inner.tainted, released: inner.released })
            }
            Expr::ScalarFunction(ref call) if is_companion(call.func.name()) => {
                self.companion(call.func.name(), &call.args, schema, input).map(plain)
            }
            Expr::ScalarFunction(ref call) if call.func.name() == LEVEL_OF => Err(misplaced::function(LEVEL_OF).hint(
                "It names a level of a column of a protected table; over released rows the column is there itself.",
            )),
            Expr::Alias(_)
            | Expr::ScalarVariable(..)
            | Expr::Literal(..)
            | Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::ScalarFunction(_)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
            | Expr::InList(_)
            | Expr::Wildcard { .. }
            | Expr::GroupingSet(_)
            | Expr::Placeholder(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::Unnest(_)
            | Expr::HigherOrderFunction(_)
            | Expr::Lambda(_)
            | Expr::LambdaVariable(_) => Ok(plain(expr)),
        }
    }

    /// A subquery of an expression over open rows.
    fn subquery(&mut self, subquery: &Subquery, around: &Open) -> Result<(Subquery, SubqueryFacts), Refusal> {
        #[cfg(test)]
        {
            self.subqueries += 1;
        }
        self.outer.push(around.released);
        let inner = self.open(&subquery.subquery, "A subquery over records");
        self.outer.pop();
        let inner = self.bare(inner?)?;
        let tainted = inner.columns.iter().any(|known| known.tainted);
        let facts = SubqueryFacts { tainted, released: inner.released };
        Ok((subquery.with_plan(Arc::new(inner.plan)), facts))
    }

    /// A rebuilt part of the plan. What fails here speaks of the question's types.
    pub(super) fn built<T>(&self, built: datafusion::common::Result<T>) -> Result<T, Refusal> {
        built.map_err(|error| super::super::planning(&error, self.words))
    }
}

struct SubqueryFacts {
    tainted: bool,
    released: bool,
}

/// As many as there are columns that the question knows.
pub(super) fn fit(mut columns: Vec<Known>, schema: &DFSchema) -> Vec<Known> {
    columns.resize(schema.fields().len(), Known::default());
    columns
}

/// Expressions under the names that they had in the raw plan.
fn named<'n>(written: Vec<Written>, schema: &'n DFSchema) -> impl Iterator<Item = Expr> + 'n
where
    Vec<Written>: 'n,
{
    let name = |(written, (relation, field)): (Written, (Option<&TableReference>, &Arc<Field>))| {
        under_name(written.expr, (relation, field.name()))
    };
    written.into_iter().zip(schema.iter()).map(name)
}
