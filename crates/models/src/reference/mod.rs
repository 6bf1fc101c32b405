//! Reference data: administrative areas and what became of them, populations, courts, agencies, codes; each with the
//! days on which it is so.
//!
//! What the steward says of them are events (`area.declared`, …), folded like any (`sql/records`, `sql/marts`): a Snapshot has what was
//! said below its cut, so that an old edition keeps its denominators. Beneath the words lies what the program brings along
//! ([`Reference::beneath`]); a word on the same key takes its place.
//!
//! Reading order: the kinds of entry (`entries`, `agency`, `dated_code`), an entry as a line of a file and as an event
//! (`line`, `words`), all of them in a Snapshot ([`Reference::of`]), as tables for readers ([`Reference::tables`]).
//!
//! Absent: persons, the vault (nothing here counts anybody); populations by year (`edition::population`).

mod agency;
mod built_in;
mod dated_code;
mod entries;
mod line;
mod mart;
mod tables;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use policy::Policy;

use crate::error::ModelsError;
use crate::snapshot::Snapshot;

pub use agency::Agency;
pub use dated_code::DatedCode;
pub use entries::{Area, Change, Count, Court};
pub use line::{Cell, Column, Fields, Is, Line, Wrong, day, text_of_day};
pub use tables::OpenTable;
pub use words::said;

/// Reference data as they were known at one time; each kind in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// Administrative areas.
    pub areas: Vec<Area>,
    /// What became of areas.
    pub changes: Vec<Change>,
    /// Populations as they were counted, estimated or projected.
    pub counts: Vec<Count>,
    /// Courts.
    pub courts: Vec<Court>,
    /// Agencies.
    pub agencies: Vec<Agency>,
    /// Codes of lists.
    pub codes: Vec<DatedCode>,
}

impl Reference {
    /// What a Snapshot knows: what the program brings along under a policy, and the steward's words below the cut in
    /// place of that.
    ///
    /// # Errors
    /// A mart lacks a column: the Snapshot is of another program.
    pub fn of(snapshot: &Snapshot, policy: &Policy) -> Result<Self, ModelsError> {
        let built_in = Self::beneath(policy);
        let agencies = Agency::of_mart(snapshot.mart("agencies")?)?;
        let codes = DatedCode::of_mart(snapshot.mart("codes")?)?;
        Ok(Self {
            areas: whole_over(built_in.areas, mart::areas(snapshot.mart("areas")?)?, |area| area.area.clone()),
            changes: over(built_in.changes, mart::changes(snapshot.mart("area_changes")?)?),
            counts: over(built_in.counts, mart::counts(snapshot.mart("populations")?)?),
            courts: over(built_in.courts, mart::courts(snapshot.mart("courts")?)?),
            agencies: whole_over(built_in.agencies, agencies, |agency| agency.agency.clone()),
            codes: whole_over(built_in.codes, codes, |code| (code.list.clone(), code.code.clone())),
        })
    }

    /// The same without what is not so on a day (days since 1970-01-01). Changes are those until then, counts all.
    #[must_use]
    pub fn on(mut self, day: i32) -> Self {
        let lasts =
            |from: Option<i32>, to: Option<i32>| from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to);
        self.areas.retain(|area| lasts(area.valid_from, area.valid_to));
        self.changes.retain(|change| change.changed_on <= day);
        self.courts.retain(|court| lasts(Some(court.valid_from), court.valid_to));
        self.agencies.retain(|agency| lasts(agency.valid_from, agency.valid_to));
        self.codes.retain(|code| lasts(code.valid_from, code.valid_to));
        self
    }
}

/// Entries with those of `words` in place of or beside them. What is brought along of an area, an agency or a code has
/// no first day that could be vouched for, so that all words on the same one take its place.
fn whole_over<L: Line, T: Ord>(mut built_in: Vec<L>, words: Vec<L>, of: impl Fn(&L) -> T) -> Vec<L> {
    let said: BTreeSet<T> = words.iter().map(&of).collect();
    built_in.retain(|entry| !said.contains(&of(entry)));
    over(built_in, words)
}

/// Entries with those of `words` in place of or beside them.
fn over<L: Line>(built_in: Vec<L>, words: Vec<L>) -> Vec<L> {
    let mut by_key: BTreeMap<String, L> = BTreeMap::new();
    for entry in built_in.into_iter().chain(words) {
        by_key.insert(entry.key(), entry);
    }
    by_key.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tribal_areas_are_a_province_until_they_became_part_of_another() {
        let known = |text: &str| Reference::built_in().on(day(text).expect("a day"));
        let has = |reference: &Reference, code: &str| reference.areas.iter().any(|area| area.area == code);
        let (before, after) = (known("2018-05-30"), known("2018-06-01"));
        assert!(has(&before, "PK-TA") && before.changes.is_empty());
        assert!(!has(&after, "PK-TA") && has(&after, "PK-KP") && has(&after, "PK-PB-LHR"));
        let [change] = &after.changes[..] else { panic!("one change") };
        assert_eq!((change.area.as_str(), change.into_area.as_str()), ("PK-TA", "PK-KP"));
    }

    #[test]
    fn a_word_takes_the_place_of_what_the_program_brings_along_for_the_same_key_alone() {
        let built_in = Reference::built_in().counts;
        let mut word = built_in.iter().find(|count| count.area == "PK-IS").cloned().expect("it is brought along");
        word.persons += 1;
        let mut new = word.clone();
        new.counted_on += 400;
        let all = over(built_in.clone(), vec![word.clone(), new.clone()]);
        assert_eq!(all.len(), built_in.len() + 1);
        assert!(all.contains(&word) && all.contains(&new));

        let areas = Reference::built_in().areas;
        let capital = areas.iter().find(|area| area.area == "PK-IS").cloned().expect("it is brought along");
        let declared = Area { valid_from: day("1981-01-01"), ..capital.clone() };
        let all = whole_over(areas.clone(), vec![declared.clone()], |area| area.area.clone());
        assert!(all.contains(&declared) && !all.contains(&capital), "an area is not there twice");
        assert_eq!(all.len(), areas.len());
    }
}
