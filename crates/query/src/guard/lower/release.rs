//! The aggregate over a protected subtree: one question per grouping set and condition, and the table that their answers
//! fill (privacy.md 6.3).
//!
//! The rows of the table follow from the question alone: every group that the population leaves possible, shown or not, so
//! that which rows there are tells nothing.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection, TableScanBuilder, TableSource, ident};
use datafusion::scalar::ScalarValue;
use disclosure::{MOST_CELLS, Measure, Order, Refused};

use super::asked::refused;
use super::hidden::hidden_name;
use super::measure::{Ask, What};
use super::open::{Known, Open};
use super::region::{Meaning, Region};
use super::rows::GroupingSet;
use super::sets::sets;
use super::{Lowering, misplaced};
use crate::companions::Companion;
use crate::refusal::{Code, Refusal};
use crate::tables::WRITTEN;

/// Digits of a released sum or mean.
const DECIMAL: DataType = DataType::Decimal128(38, 6);

/// A column as the steps above know it.
pub(super) type NamedField = (Option<TableReference>, Arc<Field>);

/// A table that answers fill.
#[derive(Debug)]
pub(crate) struct Release {
    /// Its name in the plan.
    pub(crate) name: String,
    pub(crate) schema: SchemaRef,
    pub(super) rows: Vec<Row>,
    /// Its last columns: companions of others.
    pub(super) beside: Vec<Beside>,
}

/// A column of companions (privacy.md 6.14).
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// The value of a row that it stands beside.
    pub(super) of: usize,
    pub(super) companion: Companion,
    /// What one element adds to the value at most.
    pub(super) most: i64,
}

/// A row of a table that answers fill.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// A row that is there only if its group is shown: the cell that says so.
    pub(super) only_if: Option<Cell>,
    /// One for each column.
    pub(super) values: Vec<Source>,
}

/// Where a cell stands: the number of the question and the coordinates in its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) question: usize,
    pub(super) at: Vec<u16>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The question itself: labels, grouping(), contradictions.
    Known(ScalarValue),
    /// A count, by the number of the measure.
    Count(Cell, usize),
    /// A sum, by the number of the measure.
    Sum(Cell, usize),
    /// A sum by a count; not below so many units (privacy.md 6.5, Mean).
    Mean { cell: Cell, sum: usize, units: usize, least: i64 },
    /// How many of these cells are shown.
    Shown(Vec<Cell>),
    /// A quantile of a histogram.
    Quantile(Histogram),
}

/// The bins of a measure in a row.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    /// Lower and upper edge of a bin, and its cell; ascending.
    pub(super) bins: Vec<(i64, i64, Cell)>,
    pub(super) order: Order,
    /// The floor K on units.
    pub(super) k: u64,
}

/// The table of a release in a plan: a schema until it is bound to rows.
#[derive(Debug)]
pub(crate) struct Released {
    schema: SchemaRef,
    widths: Vec<u64>,
}

impl Released {
    /// Greatest length of a text in a column, bytes.
    pub(crate) fn width(&self, column: &str) -> Option<u64> {
        self.schema.index_of(column).ok().map(|at| self.widths[at])
    }
}

impl TableSource for Released {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl<'a> Lowering<'a> {
    /// Lowers an aggregate over a protected subtree.
    pub(super) fn release(&mut self, region: Region<'a>, aggregate: &Aggregate) -> Result<Open, Refusal> {
        let input = aggregate.input.schema();
        let groups = grouping_set_to_exprlist(&aggregate.group_expr).map_err(|_| misplaced::internal())?;
        let sets = sets(&aggregate.group_expr, &groups)?;
        let meanings: Vec<Meaning> =
            groups.iter().map(|group| self.group(group, &region, input)).collect::<Result<_, _>>()?;
        let asks: Vec<Ask> =
            aggregate.aggr_expr.iter().map(|expr| self.ask(expr, &groups, &region, input)).collect::<Result<_, _>>()?;
        let fields: Vec<NamedField> = aggregate
            .schema
            .iter()
            .filter(|(_, field)| field.name() != Aggregate::INTERNAL_GROUPING_ID)
            .map(|(relation, field)| (relation.cloned(), Arc::clone(field)))
            .collect();
        self.table(&region, &meanings, &sets, &asks, &fields)
    }

    /// Lowers DISTINCT over a protected subtree: the list of groups that are shown.
    pub(super) fn shown(&mut self, region: &Region<'a>, schema: &DFSchema) -> Result<Open, Refusal> {
        for column in &region.columns {
            match column {
                Meaning::Level { .. } | Meaning::Labels { .. } => {}
                Meaning::Hidden(hidden) => return Err(self.hidden(*hidden)),
                Meaning::Measure(_) | Meaning::Constant(_) => {
                    return Err(misplaced::form("DISTINCT of what is no level").hint("Name levels, such as province."));
                }
            }
        }
        let fields: Vec<_> = schema.iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field))).collect();
        let all = (0..region.columns.len()).collect();
        self.table(region, &region.columns, &[all], &[], &fields)
    }

    /// A group expression: a level, or labels of one.
    fn group(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<Meaning, Refusal> {
        let meaning = self.meaning(expr, region, schema)?;
        match meaning {
            Meaning::Level { .. } | Meaning::Labels { .. } => Ok(meaning),
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Constant(_) => Err(misplaced::form("GROUP BY of a value").hint("Name a column.")),
            Meaning::Measure(name) => {
                let refusal = Refusal::new(Code::NotFilterable, format!("{name} cannot be grouped by."));
                Err(refusal.at(self.words.find(&name)).hint(format!("Write sum({name}) or avg({name}).")))
            }
        }
    }

    /// The table of an aggregate, in its place in the plan.
    fn table(
        &mut self,
        region: &Region<'a>,
        meanings: &[Meaning],
        sets: &[Vec<usize>],
        asks: &[Ask],
        fields: &[NamedField],
    ) -> Result<Open, Refusal> {
        let name = format!("released_{}", self.releases.len() + 1);
        let keys = meanings.len();
        let types: Vec<&DataType> = fields.iter().map(|(_, field)| field.data_type()).collect();
        let mut rows = Vec::new();
        for keys in sets {
            rows.extend(self.rows(&GroupingSet { region, meanings, keys, asks, types: &types })?);
        }
        let cells: usize = self.questions.iter().map(|query| self.cells(query)).fold(0, usize::saturating_add);
        if cells > MOST_CELLS {
            return Err(refused(&Refused::TooManyCells { cells }));
        }
        let columns = fields.iter().enumerate().map(|(at, (_, field))| {
            let data_type = match at.checked_sub(keys).and_then(|at| asks.get(at)).map(|ask| &ask.what) {
                Some(What::Figure(Measure::Sum(_)) | What::Mean(_) | What::Quantile(..)) => DECIMAL,
                Some(What::Figure(_) | What::Shown(_)) => DataType::Int64,
                Some(What::Grouping(_)) | None => field.data_type().clone(),
            };
            Field::new(format!("column_{at}"), data_type, true)
        });
        let mut columns: Vec<Field> = columns.collect();
        let beside = if self.companions { beside(region, keys, asks) } else { Vec::new() };
        let key = |at: usize| Arc::from(format!("{name}.column_{at}"));
        for Beside { of, companion, .. } in &beside {
            let data_type = companion.data_type(columns[*of].data_type());
            columns.push(Field::new(hidden_name(*companion, &key(*of)), data_type, true));
        }
        let schema: SchemaRef = Arc::new(Schema::new(columns));
        let widths = (0..schema.fields().len()).map(|at| width(&rows, at)).collect();
        let source = Arc::new(Released { schema: Arc::clone(&schema), widths });
        let plan = renamed(&name, source, fields).map_err(|_| misplaced::internal())?;
        let known = |at: usize| Known {
            tainted: at >= keys,
            companions: beside.iter().any(|beside| beside.of == at).then(|| key(at)),
        };
        let columns = (0..fields.len()).map(known).collect();
        self.releases.push(Release { name, schema, rows, beside });
        Ok(Open { plan, columns, released: true })
    }
}

/// The companions of every number of an aggregate.
fn beside(region: &Region<'_>, keys: usize, asks: &[Ask]) -> Vec<Beside> {
    let most = |what: &What| match what {
        What::Figure(measure) => Some(measure.most_of_one(region.dataset)),
        What::Mean(column) => Some(Measure::Sum(column.clone()).most_of_one(region.dataset)),
        What::Quantile(..) | What::Shown(_) => Some(1),
        What::Grouping(_) => None,
    };
    let numbers = asks.iter().enumerate().filter_map(|(at, ask)| Some((keys + at, most(&ask.what)?)));
    numbers.flat_map(|(of, most)| Companion::ALL.map(|companion| Beside { of, companion, most })).collect()
}

/// The released table under the names that the steps above know; companions keep theirs.
fn renamed(name: &str, source: Arc<Released>, fields: &[NamedField]) -> datafusion::common::Result<LogicalPlan> {
    let beside: Vec<Expr> = source.schema.fields().iter().skip(fields.len()).map(|field| ident(field.name())).collect();
    let scan = LogicalPlan::TableScan(TableScanBuilder::new(name, source).build()?);
    let columns = fields
        .iter()
        .enumerate()
        .map(|(at, (relation, field))| ident(format!("column_{at}")).alias_qualified(relation.clone(), field.name()));
    Projection::try_new(columns.chain(beside).collect(), Arc::new(scan)).map(LogicalPlan::Projection)
}

fn width(rows: &[Row], at: usize) -> u64 {
    let length = |row: &Row| match row.values.get(at) {
        Some(Source::Known(value)) => value.try_as_str().flatten().map_or(0, str::len) as u64,
        _ => 0,
    };
    rows.iter().map(length).max().unwrap_or(0).max(WRITTEN)
}
