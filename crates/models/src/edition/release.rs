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
use policy::Policy;

use super::as_of::AsOf;
use super::calendar::{Calendar, EditionSource};
use super::population::Populations;
use super::reports::Reports;
use super::revisions::{self, Earlier};
use super::rows::{Key, Row};
use super::{DIMENSIONS, EditionError};
use super::{derive, fiscal};
use crate::indicator::{self, Indicator, Table, published_column, quarter_code};
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

impl ReleasedIndicators {
    /// Adds how what was published before was revised since (Q04).
    pub fn compare(&mut self, history: &[Earlier], as_of: NaiveDate) {
        let changes = revisions::rows(history, &Earlier::of(&self.rows, as_of));
        self.rows.extend(changes);
        self.rows.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

/// A table with the indicator that it belongs to.
struct Asked {
    indicator: &'static Indicator,
    table: &'static Table,
    name: String,
}

impl Asked {
    /// What one of its values is: of the table, where it measures something else than its indicator.
    fn unit(&self) -> &'static str {
        self.table.unit.as_deref().unwrap_or(&self.indicator.unit)
    }
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
        let mut marks = marks(table, &query, as_of);
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
    fiscal::add(&mut rows, as_of);
    let reference = source.reference().map_err(|error| EditionError::Microdata(error.to_string()))?;
    derive::shares_and_rates(&mut rows, policy, &Populations::of(&reference.counts));
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
        for cell in unprotected_counts(&cells) {
            if let Some(key) = key(&asked, &cell.at, policy)? {
                counts.insert(key, cell.count);
            }
        }
    }
    Ok(counts.into_iter().collect())
}

/// Every table whose dataset and levels the policy has: a policy of one dataset publishes the indicators of that dataset. In the order of
/// the grids that the policy declares, so that of two sets that are near each other the same one answers whatever is published
/// beside them; exact tables, which need none, stand behind.
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
    let mut asked: Vec<Asked> = indicator::all().iter().flat_map(of).collect();
    asked.sort_by_key(|asked| rank(asked.table, policy));
    asked
}

/// Where the table's grid stands among the declared ones.
fn rank(table: &Table, policy: &Policy) -> usize {
    let declared = policy.datasets.declared();
    let is_it = |grid: &policy::ChargedGrid| {
        grid.dataset == table.dataset
            && grid.by == table.by
            && grid.sum == table.sum
            && table.population(policy).is_ok_and(|population| population == grid.population)
    };
    declared.iter().position(is_it).unwrap_or(declared.len())
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

/// Periods that are still open on `as_of`, or whose last facts may still change, are provisional. What may change of a part (who was
/// served) leaves the whole settled: it may be the number of another table, and one number has one status.
fn marks(table: &Table, query: &TableQuery, as_of: AsOf) -> Vec<Mark> {
    let settling = table.provisional_days.map(|days| Days::new(days.unsigned_abs().into()));
    let settling = settling.and_then(|days| provisional(table, as_of, days)).map(|mut mark| {
        let part = table.parts.as_ref().and_then(|parts| query.by.iter().find(|by| by.name == parts.of));
        mark.at.extend(part.map(|part| (part.name.clone(), part.codes.clone())));
        mark
    });
    provisional(table, as_of, Days::new(0)).into_iter().chain(settling).collect()
}

/// The periods of which not all was settled so many days before.
fn provisional(table: &Table, as_of: AsOf, days: Days) -> Option<Mark> {
    let as_of = as_of.date();
    let settled = as_of.checked_sub_days(days).unwrap_or(as_of);
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
    let at = BTreeMap::from([(table.by.first()?.clone(), codes)]);
    at.values().all(|codes| !codes.is_empty()).then_some(Mark { status: Marked::Provisional, at })
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

/// The key of a cell in `published`; `None` for a part that is not published.
fn key(asked: &Asked, at: &[Coordinate], policy: &Policy) -> Result<Option<Key>, EditionError> {
    let Asked { indicator, table, .. } = asked;
    let applicable = indicator.dimensions();
    let mut dimensions = DIMENSIONS.map(|name| if applicable.contains(&name) { "_T" } else { "_Z" }.to_owned());
    let mut time_period = "_T".to_owned();
    let mut measure = &table.measure;
    for (name, coordinate) in table.by.iter().zip(at) {
        let text = match coordinate {
            Coordinate::Code(code) => table
                .code_text(name, *code, policy)
                .map_err(|source| EditionError::Grid { indicator: indicator.id.clone(), source })?,
            Coordinate::Total => "_T".to_owned(),
            Coordinate::Remainder => "_R".to_owned(),
        };
        if let Some(parts) = table.parts.as_ref().filter(|parts| parts.of == *name) {
            if *coordinate != Coordinate::Total {
                let Some(part) = parts.measures.get(&text) else { return Ok(None) };
                measure = part;
            }
            continue;
        }
        match published_column(name).and_then(|column| DIMENSIONS.iter().position(|dimension| *dimension == column)) {
            Some(position) => dimensions[position] = text,
            None => time_period = text,
        }
    }
    Ok(Some(Key { indicator: indicator.id.clone(), measure: measure.clone(), time_period, dimensions }))
}

fn rows_of(asked: &Asked, table: &Released, policy: &Policy) -> Result<Vec<Row>, EditionError> {
    let mut rows = Vec::with_capacity(table.cells().len());
    for cell in table.cells() {
        if let Some(key) = key(asked, &cell.at, policy)? {
            rows.push(Row { key, figure: cell.figure, unit: asked.unit().to_owned() });
        }
    }
    Ok(rows)
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
            sum: None,
            unit: None,
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

    /// The codes of periods that are marked, whatever the part.
    fn open(table: &Table, as_of: &str) -> Vec<u16> {
        let marks = marks(table, &nothing(), date(as_of));
        let mut codes: Vec<u16> = marks.iter().flat_map(|mark| mark.at[&table.by[0]].clone()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn nothing() -> TableQuery {
        let measure = disclosure::Measure::Units;
        TableQuery { dataset: "services".into(), measure, population: BTreeMap::new(), by: Vec::new() }
    }

    #[test]
    fn what_may_still_change_of_a_part_leaves_the_whole_settled() {
        let policy = Policy::default();
        let marks_of = |id: &str, as_of: &str| {
            let indicator = indicator::all().iter().find(|indicator| indicator.id == id).unwrap();
            let as_of = date(as_of);
            let query = question(indicator, &indicator.tables[0], &policy, as_of).unwrap();
            marks(&indicator.tables[0], &query, as_of)
        };
        let again = marks_of("V12", "2025-12-31");
        assert!(again.iter().all(|mark| mark.at.len() == 2), "those identified again, and not all victims: {again:?}");
        assert_eq!(marks_of("V12", "2025-06-30").iter().filter(|mark| mark.at.len() == 1).count(), 1, "a year goes on");
    }

    #[test]
    fn a_period_that_has_ended_is_settled() {
        assert!(open(&table("year", None), "2025-12-31").is_empty());
        assert!(open(&table("quarter", None), "2025-06-30").is_empty());
    }

    #[test]
    fn an_open_period_is_provisional() {
        assert_eq!(open(&table("year", None), "2025-06-30"), [2025]);
        assert_eq!(open(&table("quarter", None), "2025-05-15"), [quarter_code(2025, 2)]);
    }

    #[test]
    fn referrals_of_the_last_thirty_days_make_their_year_provisional() {
        assert_eq!(open(&table("year", Some(30)), "2025-12-31"), [2025]);
        assert_eq!(open(&table("year", Some(30)), "2026-01-10"), [2025, 2026]);
    }

    #[test]
    fn an_outcome_after_twelve_months_is_provisional_until_twelve_months_have_passed() {
        assert_eq!(open(&table("year", Some(365)), "2025-12-31"), [2025]);
        assert_eq!(open(&table("year", Some(365)), "2025-12-30"), [2024, 2025]);
    }
}
