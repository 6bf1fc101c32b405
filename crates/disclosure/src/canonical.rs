//! One form for one meaning, and what may be asked at all: rules that look at the question and the code lists alone
//! (privacy.md 6.2).
//!
//! The form is for caches, quotas and the audit. Noise does not see it: the same persons have the same noise however
//! they are asked for, in a profile.
//!
//! Absent: rows, counts, sparsity (which needs published marginals), charges.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use policy::{Dataset, Profile, Resolved, TIME, TimeLevel};

use crate::cell_query::{
    Breakdown, CellQuery, Condition, MOST_ANY_OF, MOST_ANY_OF_MANY, MOST_CELLS, MOST_CONDITIONS, MOST_DIMENSIONS,
    MOST_MEASURES,
};
use crate::footprint::declared_population;
use crate::query::Measure;

/// Before the bytes of a question in its id (privacy.md 6.2, rule 4).
const PREFIX: &[u8] = b"cell1";

/// The ordinal code list: beside time and the bands of measures, the others have no order (privacy.md 6.3).
const ORDINAL: &str = "age_band";

/// Why a question may not be asked, from its form alone (privacy.md 6.4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Dimensions of the population and the breakdown together.
    #[error("{asked} dimensions, more than {MOST_DIMENSIONS}")]
    TooManyDimensions {
        /// Dimensions asked for.
        asked: usize,
    },
    /// Conditions, or levels of the breakdown.
    #[error("{asked} {what}, more than {MOST_CONDITIONS}")]
    TooManyParts {
        /// `conditions` or `levels of the breakdown`.
        what: &'static str,
        /// How many.
        asked: usize,
    },
    /// Measures.
    #[error("{asked} measures, more than {MOST_MEASURES}")]
    TooManyMeasures {
        /// Measures asked for.
        asked: usize,
    },
    /// Codes of one condition that are no range.
    #[error("{asked} codes of `{level}` in one condition, more than {MOST_ANY_OF}")]
    TooManyCodes {
        /// The level.
        level: String,
        /// Codes asked for.
        asked: usize,
    },
    /// Two levels of one dimension in the breakdown, neither of which follows from the other.
    #[error("two levels of `{dimension}` in the breakdown")]
    TwoLevels {
        /// The dimension.
        dimension: String,
    },
    /// More codes than three, two conditions, or a user-defined level on a many-valued dimension.
    #[error("`{level}` has several codes per unit: {rule}")]
    Many {
        /// The level.
        level: String,
        /// What is not allowed, as a clause.
        rule: &'static str,
    },
    /// Cells.
    #[error("{cells} cells, more than {MOST_CELLS}")]
    TooManyCells {
        /// Cells asked for.
        cells: usize,
    },
}

impl Refused {
    /// The number of the static code (privacy.md 6.4).
    pub fn code(&self) -> u16 {
        match self {
            Self::TooManyDimensions { .. }
            | Self::TooManyParts { .. }
            | Self::TooManyMeasures { .. }
            | Self::TooManyCodes { .. }
            | Self::TwoLevels { .. } => 1008,
            Self::TooManyCells { .. } => 1012,
            Self::Many { .. } => 1015,
        }
    }
}

impl CellQuery {
    /// The one form of this meaning (privacy.md 6.2). `years` are those that questions of time may name.
    ///
    /// A level whose population is fixed leaves the breakdown; whoever asks knows what it was fixed to.
    #[must_use]
    pub fn canonical(mut self, dataset: &Dataset, years: RangeInclusive<u16>) -> Self {
        let lists = Lists { dataset, years };
        self.population = lists.population(self.population);
        self.by = self.by.into_iter().filter_map(|by| lists.breakdown(by)).collect();
        self.by.retain(|by| !self.population.iter().any(|condition| lists.fixes(condition, by)));
        self.by.sort();
        self.by.dedup();
        self.measures.sort();
        self.measures.dedup();
        self
    }

    /// `BLAKE3("cell1" || bytes)` in hex: for caches, quotas and the audit, **never** a seed of noise
    /// (privacy.md 6.2, rule 4). Of the canonical form it is the same for the same meaning.
    ///
    /// The bytes are postcard's, in the order in which the types are written down: texts and lists with their length
    /// before them, numbers by sevens of bits, and a [`Breakdown`] or [`Measure`] by its place among the variants. A code
    /// is its place in its list, or the number of the year, quarter or month. So an id is another one when
    /// * a dataset, dimension, level or measure is called otherwise,
    /// * a field or variant is put before another, taken out, or a field added (a variant at the end changes nothing),
    /// * a code list is ordered otherwise or has a code put in before others,
    /// * [`CellQuery::canonical`] brings the question to another form, or `PREFIX` changes.
    ///
    /// The log of what was asked has kept the old ids then, and nobody finds the two askings of one question by them.
    ///
    /// # Panics
    /// Never: texts and numbers always serialise into memory.
    pub fn id(&self) -> String {
        let bytes = postcard::to_allocvec(self).expect("texts and numbers serialise into memory");
        let mut hasher = blake3::Hasher::new();
        hasher.update(PREFIX).update(&bytes);
        hasher.finalize().to_hex().to_string()
    }

    /// The question in words, for the log of what was asked (privacy.md 6.12): dataset, conditions, breakdown, measures, in
    /// the codes of the published lists. Of the canonical form it is the same for the same meaning.
    ///
    /// `victims {sex: F; year: 2023 2024} by {province; age_band: 00-08 09-17 | 18-20} count {units; sum of children}`
    pub fn to_text(&self, dataset: &Dataset) -> String {
        let codes = |level: &str, codes: &[u16]| -> String {
            let text = |&code: &u16| dataset.code_text(level, code).unwrap_or_else(|| format!("#{code}"));
            codes.iter().map(text).collect::<Vec<_>>().join(" ")
        };
        let population = self.population.iter().map(|c| format!("{}: {}", c.level, codes(&c.level, &c.codes)));
        let by = self.by.iter().map(|by| match by {
            Breakdown::Level(level) => level.clone(),
            Breakdown::Classes { level, classes } => {
                let classes: Vec<String> = classes.iter().map(|class| codes(level, class)).collect();
                format!("{level}: {}", classes.join(" | "))
            }
        });
        let measures = self.measures.iter().map(Measure::to_text);
        let listed = |parts: Vec<String>| parts.join("; ");
        format!(
            "{} {{{}}} by {{{}}} count {{{}}}",
            self.dataset,
            listed(population.collect()),
            listed(by.collect()),
            listed(measures.collect())
        )
    }

    /// What the limits of a question say to a canonical form (privacy.md 6.2, 6.4: 1008, 1012, 1015).
    pub fn check(&self, dataset: &Dataset, years: RangeInclusive<u16>) -> Result<(), Refused> {
        let lists = Lists { dataset, years };
        self.check_counts(&lists)?;
        self.population.iter().try_for_each(|condition| lists.check_condition(condition))?;
        for by in &self.by {
            if matches!(by, Breakdown::Classes { .. }) && dataset.is_many(by.level()) {
                return Err(Refused::Many { level: by.level().to_owned(), rule: "no user-defined level" });
            }
        }
        let cells = self.cells(dataset, lists.years.clone());
        if cells > MOST_CELLS { Err(Refused::TooManyCells { cells }) } else { Ok(()) }
    }

    /// Cells of the question, each counted once for every measure.
    pub fn cells(&self, dataset: &Dataset, years: RangeInclusive<u16>) -> usize {
        let groups = self.groups(dataset, years);
        groups.iter().map(Vec::len).fold(self.measures.len().max(1), usize::saturating_mul)
    }

    /// The groups of each level of the breakdown that its population leaves possible, in the order in which they are
    /// shown: codes of a published level, numbers of the classes of a user-defined one. They follow from the question
    /// alone, so which rows an answer has tells nothing (privacy.md 6.3, other constructs).
    pub fn groups(&self, dataset: &Dataset, years: RangeInclusive<u16>) -> Vec<Vec<u16>> {
        let lists = Lists { dataset, years };
        self.by.iter().map(|by| lists.groups(by, &self.population)).collect()
    }

    /// The strictest profile among the codes asked about: those of its conditions, and those of its groups (privacy.md 6.8).
    pub fn profile(&self, dataset: &Dataset, years: RangeInclusive<u16>) -> Profile {
        let of = |level: &str, codes: &[u16]| codes.iter().map(|&code| dataset.profile_of(level, code)).max();
        let conditions = self.population.iter().map(|condition| of(&condition.level, &condition.codes));
        let groups = self.by.iter().zip(self.groups(dataset, years)).map(|(by, groups)| match by {
            Breakdown::Level(level) => of(level, &groups),
            Breakdown::Classes { level, classes } => {
                let classes = groups.iter().filter_map(|&number| classes.get(usize::from(number)));
                classes.filter_map(|class| of(level, class)).max()
            }
        });
        conditions.chain(groups).flatten().max().unwrap_or(Profile::Std)
    }

    fn check_counts(&self, lists: &Lists<'_>) -> Result<(), Refused> {
        let mut selected: BTreeSet<&str> = BTreeSet::new();
        for condition in &self.population {
            if !selected.insert(&condition.dimension) {
                let rule = "one condition at a time, for a unit may satisfy two by different codes";
                return Err(Refused::Many { level: condition.level.clone(), rule });
            }
        }
        let mut broken_down: BTreeSet<&str> = BTreeSet::new();
        for by in &self.by {
            let dimension = lists.dataset.dimension_of(by.level()).unwrap_or(by.level());
            if !broken_down.insert(dimension) {
                return Err(Refused::TwoLevels { dimension: dimension.to_owned() });
            }
        }
        // A declared population is one division of the units, whatever it is made of, and is charged as one (`footprint`).
        let conditions: Vec<_> = self.conditions().collect();
        let declared = declared_population(lists.dataset, &conditions);
        let is_declared = |condition: &&Condition| declared.is_some_and(|of| of.contains_key(&condition.level));
        let (declared, own): (Vec<_>, Vec<_>) = self.population.iter().partition(is_declared);
        let asked = own.len() + usize::from(!declared.is_empty());
        for (what, asked) in [("conditions", asked), ("levels of the breakdown", self.by.len())] {
            if asked > MOST_CONDITIONS {
                return Err(Refused::TooManyParts { what, asked });
            }
        }
        let divides = declared.iter().any(|condition| !broken_down.contains(condition.dimension.as_str()));
        broken_down.extend(own.iter().map(|condition| condition.dimension.as_str()));
        let asked = broken_down.len() + usize::from(divides);
        if asked > MOST_DIMENSIONS {
            return Err(Refused::TooManyDimensions { asked });
        }
        if self.measures.len() > MOST_MEASURES {
            return Err(Refused::TooManyMeasures { asked: self.measures.len() });
        }
        Ok(())
    }
}

/// The code lists of a dataset, time bounded by years.
struct Lists<'a> {
    dataset: &'a Dataset,
    years: RangeInclusive<u16>,
}

impl Lists<'_> {
    fn codes(&self, level: &str) -> Vec<u16> {
        self.dataset.codes(level, self.years.clone()).unwrap_or_default()
    }

    /// Every code that could add up to something, so that a node is whole only if all of it is there: a fiscal year that
    /// begins in the last of the years ends after it.
    fn all_codes(&self, level: &str) -> Vec<u16> {
        let years = self.years.start().saturating_sub(1)..=self.years.end().saturating_add(1);
        self.dataset.codes(level, years).unwrap_or_default()
    }

    fn up(&self, from: &str, to: &str, code: u16) -> Option<u16> {
        self.dataset.roll_up(from, to, code)
    }

    /// Whether codes of one level add up to codes of the other.
    fn reaches(&self, from: &str, to: &str) -> bool {
        self.dataset.unknown(from).is_some_and(|unknown| self.up(from, to, unknown).is_some())
    }

    /// Levels above this one of which each code is exactly the units of its parts, from fine to coarse.
    ///
    /// Not years above quarters and months: of a date that is known by its year only, the quarter is `_X`, so a year is
    /// more than its quarters (domain.md 7.1).
    fn exact_levels_above(&self, level: &str) -> Vec<&str> {
        let above = |other: &&str| {
            let year = matches!(self.dataset.resolve(other), Some(Resolved::Time(TimeLevel::Year)));
            *other != level && !year && self.reaches(level, other)
        };
        let dimension = self.dataset.dimension_of(level).unwrap_or_default();
        self.dataset.levels(dimension).into_iter().filter(above).collect()
    }

    /// The same units by codes of a coarser level, where the set is made of whole nodes of it.
    fn lift(&self, codes: &BTreeSet<u16>, from: &str, to: &str) -> Option<BTreeSet<u16>> {
        let mut parts: BTreeMap<u16, bool> = BTreeMap::new();
        for code in self.all_codes(from) {
            let whole = parts.entry(self.up(from, to, code)?).or_insert(true);
            *whole &= codes.contains(&code);
        }
        let lifted = codes.iter().map(|&code| self.up(from, to, code)).collect::<Option<BTreeSet<_>>>()?;
        let asked = self.codes(to);
        lifted.iter().all(|node| parts.get(node) == Some(&true) && asked.contains(node)).then_some(lifted)
    }

    /// One condition per dimension (a many-valued one keeps several, for [`CellQuery::check`] to refuse), each at the
    /// coarsest level that says the same, without those that every unit satisfies; sorted.
    fn population(&self, conditions: Vec<Condition>) -> Vec<Condition> {
        let mut merged: Vec<Condition> = Vec::new();
        for mut condition in conditions {
            condition.codes.sort_unstable();
            condition.codes.dedup();
            let many = self.dataset.is_many(&condition.level);
            match merged.iter_mut().find(|other| !many && other.dimension == condition.dimension) {
                Some(other) => *other = self.intersection(other, &condition),
                None => merged.push(condition),
            }
        }
        let mut population: Vec<Condition> = merged.into_iter().map(|condition| self.coarsest(condition)).collect();
        population.retain(|condition| !self.is_root(condition));
        population.sort();
        population.dedup();
        population
    }

    /// Both conditions at once, at the finer of their levels, or where neither is finer (a year and a fiscal year) at the
    /// coarsest level below both.
    fn intersection(&self, a: &Condition, b: &Condition) -> Condition {
        let levels = self.dataset.levels(&a.dimension);
        let below_both = |level: &&&str| self.reaches(level, &a.level) && self.reaches(level, &b.level);
        let own = [a.level.as_str(), b.level.as_str()];
        let level = own.iter().chain(levels.iter().rev()).find(below_both).copied().unwrap_or(&a.level);
        let is_in =
            |of: &Condition, code: u16| self.up(level, &of.level, code).is_some_and(|up| of.codes.contains(&up));
        let codes = self.codes(level).into_iter().filter(|&code| is_in(a, code) && is_in(b, code)).collect();
        let mut both = Condition { dimension: a.dimension.clone(), level: level.to_owned(), codes };
        both.codes.sort_unstable();
        both
    }

    fn coarsest(&self, condition: Condition) -> Condition {
        let codes: BTreeSet<u16> = condition.codes.iter().copied().collect();
        if codes.is_empty() {
            // A contradiction is the same at every level.
            let level = condition.dimension.clone();
            let level = if level == TIME { TimeLevel::Month.name().to_owned() } else { level };
            return Condition { level, ..condition };
        }
        let levels = self.exact_levels_above(&condition.level);
        let lifted = levels.iter().rev().find_map(|level| Some((*level, self.lift(&codes, &condition.level, level)?)));
        match lifted {
            Some((level, codes)) => {
                Condition { level: level.to_owned(), codes: codes.into_iter().collect(), ..condition }
            }
            None => condition,
        }
    }

    /// All codes of a closed list that every unit has one of. Time is no such list: there are units of other years.
    fn is_root(&self, condition: &Condition) -> bool {
        condition.dimension != TIME && condition.codes.len() == self.codes(&condition.level).len()
    }

    /// A breakdown by classes at the coarsest level that has them; a published level where each class is one code of
    /// it; none where all codes are in one class.
    fn breakdown(&self, by: Breakdown) -> Option<Breakdown> {
        let Breakdown::Classes { mut level, classes } = by else { return Some(by) };
        let mut classes: Vec<BTreeSet<u16>> = classes
            .into_iter()
            .map(|class| class.into_iter().collect())
            .filter(|c: &BTreeSet<u16>| !c.is_empty())
            .collect();
        let lifted = self.exact_levels_above(&level).into_iter().rev().find_map(|above| {
            let lifted = classes.iter().map(|class| self.lift(class, &level, above)).collect::<Option<Vec<_>>>()?;
            Some((above.to_owned(), lifted))
        });
        if let Some(lifted) = lifted {
            (level, classes) = lifted;
        }
        if classes.len() <= 1 {
            return None;
        }
        if classes.iter().all(|class| class.len() == 1) && classes.len() == self.codes(&level).len() {
            return Some(Breakdown::Level(level));
        }
        classes.sort();
        let classes = classes.into_iter().map(|class| class.into_iter().collect()).collect();
        Some(Breakdown::Classes { level, classes })
    }

    /// Whether the population leaves one group of a breakdown (privacy.md 6.2, rule 3).
    fn fixes(&self, condition: &Condition, by: &Breakdown) -> bool {
        let up = |&code: &u16| self.up(&condition.level, by.level(), code);
        let Some(codes) = condition.codes.iter().map(up).collect::<Option<BTreeSet<u16>>>() else { return false };
        match by {
            Breakdown::Level(_) => codes.len() == 1,
            Breakdown::Classes { classes, .. } => {
                !codes.is_empty() && classes.iter().any(|class| codes.iter().all(|code| class.contains(code)))
            }
        }
    }

    fn groups(&self, by: &Breakdown, population: &[Condition]) -> Vec<u16> {
        let dimension = self.dataset.dimension_of(by.level());
        let condition = population.iter().find(|condition| Some(condition.dimension.as_str()) == dimension);
        let possible = |code: u16| condition.is_none_or(|condition| self.overlap(condition, by.level(), code));
        match by {
            Breakdown::Level(level) => self.codes(level).into_iter().filter(|&code| possible(code)).collect(),
            Breakdown::Classes { classes, .. } => {
                let some = |class: &[u16]| class.iter().any(|&code| possible(code));
                (0..).zip(classes).filter(|(_, class)| some(class)).map(|(number, _)| number).collect()
            }
        }
    }

    /// Whether a unit can satisfy a condition and have a code of a level of the same dimension.
    fn overlap(&self, condition: &Condition, level: &str, code: u16) -> bool {
        let has =
            |at: &str, code: u16| self.up(at, &condition.level, code).is_some_and(|c| condition.codes.contains(&c));
        if self.reaches(&condition.level, level) {
            return condition.codes.iter().any(|&c| self.up(&condition.level, level, c) == Some(code));
        }
        // Of a date that is known by its year only, every finer period is unknown.
        let unknown_period = condition.dimension == TIME && Some(code) == self.dataset.unknown(level);
        if unknown_period || self.reaches(level, &condition.level) {
            return unknown_period && !condition.codes.is_empty() || has(level, code);
        }
        let levels = self.dataset.levels(&condition.dimension);
        let below_both = |at: &&&str| self.reaches(at, level) && self.reaches(at, &condition.level);
        levels
            .iter()
            .rev()
            .find(below_both)
            .is_some_and(|at| self.all_codes(at).into_iter().any(|c| self.up(at, level, c) == Some(code) && has(at, c)))
    }

    fn check_condition(&self, condition: &Condition) -> Result<(), Refused> {
        let (level, asked) = (condition.level.clone(), condition.codes.len());
        if self.dataset.is_many(&level) {
            let rule = "at most 3 codes in a condition";
            return if asked > MOST_ANY_OF_MANY { Err(Refused::Many { level, rule }) } else { Ok(()) };
        }
        if asked > MOST_ANY_OF && !self.is_range(condition) && !self.is_all_but_one(condition) {
            return Err(Refused::TooManyCodes { level, asked });
        }
        Ok(())
    }

    /// All codes of a closed list but one, with `_X` or without it: `citizenship <> 'PK'`. It divides the units as the one
    /// code does (privacy.md 6.2, canonicalisation 2).
    fn is_all_but_one(&self, condition: &Condition) -> bool {
        let unknown = self.dataset.unknown(&condition.level);
        let left_out = self.codes(&condition.level).into_iter().filter(|code| !condition.codes.contains(code));
        condition.dimension != TIME && left_out.filter(|&code| Some(code) != unknown).count() <= 1
    }

    /// Neighbours of an ordered list, without `_X` (privacy.md 6.2, `Range`).
    fn is_range(&self, condition: &Condition) -> bool {
        let ordinal = match self.dataset.resolve(&condition.level) {
            Some(Resolved::Time(_) | Resolved::Band(_)) => true,
            Some(resolved @ Resolved::Column(..)) => resolved.list() == Some(ORDINAL),
            None => false,
        };
        let unknown = self.dataset.unknown(&condition.level);
        let neighbours = condition.codes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        ordinal && neighbours && condition.codes.iter().all(|&code| Some(code) != unknown)
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
