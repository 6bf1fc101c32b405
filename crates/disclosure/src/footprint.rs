//! Which blocks a question or a cell can touch, and which grid it stands on: from the question alone, never from data
//! (privacy.md 6.8).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use policy::{ChargedGrid, Dataset, Datasets, Resolved, TIME, TimeLevel, time};

use crate::cell_query::{Breakdown, CellQuery};
use crate::charges::{Axis, Block, Grid, Open, province_level};
use crate::query::{Coordinate, Dimension, Measure, TableQuery};

/// Levels with the codes that a unit must have one of.
type Population = BTreeMap<String, Vec<u16>>;

/// The periods that an edition speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Number of the edition.
    pub edition: i64,
    /// The years that have codes.
    pub years: RangeInclusive<u16>,
    /// The edition's date, in days since 1970-01-01: what is later is the future.
    pub last_day: i32,
}

impl Span {
    /// An edition of the last day of the last of some years.
    pub fn whole(edition: i64, years: RangeInclusive<u16>) -> Self {
        let last_day = TimeLevel::Year.days(*years.end()).map_or(i32::MAX, |(_, last)| last);
        Self { edition, years, last_day }
    }

    /// The last quarter that has a code.
    fn last_quarter(&self) -> u16 {
        TimeLevel::Quarter.of_day(self.last_day)
    }

    /// Blocks of the last quarter are charged anew with each edition while that is not over.
    pub(crate) fn open(&self) -> Open {
        let last = self.last_quarter();
        let is_over = TimeLevel::Quarter.days(last).is_some_and(|(_, day)| day == self.last_day);
        Open { quarter: (!is_over).then_some(last), edition: self.edition }
    }

    /// The quarters with a code, the unknown one among them.
    fn quarters(&self) -> Vec<u16> {
        let mut quarters = TimeLevel::Quarter.codes(self.years.clone());
        let last = self.last_quarter();
        quarters.retain(|&code| code == time::UNKNOWN || code <= last);
        quarters
    }

    /// The blocks that units under all of these conditions (a level and its codes) can be in.
    pub(crate) fn blocks<'a>(
        &self,
        dataset: &Dataset,
        conditions: impl Iterator<Item = (&'a str, &'a [u16])> + Clone,
    ) -> Vec<Block> {
        let mut quarters = self.quarters();
        let provinces = province_level(dataset);
        let mut places = provinces.and_then(|level| dataset.codes(level, self.years.clone())).unwrap_or_default();
        let place = dataset.dimension_of(&dataset.place);
        for (level, codes) in conditions {
            match (dataset.dimension_of(level), provinces) {
                (Some(TIME), _) => {
                    quarters.retain(|&quarter| codes.iter().any(|&code| meets(dataset, level, code, quarter)));
                }
                (dimension, Some(provinces)) if dimension == place => {
                    let wanted: BTreeSet<u16> =
                        codes.iter().filter_map(|&code| dataset.roll_up(level, provinces, code)).collect();
                    places.retain(|province| wanted.contains(province));
                }
                _ => {}
            }
        }
        places.iter().flat_map(|&province| quarters.iter().map(move |&quarter| (province, quarter))).collect()
    }
}

/// Whether a level is one of the main time or place.
pub(crate) fn decides_blocks(dataset: &Dataset, level: &str) -> bool {
    let dimension = dataset.dimension_of(level);
    dimension == Some(TIME) || dimension == dataset.dimension_of(&dataset.place)
}

/// Whether a unit in this period can be in this quarter. Who is known by the year alone has the quarter `_X`.
fn meets(dataset: &Dataset, level: &str, code: u16, quarter: u16) -> bool {
    let Some(Resolved::Time(level)) = dataset.resolve(level) else { return true };
    match level {
        TimeLevel::Month | TimeLevel::Quarter => level.roll_up(TimeLevel::Quarter, code) == Some(quarter),
        TimeLevel::Year | TimeLevel::FiscalYear => {
            quarter == time::UNKNOWN || TimeLevel::Quarter.roll_up(level, quarter) == Some(code)
        }
    }
}

/// The axes of a grid: what breaks it down, and what selects its population where that takes no whole cells of it.
///
/// Conditions that are a population declared in the policy are one axis with two parts, those in it and those not,
/// whatever they are made of: nobody chose them for this question (privacy.md 6.8, decision of 2026-11-27).
fn axes(dataset: &Dataset, by: Vec<Axis>, population: Vec<(&str, &[u16])>) -> Vec<Axis> {
    let declared = declared_population(dataset, &population);
    let rest = population.into_iter().filter(|(level, _)| declared.is_none_or(|of| !of.contains_key(*level)));
    let slices = |level: &str| {
        by.iter().filter(|axis| axis.together.is_none() && !dataset.is_many(&axis.level)).any(|axis| {
            let code = dataset.unknown(&axis.level).unwrap_or_default();
            dataset.roll_up(&axis.level, level, code).is_some()
        })
    };
    let selects = rest.filter(|(level, _)| !slices(level)).map(|(level, codes)| Axis {
        level: level.to_owned(),
        together: (codes.len() != 1).then(|| vec![codes.to_vec()]),
    });
    let declared = declared.map(|of| Axis { level: population_text(dataset, of), together: None });
    let selects: Vec<Axis> = selects.chain(declared).collect();
    by.into_iter().chain(selects).collect()
}

/// The declared population that is among these conditions: the narrowest, where there are several.
pub(crate) fn declared_population<'d>(dataset: &'d Dataset, conditions: &[(&str, &[u16])]) -> Option<&'d Population> {
    let has = |(level, codes): (&String, &Vec<u16>)| conditions.contains(&(level.as_str(), codes.as_slice()));
    dataset.populations.iter().find(|population| population.iter().all(has))
}

/// `{assisted = yes, first_return = yes}`.
fn population_text(dataset: &Dataset, population: &Population) -> String {
    let condition = |(level, codes): (&String, &Vec<u16>)| {
        let codes: Vec<String> = codes.iter().filter_map(|&code| dataset.code_text(level, code)).collect();
        format!("{level} = {}", codes.join("|"))
    };
    format!("{{{}}}", population.iter().map(condition).collect::<Vec<_>>().join(", "))
}

/// The grids that a declared one is charged with: all its margins, but those over time.
fn margins<'g>(declared: &'g ChargedGrid, dataset: &'g Dataset) -> impl Iterator<Item = Grid> {
    let measure = declared.sum.clone().map_or(Measure::Units, Measure::Sum);
    let is_time = |level: &&String| dataset.dimension_of(level) == Some(TIME);
    let (time, totalled): (Vec<_>, Vec<_>) = declared.by.iter().partition(is_time);
    (0..1_usize << totalled.len()).map(move |margin| {
        let kept = totalled.iter().enumerate().filter(|(at, _)| margin >> at & 1 == 1).map(|(_, level)| *level);
        let by = time.iter().copied().chain(kept).map(|level| Axis { level: level.clone(), together: None });
        let population = declared.population.iter().map(|(level, codes)| (level.as_str(), codes.as_slice()));
        Grid::of(dataset, &measure, axes(dataset, by.collect(), population.collect()))
    })
}

impl CellQuery {
    /// The grid that the question is a slice of, for one of its measures.
    pub(crate) fn grid(&self, dataset: &Dataset, measure: &Measure) -> Grid {
        let by = self.by.iter().map(|breakdown| match breakdown {
            Breakdown::Level(level) => Axis { level: level.clone(), together: None },
            Breakdown::Classes { level, classes } => Axis { level: level.clone(), together: Some(classes.clone()) },
        });
        Grid::of(dataset, measure, axes(dataset, by.collect(), self.conditions().collect()))
    }

    /// Whether a measure stands on a grid that the policy declares, on one of its margins, or on a slice of these: charged
    /// before anybody asks, so that nothing is saved by not answering (privacy.md 6.8).
    pub fn is_charged_first(&self, datasets: &Datasets, measure: &Measure) -> bool {
        let Some(dataset) = datasets.get(&self.dataset) else { return false };
        let asked = self.grid(dataset, measure);
        let mut declared = datasets.declared().iter().filter(|grid| grid.dataset == self.dataset);
        declared.any(|grid| margins(grid, dataset).any(|margin| margin == asked))
    }

    /// The conditions of the population as levels and codes.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, &[u16])> + Clone {
        self.population.iter().map(|condition| (condition.level.as_str(), condition.codes.as_slice()))
    }
}

impl TableQuery {
    /// The table of a grid that a policy declares: all its margins, but those over time.
    pub(crate) fn declared(grid: &ChargedGrid, dataset: &Dataset, span: &Span) -> Self {
        let dimension = |level: &String| {
            let codes = dataset.codes(level, span.years.clone()).unwrap_or_default();
            let dimension = Dimension::codes(level, codes);
            if dataset.dimension_of(level) == Some(TIME) { dimension } else { dimension.with_total() }
        };
        Self {
            dataset: grid.dataset.clone(),
            measure: grid.sum.clone().map_or(Measure::Units, Measure::Sum),
            population: grid.population.clone(),
            by: grid.by.iter().map(dimension).collect(),
        }
    }

    /// The grid of one margin of the table: the dimensions that split it, and what selects its population.
    pub(crate) fn grid(&self, dataset: &Dataset, split: impl Fn(usize) -> bool) -> Grid {
        let by = self.by.iter().enumerate().filter(|(at, _)| split(*at));
        let by = by.map(|(_, d)| Axis { level: d.name.clone(), together: d.classes.clone() });
        Grid::of(dataset, &self.measure, axes(dataset, by.collect(), self.conditions().collect()))
    }

    /// The conditions of the population as levels and codes.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, &[u16])> + Clone {
        self.population.iter().map(|(level, codes)| (level.as_str(), codes.as_slice()))
    }

    /// Every margin of a declared table as a grid, with the blocks that it touches; none of an exact one.
    pub(crate) fn margins_charged(&self, dataset: &Dataset, span: &Span) -> Vec<(Grid, Vec<Block>)> {
        if self.is_exact(dataset) {
            return Vec::new();
        }
        let blocks = span.blocks(dataset, self.conditions());
        let splits = |margin: usize, at: usize| margin >> at & 1 == 1;
        let exists = |margin: &usize| (0..self.by.len()).all(|at| splits(*margin, at) || self.by[at].total);
        let margins = (0..1_usize << self.by.len()).filter(exists);
        margins.map(|margin| (self.grid(dataset, |at| splits(margin, at)), blocks.clone())).collect()
    }

    /// The conditions under which the units of a cell stand, as far as they decide its blocks.
    pub(crate) fn conditions_at(&self, dataset: &Dataset, at: &[Coordinate]) -> Vec<(String, Vec<u16>)> {
        let coordinates = self.by.iter().zip(at).filter(|(dimension, _)| decides_blocks(dataset, &dimension.name));
        let coordinates = coordinates.filter_map(|(dimension, at)| match at {
            Coordinate::Code(code) => {
                let position = dimension.codes.iter().position(|known| known == code)?;
                let codes = dimension.positions().filter(|(at, _)| *at == position).map(|(_, code)| code).collect();
                Some((dimension.name.clone(), codes))
            }
            Coordinate::Total | Coordinate::Remainder => None,
        });
        let selected = self.population.iter().filter(|(level, _)| decides_blocks(dataset, level));
        coordinates.chain(selected.map(|(level, codes)| (level.clone(), codes.clone()))).collect()
    }
}
