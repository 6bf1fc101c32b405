//! From expressions to levels: columns, level functions, CASE over one dimension (privacy.md 6.3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Case, Expr};
use datafusion::scalar::ScalarValue;

use policy::time::UNKNOWN;

use super::predicate::{CodeSet, finer};
use super::region::{Form, Meaning, Region};
use super::{Lowering, misplaced};
use crate::functions::LEVEL_OF;
use crate::refusal::{Code, Refusal};

/// A CASE over one dimension: the codes of each arm, and what it gives them.
pub(super) struct Arms {
    pub(super) level: String,
    /// Codes that an arm covers, each with the first arm's value.
    pub(super) given: BTreeMap<u16, ScalarValue>,
    /// The value of ELSE, if it is written.
    pub(super) otherwise: Option<ScalarValue>,
}

impl Lowering<'_> {
    /// What an expression over a protected subtree is.
    pub(super) fn meaning(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<Meaning, Refusal> {
        match expr {
            Expr::Alias(alias) => self.meaning(&alias.expr, region, schema),
            Expr::Column(column) => {
                let meaning = region.column(column, schema);
                meaning.cloned().ok_or_else(|| self.misplaced(expr, region, schema))
            }
            Expr::Literal(..) => self.literal(expr, region, schema).map(Meaning::Constant),
            Expr::Cast(cast) if matches!(*cast.expr, Expr::Literal(..)) => {
                self.literal(expr, region, schema).map(Meaning::Constant)
            }
            Expr::ScalarFunction(call) => self.level_function(call, region, schema),
            Expr::Case(case) => self.labels(case, region, schema),
            // Refused by `misplaced`, which names every form.
            other => Err(self.misplaced(other, region, schema)),
        }
    }

    /// The functions that name a level; every other is refused.
    fn level_function(
        &self,
        call: &ScalarFunction,
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<Meaning, Refusal> {
        let name = call.func.name();
        let refused = || misplaced::function(name);
        let [first, second] = &call.args[..] else { return Err(refused()) };
        let text = |expr: &Expr| match expr {
            Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
            _ => None,
        };
        let level_of = |expr: &Expr| match self.meaning(expr, region, schema)? {
            Meaning::Level { level, form } => Ok((level, form)),
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Labels { .. } | Meaning::Measure(_) | Meaning::Constant(_) => Err(refused()),
        };
        match name {
            "date_trunc" | "date_part" => {
                let unit = text(first).ok_or_else(refused)?.to_lowercase();
                let (level, form) = level_of(second)?;
                if let Some(labels) = self.period_of_the_year(region, name, &unit, (&level, form)) {
                    return Ok(labels);
                }
                let (to, form) = match (name, unit.as_str()) {
                    ("date_trunc", "month" | "quarter" | "year") => (unit.as_str(), Form::FirstDay),
                    ("date_part", "year") => ("year", Form::Year),
                    _ if level == "month" && form == Form::FirstDay => return Err(self.no_such_period(name, &unit)),
                    _ => return Err(refused()),
                };
                if level != "month" {
                    return Err(refused());
                }
                Ok(Meaning::Level { level: to.to_owned(), form })
            }
            "coalesce" if text(second).as_deref() == Some("_X") => {
                let (level, form) = level_of(first)?;
                Ok(Meaning::Level { level, form })
            }
            LEVEL_OF => {
                let (from, to) = (level_of(first)?.0, text(second).ok_or_else(refused)?);
                let unknown = region.dataset.unknown(&from).unwrap_or_default();
                if region.dataset.roll_up(&from, &to, unknown).is_none() {
                    return Err(self.no_such_level(region, &from, &to));
                }
                Ok(Meaning::level_of(region.dataset, &to))
            }
            _ => Err(refused()),
        }
    }

    /// Calendar months and quarters, over all years: labels of the months, of which one dimension is made
    /// (privacy.md 6.3, Case (1)). Whose month is not known has no label.
    fn period_of_the_year(
        &self,
        region: &Region<'_>,
        function: &str,
        unit: &str,
        (level, form): (&str, Form),
    ) -> Option<Meaning> {
        let months = match unit {
            "month" => 1,
            "quarter" => 3,
            _ => return None,
        };
        if function != "date_part" || level != "month" || form != Form::FirstDay {
            return None;
        }
        let number = |code: u16| (code != UNKNOWN).then(|| i32::from(code % 12 / months + 1));
        let codes = region.dataset.codes(level, self.protected.years.clone())?;
        let labels = codes.into_iter().map(|code| (code, ScalarValue::Int32(number(code)))).collect();
        Some(Meaning::Labels { level: level.to_owned(), labels: Arc::new(labels) })
    }

    fn no_such_period(&self, function: &str, unit: &str) -> Refusal {
        let unit: String = unit.chars().take(40).collect();
        let detail = format!("{function} with '{unit}' names no level of time.");
        Refusal::new(Code::ProtectedFunction, detail)
            .at(self.words.find(function))
            .hint("Levels of time are month, quarter, year and fiscal_year: each is a column. EXTRACT gives the year, and the quarter or month of the year.")
    }

    fn no_such_level(&self, region: &Region<'_>, from: &str, to: &str) -> Refusal {
        let dimension = region.dataset.dimension_of(from).unwrap_or(from);
        let to: String = to.chars().take(40).collect();
        let detail = format!("{to} is no level of {dimension} above {from}.");
        let levels = region.dataset.levels(dimension).join(", ");
        Refusal::new(Code::NotACode, detail).at(self.words.find_value(&to)).hint(format!("Its levels are: {levels}."))
    }

    /// A CASE as a label for each code of a level (privacy.md 6.3, Case (1)).
    fn labels(&self, case: &Case, region: &Region<'_>, schema: &DFSchema) -> Result<Meaning, Refusal> {
        let Arms { level, given, otherwise } = self.arms(case, region, schema)?;
        if region.dataset.is_many(&level) {
            return Err(self.many(&level, "a user-defined level"));
        }
        let codes = region.dataset.codes(&level, self.protected.years.clone()).unwrap_or_default();
        let label = |code: u16| given.get(&code).or(otherwise.as_ref()).map(|value| (code, value.clone()));
        let labels: Vec<_> = codes.iter().filter_map(|&code| label(code)).collect();
        if labels.len() < codes.len() {
            let missing = codes.iter().filter(|&&code| label(code).is_none()).take(8);
            let missing: Vec<_> = missing.filter_map(|&code| region.dataset.code_text(&level, code)).collect();
            let detail = format!("CASE gives no label to these codes of {level}: {}.", missing.join(", "));
            return Err(Refusal::new(Code::NotTotal, detail).hint("Add ELSE 'other'."));
        }
        Ok(Meaning::Labels { level, labels: Arc::new(labels) })
    }

    /// The arms of a CASE over one dimension, at its finest level named.
    pub(super) fn arms(&self, case: &Case, region: &Region<'_>, schema: &DFSchema) -> Result<Arms, Refusal> {
        let mut arms: Vec<(CodeSet, ScalarValue)> = Vec::new();
        for (when, then) in &case.when_then_expr {
            let set = match &case.expr {
                Some(subject) => self.equal(subject, when, region, schema)?,
                None => self.code_set(when, region, schema)?,
            };
            arms.push((set, self.literal(then, region, schema)?));
        }
        let otherwise = case.else_expr.as_ref().map(|expr| self.literal(expr, region, schema)).transpose()?;
        let Some(finest) = arms.iter().map(|(set, _)| set).cloned().reduce(|a, b| finer(region, a, b)) else {
            return Err(misplaced::form("CASE without WHEN"));
        };
        let mut given = BTreeMap::new();
        for (set, value) in arms {
            let codes: BTreeSet<u16> = self.at_level(region, set, &finest)?.codes;
            for code in codes {
                given.entry(code).or_insert_with(|| value.clone());
            }
        }
        Ok(Arms { level: finest.level, given, otherwise })
    }
}
