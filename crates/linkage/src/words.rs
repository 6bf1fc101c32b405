//! What has to be said so that those who knew one partition know another: the events `persons.split`, `persons.merged` and
//! `persons.doubted` (domain.md 4), each about one person, so that the last word on a person is all that need be known of her.
//!
//! Splits come first. So nobody is ever told that persons are one who are one in neither partition. A cluster keeps its id as long as
//! the person who gave it is in it, even when somebody older becomes known there by a late record; of clusters that come together the
//! id of the older stays.

use std::collections::BTreeMap;

use crate::cluster::Evidence;
use crate::clusters::Clusters;
use crate::decisions::Decisions;
use crate::link::Linkage;
use crate::mention::PersonId;

/// What was said of a person so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Whom she is counted as; none if nothing was said: as herself.
    pub into: Option<PersonId>,
    /// Whom she would be counted as if all that is plausible were linked; none if nothing was said: as she is counted.
    pub plausible: Option<PersonId>,
}

/// One event about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// She leaves the cluster that had this id.
    Split {
        /// Id of the cluster that she leaves.
        from: PersonId,
        /// Whom she is counted as now: herself, or the oldest of those who leave with her.
        into: PersonId,
        /// Whose word it is: the steward's, or the model's.
        evidence: Evidence,
    },
    /// She is one with an older person.
    Merged {
        /// Whom she is counted as now.
        into: PersonId,
        /// What speaks for it.
        evidence: Evidence,
        /// Probability by the model, per mille.
        confidence: u16,
    },
    /// It is plausible that she is one with more persons, or with fewer, than was said.
    Doubted {
        /// Whom she would be counted as if all that is plausible were linked.
        into: PersonId,
    },
}

/// The words that lead from what is known to a new linkage, in the order in which they are to be said.
pub fn words(known: &BTreeMap<PersonId, Known>, linkage: &Linkage, decisions: &Decisions) -> Vec<(PersonId, Word)> {
    let counted_as = |person: &PersonId| known.get(person).and_then(|known| known.into).unwrap_or(*person);
    let ids = Ids::of(&linkage.clusters, counted_as);
    let (mut out, mut merged) = (Vec::new(), Vec::new());
    for members in linkage.clusters.iter() {
        let id = ids.of[&members[0]];
        for person in members {
            let was = counted_as(person);
            let mut is = was;
            if !members.contains(&was) {
                is = *members.iter().find(|other| counted_as(other) == was).unwrap_or(person);
                out.push((*person, Word::Split { from: was, into: is, evidence: decisions.parting(person) }));
            }
            if is != id {
                let (evidence, confidence) = linkage.evidence(person, &id);
                merged.push((*person, Word::Merged { into: id, evidence, confidence }));
            }
        }
    }
    out.extend(merged);
    out.extend(doubts(known, linkage, &ids));
    out
}

/// The id of each person's cluster.
struct Ids {
    of: BTreeMap<PersonId, PersonId>,
}

impl Ids {
    fn of(clusters: &Clusters, counted_as: impl Fn(&PersonId) -> PersonId) -> Self {
        let mut of = BTreeMap::new();
        for members in clusters.iter() {
            // Members come oldest first, so the first who gives an id to somebody here is the oldest who does.
            let gives = |person: &&PersonId| members.iter().any(|other| counted_as(other) == **person);
            let id = *members.iter().find(gives).unwrap_or(&members[0]);
            of.extend(members.iter().map(|person| (*person, id)));
        }
        Self { of }
    }
}

/// Whom each would be counted as, where that is other than what is known.
fn doubts<'a>(
    known: &'a BTreeMap<PersonId, Known>,
    linkage: &'a Linkage,
    ids: &'a Ids,
) -> impl Iterator<Item = (PersonId, Word)> + 'a {
    linkage.plausible.iter().flat_map(move |members| {
        // The oldest of all that is plausible, by the id of her cluster.
        let into = ids.of[&members[0]];
        members.iter().filter_map(move |person| {
            let said = known.get(person).and_then(|known| known.plausible).unwrap_or(ids.of[person]);
            (said != into).then_some((*person, Word::Doubted { into }))
        })
    })
}

impl Decisions {
    /// Whose word it is that a person leaves a cluster.
    fn parting(&self, person: &PersonId) -> Evidence {
        let by_steward = self.not_one.iter().any(|(one, other)| one == person || other == person);
        if by_steward { Evidence::Steward } else { Evidence::Model }
    }
}

impl Linkage {
    /// What speaks for it that a person is one with another of her cluster.
    fn evidence(&self, person: &PersonId, id: &PersonId) -> (Evidence, u16) {
        let merge = self.merge_of(person).or_else(|| self.merge_of(id));
        merge.map_or((Evidence::Model, 0), |merge| (merge.evidence, merge.confidence))
    }
}
