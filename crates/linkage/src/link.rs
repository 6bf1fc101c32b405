//! From a register to clusters.

use std::cmp::Reverse;

use crate::blocks::Blocks;
use crate::cluster::{Clustering, Doubt, Evidence, Judge, Link, PLAUSIBLE};
use crate::clusters::Clusters;
use crate::compare::Table;
use crate::decisions::{DecisionError, Decisions};
use crate::groups::Groups;
use crate::mention::PersonId;
use crate::model::{Counts, Model, no_counts, population};
use crate::register::{Lists, Register};
use crate::threshold::Threshold;

/// Most holders of a token who are all compared with each other. What that leaves out is told in [`Summary::left_out`].
pub const MOST_IN_BLOCK: usize = 256;

/// A person who is one with an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The oldest of the cluster, whose id stays.
    pub kept: PersonId,
    /// The other.
    pub joined: PersonId,
    /// The weakest of the links by which they come together, the pair itself …
    pub pair: (PersonId, PersonId),
    /// … and what speaks for it.
    pub evidence: Evidence,
    /// Its probability by the model, per mille, whatever the evidence; 1000 for a steward's word.
    pub confidence: u16,
}

/// A pair for a steward to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubtful {
    /// The two persons, by id.
    pub pair: (PersonId, PersonId),
    /// Probability by the model, per mille.
    pub confidence: u16,
    /// Why they are not linked.
    pub because: Doubt,
}

/// What linkage did to the number of persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Persons of agencies, nobody linked: the upper bound of the number of persons.
    pub persons: u64,
    /// Clusters: the number of persons to publish.
    pub clusters: u64,
    /// Clusters if every plausible pair were linked, too: the lower bound.
    pub all_plausible_linked: u64,
    /// Persons of agencies who are in a cluster with others.
    pub linked: u64,
    /// Pairs compared.
    pub compared: u64,
    /// Pairs that share a token but are too many to be compared by it.
    pub left_out: u64,
    /// Decisions about somebody who is not known here (yet).
    pub waiting: u64,
}

impl Summary {
    /// Share of persons of agencies who are linked with others, per mille.
    pub fn linked_per_mille(&self) -> u64 {
        (self.linked * 1000).checked_div(self.persons).unwrap_or(0)
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Linkage {
    /// Who is one with whom.
    pub clusters: Clusters,
    /// Who would be, if every plausible pair were linked, too.
    pub plausible: Clusters,
    /// For each person who is one with an older one, why; by the person who joined.
    pub merges: Vec<Merge>,
    /// Pairs for a steward, the likeliest first.
    pub doubtful: Vec<Doubtful>,
    /// What that does to the number of persons.
    pub summary: Summary,
}

impl Linkage {
    /// Why this person is one with an older one; none for the oldest of a cluster.
    pub fn merge_of(&self, joined: &PersonId) -> Option<&Merge> {
        self.merges.binary_search_by_key(joined, |merge| merge.joined).ok().map(|at| &self.merges[at])
    }
}

/// Links everybody. A function of the register and the decisions alone.
pub fn link(register: &Register, decisions: &Decisions) -> Result<Linkage, DecisionError> {
    link_by_blocks(register, decisions, MOST_IN_BLOCK)
}

/// The same with another limit of blocks, to measure what the limit costs.
pub fn link_by_blocks(register: &Register, decisions: &Decisions, most: usize) -> Result<Linkage, DecisionError> {
    let table = Table::new(register);
    let blocks = Blocks::new(&table, most);
    let counts = count(&table, &blocks);
    let model = Model::fit(&table, &counts);
    let (one, waiting_to_join) = rows(register, &decisions.one);
    let (apart, waiting_to_part) = rows(register, &decisions.not_one);
    let judge = Judge { table: &table, model: &model, threshold: Threshold::new(&model, &counts), apart: &apart };
    let (strong, mut doubtful) = weigh_all(&judge, &blocks);
    let mut clustering = Clustering::new(judge);
    obey(&mut clustering, &one)?;
    doubtful.extend(strong.into_iter().filter_map(|link| Some((link, clustering.take(link).err()?))));
    doubtful.retain(|(link, _)| !clustering.is_settled(link));
    doubtful.sort_unstable_by_key(|(link, _)| (Reverse(link.probability), link.a, link.b));
    let clusters = in_order(register, &mut clustering.groups);
    let merges = merges(register, &clusters, &clustering.taken);
    let plausible = in_order(register, &mut if_linked(clustering, &doubtful));
    let summary = Summary {
        persons: table.len() as u64,
        clusters: clusters.len() as u64,
        all_plausible_linked: plausible.len() as u64,
        linked: clusters.iter().map(|members| members.len() as u64).filter(|many| *many > 1).sum(),
        compared: counts.iter().flatten().sum(),
        left_out: blocks.left_out,
        waiting: waiting_to_join + waiting_to_part,
    };
    let doubtful = doubtful.iter().map(|(link, because)| told(register, link, *because)).collect();
    Ok(Linkage { clusters, plausible, merges, doubtful, summary })
}

/// How often compared pairs show what.
fn count(table: &Table, blocks: &Blocks) -> Counts {
    let mut counts = no_counts();
    blocks.each_pair(|a, b| counts[population(table.within(a, b))][table.compare(a, b).number()] += 1);
    counts
}

/// Links to make, the strongest first, and pairs for a steward.
fn weigh_all(judge: &Judge<'_>, blocks: &Blocks) -> (Vec<Link>, Vec<(Link, Doubt)>) {
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    blocks.each_pair(|a, b| match judge.weigh(a, b) {
        (link, None) => strong.push(link),
        (link, Some(doubt)) if link.probability >= PLAUSIBLE => weak.push((link, doubt)),
        _ => {}
    });
    strong.sort_unstable_by_key(Link::order);
    (strong, weak)
}

/// Decided pairs as rows, the smaller first, sorted; and how many are about somebody who is not known.
fn rows(register: &Register, pairs: &[(PersonId, PersonId)]) -> (Vec<(u32, u32)>, u64) {
    let row = |(one, other): &(PersonId, PersonId)| Some((register.row(one)?, register.row(other)?));
    let mut known: Vec<(u32, u32)> = pairs.iter().filter_map(row).map(|(a, b)| (a.min(b), a.max(b))).collect();
    let waiting = (pairs.len() - known.len()) as u64;
    known.sort_unstable();
    known.dedup();
    (known, waiting)
}

/// Puts together whom a steward calls one, before any evidence is asked.
fn obey(clustering: &mut Clustering<'_>, one: &[(u32, u32)]) -> Result<(), DecisionError> {
    for (a, b) in one {
        clustering.obey(*a, *b);
    }
    let Clustering { judge, groups, .. } = clustering;
    match judge.apart.iter().filter(|(a, b)| groups.find(*a) == groups.find(*b)).count() {
        0 => Ok(()),
        many => Err(DecisionError::Contradictory(many)),
    }
}

/// Groups if plausible pairs were links, too. What cannot be one is not, plausible or not.
fn if_linked(mut clustering: Clustering<'_>, doubtful: &[(Link, Doubt)]) -> Groups {
    for (link, _) in doubtful {
        // What is refused stays two: that is the answer.
        let _ = clustering.take(*link);
    }
    clustering.groups
}

/// Clusters by their oldest member's first record, members likewise.
fn in_order(register: &Register, groups: &mut Groups) -> Clusters {
    let people = register.people();
    let mut rows: Vec<u32> = (0..people.len() as u32).collect();
    rows.sort_unstable_by_key(|row| (people[*row as usize].first_seen, *row));
    // A cluster has the number of its first member in that order.
    let mut numbers = vec![u32::MAX; people.len()];
    let mut keyed: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let number = &mut numbers[groups.find(*row) as usize];
        *number = (*number).min(at as u32);
        keyed.push((*number, at as u32));
    }
    keyed.sort_unstable();
    let person = |at: u32| people[rows[at as usize] as usize].person;
    Clusters::of(keyed.chunk_by(|a, b| a.0 == b.0).map(|cluster| cluster.iter().map(|(_, at)| person(*at)).collect()))
}

/// Why each person who is not the oldest of her cluster is one with the oldest: the weakest link between them.
fn merges(register: &Register, clusters: &Clusters, taken: &[Link]) -> Vec<Merge> {
    let links = links_of(register.len(), taken);
    let people = register.people();
    let mut merges = Vec::with_capacity(taken.len());
    for members in clusters.iter().filter(|members| members.len() > 1) {
        let oldest = register.row(&members[0]).expect("members of clusters are of the register");
        let mut waiting: Vec<(u32, u32, Option<Link>)> = vec![(oldest, oldest, None)];
        while let Some((row, from, weakest)) = waiting.pop() {
            if let Some(link) = weakest {
                let pair = (people[link.a as usize].person, people[link.b as usize].person);
                let joined = people[row as usize].person;
                let confidence = per_mille(link);
                merges.push(Merge { kept: members[0], joined, pair, evidence: link.evidence(), confidence });
            }
            for link in links.get(row as usize).iter().map(|at| taken[*at as usize]) {
                let next = if link.a == row { link.b } else { link.a };
                if next != from {
                    waiting.push((next, row, Some(weakest.map_or(link, |weakest| link.weaker(weakest)))));
                }
            }
        }
    }
    merges.sort_unstable_by_key(|merge| merge.joined);
    merges
}

/// By row: which links that were taken are hers. They are trees, one for each cluster.
fn links_of(rows: usize, taken: &[Link]) -> Lists {
    let ends = taken.iter().enumerate().flat_map(|(at, link)| [(link.a, at as u32), (link.b, at as u32)]);
    let mut ends: Vec<(u32, u32)> = ends.collect();
    ends.sort_unstable();
    Lists::from_sorted(rows, ends.into_iter())
}

fn told(register: &Register, link: &Link, because: Doubt) -> Doubtful {
    let person = |row: u32| register.people()[row as usize].person;
    Doubtful { pair: (person(link.a), person(link.b)), confidence: per_mille(*link), because }
}

fn per_mille(link: Link) -> u16 {
    (link.probability / 1000) as u16
}
