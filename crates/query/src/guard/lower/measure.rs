//! From aggregates to measures (privacy.md 6.3, Aggregates).
//!
//! Absent: everything that gives a value of one record back. What has no measure is refused.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::scalar::ScalarValue;
use disclosure::{Condition, Measure, Order};

use super::meaning::Arms;
use super::predicate::CodeSet;
use super::region::{Meaning, Region};
use super::{Lowering, misplaced};
use crate::facade::{Hidden, is_unit, rows_are_acts};
use crate::functions::SUM_VISIBLE;
use crate::refusal::{Code, Refusal};

/// What one aggregate asks for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Beside the population: FILTER, a CASE inside an aggregate, the code `_X` of `count(column)`.
    pub(super) extra: Vec<Condition>,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// A released measure as it is.
    Figure(Measure),
    /// The sum over the units, never the true mean.
    Mean(String),
    /// A quantile of a measure, from the histogram of its public bins.
    Quantile(String, Order),
    /// How many codes of a level are shown.
    Shown(String),
    /// Which of the group expressions (by number) are rolled up, the last one in the lowest bit.
    Grouping(Vec<usize>),
}

impl Ask {
    fn of(measure: Measure) -> Self {
        Self { extra: Vec::new(), what: What::Figure(measure) }
    }

    fn with(mut self, condition: Condition) -> Self {
        self.extra.push(condition);
        self
    }
}

impl Lowering<'_> {
    /// What an aggregate over a protected subtree asks for. `groups` are the group expressions, for `grouping()`.
    pub(super) fn ask(
        &self,
        expr: &Expr,
        groups: &[&Expr],
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<Ask, Refusal> {
        let call = match expr {
            Expr::Alias(alias) => return self.ask(&alias.expr, groups, region, schema),
            Expr::AggregateFunction(call) => call,
            // Refused by `misplaced`, which names every form.
            other => return Err(self.misplaced(other, region, schema)),
        };
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = &call.params;
        let name = call.func.name();
        let mut ask = match name {
            "count" if *distinct => self.count_distinct(args, region, schema)?,
            "count" => self.count(args, region, schema)?,
            "sum" if !distinct => self.sum(args, region, schema)?,
            "avg" if !distinct => self.mean(args, region, schema)?,
            "median" if !distinct => self.quantile(args, Order::Quantile(500_000), region, schema)?,
            "min" => self.quantile(args, Order::Least, region, schema)?,
            "max" => self.quantile(args, Order::Most, region, schema)?,
            "percentile_cont" if !distinct => {
                let order = percentile(args, order_by).ok_or_else(|| {
                    not_offered("This form of percentile_cont", "Write percentile_cont(0.9) WITHIN GROUP (ORDER BY x).")
                })?;
                self.quantile(&args[..1], order, region, schema)?
            }
            "grouping" => return grouping(args, groups),
            _ => return Err(self.no_measure(call, region, schema)),
        };
        if (!order_by.is_empty() && name != "percentile_cont") || null_treatment.is_some() {
            let detail = format!("{name} with ORDER BY or a treatment of NULL is not offered over protected tables.");
            return Err(Refusal::new(Code::ProtectedAggregate, detail).hint("Leave it out."));
        }
        if let Some(filter) = filter {
            ask.extra.extend(self.conditions(filter, region, schema)?);
        }
        Ok(ask)
    }

    fn count(&self, args: &[Expr], region: &Region<'_>, schema: &DFSchema) -> Result<Ask, Refusal> {
        let rows = Ask::of(rows(region));
        let [arg] = args else {
            let detail = "count over protected tables takes one column, or a star.";
            return Err(Refusal::new(Code::ProtectedAggregate, detail).hint("Write count(*)."));
        };
        if let Expr::Case(case) = unaliased(arg) {
            let arms = self.arms(case, region, schema)?;
            return Ok(rows.with(self.covered(arms, |value| !value.is_null(), region)?));
        }
        match self.meaning(arg, region, schema)? {
            Meaning::Constant(value) if !value.is_null() => Ok(rows),
            Meaning::Level { level, .. } => {
                let codes = region.dataset.unknown(&level).into_iter().collect();
                let known = self.complement(CodeSet { level, codes }, region)?;
                Ok(rows.with(known.condition(region.dataset)))
            }
            Meaning::Labels { level, labels } => {
                let codes = labels.iter().filter(|(_, label)| !label.is_null()).map(|(code, _)| *code).collect();
                Ok(rows.with(CodeSet { level, codes }.condition(region.dataset)))
            }
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Constant(_) => Err(not_offered("count(NULL)", "Write count(*).")),
            Meaning::Measure(name) => Ok(rows.with(known(&name, region)?)),
        }
    }

    fn count_distinct(&self, args: &[Expr], region: &Region<'_>, schema: &DFSchema) -> Result<Ask, Refusal> {
        let [arg] = args else {
            return Err(not_offered("count(distinct …) of several columns", "Group by them and count the groups."));
        };
        match self.meaning(arg, region, schema)? {
            Meaning::Hidden(hidden) => self.entities(hidden, region),
            Meaning::Level { level, .. } => Ok(Ask { extra: Vec::new(), what: What::Shown(level) }),
            Meaning::Labels { .. } | Meaning::Measure(_) | Meaning::Constant(_) => {
                Err(not_offered("count(distinct …) of a computed column", "Group by it and count the groups."))
            }
        }
    }

    /// Distinct persons, cases, agencies.
    fn entities(&self, hidden: Hidden, region: &Region<'_>) -> Result<Ask, Refusal> {
        let dataset = region.dataset;
        if is_unit(dataset, hidden) {
            return Ok(Ask::of(Measure::Units));
        }
        match hidden {
            Hidden::Case => Ok(Ask::of(Measure::Cases)),
            Hidden::Agency => Ok(Ask::of(Measure::Agencies)),
            Hidden::Person => {
                let detail = format!("{} does not count persons.", dataset.name);
                let refusal = Refusal::new(Code::ProtectedAggregate, detail).at(self.words.find(hidden.name()));
                Err(refusal.hint("Write count(*); persons are counted in victims, accused, services and returns."))
            }
        }
    }

    fn sum(&self, args: &[Expr], region: &Region<'_>, schema: &DFSchema) -> Result<Ask, Refusal> {
        let [arg] = args else { return Err(misplaced::internal()) };
        if let Expr::Case(case) = unaliased(arg) {
            let arms = self.arms(case, region, schema)?;
            let values = arms.given.values().chain(&arms.otherwise);
            if !values.clone().all(is_indicator) {
                let hint = "Write THEN 1 ELSE 0, or count(*) FILTER (WHERE …).";
                return Err(not_offered("sum of a CASE with other values than 0 and 1", hint));
            }
            return Ok(Ask::of(rows(region)).with(self.covered(arms, is_one, region)?));
        }
        match self.meaning(arg, region, schema)? {
            Meaning::Measure(name) => Ok(Ask::of(Measure::Sum(name))),
            Meaning::Labels { level, labels } if labels.iter().all(|(_, label)| is_indicator(label)) => {
                let codes = labels.iter().filter(|(_, label)| is_one(label)).map(|(code, _)| *code).collect();
                Ok(Ask::of(rows(region)).with(CodeSet { level, codes }.condition(region.dataset)))
            }
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Level { .. } | Meaning::Labels { .. } | Meaning::Constant(_) => {
                Err(not_offered("sum of what is no measure column", "Write count(*), or sum of a measure column."))
            }
        }
    }

    fn mean(&self, args: &[Expr], region: &Region<'_>, schema: &DFSchema) -> Result<Ask, Refusal> {
        let [arg] = args else { return Err(misplaced::internal()) };
        match self.meaning(arg, region, schema)? {
            // NULL is no number: the mean is of those of whom the value is known.
            Meaning::Measure(name) => {
                let known = known(&name, region)?;
                Ok(Ask { extra: vec![known], what: What::Mean(name) })
            }
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Level { .. } | Meaning::Labels { .. } | Meaning::Constant(_) => {
                let hint = "Divide two counts: count(*) FILTER (WHERE …) * 1.0 / count(*).";
                Err(not_offered("avg of what is no measure column", hint))
            }
        }
    }

    fn quantile(&self, args: &[Expr], order: Order, region: &Region<'_>, schema: &DFSchema) -> Result<Ask, Refusal> {
        let [arg] = args else { return Err(misplaced::internal()) };
        match self.meaning(arg, region, schema)? {
            Meaning::Measure(name) => Ok(Ask { extra: Vec::new(), what: What::Quantile(name, order) }),
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Level { .. } | Meaning::Labels { .. } | Meaning::Constant(_) => {
                let hint = "Group by the column, and take min, max or median over the released rows.";
                Err(not_offered("A quantile of what is no measure column", hint))
            }
        }
    }

    /// The codes of which a CASE gives a value that passes, as a condition.
    fn covered(
        &self,
        arms: Arms,
        passes: impl Fn(&ScalarValue) -> bool,
        region: &Region<'_>,
    ) -> Result<Condition, Refusal> {
        let Arms { level, given, otherwise } = arms;
        // Of a person with several codes, only "at least one of these" can be said, not "none of those".
        let negates = !given.values().all(&passes) || otherwise.as_ref().is_some_and(&passes);
        if region.dataset.is_many(&level) && negates {
            return Err(self.many(&level, "a CASE that counts all other codes"));
        }
        let codes = region.dataset.codes(&level, self.protected.years.clone()).unwrap_or_default();
        let counts = |code: &u16| given.get(code).or(otherwise.as_ref()).is_some_and(&passes);
        let codes = codes.into_iter().filter(counts).collect();
        Ok(CodeSet { level, codes }.condition(region.dataset))
    }

    /// The refusal of an aggregate that has no measure, after that of its arguments.
    fn no_measure(&self, call: &AggregateFunction, region: &Region<'_>, schema: &DFSchema) -> Refusal {
        let hidden = |arg: &Expr| self.meaning(arg, region, schema).ok().and_then(|meaning| meaning.hidden());
        if let Some(hidden) = call.params.args.iter().find_map(hidden) {
            return self.hidden(hidden);
        }
        let name = call.func.name();
        let hint = match name {
            SUM_VISIBLE => "It stands over released numbers: SELECT sum_visible(n) FROM (SELECT …, count(*) AS n …).",
            _ => "count, sum and avg are offered; others can be computed over the released numbers.",
        };
        let distinct = if call.params.distinct { " with DISTINCT" } else { "" };
        not_offered(&format!("{name}{distinct}"), hint).at(self.words.find(name))
    }
}

/// The condition that a measure is known.
fn known(measure: &str, region: &Region<'_>) -> Result<Condition, Refusal> {
    let measure = region.dataset.measures.get(measure).ok_or_else(misplaced::internal)?;
    let codes = (0..measure.unknown()).collect();
    Ok(CodeSet { level: measure.band.clone(), codes }.condition(region.dataset))
}

/// Rows: the units, or acts where a unit has several.
fn rows(region: &Region<'_>) -> Measure {
    if rows_are_acts(region.dataset) { Measure::Rows } else { Measure::Units }
}

fn not_offered(what: &str, hint: &str) -> Refusal {
    Refusal::new(Code::ProtectedAggregate, format!("{what} is not offered over protected tables.")).hint(hint)
}

fn unaliased(expr: &Expr) -> &Expr {
    if let Expr::Alias(alias) = expr { unaliased(&alias.expr) } else { expr }
}

/// 1, 0 or NULL.
fn is_indicator(value: &ScalarValue) -> bool {
    value.is_null() || is_one(value) || number(value) == Some(0)
}

fn is_one(value: &ScalarValue) -> bool {
    number(value) == Some(1)
}

fn number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(number) => *number,
        ScalarValue::Int32(number) => number.map(i64::from),
        _ => None,
    }
}

/// The quantile of `percentile_cont(q) WITHIN GROUP (ORDER BY x)`.
fn percentile(args: &[Expr], order_by: &[SortExpr]) -> Option<Order> {
    let [value, Expr::Literal(quantile, _)] = args else { return None };
    let ascending = match order_by {
        [] => true,
        [sort] => sort.asc && sort.expr == *value,
        _ => false,
    };
    let ScalarValue::Decimal128(Some(millionths), _, _) = quantile.cast_to(&DataType::Decimal128(38, 6)).ok()? else {
        return None;
    };
    (ascending && (0..=1_000_000).contains(&millionths)).then_some(Order::Quantile(millionths))
}

/// Computed from the sets alone.
fn grouping(args: &[Expr], groups: &[&Expr]) -> Result<Ask, Refusal> {
    let at = |arg: &Expr| groups.iter().position(|group| **group == *arg);
    match args.iter().map(at).collect::<Option<Vec<_>>>() {
        Some(at) => Ok(Ask { extra: Vec::new(), what: What::Grouping(at) }),
        None => Err(not_offered("grouping(…) of what is not in GROUP BY", "Name columns of GROUP BY.")),
    }
}
