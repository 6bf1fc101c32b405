//! Companions above the release: hidden columns that follow the numbers they belong to (privacy.md 6.14).
//!
//! ```text
//! input:  Projection[province, n, priv_lo(n)]                        over  Projection[province, count(*) AS n]
//! output: Projection[province, n, "priv_lo(released_1.column_1)", …]  over  Projection[province, count(*) AS n, …]
//! ```
//!
//! They are there only where a question asks for one. They stand behind the columns that the question knows, are passed on
//! with the column that they belong to, through a union where each of its rows has them, and end where rows are made anew: at
//! an aggregate, DISTINCT, a subquery, the answer. Numbers of one total may share their noise (sets that are near each other
//! have one answer), so that a total over released rows has no interval; an answer says so that is asked for with companions.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use super::delta::Computed;
use super::open::{Known, Open, Written};
use super::{Lowering, misplaced};
use crate::companions::{Companion, DIFFERENCE, is_companion};
use crate::notes::Note;
use crate::refusal::{Code, Refusal};

/// The column of a companion of the numbers that `key` names. A name of the question is not like it but by intention.
pub(super) fn hidden_name(companion: Companion, key: &str) -> String {
    format!("{}({key})", companion.function())
}

/// The companions of an expression.
pub(super) enum Accompanied {
    /// It is a column: its own.
    By(Arc<str>),
    /// Computed from those of several, in the order of [`Companion::ALL`].
    Computed(Vec<Expr>),
}

/// Whether a plan calls a function of companions, in subqueries too.
pub(super) fn asks_for_companions(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                found |= matches!(expr, Expr::ScalarFunction(call) if is_companion(call.func.name()));
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    });
    debug_assert!(walked.is_ok(), "the closure never fails");
    found
}

/// The refusal of a companion of what has none.
pub(super) fn no_companion(function: &str) -> Refusal {
    let detail = format!(
        "{function} tells of a released number: a count, sum, mean or quantile of a protected table, or what is made of such \
         by +, -, *, / and round. This is none."
    );
    Refusal::new(Code::ProtectedFunction, detail).hint(
        "Write SELECT province, count(*) AS n, priv_lo(count(*)) AS lo, priv_hi(count(*)) AS hi FROM victims GROUP BY \
         province; of a total over released rows ask for the total as a cell of its own, by ROLLUP.",
    )
}

impl Lowering<'_> {
    /// A call of a function of companions, over arguments that are lowered.
    pub(super) fn companion(
        &self,
        function: &str,
        args: &[Expr],
        schema: &DFSchema,
        input: &Open,
    ) -> Result<Expr, Refusal> {
        let missing = || no_companion(function).at(self.words.find(function));
        if function == DIFFERENCE {
            let [a, b] = args else { return Err(missing()) };
            let difference = Expr::BinaryExpr(datafusion::logical_expr::BinaryExpr::new(
                Box::new(a.clone()),
                datafusion::logical_expr::Operator::Minus,
                Box::new(b.clone()),
            ));
            let computed = Computed::of(&difference, schema, input).ok_or_else(missing)?;
            return self.built(computed.half_width(&input.plan));
        }
        let (Some(companion), [number]) = (Companion::of(function), args) else { return Err(missing()) };
        match self.accompanied(number, schema, input)?.ok_or_else(missing)? {
            Accompanied::By(key) => self.built(hidden_column(companion, &key, &input.plan)),
            Accompanied::Computed(all) => {
                let at = Companion::ALL.iter().position(|other| *other == companion);
                at.and_then(|at| all.into_iter().nth(at)).ok_or_else(misplaced::internal)
            }
        }
    }

    /// The companions of an expression over open rows; none where it is no number made of released ones.
    fn accompanied(&self, expr: &Expr, schema: &DFSchema, input: &Open) -> Result<Option<Accompanied>, Refusal> {
        if let Expr::Column(column) = unaliased(expr)
            && let Some(key) = input.known(column, schema).and_then(|known| known.companions.clone())
        {
            return Ok(Some(Accompanied::By(key)));
        }
        match Computed::of(unaliased(expr), schema, input) {
            Some(computed) if computed.is_of_released() => {
                self.built(computed.companions(unaliased(expr), &input.plan)).map(Accompanied::Computed).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The columns of a projection over open rows, and the hidden ones that follow them.
    pub(super) fn following(
        &mut self,
        written: &[Written],
        schema: &DFSchema,
        input: &Open,
    ) -> Result<(Vec<Known>, Vec<Expr>), Refusal> {
        let (mut columns, mut hidden) = (Vec::new(), Vec::new());
        let mut carried: Vec<Arc<str>> = Vec::new();
        self.steps += 1;
        for (at, written) in written.iter().enumerate() {
            let mut known = Known { tainted: written.tainted, companions: None };
            let found = if self.companions { self.accompanied(&written.expr, schema, input)? } else { None };
            match found {
                Some(Accompanied::By(key)) => {
                    if !carried.contains(&key) {
                        hidden.extend(self.built(hidden_columns(&key, &input.plan))?);
                        carried.push(Arc::clone(&key));
                    }
                    known.companions = Some(key);
                }
                Some(Accompanied::Computed(exprs)) => {
                    let key: Arc<str> = format!("step_{}.column_{at}", self.steps).into();
                    let named = |(companion, expr): (Companion, Expr)| expr.alias(hidden_name(companion, &key));
                    hidden.extend(Companion::ALL.into_iter().zip(exprs).map(named));
                    known.companions = Some(key);
                }
                None => {}
            }
            columns.push(known);
        }
        Ok((columns, hidden))
    }

    /// The same rows without hidden columns.
    pub(super) fn bare(&self, open: Open) -> Result<Open, Refusal> {
        let own = open.columns.len();
        if open.plan.schema().fields().len() <= own {
            return Ok(open);
        }
        let exprs = (0..own).map(|at| Expr::Column(Column::from(open.plan.schema().qualified_field(at)))).collect();
        let plan = LogicalPlan::Projection(self.built(Projection::try_new(exprs, Arc::new(open.plan)))?);
        let columns = open.columns.into_iter().map(|known| Known { companions: None, ..known }).collect();
        Ok(Open { plan, columns, released: open.released })
    }

    /// The inputs of a union with the companions of the columns that have them in each input, under one name.
    pub(super) fn side_by_side(
        &mut self,
        columns: &mut [Known],
        inputs: Vec<Open>,
    ) -> Result<Vec<Arc<LogicalPlan>>, Refusal> {
        self.steps += 1;
        for (at, known) in columns.iter_mut().enumerate() {
            let each = || inputs.iter().map(|input| input.columns.get(at).and_then(|known| known.companions.as_ref()));
            known.companions =
                each().all(|key| key.is_some()).then(|| format!("step_{}.column_{at}", self.steps).into());
        }
        inputs.into_iter().map(|input| self.beside_others(columns, input).map(Arc::new)).collect()
    }

    /// The rows of one input of a union: the columns that the question knows, then the hidden ones that all inputs have.
    fn beside_others(&self, columns: &[Known], input: Open) -> Result<LogicalPlan, Refusal> {
        let own = input.columns.len();
        if columns.iter().all(|known| known.companions.is_none()) {
            return Ok(self.bare(input)?.plan);
        }
        let mut exprs: Vec<Expr> =
            (0..own).map(|at| Expr::Column(Column::from(input.plan.schema().qualified_field(at)))).collect();
        for (known, own) in columns.iter().zip(&input.columns) {
            let (Some(key), Some(own)) = (&known.companions, &own.companions) else { continue };
            let hidden = self.built(hidden_columns(own, &input.plan))?;
            let named = |(companion, expr): (Companion, Expr)| expr.alias(hidden_name(companion, key));
            exprs.extend(Companion::ALL.into_iter().zip(hidden).map(named));
        }
        self.built(Projection::try_new(exprs, Arc::new(input.plan))).map(LogicalPlan::Projection)
    }

    /// The rows of a join: the columns that the question knows first. The hidden ones of the left side came between them.
    pub(super) fn in_order(
        &self,
        plan: LogicalPlan,
        left: (usize, usize),
        right: usize,
    ) -> Result<LogicalPlan, Refusal> {
        let (own, all) = left;
        let fields = plan.schema().fields().len();
        if own == all || fields <= all {
            return Ok(plan);
        }
        let order = (0..own).chain(all..all + right).chain(own..all).chain(all + right..fields);
        let exprs = order.map(|at| Expr::Column(Column::from(plan.schema().qualified_field(at)))).collect();
        Ok(LogicalPlan::Projection(self.built(Projection::try_new(exprs, Arc::new(plan)))?))
    }

    /// The rows of the answer: without hidden columns, or with each number followed by its companions and the row by its
    /// date. A column that the question has under that name already is not added.
    pub(super) fn answer(&mut self, open: Open, extended: bool) -> Result<LogicalPlan, Refusal> {
        let schema = Arc::clone(open.plan.schema());
        if extended {
            let fields = open.columns.iter().zip(schema.fields());
            let alone =
                fields.filter(|(known, field)| known.tainted && known.companions.is_none() && !is_own(field.name()));
            self.notes.extend(alone.map(|(_, field)| Note::unaccompanied(field.name())));
        }
        if !extended || open.columns.iter().all(|known| known.companions.is_none()) {
            return Ok(self.bare(open)?.plan);
        }
        let own = |at: usize| schema.qualified_field(at);
        let is_there = |name: &str| (0..open.columns.len()).any(|at| own(at).1.name() == name);
        let mut exprs = Vec::new();
        for (at, known) in open.columns.iter().enumerate() {
            let (relation, field) = own(at);
            exprs.push(Expr::Column(Column::from((relation, field))));
            let Some(key) = &known.companions else { continue };
            for companion in Companion::ALL {
                if let Some(name) = companion.beside(field.name()).filter(|name| !is_there(name)) {
                    let column = self.built(hidden_column(companion, key, &open.plan))?;
                    exprs.push(column.alias_qualified(relation.cloned(), name));
                }
            }
        }
        let first = open.columns.iter().find_map(|known| known.companions.as_ref());
        if let Some(key) = first.filter(|_| !is_there(AS_OF)) {
            exprs.push(self.built(hidden_column(Companion::AsOf, key, &open.plan))?.alias(AS_OF));
        }
        self.built(Projection::try_new(exprs, Arc::new(open.plan))).map(LogicalPlan::Projection)
    }
}

/// Whether a column is a companion itself.
fn is_own(name: &str) -> bool {
    name.split('(').next().is_some_and(is_companion)
}

/// The date of the Snapshot beside the rows of an answer.
const AS_OF: &str = "as_of";

/// A hidden column where it stands now.
pub(super) fn hidden_column(companion: Companion, key: &str, plan: &LogicalPlan) -> datafusion::common::Result<Expr> {
    let (relation, field) = plan.schema().qualified_field_with_unqualified_name(&hidden_name(companion, key))?;
    Ok(Expr::Column(Column::from((relation, field))))
}

/// All hidden columns of a number.
pub(super) fn hidden_columns(key: &str, plan: &LogicalPlan) -> datafusion::common::Result<Vec<Expr>> {
    Companion::ALL.into_iter().map(|companion| hidden_column(companion, key, plan)).collect()
}

/// An expression under the name that the steps above know, which replacing a call would change.
pub(super) fn under_name(expr: Expr, (relation, name): (Option<&TableReference>, &str)) -> Expr {
    let (own_relation, own_name) = expr.qualified_name();
    if own_relation.as_ref() == relation && own_name == name {
        return expr;
    }
    expr.alias_qualified(relation.cloned(), name)
}

fn unaliased(expr: &Expr) -> &Expr {
    if let Expr::Alias(alias) = expr { unaliased(&alias.expr) } else { expr }
}
