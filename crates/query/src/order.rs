//! In which order the questions of a statement are put to the vault: coarse to fine (privacy.md 6.7, Consistency), so that a
//! total never inherits what a part was given, and so that it does not matter in which order they stand in the text: the
//! first of two near sets answers for both.

use std::ops::RangeInclusive;

use disclosure::CellQuery;
use policy::Datasets;

/// Questions in the order in which they are asked, with the place of each in the statement.
pub(crate) struct Ordered {
    pub(crate) questions: Vec<CellQuery>,
    places: Vec<usize>,
}

impl Ordered {
    /// Fewest dimensions first, then the coarsest levels, then as their codes stand; measures of the same cells in one order,
    /// whether they are one question or several.
    pub(crate) fn coarse_to_fine(questions: Vec<CellQuery>, datasets: &Datasets, years: &RangeInclusive<u16>) -> Self {
        let mut placed: Vec<(usize, CellQuery)> = questions.into_iter().enumerate().collect();
        placed.sort_by_cached_key(|(_, question)| {
            let groups = CellQuery { measures: Vec::new(), ..question.clone() };
            let cells = datasets.get(&question.dataset).map(|dataset| groups.cells(dataset, years.clone()));
            let dimensions = question.population.len() + question.by.len();
            let CellQuery { dataset, population, by, measures } = question.clone();
            (dimensions, by.len(), cells, dataset, population, by, measures)
        });
        let (places, questions) = placed.into_iter().unzip();
        Self { questions, places }
    }

    /// One answer to each, back in the order of the statement; `None` where there are more or fewer.
    pub(crate) fn put_back<T>(&self, answers: Vec<T>) -> Option<Vec<T>> {
        if answers.len() != self.places.len() {
            return None;
        }
        let mut placed: Vec<(usize, T)> = self.places.iter().copied().zip(answers).collect();
        placed.sort_by_key(|(place, _)| *place);
        Some(placed.into_iter().map(|(_, answer)| answer).collect())
    }
}

#[cfg(test)]
mod tests {
    use disclosure::{Breakdown, Condition, Measure};
    use policy::Policy;

    use super::*;

    fn question(condition: Option<&str>, by: &[&str]) -> CellQuery {
        let condition =
            |level: &str| Condition { dimension: level.to_owned(), level: level.to_owned(), codes: vec![1] };
        CellQuery {
            dataset: "victims".to_owned(),
            population: condition.map(of).into_iter().collect(),
            by: by.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
            measures: vec![Measure::Units],
        }
    }

    #[test]
    fn a_statement_asks_for_totals_before_parts_and_coarse_levels_before_fine_ones_in_whatever_order_it_names_them() {
        let coarse_to_fine = [
            question(None, &[]),
            question(Some("sex"), &[]),
            question(None, &["sex"]),
            question(None, &["age_band"]),
            question(None, &["age_band", "sex"]),
        ];
        let policy = Policy::default();
        let order = |questions: Vec<CellQuery>| Ordered::coarse_to_fine(questions, &policy.datasets, &(2020..=2024));
        for turned in 0..coarse_to_fine.len() {
            let mut named = coarse_to_fine.to_vec();
            named.rotate_left(turned);
            named.swap(0, 2);
            let ordered = order(named.clone());
            assert_eq!(ordered.questions, coarse_to_fine);
            assert_eq!(ordered.put_back(ordered.questions.clone()), Some(named), "answers go back to their places");
        }
    }

    #[test]
    fn an_answer_too_few_is_no_answer() {
        let policy = Policy::default();
        let ordered = Ordered::coarse_to_fine(vec![question(None, &[])], &policy.datasets, &(2020..=2024));
        assert_eq!(ordered.put_back(Vec::<u8>::new()), None);
    }
}
