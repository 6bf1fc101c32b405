//! All persons of all agencies, one row each, in columns: what linkage compares.
//!
//! Mentions of one person are put together and rows lie by person id, so that neither the order in which mentions come
//! nor how they are cut into deliveries can be seen in anything that follows.
//!
//! Absent: who is one with whom.

use crate::mention::{Kind, LinkRef, Mention, PersonId};

/// A document that more persons hold than this is nobody's: a number that stands for an unknown one. It is no evidence
/// for or against anything.
pub(crate) const MOST_HOLDERS: usize = 16;

/// Why mentions cannot be used. Names no person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// One person id under two agencies.
    #[error(
        "a person id stands under two agencies ({0} and {1}): it is the surrogate of one agency's token, so make mentions from that agency's rows alone"
    )]
    TwoAgencies(u16, u16),
    /// More persons than row numbers.
    #[error("more than {} persons: link the country by parts", u32::MAX)]
    TooMany,
}

/// All persons that are known. Deliveries are added; nothing is taken away but by making it anew.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// By person id, each once.
    people: Vec<Mention>,
}

impl Register {
    /// The register of these mentions.
    pub fn of(mentions: impl IntoIterator<Item = Mention>) -> Result<Self, RegisterError> {
        Self::default().with(mentions)
    }

    /// With a delivery more: new persons, and more about those that are known.
    pub fn with(self, mentions: impl IntoIterator<Item = Mention>) -> Result<Self, RegisterError> {
        let mut all = self.people;
        all.extend(mentions);
        all.sort_by_key(|mention| mention.person);
        let mut people: Vec<Mention> = Vec::with_capacity(all.len());
        for mention in all {
            match people.last_mut() {
                Some(known) if known.person == mention.person && known.agency != mention.agency => {
                    let (one, other) = (known.agency, mention.agency);
                    return Err(RegisterError::TwoAgencies(one.min(other), one.max(other)));
                }
                Some(known) if known.person == mention.person => known.absorb(&mention),
                _ => people.push(mention),
            }
        }
        for person in &mut people {
            person.refs.sort_unstable();
            person.refs.dedup();
        }
        if u32::try_from(people.len()).is_err() { Err(RegisterError::TooMany) } else { Ok(Self { people }) }
    }

    /// How many persons.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The persons, by id.
    pub(crate) fn people(&self) -> &[Mention] {
        &self.people
    }

    /// The row of a person.
    pub(crate) fn row(&self, person: &PersonId) -> Option<u32> {
        self.people.binary_search_by_key(person, |mention| mention.person).ok().map(|row| row as u32)
    }

    /// Who holds which tokens of a kind.
    pub(crate) fn held(&self, kind: Kind) -> Held {
        let mut pairs: Vec<(LinkRef, u32)> = Vec::new();
        for (row, mention) in self.people.iter().enumerate() {
            pairs.extend(mention.refs.iter().filter(|(of, _)| *of == kind).map(|(_, link)| (*link, row as u32)));
        }
        pairs.sort_unstable();
        if kind == Kind::Document {
            pairs = pairs
                .chunk_by(|a, b| a.0 == b.0)
                .filter(|held| held.len() <= MOST_HOLDERS)
                .flatten()
                .copied()
                .collect();
        }
        Held::new(self.people.len(), &pairs)
    }
}

/// Lists of numbers in one vector: list `at` is `items[starts[at]..starts[at + 1]]`.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// From pairs of list and item that come sorted by list.
    pub(crate) fn from_sorted(lists: usize, pairs: impl Iterator<Item = (u32, u32)>) -> Self {
        let (mut starts, mut items) = (Vec::with_capacity(lists + 1), Vec::new());
        for (list, item) in pairs {
            starts.resize(list as usize + 1, items.len() as u32);
            items.push(item);
        }
        starts.resize(lists + 1, items.len() as u32);
        Self { starts, items }
    }

    /// The same pairs the other way round: for each item, in which of the lists it stands, ascending.
    pub(crate) fn inverse(&self, items: usize) -> Self {
        let mut starts = vec![0_u32; items + 1];
        for item in &self.items {
            starts[*item as usize + 1] += 1;
        }
        for at in 0..items {
            starts[at + 1] += starts[at];
        }
        let (mut next, mut lists) = (starts.clone(), vec![0_u32; self.items.len()]);
        for list in 0..self.len() {
            for item in self.get(list) {
                lists[next[*item as usize] as usize] = list as u32;
                next[*item as usize] += 1;
            }
        }
        Self { starts, items: lists }
    }

    /// How many lists.
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// One list.
    pub(crate) fn get(&self, list: usize) -> &[u32] {
        &self.items[self.starts[list] as usize..self.starts[list + 1] as usize]
    }
}

/// The tokens of one kind, numbered: who holds each, and which each person holds.
#[derive(Debug)]
pub(crate) struct Held {
    /// By token: rows of its holders, ascending.
    pub holders: Lists,
    /// By row: numbers of her tokens, ascending.
    pub tokens: Lists,
}

impl Held {
    fn new(people: usize, sorted: &[(LinkRef, u32)]) -> Self {
        let (mut count, mut last) = (0_u32, None);
        let mut numbered = Vec::with_capacity(sorted.len());
        for (link, row) in sorted {
            count += u32::from(last != Some(link));
            last = Some(link);
            numbered.push((count - 1, *row));
        }
        let holders = Lists::from_sorted(count as usize, numbered.into_iter());
        let tokens = holders.inverse(people);
        Self { holders, tokens }
    }

    /// How many hold the rarest token that both have; none if they share none.
    pub(crate) fn rarest_shared(&self, a: u32, b: u32) -> Option<usize> {
        let shared = common(self.tokens.get(a as usize), self.tokens.get(b as usize));
        shared.map(|token| self.holders.get(token as usize).len()).min()
    }

    /// Whether a person has a token of this kind.
    pub(crate) fn is_known(&self, row: u32) -> bool {
        !self.tokens.get(row as usize).is_empty()
    }
}

/// What two ascending lists have in common, ascending.
pub(crate) fn common<'a>(one: &'a [u32], other: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
            i += usize::from(a <= b);
            j += usize::from(b <= a);
            if a == b {
                return Some(*a);
            }
        }
        None
    })
}
