//! Which versions of records never came. Each event bears its agency's own counter on the record (`record_version`), so a gap in it is an
//! event that is not here: never sent, lost on the way, or set aside. The rule is `sql/quality/gaps.sql`, over all staged rows of a bucket of
//! records at once.
//!
//! What is about persons who are erased is not staged, and a gap like any other: of an event that is gone nobody knows the record.
//!
//! Absent: of which record, and what the missing event says.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, UInt16Type};
use events::calendar::karachi_midnight;
use events::feed::Versions;
use policy::TimeLevel;

use super::facts::filled;
use crate::engine::{Engine, Rollups, Rows, Table};
use crate::error::ModelsError;
use crate::graph::Staged;
use crate::people::Facts;
use crate::stage::{self, Family};

/// The rule.
const GAPS: (&str, &str) = ("quality/gaps.sql", include_str!("../../../../sql/quality/gaps.sql"));

/// By agency's number and month of the record.
pub(super) type ByAgency = BTreeMap<u16, BTreeMap<u16, Versions>>;

/// Reads what came since a month began, and what is missing before it.
pub(super) async fn read(facts: &Facts<'_>, first: u16) -> Result<ByAgency, ModelsError> {
    let since = TimeLevel::Month.days(first).map_or(0, |(day, _)| karachi_midnight(day));
    let staged = Staged { layers: facts.staged.clone() };
    let tables: Vec<Table> = Family::all().map(table).collect();
    let rows: Vec<String> = tables
        .iter()
        .map(|table| format!("SELECT agency, record_id, record_version, recorded_at FROM {}", table.name))
        .collect();
    let sql = filled(GAPS, &[("rows", rows.join("\nUNION ALL\n")), ("since", since.to_string())])?;
    let plan = Engine::new(Rollups::new()).prepare(&tables, &[], &sql).await;
    let plan = plan.map_err(|source| ModelsError::Plan { path: GAPS.0.to_owned(), source: Box::new(source) })?;
    let mut versions = ByAgency::new();
    for bucket in 0..staged.layers.buckets() {
        let found = plan.run(of_bucket(&staged, bucket).await?).await.map_err(ModelsError::Engine)?;
        for rows in &found {
            note(&mut versions, rows);
        }
    }
    Ok(versions)
}

/// No order is promised: the rows of all families are read as one.
fn table(family: &Family) -> Table {
    Table { name: format!("staged_{}", family.name), schema: stage::schema(family), order: Vec::new() }
}

async fn of_bucket(staged: &Staged, bucket: usize) -> Result<HashMap<String, Rows>, ModelsError> {
    let mut all = HashMap::new();
    for family in Family::all() {
        let rows = staged.rows(family, bucket).await?.unwrap_or(Rows::Batches(Vec::new()));
        all.insert(format!("staged_{}", family.name), rows);
    }
    Ok(all)
}

/// Adds rows of `gaps.sql`.
fn note(versions: &mut ByAgency, rows: &RecordBatch) {
    let (agencies, months) = (rows.column(0).as_primitive::<UInt16Type>(), rows.column(1).as_primitive::<Int32Type>());
    let count = |at: usize, row: usize| rows.column(at).as_primitive::<Int64Type>().value(row) as u64;
    for row in 0..rows.num_rows() {
        let of_agency = versions.entry(agencies.value(row)).or_default();
        let month = of_agency.entry(months.value(row) as u16).or_default();
        month.came += count(2, row);
        month.gaps += count(3, row);
    }
}
