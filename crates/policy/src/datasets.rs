//! What is counted, hidden and exact: the datasets of privacy.md 6.6 as the program sees them.
//!
//! Absent: how the file is written and what it may not say (`datasets_file`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::charging::Charging;
use crate::time::TimeLevel;

/// What a dataset counts. "Person" in a rule of privacy.md means this unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A person.
    Person,
    /// A registered case.
    Case,
    /// An inspection.
    Inspection,
    /// A training or awareness activity.
    Activity,
    /// A contact of a helpline.
    Contact,
    /// A release of workers.
    Release,
}

impl Unit {
    /// Whether the unit is itself a record, so that the floor on cases says nothing (privacy.md 6.6, rule 2).
    pub fn is_record(self) -> bool {
        self != Self::Person
    }
}

/// Whether cells that private caseloads dominate are hidden (privacy.md 6.6, rule 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgencyRule {
    /// Hidden where the largest contributor is a private caseload and too few others contribute.
    Private,
    /// No rule: state bodies, public records.
    Off,
}

/// Whether emptiness is ever confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zeros {
    /// Never.
    Never,
    /// On declared grids only.
    Shown,
}

/// How much protection a column or code asks for (privacy.md 6.8); a cell takes the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The floor of the house.
    Std,
    /// Form of exploitation, recruiter relation and the like.
    Sens,
    /// Minors' detail, health, gender identity, state actors as perpetrators.
    High,
}

impl Profile {
    /// All of them, the least strict first.
    pub const ALL: [Self; 3] = [Self::Std, Self::Sens, Self::High];

    /// As it is written in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Std => "std",
            Self::Sens => "sens",
            Self::High => "high",
        }
    }

    /// The floor K on units.
    pub fn k(self) -> u64 {
        match self {
            Self::Std => 11,
            Self::Sens => 20,
            Self::High => 21,
        }
    }
}

/// How many codes of a column a unit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// Exactly one; unknown is the code `_X`.
    #[default]
    One,
    /// One or more: the unit is counted under each, so cells overlap and never add up.
    Many,
}

/// Whose attribute a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// A person's: never on a declared grid.
    Person,
    /// An act's of the state.
    Act,
}

/// A coarser column of a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its column name.
    pub name: String,
    /// Its code list.
    pub list: String,
}

/// A column that a question may group or select by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name at the finest level.
    pub name: String,
    /// Its code list at the finest level.
    pub list: String,
    /// Coarser levels, from fine to coarse.
    pub levels: Vec<Level>,
    /// The protection it asks for.
    pub profile: Profile,
    /// Codes that ask for more: level (as in [`Resolved::Column`]), number of the code in that level's list, profile.
    pub raise: Vec<(Option<usize>, u16, Profile)>,
    /// One code or several.
    pub cardinality: Cardinality,
    /// Whose attribute it is.
    pub of: Attribute,
    /// Whether it has a counter of its own once questions are charged (privacy.md 6.8).
    pub secret: bool,
}

impl Column {
    /// The protection that a code asks for at a level.
    pub fn profile_of(&self, level: Option<usize>, code: u16) -> Profile {
        let raised = self.raise.iter().filter(|(at, raised, _)| *at == level && *raised == code);
        raised.map(|&(_, _, profile)| profile).fold(self.profile, Profile::max)
    }
}

/// A number that rows carry: what may be summed, with the bounds and bins that everybody knows (privacy.md 6.5).
///
/// Bounds and bins are the office's, never the data's: what is computed from the largest value tells who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureColumn {
    /// Its name.
    pub name: String,
    /// Its level of bands, [`Resolved::Band`]: the name and `_band`.
    pub band: String,
    /// What less than this counts as.
    pub min: i64,
    /// What more than this counts as.
    pub max: i64,
    /// Edges of its bins, ascending, the first `min`, the last `max`: a bin holds its lower edge and not its upper one,
    /// the last holds both.
    pub bins: Vec<i64>,
    /// Whether its sums ask for twice the noise.
    pub sensitive: bool,
}

/// What a dimension's name means in a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// A level of the main time.
    Time(TimeLevel),
    /// A column, at its finest level (`None`) or a coarser one (index into `levels`).
    Column(&'a Column, Option<usize>),
    /// The bins of a measure: an attribute of the act, its profile std. Its codes are the bins' numbers, then `_X`.
    Band(&'a MeasureColumn),
}

impl<'a> Resolved<'a> {
    /// The code list of this level; time and bands have none.
    pub fn list(self) -> Option<&'a str> {
        match self {
            Self::Time(_) | Self::Band(_) => None,
            Self::Column(column, None) => Some(&column.list),
            Self::Column(column, Some(level)) => Some(&column.levels[level].list),
        }
    }

    /// Whether this is the same dimension at the same or a coarser level than `other`.
    pub fn is_no_finer_than(self, other: Resolved<'a>) -> bool {
        match (self, other) {
            (Self::Time(mine), Self::Time(theirs)) => theirs.roll_up(mine, crate::time::UNKNOWN).is_some(),
            (Self::Column(mine, a), Self::Column(theirs, b)) => mine.name == theirs.name && a >= b,
            (Self::Band(mine), Self::Band(theirs)) => mine.name == theirs.name,
            _ => false,
        }
    }
}

/// What a declared grid counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Distinct units.
    Unit,
    /// Rows: acts.
    Rows,
}

/// A grid of acts of the state that is published exact (flag A, zeros shown).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredGrid {
    /// What is counted.
    pub count: Vec<Count>,
    /// Its dimensions: at most province, a period and one attribute of the act.
    pub by: Vec<String>,
    /// Its population: a unit has one of these codes (ascending numbers) in each of these columns.
    pub population: BTreeMap<String, Vec<u16>>,
}

/// A protected grid that is charged before anybody asks, so that it keeps the best noise (privacy.md 6.8): with all its
/// margins but those over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedGrid {
    /// The indicator or table that it is for.
    pub indicator: String,
    /// Its dataset.
    pub dataset: String,
    /// Its dimensions.
    pub by: Vec<String>,
    /// Its population: a unit has one of these codes (ascending numbers) in each of these columns.
    pub population: BTreeMap<String, Vec<u16>>,
    /// The measure that is summed; without one, units are counted.
    pub sum: Option<String>,
}

/// A dataset: a mart by name, with what protects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// Whose record keys it shares.
    pub universe: String,
    /// What its main time is the time of.
    pub time: String,
    /// The column of its main place.
    pub place: String,
    /// The floor on units before profiles (privacy.md 6.6, rule 1).
    pub k: u64,
    /// The floor on distinct cases or records (rule 2).
    pub min_cases: u64,
    /// The largest share of a cell's units that one case may have, in percent (rule 2).
    pub top_case_percent: u64,
    /// The p of the p % rule between private caseloads (rule 3).
    pub p_percent: u64,
    /// Whether rule 3 holds.
    pub agency_rule: AgencyRule,
    /// Whether zeros are shown on declared grids.
    pub zeros: Zeros,
    /// What questions cost.
    pub charging: Charging,
    /// The populations of its declared grids of several conditions or codes, the narrowest first. Each is one division of the
    /// units, those in it and those not, and is charged as one dimension.
    pub populations: Vec<BTreeMap<String, Vec<u16>>>,
    /// Grids published exact.
    pub declared_exact: Vec<DeclaredGrid>,
    /// What may be grouped and selected by, by name.
    pub columns: BTreeMap<String, Column>,
    /// What may be summed, by name.
    pub measures: BTreeMap<String, MeasureColumn>,
}

impl Dataset {
    /// What a dimension's name means here: a level of time, a column, a coarser level of a column, the bands of a measure.
    pub fn resolve(&self, name: &str) -> Option<Resolved<'_>> {
        if let Some(level) = TimeLevel::from_name(name) {
            return Some(Resolved::Time(level));
        }
        if let Some(column) = self.columns.get(name) {
            return Some(Resolved::Column(column, None));
        }
        if let Some(measure) = self.measures.values().find(|measure| measure.band == name) {
            return Some(Resolved::Band(measure));
        }
        self.columns.values().find_map(|column| {
            let at = column.levels.iter().position(|level| level.name == name)?;
            Some(Resolved::Column(column, Some(at)))
        })
    }

    /// Whether a question of this form stands on a declared grid, one of its slices or coarser levels: `by` are its
    /// dimensions, `population` its selection with ascending codes. On it the true count is the answer (flag A).
    pub fn is_declared(&self, count: Count, by: &[&str], population: &BTreeMap<String, Vec<u16>>) -> bool {
        self.declared_exact.iter().any(|grid| grid.count.contains(&count) && self.covers(grid, by, population))
    }

    fn covers(&self, grid: &DeclaredGrid, by: &[&str], population: &BTreeMap<String, Vec<u16>>) -> bool {
        let on_grid = |name: &str| {
            let Some(asked) = self.resolve(name) else { return false };
            grid.by.iter().filter_map(|d| self.resolve(d)).any(|declared| asked.is_no_finer_than(declared))
        };
        // Of a many-valued dimension one code is a slice; several are a union, which follows from no published cells.
        let is_slice = |name: &str, codes: &[u16]| on_grid(name) && (codes.len() <= 1 || !self.is_many(name));
        let selected =
            population.iter().all(|(name, codes)| grid.population.get(name) == Some(codes) || is_slice(name, codes));
        let complete = grid.population.iter().all(|(name, codes)| population.get(name) == Some(codes));
        selected && complete && by.iter().all(|name| on_grid(name))
    }

    /// The floor on units of a profile: never below the dataset's own.
    pub fn floor(&self, profile: Profile) -> u64 {
        self.k.max(profile.k())
    }
}

/// All datasets of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datasets {
    pub(crate) methodology: String,
    pub(crate) population: Option<String>,
    pub(crate) charging: Charging,
    pub(crate) declared: Vec<ChargedGrid>,
    pub(crate) by_name: BTreeMap<String, Dataset>,
}

impl Datasets {
    /// The dataset with this name.
    pub fn get(&self, name: &str) -> Option<&Dataset> {
        self.by_name.get(name)
    }

    /// Every dataset by name.
    pub fn iter(&self) -> impl Iterator<Item = &Dataset> {
        self.by_name.values()
    }

    /// The same with other weights and schedules, for simulations (privacy.md 6.8). What a vault says under them is no
    /// release.
    #[doc(hidden)]
    #[must_use]
    pub fn charged_by(mut self, charging: Charging) -> Self {
        self.charging = charging;
        self.by_name.values_mut().for_each(|dataset| dataset.charging = charging);
        self
    }

    /// The protected grids that are charged first, in this order.
    pub fn declared(&self) -> &[ChargedGrid] {
        &self.declared
    }

    /// What questions cost, and how noise grows with them.
    pub fn charging(&self) -> Charging {
        self.charging
    }

    /// The version of the methodology, which stands in manifests: noise never changes inside one.
    pub fn methodology(&self) -> &str {
        &self.methodology
    }

    /// The territory whose inhabitants the persons are (ISO 3166-1), where rates per inhabitant have a meaning.
    pub fn population(&self) -> Option<&str> {
        self.population.as_deref()
    }
}
