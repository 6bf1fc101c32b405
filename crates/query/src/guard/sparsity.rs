//! Questions of which most would be hidden are refused before they are asked (privacy.md 6.2, PRIV-1009).
//!
//! The expected units of a cell are the product of published marginals (the independence model): units of its periods times
//! the share of each of its codes. Refused is a question of several cells where more than 40 % of the expected units, `_X`
//! left out, fall into cells below the floor of their profile (K). Everything comes from the text, the catalogue and the latest edition's
//! published cells, so that a refusal tells nothing that is not published. From 15 % on the answer has a note with the same
//! remedy.
//!
//! In doubt a question is asked: a dataset without published periods is not judged; a dimension without a published marginal
//! is left out, as if it had one code; what a table leaves out of its dataset is taken for as much again as it counts, for
//! each of its conditions that the question has not. A level below a published one spreads evenly over its codes.
//! A question of one cell is never refused (that its one number is hidden tells its asker no less), nor one on a declared
//! grid, be it exact or charged before anybody asks; of the latter the note says what is hidden.

use std::collections::BTreeMap;

use disclosure::{Breakdown, CellQuery, Measure, Tier};
use policy::{Asker, Dataset, Profile};

use super::errors::Words;
use crate::facade::Protected;
use crate::marginals::Marginal;
use crate::notes::Note;
use crate::refusal::{Code, Refusal};

/// The part of the expected units that may fall into cells that are too small.
const MOST_HIDDEN: f64 = 0.4;
/// From this part on an answer says how to see more. Even shares of the codes below a published level, and independence, hide
/// about half of what is hidden: of question 44 of `tests/questions`, alone on a ledger, 16 % by the model are 30 %.
const MUCH_HIDDEN: f64 = 0.15;
/// What a condition of a published table that a question has not leaves out: as much again.
const LEFT_OUT: f64 = 2.0;

/// Refuses the questions of a statement if one of them is too sparse, and names what to leave out. Of one that is nearly
/// so the notes say the same; there the noise that was charged for raises the floor.
pub(super) fn check(
    questions: &[CellQuery],
    protected: &Protected<'_>,
    asker: Option<&Asker>,
    words: &Words,
) -> Result<Vec<Note>, Refusal> {
    let mut notes = Vec::new();
    for question in questions {
        let Some(dataset) = protected.datasets.get(&question.dataset) else { continue };
        let model = Model { dataset, protected, tier: Tier::V4 };
        if model.is_sparse(question, MOST_HIDDEN) && !is_charged_first(question, protected) {
            return Err(model.refusal(question, words));
        }
        // What not even the widest noise would hide much of need not wait for the vault's word on its own.
        let widest = Model { tier: Tier::V144, ..model };
        let Some(asker) = asker.filter(|_| widest.is_sparse(question, MUCH_HIDDEN)) else { continue };
        let quoted = tokio::task::block_in_place(|| protected.oracle.quote(std::slice::from_ref(question), asker))?;
        let quotes = quoted.questions.iter().flatten();
        let tier = quotes.filter(|quote| !quote.is_exact).map(|quote| quote.charged_tier).max().unwrap_or(Tier::V4);
        let model = Model { tier, ..model };
        if model.is_sparse(question, MUCH_HIDDEN) {
            notes.push(Note::sparse(&model.remedy(question, MUCH_HIDDEN).0));
        }
    }
    notes.dedup();
    Ok(notes)
}

/// Whether all of a question is of a declared grid: that one is published, whatever it hides, and asking costs nothing.
fn is_charged_first(question: &CellQuery, protected: &Protected<'_>) -> bool {
    let units = [Measure::Units];
    let measures = if question.measures.is_empty() { &units[..] } else { &question.measures };
    measures.iter().all(|measure| question.is_charged_first(protected.datasets, measure))
}

/// What is expected of the cells of a dataset.
struct Model<'a> {
    dataset: &'a Dataset,
    protected: &'a Protected<'a>,
    /// The noise of its cells: it raises the floor.
    tier: Tier,
}

/// One group of a breakdown: its part of the units, and the protection that it asks for.
#[derive(Clone, Copy)]
struct Group {
    part: f64,
    profile: Profile,
}

impl Model<'_> {
    /// Whether more than a part of the units is expected in cells that are too small.
    fn is_sparse(&self, question: &CellQuery, most: f64) -> bool {
        // On a declared grid every cell is shown (privacy.md 6.6).
        let is_exact = |measure| question.is_exact(self.dataset, measure);
        let is_declared = !question.measures.is_empty() && question.measures.iter().all(is_exact);
        !is_declared && self.hidden(question).is_some_and(|hidden| hidden > most)
    }

    /// The part of the expected units in cells that are too small; none where it is not known or there is one cell.
    fn hidden(&self, question: &CellQuery) -> Option<f64> {
        let groups: Vec<Vec<Group>> =
            question.by.iter().zip(self.groups(question)).filter_map(|(by, groups)| self.parts(by, &groups)).collect();
        if groups.iter().map(Vec::len).fold(1, usize::saturating_mul) <= 1 {
            return None;
        }
        let mut cells = vec![Group { part: self.units(question)?, profile: Profile::Std }];
        for groups in &groups {
            let with = |cell: &Group, group: &Group| Group {
                part: cell.part * group.part,
                profile: cell.profile.max(group.profile),
            };
            cells = cells.iter().flat_map(|cell| groups.iter().map(move |group| with(cell, group))).collect();
        }
        let all: f64 = cells.iter().map(|cell| cell.part).sum();
        let is_small = |cell: &&Group| cell.part < self.tier.floor(self.dataset.floor(cell.profile)) as f64;
        let small: f64 = cells.iter().filter(is_small).map(|cell| cell.part).sum();
        (all > 0.0).then(|| small / all)
    }

    /// Units of the population, but for its breakdown.
    fn units(&self, question: &CellQuery) -> Option<f64> {
        let time = self.marginals().find(|marginal| self.is_of(&marginal.level, "time"))?;
        let is_broken_down = |dimension: &str| question.by.iter().any(|by| self.is_of(by.level(), dimension));
        let has = |level: &String| {
            let dimension = self.dataset.dimension_of(level).unwrap_or(level);
            is_broken_down(dimension) || question.population.iter().any(|condition| condition.dimension == dimension)
        };
        let left_out = time.conditions.iter().filter(|level| !has(level)).count();
        let mut units = time.all * LEFT_OUT.powi(left_out as i32);
        for condition in question.population.iter().filter(|condition| !is_broken_down(&condition.dimension)) {
            let is_a_condition =
                |level: &String| self.dataset.dimension_of(level) == Some(condition.dimension.as_str());
            // What the published table is of already, it is a part of no more.
            if time.conditions.iter().any(is_a_condition) {
                continue;
            }
            if let Some(parts) = self.spread(&condition.level) {
                units *= condition.codes.iter().filter_map(|code| parts.get(code)).sum::<f64>();
            }
        }
        Some(units)
    }

    /// The groups that the population leaves to each breakdown.
    fn groups(&self, question: &CellQuery) -> Vec<Vec<u16>> {
        question.groups(self.dataset, self.protected.years.clone())
    }

    /// The groups of a breakdown without the unknown ones; none where no marginal is published.
    fn parts(&self, by: &Breakdown, groups: &[u16]) -> Option<Vec<Group>> {
        let spread = self.spread(by.level())?;
        let unknown = self.dataset.unknown(by.level());
        let codes = |group: u16| match by {
            Breakdown::Level(_) => vec![group],
            Breakdown::Classes { classes, .. } => classes.get(usize::from(group)).cloned().unwrap_or_default(),
        };
        let known =
            groups.iter().map(|&group| codes(group)).filter(|codes| !codes.iter().all(|code| Some(*code) == unknown));
        let group = |codes: Vec<u16>| Group {
            part: codes.iter().filter_map(|code| spread.get(code)).sum(),
            profile: codes
                .iter()
                .map(|code| self.dataset.profile_of(by.level(), *code))
                .fold(Profile::Std, Profile::max),
        };
        Some(known.map(group).collect())
    }

    /// The part of the units that each code of a level has, by the nearest published level of its dimension.
    fn spread(&self, level: &str) -> Option<BTreeMap<u16, f64>> {
        let dimension = self.dataset.dimension_of(level)?;
        let mut published: Vec<&Marginal> =
            self.marginals().filter(|marginal| self.is_of(&marginal.level, dimension)).collect();
        let unknown = |level: &str| self.dataset.unknown(level);
        let reaches =
            |from: &str, to: &str| unknown(from).is_some_and(|code| self.dataset.roll_up(from, to, code).is_some());
        // The level itself, then a finer one to add up, then a coarser one to divide.
        published.sort_by_key(|marginal| (marginal.level != level, !reaches(&marginal.level, level)));
        let marginal = published
            .into_iter()
            .find(|marginal| reaches(&marginal.level, level) || reaches(level, &marginal.level))?;
        let years = self.protected.years.clone();
        let code_of = |text: &String| self.dataset.code_of(&marginal.level, text, years.clone());
        let of_code: BTreeMap<u16, f64> =
            marginal.units.iter().filter_map(|(text, units)| Some((code_of(text)?, units / marginal.all))).collect();
        let mut parts: BTreeMap<u16, f64> = BTreeMap::new();
        if reaches(&marginal.level, level) {
            for (code, part) in of_code {
                *parts.entry(self.dataset.roll_up(&marginal.level, level, code)?).or_default() += part;
            }
            return Some(parts);
        }
        let mut below: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
        for code in self.dataset.codes(level, years.clone())? {
            below.entry(self.dataset.roll_up(level, &marginal.level, code)?).or_default().push(code);
        }
        for (above, codes) in below {
            let part = of_code.get(&above).copied().unwrap_or_default() / codes.len() as f64;
            parts.extend(codes.into_iter().map(|code| (code, part)));
        }
        Some(parts)
    }

    fn marginals(&self) -> impl Iterator<Item = &Marginal> {
        self.protected.marginals.iter().filter(|marginal| marginal.dataset == self.dataset.name)
    }

    fn is_of(&self, level: &str, dimension: &str) -> bool {
        self.dataset.dimension_of(level) == Some(dimension)
    }

    fn refusal(&self, question: &CellQuery, words: &Words) -> Refusal {
        let (told, first) = self.remedy(question, MOST_HIDDEN);
        let detail = "By the published tables, more than 40 % of the units asked about would be in cells that are too small to be shown.";
        Refusal::new(Code::TooSparse, detail).at(first.and_then(|level| words.find(&level))).hint(format!("{told}."))
    }

    /// What to change so that no more than a part is hidden: each time the one change that leaves the fewest units hidden.
    /// The second is the level that is changed first.
    fn remedy(&self, question: &CellQuery, most: f64) -> (String, Option<String>) {
        let (mut question, mut told, mut first) = (question.clone(), Vec::new(), None);
        while self.is_sparse(&question, most) {
            let hidden = |(question, _): &(CellQuery, String)| self.hidden(question).unwrap_or_default();
            let changes = (0..question.by.len())
                .flat_map(|at| self.changes(&question, at).into_iter().map(move |change| (at, change)));
            // The first that is enough, coarser levels before none; else the best.
            let mut changes: Vec<_> = changes.collect();
            changes.sort_by(|(_, a), (_, b)| {
                let key = |change: &(CellQuery, String)| (hidden(change) > most, change.0.by.len() < question.by.len());
                key(a).cmp(&key(b)).then(hidden(a).total_cmp(&hidden(b)))
            });
            let Some((at, (next, change))) = changes.into_iter().next() else { break };
            first = first.or_else(|| question.by.get(at).map(|by| by.level().to_owned()));
            told.push(change);
            question = next;
        }
        (told.join(", and "), first)
    }

    /// A question without one of its breakdowns, or with a coarser level of it; and how to say that.
    fn changes(&self, question: &CellQuery, at: usize) -> Vec<(CellQuery, String)> {
        let Some(level) = question.by.get(at).map(Breakdown::level) else { return Vec::new() };
        let with = |breakdown: Option<Breakdown>| {
            let mut by = question.by.clone();
            by.splice(at..=at, breakdown);
            CellQuery { by, ..question.clone() }
        };
        let unknown = self.dataset.unknown(level).unwrap_or_default();
        // A level across that of a condition (fiscal years of one calendar year) would cut its codes in pieces.
        let dimension = self.dataset.dimension_of(level);
        let condition = question.population.iter().find(|c| Some(c.dimension.as_str()) == dimension);
        let fits = |other: &str| {
            let reaches = |from: &str, to: &str| {
                let code = self.dataset.unknown(from).unwrap_or_default();
                self.dataset.roll_up(from, to, code).is_some()
            };
            condition.is_none_or(|c| reaches(&c.level, other) || reaches(other, &c.level))
        };
        let is_coarser =
            |other: &&str| *other != level && self.dataset.roll_up(level, other, unknown).is_some() && fits(other);
        let levels = dimension.map(|dimension| self.dataset.levels(dimension)).unwrap_or_default();
        let coarser = levels.into_iter().filter(is_coarser);
        let coarser = coarser.map(|other| {
            (with(Some(Breakdown::Level(other.to_owned()))), format!("Write {other} in place of {level}"))
        });
        coarser.chain([(with(None), format!("Leave {level} out"))]).collect()
    }
}
