//! Makes clusters of links: the strongest first, and none that would put together who cannot be one.
//!
//! Of links that contradict each other the weakest is left out. A doubtful pair links nobody, so nobody comes together
//! through one.

use std::cmp::Reverse;

use crate::compare::{Contradiction, Table};
use crate::groups::Groups;
use crate::model::Model;
use crate::rules::{RULES, rule};
use crate::threshold::Threshold;

/// From this probability on, in millionths, it is plausible that two are one: a steward decides, and the lower bound counts them once.
pub const PLAUSIBLE: u32 = 100_000;
/// More persons than this are never put together but by a steward: nobody is known to so many agencies under so many ids,
/// and a token that means nothing would make such a cluster.
pub const MOST_TOGETHER: usize = 64;

/// Why a pair that could be one is not linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// The evidence is not enough.
    Weak,
    /// The two contradict each other.
    Contradicts(Contradiction),
    /// Somebody linked more strongly with one of them contradicts the other, or a steward holds them apart.
    OthersContradict,
    /// One agency knows both, or others linked with them, as two, and the evidence that it is mistaken is not enough.
    AgencyKeepsApart,
    /// Together they would be more than [`MOST_TOGETHER`].
    TooMany,
}

/// A pair that may be one, by rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub a: u32,
    pub b: u32,
    /// 0 for what a steward said, then rules in their order, then what only the model says.
    pub rank: u8,
    /// Probability by the model, millionths.
    pub probability: u32,
}

/// Rank of what only the model says.
const BY_MODEL: u8 = RULES.len() as u8 + 1;

impl Link {
    /// A steward's word.
    pub(crate) fn of_steward(a: u32, b: u32) -> Self {
        Self { a, b, rank: 0, probability: 1_000_000 }
    }

    /// What a merge by it tells as its evidence.
    pub(crate) fn evidence(&self) -> Evidence {
        match self.rank {
            0 => Evidence::Steward,
            BY_MODEL => Evidence::Model,
            rank => Evidence::Rule(RULES[usize::from(rank) - 1].name),
        }
    }

    /// What orders links: the strongest first, then as rows lie.
    pub(crate) fn order(&self) -> (u8, Reverse<u32>, u32, u32) {
        (self.rank, Reverse(self.probability), self.a, self.b)
    }

    /// The weaker of two.
    pub(crate) fn weaker(self, other: Self) -> Self {
        if self.order() > other.order() { self } else { other }
    }
}

/// Why two persons are taken to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// A steward said so.
    Steward,
    /// The rule of this name ([`RULES`]).
    Rule(&'static str),
    /// The model's probability alone.
    Model,
}

/// Judges pairs.
pub(crate) struct Judge<'a> {
    pub table: &'a Table,
    pub model: &'a Model,
    pub threshold: Threshold,
    /// Pairs that a steward holds apart, the smaller row first, sorted.
    pub apart: &'a [(u32, u32)],
}

impl Judge<'_> {
    /// What is to be said of a pair, and why it must not be linked.
    pub(crate) fn weigh(&self, a: u32, b: u32) -> (Link, Option<Doubt>) {
        let (pattern, within) = (self.table.compare(a, b), self.table.within(a, b));
        let contradiction = self.table.contradiction(a, b, pattern);
        let rank = rule(pattern, within, contradiction).map_or(BY_MODEL, |at| at as u8 + 1);
        let link = Link { a, b, rank, probability: self.model.millionths(pattern, within) };
        let doubt = match contradiction {
            Some(contradiction) => Some(Doubt::Contradicts(contradiction)),
            None if rank < BY_MODEL || link.probability >= self.threshold.of(within) => None,
            None if within => Some(Doubt::AgencyKeepsApart),
            None => Some(Doubt::Weak),
        };
        (link, doubt)
    }

    fn holds_apart(&self, a: u32, b: u32) -> bool {
        self.apart.binary_search(&(a.min(b), a.max(b))).is_ok()
    }

    /// Why two who come together through others cannot be one.
    fn objection(&self, a: u32, b: u32) -> Option<Doubt> {
        if self.holds_apart(a, b) {
            return Some(Doubt::OthersContradict);
        }
        match self.weigh(a, b).1 {
            Some(Doubt::Contradicts(_)) => Some(Doubt::OthersContradict),
            Some(Doubt::AgencyKeepsApart) => Some(Doubt::AgencyKeepsApart),
            _ => None,
        }
    }
}

/// Clusters as they grow.
pub(crate) struct Clustering<'a> {
    pub judge: Judge<'a>,
    pub groups: Groups,
    /// Links that brought two groups together.
    pub taken: Vec<Link>,
}

impl<'a> Clustering<'a> {
    /// Each person alone.
    pub(crate) fn new(judge: Judge<'a>) -> Self {
        let groups = Groups::new(judge.table.len());
        Self { judge, groups, taken: Vec::new() }
    }

    /// Puts two together, or says what forbids it.
    pub(crate) fn take(&mut self, link: Link) -> Result<(), Doubt> {
        if self.groups.find(link.a) == self.groups.find(link.b) {
            return Ok(());
        }
        if self.groups.size(link.a) + self.groups.size(link.b) > MOST_TOGETHER {
            return Err(Doubt::TooMany);
        }
        let objection = self
            .groups
            .members(link.a)
            .find_map(|a| self.groups.members(link.b).find_map(|b| self.judge.objection(a, b)));
        if let Some(doubt) = objection {
            return Err(doubt);
        }
        self.groups.join(link.a, link.b);
        self.taken.push(link);
        Ok(())
    }

    /// Puts two together by a steward's word, whatever else says.
    pub(crate) fn obey(&mut self, a: u32, b: u32) {
        if self.groups.join(a, b) {
            self.taken.push(Link::of_steward(a, b));
        }
    }

    /// Whether nobody need decide any more: they are together, or a steward has said that they are not.
    pub(crate) fn is_settled(&mut self, link: &Link) -> bool {
        self.groups.find(link.a) == self.groups.find(link.b) || self.judge.holds_apart(link.a, link.b)
    }
}
