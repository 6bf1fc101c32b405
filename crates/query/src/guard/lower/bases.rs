//! The dimensions of a grouping set: from which codes its columns follow, and which groups there are.

use disclosure::{Breakdown, CellQuery, Refused};
use policy::Dataset;

use super::asked::refused;
use super::region::{Meaning, Region};
use super::{Lowering, misplaced};
use crate::refusal::Refusal;

/// The groups of one dimension in one grouping set.
pub(super) struct Base {
    pub(super) dimension: String,
    pub(super) breakdown: Breakdown,
    /// Codes of the level, or numbers of its classes.
    pub(super) groups: Vec<u16>,
}

impl Base {
    /// One level with one group.
    pub(super) fn single(dataset: &Dataset, level: &str, code: u16) -> Self {
        let dimension = dataset.dimension_of(level).unwrap_or(level).to_owned();
        Self { dimension, breakdown: Breakdown::Level(level.to_owned()), groups: vec![code] }
    }

    /// A code of the base's level that stands for a group of it.
    fn code(&self, group: u16) -> u16 {
        match &self.breakdown {
            Breakdown::Level(_) => group,
            Breakdown::Classes { classes, .. } => {
                classes.get(usize::from(group)).and_then(|class| class.first()).copied().unwrap_or(group)
            }
        }
    }
}

/// A row: one group of each base.
#[derive(Clone, Copy)]
pub(super) struct At<'s> {
    pub(super) dataset: &'s Dataset,
    pub(super) bases: &'s [Base],
    pub(super) groups: &'s [u16],
}

impl At<'_> {
    /// The code of a row at a level.
    pub(super) fn code(&self, level: &str) -> Option<u16> {
        let dimension = self.dataset.dimension_of(level)?;
        let (base, group) = self.bases.iter().zip(self.groups).find(|(base, _)| base.dimension == dimension)?;
        self.dataset.roll_up(base.breakdown.level(), level, base.code(*group))
    }

    /// The coordinate of a row at a level of a question.
    pub(super) fn coordinate(&self, by: &Breakdown) -> Option<u16> {
        let code = self.code(by.level())?;
        match by {
            Breakdown::Level(_) => Some(code),
            Breakdown::Classes { classes, .. } => {
                classes.iter().position(|class| class.contains(&code)).map(|number| number as u16)
            }
        }
    }
}

/// Every row of some bases, the last one fastest.
pub(super) fn rows_of(bases: &[Base]) -> Vec<Vec<u16>> {
    let mut rows = vec![Vec::new()];
    for base in bases {
        let with = |row: &Vec<u16>, group: u16| row.iter().copied().chain([group]).collect::<Vec<u16>>();
        rows = rows.iter().flat_map(|row| base.groups.iter().map(move |&group| with(row, group))).collect();
    }
    rows
}

impl<'a> Lowering<'a> {
    /// The dimensions of a grouping set in the order in which they are named, each in the groups that its columns tell
    /// apart: rows come in the order of their keys.
    pub(super) fn bases<'m>(
        &self,
        region: &Region<'a>,
        keys: impl Iterator<Item = &'m Meaning>,
    ) -> Result<Vec<Base>, Refusal> {
        let mut found: Vec<(String, Vec<Breakdown>)> = Vec::new();
        for key in keys {
            let breakdown = match key {
                Meaning::Level { level, .. } => Breakdown::Level(level.clone()),
                Meaning::Labels { level, labels } => Breakdown::Classes {
                    level: level.clone(),
                    classes: together(labels.iter().map(|(code, label)| (*code, label))),
                },
                Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => return Err(misplaced::internal()),
            };
            let dimension = region.dataset.dimension_of(breakdown.level()).ok_or_else(misplaced::internal)?;
            match found.iter_mut().find(|(other, _)| other == dimension) {
                Some((_, breakdowns)) => breakdowns.push(breakdown),
                None => found.push((dimension.to_owned(), vec![breakdown])),
            }
        }
        let mut bases = Vec::new();
        for (dimension, mut breakdowns) in found {
            breakdowns.sort();
            breakdowns.dedup();
            let breakdown = match &breakdowns[..] {
                [one] => one.clone(),
                several => self.crossed(region, &dimension, several)?,
            };
            let query = self.canonical(region, &[], Vec::new(), Vec::new());
            let query = CellQuery { by: vec![breakdown.clone()], ..query };
            let groups = query.groups(region.dataset, self.protected.years.clone()).pop().unwrap_or_default();
            bases.push(Base { dimension, breakdown, groups });
        }
        Ok(bases)
    }

    /// Several columns of one dimension as one: the codes of the finest level that they do not tell apart are a class.
    fn crossed(&self, region: &Region<'a>, dimension: &str, several: &[Breakdown]) -> Result<Breakdown, Refusal> {
        let dataset = region.dataset;
        let level = self.finest(region, dimension, several)?;
        let group = |code: u16, by: &Breakdown| {
            let code = dataset.roll_up(&level, by.level(), code)?;
            match by {
                Breakdown::Level(_) => Some(code),
                Breakdown::Classes { classes, .. } => {
                    classes.iter().position(|class| class.contains(&code)).map(|class| class as u16)
                }
            }
        };
        let codes = dataset.codes(&level, self.protected.years.clone()).unwrap_or_default();
        let told: Vec<(u16, Vec<Option<u16>>)> =
            codes.iter().map(|&code| (code, several.iter().map(|by| group(code, by)).collect())).collect();
        let classes = together(told.iter().map(|(code, groups)| (*code, groups)));
        Ok(if classes.len() == codes.len() { Breakdown::Level(level) } else { Breakdown::Classes { level, classes } })
    }

    /// The level from which all others of a breakdown follow.
    fn finest(&self, region: &Region<'a>, dimension: &str, several: &[Breakdown]) -> Result<String, Refusal> {
        let dataset = region.dataset;
        let reaches = |from: &str, to: &str| {
            dataset.unknown(from).is_some_and(|unknown| dataset.roll_up(from, to, unknown).is_some())
        };
        // A year that the population fixes needs no level below it.
        let fixed = |by: &Breakdown| self.fixed(region, by.level()).is_some();
        let open = several.iter().filter(|by| !fixed(by)).chain(several.iter().filter(|by| fixed(by)));
        let follows = |from: &&Breakdown| several.iter().all(|to| fixed(to) || reaches(from.level(), to.level()));
        let finest = open.into_iter().find(follows);
        finest
            .map(|by| by.level().to_owned())
            .ok_or_else(|| refused(&Refused::TwoLevels { dimension: dimension.to_owned() }))
    }

    /// The one code of a level that the population leaves.
    pub(super) fn fixed(&self, region: &Region<'a>, level: &str) -> Option<u16> {
        let query = self.canonical(region, &[], Vec::new(), Vec::new());
        let query = CellQuery { by: vec![Breakdown::Level(level.to_owned())], ..query };
        match query.groups(region.dataset, self.protected.years.clone()).pop()?[..] {
            [code] => Some(code),
            _ => None,
        }
    }
}

/// The codes that share something, by their least code.
fn together<T: PartialEq>(codes: impl Iterator<Item = (u16, T)>) -> Vec<Vec<u16>> {
    let mut found: Vec<(T, Vec<u16>)> = Vec::new();
    for (code, of) in codes {
        match found.iter_mut().find(|(other, _)| *other == of) {
            Some((_, codes)) => codes.push(code),
            None => found.push((of, vec![code])),
        }
    }
    let mut classes: Vec<Vec<u16>> = found.into_iter().map(|(_, codes)| codes).collect();
    for class in &mut classes {
        class.sort_unstable();
    }
    classes.sort();
    classes
}
