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
    /// Questions of the statement, those without cells too.
    all: usize,
}

impl Ordered {
    /// Fewest dimensions first, then the coarsest levels, then as their codes stand; measures of the same cells in one order,
    /// whether they are one question or several. A contradiction that is broken down by what contradicts itself has no cells,
    /// and there is nothing to ask.
    pub(crate) fn coarse_to_fine(questions: Vec<CellQuery>, datasets: &Datasets, years: &RangeInclusive<u16>) -> Self {
        let all = questions.len();
        let cells = |question: &CellQuery| {
            let groups = CellQuery { measures: Vec::new(), ..question.clone() };
            datasets.get(&question.dataset).map(|dataset| groups.cells(dataset, years.clone()))
        };
        let mut placed: Vec<(usize, CellQuery)> = questions.into_iter().enumerate().collect();
        placed.retain(|(_, question)| cells(question) != Some(0));
        placed.sort_by_cached_key(|(_, question)| {
            let CellQuery { dataset, population, by, measures } = question.clone();
            (population.len() + by.len(), by.len(), cells(question), dataset, population, by, measures)
        });
        let (places, questions) = placed.into_iter().unzip();
        Self { questions, places, all }
    }

    /// One answer to each, back in the order of the statement, an empty one where nothing was asked; `None` where there are
    /// more or fewer than were asked for.
    pub(crate) fn put_back<T: Default>(&self, answers: Vec<T>) -> Option<Vec<T>> {
        if answers.len() != self.places.len() {
            return None;
        }
        let mut placed: Vec<T> = (0..self.all).map(|_| T::default()).collect();
        for (&place, answer) in self.places.iter().zip(answers) {
            placed[place] = answer;
        }
        Some(placed)
    }
}

#[cfg(test)]
mod tests {
    use disclosure::{Breakdown, Condition, Measure};
    use policy::Policy;

    use super::*;

    fn question(condition: Option<&str>, by: &[&str]) -> CellQuery {
        let of = |level: &str| Condition { dimension: level.to_owned(), level: level.to_owned(), codes: vec![1] };
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
            let names = |questions: &[CellQuery]| questions.iter().map(CellQuery::id).collect::<Vec<_>>();
            let back = ordered.put_back(names(&ordered.questions));
            assert_eq!(back, Some(names(&named)), "answers go back to their places");
        }
    }

    #[test]
    fn an_answer_too_few_is_no_answer() {
        let policy = Policy::default();
        let ordered = Ordered::coarse_to_fine(vec![question(None, &[])], &policy.datasets, &(2020..=2024));
        assert_eq!(ordered.put_back(Vec::<u8>::new()), None);
    }

    #[test]
    fn a_contradiction_broken_down_by_what_contradicts_itself_is_not_asked_and_has_an_empty_answer() {
        let mut contradiction = question(Some("sex"), &["sex"]);
        contradiction.population[0].codes.clear();
        let policy = Policy::default();
        let both = vec![contradiction, question(None, &[])];
        let ordered = Ordered::coarse_to_fine(both, &policy.datasets, &(2020..=2024));
        assert_eq!(ordered.questions, [question(None, &[])]);
        assert_eq!(ordered.put_back(vec!["asked"]), Some(vec!["", "asked"]));
    }
}
