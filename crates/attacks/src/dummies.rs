//! A14: an agency that reads is an agency that writes. It adds up to twenty fabricated persons, corrects and deletes them, and
//! asks before and after (privacy.md 7.2).
//!
//! Absent: rows of other agencies; whatever a review of its uploads would notice.

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Pair, Public};
use crate::membership::is_one_more;
use crate::people::{BALANCED, FIRST_SID, People};
use crate::referee::{Arena, Size};
use crate::score::Tally;
use crate::target::{Door, Sql, Target};

/// What is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Eleven in one case stand between two cells: as many as may differ where one case makes the difference.
    AtTheEdge,
    /// Twelve in four cases stand between two cells: as many cases as may differ.
    FourCases,
    /// A cell that would hold nobody but the victim gets twenty in one case.
    OneCase,
    /// The same with twenty in twenty cases, who are deleted for the next Snapshot.
    ManyCases,
    /// Three come with each of six Snapshots, in one case, into a cell that is asked about each time; the victim with the
    /// last.
    OverTime,
}

/// Whether the victim has the secret.
pub fn padded(arena: &Arena, target: Target, padding: Padding) -> Result<Tally> {
    let public = Public::of(&arena.policy, &arena.people);
    let bases = public.isolating(2, 0);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa14 << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        if bases[victim].is_empty() {
            return Ok(None);
        }
        let levels = &bases[victim][rng.random_range(0..bases[victim].len())];
        let persons = if padding == Padding::FourCases { 80..=140 } else { 26..=60 };
        let Some(pair) = public.pair(victim, levels, &persons, 0, &mut rng) else { return Ok(None) };
        let having = pair.rest.iter().filter(|&&at| arena.people.has(&arena.policy, at, BALANCED)).count();
        if padding != Padding::FourCases && !Size::Small.holds(having) || having < 11 {
            return Ok(None);
        }
        let own = public.months_of(victim);
        let trial = Trial { arena, victim, pair: &pair, own: format!("{} and {own}", pair.base.join(" and ")) };
        let claim = trial.run(door, (target, number % 16), padding)?;
        Ok(Some((claim, arena.people.has(&arena.policy, victim, BALANCED))))
    })?;
    let mut tally = Tally::default();
    for (claim, truth) in results {
        tally.add(claim, truth);
    }
    Ok(tally)
}

/// One victim.
struct Trial<'a> {
    arena: &'a Arena,
    victim: usize,
    pair: &'a Pair,
    /// The cell of which she is the only one.
    own: String,
}

impl Trial<'_> {
    fn run(&self, door: &Door, (target, keys): (Target, u64), padding: Padding) -> Result<bool> {
        let people = &self.arena.people;
        let secret = BALANCED.sql();
        match padding {
            Padding::AtTheEdge | Padding::FourCases => {
                let (persons, cases) = if padding == Padding::AtTheEdge { (11, 1) } else { (12, 4) };
                door.open(target, keys, &[&with(self.arena, self.victim, persons, cases)])?;
                let both = [self.pair.smaller(&secret), self.pair.larger(&secret)];
                let answers = door.counts("victims", &both);
                Ok(differ(answers[1], answers[0], persons as i64, target))
            }
            Padding::OneCase | Padding::ManyCases => {
                let cases = if padding == Padding::OneCase { 1 } else { 20 };
                let cell = format!("{} and {secret}", self.own);
                door.open(target, keys, &[&with(self.arena, self.victim, 20, cases)])?;
                let padded = door.counts("victims", std::slice::from_ref(&cell))[0];
                door.reopen(2, &[people])?;
                let deleted = door.counts("victims", &[cell])[0];
                let changed = deleted.is_some() && deleted != padded;
                Ok(padded.is_some_and(|shown| 2 * shown > 41) || changed)
            }
            Padding::OverTime => self.over_time(door, (target, keys), &secret),
        }
    }

    fn over_time(&self, door: &Door, (target, keys): (Target, u64), secret: &str) -> Result<bool> {
        let cell = self.pair.larger(secret);
        let mut last = None;
        for snapshot in 0..6 {
            let all = with(self.arena, self.victim, 3 * snapshot, 1);
            let rows = if snapshot < 5 { all.without(&[self.victim]) } else { all };
            if snapshot == 0 {
                door.open(target, keys, &[&rows])?;
            } else {
                door.reopen(1 + snapshot as i64, &[&rows])?;
            }
            let answer = door.counts("victims", std::slice::from_ref(&cell))[0];
            if snapshot == 5 {
                return Ok(differ(answer, last, 3, target));
            }
            last = answer;
        }
        Ok(false)
    }
}

/// Whether the second cell has one person more than the known ones: exactly; by noise, as is likelier; where nearly the same
/// persons have one number, as they have not.
fn differ(larger: Option<i64>, smaller: Option<i64>, known: i64, target: Target) -> bool {
    if target == Target::Ours { larger != smaller } else { is_one_more(&[larger, smaller], known, target) }
}

/// Everybody, and so many who are like the victim and have the secret, in so many cases of one state body.
fn with(arena: &Arena, victim: usize, persons: usize, cases: usize) -> People {
    let mut people = People { name: 0, ..arena.people.clone() };
    let code = arena
        .policy
        .datasets
        .get("victims")
        .and_then(|dataset| dataset.code_of(BALANCED.column, BALANCED.code, crate::people::YEARS));
    let agency = arena.policy.agencies.get("POL-PB").map_or(people.agency[victim], |agency| agency.index);
    for number in 0..persons {
        people.sid.push(FIRST_SID + 1_000_000 + number as u64);
        people.case.push(900_000 + (number % cases.max(1)) as u64);
        people.agency.push(agency);
        for (name, column) in &mut people.one {
            let own = column[victim];
            column.push(if name == BALANCED.column { code.unwrap_or(own) } else { own });
        }
        for column in people.many.values_mut() {
            column.push(column[victim].clone());
        }
    }
    people
}
