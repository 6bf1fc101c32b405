//! What agencies record of the people of the country: tokens, codes, and all that goes wrong.

use super::Country;
use super::people::{Person, any_province, people};
use crate::dice::Dice;
use crate::names::{TokenKind, mix};

/// A person as an agency records her, once.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// Who she really is.
    pub truth: u32,
    /// The agency's id of her.
    pub id: [u8; 16],
    /// Number of the agency.
    pub agency: u16,
    /// When it was recorded, milliseconds.
    pub recorded_ms: i64,
    /// Id of the event.
    pub event: [u8; 16],
    /// What stands in it.
    pub seen: Seen,
}

/// What an agency records of a person.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Hashes of tokens.
    pub tokens: Vec<(TokenKind, [u8; 16])>,
    /// Sex.
    pub sex: Option<u16>,
    /// First and last year in which she can be born.
    pub born: Option<(i16, i16)>,
    /// Citizenship.
    pub citizenship: Option<u16>,
    /// Province where she was met.
    pub province: Option<u16>,
}

/// What an agency is like: of a thousand records, how many have each token and each code, how many years its ages span.
struct Habits {
    /// How many of a hundred persons it meets.
    share: u32,
    document: u32,
    name_birth: u32,
    phonetic: u32,
    mother: u32,
    codes: u32,
    years: i16,
}

/// Six agencies: three of the state, two that protect, one helpline that asks for little.
const AGENCIES: [Habits; 6] = [
    Habits { share: 30, document: 980, name_birth: 990, phonetic: 990, mother: 950, codes: 990, years: 1 },
    Habits { share: 22, document: 950, name_birth: 990, phonetic: 990, mother: 900, codes: 980, years: 1 },
    Habits { share: 18, document: 900, name_birth: 980, phonetic: 980, mother: 900, codes: 970, years: 3 },
    Habits { share: 14, document: 800, name_birth: 970, phonetic: 970, mother: 850, codes: 950, years: 3 },
    Habits { share: 10, document: 700, name_birth: 960, phonetic: 960, mother: 800, codes: 900, years: 9 },
    Habits { share: 6, document: 500, name_birth: 950, phonetic: 940, mother: 600, codes: 800, years: 9 },
];

/// Of a thousand persons of an agency, how many are recorded a second time under their id, and how many under a second id.
const AGAIN: u32 = 150;
const TWICE: u32 = 1;
/// Of a thousand records, how many spell the name in another way, and of these how many sound different, too.
const SPELLED: u32 = 80;
const SOUNDS: u32 = 100;
/// Of a thousand records, how many have another spelling of the mother's name or another place.
const MOTHER_SPELLED: u32 = 20;
/// Of a thousand, how often a code is not what it is elsewhere: sex, citizenship; and how many are met away from home.
const WRONG_SEX: u32 = 1;
const WRONG_CITIZENSHIP: u32 = 10;
const AWAY: u32 = 150;
/// First time of recording and how long it goes on, milliseconds: 2011 to 2025.
const RECORDED: (i64, u32) = (1_293_840_000_000, 473_000_000);

/// All sightings, person by person.
pub struct Sightings {
    country: Country,
    dice: Dice,
    people: Vec<Person>,
    next: u32,
    serial: u64,
    waiting: Vec<Sighting>,
}

impl Sightings {
    pub(super) fn new(country: Country) -> Self {
        let people = people(country, &mut Dice::new(country.seed, 0));
        Self { country, dice: Dice::new(country.seed, 1), people, next: 0, serial: 0, waiting: Vec::new() }
    }

    /// Everything that agencies record of a person.
    fn meet(&mut self, truth: u32) {
        for agency in self.agencies() {
            let ids = 1 + u32::from(self.dice.mille(TWICE));
            for _ in 0..ids {
                let id = self.opaque(0x6964);
                for _ in 0..=u32::from(self.dice.mille(AGAIN)) {
                    let sighting = self.sighting(truth, agency, id);
                    self.waiting.push(sighting);
                }
            }
        }
    }

    /// The agencies that know a person: one, or where they overlap two, or for one in four three.
    fn agencies(&mut self) -> Vec<usize> {
        let many =
            if self.dice.mille(self.country.overlap_per_mille) { 2 + usize::from(self.dice.mille(250)) } else { 1 };
        let mut agencies = Vec::with_capacity(many);
        while agencies.len() < many {
            let mut at = self.dice.below(100);
            let drawn = AGENCIES.iter().position(|agency| {
                let here = at < agency.share;
                at = at.saturating_sub(agency.share);
                here
            });
            agencies.extend(drawn.filter(|agency| !agencies.contains(agency)));
        }
        agencies
    }

    fn sighting(&mut self, truth: u32, agency: usize, id: [u8; 16]) -> Sighting {
        let seen = self.seen(self.people[truth as usize], &AGENCIES[agency]);
        let recorded_ms = RECORDED.0 + i64::from(self.dice.below(RECORDED.1)) * 1000;
        Sighting { truth, id, agency: agency as u16, recorded_ms, event: self.opaque(0x6576), seen }
    }

    fn seen(&mut self, person: Person, habits: &Habits) -> Seen {
        let known = |dice: &mut Dice| dice.mille(habits.codes);
        let mut seen = Seen { tokens: self.tokens(person, habits), ..Seen::default() };
        let dice = &mut self.dice;
        seen.sex = known(dice).then(|| u16::from(person.woman != dice.mille(WRONG_SEX)));
        seen.born = known(dice).then(|| years(person, habits.years, dice));
        seen.citizenship = known(dice).then(|| u16::from(person.foreign != dice.mille(WRONG_CITIZENSHIP)));
        let away = dice.mille(AWAY).then(|| any_province(dice));
        seen.province = known(dice).then(|| away.unwrap_or(person.province()));
        seen
    }

    fn tokens(&mut self, person: Person, habits: &Habits) -> Vec<(TokenKind, [u8; 16])> {
        use TokenKind::{Document, MotherName, NameBirth, Phonetic};
        let record = Record::new(person, self.country, &mut self.dice);
        let habits = [
            (Document, habits.document),
            (NameBirth, habits.name_birth),
            (Phonetic, habits.phonetic),
            (MotherName, habits.mother),
        ];
        let mut tokens = Vec::with_capacity(4);
        for (kind, per_mille) in habits {
            if self.dice.mille(per_mille) && (kind != Document || person.documented) {
                tokens.push((kind, self.token(kind, record)));
            }
        }
        tokens
    }

    /// The token of a record, or another person's, or nobody's.
    fn token(&mut self, kind: TokenKind, record: Record) -> [u8; 16] {
        if !self.dice.mille(self.country.wrong_per_mille) {
            return record.token(self.country.seed, kind);
        }
        if self.dice.mille(500) {
            return self.opaque(0x7772);
        }
        let other = self.people[self.dice.below(self.people.len() as u32) as usize];
        let other = Record::new(other, self.country, &mut self.dice);
        other.token(self.country.seed, kind)
    }

    /// Sixteen bytes that nothing else has.
    fn opaque(&mut self, what: u64) -> [u8; 16] {
        self.serial += 1;
        hash(self.country.seed ^ mix(what), &[self.serial])
    }
}

impl Iterator for Sightings {
    type Item = Sighting;

    fn next(&mut self) -> Option<Sighting> {
        while self.waiting.is_empty() && (self.next as usize) < self.people.len() {
            self.meet(self.next);
            self.next += 1;
        }
        self.waiting.pop()
    }
}

/// First and last possible year of birth by a stated age: right for nine in ten, else off by one year or three.
fn years(person: Person, span: i16, dice: &mut Dice) -> (i16, i16) {
    let off = match dice.below(100) {
        _ if person.documented => 0,
        0..90 => 0,
        90..97 => dice.one(&[-1, 1]),
        _ => dice.one(&[-3, 3]),
    };
    let year = person.born.0 + off;
    let from = year - year.rem_euclid(span);
    (from, from + span - 1)
}

/// A person as one record spells her.
#[derive(Clone, Copy)]
struct Record {
    person: Person,
    /// Which spelling of the name; 0 is the usual one.
    spelling: u64,
    sounds: u64,
    mother: u64,
    /// Year and day of birth as stated; day 0 stands for a year alone.
    born: (i16, u16),
}

impl Record {
    fn new(person: Person, country: Country, dice: &mut Dice) -> Self {
        let spelling = if dice.mille(SPELLED) { 1 + u64::from(dice.below(3)) } else { 0 };
        let sounds = if spelling > 0 && dice.mille(SOUNDS) { spelling } else { 0 };
        let mother = if dice.mille(MOTHER_SPELLED) { 1 + u64::from(dice.below(3)) } else { 0 };
        let restated = !person.documented && dice.mille(country.restated_per_mille);
        let born = match (person.knows_day, restated) {
            (true, false) => (person.born.0, person.born.1 + 1),
            (false, true) => (person.born.0 + dice.one(&[-1, 1]), 0),
            (true, true) | (false, false) => (person.born.0, 0),
        };
        Self { person, spelling, sounds, mother, born }
    }

    fn token(self, seed: u64, kind: TokenKind) -> [u8; 16] {
        let Person { woman, given, surname, mother, district, .. } = self.person;
        let (year, day) = (self.born.0 as u64, u64::from(self.born.1));
        let pair = |(one, other): (u16, u16)| u64::from(one) << 16 | u64::from(other);
        let seed = mix(seed ^ kind as u64);
        match kind {
            TokenKind::Document => hash(seed, &[u64::from(self.person.number)]),
            TokenKind::NameBirth => hash(seed, &[pair((given, surname)), u64::from(woman), self.spelling, year, day]),
            TokenKind::Phonetic => hash(seed, &[pair(self.person.sound()), u64::from(woman), self.sounds, year, day]),
            TokenKind::MotherName => hash(seed, &[pair(mother), u64::from(district), self.mother]),
        }
    }
}

/// Sixteen bytes from numbers.
fn hash(seed: u64, numbers: &[u64]) -> [u8; 16] {
    let half = |start: u64| numbers.iter().fold(mix(start), |hash, number| mix(hash ^ mix(*number)));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half(seed).to_be_bytes());
    bytes[8..].copy_from_slice(&half(seed ^ 0x5eed).to_be_bytes());
    bytes
}
