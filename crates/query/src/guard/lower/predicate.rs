//! From conditions to sets of codes: the micro-grammar of privacy.md 6.3.
//!
//! A condition that can be said is a set of codes of one dimension; AND of several is a population. NULL of SQL is the code
//! `_X`, so NOT keeps it: "not female" includes those of whom it is not known (privacy.md 6.2, rule 2).

use std::collections::BTreeSet;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use disclosure::Condition;
use policy::{Dataset, Resolved, TimeLevel};

use super::region::{Form, Meaning, Region};
use super::{Lowering, misplaced};
use crate::refusal::{Code, Refusal};

/// A set of codes of one level.
#[derive(Debug, Clone)]
pub(super) struct CodeSet {
    pub(super) level: String,
    pub(super) codes: BTreeSet<u16>,
}

impl CodeSet {
    pub(super) fn condition(self, dataset: &Dataset) -> Condition {
        let dimension = dataset.dimension_of(&self.level).unwrap_or(&self.level).to_owned();
        Condition { dimension, level: self.level, codes: self.codes.into_iter().collect() }
    }
}

impl Lowering<'_> {
    /// The conditions of a predicate, all of which hold.
    pub(super) fn conditions(
        &self,
        predicate: &Expr,
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<Vec<Condition>, Refusal> {
        match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                let mut conditions = self.conditions(left, region, schema)?;
                conditions.extend(self.conditions(right, region, schema)?);
                Ok(conditions)
            }
            // Every other form says something of one dimension, or is refused by `code_set`.
            single => Ok(vec![self.code_set(single, region, schema)?.condition(region.dataset)]),
        }
    }

    /// A condition on one dimension.
    pub(super) fn code_set(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<CodeSet, Refusal> {
        match expr {
            Expr::Alias(alias) => self.code_set(&alias.expr, region, schema),
            Expr::BinaryExpr(binary) => self.binary(binary, expr, region, schema),
            Expr::Not(inner) => {
                let set = self.code_set(inner, region, schema)?;
                self.complement(set, region)
            }
            Expr::Between(between) => {
                let low = self.compare(&between.expr, Operator::GtEq, &between.low, region, schema)?;
                let high = self.compare(&between.expr, Operator::LtEq, &between.high, region, schema)?;
                let codes = low.codes.intersection(&high.codes).copied().collect();
                self.unless(between.negated, CodeSet { codes, ..low }, region)
            }
            Expr::InList(list) => {
                let meaning = self.operand(&list.expr, region, schema)?;
                let mut codes = BTreeSet::new();
                for value in &list.list {
                    let value = self.literal(value, region, schema)?;
                    codes.extend(self.codes_of(&meaning, &value, region)?);
                }
                self.unless(list.negated, CodeSet { level: level_of(&meaning)?, codes }, region)
            }
            Expr::IsNull(inner) => self.unknown(inner, region, schema),
            Expr::IsNotNull(inner) => {
                let set = self.unknown(inner, region, schema)?;
                self.complement(set, region)
            }
            // Refused by `misplaced`, which names every form.
            other => Err(self.misplaced(other, region, schema)),
        }
    }

    fn binary(
        &self,
        binary: &BinaryExpr,
        whole: &Expr,
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<CodeSet, Refusal> {
        let BinaryExpr { left, op, right } = binary;
        match op {
            Operator::And | Operator::Or => {
                let (a, b) = (self.code_set(left, region, schema)?, self.code_set(right, region, schema)?);
                self.combined(a, *op, b, region)
            }
            Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                let is_value = |expr: &Expr| self.literal(expr, region, schema).is_ok();
                match op.swap() {
                    Some(swapped) if is_value(left) && !is_value(right) => {
                        self.compare(right, swapped, left, region, schema)
                    }
                    _ => self.compare(left, *op, right, region, schema),
                }
            }
            _ => Err(self.misplaced(whole, region, schema)),
        }
    }

    /// Two conditions on one dimension; on two it is no set of codes.
    fn combined(&self, a: CodeSet, op: Operator, b: CodeSet, region: &Region<'_>) -> Result<CodeSet, Refusal> {
        let dimension = |set: &CodeSet| region.dataset.dimension_of(&set.level);
        if dimension(&a) != dimension(&b) {
            let detail = format!("{} and {} stand on two sides of one {op}, or inside one NOT.", a.level, b.level);
            let refusal = Refusal::new(Code::ProtectedForm, detail).at(self.words.find(&b.level));
            return Err(refusal.hint(over_two_columns(&a.level, op, &b.level, region.dataset)));
        }
        if op == Operator::And && region.dataset.is_many(&a.level) {
            return Err(self.many(&a.level, "two conditions at once"));
        }
        let finest = finer(region, a.clone(), b.clone());
        let (a, b) = (self.at_level(region, a, &finest)?, self.at_level(region, b, &finest)?);
        let codes = match op {
            Operator::And => a.codes.intersection(&b.codes).copied().collect(),
            _ => a.codes.union(&b.codes).copied().collect(),
        };
        Ok(CodeSet { codes, ..a })
    }

    /// `column = value`, as a CASE writes it.
    pub(super) fn equal(
        &self,
        subject: &Expr,
        value: &Expr,
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<CodeSet, Refusal> {
        self.compare(subject, Operator::Eq, value, region, schema)
    }

    fn compare(
        &self,
        subject: &Expr,
        op: Operator,
        value: &Expr,
        region: &Region<'_>,
        schema: &DFSchema,
    ) -> Result<CodeSet, Refusal> {
        let meaning = self.operand(subject, region, schema)?;
        let value = self.literal(value, region, schema)?;
        let level = level_of(&meaning)?;
        if matches!(op, Operator::Eq | Operator::NotEq) {
            let codes = self.codes_of(&meaning, &value, region)?.into_iter().collect();
            return self.unless(op == Operator::NotEq, CodeSet { level, codes }, region);
        }
        let Meaning::Level { form, .. } = meaning else {
            return Err(misplaced::form("An order of labels").hint("Compare the column itself with codes."));
        };
        if let (Form::Number, Some(Resolved::Band(measure))) = (form, region.dataset.resolve(&level)) {
            let codes = self.bins(measure, op, &value)?.into_iter().collect();
            return Ok(CodeSet { level, codes });
        }
        if !is_ordinal(region.dataset, &level) {
            let detail = format!("The codes of {level} have no order.");
            let refusal = Refusal::new(Code::ProtectedForm, detail).at(self.place(subject));
            return Err(refusal.hint("Write = or IN; only time, age bands and bins of measures are ordered."));
        }
        let end = (op == Operator::Lt).then(|| self.end_of(&level, form, &value, region.dataset)).flatten();
        let bound = if let Some(end) = end {
            end
        } else {
            let codes = self.codes_of(&Meaning::Level { level: level.clone(), form }, &value, region)?;
            codes.first().copied().ok_or_else(misplaced::internal)?
        };
        let unknown = region.dataset.unknown(&level);
        let holds = |code: u16| match op {
            Operator::Lt => code < bound,
            Operator::LtEq => code <= bound,
            Operator::Gt => code > bound,
            _ => code >= bound,
        };
        let known = self.codes(region, &level).into_iter().filter(|&code| Some(code) != unknown);
        let codes = if Some(bound) == unknown { BTreeSet::new() } else { known.filter(|&code| holds(code)).collect() };
        Ok(CodeSet { level, codes })
    }

    /// A column that can be selected by: a level, classes of one, or a measure by the edges of its bins.
    fn operand(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<Meaning, Refusal> {
        let meaning = self.meaning(expr, region, schema)?;
        match meaning {
            Meaning::Level { .. } | Meaning::Labels { .. } => Ok(meaning),
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Measure(name) => {
                let measure = region.dataset.measures.get(&name).ok_or_else(misplaced::internal)?;
                Ok(Meaning::Level { level: measure.band.clone(), form: Form::Number })
            }
            Meaning::Constant(_) => Err(self.misplaced(expr, region, schema)),
        }
    }

    /// `IS NULL`: the code `_X`.
    fn unknown(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<CodeSet, Refusal> {
        let meaning = self.operand(expr, region, schema)?;
        let level = level_of(&meaning)?;
        let codes = if let Meaning::Labels { labels, .. } = &meaning {
            labels.iter().filter(|(_, label)| label.is_null()).map(|(code, _)| *code).collect()
        } else {
            let unknown = region.dataset.unknown(&level);
            self.codes(region, &level).into_iter().filter(|&code| Some(code) == unknown).collect()
        };
        Ok(CodeSet { level, codes })
    }

    fn unless(&self, negated: bool, set: CodeSet, region: &Region<'_>) -> Result<CodeSet, Refusal> {
        if negated { self.complement(set, region) } else { Ok(set) }
    }

    /// NOT: the siblings, `_X` among them; never of a many-valued dimension, where a person may have both.
    pub(super) fn complement(&self, set: CodeSet, region: &Region<'_>) -> Result<CodeSet, Refusal> {
        if region.dataset.is_many(&set.level) {
            return Err(self.many(&set.level, "NOT"));
        }
        let codes = self.codes(region, &set.level).into_iter().filter(|code| !set.codes.contains(code)).collect();
        Ok(CodeSet { codes, ..set })
    }

    /// The refusal of what cannot be said of a dimension of which a person may have several codes (privacy.md 6.2).
    pub(super) fn many(&self, level: &str, what: &str) -> Refusal {
        let detail = format!("A person may have several codes of {level}, so {what} is not offered on it.");
        let refusal = Refusal::new(Code::ManyValued, detail).at(self.words.find(level));
        refusal.hint(format!(
            "Write {level} = or IN with at most 3 codes, meaning at least one of them; or GROUP BY {level}."
        ))
    }

    fn codes(&self, region: &Region<'_>, level: &str) -> Vec<u16> {
        region.dataset.codes(level, self.protected.years.clone()).unwrap_or_default()
    }

    /// The same units by codes of the level of `other`.
    pub(super) fn at_level(&self, region: &Region<'_>, set: CodeSet, other: &CodeSet) -> Result<CodeSet, Refusal> {
        if set.level == other.level {
            return Ok(set);
        }
        let dataset = region.dataset;
        if dataset.dimension_of(&set.level) != dataset.dimension_of(&other.level) {
            let detail = format!("{} and {} stand in one CASE.", set.level, other.level);
            return Err(
                Refusal::new(Code::ProtectedForm, detail).hint("Write one CASE for each column, and group by both.")
            );
        }
        let is_year = |level: &str| matches!(dataset.resolve(level), Some(Resolved::Time(TimeLevel::Year)));
        let up = |code: u16| dataset.roll_up(&other.level, &set.level, code);
        // Of a date that is known by its year only, the quarter is unknown: a year is more than its quarters.
        if is_year(&set.level) || up(dataset.unknown(&other.level).unwrap_or_default()).is_none() {
            let detail = format!("{} and {} are mixed in one condition.", set.level, other.level);
            return Err(Refusal::new(Code::ProtectedForm, detail).hint("Write both at the same level."));
        }
        let codes = self.codes(region, &other.level);
        let codes = codes.into_iter().filter(|&code| up(code).is_some_and(|up| set.codes.contains(&up))).collect();
        Ok(CodeSet { level: other.level.clone(), codes })
    }
}

/// The level of what can be selected by.
fn level_of(meaning: &Meaning) -> Result<String, Refusal> {
    match meaning {
        Meaning::Level { level, .. } | Meaning::Labels { level, .. } => Ok(level.clone()),
        Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => Err(misplaced::internal()),
    }
}

/// Time, age bands and bins of measures have an order (privacy.md 6.2, `Range`).
fn is_ordinal(dataset: &Dataset, level: &str) -> bool {
    match dataset.resolve(level) {
        Some(Resolved::Time(_) | Resolved::Band(_)) => true,
        Some(resolved @ Resolved::Column(..)) => resolved.list() == Some("age_band"),
        None => false,
    }
}

/// Of two sets of one dimension, the one at the finer level.
pub(super) fn finer(region: &Region<'_>, a: CodeSet, b: CodeSet) -> CodeSet {
    let unknown = region.dataset.unknown(&b.level).unwrap_or_default();
    if region.dataset.roll_up(&b.level, &a.level, unknown).is_some() { b } else { a }
}

/// How to ask for a condition over two columns so that each person is counted once. Two questions added up would count
/// those twice of whom both sides hold.
fn over_two_columns(a: &str, op: Operator, b: &str, dataset: &Dataset) -> String {
    let is_many = dataset.is_many(a) || dataset.is_many(b);
    match op {
        // A person is in one row of each column, so that rows can be added.
        _ if !is_many => format!(
            "GROUP BY {a}, {b} in a subquery and add the rows that match: SELECT sum(n) FROM (SELECT {a}, {b}, \
             count(*) AS n FROM … GROUP BY {a}, {b}) AS t WHERE …. Unknown (_X) is a row like others; where a small \
             row is hidden, put codes together by CASE in the subquery."
        ),
        Operator::Or => "Add the two counts and take away who is in both: count(*) FILTER (WHERE a) + \
                         count(*) FILTER (WHERE b) - count(*) FILTER (WHERE a AND b)."
            .to_owned(),
        _ => "Count of whom both hold, count(*) FILTER (WHERE a AND b), and take it from count(*) where the others \
              are meant."
            .to_owned(),
    }
}
