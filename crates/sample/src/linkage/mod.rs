//! A country in which several agencies meet the same people, and the truth about who is who: what linkage is measured on.
//!
//! It is apart from [`crate::World`], whose stories need no names. Here people have what tokens are made from: names of a
//! skewed distribution, spelled in several ways, a date of birth that many know only by its year, a mother, a
//! place, sometimes a document. All of these are numbers; nobody and nothing has a name that could be read.
//!
//! What goes wrong in registers goes wrong here: tokens that are another person's or nobody's, other spellings,
//! restated dates of birth, missing fields, siblings, twins, people who are registered twice under two ids. One thing does not: two
//! persons whom one agency holds to be one (the same wrong document as another of its people) are its own mistake, which no
//! linkage can see.
//!
//! Reading order: [`Country`] (how much of everything), `people` (who lives there), `sightings` (what agencies record).

mod people;
mod sightings;

pub use sightings::{Seen, Sighting, Sightings};

/// How much of everything there is.
#[derive(Debug, Clone, Copy)]
pub struct Country {
    /// Seed.
    pub seed: u64,
    /// Real persons whom agencies know.
    pub persons: u32,
    /// Of a thousand persons, how many are known to two agencies or three.
    pub overlap_per_mille: u32,
    /// Of a thousand tokens, how many are wrong: half another person's, half nobody's.
    pub wrong_per_mille: u32,
    /// Of a thousand records of people without documents, how many state another date of birth than the others: it is a
    /// part of both tokens of the name, so such a record shares neither with any other.
    pub restated_per_mille: u32,
    /// Of a thousand persons without documents, how many know their date of birth by its year alone, and so share both tokens
    /// of the name with namesakes of their age.
    pub year_alone_per_mille: u32,
    /// Of a thousand persons, how many have an identity document.
    pub documented_per_mille: u32,
}

impl Country {
    /// The country of the goals: 60 % have no document, and one in four of these knows her year of birth alone; 3 % of
    /// tokens are wrong.
    pub fn new(seed: u64, persons: u32, overlap_per_mille: u32) -> Self {
        Self {
            seed,
            persons,
            overlap_per_mille,
            wrong_per_mille: 30,
            restated_per_mille: 0,
            year_alone_per_mille: 250,
            documented_per_mille: 400,
        }
    }

    /// A harder one: half of those without documents know their year of birth alone, and one record in fifty of theirs
    /// states another date.
    pub fn nation(seed: u64, persons: u32, overlap_per_mille: u32) -> Self {
        let easier = Self::new(seed, persons, overlap_per_mille);
        Self { restated_per_mille: 20, year_alone_per_mille: 500, ..easier }
    }

    /// Everybody, as agencies see them.
    pub fn sightings(self) -> Sightings {
        Sightings::new(self)
    }
}
