//! How units spread over codes, by what the latest edition publishes (privacy.md 6.2, sparsity).
//!
//! Absent: anything that is not in a published table. A hidden cell counts as half the floor of ordinary cells.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;
use disclosure::CountedTable;

/// What stands in a column of `published.indicator_values` for all codes, and for a dimension that a table has not.
const ALL_CODES: [&str; 2] = ["_T", "_Z"];
/// What a hidden cell is taken for: half of K = 11 (privacy.md 6.5, Quantile).
const HIDDEN: f64 = 5.5;
const ONE: f64 = 1e6;

/// The units of a dataset along one of its levels, all else together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Marginal {
    pub(crate) dataset: String,
    /// The level, as the dataset names it.
    pub(crate) level: String,
    /// Units by code; of the level of the period, by period.
    pub(crate) units: BTreeMap<String, f64>,
    /// Units of all codes, each once.
    pub(crate) all: f64,
    /// Levels on which the table has a condition: it counts a part of the dataset.
    pub(crate) conditions: Vec<String>,
}

/// The marginals of an edition, in the order of the tables.
pub(crate) fn of_edition(tables: &[CountedTable], values: &RecordBatch) -> Vec<Marginal> {
    tables.iter().flat_map(|table| of_table(table, values)).collect()
}

fn of_table(table: &CountedTable, values: &RecordBatch) -> Vec<Marginal> {
    let Some(columns) = Columns::of(values) else { return Vec::new() };
    let own = (0..values.num_rows()).filter(|&row| {
        let is = |column: &str, text: &str| columns.text(column, row) == Some(text);
        is("indicator", &table.indicator) && is("measure", &table.measure) && table.has_period(columns.period(row))
    });
    let own: Vec<usize> = own.collect();
    let marginal = |level: &str, column: Option<&str>| {
        let mut units: BTreeMap<String, f64> = BTreeMap::new();
        let mut all = 0.0;
        for &row in &own {
            if !columns.is_total_but(column, row) {
                continue;
            }
            let code = column.map_or(columns.period(row), |column| columns.text(column, row).unwrap_or_default());
            if column.is_some() && ALL_CODES.contains(&code) {
                all += columns.units(row);
            } else {
                *units.entry(code.to_owned()).or_default() += columns.units(row);
            }
        }
        let sum: f64 = units.values().sum();
        Marginal {
            dataset: table.dataset.clone(),
            level: level.to_owned(),
            // Of the codes of a many-valued dimension the sum is more than all; where no total is published it is all.
            all: if column.is_none() || all <= 0.0 { sum } else { all },
            units,
            conditions: table.conditions.clone(),
        }
    };
    let mut found = vec![marginal(&table.period, None)];
    found.extend(table.columns.iter().map(|(level, column)| marginal(level, Some(column))));
    found.retain(|marginal| marginal.all > 0.0 && !marginal.units.is_empty());
    found
}

/// The columns of an edition's rows.
struct Columns<'a> {
    values: &'a RecordBatch,
    dimensions: Vec<String>,
}

impl<'a> Columns<'a> {
    /// None where the rows have another form.
    fn of(values: &'a RecordBatch) -> Option<Self> {
        const OTHERS: [&str; 6] = ["indicator", "measure", "time_period", "obs_status", "conf_status", "unit"];
        let schema = values.schema_ref();
        let is_text = |name: &str| values.column_by_name(name).is_some_and(|c| c.as_string_opt::<i32>().is_some());
        let value = values.column_by_name("value")?.as_primitive_opt::<Decimal128Type>();
        let dimensions = schema.fields().iter().map(|field| field.name().clone());
        let dimensions = dimensions.filter(|name| !OTHERS.contains(&name.as_str()) && is_text(name)).collect();
        (value.is_some() && is_text("time_period")).then_some(Self { values, dimensions })
    }

    fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let column = self.values.column_by_name(column)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn period(&self, row: usize) -> &'a str {
        self.text("time_period", row).unwrap_or_default()
    }

    /// Whether a row is of all codes in every dimension but one.
    fn is_total_but(&self, column: Option<&str>, row: usize) -> bool {
        let others = self.dimensions.iter().filter(|other| Some(other.as_str()) != column);
        others.into_iter().all(|other| self.text(other, row).is_none_or(|code| ALL_CODES.contains(&code)))
    }

    fn units(&self, row: usize) -> f64 {
        let value = self.values.column_by_name("value").and_then(|column| column.as_primitive_opt::<Decimal128Type>());
        let value = value.filter(|value| value.is_valid(row)).map(|value| value.value(row));
        value.map_or(HIDDEN, |micros| micros as f64 / ONE)
    }
}
