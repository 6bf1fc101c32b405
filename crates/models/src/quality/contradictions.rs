//! How often agencies say different things of the persons whom several of them know, so blurred that nobody is found by it.
//!
//! Whether a person is known to another agency is a secret of hers, and of a shelter's. So an agency hears a share of many persons,
//! in steps, of what was settled before the present quarter, and never how many persons it is a share of.
//!
//! Absent: which persons, which other agency, which value.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt16Type};
use events::calendar::karachi_midnight;
use events::feed::Contradiction;
use policy::{Keys, TimeLevel};

use crate::engine::{Engine, Rollups, Rows, Table};
use crate::error::ModelsError;
use crate::people::Facts;
use crate::sql::SqlSet;

/// The rules.
const SQL: (&str, &str) = ("quality/contradictions.sql", include_str!("../../../../sql/quality/contradictions.sql"));
/// Fewer persons than about so many are no share. As many as a hundredth of them are one.
const FEWEST: i64 = 100;
/// How far the number of persons is moved at most, up or down.
const BLUR: u64 = 10;
/// Steps of the share, percent.
const STEP: i64 = 10;
/// Columns that are compared, in the order of the SQL.
const FIELDS: [&str; 2] = ["sex", "citizenship"];
/// What it reads of states.
const RECORDS: [&str; 6] = ["person_id", "is_identification", "recorded_at", "agency", "sex", "citizenship"];
const PEOPLE: [&str; 2] = ["person_id", "into_id"];

/// By agency's number.
pub(super) type ByAgency = BTreeMap<u16, Vec<Contradiction>>;

/// Reads what was settled before the quarter of a day.
pub(super) async fn read(facts: &Facts<'_>, keys: &Keys, today: i32) -> Result<ByAgency, ModelsError> {
    let quarter = TimeLevel::Quarter.of_day(today);
    let until = TimeLevel::Quarter.days(quarter).map_or(0, |(from, _)| karachi_midnight(from));
    let records = facts.states.all("victim_records", &RECORDS).await?;
    let people = facts.states.all("people", &PEOPLE).await?;
    let (Some(records), Some(people)) = (table("victim_records", records), table("people", people)) else {
        return Ok(ByAgency::new());
    };
    let text = SQL.1.replace("<until>", &until.to_string());
    let sql = SqlSet::embedded().with_files([(SQL.0.to_owned(), text)]).plain(SQL.0)?;
    let plan = Engine::new(Rollups::new()).prepare(&[records.0, people.0], &[], &sql).await;
    let plan = plan.map_err(|source| ModelsError::Plan { path: SQL.0.to_owned(), source: Box::new(source) })?;
    let rows = HashMap::from([("victim_records".to_owned(), records.1), ("people".to_owned(), people.1)]);
    let found = plan.run(rows).await.map_err(ModelsError::Engine)?;
    Ok(found.iter().flat_map(|rows| blurred(rows, keys, quarter)).collect())
}

fn table(name: &str, rows: Vec<RecordBatch>) -> Option<(Table, Rows)> {
    let schema = rows.first()?.schema();
    Some((Table { name: name.to_owned(), schema, order: Vec::new() }, Rows::Batches(rows)))
}

/// The shares of each agency, as far as it hears of them.
fn blurred(rows: &RecordBatch, keys: &Keys, quarter: u16) -> Vec<(u16, Vec<Contradiction>)> {
    let agencies = rows.column(0).as_primitive::<UInt16Type>();
    let count = |at: usize, row: usize| rows.column(at).as_primitive::<Int64Type>().value(row);
    let mut out = Vec::new();
    for row in 0..rows.num_rows() {
        let (agency, persons) = (agencies.value(row), count(1, row));
        if persons + moved(keys, agency, quarter, "persons") < FEWEST {
            continue;
        }
        let share = |(at, field): (usize, &&'static str)| {
            let of = count(2 + at, row) + moved(keys, agency, quarter, field);
            let step = (of.max(0) * 100 / persons / STEP).min(100 / STEP - 1);
            let (from, to) = (step * STEP, (step + 1) * STEP);
            Contradiction { field: (*field).to_owned(), percent_from: from as u8, percent_to: to as u8 }
        };
        out.push((agency, FIELDS.iter().enumerate().map(share).collect()));
    }
    out
}

/// By how many persons a number is moved: the same for a quarter, so that asking again tells nothing more.
fn moved(keys: &Keys, agency: u16, quarter: u16, what: &str) -> i64 {
    let mut hasher = blake3::Hasher::new_keyed(&keys.noise);
    hasher
        .update(b"contradictions")
        .update(&agency.to_le_bytes())
        .update(&quarter.to_le_bytes())
        .update(what.as_bytes());
    let hash = hasher.finalize();
    let number = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"));
    (number % (2 * BLUR + 1)) as i64 - BLUR as i64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, UInt16Array};
    use policy::Master;

    use super::*;

    fn keys() -> Keys {
        Keys::derive(&Master::from_bytes([7; 32]))
    }

    fn heard(persons: i64, sex: i64) -> Vec<Contradiction> {
        let numbers = |value| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
        let agency: ArrayRef = Arc::new(UInt16Array::from(vec![0]));
        let columns =
            [("agency", agency), ("persons", numbers(persons)), ("sex", numbers(sex)), ("citizenship", numbers(0))];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        blurred(&rows, &keys(), 500).into_iter().flat_map(|(_, heard)| heard).collect()
    }

    #[test]
    fn of_few_persons_nothing_is_heard() {
        assert!(heard(80, 40).is_empty());
        assert_eq!(heard(1_000, 0).len(), 2);
    }

    #[test]
    fn one_person_more_or_less_is_not_heard_but_at_the_edge_of_a_step() {
        let steps: Vec<u8> = (0..=1_000).map(|sex| heard(1_000, sex)[0].percent_from).collect();
        let changes = steps.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 9);
        assert!(steps.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn where_a_step_begins_is_another_in_another_quarter_and_for_another_agency() {
        let moves = |agency, quarter| moved(&keys(), agency, quarter, "sex");
        let all: std::collections::BTreeSet<i64> = (0..40).map(|quarter| moves(0, quarter)).collect();
        assert!(all.len() > 5 && all.iter().all(|by| by.unsigned_abs() <= BLUR));
        assert_eq!(moves(0, 1), moves(0, 1));
        assert!((0..40).any(|agency| moves(agency, 1) != moves(0, 1)));
    }
}
