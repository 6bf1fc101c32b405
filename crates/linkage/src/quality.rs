//! How good clusters are, where the truth is known: pair by pair, and cluster by cluster.

use std::collections::BTreeMap;

use crate::clusters::Clusters;
use crate::mention::PersonId;

/// Clusters beside the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quality {
    /// Pairs that are one person.
    pub true_pairs: u64,
    /// Pairs that are in one cluster.
    pub found_pairs: u64,
    /// Pairs that are both.
    pub right_pairs: u64,
    /// Real persons.
    pub people: u64,
    /// Clusters found.
    pub clusters: u64,
    /// Clusters that are a real person, whole and nobody else.
    pub whole: u64,
}

impl Quality {
    /// Beside the truth: a number for each person of an agency, the same for all who are one.
    pub fn of(clusters: &Clusters, truth: impl Fn(&PersonId) -> u64) -> Self {
        let mut quality = Self { clusters: clusters.len() as u64, ..Self::default() };
        let mut people: BTreeMap<u64, u64> = BTreeMap::new();
        for members in clusters.iter() {
            quality.found_pairs += pairs(members.len() as u64);
            for (real, many) in counted(members.iter().map(&truth)) {
                quality.right_pairs += pairs(many);
                *people.entry(real).or_default() += many;
            }
        }
        quality.people = people.len() as u64;
        quality.true_pairs = people.values().map(|many| pairs(*many)).sum();
        let is_whole = |members: &[PersonId]| {
            let real = truth(&members[0]);
            members.iter().all(|person| truth(person) == real) && people.get(&real) == Some(&(members.len() as u64))
        };
        quality.whole = clusters.iter().filter(|members| is_whole(members)).count() as u64;
        quality
    }

    /// Of the pairs found, how many are right; 1 where none was found.
    pub fn precision(&self) -> f64 {
        ratio(self.right_pairs, self.found_pairs)
    }

    /// Of the pairs there are, how many were found; 1 where there are none.
    pub fn recall(&self) -> f64 {
        ratio(self.right_pairs, self.true_pairs)
    }

    /// Harmonic mean of both.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.right_pairs, self.found_pairs + self.true_pairs)
    }

    /// Of the real persons, how many are a cluster, whole and nobody else.
    pub fn whole_share(&self) -> f64 {
        ratio(self.whole, self.people)
    }

    /// Clusters found for each real person: what a count of clusters makes of one person.
    pub fn counted_per_person(&self) -> f64 {
        ratio(self.clusters, self.people)
    }
}

fn pairs(many: u64) -> u64 {
    many * many.saturating_sub(1) / 2
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn counted(numbers: impl Iterator<Item = u64>) -> BTreeMap<u64, u64> {
    let mut counted = BTreeMap::new();
    numbers.for_each(|number| *counted.entry(number).or_default() += 1);
    counted
}
