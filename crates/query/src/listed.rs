//! What `information_schema` says of protected tables: columns, comments and code lists, from the policy alone.
//!
//! Absent: rows, sizes, statistics, which years there are; anything from data.

use std::sync::Arc;

use arrow::datatypes::DataType;
use policy::{Dataset, Datasets, MeasureColumn, Resolved, TimeLevel, Unit};

use crate::catalogue::Catalogue;
use crate::facade::{self, Hidden, Kind};
use crate::tables::REFERENCE;

/// A protected table as it is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) columns: Vec<ListedColumn>,
}

/// A column as it is listed.
#[derive(Debug, Clone)]
pub(crate) struct ListedColumn {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) description: String,
    /// The table that has its codes.
    pub(crate) code_list: Option<String>,
}

/// The protected tables of a policy.
pub(crate) fn of(datasets: &Datasets, catalogue: &Catalogue) -> Arc<[Listed]> {
    datasets.iter().map(|dataset| table(dataset, catalogue)).collect()
}

fn table(dataset: &Dataset, catalogue: &Catalogue) -> Listed {
    let unit = unit(dataset.unit);
    let rows =
        if facade::rows_are_acts(dataset) { format!("an act, several to one {unit}") } else { format!("one {unit}") };
    let description = format!(
        "Protected: each row is {rows}, and only protected counts, sums and means over rows are answered, to a key. Time is \
         the time {}; the main place is {}",
        dataset.time, dataset.place
    );
    let columns = facade::schema(dataset);
    let column = |field: &arrow::datatypes::Field| column(dataset, field.name(), field.data_type(), catalogue);
    Listed { name: dataset.name.clone(), description, columns: columns.fields().iter().map(|f| column(f)).collect() }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Person => "person",
        Unit::Case => "case",
        Unit::Inspection => "inspection",
        Unit::Activity => "activity",
        Unit::Contact => "contact",
        Unit::Release => "release",
    }
}

fn column(dataset: &Dataset, name: &str, data_type: &DataType, catalogue: &Catalogue) -> ListedColumn {
    let list = dataset.resolve(name).and_then(Resolved::list).and_then(|list| catalogue.code_list(list));
    let description = match facade::kind(dataset, name) {
        Some(Kind::Level) => level(dataset, name),
        Some(Kind::Measure) => dataset.measures.get(name).map(measure).unwrap_or_default(),
        Some(Kind::Hidden(hidden)) => hidden_column(dataset, hidden),
        None => String::new(),
    };
    ListedColumn {
        name: name.to_owned(),
        data_type: data_type.clone(),
        description,
        code_list: list.map(|list| format!("{REFERENCE}.{}", list.name.to_lowercase())),
    }
}

fn level(dataset: &Dataset, name: &str) -> String {
    match dataset.resolve(name) {
        Some(Resolved::Time(time)) => period(dataset, time),
        Some(Resolved::Column(column, level)) => {
            let what = match level {
                None => "A code".to_owned(),
                Some(_) => format!("A coarser level of {}", column.name),
            };
            let several = if dataset.is_many(name) { "; one row may have several, so that cells overlap" } else { "" };
            format!("{what}; _X where it is not known{several}")
        }
        Some(Resolved::Band(measure)) => {
            let bins: Vec<String> = (0..=measure.unknown()).filter_map(|bin| measure.band_text(bin)).collect();
            format!("A bin of {}: {}", measure.name, bins.join(", "))
        }
        None => String::new(),
    }
}

fn period(dataset: &Dataset, time: TimeLevel) -> String {
    let form = match time {
        TimeLevel::Year => "The year, as 2024",
        TimeLevel::Month => "The month, by its first day: 2024-03-01",
        TimeLevel::Quarter => "The quarter, as 2024-Q1",
        TimeLevel::FiscalYear => "The fiscal year from July to June, as 2024-25",
    };
    format!("{form}; the time {}", dataset.time)
}

fn measure(measure: &MeasureColumn) -> String {
    let MeasureColumn { min, max, .. } = measure;
    format!(
        "A number, inside sum, avg, median and their like alone; less than {min} counts as {min}, more than {max} as {max}"
    )
}

fn hidden_column(dataset: &Dataset, hidden: Hidden) -> String {
    let name = hidden.name();
    if hidden == Hidden::Person && dataset.unit != Unit::Person {
        return format!("Not counted here: the rows are of {} records", unit(dataset.unit));
    }
    format!("Inside count(distinct {name}) alone")
}
