//! Who is one with whom, in full: every person in one cluster, the oldest first.

use crate::mention::PersonId;

/// A partition of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    members: Vec<PersonId>,
    /// Where each cluster begins; the last entry is the end.
    starts: Vec<u32>,
}

impl Default for Clusters {
    fn default() -> Self {
        Self::of([])
    }
}

impl Clusters {
    /// From clusters, each with its oldest member first; for instance as told by events that were published.
    pub fn of(clusters: impl IntoIterator<Item = Vec<PersonId>>) -> Self {
        let (mut members, mut starts) = (Vec::new(), vec![0]);
        for cluster in clusters.into_iter().filter(|cluster| !cluster.is_empty()) {
            members.extend(cluster);
            starts.push(members.len() as u32);
        }
        Self { members, starts }
    }

    /// How many clusters.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many persons in all.
    pub fn persons(&self) -> usize {
        self.members.len()
    }

    /// Members of a cluster; the first is the oldest, and her id is that of the cluster.
    pub fn get(&self, cluster: usize) -> &[PersonId] {
        &self.members[self.starts[cluster] as usize..self.starts[cluster + 1] as usize]
    }

    /// All clusters, by their oldest member's first record.
    pub fn iter(&self) -> impl Iterator<Item = &[PersonId]> {
        (0..self.len()).map(|cluster| self.get(cluster))
    }
}
