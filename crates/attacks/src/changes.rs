//! A15: what changes from one Snapshot to the next (privacy.md 6.7 *Snapshots*, 7.2). The vault's memory stays; the rows are
//! others.
//!
//! Absent: questions that are asked on one Snapshot only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::membership::is_one_more;
use crate::people::People;
use crate::referee::{Arena, Size};
use crate::score::Tally;
use crate::target::{Door, Sql, Target};

/// How the victim's row may change between two Snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// She is reported, and nobody else.
    Added,
    /// She is reported together with two whom the attacker knows.
    AddedWithTwo,
    /// A late correction moves her into the period.
    Corrected,
}

/// How many known ones are reported with her.
const TWO: usize = 2;
/// Cells of the victim that are compared.
const CELLS: usize = 3;

/// "The victim came between e and e + 1": cells that would hold her, asked on both Snapshots. A tally for one cell and one
/// for three of them.
pub fn came(arena: &Arena, target: Target, size: Size, change: Change) -> Result<[Tally; 2]> {
    let public = Public::of(&arena.policy, &arena.people);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa15 << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        let cells = cells_of(&public, victim, size, change, &mut rng);
        if cells.len() < CELLS {
            return Ok(None);
        }
        let known: Vec<usize> = match change {
            Change::AddedWithTwo => cells[0].1.iter().copied().filter(|&at| at != victim).take(TWO).collect(),
            _ => Vec::new(),
        };
        let before = before(&arena.people, victim, &known, change, &mut rng);
        let comes = rng.random_bool(0.5);
        door.open(target, number % 16, &[&before])?;
        let conditions: Vec<String> = cells.iter().map(|(condition, _)| condition.clone()).collect();
        let first = door.counts("victims", &conditions);
        let after = match (comes, known.is_empty()) {
            (true, _) => arena.people.clone(),
            (false, true) => before,
            (false, false) => arena.people.without(&[victim]),
        };
        door.reopen(2, &[&after])?;
        let second = door.counts("victims", &conditions);
        let changed: Vec<bool> = (0..CELLS)
            .map(|at| {
                let others = known.iter().filter(|person| cells[at].1.contains(person)).count();
                is_one_more(&[second[at], first[at]], others as i64, target)
            })
            .collect();
        Ok(Some(([changed[0], changed.contains(&true)], comes)))
    })?;
    let mut tallies = [Tally::default(); 2];
    for (claims, truth) in results {
        claims.iter().zip(&mut tallies).for_each(|(claim, tally)| tally.add(*claim, truth));
    }
    Ok(tallies)
}

/// Populations that a person belongs to and that are of this size before anybody comes, each with its members: a smaller one
/// would be hidden then, and there would be nothing to compare.
fn cells_of(
    public: &Public<'_>,
    victim: usize,
    size: Size,
    change: Change,
    rng: &mut ChaCha8Rng,
) -> Vec<(String, Vec<usize>)> {
    const LEVELS: [[&str; 2]; 6] = [
        ["province", "sex"],
        ["province", "sector"],
        ["sex", "sector"],
        ["age_group", "status"],
        ["province", "age_group"],
        ["status", "sector"],
    ];
    let come = 1 + if change == Change::AddedWithTwo { TWO } else { 0 };
    let months = &public.known["month"];
    let mut cells = Vec::new();
    for levels in LEVELS {
        let span = (months[victim], months[victim] + rng.random_range(0..8));
        let mut group = public.like(&levels, victim);
        group.retain(|&at| (span.0..=span.1).contains(&months[at]));
        if size.holds(group.len().saturating_sub(come)) && span.1 <= *months.iter().max().unwrap_or(&0) {
            let base: Vec<String> = levels.iter().map(|level| public.condition(level, victim)).collect();
            cells.push((format!("{} and {}", base.join(" and "), between(span)), group));
        }
    }
    cells
}

/// The Snapshot before.
fn before(people: &People, victim: usize, known: &[usize], change: Change, rng: &mut ChaCha8Rng) -> People {
    if change != Change::Corrected {
        return people.without(&[&[victim], known].concat());
    }
    let mut before = People { name: 0, ..people.clone() };
    let months = &people.one["month"];
    let elsewhere = *months.iter().min().unwrap_or(&0);
    // Before the beginning of every period that is asked about, unless hers is the first: then after the end of all.
    let late = *months.iter().max().unwrap_or(&0);
    let moved = if months[victim] > elsewhere { elsewhere } else { late - rng.random_range(0..2) };
    if let Some(column) = before.one.get_mut("month") {
        column[victim] = moved;
    }
    before
}

/// What was seen of cells over Snapshots.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moved {
    /// Numbers that moved although three persons or fewer changed since they were first shown there.
    pub revealed: usize,
    /// All numbers that moved.
    pub moved: usize,
    /// Pairs of consecutive cells of which one to three persons changed.
    pub small: usize,
    /// Those of them whose number moved.
    pub small_moved: usize,
}

/// Snapshots of one history.
const SNAPSHOTS: usize = 8;
/// Breakdowns that are asked on each.
const BREAKDOWNS: [&str; 5] =
    ["province, sex", "sex, age_group", "province, sector", "status, sector", "age_group, sector"];

/// Eight Snapshots on which reports come late and rows are corrected; the same breakdowns on each.
pub fn histories(arena: &Arena, target: Target) -> Result<Moved> {
    let histories = arena.some(arena.trials.div_ceil(50).max(2), &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x15a << 32 | number);
        let mut seen: BTreeMap<(usize, Vec<String>), Seen> = BTreeMap::new();
        let mut moved = Moved::default();
        let mut people = arena.people.without(&some(arena.people.len(), 40 * SNAPSHOTS, &mut rng));
        let mut absent = some(arena.people.len(), 40 * SNAPSHOTS, &mut rng);
        for snapshot in 0..SNAPSHOTS {
            absent.truncate(40 * (SNAPSHOTS - snapshot - 1));
            people = corrected(&arena.people, &people, &absent, &mut rng);
            if snapshot == 0 {
                door.open(target, number, &[&people])?;
            } else {
                door.reopen(1 + snapshot as i64, &[&people])?;
            }
            let public = Public::of(&arena.policy, &people);
            for (at, by) in BREAKDOWNS.iter().enumerate() {
                for (codes, value, members) in cells(door, &public, &people, by) {
                    seen.entry((at, codes)).or_default().next(value, members, &mut moved);
                }
            }
        }
        Ok(Some(moved))
    })?;
    Ok(histories.into_iter().fold(Moved::default(), |a, b| Moved {
        revealed: a.revealed + b.revealed,
        moved: a.moved + b.moved,
        small: a.small + b.small,
        small_moved: a.small_moved + b.small_moved,
    }))
}

/// A cell over time: its number, who was in it when that number was first shown, and who was in it last.
#[derive(Default)]
struct Seen {
    /// Whether it was asked about before.
    asked: bool,
    value: Option<i64>,
    first: BTreeSet<u64>,
    last: BTreeSet<u64>,
}

impl Seen {
    fn next(&mut self, value: Option<i64>, members: BTreeSet<u64>, moved: &mut Moved) {
        let differ = self.asked && self.value != value;
        if self.asked {
            let step = self.last.symmetric_difference(&members).count();
            let since = self.first.symmetric_difference(&members).count();
            moved.moved += usize::from(differ);
            moved.revealed += usize::from(differ && since <= 3);
            moved.small += usize::from((1..=3).contains(&step));
            moved.small_moved += usize::from(differ && (1..=3).contains(&step));
        }
        if differ || !self.asked {
            self.first.clone_from(&members);
        }
        (self.asked, self.value, self.last) = (true, value, members);
    }
}

/// The cells of a breakdown of one year: codes, what is shown, and who is in it.
fn cells(
    door: &Door,
    public: &Public<'_>,
    people: &People,
    by: &str,
) -> Vec<(Vec<String>, Option<i64>, BTreeSet<u64>)> {
    let levels: Vec<&str> = by.split(", ").collect();
    let sql = format!("select {by}, count(*) from victims where year = 2023 group by {by}");
    let year = public.dataset.code_of("year", "2023", crate::people::YEARS);
    let mut members: BTreeMap<Vec<String>, BTreeSet<u64>> = BTreeMap::new();
    for person in (0..people.len()).filter(|&at| Some(public.known["year"][at]) == year) {
        let text = |level: &&str| public.dataset.code_text(level, public.known[*level][person]).unwrap_or_default();
        members.entry(levels.iter().map(text).collect()).or_default().insert(people.sid[person]);
    }
    let answer = door.ask(&sql);
    let (rows, numbers) = (answer.rows(), answer.numbers());
    let cell = |(row, numbers): (&Vec<serde_json::Value>, &Vec<Option<i64>>)| {
        let codes: Vec<String> =
            row.iter().take(levels.len()).map(|code| code.as_str().unwrap_or_default().to_owned()).collect();
        let members = members.get(&codes).cloned().unwrap_or_default();
        (codes, numbers.last().copied().flatten(), members)
    };
    rows.iter().zip(&numbers).map(cell).collect()
}

/// So many different persons.
fn some(persons: usize, wanted: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let person = rng.random_range(0..persons);
        if !chosen.contains(&person) {
            chosen.push(person);
        }
    }
    chosen
}

/// Everybody but those who are not reported yet; of 1 in 100 the sector, age and status are written anew.
fn corrected(all: &People, last: &People, absent: &[usize], rng: &mut ChaCha8Rng) -> People {
    let mut people = all.without(absent);
    for column in ["sector", "age_band", "status", "sex"] {
        let known: BTreeMap<u64, u16> = last.sid.iter().copied().zip(last.one[column].iter().copied()).collect();
        let codes = all.one[column].clone();
        if let Some(column) = people.one.get_mut(column) {
            for (sid, code) in people.sid.iter().zip(column.iter_mut()) {
                *code = *known.get(sid).unwrap_or(code);
                if rng.random_bool(0.01) {
                    *code = codes[rng.random_range(0..codes.len())];
                }
            }
        }
    }
    people
}
