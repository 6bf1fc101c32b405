//! Who is compared with whom: those who share a token.
//!
//! A token that many hold (a mother's name that is everywhere) would make too many pairs. Its holders are then
//! compared only where province and sex are the same, too, and where these still are too many, not by this token:
//! whoever shares only that with another could not be linked by it either. How many pairs this leaves out is counted.
//!
//! Two who share nothing are not compared, and are strangers.

use crate::compare::Table;
use crate::register::{Lists, common};

/// Blocks: rows that are compared with each other.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// By block: its rows, ascending.
    members: Lists,
    /// By row: its blocks, ascending.
    of: Lists,
    /// Pairs that share a token and are not compared by it.
    pub left_out: u64,
}

impl Blocks {
    /// Blocks of at most so many persons.
    pub(crate) fn new(table: &Table, most: usize) -> Self {
        let (mut pairs, mut count, mut left_out) = (Vec::new(), 0_u32, 0);
        let mut add = |rows: &[u32]| {
            pairs.extend(rows.iter().map(|row| (count, *row)));
            count += 1;
        };
        for held in &table.held {
            for token in 0..held.holders.len() {
                let holders = held.holders.get(token);
                match holders.len() {
                    0 | 1 => {}
                    len if len <= most => add(holders),
                    len => left_out += pairs_of(len) - split(table, holders, most, &mut add),
                }
            }
        }
        let members = Lists::from_sorted(count as usize, pairs.into_iter());
        let of = members.inverse(table.len());
        Self { members, of, left_out }
    }

    /// Calls with every pair, once, the smaller row first, in an order that the register alone decides.
    pub(crate) fn each_pair(&self, mut call: impl FnMut(u32, u32)) {
        for block in 0..self.members.len() {
            let rows = self.members.get(block);
            for (at, &a) in rows.iter().enumerate() {
                for &b in &rows[at + 1..] {
                    // A pair of several blocks belongs to the first.
                    if common(self.of.get(a as usize), self.of.get(b as usize)).next() == Some(block as u32) {
                        call(a, b);
                    }
                }
            }
        }
    }
}

/// Pairs among so many.
pub(crate) fn pairs_of(many: usize) -> u64 {
    many as u64 * (many as u64).saturating_sub(1) / 2
}

/// Blocks of the holders with one province and one sex; gives how many pairs are in them.
fn split(table: &Table, holders: &[u32], most: usize, add: &mut impl FnMut(&[u32])) -> u64 {
    let part = |row: &u32| {
        let [sex, _, province] = table.codes[*row as usize];
        (province, sex)
    };
    let mut rows = holders.to_vec();
    rows.sort_by_key(part);
    let mut kept = 0;
    for part in rows.chunk_by(|a, b| part(a) == part(b)).filter(|rows| (2..=most).contains(&rows.len())) {
        add(part);
        kept += pairs_of(part.len());
    }
    kept
}
