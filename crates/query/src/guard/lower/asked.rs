//! The questions of a grouping set: aggregates under the same conditions share one, and equal ones are asked once
//! (privacy.md 6.3, CTE).

use std::collections::BTreeMap;

use disclosure::{Breakdown, CellQuery, Condition, Measure, Refused};

use super::bases::Base;
use super::measure::{Ask, What};
use super::region::Region;
use super::{Lowering, misplaced};
use crate::refusal::{Code, Refusal};

/// A question as one grouping set sees it.
pub(super) struct Asked {
    pub(super) number: usize,
    pub(super) query: CellQuery,
    /// For each base, the groups that this question's population leaves possible.
    pub(super) possible: Vec<Vec<u16>>,
}

impl<'a> Lowering<'a> {
    /// The questions of the aggregates of a grouping set: those under the same conditions share one.
    pub(super) fn questions_of(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        asks: &[Ask],
    ) -> Result<Vec<Option<Asked>>, Refusal> {
        let mut measures: BTreeMap<Vec<Condition>, Vec<Measure>> = BTreeMap::new();
        let wanted = |what: &What| match what {
            // Agencies are shown where their units are.
            What::Figure(Measure::Agencies) => vec![Measure::Agencies, Measure::Units],
            What::Figure(measure) => vec![measure.clone()],
            What::Mean(column) => vec![Measure::Sum(column.clone()), Measure::Units],
            What::Shown(_) | What::Quantile(..) | What::Grouping(_) => Vec::new(),
        };
        // Conditions are compared in the form that they take in the question, so that synonyms share it.
        let same =
            |lowering: &Self, ask: &Ask| lowering.canonical(region, &ask.extra, Vec::new(), Vec::new()).population;
        for ask in asks {
            measures.entry(same(self, ask)).or_default().extend(wanted(&ask.what));
        }
        let mut asked = Vec::new();
        for ask in asks {
            let question = match &ask.what {
                What::Grouping(_) => None,
                What::Shown(level) => Some(self.question_of_codes(region, bases, ask, level, Vec::new())?),
                What::Quantile(measure, _) => {
                    let band = &region.dataset.measures.get(measure).ok_or_else(misplaced::internal)?.band;
                    Some(self.question_of_codes(region, bases, ask, band, vec![Measure::Units])?)
                }
                What::Figure(_) | What::Mean(_) => {
                    let all = measures.get(&same(self, ask)).cloned().unwrap_or_default();
                    Some(self.question(region, bases, &ask.extra, all)?)
                }
            };
            asked.push(question);
        }
        Ok(asked)
    }

    /// The question that has a cell for each code of a level, in each group.
    fn question_of_codes(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        ask: &Ask,
        level: &str,
        measures: Vec<Measure>,
    ) -> Result<Asked, Refusal> {
        let dimension = region.dataset.dimension_of(level).unwrap_or(level);
        if bases.iter().any(|base| base.dimension == dimension) {
            let detail = format!("An aggregate over the codes of {level} stands beside a group of the same dimension.");
            let refusal = Refusal::new(Code::ProtectedAggregate, detail);
            return Err(refusal.hint("Group by both levels in a subquery, and compute over its rows."));
        }
        let by = bases.iter().map(|base| base.breakdown.clone()).chain([Breakdown::Level(level.to_owned())]).collect();
        let query = self.canonical(region, &ask.extra, by, measures);
        self.numbered(region, query, bases)
    }

    pub(super) fn question(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        extra: &[Condition],
        measures: Vec<Measure>,
    ) -> Result<Asked, Refusal> {
        let by = bases.iter().map(|base| base.breakdown.clone()).collect();
        let query = self.canonical(region, extra, by, measures);
        self.numbered(region, query, bases)
    }

    pub(super) fn canonical(
        &self,
        region: &Region<'a>,
        extra: &[Condition],
        by: Vec<Breakdown>,
        measures: Vec<Measure>,
    ) -> CellQuery {
        let population = region.population.iter().chain(extra).cloned().collect();
        let query = CellQuery { dataset: region.dataset.name.clone(), population, by, measures };
        query.canonical(region.dataset, self.protected.years.clone())
    }

    /// A question among those of the statement, each once.
    fn numbered(&mut self, region: &Region<'a>, query: CellQuery, bases: &[Base]) -> Result<Asked, Refusal> {
        let years = self.protected.years.clone();
        query.check(region.dataset, years.clone()).map_err(|found| refused(&found))?;
        let number = self.questions.iter().position(|other| *other == query).unwrap_or_else(|| {
            self.questions.push(query.clone());
            self.questions.len() - 1
        });
        let by = bases.iter().map(|base| base.breakdown.clone()).collect();
        let possible = CellQuery { by, ..query.clone() }.groups(region.dataset, years);
        Ok(Asked { number, query, possible })
    }

    pub(super) fn cells(&self, query: &CellQuery) -> usize {
        let dataset = self.protected.datasets.get(&query.dataset);
        dataset.map_or(0, |dataset| query.cells(dataset, self.protected.years.clone()))
    }
}

/// The refusal of a question that passes a limit.
pub(super) fn refused(refused: &Refused) -> Refusal {
    let (code, hint) = match refused {
        Refused::TooManyCells { .. } => {
            (Code::TooManyCells, "Ask for coarser levels, fewer columns, or a shorter time.")
        }
        Refused::Many { .. } => (
            Code::ManyValued,
            "Write one condition on it, = or IN with at most 3 codes, meaning at least one of them; or group by it.",
        ),
        Refused::TooManyCodes { .. } => {
            (Code::TooManyDimensions, "Name at most 8 codes, all but one, a coarser level, or group by the column.")
        }
        Refused::TwoLevels { .. } => {
            (Code::TooManyDimensions, "Group by the finer level alone, or by one class of it; the rest follows.")
        }
        _ => (Code::TooManyDimensions, "Leave out a column of GROUP BY or a condition, or ask two questions."),
    };
    let detail = match refused {
        Refused::Many { .. } => format!("{refused}."),
        _ => format!("The question has {refused}."),
    };
    Refusal::new(code, detail).hint(hint)
}
