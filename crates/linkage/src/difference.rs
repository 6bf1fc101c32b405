//! What has to be published so that those who knew one partition know another: the events `persons.split` and
//! `persons.merged` (domain.md 4).
//!
//! Splits come first. So nobody is ever told that persons are one who are one in neither partition, and there are no fewer
//! events that keep to this.

use std::collections::BTreeMap;

use crate::clusters::Clusters;
use crate::mention::PersonId;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These persons, oldest first, are not of the cluster any more that had this id; together they are a cluster of their own,
    /// named by the first.
    Split {
        /// Id of the cluster that they leave.
        from: PersonId,
        /// Who leaves.
        persons: Vec<PersonId>,
    },
    /// Two clusters are one; the older one's id stays.
    Merged {
        /// Id that stays.
        kept: PersonId,
        /// Id of the other; with it go all that it stood for.
        joined: PersonId,
    },
}

/// The events that lead from one partition to another. Persons that only one of them has are alone in the other: who is new
/// was not linked, and who is gone (erased) is told of by other events.
pub fn difference(old: &Clusters, new: &Clusters) -> Vec<Change> {
    let before: BTreeMap<PersonId, usize> = clusters_of_several(old);
    let (mut leaving, mut merged) = (BTreeMap::<usize, Vec<Vec<PersonId>>>::new(), Vec::new());
    for members in new.iter() {
        let mut pieces: Vec<(Option<usize>, Vec<PersonId>)> = Vec::new();
        for person in members {
            let was = before.get(person).copied();
            match pieces.iter_mut().find(|(piece, _)| was.is_some() && *piece == was) {
                Some((_, piece)) => piece.push(*person),
                None => pieces.push((was, vec![*person])),
            }
        }
        let joined = pieces.iter().skip(1).map(|(_, piece)| Change::Merged { kept: members[0], joined: piece[0] });
        merged.extend(joined);
        for (was, piece) in pieces {
            if let Some(was) = was {
                leaving.entry(was).or_default().push(piece);
            }
        }
    }
    let mut changes: Vec<Change> =
        leaving.into_iter().flat_map(|(was, pieces)| splits(old.get(was)[0], pieces)).collect();
    changes.extend(merged);
    changes
}

/// In which cluster of several persons each was.
fn clusters_of_several(clusters: &Clusters) -> BTreeMap<PersonId, usize> {
    let several = clusters.iter().enumerate().filter(|(_, members)| members.len() > 1);
    several.flat_map(|(at, members)| members.iter().map(move |person| (*person, at))).collect()
}

/// All pieces of a cluster leave it but the one that has its id, or the first if nobody has it any more.
fn splits(id: PersonId, mut pieces: Vec<Vec<PersonId>>) -> impl Iterator<Item = Change> {
    let stays = pieces.iter().position(|piece| piece.contains(&id)).unwrap_or(0);
    pieces.remove(stays);
    pieces.into_iter().map(move |persons| Change::Split { from: id, persons })
}
