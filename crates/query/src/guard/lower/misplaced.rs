//! Every form of expression, and why it may not stand between a protected table and its aggregate (privacy.md 6.3).
//!
//! The match has no arm for the rest: a new form of the library does not compile until it is judged here.

use datafusion::common::{DFSchema, Spans};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};

use super::hidden::no_companion;
use super::region::{Meaning, Region};
use super::{Lowering, reads_protected};
use crate::companions::is_companion;
use crate::facade::Hidden;
use crate::refusal::{Code, Place, Refusal};

pub(super) const AGGREGATE_FIRST: &str = "Aggregate first, and write this over the aggregate: SELECT … FROM (SELECT province, count(*) AS n FROM victims \
     GROUP BY province) AS t …";

/// The refusal of a form.
pub(super) fn form(what: &str) -> Refusal {
    Refusal::new(Code::ProtectedForm, format!("{what} is not allowed between records of people and their aggregate."))
}

/// The refusal of what cannot be.
pub(super) fn internal() -> Refusal {
    Refusal::new(Code::ProtectedInternal, "The question could not be answered; the fault is ours.")
}

/// The refusal of a function.
pub(super) fn function(name: &str) -> Refusal {
    if is_companion(name) {
        return no_companion(name);
    }
    let detail = format!("The function {name} is not allowed between records of people and their aggregate.");
    Refusal::new(Code::ProtectedFunction, detail).hint(
        "Group and select by columns as they are; of dates date_trunc('quarter', month) and extract(year from month), of \
         levels priv_level(sector, 'isic'). Functions of released numbers stand over the aggregate.",
    )
}

impl Lowering<'_> {
    /// Why rows of a protected table are not shown; where one of the hidden columns was asked for by name, that.
    pub(super) fn records(&self, region: &Region<'_>, plan: &LogicalPlan) -> Refusal {
        let everything = plan.schema().fields().len() >= region.dataset.all_levels().count();
        if !everything && let Some(hidden) = region.columns.iter().find_map(Meaning::hidden) {
            return self.hidden(hidden);
        }
        let refusal = Refusal::new(Code::ProtectedForm, "Records of people are not shown, only numbers of them.");
        refusal.hint("Write count(*), with GROUP BY; SELECT DISTINCT lists which codes can be shown.")
    }

    /// The refusal of a column that can only be counted.
    pub(super) fn hidden(&self, hidden: Hidden) -> Refusal {
        let name = hidden.name();
        let detail = format!("{name} stands inside count(distinct {name}) and nowhere else.");
        let refusal = Refusal::new(Code::NotFilterable, detail).at(self.words.find(name));
        refusal.hint(format!("Write count(distinct {name}), and group by other columns."))
    }

    /// Where an expression stands.
    pub(super) fn place(&self, expr: &Expr) -> Option<Place> {
        let span = expr.spans().and_then(Spans::first);
        let told = span.map(|span| Place { line: span.start.line, column: span.start.column });
        told.or_else(|| match expr {
            Expr::Column(column) => self.words.find(&column.name),
            _ => None,
        })
    }

    /// The refusal of an expression where a column, a code or a condition on one dimension belongs.
    #[expect(deprecated, reason = "Wildcard is named so that every variant is")]
    pub(super) fn misplaced(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Refusal {
        let refusal = match expr {
            Expr::Alias(alias) => return self.misplaced(&alias.expr, region, schema),
            Expr::Column(column) => match region.column(column, schema).and_then(Meaning::hidden) {
                Some(hidden) => return self.hidden(hidden),
                None => form("A column in this place").hint("Compare a column with a code; group by both to see pairs."),
            },
            Expr::Literal(..) => form("A value in this place").hint("Compare a column with a code: sex = 'F'."),
            Expr::BinaryExpr(binary) => form(&format!("The operator {}", binary.op)).hint(
                "Conditions compare one column with codes, joined by AND; compute with released numbers over the aggregate.",
            ),
            Expr::Like(_) | Expr::SimilarTo(_) => form("A pattern").hint("Write IN with codes, or a coarser level."),
            Expr::Not(_) | Expr::Between(_) | Expr::InList(_) | Expr::IsNull(_) | Expr::IsNotNull(_) => {
                form("A condition as a value").hint("Write CASE WHEN … THEN 'label' ELSE 'label' END, or FILTER (WHERE …).")
            }
            Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_) => form("IS TRUE and its like").hint("Write the condition itself."),
            Expr::Negative(_) => form("A sign").hint("Write the code as it stands in the list."),
            Expr::Case(_) => form("CASE in this place").hint("Write the condition itself, or group by the CASE."),
            Expr::Cast(_) | Expr::TryCast(_) => {
                form("A cast of a column").hint("Write the code as it is; its type does not matter: year = '2024'.")
            }
            Expr::ScalarFunction(call) => function(call.func.name()),
            Expr::HigherOrderFunction(_) | Expr::Lambda(_) | Expr::LambdaVariable(_) | Expr::Unnest(_) => {
                form("A list or a lambda")
            }
            Expr::AggregateFunction(call) => form(&format!("The aggregate {}", call.func.name())),
            Expr::WindowFunction(_) => form("A window function").hint(AGGREGATE_FIRST),
            Expr::Exists(exists) => subquery_below(&exists.subquery),
            Expr::InSubquery(within) => subquery_below(&within.subquery),
            Expr::SetComparison(compared) => subquery_below(&compared.subquery),
            Expr::ScalarSubquery(subquery) => subquery_below(subquery),
            Expr::OuterReferenceColumn(..) => self.outer_column(),
            Expr::GroupingSet(_) => form("Grouping sets in this place").hint("Write them in GROUP BY."),
            Expr::Placeholder(_) => Refusal::new(Code::Parameter, "A placeholder has no value."),
            Expr::ScalarVariable(..) => form("A variable"),
            Expr::Wildcard { .. } => form("A star").hint("Write count(*)."),
        };
        let place = self.place(expr);
        if refusal.place.is_none() { refusal.at(place) } else { refusal }
    }

    /// A column of the query around: over released rows it would steer records.
    fn outer_column(&self) -> Refusal {
        if self.outer.last() == Some(&true) {
            steering()
        } else {
            form("A column of the query around it").hint("Group the subquery by the column, and join it.")
        }
    }
}

/// The refusal of released numbers that would select records (privacy.md 6.4).
pub(super) fn steering() -> Refusal {
    let refusal = Refusal::new(Code::Steering, "Released numbers cannot select which records of people are counted.");
    refusal.hint("Group by the column, and filter the released rows: … GROUP BY province HAVING count(*) > 50.")
}

/// A subquery in a condition on records: over protected tables it would steer them by released numbers, over open
/// ones it is no code.
fn subquery_below(subquery: &Subquery) -> Refusal {
    if reads_protected(&subquery.subquery) {
        steering()
    } else {
        form("A subquery").hint("Write the codes: province IN ('PK-PB', 'PK-SD'); or join the code list of the column.")
    }
}
