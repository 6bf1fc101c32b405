//! Protected tables as a question sees them: names and types of columns, and nothing behind them.
//!
//! A facade has a schema and no rows; there is no provider that could scan it, so a plan that still reads one cannot be
//! turned into work (privacy.md 6.1). Every level of every dimension is a column; rules on a column are looked up in the
//! policy by its name.
//!
//! Absent: rows, statistics, constraints.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::TableSource;
use policy::{Access, Ask, Asker, Dataset, Datasets, Resolved, Role, TimeLevel, Unit};

use crate::catalogue::Catalogue;
use crate::current::Current;
use crate::marginals::Marginal;
use crate::names;
use crate::oracle::Oracle;
use crate::refusal::{Code, Refusal};
use crate::tables::{DATABASE, Missing, Table, Tables};

/// Where the protected tables are.
pub(crate) const PROTECTED: &str = "protected";

/// Datasets whose rows are acts of a unit, several to one unit (privacy.md 6.2, mart rows).
const ACTS: [&str; 6] = ["services", "stays", "returns", "compensations", "charges", "judgments"];

/// What distinct units can be counted of, and never seen (privacy.md 6.1, F details).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    Person,
    Case,
    Agency,
}

impl Hidden {
    pub(crate) const ALL: [Self; 3] = [Self::Person, Self::Case, Self::Agency];

    /// The name of its column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Person => "person_id",
            Self::Case => "case_id",
            Self::Agency => "agency",
        }
    }
}

/// What a column of a facade is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A level of a dimension.
    Level,
    /// A measure column: only inside `sum` and its like.
    Measure,
    /// Only inside `count(distinct …)`.
    Hidden(Hidden),
}

/// Whether rows of a dataset are acts, several to one unit.
pub(crate) fn rows_are_acts(dataset: &Dataset) -> bool {
    ACTS.contains(&dataset.name.as_str())
}

/// Whether the unit of a dataset is what a hidden column names.
pub(crate) fn is_unit(dataset: &Dataset, hidden: Hidden) -> bool {
    match hidden {
        Hidden::Person => dataset.unit == Unit::Person,
        Hidden::Case => dataset.unit == Unit::Case,
        Hidden::Agency => false,
    }
}

/// The measure columns of a dataset.
pub(crate) fn measures(dataset: &Dataset) -> impl Iterator<Item = &str> {
    dataset.measures.keys().map(String::as_str)
}

/// What a column of a dataset's facade is.
pub(crate) fn kind(dataset: &Dataset, column: &str) -> Option<Kind> {
    if let Some(hidden) = Hidden::ALL.into_iter().find(|hidden| hidden.name() == column) {
        return Some(Kind::Hidden(hidden));
    }
    if dataset.resolve(column).is_some() {
        return Some(Kind::Level);
    }
    measures(dataset).any(|measure| measure == column).then_some(Kind::Measure)
}

/// The columns of a dataset: every level, then what may be summed, then what may be counted.
pub(crate) fn schema(dataset: &Dataset) -> SchemaRef {
    let level = |name: &str| {
        let data_type = match dataset.resolve(name) {
            Some(Resolved::Time(TimeLevel::Year)) => DataType::Int32,
            Some(Resolved::Time(TimeLevel::Month)) => DataType::Date32,
            Some(
                Resolved::Time(TimeLevel::Quarter | TimeLevel::FiscalYear) | Resolved::Column(..) | Resolved::Band(_),
            )
            | None => DataType::Utf8,
        };
        Field::new(name, data_type, true)
    };
    let mut fields: Vec<Field> = dataset.all_levels().map(level).collect();
    fields.extend(measures(dataset).map(|name| Field::new(name, DataType::Int64, true)));
    fields.extend(Hidden::ALL.map(|hidden| Field::new(hidden.name(), DataType::Utf8, true)));
    Arc::new(Schema::new(fields))
}

/// A table with columns and no rows.
#[derive(Debug)]
pub(crate) struct Facade {
    /// The dataset that it stands for.
    pub(crate) dataset: String,
    schema: SchemaRef,
}

impl TableSource for Facade {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The protected tables of a question, and the lists that its codes are read by.
pub(crate) struct Protected<'a> {
    pub(crate) datasets: &'a Datasets,
    pub(crate) years: RangeInclusive<u16>,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) marginals: &'a [Marginal],
    pub(crate) oracle: &'a dyn Oracle,
    facades: BTreeMap<&'a str, Arc<dyn TableSource>>,
}

impl<'a> Protected<'a> {
    /// The tables that an oracle answers for, over a picture of what is published.
    pub(crate) fn new(oracle: &'a dyn Oracle, current: &'a Current) -> Self {
        let (catalogue, marginals) = (current.catalogue(), current.marginals());
        let datasets = oracle.datasets();
        let facade = |dataset: &'a Dataset| {
            let facade: Arc<dyn TableSource> =
                Arc::new(Facade { dataset: dataset.name.clone(), schema: schema(dataset) });
            (dataset.name.as_str(), facade)
        };
        let facades = datasets.iter().map(facade).collect();
        Self { datasets, years: oracle.years(), catalogue, marginals, oracle, facades }
    }

    /// Whether a word is the name of a protected table.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.facades.contains_key(word.to_lowercase().as_str())
    }
}

/// A table found by name.
pub(crate) enum Found<'a> {
    /// Published or reference: its rows are in memory.
    Open(&'a Table),
    /// Protected: it has no rows.
    Facade(&'a Arc<dyn TableSource>),
}

/// All tables that a question can name.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) tables: &'a Tables,
    /// The editions that the tables are of.
    pub(crate) current: &'a Current,
    /// When it is asked: a date is past, today's or not yet by it.
    pub(crate) now: SystemTime,
    pub(crate) protected: Option<&'a Protected<'a>>,
    /// Who names them; `None` where nothing is asked for, only its form.
    pub(crate) permit: Option<Permit<'a>>,
}

/// Who asks, and what kind of question it is.
#[derive(Clone, Copy)]
pub(crate) struct Permit<'a> {
    pub(crate) access: &'a Access,
    pub(crate) asker: Option<&'a Asker>,
    pub(crate) is_explained: bool,
}

impl Permit<'_> {
    /// Why a table may not be asked; `None` where it may. Whoever shows nothing at a protected table is told later that a key is
    /// needed.
    pub(crate) fn objection(self, found: &Found<'_>) -> Option<Refusal> {
        let (table, ask) = match found {
            Found::Open(table) => (table.full_name(), Ask::Rows),
            Found::Facade(facade) => {
                self.asker?;
                let ask = if self.is_explained { Ask::Explain } else { Ask::Cells };
                (format!("{PROTECTED}.{}", facade.downcast_ref::<Facade>()?.dataset), ask)
            }
        };
        let role = self.asker.map_or(Role::Public, |asker| asker.role);
        let is_bound = self.asker.is_none_or(|asker| asker.is_bound_to(&table));
        if is_bound && self.access.may_ask(role, &table, ask) {
            return None;
        }
        let detail = if is_bound {
            format!("The role {} may not ask {table}.", role.name())
        } else {
            format!("This key is bound to other tables than {table}.")
        };
        let hint = if is_bound && role == Role::Operator {
            "Who runs the service asks nothing protected: invite an analyst at /people or by `amanat user invite`, also for yourself, \
             or make a key by `amanat key new`. The published tables are for everybody."
        } else {
            "The published tables are for everybody; who runs this service can give another role or key."
        };
        Some(Refusal::new(Code::NotAllowed, detail).hint(hint))
    }
}

impl<'a> Scope<'a> {
    /// The table of a name written in one, two or three parts: an open one first, so that no answer changes by the
    /// presence of protected ones.
    pub(crate) fn find(&self, parts: &[&str]) -> Result<Found<'a>, Missing> {
        let missing = match self.tables.find(parts) {
            Ok(table) => return Ok(Found::Open(table)),
            Err(missing) => missing,
        };
        let Some(protected) = self.protected else { return Err(missing) };
        let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
        let name = match &lower[..] {
            [name] => name,
            [schema, name] if schema == PROTECTED => name,
            [database, schema, name] if database == DATABASE && schema == PROTECTED => name,
            _ => return Err(missing),
        };
        match protected.facades.get(name.as_str()) {
            Some(facade) => Ok(Found::Facade(facade)),
            None if lower.len() > 1 => {
                let near = names::nearest(name, protected.facades.keys().copied());
                Err(Missing::Protected(near.map(str::to_owned)))
            }
            None => Err(missing),
        }
    }
}
