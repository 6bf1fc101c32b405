//! Shares, quantiles and rates of released values: nothing here sees a true count, so nothing here can tell one.

use std::collections::BTreeMap;

use disclosure::{Amount, Figure, Term, complement, quantile, rate, ratio};
use policy::{MeasureColumn, Policy, Profile, Resolved};

use super::DIMENSIONS;
use super::population::{InYear, Populations};
use super::rows::{Key, Row};
use crate::indicator::{self, Band, Indicator, Part, Quantiles, Share, published_column};
use crate::reference::Count;

/// Adds the rows of shares, quantiles and rates to those of tables.
pub fn shares_and_rates(rows: &mut BTreeMap<Key, Row>, policy: &Policy, populations: &Populations) {
    let mut derived = Vec::new();
    for indicator in indicator::all() {
        for share in &indicator.shares {
            derived.extend(match &share.to {
                Some(to) => cell_by_cell(rows, indicator, share, to),
                None => within(rows, indicator, share),
            });
        }
        for rule in &indicator.quantiles {
            derived.extend(quantiles(rows, indicator, rule, policy));
        }
        if let Some(rule) = indicator.rate.as_ref().filter(|rule| rule.is_of(policy)) {
            derived.extend(rates(rows, indicator, rule, populations));
        }
    }
    rows.extend(derived.into_iter().map(|row| (row.key.clone(), row)));
}

/// The cells of a part: those of its indicator and measure that are totals over all dimensions but the part's own, and of the
/// part's kind of period. Fiscal years go with the quarters that they are made of.
fn cells<'r>(rows: &'r BTreeMap<Key, Row>, part: &'r Part) -> impl Iterator<Item = &'r Row> {
    let own: Vec<usize> = part.by.iter().filter_map(|name| position(name)).collect();
    let quarters = part.by.first().is_some_and(|period| period == "quarter");
    of_measure(rows, &part.indicator, &part.measure).filter(move |row| {
        let key = &row.key;
        let others_total =
            key.dimensions.iter().enumerate().all(|(at, code)| own.contains(&at) || code == "_T" || code == "_Z");
        others_total && quarters != is_year(&key.time_period)
    })
}

/// The rows of a measure: they lie side by side, so that nothing else is looked at.
fn of_measure<'r>(rows: &'r BTreeMap<Key, Row>, indicator: &'r str, measure: &'r str) -> impl Iterator<Item = &'r Row> {
    let first = Key {
        indicator: indicator.to_owned(),
        measure: measure.to_owned(),
        time_period: String::new(),
        dimensions: DIMENSIONS.map(|_| String::new()),
    };
    let is_of = move |row: &&Row| row.key.indicator == indicator && row.key.measure == measure;
    rows.range(first..).map(|(_, row)| row).take_while(is_of)
}

fn is_year(time_period: &str) -> bool {
    time_period.bytes().all(|byte| byte.is_ascii_digit())
}

fn position(dimension: &str) -> Option<usize> {
    let column = published_column(dimension)?;
    DIMENSIONS.iter().position(|name| *name == column)
}

/// A cell of one measure over the same cell of another.
fn cell_by_cell(rows: &BTreeMap<Key, Row>, indicator: &Indicator, share: &Share, to: &Part) -> Vec<Row> {
    let split: Vec<usize> = share.of.by.iter().filter_map(|name| position(name)).collect();
    let place = |row: &Row| {
        let codes = split.iter().map(|at| row.key.dimensions[*at].clone());
        (row.key.time_period.clone(), codes.collect::<Vec<_>>())
    };
    let mut wholes: BTreeMap<_, &Row> = BTreeMap::new();
    for row in cells(rows, to) {
        wholes.entry(place(row)).or_insert(row);
    }
    let percent = |row: &Row| {
        let whole = wholes.get(&place(row))?;
        Some(percent(indicator, share, &row.key, &[Term::above(&row.figure), Term::below(&whole.figure)]))
    };
    cells(rows, &share.of).filter_map(percent).collect()
}

/// Codes of the last dimension over codes of the same dimension: a child among children and adults.
fn within(rows: &BTreeMap<Key, Row>, indicator: &Indicator, share: &Share) -> Vec<Row> {
    let of = &share.of;
    let percent = |group: &Group<'_>| {
        let codes: std::collections::BTreeSet<&String> = of.numerator.iter().chain(&of.denominator).collect();
        let terms: Option<Vec<Term<'_>>> = codes
            .into_iter()
            .map(|code| {
                let figure = &group.get(code.as_str())?.figure;
                Some(Term { figure, above: of.numerator.contains(code), below: of.denominator.contains(code) })
            })
            .collect();
        let any = group.values().next()?;
        Some(percent(indicator, share, &total_of(&any.key, of), &terms?))
    };
    by_last(rows, of).values().filter_map(percent).collect()
}

/// Cells by their code in the last dimension of a part.
type Group<'r> = BTreeMap<&'r str, &'r Row>;

/// The cells of a part in groups that differ in its last dimension alone, by period and the other codes.
fn by_last<'r>(rows: &'r BTreeMap<Key, Row>, part: &'r Part) -> BTreeMap<Key, Group<'r>> {
    let Some(at) = part.by.last().and_then(|name| position(name)) else { return BTreeMap::new() };
    let mut groups: BTreeMap<Key, Group<'r>> = BTreeMap::new();
    for row in cells(rows, part) {
        groups.entry(total_of(&row.key, part)).or_default().insert(&row.key.dimensions[at], row);
    }
    groups
}

/// The place of a group: the total over the last dimension of its part.
fn total_of(key: &Key, part: &Part) -> Key {
    let mut key = key.clone();
    if let Some(at) = part.by.last().and_then(|name| position(name)) {
        "_T".clone_into(&mut key.dimensions[at]);
    }
    key
}

fn percent(indicator: &Indicator, share: &Share, key: &Key, terms: &[Term<'_>]) -> Row {
    let figure = ratio(terms, 100);
    let figure = if share.complement { complement(&figure, 100) } else { figure };
    let mut row = row(indicator, &share.measure, key, figure, "percent");
    for (name, code) in &share.at {
        if let Some(at) = position(name) {
            row.key.dimensions[at].clone_from(code);
        }
    }
    row
}

/// Quantiles of a measure in each group of cells by its bands. Those of unknown value are not in the histogram.
fn quantiles(rows: &BTreeMap<Key, Row>, indicator: &Indicator, rule: &Quantiles, policy: &Policy) -> Vec<Row> {
    let Some((measure, floor)) = banded(&rule.of, policy) else { return Vec::new() };
    let edges: Vec<(String, i64, i64)> =
        Band::edges(measure).filter(|(code, ..)| !rule.without.contains(code)).collect();
    let of_group = |(key, group): (Key, Group<'_>)| {
        let bins: Vec<(i64, i64, Option<&Figure>)> = edges
            .iter()
            .map(|(code, low, high)| (*low, *high, group.get(code.as_str()).map(|row| &row.figure)))
            .collect();
        let of = |(percent, name): (&u8, &String)| {
            let figure = quantile(bins.iter().copied(), floor, i128::from(*percent) * Amount::ONE / 100);
            row(indicator, name, &key, figure, &rule.unit)
        };
        rule.measures.iter().map(of).collect::<Vec<_>>()
    };
    by_last(rows, &rule.of).into_iter().flat_map(of_group).collect()
}

/// The measure by whose bands the cells of a part are counted, and the floor on its units.
fn banded<'p>(part: &Part, policy: &'p Policy) -> Option<(&'p MeasureColumn, u64)> {
    let band = part.by.last()?;
    let of = indicator::all().iter().find(|indicator| indicator.id == part.indicator)?;
    let table = of.tables.iter().find(|table| table.measure == part.measure && table.by.contains(band))?;
    let dataset = policy.datasets.get(&table.dataset)?;
    let Some(Resolved::Band(measure)) = dataset.resolve(band) else { return None };
    let population = table.population(policy).ok()?;
    let profiles = population.iter().flat_map(|(name, codes)| codes.iter().map(|code| dataset.profile_of(name, *code)));
    Some((measure, dataset.floor(profiles.max().unwrap_or(Profile::Std))))
}

/// A cell per so many of the population of its year.
fn rates(
    rows: &BTreeMap<Key, Row>,
    indicator: &Indicator,
    rule: &indicator::Rate,
    populations: &Populations,
) -> Vec<Row> {
    let province = position("province").expect("province is a dimension");
    let rate_of = |cell: &Row| {
        let code = &cell.key.dimensions[province];
        let excluded = rule.not_collected.get("province").is_some_and(|codes| codes.contains(code));
        let figure = match in_year(populations, code, &cell.key.time_period) {
            Some(population) if !excluded => per_so_many(&cell.figure, &population, rule.per as u32),
            _ => Figure::not_collected(),
        };
        row(indicator, &rule.measure, &cell.key, figure, &indicator.unit)
    };
    cells(rows, &rule.of).map(rate_of).collect()
}

/// The population of a province, or of the nation, in a year.
fn in_year(populations: &Populations, province: &str, year: &str) -> Option<InYear> {
    populations.in_year(if province == "_T" { Count::NATION } else { province }, year.parse().ok()?)
}

/// Of a year without a census the population is reckoned, and so the rate is provisional (domain.md 7.1, "other years labelled as
/// such").
fn per_so_many(figure: &Figure, population: &InYear, per: u32) -> Figure {
    let rate = rate(figure, population.persons.unsigned_abs(), per);
    if population.found.is_census() { rate } else { rate.provisional() }
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

#[cfg(test)]
mod tests {
    use disclosure::{Told, change};

    use super::*;

    /// An exact number. A figure is made by the vault or of other figures: the change of a hundred is as good as any.
    fn exact(number: i128) -> Figure {
        let told = |value: i128| Told { micros: Some(value * Amount::ONE) };
        change(told(100), Some(told(100 + number)))
    }

    /// A cell of an indicator's measure in a year, at these codes and else at the total.
    fn cell(id: &str, measure: &str, year: &str, codes: &[(&str, &str)], number: i128) -> Row {
        let indicator = indicator::all().iter().find(|known| known.id == id).unwrap();
        let applicable = indicator.dimensions();
        let mut dimensions = DIMENSIONS.map(|name| if applicable.contains(&name) { "_T" } else { "_Z" }.to_owned());
        for (name, code) in codes {
            (*code).clone_into(&mut dimensions[position(name).unwrap()]);
        }
        let (measure, time_period) = (measure.to_owned(), year.to_owned());
        Row {
            key: Key { indicator: id.to_owned(), measure, time_period, dimensions },
            figure: exact(number),
            unit: "person".to_owned(),
        }
    }

    /// What is derived of these cells: values by indicator, measure and the codes that are no totals.
    fn derived(cells: Vec<Row>) -> BTreeMap<(String, String, String), String> {
        let mut rows: BTreeMap<Key, Row> = cells.into_iter().map(|row| (row.key.clone(), row)).collect();
        let counted: Vec<Key> = rows.keys().cloned().collect();
        let reference = crate::reference::Reference::built_in();
        shares_and_rates(&mut rows, &Policy::default(), &Populations::of(&reference.counts));
        rows.retain(|key, _| !counted.contains(key));
        let told = |row: Row| {
            let codes: Vec<String> =
                row.key.dimensions.into_iter().filter(|code| !matches!(code.as_str(), "_T" | "_Z")).collect();
            let value = row.figure.value().map_or_else(|| "none".to_owned(), |value| value.to_string());
            ((row.key.indicator, row.key.measure, codes.join(" ")), value)
        };
        rows.into_values().map(told).collect()
    }

    fn at<'m>(derived: &'m BTreeMap<(String, String, String), String>, id: &str, measure: &str, code: &str) -> &'m str {
        &derived[&(id.to_owned(), measure.to_owned(), code.to_owned())]
    }

    /// Indicators: V02, V04, Q02.
    #[test]
    fn children_rates_and_known_fields_are_worked_out_by_hand() {
        let victims = |codes: &[(&str, &str)], number| cell("V01", "victims", "2023", codes, number);
        let derived = derived(vec![
            victims(&[], 1_000),
            victims(&[("province", "PK-IS")], 100),
            victims(&[("age_group", "child")], 300),
            victims(&[("age_group", "adult")], 600),
            victims(&[("age_group", "_X")], 100),
            victims(&[("sex", "_X")], 50),
        ]);
        // 300 of 900 of known age; 300 and 400 of a thousand.
        assert_eq!(at(&derived, "V04", "child_share", ""), "33.3333");
        assert_eq!(at(&derived, "V04", "child_share_lower_bound", ""), "30");
        assert_eq!(at(&derived, "V04", "child_share_upper_bound", ""), "40");
        // 1,000 of 241,499,431 and 100 of 2,363,863.
        assert_eq!(at(&derived, "V02", "victims_per_100000", ""), "0.414079");
        assert_eq!(at(&derived, "V02", "victims_per_100000", "PK-IS"), "4.230363");
        // 50 of a thousand are of unknown sex, a hundred of unknown age.
        assert_eq!(at(&derived, "Q02", "completeness", "sex"), "95");
        assert_eq!(at(&derived, "Q02", "completeness", "age_group"), "90");
        assert!(
            !derived.keys().any(|(id, _, code)| id == "Q02" && code == "means"),
            "a table that is not there tells nothing"
        );
    }

    /// Indicators: V02. Of 225,754,250 people in 2020 and of 249,805,122 in 2024, both on 1 July, a thousand each; of 2023 those of the
    /// census.
    #[test]
    fn a_rate_is_of_the_population_of_its_year_and_says_where_nobody_counted() {
        let rate_of = |year: &str| {
            let cells = [cell("V01", "victims", year, &[], 1_000)];
            let mut rows: BTreeMap<Key, Row> = cells.into_iter().map(|row| (row.key.clone(), row)).collect();
            let reference = crate::reference::Reference::built_in();
            shares_and_rates(&mut rows, &Policy::default(), &Populations::of(&reference.counts));
            let rate = rows.into_values().find(|row| row.key.indicator == "V02").unwrap();
            (rate.figure.value().map(|value| value.to_string()), rate.figure.obs_status().code())
        };
        let told = |value: &str, status| (Some(value.to_owned()), status);
        assert_eq!(rate_of("2020"), told("0.442959", "P"));
        assert_eq!(rate_of("2023"), told("0.414079", "A"));
        assert_eq!(rate_of("2024"), told("0.400312", "P"));
        assert_eq!(rate_of("2029"), (None, "L"), "too long after the last census");
    }

    /// Indicators: C08.
    #[test]
    fn quartiles_of_months_are_those_of_who_was_imprisoned() {
        let persons =
            |band: &str, number| cell("C08", "persons_by_months_of_imprisonment", "2023", &[("band", band)], number);
        // Of 400 imprisoned a hundred for 6 to 11 months, two hundred for 12 to 23, a hundred for 24 to 35; fifty were not.
        let few = ["1-5", "36-59", "60-83", "84-119", "120-167", "168-239", "240_or_more"].map(|band| persons(band, 0));
        let mut cells = vec![persons("0", 50), persons("6-11", 100), persons("12-23", 200), persons("24-35", 100)];
        cells.extend(few);
        let derived = derived(cells);
        let months = |measure: &str| at(&derived, "C08", measure, "").to_owned();
        assert_eq!(months("lower_quartile_of_months"), "12");
        assert_eq!(months("median_months_of_imprisonment"), "18");
        assert_eq!(months("upper_quartile_of_months"), "24");
    }
}
