//! Compares two persons, and says what forbids that they are one.
//!
//! Absent: any weighing (model), any choice (cluster).

use crate::mention::Kind;
use crate::pattern::{
    Pattern, birth, birth_level, code_level, document_level, mother_level, name_level, papers_level, years_apart,
};
use crate::register::{Held, Register};

/// Two estimates of one person's year of birth can be so many years apart; more is a contradiction. Ages of people without
/// papers are estimated, and heap at tens.
pub(crate) const YEARS_APART: i16 = 5;

/// Everybody in columns.
#[derive(Debug)]
pub(crate) struct Table {
    /// Tokens by kind, in the order of [`Kind::ALL`].
    pub held: [Held; 4],
    /// Number of the agency, by row.
    pub agencies: Vec<u16>,
    /// Years of birth, by row.
    pub born: Vec<Option<(i16, i16)>>,
    /// Sex, citizenship and province, by row.
    pub codes: Vec<[Option<u16>; 3]>,
}

/// Why two cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// Both sexes are known and differ.
    Sex,
    /// Years of birth are more than five years apart.
    Birth,
    /// Both have documents and share none, and they are of one agency, or do not share both a token of the name and one
    /// of the mother's name.
    Documents,
    /// Neither the name nor the mother's name is the same, whatever document they share: one has the document of the other.
    Names,
}

impl Table {
    pub(crate) fn new(register: &Register) -> Self {
        let people = register.people();
        Self {
            held: Kind::ALL.map(|kind| register.held(kind)),
            agencies: people.iter().map(|person| person.agency).collect(),
            born: people.iter().map(|person| person.born.years()).collect(),
            codes: people.iter().map(|p| [p.sex.one(), p.citizenship.one(), p.province.one()]).collect(),
        }
    }

    /// How many persons.
    pub(crate) fn len(&self) -> usize {
        self.agencies.len()
    }

    /// Whether two persons are of one agency.
    pub(crate) fn within(&self, a: u32, b: u32) -> bool {
        self.agencies[a as usize] == self.agencies[b as usize]
    }

    /// Compares two persons.
    pub(crate) fn compare(&self, a: u32, b: u32) -> Pattern {
        let [document, exact, sound, mother] = std::array::from_fn(|kind| {
            let held = &self.held[kind];
            (held.rarest_shared(a, b), held.is_known(a) && held.is_known(b))
        });
        let papers = papers_level(self.held[0].is_known(a), self.held[0].is_known(b));
        let (one, other) = (self.codes[a as usize], self.codes[b as usize]);
        let [sex, citizenship, province] = std::array::from_fn(|at| code_level(one[at], other[at]));
        Pattern {
            tokens: [
                document_level(document.0, document.1),
                name_level(exact, sound),
                mother_level(mother.0, mother.1),
            ],
            codes: [birth_level(self.born[a as usize], self.born[b as usize]), sex, citizenship, province, papers],
        }
    }

    /// What forbids that two persons with this pattern are one.
    pub(crate) fn contradiction(&self, a: u32, b: u32, pattern: Pattern) -> Option<Contradiction> {
        if pattern.sexes_differ() {
            return Some(Contradiction::Sex);
        }
        let apart = || years_apart(self.born[a as usize], self.born[b as usize]);
        if pattern.codes[0] == birth::FAR && apart().is_some_and(|years| years > YEARS_APART) {
            return Some(Contradiction::Birth);
        }
        if pattern.names_contradict() {
            return Some(Contradiction::Names);
        }
        pattern.documents_contradict(self.within(a, b)).then_some(Contradiction::Documents)
    }
}
