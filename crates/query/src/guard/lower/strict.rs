//! Totals over released numbers: NULL where one of their inputs is not shown (privacy.md 6.3, Q in region R).
//!
//! ```text
//! input:  sum(n)
//! output: CASE WHEN count(n) = count(*) THEN sum(n) END AS "sum(n)"        and NOTE-3001
//! input:  sum_visible(n)
//! output: sum(n) AS "sum_visible(n)"                                       and NOTE-3003
//! ```
//!
//! `count(*)` counts rows and stays as it is; so do ranks and neighbours (`rank`, `lag`, `first_value`), which give one
//! value of one row.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, LogicalPlan, Projection, Window, WindowFunctionDefinition, lit, when,
};

use super::open::{Known, Open, Written, named_columns};
use super::{Lowering, Node, misplaced};
use crate::functions::{FUNCTIONS, SUM_VISIBLE};
use crate::notes::Note;
use crate::refusal::Refusal;

/// Aggregates that give a value of one row, or none of any.
const OF_ONE_ROW: [&str; 4] = ["first_value", "last_value", "nth_value", "grouping"];

/// How a column of the step above is made of the columns of the new step.
enum Made {
    /// As it is.
    Same(Column),
    /// Where each of these pairs of counts agrees.
    Where(Column, Vec<(Column, Column)>),
}

/// A column as the steps above know it.
type Named<'n> = (Option<&'n TableReference>, &'n Arc<Field>);

/// The expressions of a new step, each once.
#[derive(Default)]
struct Exprs(Vec<Expr>);

impl Exprs {
    fn add(&mut self, expr: Expr) -> usize {
        self.0.iter().position(|other| *other == expr).unwrap_or_else(|| {
            self.0.push(expr);
            self.0.len() - 1
        })
    }
}

/// An aggregate as the new step computes it: its number, and the numbers of the counts that must agree.
struct Computed {
    at: usize,
    counts: Vec<(usize, usize)>,
}

impl<'a> Lowering<'a> {
    pub(super) fn strict_aggregate(
        &mut self,
        aggregate: &Aggregate,
        input: Open,
        groups: Vec<Written>,
        aggregates: Vec<Written>,
    ) -> Result<Node<'a>, Refusal> {
        let released = input.released || groups.iter().chain(&aggregates).any(|w| w.released);
        let group_tainted = groups.iter().any(|w| w.tainted);
        let group_expr: Vec<Expr> = groups.into_iter().map(|w| w.expr).collect();
        let mut exprs = Exprs::default();
        let mut computed = Vec::new();
        for written in &aggregates {
            computed.push(self.computed_aggregate(written, &mut exprs)?);
        }
        let own = aggregate.schema.fields().len().saturating_sub(aggregates.len());
        let added = exprs.0.len();
        let new = LogicalPlan::Aggregate(self.built(Aggregate::try_new(Arc::new(input.plan), group_expr, exprs.0))?);
        let first = new.schema().fields().len().saturating_sub(added);
        let mut made = Vec::new();
        for at in named_columns(&aggregate.schema).take_while(|at| *at < own) {
            let known = Known::tainted(group_tainted);
            made.push((aggregate.schema.qualified_field(at), Made::Same(column(&new, at)), known));
        }
        for (number, (one, written)) in computed.iter().zip(&aggregates).enumerate() {
            let known = Known::tainted(written.tainted);
            made.push((aggregate.schema.qualified_field(own + number), one.made(&new, first), known));
        }
        self.named(made, Vec::new(), new, released)
    }

    pub(super) fn strict_window(
        &mut self,
        window: &Window,
        input: Open,
        written: Vec<Written>,
    ) -> Result<Node<'a>, Refusal> {
        let released = input.released || written.iter().any(|w| w.released);
        let mut exprs = Exprs::default();
        let mut computed = Vec::new();
        for one in &written {
            computed.push(self.computed_window(one, &mut exprs)?);
        }
        let own = window.input.schema().fields().len();
        let first = input.plan.schema().fields().len();
        let hidden = (input.columns.len()..first).map(|at| Expr::Column(column(&input.plan, at))).collect();
        let new = LogicalPlan::Window(self.built(Window::try_new(exprs.0, Arc::new(input.plan)))?);
        let mut made = Vec::new();
        for (at, (raw, known)) in named_columns(window.input.schema()).zip(input.columns).enumerate() {
            made.push((window.schema.qualified_field(raw), Made::Same(column(&new, at)), known));
        }
        for (number, (one, written)) in computed.iter().zip(&written).enumerate() {
            let known = Known::tainted(written.tainted);
            made.push((window.schema.qualified_field(own + number), one.made(&new, first), known));
        }
        self.named(made, hidden, new, released)
    }

    fn computed_aggregate(&mut self, written: &Written, exprs: &mut Exprs) -> Result<Computed, Refusal> {
        let (call, name) = match unaliased(&written.expr) {
            Expr::AggregateFunction(call) => (call, call.func.name()),
            // The planner puts nothing else there; it is judged with the rest of the plan.
            _ => return Ok(Computed { at: exprs.add(written.expr.clone()), counts: Vec::new() }),
        };
        if name == SUM_VISIBLE {
            self.notes.push(Note::visible(&written.expr.schema_name().to_string()));
            let mut call = call.clone();
            call.func = function("sum")?;
            return Ok(Computed { at: exprs.add(Expr::AggregateFunction(call)), counts: Vec::new() });
        }
        let at = exprs.add(written.expr.clone());
        if !is_strict(name, &call.params.args, written.tainted) {
            return Ok(Computed { at, counts: Vec::new() });
        }
        self.notes.push(Note::strict(&written.expr.schema_name().to_string()));
        let filter = &call.params.filter;
        let count = |arg: Expr| -> Result<Expr, Refusal> {
            let count = function("count")?;
            Ok(Expr::AggregateFunction(AggregateFunction::new_udf(
                count,
                vec![arg],
                false,
                filter.clone(),
                vec![],
                None,
            )))
        };
        let rows = exprs.add(count(lit(1_i64))?);
        let mut counts = Vec::new();
        for arg in arguments(&call.params.args) {
            counts.push((exprs.add(count(arg.clone())?), rows));
        }
        Ok(Computed { at, counts })
    }

    fn computed_window(&mut self, written: &Written, exprs: &mut Exprs) -> Result<Computed, Refusal> {
        let Expr::WindowFunction(call) = unaliased(&written.expr) else {
            return Ok(Computed { at: exprs.add(written.expr.clone()), counts: Vec::new() });
        };
        let WindowFunctionDefinition::AggregateUDF(of) = &call.fun else {
            return Ok(Computed { at: exprs.add(written.expr.clone()), counts: Vec::new() });
        };
        let name = of.name();
        if name == SUM_VISIBLE {
            self.notes.push(Note::visible(&written.expr.schema_name().to_string()));
            return Ok(Computed {
                at: exprs.add(over(function("sum")?, call.params.args.clone(), call)),
                counts: Vec::new(),
            });
        }
        let at = exprs.add(written.expr.clone());
        // What it is ordered and divided by is no input of the total.
        if !is_strict(name, &call.params.args, written.tainted) {
            return Ok(Computed { at, counts: Vec::new() });
        }
        self.notes.push(Note::strict(&written.expr.schema_name().to_string()));
        let rows = exprs.add(over(function("count")?, vec![lit(1_i64)], call));
        let mut counts = Vec::new();
        for arg in arguments(&call.params.args) {
            counts.push((exprs.add(over(function("count")?, vec![arg.clone()], call)), rows));
        }
        Ok(Computed { at, counts })
    }

    /// The new step under the names of the old one, hidden columns behind.
    fn named(
        &self,
        made: Vec<(Named<'_>, Made, Known)>,
        hidden: Vec<Expr>,
        new: LogicalPlan,
        released: bool,
    ) -> Result<Node<'a>, Refusal> {
        let mut columns = Vec::new();
        let mut exprs = Vec::new();
        for ((relation, field), made, known) in made {
            let expr = match made {
                Made::Same(column) => Expr::Column(column),
                Made::Where(value, counts) => {
                    let agree = |(some, all): (Column, Column)| Expr::Column(some).eq(Expr::Column(all));
                    let all = counts.into_iter().map(agree).reduce(Expr::and).ok_or_else(misplaced::internal)?;
                    self.built(when(all, Expr::Column(value)).end())?
                }
            };
            exprs.push(expr.alias_qualified(relation.cloned(), field.name()));
            columns.push(known);
        }
        exprs.extend(hidden);
        let plan = LogicalPlan::Projection(self.built(Projection::try_new(exprs, Arc::new(new)))?);
        Ok(Node::Open(Open { plan, columns, released }))
    }
}

impl Computed {
    /// `first` is the column of the new step's first aggregate.
    fn made(&self, new: &LogicalPlan, first: usize) -> Made {
        let value = column(new, first + self.at);
        if self.counts.is_empty() {
            return Made::Same(value);
        }
        let pair = |&(some, all): &(usize, usize)| (column(new, first + some), column(new, first + all));
        Made::Where(value, self.counts.iter().map(pair).collect())
    }
}

fn column(plan: &LogicalPlan, at: usize) -> Column {
    Column::from(plan.schema().qualified_field(at))
}

fn unaliased(expr: &Expr) -> &Expr {
    if let Expr::Alias(alias) = expr { unaliased(&alias.expr) } else { expr }
}

fn function(name: &str) -> Result<Arc<AggregateUDF>, Refusal> {
    FUNCTIONS.aggregate.get(name).cloned().ok_or_else(misplaced::internal)
}

/// The arguments that vary.
fn arguments(args: &[Expr]) -> impl Iterator<Item = &Expr> {
    args.iter().filter(|arg| !matches!(arg, Expr::Literal(..)))
}

fn is_strict(name: &str, args: &[Expr], tainted: bool) -> bool {
    tainted && !OF_ONE_ROW.contains(&name) && arguments(args).next().is_some()
}

/// An aggregate over the same rows as a window function.
fn over(of: Arc<AggregateUDF>, args: Vec<Expr>, like: &WindowFunction) -> Expr {
    let mut call = like.clone();
    call.fun = WindowFunctionDefinition::AggregateUDF(of);
    call.params.args = args;
    Expr::WindowFunction(Box::new(call))
}
