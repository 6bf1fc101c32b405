//! What the vault has in mind: anchors, their answers, charges. Made by replaying a store, and by nothing else.
//!
//! Absent: the store. A [`Draft`] collects what a release adds; it becomes a fact when the store has it.

use std::collections::HashMap;

use policy::{Key, Profile};

use crate::anchors::{AnchorId, Anchors, Found, Kept, Looked, Seeker, asked_set};
use crate::noise::{SetName, Tier};
use crate::prints::Prints;
use crate::release_store::{Anchor, AnchorFacts, Charge, Entry};
use crate::weak::Protection;

/// An answer already given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) tier: Tier,
    /// The released value; `None` where it was suppressed.
    pub(crate) value: Option<i128>,
}

/// The memory of a vault.
#[derive(Default)]
pub(crate) struct Memory {
    anchors: Anchors,
    answers: HashMap<(AnchorId, Profile), Answer>,
}

impl Memory {
    /// An empty one.
    pub(crate) fn new(protection: Protection) -> Self {
        let anchors = if protection.is_guarded() { Anchors::default() } else { Anchors::alone() };
        Self { anchors, answers: HashMap::new() }
    }

    /// Takes a fact in. `false` where it does not fit what is known, so that the store must be damaged.
    pub(crate) fn take(&mut self, entry: &Entry) -> bool {
        match entry {
            Entry::Anchor(anchor) => self.anchors.add(anchor).is_some(),
            Entry::Neighbour { set, anchor } => self.anchors.add_neighbour(set, *anchor).is_some(),
            Entry::Core { space, core, anchor } => self.anchors.add_core(space, *core, *anchor).is_some(),
            Entry::Answer { anchor, profile, tier, value } => {
                let Some(tier) = Tier::from_variance(*tier) else { return false };
                let before = self.answers.insert((*anchor, *profile), Answer { tier, value: *value });
                // An answer is given once, and may be taken back once.
                before.is_none_or(|before| before.value.is_some() && value.is_none())
            }
            // Charges are kept apart.
            Entry::Charge(_) => true,
        }
    }

    pub(crate) fn anchor(&self, id: AnchorId) -> &Kept {
        self.anchors.get(id)
    }

    /// What sets will find among those that were asked about by now.
    pub(crate) fn look_for(&self, distance_key: &Key, seekers: &[Seeker<'_>]) -> Vec<Looked> {
        self.anchors.look_for(distance_key, seekers)
    }

    /// Whether what an anchor answers is hidden for a less strict profile.
    pub(crate) fn is_hidden_below(&self, anchor: AnchorId, profile: Profile) -> bool {
        let hidden = |known: Profile| self.answer(anchor, known).is_some_and(|answer| answer.value.is_none());
        Profile::ALL.into_iter().filter(|known| *known < profile).any(hidden)
    }

    pub(crate) fn answer(&self, anchor: AnchorId, profile: Profile) -> Option<Answer> {
        self.answers.get(&(anchor, profile)).copied()
    }
}

/// A release in the making: what is known, and what it adds.
pub(crate) struct Draft<'a> {
    pub(crate) memory: &'a mut Memory,
    /// In order.
    pub(crate) new: Vec<Entry>,
}

impl<'a> Draft<'a> {
    pub(crate) fn on(memory: &'a mut Memory) -> Self {
        Self { memory, new: Vec::new() }
    }

    /// The anchor that answers for a set, which is remembered; a new one where it is near no other.
    ///
    /// A space begins with the empty set, so that nobody stays apart from a handful (privacy.md 6.7).
    pub(crate) fn anchor_for(
        &mut self,
        distance_key: &Key,
        seeker: Seeker<'_>,
        looked: Looked,
        facts: AnchorFacts,
    ) -> AnchorId {
        let Seeker { space, set, core, prints } = seeker;
        if !self.memory.anchors.knows(space) {
            let nobody = asked_set(space, SetName::default(), &Prints::default());
            self.add(Entry::Anchor(Anchor { set: nobody, facts: AnchorFacts::default() }));
        }
        let asked = || asked_set(space, set, prints);
        let anchor = match self.memory.anchors.find(distance_key, seeker, looked) {
            Some(Found::Same(anchor)) => anchor,
            Some(Found::Near(anchor)) => {
                self.add(Entry::Neighbour { set: asked(), anchor });
                anchor
            }
            None => {
                self.add(Entry::Anchor(Anchor { set: asked(), facts }));
                self.memory.anchors.len() - 1
            }
        };
        if !self.memory.anchors.knows_core(space, core) {
            self.add(Entry::Core { space: space.name.clone(), core, anchor });
        }
        anchor
    }

    /// Gives an anchor its answer for a profile, where it has none.
    pub(crate) fn give(&mut self, anchor: AnchorId, profile: Profile, answer: Answer) {
        if self.memory.answer(anchor, profile).is_none() {
            let tier = answer.tier.variance() as u16;
            self.add(Entry::Answer { anchor, profile, tier, value: answer.value });
        }
    }

    /// Takes back a number that an anchor gave for a profile: from now on it is hidden.
    pub(crate) fn take_back(&mut self, anchor: AnchorId, profile: Profile) {
        if let Some(Answer { tier, value: Some(_) }) = self.memory.answer(anchor, profile) {
            let tier = tier.variance() as u16;
            self.add(Entry::Answer { anchor, profile, tier, value: None });
        }
    }

    /// Notes what was charged; whoever charges takes it in.
    pub(crate) fn charge(&mut self, charge: Charge) {
        self.new.push(Entry::Charge(charge));
    }

    fn add(&mut self, entry: Entry) {
        let taken = self.memory.take(&entry);
        debug_assert!(taken, "what the vault makes, it can take in");
        self.new.push(entry);
    }
}
