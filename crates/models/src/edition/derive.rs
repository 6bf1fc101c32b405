//! Shares and rates of released values: nothing here sees a true count, so nothing here can tell one.

use std::collections::BTreeMap;

use disclosure::{Figure, Term, rate, ratio};
use policy::Policy;

use super::DIMENSIONS;
use super::population::{CENSUS_YEAR, of_province};
use super::rows::{Key, Row};
use crate::indicator::{self, Indicator, Part, published_column};

/// Adds the rows of shares and rates to those of tables.
pub fn shares_and_rates(rows: &mut BTreeMap<Key, Row>, policy: &Policy) {
    let mut derived = Vec::new();
    for indicator in indicator::all() {
        for share in &indicator.shares {
            derived.extend(match &share.to {
                Some(to) => cell_by_cell(rows, indicator, &share.measure, &share.of, to),
                None => within(rows, indicator, &share.measure, &share.of),
            });
        }
        if let Some(rule) = indicator.rate.as_ref().filter(|rule| rule.is_of(policy)) {
            derived.extend(rates(rows, indicator, rule));
        }
    }
    rows.extend(derived.into_iter().map(|row| (row.key.clone(), row)));
}

/// The cells of a part: those of its indicator and measure that are totals over all dimensions but the part's own, and of the
/// part's kind of period.
fn cells<'r>(rows: &'r BTreeMap<Key, Row>, part: &'r Part) -> impl Iterator<Item = &'r Row> {
    let own: Vec<usize> = part.by.iter().filter_map(|name| position(name)).collect();
    let quarters = part.by.first().is_some_and(|period| period == "quarter");
    rows.values().filter(move |row| {
        let key = &row.key;
        let others_total =
            key.dimensions.iter().enumerate().all(|(at, code)| own.contains(&at) || code == "_T" || code == "_Z");
        key.indicator == part.indicator
            && key.measure == part.measure
            && others_total
            && quarters == is_quarter(&key.time_period)
    })
}

fn is_quarter(time_period: &str) -> bool {
    time_period.contains('Q') || time_period == "_X"
}

fn position(dimension: &str) -> Option<usize> {
    let column = published_column(dimension)?;
    DIMENSIONS.iter().position(|name| *name == column)
}

/// A cell of one measure over the same cell of another.
fn cell_by_cell(rows: &BTreeMap<Key, Row>, indicator: &Indicator, measure: &str, of: &Part, to: &Part) -> Vec<Row> {
    let below = |key: &Key| {
        cells(rows, to).find(|row| {
            row.key.time_period == key.time_period
                && of.by.iter().filter_map(|name| position(name)).all(|at| row.key.dimensions[at] == key.dimensions[at])
        })
    };
    let share = |row: &Row| {
        let whole = below(&row.key)?;
        Some(percent(indicator, measure, &row.key, &[Term::above(&row.figure), Term::below(&whole.figure)]))
    };
    cells(rows, of).filter_map(share).collect()
}

/// Codes of the last dimension over codes of the same dimension: a child among children and adults.
fn within(rows: &BTreeMap<Key, Row>, indicator: &Indicator, measure: &str, of: &Part) -> Vec<Row> {
    let Some(at) = of.by.last().and_then(|name| position(name)) else { return Vec::new() };
    let mut groups: BTreeMap<&str, BTreeMap<&str, &Row>> = BTreeMap::new();
    for row in cells(rows, of) {
        groups.entry(&row.key.time_period).or_default().insert(&row.key.dimensions[at], row);
    }
    let share = |group: &BTreeMap<&str, &Row>| {
        let codes: std::collections::BTreeSet<&String> = of.numerator.iter().chain(&of.denominator).collect();
        let terms: Option<Vec<Term<'_>>> = codes
            .into_iter()
            .map(|code| {
                let figure = &group.get(code.as_str())?.figure;
                Some(Term { figure, above: of.numerator.contains(code), below: of.denominator.contains(code) })
            })
            .collect();
        let total = group.get("_T")?;
        Some(percent(indicator, measure, &total.key, &terms?))
    };
    groups.values().filter_map(share).collect()
}

fn percent(indicator: &Indicator, measure: &str, key: &Key, terms: &[Term<'_>]) -> Row {
    row(indicator, measure, key, ratio(terms, 100), "percent")
}

/// A cell per so many of the population.
fn rates(rows: &BTreeMap<Key, Row>, indicator: &Indicator, rule: &indicator::Rate) -> Vec<Row> {
    let province = position("province").expect("province is a dimension");
    let rate_of = |cell: &Row| {
        let code = &cell.key.dimensions[province];
        let excluded = rule.not_collected.get("province").is_some_and(|codes| codes.contains(code));
        let figure = match of_province(code) {
            Some(population) if !excluded => of_its_year(rate(&cell.figure, population, rule.per as u32), &cell.key),
            _ => Figure::not_collected(),
        };
        row(indicator, &rule.measure, &cell.key, figure, &indicator.unit)
    };
    cells(rows, &rule.of).map(rate_of).collect()
}

/// The census stands in for the population of other years, until there is one: such rates are provisional (domain.md 7.1,
/// "other years labelled as such").
fn of_its_year(figure: Figure, key: &Key) -> Figure {
    if key.time_period == CENSUS_YEAR.to_string() { figure } else { figure.provisional() }
}

/// A row of another measure at the same place, with the dimensions that this indicator has.
fn row(indicator: &Indicator, measure: &str, at: &Key, figure: Figure, unit: &str) -> Row {
    let applicable = indicator.dimensions();
    let mut key = Key { indicator: indicator.id.clone(), measure: measure.to_owned(), ..at.clone() };
    for (name, code) in DIMENSIONS.iter().zip(&mut key.dimensions) {
        if !applicable.contains(name) {
            "_Z".clone_into(code);
        } else if code == "_Z" {
            "_T".clone_into(code);
        }
    }
    Row { key, figure, unit: unit.to_owned() }
}
