//! A protected subtree: records of one dataset, who of them is asked about, and what its columns are.
//!
//! Absent: expressions. What cannot be said as a level, a class of codes, a measure or a hidden column was refused.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use disclosure::Condition;
use policy::{Dataset, Resolved, TimeLevel};

use super::Lowering;
use crate::facade::{Hidden, Kind, kind};
use crate::refusal::Refusal;

/// How the codes of a level are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As in the code list, `_X` included.
    Text,
    /// The number of the year.
    Year,
    /// The first day of the period; NULL for an unknown one.
    FirstDay,
    /// A number at an edge of the public bins: only compared with, never shown.
    Number,
}

impl Form {
    /// How the column of a level is written (privacy.md 6.2, columns).
    pub(super) fn of(dataset: &Dataset, level: &str) -> Self {
        match dataset.resolve(level) {
            Some(Resolved::Time(TimeLevel::Year)) => Self::Year,
            Some(Resolved::Time(TimeLevel::Month)) => Self::FirstDay,
            Some(
                Resolved::Time(TimeLevel::Quarter | TimeLevel::FiscalYear) | Resolved::Column(..) | Resolved::Band(_),
            )
            | None => Self::Text,
        }
    }
}

/// What a column of a protected subtree is.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    /// A level of a dimension.
    Level { level: String, form: Form },
    /// A label for each code of a level: a CASE, or an attribute of the level's code list.
    Labels { level: String, labels: Arc<Vec<(u16, ScalarValue)>> },
    /// A measure column.
    Measure(String),
    /// A column that can only be counted.
    Hidden(Hidden),
    /// A literal.
    Constant(ScalarValue),
}

impl Meaning {
    pub(super) fn level_of(dataset: &Dataset, level: &str) -> Self {
        Self::Level { level: level.to_owned(), form: Form::of(dataset, level) }
    }

    pub(super) fn hidden(&self) -> Option<Hidden> {
        match self {
            Self::Hidden(hidden) => Some(*hidden),
            Self::Level { .. } | Self::Labels { .. } | Self::Measure(_) | Self::Constant(_) => None,
        }
    }
}

/// Records of one dataset that are not yet aggregated.
#[derive(Debug, Clone)]
pub(super) struct Region<'a> {
    pub(super) dataset: &'a Dataset,
    /// Conditions, all of which hold.
    pub(super) population: Vec<Condition>,
    /// One for each column of the plan's schema, in its order.
    pub(super) columns: Vec<Meaning>,
}

impl<'a> Region<'a> {
    /// A whole dataset.
    pub(super) fn whole(dataset: &'a Dataset, schema: &SchemaRef) -> Self {
        let meaning = |name: &str| match kind(dataset, name) {
            Some(Kind::Hidden(hidden)) => Meaning::Hidden(hidden),
            Some(Kind::Measure) => Meaning::Measure(name.to_owned()),
            Some(Kind::Level) | None => Meaning::level_of(dataset, name),
        };
        let columns = schema.fields().iter().map(|field| meaning(field.name())).collect();
        Self { dataset, population: Vec::new(), columns }
    }

    /// What a column is, `schema` being that of the subtree's plan.
    pub(super) fn column(&self, column: &Column, schema: &DFSchema) -> Option<&Meaning> {
        schema.maybe_index_of_column(column).and_then(|at| self.columns.get(at))
    }
}

impl<'a> Lowering<'a> {
    /// The records of which a condition holds as well.
    pub(super) fn filtered(
        &self,
        mut region: Region<'a>,
        predicate: &Expr,
        schema: &DFSchema,
    ) -> Result<Region<'a>, Refusal> {
        let conditions = self.conditions(predicate, &region, schema)?;
        region.population.extend(conditions);
        Ok(region)
    }

    /// The same records under other columns. Hidden ones may be passed on, as `SELECT *` does, and are refused where they
    /// are used.
    pub(super) fn projected(
        &self,
        region: Region<'a>,
        exprs: &[Expr],
        schema: &DFSchema,
    ) -> Result<Region<'a>, Refusal> {
        let columns = exprs.iter().map(|expr| self.meaning(expr, &region, schema)).collect::<Result<_, _>>()?;
        Ok(Region { columns, ..region })
    }
}
