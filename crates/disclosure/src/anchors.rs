//! The separation guard: nearly the same set gets the same released number (privacy.md 6.7).
//!
//! Every set that was asked about is remembered. One that is near no other is an *anchor* and has answers of its own; one
//! that is near another is a *neighbour*, and the anchor that answers for the other answers for it. So whoever asks about
//! two sets that differ by one person hears one number, whatever was asked before: the second set is nearest to the first.
//!
//! Were only anchors remembered, each of the two would be compared with a third set alone, at a middling distance, and one
//! could be answered by it and the other not.
//!
//! Absent: members of sets; any choice that could be made again with another outcome.

use std::collections::{BTreeMap, HashMap};

use policy::Key;

use crate::measured::Space;
use crate::noise::SetName;
use crate::prints::{CASE_WORDS, Prints, UNIT_WORDS};
use crate::release_store::{Anchor, AnchorFacts, AskedSet};
use crate::sketch::{
    Buckets, LEAST_SEPARATION, STRETCH, STRETCH_OF_FEW, Sketch, apart, distance, separation, spread, stretch,
};

/// Farther than this in size or by buckets no set is near another.
const FARTHEST: u64 = 30;
/// The largest distance that sketches of units tell exactly.
const FARTHEST_UNITS: usize = 11;
/// The largest distance that sketches of cases tell exactly, and the most that may be near: five altered cases, or eleven
/// that came or went.
const FARTHEST_CASES: usize = 11;
/// So many cases are always few: a new one, and one altered.
const LEAST_CASES: u64 = 3;
/// So many persons may always come or go with few cases: more than the distance of persons asks for.
const LEAST_BY_CASES: u64 = 12;

/// Number of an anchor: its place in the order of making.
pub(crate) type AnchorId = u64;

/// An anchor in memory.
pub(crate) struct Kept {
    pub(crate) set: SetName,
    pub(crate) facts: AnchorFacts,
    buckets: Buckets,
}

/// A set that was asked about, and who answers for it.
struct Asked {
    set: SetName,
    sketch: Sketch<UNIT_WORDS>,
    cases: Sketch<CASE_WORDS>,
    anchor: AnchorId,
    /// Whether it is the anchor's own set.
    is_anchor: bool,
}

/// All sets that were asked about, by space.
#[derive(Default)]
pub(crate) struct Anchors {
    kept: Vec<Kept>,
    asked: Vec<Asked>,
    spaces: HashMap<String, Neighbours>,
    /// Whether sets answer for none but themselves: only in a vault that was weakened for attacks (`weak`).
    alone: bool,
}

/// The sets of a space: by name, and by size with their buckets, oldest first.
#[derive(Default)]
struct Neighbours {
    exact: HashMap<SetName, AnchorId>,
    by_size: BTreeMap<u64, Vec<(usize, Buckets)>>,
}

/// Who answers for a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The set was asked about before.
    Same(AnchorId),
    /// It was not, and this anchor answers for a set near it.
    Near(AnchorId),
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

    /// The anchor that answers for a set: that of the set itself, else that of the nearest set that was asked about, the
    /// oldest where several are equally near.
    pub(crate) fn find(&self, key: &Key, space: &Space, set: SetName, prints: &Prints) -> Option<Found> {
        let neighbours = self.spaces.get(&space.name)?;
        if let Some(&same) = neighbours.exact.get(&set) {
            return Some(Found::Same(same));
        }
        if self.alone {
            return None;
        }
        let mut nearest: Option<(u64, usize)> = None;
        for (&n, sets) in neighbours.by_size.range(set.n.saturating_sub(FARTHEST)..=set.n + FARTHEST) {
            let most = most_by_cases(n);
            for (at, buckets) in sets {
                let least = u64::from(apart(&prints.buckets, buckets));
                // What differs by no less than the nearest does cannot be nearer.
                if least > most || nearest.is_some_and(|nearest| nearest <= (least, *at)) {
                    continue;
                }
                let distance = self.near(key, space, (set, prints), &self.asked[*at], least);
                nearest = distance.map(|distance| (distance, *at)).into_iter().chain(nearest).min();
            }
        }
        nearest.map(|(_, at)| Found::Near(self.asked[at].anchor))
    }

    /// How far a set is from one that was asked about, where it is near enough to be answered like it. `least` is what they
    /// differ by at least.
    fn near(
        &self,
        key: &Key,
        space: &Space,
        (set, prints): (SetName, &Prints),
        asked: &Asked,
        least: u64,
    ) -> Option<u64> {
        // What differs by more than sketches tell need not be asked.
        let told = (least <= FARTHEST_UNITS as u64).then(|| prints.sketch.xor(&asked.sketch));
        let units = told.and_then(|difference| distance(&difference, FARTHEST_UNITS)).map(|units| units as u64);
        let by_units = units.is_some_and(|units| units < separation(key, &space.universe, set.c, asked.set.c));
        let draw = |rule, range| spread(key, rule, &space.universe, (set.c, asked.set.c), range);
        let by_cases = || {
            case_distance(prints, asked).is_some_and(|apart| {
                least <= draw(b"dist3\0", LEAST_BY_CASES..=most_by_cases(asked.set.n))
                    && apart <= draw(b"dist4\0", LEAST_CASES..=FARTHEST_CASES as u64)
            })
        };
        if !by_units && !by_cases() {
            return None;
        }
        // Neighbours of neighbours must not lead away without end; of two that are hardly apart, the end is hardly ever between.
        let anchor = self.get(asked.anchor);
        let strayed = || {
            let most = if units.is_some_and(|units| units < LEAST_SEPARATION) { STRETCH_OF_FEW } else { STRETCH };
            u64::from(apart(&prints.buckets, &anchor.buckets)) > stretch(key, &space.universe, anchor.set.c, most)
        };
        if !asked.is_anchor && strayed() {
            return None;
        }
        Some(units.unwrap_or(least.max(FARTHEST_UNITS as u64 + 1)))
    }

    /// Puts an anchor in, as the next in order. `None` where its words are not as many as they must be.
    pub(crate) fn add(&mut self, anchor: &Anchor) -> Option<AnchorId> {
        let id = self.len();
        let (set, buckets) = self.remember(&anchor.set, id, true)?;
        self.kept.push(Kept { set, facts: anchor.facts, buckets });
        Some(id)
    }

    /// Puts a neighbour in. `None` where there is no such anchor, or its words are not as many as they must be.
    pub(crate) fn add_neighbour(&mut self, set: &AskedSet, anchor: AnchorId) -> Option<()> {
        self.kept.get(anchor as usize)?;
        self.remember(set, anchor, false).map(|_| ())
    }

    fn remember(&mut self, asked: &AskedSet, anchor: AnchorId, is_anchor: bool) -> Option<(SetName, Buckets)> {
        let set = SetName { n: asked.n, c: asked.c };
        let sketch = Sketch::from_words(asked.sketch.as_slice().try_into().ok()?);
        let cases = Sketch::from_words(asked.case_sketch.as_slice().try_into().ok()?);
        let buckets = Buckets::from_bytes(asked.buckets.as_slice().try_into().ok()?);
        let neighbours = self.spaces.entry(asked.space.clone()).or_default();
        neighbours.exact.entry(set).or_insert(anchor);
        neighbours.by_size.entry(set.n).or_default().push((self.asked.len(), buckets));
        self.asked.push(Asked { set, sketch, cases, anchor, is_anchor });
        Some((set, buckets))
    }
}

/// How many cases make the difference, an altered one twice (privacy.md 6.7).
fn case_distance(prints: &Prints, asked: &Asked) -> Option<u64> {
    // Only persons have cases; elsewhere both sketches are empty and would always be near.
    let empty = Sketch::default();
    let both = prints.cases != empty && asked.cases != empty;
    let apart = both.then(|| distance(&prints.cases.xor(&asked.cases), FARTHEST_CASES))?;
    apart.map(|cases| cases as u64)
}

/// By how many persons few cases may make a set of so many another one and be answered like it, at most: twice as many as
/// they may at least, or more, so that the edge is nowhere in particular.
fn most_by_cases(n: u64) -> u64 {
    (2 * n / 3).clamp(22, FARTHEST)
}

/// A set as it is remembered.
pub(crate) fn asked_set(space: &Space, set: SetName, prints: &Prints) -> AskedSet {
    AskedSet {
        space: space.name.clone(),
        n: set.n,
        c: set.c,
        sketch: prints.sketch.words().to_vec(),
        case_sketch: prints.cases.words().to_vec(),
        buckets: prints.buckets.bytes().to_vec(),
    }
}
