//! From a Snapshot to released rows: tabulate every table of every indicator, protect them all together, derive shares and
//! rates from what was released.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use disclosure::truth::unprotected_counts;
use disclosure::{
    Coordinate, Head, Mark, Marked, Prepared, Released, Reporting, Room, Span, Table as CountedTable, TableQuery,
    Utility, Vault, tabulate,
};
use events::code_list::CodeList;
use policy::Policy;

use super::as_of::AsOf;
use super::calendar::{Calendar, EditionSource};
use super::derive;
use super::reports::Reports;
use super::rows::{Key, Row};
use super::{DIMENSIONS, EditionError};
use crate::indicator::{self, Indicator, Table, published_column, quarter_code, quarter_name};
use crate::snapshot::Source;

/// The rows of an edition, and what protection cost (for the house, not for publication).
pub struct ReleasedIndicators {
    /// Sorted by indicator, measure, time, dimensions.
    pub rows: Vec<Row>,
    /// True against released, over all tables and of each by name.
    pub utility: (Utility, BTreeMap<String, Utility>),
    /// What the joint audit did.
    pub audit: disclosure::AuditReport,
    /// Where the vault's memory stood before and after.
    pub ledger: [Head; 2],
}

/// A table with the indicator that it belongs to.
struct Asked {
    indicator: &'static Indicator,
    table: &'static Table,
    name: String,
}

/// Makes the rows of the edition of this number as of a date.
///
/// All of it is remembered by the vault before anything is returned.
pub fn release<S>(source: &S, vault: &Vault, as_of: NaiveDate, edition: i64) -> Result<ReleasedIndicators, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let (as_of, policy) = (AsOf::new(as_of)?, vault.policy());
    let asked = asked(policy);
    let calendar = Calendar::read(source, policy, as_of)?;
    let mut prepared = Rooms { days: as_of.days(), known: BTreeMap::new() };
    let mut tables = Vec::with_capacity(asked.len());
    for Asked { indicator, table, name } in &asked {
        let query = question(indicator, table, policy, as_of)?;
        let cells = tabulate(prepared.of(&table.dataset, source, vault)?, &query)?;
        let mut marks = marks(table, as_of);
        marks.extend(calendar.not_collected(indicator, table, &query, policy));
        tables.push(CountedTable { name: name.clone(), cells, marks });
    }
    let (released, ledger) = vault.release(tables, &as_of.span(edition))?;
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for (asked, table) in asked.iter().zip(&released.tables) {
        for row in rows_of(asked, table, policy)? {
            rows.insert(row.key.clone(), row);
        }
    }
    derive::shares_and_rates(&mut rows, policy);
    let rows = rows.into_values().collect();
    Ok(ReleasedIndicators { rows, utility: released.utility, audit: released.audit, ledger })
}

/// The tables of an edition of this date, in the order in which their grids are charged.
pub fn declared(policy: &Policy, as_of: NaiveDate) -> Result<(Vec<TableQuery>, Span), EditionError> {
    let as_of = AsOf::new(as_of)?;
    let tables = asked(policy).into_iter().map(|asked| question(asked.indicator, asked.table, policy, as_of));
    Ok((tables.collect::<Result<_, _>>()?, as_of.span(0)))
}

/// The Snapshot that an edition was made of, as questions see it: every dataset of the policy that has a mart, as of the
/// edition's date.
pub fn room(source: &Source<'_>, vault: &Vault, as_of: NaiveDate, edition: i64) -> Result<Room, EditionError> {
    let date = AsOf::new(as_of)?;
    let marts = source.snapshot().hashes();
    let mut rooms = Rooms { days: date.days(), known: BTreeMap::new() };
    let reporting = Some(Arc::new(Reports::read(source, vault.policy(), date)?) as Arc<dyn Reporting>);
    for dataset in vault.policy().datasets.iter().filter(|dataset| marts.contains_key(&dataset.name)) {
        rooms.of(&dataset.name, source, vault)?;
    }
    Ok(Room { reporting, ..Room::new(date.span(edition), rooms.known) })
}

/// The counts of every table before protection, for comparing with ground truth. **Never on the road to a reader**: callers are
/// tests, figures, and [`super::count`], which lets none of them out.
pub fn unprotected<S>(source: &S, vault: &Vault, as_of: NaiveDate) -> Result<Vec<(Key, u64)>, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let (as_of, policy) = (AsOf::new(as_of)?, vault.policy());
    let mut prepared = Rooms { days: as_of.days(), known: BTreeMap::new() };
    let mut counts = BTreeMap::new();
    for asked in asked(policy) {
        let query = question(asked.indicator, asked.table, policy, as_of)?;
        let cells = tabulate(prepared.of(&asked.table.dataset, source, vault)?, &query)?;
        let names = Names::of(&asked, policy)?;
        for cell in unprotected_counts(&cells) {
            if let Some(key) = names.key(&asked, &cell.at) {
                counts.insert(key, cell.count);
            }
        }
    }
    Ok(counts.into_iter().collect())
}

/// Every table whose dataset the policy has, with every column that the table names: a policy of one dataset publishes the
/// indicators of that dataset, and none of what it does not know.
fn asked(policy: &Policy) -> Vec<Asked> {
    let known = |table: &&Table| table.is_known(policy);
    let of = |indicator: &'static Indicator| {
        let tables = indicator.tables.iter().filter(known).enumerate();
        tables.map(move |(number, table)| Asked {
            indicator,
            table,
            name: format!("{}/{}/{number}", indicator.id, table.measure),
        })
    };
    indicator::all().iter().flat_map(of).collect()
}

fn question(
    indicator: &Indicator,
    table: &Table,
    policy: &Policy,
    as_of: AsOf,
) -> Result<disclosure::TableQuery, EditionError> {
    table
        .query(policy, as_of.years())
        .map(|query| without_future(query, as_of.quarter()))
        .map_err(|source| EditionError::Grid { indicator: indicator.id.clone(), source })
}

/// Quarters after `as_of` have no cells: a zero there would be a statement about the future.
fn without_future(mut query: disclosure::TableQuery, last: u16) -> disclosure::TableQuery {
    for dimension in query.by.iter_mut().filter(|dimension| dimension.name == "quarter") {
        let keep: Vec<bool> = dimension.codes.iter().map(|code| *code <= last || *code == u16::MAX).collect();
        let mut kept = keep.iter();
        dimension.codes.retain(|_| *kept.next().unwrap_or(&true));
        for up in &mut dimension.rolls_up {
            let mut kept = keep.iter();
            up.codes.retain(|_| *kept.next().unwrap_or(&true));
        }
    }
    query
}

/// Periods that are still open on `as_of`, or whose last facts may still change, are provisional.
fn marks(table: &Table, as_of: AsOf) -> Vec<Mark> {
    let as_of = as_of.date();
    let settled =
        as_of.checked_sub_days(Days::new(table.provisional_days.unwrap_or(0).unsigned_abs().into())).unwrap_or(as_of);
    // The first day whose facts are not settled lies in the first provisional period.
    let first_open = settled.succ_opt().unwrap_or(settled);
    let year = as_of.year() as u16;
    let codes: Vec<u16> = match table.by.first().map(String::as_str) {
        Some("year") => (first_open.year() as u16..=year).collect(),
        Some("quarter") => {
            let quarter = |date: NaiveDate| quarter_code(date.year() as u16, date.month0() as u16 / 3 + 1);
            (quarter(first_open)..=quarter(as_of)).collect()
        }
        _ => Vec::new(),
    };
    if codes.is_empty() {
        return Vec::new();
    }
    vec![Mark { status: Marked::Provisional, at: BTreeMap::from([(table.by[0].clone(), codes)]) }]
}

/// Datasets, each read once: what began on these days.
struct Rooms {
    days: RangeInclusive<i32>,
    known: BTreeMap<String, Prepared>,
}

impl Rooms {
    fn of<S>(&mut self, dataset: &str, source: &S, vault: &Vault) -> Result<&Prepared, EditionError>
    where
        S: EditionSource,
        S::Error: std::fmt::Display,
    {
        if !self.known.contains_key(dataset) {
            let rows =
                source.within(dataset, &self.days).map_err(|error| EditionError::Microdata(error.to_string()))?;
            self.known.insert(dataset.to_owned(), vault.prepare(rows)?);
        }
        Ok(&self.known[dataset])
    }
}

/// Names of a table's codes.
struct Names {
    lists: Vec<Option<&'static CodeList>>,
}

impl Names {
    fn of(asked: &Asked, policy: &Policy) -> Result<Self, EditionError> {
        let is_period = |name: &str| matches!(name, "year" | "quarter");
        let list = |name: &String| if is_period(name) { Ok(None) } else { asked.table.list(name, policy).map(Some) };
        let lists = asked.table.by.iter().map(list).collect::<Result<_, crate::indicator::GridError>>();
        Ok(Self {
            lists: lists.map_err(|source| EditionError::Grid { indicator: asked.indicator.id.clone(), source })?,
        })
    }

    /// The key of a cell in `published`; `None` for a part that is not published.
    fn key(&self, asked: &Asked, at: &[Coordinate]) -> Option<Key> {
        let applicable = asked.indicator.dimensions();
        let mut dimensions = DIMENSIONS.map(|name| if applicable.contains(&name) { "_T" } else { "_Z" }.to_owned());
        let mut time_period = "_T".to_owned();
        let mut measure = &asked.table.measure;
        for ((name, list), coordinate) in asked.table.by.iter().zip(&self.lists).zip(at) {
            let text = match (coordinate, list) {
                (Coordinate::Code(code), Some(list)) => list.codes[usize::from(*code)].code.to_owned(),
                (Coordinate::Code(code), None) if name == "year" => code.to_string(),
                (Coordinate::Code(code), None) => quarter_name(*code),
                (Coordinate::Total, _) => "_T".to_owned(),
                (Coordinate::Remainder, _) => "_R".to_owned(),
            };
            if let Some(parts) = asked.table.parts.as_ref().filter(|parts| parts.of == *name) {
                measure = if *coordinate == Coordinate::Total { measure } else { parts.measures.get(&text)? };
                continue;
            }
            match published_column(name).and_then(|column| DIMENSIONS.iter().position(|dimension| *dimension == column))
            {
                Some(position) => dimensions[position] = text,
                None => time_period = text,
            }
        }
        Some(Key { indicator: asked.indicator.id.clone(), measure: measure.clone(), time_period, dimensions })
    }
}

fn rows_of(asked: &Asked, table: &Released, policy: &Policy) -> Result<Vec<Row>, EditionError> {
    let names = Names::of(asked, policy)?;
    let unit = asked.indicator.unit.clone();
    Ok(table
        .cells()
        .iter()
        .filter_map(|cell| Some(Row { key: names.key(asked, &cell.at)?, figure: cell.figure, unit: unit.clone() }))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(by: &str, days: Option<i32>) -> Table {
        Table {
            measure: "m".into(),
            dataset: "services".into(),
            population: BTreeMap::new(),
            by: vec![by.into()],
            codes: BTreeMap::new(),
            total: BTreeMap::new(),
            parts: None,
            provisional_days: days,
        }
    }

    fn date(text: &str) -> AsOf {
        AsOf::new(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_an_edition_publishes_is_declared_so_that_publishing_costs_nothing_more() {
        let policy = Policy::default();
        let (tables, span) = declared(&policy, "2025-12-31".parse().unwrap()).unwrap();
        let prices = disclosure::prices(&policy, &tables, &span).unwrap();
        let undeclared: Vec<_> = prices.iter().filter(|price| price.indicator.is_none()).collect();
        assert!(undeclared.is_empty(), "{undeclared:#?}");
        assert!(prices.iter().all(|price| price.overdrawn().is_none()), "half of each counter is left for questions");
        assert!(policy.datasets.declared().len() >= 35);
    }

    #[test]
    fn a_period_that_has_ended_is_settled() {
        assert!(marks(&table("year", None), date("2025-12-31")).is_empty());
        assert!(marks(&table("quarter", None), date("2025-06-30")).is_empty());
    }

    #[test]
    fn an_open_period_is_provisional() {
        assert_eq!(marks(&table("year", None), date("2025-06-30"))[0].at["year"], [2025]);
        assert_eq!(marks(&table("quarter", None), date("2025-05-15"))[0].at["quarter"], [quarter_code(2025, 2)]);
    }

    #[test]
    fn referrals_of_the_last_thirty_days_make_their_year_provisional() {
        assert_eq!(marks(&table("year", Some(30)), date("2025-12-31"))[0].at["year"], [2025]);
        assert_eq!(marks(&table("year", Some(30)), date("2026-01-10"))[0].at["year"], [2025, 2026]);
    }

    #[test]
    fn an_outcome_after_twelve_months_is_provisional_until_twelve_months_have_passed() {
        assert_eq!(marks(&table("year", Some(365)), date("2025-12-31"))[0].at["year"], [2025]);
        assert_eq!(marks(&table("year", Some(365)), date("2025-12-30"))[0].at["year"], [2024, 2025]);
    }
}
