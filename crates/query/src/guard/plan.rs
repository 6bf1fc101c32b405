//! The list of what a plan may be made of, and how large a text or an expression may become.
//!
//! The matches over [`LogicalPlan`] and [`Expr`] name every variant: a new one of the library does not compile until it is
//! judged here. The engine counts the memory of hash tables and sorts, but neither that of one batch of a projection nor
//! that of plans being rewritten; both are bounded here, from the text alone:
//! - a text value has a greatest length (`x || x` doubles it, `replace` may multiply it);
//! - an expression has a size once the expressions under it are written in its place, as rewriting may do, and once the
//!   forms that rewriting spells out are spelt out: `coalesce(a, b)` is `CASE WHEN a IS NOT NULL THEN a ELSE b END`, so
//!   that thirty of them in one another have a thousand million parts.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::{AggregateFunction, GroupingSet, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{
    Distinct, Expr, ExprSchemable, LogicalPlan, Operator, SortExpr, Subquery, TableScan, Volatility,
    WindowFunctionDefinition,
};
use datafusion::scalar::ScalarValue;

use super::dated::Dated;
use super::lower::Released;
use crate::functions::{FUNCTIONS, Functions};
use crate::refusal::{Code, Refusal};
use crate::tables::{Tables, WRITTEN};

/// Parts of an expression once those under it are written in its place.
const MOST_SIZE: u64 = 8_000;
/// Bytes of one computed text.
const MOST_TEXT: u64 = 8 << 10;
/// Bytes of one row of any step.
const MOST_ROW: u64 = 64 << 10;
/// Columns of any step.
const MOST_COLUMNS: usize = 1_024;
/// Bytes of a pattern of LIKE: matching takes time in proportion to it.
const MOST_PATTERN: u64 = 512;
/// Values of IN (…) up to which it is written out.
const WRITTEN_OUT: usize = 3;
/// Length that `lpad` and `rpad` may fill to.
const MOST_PADDING: i64 = 1_000;

/// What is known of one column of a step.
#[derive(Debug, Clone, Copy)]
struct Bound {
    /// Parts of its expression.
    size: u64,
    /// Greatest length as a text, bytes.
    width: u64,
}

impl Bound {
    const LEAF: Bound = Bound { size: 1, width: WRITTEN };

    fn max(self, other: Bound) -> Bound {
        Bound { size: self.size.max(other.size), width: self.width.max(other.width) }
    }

    fn with(self, width: u64) -> Bound {
        Bound { width, ..self }
    }
}

/// Judges a plan as the planner of SQL made it.
pub(super) fn check(plan: &LogicalPlan, tables: &Tables, dated: &Dated) -> Result<(), Refusal> {
    Judge { tables, dated, outer: Vec::new() }.plan(plan).map(drop)
}

/// Judges a plan once more after rewriting: the same kinds of steps and of expressions, and no function that differs
/// from call to call. Sizes were judged before.
pub(crate) fn check_optimised(plan: &LogicalPlan) -> Result<(), Refusal> {
    let mut open = vec![plan];
    while let Some(plan) = open.pop() {
        node(plan)?;
        open.extend(plan.inputs());
        for expr in plan.expressions() {
            rewritten(&expr)?;
        }
    }
    Ok(())
}

fn rewritten(expr: &Expr) -> Result<(), Refusal> {
    use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
    let mut verdict = Ok(());
    let walked = expr.apply(|expr| {
        verdict = kind(expr).and_then(|()| match expr {
            Expr::ScalarFunction(call) if call.func.signature().volatility == Volatility::Volatile => {
                Err(Refusal::new(Code::UnknownFunction, "A function of this question is not offered."))
            }
            Expr::Exists(e) => check_optimised(&e.subquery.subquery),
            Expr::InSubquery(e) => check_optimised(&e.subquery.subquery),
            Expr::SetComparison(e) => check_optimised(&e.subquery.subquery),
            Expr::ScalarSubquery(e) => check_optimised(&e.subquery),
            _ => Ok(()),
        });
        Ok(if verdict.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    debug_assert!(walked.is_ok(), "the closure never fails");
    verdict
}

fn not_offered(what: &str) -> Refusal {
    Refusal::new(Code::Construct, format!("{what} is not offered."))
}

/// Which steps a plan may have.
fn node(plan: &LogicalPlan) -> Result<(), Refusal> {
    match plan {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(Distinct::All(_) | Distinct::On(_)) => Ok(()),
        LogicalPlan::Repartition(_) => Err(not_offered("Repartitioning")),
        LogicalPlan::Unnest(_) => Err(not_offered("UNNEST")),
        LogicalPlan::RecursiveQuery(_) => Err(not_offered("WITH RECURSIVE")),
        LogicalPlan::Extension(_) => Err(not_offered("This step")),
        LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_) => {
            Err(Refusal::new(Code::Statement, "Only queries are answered.").hint("Begin with SELECT, WITH or VALUES."))
        }
    }
}

/// Which expressions a plan may have.
#[expect(deprecated, reason = "Wildcard is named so that every variant is")]
fn kind(expr: &Expr) -> Result<(), Refusal> {
    match expr {
        Expr::Alias(_)
        | Expr::Column(_)
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
        | Expr::Like(_)
        | Expr::ScalarFunction(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::InList(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::GroupingSet(GroupingSet::Rollup(_) | GroupingSet::Cube(_) | GroupingSet::GroupingSets(_)) => Ok(()),
        Expr::Literal(value, _) => data_type(&value.data_type()),
        Expr::Cast(cast) => data_type(cast.field.data_type()),
        Expr::TryCast(cast) => data_type(cast.field.data_type()),
        Expr::BinaryExpr(binary) => operator(binary.op),
        Expr::SimilarTo(_) => Err(not_offered("SIMILAR TO")),
        Expr::ScalarVariable(..) => Err(not_offered("A variable")),
        Expr::Wildcard { .. } => Err(not_offered("A star in this place")),
        Expr::Placeholder(_) => Err(Refusal::new(Code::Parameter, "A placeholder has no value.")),
        Expr::Unnest(_) => Err(not_offered("UNNEST")),
        Expr::HigherOrderFunction(_) | Expr::Lambda(_) | Expr::LambdaVariable(_) => Err(not_offered("A lambda")),
    }
}

fn operator(operator: Operator) -> Result<(), Refusal> {
    match operator {
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo
        | Operator::And
        | Operator::Or
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom
        | Operator::LikeMatch
        | Operator::ILikeMatch
        | Operator::NotLikeMatch
        | Operator::NotILikeMatch
        | Operator::BitwiseAnd
        | Operator::BitwiseOr
        | Operator::BitwiseXor
        | Operator::StringConcat
        | Operator::IntegerDivide => Ok(()),
        Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
            Err(not_offered("A regular expression").hint("Write LIKE, starts_with, contains or split_part."))
        }
        Operator::BitwiseShiftRight
        | Operator::BitwiseShiftLeft
        | Operator::AtArrow
        | Operator::ArrowAt
        | Operator::Arrow
        | Operator::LongArrow
        | Operator::HashArrow
        | Operator::HashLongArrow
        | Operator::AtAt
        | Operator::HashMinus
        | Operator::AtQuestion
        | Operator::Question
        | Operator::QuestionAnd
        | Operator::QuestionPipe
        | Operator::Colon => Err(not_offered(&format!("The operator {operator}"))),
    }
}

/// An answer is a plain table: no lists, maps, structures or bytes.
fn data_type(of: &DataType) -> Result<(), Refusal> {
    match of {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Interval(_) => Ok(()),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::List(_)
        | DataType::ListView(_)
        | DataType::FixedSizeList(..)
        | DataType::LargeList(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Union(..)
        | DataType::Dictionary(..)
        | DataType::Map(..)
        | DataType::RunEndEncoded(..) => {
            Err(not_offered("This type").hint("Use bigint, double, numeric, text, boolean, date or timestamp."))
        }
    }
}

fn too_long_a_text() -> Refusal {
    Refusal::new(Code::MemoryLimit, format!("A text could become longer than {} KiB.", MOST_TEXT >> 10))
        .hint("Join texts on your side.")
}

struct Judge<'a> {
    tables: &'a Tables,
    dated: &'a Dated,
    /// Columns of the queries around a subquery, innermost last.
    outer: Vec<(DFSchema, Vec<Bound>)>,
}

type Bounds = Vec<Bound>;

impl Judge<'_> {
    /// Judges a step and all under it; what is known of its columns.
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Bounds, Refusal> {
        node(plan)?;
        let columns = plan.schema().fields().len();
        if columns > MOST_COLUMNS {
            let detail = format!("A step has {columns} columns; at most {MOST_COLUMNS} are offered.");
            return Err(Refusal::new(Code::TooComplex, detail).hint("Name the columns that you need."));
        }
        let mut bounds = self.step(plan)?;
        bounds.resize(columns, Bound::LEAF);
        if bounds.iter().map(|b| b.width).fold(0, u64::saturating_add) > MOST_ROW {
            let detail = format!("A row could become longer than {} KiB.", MOST_ROW >> 10);
            return Err(Refusal::new(Code::MemoryLimit, detail).hint("Name the columns that you need."));
        }
        Ok(bounds)
    }

    fn step(&mut self, plan: &LogicalPlan) -> Result<Bounds, Refusal> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Projection(p) => self.over(&p.input, p.expr.iter()),
            LogicalPlan::Filter(f) => {
                let input = self.plan(&f.input)?;
                self.all([&f.predicate], f.input.schema(), &input)?;
                Ok(input)
            }
            LogicalPlan::Sort(s) => {
                let input = self.plan(&s.input)?;
                self.all(s.expr.iter().map(|e| &e.expr), s.input.schema(), &input)?;
                Ok(input)
            }
            LogicalPlan::Window(w) => {
                let mut input = self.plan(&w.input)?;
                let added = self.all(&w.window_expr, w.input.schema(), &input)?;
                input.extend(added);
                Ok(input)
            }
            LogicalPlan::Aggregate(a) => {
                let input = self.plan(&a.input)?;
                let mut bounds = self.all(&a.group_expr, a.input.schema(), &input)?;
                let results = self.all(&a.aggr_expr, a.input.schema(), &input)?;
                if a.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_))) {
                    // The sets' columns stand one by one in the result; each is at most as large as the largest.
                    let largest = bounds.iter().copied().fold(Bound::LEAF, Bound::max);
                    bounds = vec![largest; a.schema.fields().len().saturating_sub(results.len())];
                }
                bounds.extend(results);
                Ok(bounds)
            }
            LogicalPlan::Join(j) => {
                let mut both = self.plan(&j.left)?;
                both.extend(self.plan(&j.right)?);
                let schema = j.left.schema().join(j.right.schema()).unwrap_or_else(|_| DFSchema::empty());
                let on = j.on.iter().flat_map(|(l, r)| [l, r]);
                self.all(on.chain(&j.filter), &schema, &both)?;
                Ok(both)
            }
            LogicalPlan::Union(u) => {
                let mut bounds: Bounds = Vec::new();
                for input in &u.inputs {
                    let input = self.plan(input)?;
                    bounds.resize(bounds.len().max(input.len()), Bound::LEAF);
                    bounds.iter_mut().zip(input).for_each(|(b, i)| *b = b.max(i));
                }
                Ok(bounds)
            }
            LogicalPlan::Values(v) => {
                let mut bounds = vec![Bound::LEAF; v.schema.fields().len()];
                for row in &v.values {
                    let row = self.all(row, &DFSchema::empty(), &[])?;
                    bounds.iter_mut().zip(row).for_each(|(b, i)| *b = b.max(i));
                }
                Ok(bounds)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input),
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let sorted = on.sort_expr.iter().flatten().map(|e| &e.expr);
                let input = self.plan(&on.input)?;
                self.all(on.on_expr.iter().chain(sorted), on.input.schema(), &input)?;
                self.all(&on.select_expr, on.input.schema(), &input)
            }
            LogicalPlan::Limit(l) => {
                let input = self.plan(&l.input)?;
                let counts = l.skip.iter().chain(&l.fetch).map(Box::as_ref);
                self.all(counts, &DFSchema::empty(), &[])?;
                Ok(input)
            }
            LogicalPlan::SubqueryAlias(a) => self.plan(&a.input),
            LogicalPlan::Subquery(s) => self.plan(&s.subquery),
            LogicalPlan::EmptyRelation(_) => Ok(Vec::new()),
            LogicalPlan::Repartition(_)
            | LogicalPlan::Unnest(_)
            | LogicalPlan::RecursiveQuery(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::Statement(_)
            | LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::DescribeTable(_) => Err(not_offered("This step")),
        }
    }

    /// Only our own tables and those of released cells, never a protected one; whole: the planner pushes nothing into a scan, rewriting does so later.
    fn scan(&self, scan: &TableScan) -> Result<Bounds, Refusal> {
        if let Some(released) = scan.source.downcast_ref::<Released>() {
            let width = |name: &str| released.width(name).unwrap_or(WRITTEN);
            return Ok(scan.projected_schema.fields().iter().map(|f| Bound::LEAF.with(width(f.name()))).collect());
        }
        let name = &scan.table_name;
        let parts: Vec<&str> = [name.catalog(), name.schema(), Some(name.table())].into_iter().flatten().collect();
        let table = self.dated.find(&parts).map_or_else(|| self.tables.find(&parts), Ok);
        let table = table.map_err(|missing| super::statement::no_table(&parts, missing))?;
        if !std::sync::Arc::ptr_eq(&table.source, &scan.source) {
            return Err(not_offered("A table from elsewhere"));
        }
        let width = |name: &str| table.width(name).unwrap_or(WRITTEN);
        Ok(scan.projected_schema.fields().iter().map(|f| Bound::LEAF.with(width(f.name()))).collect())
    }

    fn over<'e>(&mut self, input: &LogicalPlan, exprs: impl IntoIterator<Item = &'e Expr>) -> Result<Bounds, Refusal> {
        let bounds = self.plan(input)?;
        self.all(exprs, input.schema(), &bounds)
    }

    fn all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        schema: &DFSchema,
        input: &[Bound],
    ) -> Result<Bounds, Refusal> {
        exprs.into_iter().map(|e| self.expr(e, schema, input)).collect()
    }

    fn sorted(&mut self, sorts: &[SortExpr], schema: &DFSchema, input: &[Bound]) -> Result<u64, Refusal> {
        let bounds = self.all(sorts.iter().map(|s| &s.expr), schema, input)?;
        Ok(bounds.iter().map(|b| b.size).fold(0, u64::saturating_add))
    }

    /// Judges an expression and all in it.
    #[expect(deprecated, reason = "Wildcard is named so that every variant is")]
    fn expr(&mut self, expr: &Expr, schema: &DFSchema, input: &[Bound]) -> Result<Bound, Refusal> {
        kind(expr)?;
        let mut each = |exprs: &[&Expr]| self.all(exprs.iter().copied(), schema, input);
        let bound = match expr {
            Expr::Column(column) => return Ok(look_up(column, schema, input)),
            Expr::Alias(alias) => return self.expr(&alias.expr, schema, input),
            Expr::OuterReferenceColumn(_, column) => {
                let found = self.outer.iter().rev().find(|(schema, _)| schema.has_column(column));
                return Ok(found.map_or(Bound::LEAF.with(MOST_TEXT), |(schema, input)| look_up(column, schema, input)));
            }
            Expr::Literal(value, _) => return Ok(Bound::LEAF.with(text_of(value).map_or(WRITTEN, |t| t.len() as u64))),
            Expr::Not(e)
            | Expr::IsNotNull(e)
            | Expr::IsNull(e)
            | Expr::IsTrue(e)
            | Expr::IsFalse(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNotFalse(e)
            | Expr::IsNotUnknown(e)
            | Expr::Negative(e) => sum(&each(&[e])?).with(WRITTEN),
            // Written out as two comparisons.
            Expr::Between(b) => sum(&each(&[&b.expr, &b.expr, &b.low, &b.high])?).with(WRITTEN),
            Expr::BinaryExpr(b) => {
                let sides = each(&[&b.left, &b.right])?;
                match b.op {
                    Operator::StringConcat => sum(&sides),
                    Operator::LikeMatch | Operator::ILikeMatch | Operator::NotLikeMatch | Operator::NotILikeMatch => {
                        pattern(sides[1])?;
                        sum(&sides).with(WRITTEN)
                    }
                    _ => sum(&sides).with(WRITTEN),
                }
            }
            Expr::Like(like) | Expr::SimilarTo(like) => {
                let sides = each(&[&like.expr, &like.pattern])?;
                pattern(sides[1])?;
                sum(&sides).with(WRITTEN)
            }
            Expr::InList(list) => {
                let mut all: Vec<&Expr> = vec![&list.expr];
                // A short list is written out as comparisons.
                all.resize(list.list.len().clamp(1, WRITTEN_OUT), list.expr.as_ref());
                all.extend(&list.list);
                sum(&each(&all)?).with(WRITTEN)
            }
            Expr::Case(case) => {
                let conditions: Vec<&Expr> = case
                    .expr
                    .iter()
                    .map(Box::as_ref)
                    .chain(case.when_then_expr.iter().map(|(w, _)| w.as_ref()))
                    .collect();
                let results: Vec<&Expr> = case
                    .when_then_expr
                    .iter()
                    .map(|(_, t)| t.as_ref())
                    .chain(case.else_expr.iter().map(Box::as_ref))
                    .collect();
                // Of truth values it is written out with AND and OR, each condition once more in every later branch.
                let conditions = sum(&each(&conditions)?).size.saturating_mul(case.when_then_expr.len() as u64 + 1);
                let results = each(&results)?;
                let widest = results.iter().map(|b| b.width).max().unwrap_or(0);
                Bound { size: sum(&results).size.saturating_add(conditions), width: widest }
            }
            Expr::Cast(cast) => cast_bound(each(&[&cast.expr])?[0], cast.field.data_type()),
            Expr::TryCast(cast) => cast_bound(each(&[&cast.expr])?[0], cast.field.data_type()),
            Expr::ScalarFunction(call) => self.scalar(call, schema, input)?,
            Expr::AggregateFunction(call) => self.aggregate(call, schema, input)?,
            Expr::WindowFunction(call) => self.window(call, schema, input)?,
            Expr::GroupingSet(sets) => {
                let all: Vec<&Expr> = match sets {
                    GroupingSet::Rollup(columns) | GroupingSet::Cube(columns) => columns.iter().collect(),
                    GroupingSet::GroupingSets(sets) => sets.iter().flatten().collect(),
                };
                each(&all)?.into_iter().fold(Bound::LEAF, Bound::max)
            }
            Expr::Exists(e) => self.subquery(&e.subquery, schema, input)?.with(WRITTEN),
            Expr::ScalarSubquery(subquery) => self.subquery(subquery, schema, input)?,
            Expr::InSubquery(e) => {
                let tested = self.expr(&e.expr, schema, input)?;
                sum(&[tested, self.subquery(&e.subquery, schema, input)?]).with(WRITTEN)
            }
            Expr::SetComparison(e) => {
                let tested = self.expr(&e.expr, schema, input)?;
                sum(&[tested, self.subquery(&e.subquery, schema, input)?]).with(WRITTEN)
            }
            Expr::ScalarVariable(..)
            | Expr::Wildcard { .. }
            | Expr::Placeholder(_)
            | Expr::Unnest(_)
            | Expr::HigherOrderFunction(_)
            | Expr::Lambda(_)
            | Expr::LambdaVariable(_) => return Err(not_offered("This form of expression")),
        };
        if bound.size > MOST_SIZE {
            let detail = "An expression has too many parts once the names of its subqueries are written out.";
            return Err(Refusal::new(Code::TooComplex, detail).hint("Use each computed column fewer times."));
        }
        if bound.width > MOST_TEXT && !plain_type(expr, schema) {
            return Err(too_long_a_text());
        }
        Ok(bound)
    }

    fn subquery(&mut self, subquery: &Subquery, schema: &DFSchema, input: &[Bound]) -> Result<Bound, Refusal> {
        self.outer.push((schema.clone(), input.to_vec()));
        let bounds = self.plan(&subquery.subquery);
        self.outer.pop();
        Ok(bounds?.into_iter().fold(Bound::LEAF, Bound::max))
    }

    fn scalar(&mut self, call: &ScalarFunction, schema: &DFSchema, input: &[Bound]) -> Result<Bound, Refusal> {
        let name = call.func.name();
        if !FUNCTIONS.scalar.contains_key(name) {
            let refusal = Refusal::new(Code::UnknownFunction, format!("The function {name} is not offered."));
            return Err(refusal.hint(FUNCTIONS.remedy(name)));
        }
        let args = self.all(&call.args, schema, input)?;
        let at = |n: usize| args.get(n).map_or(0, |b: &Bound| b.width);
        let widest = args.iter().map(|b| b.width).max().unwrap_or(0).max(WRITTEN);
        let width = match name {
            "concat" => sum(&args).width,
            "concat_ws" => sum(&args).width.saturating_add(at(0).saturating_mul(args.len() as u64)),
            // An empty text to look for stands before every character.
            "replace" => at(0).saturating_add(at(0).saturating_add(1).saturating_mul(at(2))),
            "translate" => at(0).saturating_mul(4),
            "upper" | "lower" | "initcap" => at(0).saturating_mul(3),
            "to_char" => at(1).saturating_mul(16).saturating_add(WRITTEN),
            "lpad" | "rpad" => padding(call)?,
            _ => widest,
        };
        let mut bound = sum(&args).with(width);
        if matches!(name, "coalesce" | "nvl" | "nvl2" | "nullif") {
            bound.size = bound.size.saturating_mul(2);
        }
        Ok(bound)
    }

    fn aggregate(&mut self, call: &AggregateFunction, schema: &DFSchema, input: &[Bound]) -> Result<Bound, Refusal> {
        let (name, params) = (call.func.name(), &call.params);
        if !FUNCTIONS.aggregate.contains_key(name) {
            let refusal = Refusal::new(Code::UnknownFunction, format!("The function {name} is not offered."));
            return Err(refusal.hint(FUNCTIONS.remedy(name)));
        }
        let mut bounds = self.all(params.args.iter().chain(params.filter.as_deref()), schema, input)?;
        bounds.push(Bound { size: self.sorted(&params.order_by, schema, input)?, width: 0 });
        Ok(widest(&bounds))
    }

    fn window(&mut self, call: &WindowFunction, schema: &DFSchema, input: &[Bound]) -> Result<Bound, Refusal> {
        let offered = match &call.fun {
            WindowFunctionDefinition::AggregateUDF(f) => {
                FUNCTIONS.aggregate.contains_key(f.name()) && Functions::slides(f.name())
            }
            WindowFunctionDefinition::WindowUDF(f) => FUNCTIONS.window.contains_key(f.name()),
        };
        let params = &call.params;
        if !offered || params.distinct {
            let distinct = if params.distinct { " with DISTINCT" } else { "" };
            let detail = format!("The function {}{distinct} is not offered with OVER.", call.fun.name());
            let hint = "Compute it by GROUP BY in a subquery and join.";
            return Err(Refusal::new(Code::UnknownFunction, detail).hint(hint));
        }
        let exprs = params.args.iter().chain(&params.partition_by).chain(params.filter.as_deref());
        let mut bounds = self.all(exprs, schema, input)?;
        bounds.push(Bound { size: self.sorted(&params.order_by, schema, input)?, width: 0 });
        Ok(widest(&bounds))
    }
}

fn look_up(column: &Column, schema: &DFSchema, input: &[Bound]) -> Bound {
    schema.maybe_index_of_column(column).and_then(|at| input.get(at).copied()).unwrap_or(Bound::LEAF.with(MOST_TEXT))
}

/// One more part than all of these together; as long as all of them.
fn sum(bounds: &[Bound]) -> Bound {
    let add =
        |a: Bound, b: &Bound| Bound { size: a.size.saturating_add(b.size), width: a.width.saturating_add(b.width) };
    bounds.iter().fold(Bound { size: 1, width: 0 }, add)
}

fn widest(bounds: &[Bound]) -> Bound {
    sum(bounds).with(bounds.iter().map(|b| b.width).max().unwrap_or(0).max(WRITTEN))
}

fn cast_bound(inner: Bound, to: &DataType) -> Bound {
    let text = matches!(to, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    Bound { size: inner.size.saturating_add(1), width: if text { inner.width.max(WRITTEN) } else { WRITTEN } }
}

/// True for what is no text, whatever its bound.
fn plain_type(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|t| !matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
}

fn pattern(bound: Bound) -> Result<(), Refusal> {
    if bound.width <= MOST_PATTERN {
        return Ok(());
    }
    let detail = format!("A pattern of LIKE could become longer than {MOST_PATTERN} bytes.");
    Err(Refusal::new(Code::TooComplex, detail).hint("Use starts_with or contains."))
}

/// The length that a text is filled to, which must stand in the question itself.
fn padding(call: &ScalarFunction) -> Result<u64, Refusal> {
    let length = match call.args.get(1) {
        Some(Expr::Literal(ScalarValue::Int64(Some(n)), _)) if *n <= MOST_PADDING => *n,
        _ => {
            let detail = format!("{} fills to a number of at most {MOST_PADDING}, written as such.", call.func.name());
            return Err(Refusal::new(Code::MemoryLimit, detail).hint("Write lpad(x, 2, '0')."));
        }
    };
    Ok(u64::try_from(length).unwrap_or(0).saturating_mul(4))
}

fn text_of(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}
