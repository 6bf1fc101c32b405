//! What each `$n` of a question stands for, from the place where it stands: for clients that ask for types before they
//! have values (the Describe of Postgres, prepared statements of Flight SQL).
//!
//! A type is that of the column that a placeholder is compared with, of the cast around it, or of LIMIT; a text where
//! nothing tells. With it comes a stand-in, a value that the guard would take in this place, so that the columns of an
//! answer can be told before there are values. A stand-in is a code of the published lists and nothing else.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, Ident, LimitClause, ObjectName, ObjectNamePart, Query, TableFactor, TableVersion,
    Value, Visit, Visitor,
};
use policy::{Dataset, Resolved};

use super::{dated, text};
use crate::facade::{Facade, Found, Protected, Scope};
use crate::known;
use crate::question::{Limits, Param};
use crate::refusal::{Code, Refusal};

/// Placeholders that a question may have: as many as Postgres numbers in one message would be an attack, not a question.
const MOST: usize = 1_000;

/// A placeholder: its type, and a value that could stand there.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) data_type: DataType,
    pub(crate) stand_in: Param,
}

impl Parameter {
    fn text(stand_in: &str) -> Self {
        Self { data_type: DataType::Utf8, stand_in: Param::Text(stand_in.to_owned()) }
    }

    fn number(data_type: DataType, stand_in: i64) -> Self {
        Self { data_type, stand_in: Param::Number(stand_in.into()) }
    }
}

/// The placeholders `$1`, `$2`, … of a question. One that does not stand in the text, though a later one does, is a text.
pub(crate) fn of(sql: &str, limits: &Limits, scope: Scope<'_>) -> Result<Vec<Parameter>, Refusal> {
    let parsed = text::parse(sql, limits)?;
    let mut tables = Tables(Vec::new());
    let _ = parsed.query.visit(&mut tables);
    let mut places = Places { tables: &tables.0, scope, found: BTreeMap::new() };
    if let ControlFlow::Break(refusal) = parsed.query.visit(&mut places) {
        return Err(refusal);
    }
    let count = places.found.keys().next_back().copied().unwrap_or(0);
    let unknown = || Parameter::text("");
    Ok((1..=count).map(|n| places.found.remove(&n).flatten().unwrap_or_else(unknown)).collect())
}

/// The tables that a question reads.
struct Tables(Vec<ObjectName>);

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.0.push(relation.clone());
        ControlFlow::Continue(())
    }
}

struct Places<'a> {
    tables: &'a [ObjectName],
    scope: Scope<'a>,
    /// What each number was found to be; none until a place tells.
    found: BTreeMap<usize, Option<Parameter>>,
}

impl Places<'_> {
    /// Notes what a placeholder is, if this is one; the first place that tells decides.
    fn note(&mut self, expr: &Expr, is: impl FnOnce(&Self) -> Option<Parameter>) {
        let Some(number) = placeholder(expr) else { return };
        if self.found.get(&number).is_none_or(Option::is_none) {
            let is = is(self);
            self.found.insert(number, is);
        }
    }

    /// What a value compared with this is.
    fn beside(&self, other: &Expr, op: Option<&BinaryOperator>) -> Option<Parameter> {
        match other {
            Expr::Nested(inner) => self.beside(inner, op),
            Expr::Identifier(name) => self.column(name, op),
            Expr::CompoundIdentifier(parts) => self.column(parts.last()?, op),
            Expr::Cast { data_type, .. } => of_type(data_type),
            Expr::Extract { .. } => Some(Parameter::number(DataType::Int64, 1)),
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                    Some(Parameter::number(DataType::Int64, 1))
                }
                Value::Number(..) => Some(Parameter::number(DataType::Float64, 1)),
                _ => None,
            },
            Expr::Function(function) => of_function(function),
            Expr::BinaryOp { op, .. } if is_arithmetic(op) => Some(Parameter::number(DataType::Float64, 1)),
            _ => None,
        }
    }

    /// What a value compared with a column of that name is: the first table of the question that has one tells.
    fn column(&self, name: &Ident, op: Option<&BinaryOperator>) -> Option<Parameter> {
        let name = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
        self.tables.iter().find_map(|table| {
            let parts: Vec<&str> = table.0.iter().filter_map(part).collect();
            match self.scope.find(&parts).ok()? {
                Found::Open(table) => of_open(table.source.schema().field_with_name(&name).ok()?.data_type()),
                Found::Facade(facade) => {
                    let data_type = facade.schema().field_with_name(&name).ok()?.data_type().clone();
                    let protected = self.scope.protected?;
                    let dataset = protected.datasets.get(&facade.downcast_ref::<Facade>()?.dataset)?;
                    Some(of_level(&name, data_type, op, dataset, protected))
                }
            }
        })
    }
}

impl Visitor for Places<'_> {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            for count in limit.iter().chain(offset.iter().map(|offset| &offset.value)) {
                self.note(count, |_| Some(Parameter::number(DataType::Int64, 1)));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        if let TableFactor::Table { version: Some(TableVersion::ForSystemTimeAsOf(asked)), .. } = factor {
            // The date of a table: today is one that has an edition, if any day has.
            let today = known::day(self.scope.now).to_string();
            self.note(dated::bare(asked), |_| Some(date(&today)));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        match expr {
            Expr::BinaryOp { left, op, right } => {
                let arithmetic = is_arithmetic(op).then(|| Parameter::number(DataType::Float64, 1));
                self.note(left, |s| s.beside(right, Some(op)).or_else(|| arithmetic.clone()));
                self.note(right, |s| s.beside(left, Some(op)).or_else(|| arithmetic.clone()));
            }
            Expr::Between { expr, low, high, .. } => {
                self.note(low, |s| s.beside(expr, Some(&BinaryOperator::GtEq)));
                self.note(high, |s| s.beside(expr, Some(&BinaryOperator::LtEq)));
            }
            Expr::InList { expr, list, .. } => list.iter().for_each(|one| self.note(one, |s| s.beside(expr, None))),
            Expr::Like { expr, pattern, .. } | Expr::ILike { expr, pattern, .. } => {
                self.note(pattern, |_| Some(Parameter::text("%")));
                self.note(expr, |_| Some(Parameter::text("")));
            }
            Expr::Cast { expr, data_type, .. } => self.note(expr, |_| of_type(data_type)),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.note(left, |s| s.beside(right, None));
                self.note(right, |s| s.beside(left, None));
            }
            other => self.note(other, |_| None),
        }
        let most = self.found.keys().next_back().copied().unwrap_or(0);
        if most > MOST {
            let refusal = Refusal::new(Code::Parameter, format!("A question may have {MOST} placeholders."));
            return ControlFlow::Break(refusal.hint("Number them $1, $2, … without gaps."));
        }
        ControlFlow::Continue(())
    }
}

/// The number of a placeholder.
fn placeholder(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Nested(inner) => placeholder(inner),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$')?.parse().ok().filter(|n| *n > 0),
            _ => None,
        },
        _ => None,
    }
}

fn part(part: &ObjectNamePart) -> Option<&str> {
    match part {
        ObjectNamePart::Identifier(ident) => Some(&ident.value),
        ObjectNamePart::Function(_) => None,
    }
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
    )
}

/// A value compared with a column of rows in memory.
fn of_open(data_type: &DataType) -> Option<Parameter> {
    Some(match data_type {
        DataType::Int32 | DataType::Int64 | DataType::Decimal128(..) | DataType::Float64 => {
            Parameter::number(data_type.clone(), 1)
        }
        DataType::Boolean => Parameter { data_type: DataType::Boolean, stand_in: Param::Bool(true) },
        DataType::Date32 => date("2000-01-01"),
        DataType::Timestamp(..) => {
            Parameter { data_type: data_type.clone(), stand_in: Param::Text("2000-01-01T00:00:00Z".to_owned()) }
        }
        DataType::Utf8 => Parameter::text(""),
        _ => return None,
    })
}

fn date(first: &str) -> Parameter {
    Parameter { data_type: DataType::Date32, stand_in: Param::Text(first.to_owned()) }
}

/// A value compared with a level of a protected table: one of its codes, an edge of a bin where numbers are compared.
fn of_level(
    name: &str,
    data_type: DataType,
    op: Option<&BinaryOperator>,
    dataset: &Dataset,
    protected: &Protected<'_>,
) -> Parameter {
    let last = *protected.years.end();
    match data_type {
        DataType::Int32 => return Parameter::number(data_type, i64::from(last)),
        DataType::Date32 => return date(&format!("{last}-01-01")),
        _ => {}
    }
    let compares = |op: &BinaryOperator| {
        use BinaryOperator::{Gt, GtEq, Lt, LtEq};
        matches!(op, Gt | GtEq | Lt | LtEq)
    };
    if let (Some(Resolved::Band(measure)), true) = (dataset.resolve(name), op.is_some_and(compares)) {
        let edge = measure.bins.get(1).or(measure.bins.first()).copied().unwrap_or_default();
        return Parameter { data_type, stand_in: Param::Number(edge.into()) };
    }
    let codes = dataset.codes(name, protected.years.clone()).unwrap_or_default();
    let code = codes.last().and_then(|&code| dataset.code_text(name, code)).unwrap_or_default();
    Parameter { data_type, stand_in: Param::Text(code) }
}

/// A value under a cast.
fn of_type(data_type: &ast::DataType) -> Option<Parameter> {
    use ast::DataType as Sql;
    Some(match data_type {
        Sql::SmallInt(_) | Sql::Int2(_) | Sql::Int(_) | Sql::Integer(_) | Sql::Int4(_) => {
            Parameter::number(DataType::Int32, 1)
        }
        Sql::BigInt(_) | Sql::Int8(_) => Parameter::number(DataType::Int64, 1),
        Sql::Numeric(_) | Sql::Decimal(_) | Sql::Dec(_) => Parameter::number(DataType::Decimal128(38, 6), 1),
        Sql::Float(_) | Sql::Real | Sql::Double(_) | Sql::DoublePrecision | Sql::Float8 | Sql::Float4 => {
            Parameter::number(DataType::Float64, 1)
        }
        Sql::Boolean | Sql::Bool => Parameter { data_type: DataType::Boolean, stand_in: Param::Bool(true) },
        Sql::Date => date("2000-01-01"),
        Sql::Timestamp(..) => {
            let data_type = DataType::Timestamp(TimeUnit::Microsecond, None);
            Parameter { data_type, stand_in: Param::Text("2000-01-01T00:00:00".to_owned()) }
        }
        Sql::Text | Sql::Varchar(_) | Sql::Char(_) | Sql::CharacterVarying(_) | Sql::String(_) => Parameter::text(""),
        _ => return None,
    })
}

/// A value compared with what a function gives.
fn of_function(function: &ast::Function) -> Option<Parameter> {
    const COUNTS: [&str; 7] = ["count", "length", "char_length", "character_length", "strpos", "ascii", "grouping"];
    const NUMBERS: [&str; 8] = ["sum", "avg", "round", "abs", "date_part", "median", "floor", "ceil"];
    let name = part(function.name.0.last()?)?.to_lowercase();
    if COUNTS.contains(&name.as_str()) {
        return Some(Parameter::number(DataType::Int64, 1));
    }
    NUMBERS.contains(&name.as_str()).then(|| Parameter::number(DataType::Float64, 1))
}
