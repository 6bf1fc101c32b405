//! The separation guard: nearly the same set gets the same released number (privacy.md 6.7).
//!
//! Every set that was asked about and is near no other is an anchor. A set near an anchor is answered as the anchor is,
//! so that nobody learns from two answers that their sets differ by one.
//!
//! Absent: members of sets; any choice that could be made again with another outcome.

use std::collections::{BTreeMap, HashMap};

use policy::Key;

use crate::measured::Space;
use crate::noise::SetName;
use crate::prints::{CASE_WORDS, Prints, UNIT_WORDS};
use crate::release_store::{Anchor, AnchorFacts};
use crate::sketch::{Buckets, Sketch, apart, distance, separation};

/// Farther than this in size or by buckets no set is near another.
const FARTHEST: u64 = 30;
/// The largest distance that sketches of units tell exactly.
const FARTHEST_UNITS: usize = 11;
/// The largest distance that sketches of cases tell exactly, and the largest that is near: two altered cases, or four
/// that came or went.
const FARTHEST_CASES: usize = 4;

/// Number of an anchor: its place in the order of making.
pub(crate) type AnchorId = u64;

/// An anchor in memory.
pub(crate) struct Kept {
    pub(crate) set: SetName,
    pub(crate) facts: AnchorFacts,
    sketch: Sketch<UNIT_WORDS>,
    cases: Sketch<CASE_WORDS>,
}

/// All anchors, by space.
#[derive(Default)]
pub(crate) struct Anchors {
    kept: Vec<Kept>,
    spaces: HashMap<String, Neighbours>,
    /// Whether sets answer for none but themselves: only in a vault that was weakened for attacks (`weak`).
    alone: bool,
}

/// The anchors of a space: by name, and by size with their buckets, oldest first.
#[derive(Default)]
struct Neighbours {
    exact: HashMap<SetName, AnchorId>,
    by_size: BTreeMap<u64, Vec<(AnchorId, Buckets)>>,
}

impl Anchors {
    /// Without separation guard.
    pub(crate) fn alone() -> Self {
        Self { alone: true, ..Self::default() }
    }

    pub(crate) fn get(&self, id: AnchorId) -> &Kept {
        &self.kept[id as usize]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> AnchorId {
        self.kept.len() as AnchorId
    }

    /// Whether a space was ever asked about.
    pub(crate) fn knows(&self, space: &Space) -> bool {
        self.spaces.contains_key(&space.name)
    }

    /// The anchor that answers for a set: the set itself, else the oldest near it.
    pub(crate) fn find(&self, distance_key: &Key, space: &Space, set: SetName, prints: &Prints) -> Option<AnchorId> {
        let neighbours = self.spaces.get(&space.name)?;
        if let Some(&same) = neighbours.exact.get(&set) {
            return Some(same);
        }
        if self.alone {
            return None;
        }
        let mut oldest: Option<AnchorId> = None;
        for (_, anchors) in neighbours.by_size.range(set.n.saturating_sub(FARTHEST)..=set.n + FARTHEST) {
            for (id, buckets) in anchors {
                if oldest.is_some_and(|oldest| oldest <= *id) {
                    break;
                }
                let apart = u64::from(apart(&prints.buckets, buckets));
                if apart <= FARTHEST && self.is_near(distance_key, space, (set, prints), *id, apart) {
                    oldest = Some(*id);
                }
            }
        }
        oldest
    }

    fn is_near(&self, key: &Key, space: &Space, (set, prints): (SetName, &Prints), id: AnchorId, apart: u64) -> bool {
        let anchor = self.get(id);
        let units = distance(&prints.sketch.xor(&anchor.sketch), FARTHEST_UNITS);
        if units.is_some_and(|units| (units as u64) < separation(key, &space.universe, set.c, anchor.set.c)) {
            return true;
        }
        // Only persons have cases; elsewhere both sketches are empty and would always be near.
        let empty = Sketch::default();
        if prints.cases == empty || anchor.cases == empty {
            return false;
        }
        let most = anchor.set.n.div_ceil(3).clamp(FARTHEST_UNITS as u64, FARTHEST);
        apart <= most && distance(&prints.cases.xor(&anchor.cases), FARTHEST_CASES).is_some()
    }

    /// Puts an anchor in, as the next in order. `None` where its words are not as many as they must be.
    pub(crate) fn add(&mut self, anchor: &Anchor) -> Option<AnchorId> {
        let set = SetName { n: anchor.n, c: anchor.c };
        let sketch = Sketch::from_words(anchor.sketch.as_slice().try_into().ok()?);
        let cases = Sketch::from_words(anchor.case_sketch.as_slice().try_into().ok()?);
        let buckets = Buckets::from_bytes(anchor.buckets.as_slice().try_into().ok()?);
        let id = self.kept.len() as AnchorId;
        self.kept.push(Kept { set, facts: anchor.facts, sketch, cases });
        let neighbours = self.spaces.entry(anchor.space.clone()).or_default();
        neighbours.exact.entry(set).or_insert(id);
        neighbours.by_size.entry(set.n).or_default().push((id, buckets));
        Some(id)
    }
}

/// A set as it is remembered.
pub(crate) fn anchor_of(space: &Space, set: SetName, prints: &Prints, facts: AnchorFacts) -> Anchor {
    Anchor {
        space: space.name.clone(),
        n: set.n,
        c: set.c,
        sketch: prints.sketch.words().to_vec(),
        case_sketch: prints.cases.words().to_vec(),
        buckets: prints.buckets.bytes().to_vec(),
        facts,
    }
}
