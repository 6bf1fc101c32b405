//! The question: the only thing that reaches microdata (privacy.md 6.2).
//!
//! Populations, dimensions, levels and measures; nothing else can be said in it, so nothing else can be asked. The same
//! meaning has one form ([`CellQuery::canonical`]) and one [`CellQuery::id`]; the id is for caches, quotas and the audit,
//! **never** for noise, which follows from the set of persons alone.
//!
//! Absent: expressions, casts, arithmetic, texts, SQL.

use serde::{Deserialize, Serialize};

use crate::query::Measure;

/// Dimensions in the population and the breakdown together (privacy.md 6.2); a population that the policy declares is one.
pub const MOST_DIMENSIONS: usize = 5;
/// Conditions on the population, those of a declared one together counted once; and levels of the breakdown.
pub const MOST_CONDITIONS: usize = 4;
/// Measures of one question.
pub const MOST_MEASURES: usize = 8;
/// Cells of one question, each counted once for every measure.
pub const MOST_CELLS: usize = 4_000;
/// Codes of one condition of several codes (`AnyOf`); of a many-valued dimension, [`MOST_ANY_OF_MANY`].
pub const MOST_ANY_OF: usize = 8;
/// Codes of one condition on a many-valued dimension.
pub const MOST_ANY_OF_MANY: usize = 3;

/// A question to the microdata of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CellQuery {
    /// The dataset.
    pub dataset: String,
    /// Who is asked about: at most one condition per dimension, sorted by dimension.
    pub population: Vec<Condition>,
    /// How the numbers are broken down, sorted, at most one level per dimension.
    pub by: Vec<Breakdown>,
    /// What is measured, sorted, each once. Empty: which groups are shown at all.
    pub measures: Vec<Measure>,
}

/// A condition on one dimension: units with (at least) one of these codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// The dimension, as `policy::Dataset::dimension_of` names it.
    pub dimension: String,
    /// The level of the codes.
    pub level: String,
    /// The codes, ascending, each once. One code is a node of the hierarchy; several are a range or a set of siblings;
    /// none is a contradiction, which is answered like any other small group: with nothing to see.
    pub codes: Vec<u16>,
}

/// One dimension of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Breakdown {
    /// A published level: one group for each of its codes.
    Level(String),
    /// A user-defined level: classes of the codes of a level, each code in exactly one, ordered by their least code.
    /// Charged twice (privacy.md 6.3).
    Classes {
        /// The level whose codes are put into classes.
        level: String,
        /// The classes, each ascending.
        classes: Vec<Vec<u16>>,
    },
}

impl CellQuery {
    /// Whether a measure of the question is answered exactly: acts of the state on a declared grid, its slices and
    /// coarser levels (privacy.md 6.6).
    pub fn is_exact(&self, dataset: &policy::Dataset, measure: &Measure) -> bool {
        let plain = self.by.iter().all(|breakdown| matches!(breakdown, Breakdown::Level(_)));
        let by: Vec<&str> = self.by.iter().map(Breakdown::level).collect();
        let population = self.population.iter().map(|condition| (condition.level.clone(), condition.codes.clone()));
        plain && measure.count().is_some_and(|count| dataset.is_declared(count, &by, &population.collect()))
    }
}

impl Breakdown {
    /// The level that it names or puts into classes.
    pub fn level(&self) -> &str {
        match self {
            Self::Level(level) | Self::Classes { level, .. } => level,
        }
    }
}
