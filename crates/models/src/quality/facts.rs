//! What an agency's facts say: how many there are, of how many each field is known, and how soon they were recorded. The rules are
//! `sql/quality/facts.sql`, run once for each type of `sql/quality/fields.yml`, over staged rows, bucket by bucket.
//!
//! Absent: other agencies' facts of the same persons (see `contradictions`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, UInt16Type};
use events::{EventType, code_list};
use policy::TimeLevel;

use super::Histogram;
use crate::edition::Spoken;
use crate::engine::{Engine, Prepared, Rollups, Table};
use crate::error::ModelsError;
use crate::graph::{Staged, family_of};
use crate::model::{Layer, Model, models};
use crate::people::Facts;
use crate::snapshot::Report;
use crate::sql::{SqlError, SqlSet};
use crate::stage::{self, Family, ORDER, fact_code};

/// The rules, and the fields of each type.
const FACTS: (&str, &str) = ("quality/facts.sql", include_str!("../../../../sql/quality/facts.sql"));
const SPOKE: (&str, &str) = ("quality/spoke.sql", include_str!("../../../../sql/quality/spoke.sql"));
const FIELDS: (&str, &str) = ("quality/fields.yml", include_str!("../../../../sql/quality/fields.yml"));
/// Columns of `facts.sql` before those of the fields.
const BEFORE: usize = 4;

/// What an agency said by one type of event in one month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Facts.
    pub facts: u64,
    /// Of how many a field is known.
    pub known: BTreeMap<String, u64>,
    /// Facts by days from what happened to its record.
    pub days: Histogram,
}

/// By agency's number, type and month of the record.
pub(super) type ByAgency = BTreeMap<u16, BTreeMap<EventType, BTreeMap<u16, Said>>>;

/// A type of event and its fields, each with its list.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Watched {
    reads: String,
    fields: BTreeMap<String, String>,
}

/// Reads what facts say that were recorded since a month began.
pub(super) async fn read(facts: &Facts<'_>, first: u16) -> Result<ByAgency, ModelsError> {
    let since = TimeLevel::Month.days(first).map_or(0, |(day, _)| events::calendar::karachi_midnight(day));
    let (views, staged) = (views()?, Staged { layers: facts.staged.clone() });
    let mut said = ByAgency::new();
    for (kind, watched) in watched()? {
        let view = find(&views, &watched.reads)?;
        let family = family_of(view)?;
        let sql = filled(
            FACTS,
            &[
                ("table", view.table.clone()),
                ("fact", fact_code(kind).to_string()),
                ("since", since.to_string()),
                ("place", place(family)),
                ("states", each(&watched, |field, _| format!("{{{{state {field}}}}} AS {field}"))),
                (
                    "counts",
                    each(&watched, |field, list| format!("count(*) FILTER (WHERE {}) AS {field}", known(field, list))),
                ),
            ],
        )?;
        let plan = planned(FACTS.0, view, family, &sql).await?;
        for bucket in 0..staged.layers.buckets() {
            for rows in run(&plan, &staged, family, bucket).await? {
                note(&mut said, kind, &watched, &rows);
            }
        }
    }
    Ok(said)
}

/// When the agencies of a reporting calendar spoke of what is expected of them, by kind of report.
pub(super) async fn spoke(facts: &Facts<'_>, lines: &[Report]) -> Result<Vec<Spoken>, ModelsError> {
    let (views, staged) = (views()?, Staged { layers: facts.staged.clone() });
    let first = lines.iter().map(|line| line.from).min().unwrap_or(i32::MAX);
    let mut spans = BTreeSet::new();
    for kind in lines.iter().map(|line| line.kind).collect::<BTreeSet<_>>() {
        // The calendar calls what is reported by the name of its family.
        let Some(family) = Family::named(code_list::list("report_kind").text(kind)) else { continue };
        let reads = format!("staged_{}", family.name);
        let view = views.iter().find(|view| view.reads.iter().any(|read| read.table == reads));
        let view = view.ok_or_else(|| ModelsError::NoTable(reads.clone()))?;
        let sql = filled(SPOKE, &[("table", view.table.clone()), ("since", date(first))])?;
        let plan = planned(SPOKE.0, view, family, &sql).await?;
        for bucket in 0..staged.layers.buckets() {
            for rows in run(&plan, &staged, family, bucket).await? {
                let (agencies, from, to) = (codes(&rows, 0), days(&rows, 1), days(&rows, 2));
                let span = |row| Spoken { agency: agencies.value(row), kind, from: from.value(row), to: to.value(row) };
                spans.extend((0..rows.num_rows()).map(span));
            }
        }
    }
    Ok(spans.into_iter().collect())
}

/// Adds rows of `facts.sql` of a type.
fn note(said: &mut ByAgency, kind: EventType, watched: &Watched, rows: &RecordBatch) {
    let (agencies, facts) = (codes(rows, 0), rows.column(3).as_primitive::<Int64Type>());
    let numbers = |at: usize| rows.column(at).as_primitive::<Int32Type>();
    let (months, days) = (numbers(1), numbers(2));
    for row in 0..rows.num_rows() {
        let of_type = said.entry(agencies.value(row)).or_default().entry(kind).or_default();
        let said = of_type.entry(months.value(row) as u16).or_default();
        let count = facts.value(row) as u64;
        said.facts += count;
        for (at, field) in watched.fields.keys().enumerate() {
            let known = rows.column(BEFORE + at).as_primitive::<Int64Type>().value(row) as u64;
            *said.known.entry(field.clone()).or_default() += known;
        }
        if days.is_valid(row) {
            *said.days.entry(days.value(row) as u16).or_default() += count;
        }
    }
}

fn codes(rows: &RecordBatch, at: usize) -> &arrow::array::PrimitiveArray<UInt16Type> {
    rows.column(at).as_primitive::<UInt16Type>()
}

fn days(rows: &RecordBatch, at: usize) -> &arrow::array::PrimitiveArray<Date32Type> {
    rows.column(at).as_primitive::<Date32Type>()
}

/// The types of `fields.yml`.
fn watched() -> Result<BTreeMap<EventType, Watched>, ModelsError> {
    let wrong = |source| SqlError::Yaml { file: FIELDS.0.to_owned(), source };
    let by_name: BTreeMap<String, Watched> = serde_norway::from_str(FIELDS.1).map_err(wrong)?;
    let named = |(name, watched): (String, Watched)| {
        let kind = EventType::from_name(&format!("pk.tip.{name}"));
        kind.map(|kind| (kind, watched)).ok_or_else(|| word(FIELDS.0, &name))
    };
    by_name.into_iter().map(named).collect()
}

fn word(file: &str, word: &str) -> ModelsError {
    SqlError::Word { file: file.to_owned(), word: word.to_owned() }.into()
}

/// The views over staged rows.
fn views() -> Result<Vec<Model>, ModelsError> {
    Ok(models(&SqlSet::embedded())?.into_iter().filter(|model| model.layer == Layer::Staging).collect())
}

fn find<'a>(views: &'a [Model], table: &str) -> Result<&'a Model, ModelsError> {
    views.iter().find(|view| view.table == table).ok_or_else(|| ModelsError::NoTable(table.to_owned()))
}

/// The columns that name a fact: those by which staged rows are sorted, down to the place that its corrections share.
fn place(family: &Family) -> String {
    let own = stage::order(family);
    let to = own.iter().position(|column| column == ORDER[4]).map_or(own.len(), |at| at + 1);
    own[..to].join(", ")
}

fn each(watched: &Watched, text: impl Fn(&str, &str) -> String) -> String {
    let texts: Vec<String> = watched.fields.iter().map(|(field, list)| text(field, list)).collect();
    texts.join(",\n")
}

/// What holds where a field is known.
fn known(field: &str, list: &str) -> String {
    match code_list::find(list) {
        Some(list) if list.multi => format!("{field} <> {}", 1_i64 << list.unknown()),
        Some(list) => format!("{field} <> {}", list.unknown()),
        None => format!("{field} IS NOT NULL"),
    }
}

fn date(day: i32) -> String {
    format!("'{}'", policy::time::date_text(day))
}

/// A file of `sql/quality/` with what stands in angle brackets, as plain SQL.
pub(super) fn filled((path, text): (&str, &str), with: &[(&str, String)]) -> Result<String, ModelsError> {
    let put = |text: String, (name, value): &(&str, String)| text.replace(&format!("<{name}>"), value);
    let text = with.iter().fold(text.to_owned(), put);
    Ok(SqlSet::embedded().with_files([(path.to_owned(), text)]).plain(path)?)
}

async fn planned(path: &str, view: &Model, family: &Family, sql: &str) -> Result<Prepared, ModelsError> {
    let name = format!("staged_{}", family.name);
    let table = Table { name, schema: stage::schema(family), order: stage::order(family) };
    let plan = Engine::new(Rollups::new()).prepare(&[table], &[(view.table.clone(), view.sql.clone())], sql).await;
    plan.map_err(|source| ModelsError::Plan { path: path.to_owned(), source: Box::new(source) })
}

async fn run(
    plan: &Prepared,
    staged: &Staged,
    family: &Family,
    bucket: usize,
) -> Result<Vec<RecordBatch>, ModelsError> {
    let Some(rows) = staged.rows(family, bucket).await? else { return Ok(Vec::new()) };
    plan.run(HashMap::from([(format!("staged_{}", family.name), rows)])).await.map_err(ModelsError::Engine)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Stands for the list of a field of which whatever is said is known.
    const ANY: &str = "any";

    #[test]
    fn every_field_is_a_column_of_its_type_and_every_list_is_there() {
        let views = views().unwrap();
        let all = watched().unwrap();
        assert!(all.len() > 10);
        for (kind, watched) in all {
            let view = find(&views, &watched.reads).unwrap();
            let family = family_of(view).unwrap();
            assert!(family.facts.contains(&kind), "{}", kind.name());
            for (field, list) in &watched.fields {
                assert!(stage::schema(family).index_of(field).is_ok(), "{} {field}", kind.name());
                assert!(list == ANY || code_list::find(list).is_some(), "{} {field}", kind.name());
            }
        }
    }

    #[test]
    fn what_a_list_calls_unknown_is_not_known() {
        let unknown = code_list::list("sex").unknown();
        assert_eq!(known("sex", "sex"), format!("sex <> {unknown}"));
        assert_eq!(known("means", "means"), format!("means <> {}", 1_i64 << code_list::list("means").unknown()));
        assert_eq!(known("case_id", ANY), "case_id IS NOT NULL");
    }
}
