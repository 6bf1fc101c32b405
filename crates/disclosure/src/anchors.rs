//! The separation guard: nearly the same set gets the same released number (privacy.md 6.7).
//!
//! Every set that was asked about is remembered. One that is near no other is an *anchor* and has answers of its own; one
//! that is near another is a *neighbour*, and the anchor that answers for the other answers for it. So whoever asks about
//! two sets that differ by one person hears one number, whatever was asked before: the second set is nearest to the first.
//!
//! Were only anchors remembered, each of the two would be compared with a third set alone, at a middling distance, and one
//! could be answered by it and the other not.
//!
//! One unit in four is *marked*, for ever and for all (`noise::is_marked`). Sets that have the same of all marked units, the *core*,
//! have one answer, which goes before all else. So a set with a unit that is not marked and the same without it have one answer,
//! whatever else is asked, in whatever order, by whomever. It says nothing of what the number itself tells.
//!
//! Somewhere between two anchors the answer changes. So that nobody chooses where, what was asked first *holds* what comes near
//! it, up to a distance that its anchor draws, against what is nearer. Otherwise whoever led the neighbours of both up to two
//! sets of one person's difference would always see them told apart.
//!
//! Absent: members of sets; any choice that could be made again with another outcome.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use policy::Key;

use crate::measured::Space;
use crate::noise::SetName;
use crate::prints::{CASE_WORDS, Prints, UNIT_WORDS};
use crate::release_store::{Anchor, AnchorFacts, AskedSet};
use crate::sketch::{
    Buckets, LEAST_SEPARATION, MOST_HELD, STRETCH, STRETCH_OF_FEW, Sketch, apart, distance, held, separation, spread,
    stretch,
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

/// The sets of a space: by name, by what they have of marked units, and by size.
#[derive(Default)]
struct Neighbours {
    exact: HashMap<SetName, AnchorId>,
    /// Nobody has nothing of anybody: the core 0.
    cores: HashMap<u128, AnchorId>,
    by_size: BTreeMap<u64, OfSize>,
}

/// The sets of one size, oldest first: places among all that were asked about, and buckets beside each other.
#[derive(Default)]
struct OfSize {
    places: Vec<usize>,
    buckets: Vec<Buckets>,
}

impl OfSize {
    /// Those from a place on.
    fn since(&self, place: usize) -> impl Iterator<Item = (usize, &Buckets)> {
        let from = self.places.partition_point(|&at| at < place);
        self.places[from..].iter().copied().zip(&self.buckets[from..])
    }
}

/// How far a set is from the nearest one that may answer for it, and the place of that. The smallest is the answer: the
/// newest where several are as near, so that of two sets asked in a row the second follows the first.
type Nearest = (u64, Reverse<usize>);

/// A set that looks for who answers for it.
#[derive(Clone, Copy)]
pub(crate) struct Seeker<'a> {
    pub(crate) space: &'a Space,
    pub(crate) set: SetName,
    /// What it has of marked units.
    pub(crate) core: u128,
    pub(crate) prints: &'a Prints,
}

/// What a look around has found so far, of the sets before a place.
#[derive(Clone, Copy, Default)]
pub(crate) struct Looked {
    until: usize,
    /// The nearest that may answer.
    nearest: Option<Nearest>,
    /// The oldest that holds what comes so near.
    holder: Option<usize>,
}

impl Looked {
    /// Whether a set at a place, at this distance or farther, could still change what was found.
    fn may_change(&self, least: u64, at: usize) -> bool {
        self.nearest.is_none_or(|nearest| (least, Reverse(at)) < nearest)
            || least <= MOST_HELD && self.holder.is_none_or(|holder| at < holder)
    }
}

/// Who answers for a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The set was asked about before.
    Same(AnchorId),
    /// It was not, and this anchor answers for a set that has the same of all marked units, or for one near it.
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

    /// Whether a set that has just this of marked units was asked about.
    pub(crate) fn knows_core(&self, space: &Space, core: u128) -> bool {
        self.spaces.get(&space.name).is_some_and(|neighbours| neighbours.cores.contains_key(&core))
    }

    /// The anchor that answers for a set: that of the first that has the same of all marked units, else that of the set itself,
    /// else that of the oldest set that holds it, else that of the nearest set that was asked about. Where it has looked
    /// around before, only at what was asked about since.
    pub(crate) fn find(&self, key: &Key, seeker: Seeker<'_>, before: Looked) -> Option<Found> {
        let neighbours = self.spaces.get(&seeker.space.name)?;
        match (self.of_core(neighbours, seeker.core), neighbours.exact.get(&seeker.set)) {
            (Some(anchor), None) => return Some(Found::Near(anchor)),
            (Some(anchor), Some(_)) | (None, Some(&anchor)) => return Some(Found::Same(anchor)),
            (None, None) => {}
        }
        let Looked { nearest, holder, .. } = self.look(key, seeker, before);
        let at = holder.or(nearest.map(|(_, Reverse(at))| at))?;
        Some(Found::Near(self.asked[at].anchor))
    }

    /// Looks around for many sets, on two threads: what each will find among the sets that were asked about by now.
    pub(crate) fn look_for(&self, key: &Key, seekers: &[Seeker<'_>]) -> Vec<Looked> {
        let every_other = |first: usize| {
            let looked = seekers.iter().skip(first).step_by(2).map(|&seeker| self.look(key, seeker, Looked::default()));
            looked.collect::<Vec<_>>()
        };
        let (even, odd) = std::thread::scope(|scope| {
            let odd = scope.spawn(|| every_other(1));
            (every_other(0), odd.join().expect("looking does not panic"))
        });
        (0..seekers.len()).map(|number| if number % 2 == 0 { even[number / 2] } else { odd[number / 2] }).collect()
    }

    /// Looks around among the sets since the last look. All sets of about the same size are compared by their buckets; by
    /// their sketches those that these do not tell apart, the likeliest first, until none can be nearer.
    fn look(&self, key: &Key, seeker: Seeker<'_>, before: Looked) -> Looked {
        let mut looked = Looked { until: self.asked.len(), ..before };
        let Some(neighbours) = self.spaces.get(&seeker.space.name) else { return looked };
        let is_known = || neighbours.exact.contains_key(&seeker.set) || neighbours.cores.contains_key(&seeker.core);
        if self.alone || is_known() {
            return looked;
        }
        for (least, places) in (0..).zip(neighbours.by_least(&seeker, before.until)) {
            for at in places {
                if !looked.may_change(least, at) {
                    continue;
                }
                let asked = &self.asked[at];
                let Some(distance) = self.near(key, seeker, asked, least) else { continue };
                looked.nearest = looked.nearest.into_iter().chain([(distance, Reverse(at))]).min();
                if distance <= MOST_HELD && distance <= held(key, &seeker.space.universe, self.get(asked.anchor).set.c)
                {
                    looked.holder = looked.holder.into_iter().chain([at]).min();
                }
            }
        }
        looked
    }

    /// How far a set is from one that was asked about, where it is near enough to be answered like it. `least` is what they
    /// differ by at least.
    fn near(&self, key: &Key, seeker: Seeker<'_>, asked: &Asked, least: u64) -> Option<u64> {
        let (universe, names) = (&seeker.space.universe, (seeker.set.c, asked.set.c));
        // What differs by more than sketches tell need not be asked.
        let units = |most: u64| {
            let told = least <= most && least <= FARTHEST_UNITS as u64;
            told.then(|| distance(&seeker.prints.sketch.xor(&asked.sketch), most as usize)).flatten()
        };
        let by_units = (least <= FARTHEST_UNITS as u64).then(|| separation(key, universe, names.0, names.1));
        let by_units = by_units.and_then(|apart| units(apart - 1));
        if by_units.is_none() && !near_by_cases(key, seeker, asked, least) {
            return None;
        }
        // Neighbours of neighbours must not lead away without end; of two that are hardly apart, the end is hardly ever between.
        let anchor = self.get(asked.anchor);
        let strayed = || {
            let few = by_units.is_some_and(|units| units < LEAST_SEPARATION as usize);
            let most = if few { STRETCH_OF_FEW } else { STRETCH };
            u64::from(apart(&seeker.prints.buckets, &anchor.buckets)) > stretch(key, universe, anchor.set.c, most)
        };
        if !asked.is_anchor && strayed() {
            return None;
        }
        let units = by_units.or_else(|| units(FARTHEST_UNITS as u64)).map(|units| units as u64);
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

    /// Notes who answers for all sets that have just this of marked units. `None` where there is no such anchor, or another does.
    pub(crate) fn add_core(&mut self, space: &str, core: u128, anchor: AnchorId) -> Option<()> {
        self.kept.get(anchor as usize)?;
        let before = self.spaces.entry(space.to_owned()).or_default().cores.insert(core, anchor);
        before.is_none().then_some(())
    }

    /// Who answers for all sets that have just this of marked units.
    fn of_core(&self, neighbours: &Neighbours, core: u128) -> Option<AnchorId> {
        neighbours.cores.get(&core).copied().filter(|_| !self.alone)
    }

    fn remember(&mut self, asked: &AskedSet, anchor: AnchorId, is_anchor: bool) -> Option<(SetName, Buckets)> {
        let set = SetName { n: asked.n, c: asked.c };
        let sketch = Sketch::from_words(asked.sketch.as_slice().try_into().ok()?);
        let cases = Sketch::from_words(asked.case_sketch.as_slice().try_into().ok()?);
        let buckets = Buckets::from_bytes(asked.buckets.as_slice().try_into().ok()?);
        let neighbours = self.spaces.entry(asked.space.clone()).or_default();
        neighbours.exact.entry(set).or_insert(anchor);
        if set == SetName::default() {
            neighbours.cores.insert(0, anchor);
        }
        let of_size = neighbours.by_size.entry(set.n).or_default();
        of_size.places.push(self.asked.len());
        of_size.buckets.push(buckets);
        self.asked.push(Asked { set, sketch, cases, anchor, is_anchor });
        Some((set, buckets))
    }
}

impl Neighbours {
    /// The places of the sets since a place that may be near a set, by what they differ from it by at least.
    fn by_least(&self, seeker: &Seeker<'_>, since: usize) -> [Vec<usize>; FARTHEST as usize + 1] {
        let mut by_least = [const { Vec::new() }; FARTHEST as usize + 1];
        let n = seeker.set.n;
        for (&size, sets) in self.by_size.range(n.saturating_sub(FARTHEST)..=n + FARTHEST) {
            let most = most_by_cases(size);
            for (at, buckets) in sets.since(since) {
                let least = apart(&seeker.prints.buckets, buckets);
                if u64::from(least) <= most {
                    by_least[least as usize].push(at);
                }
            }
        }
        by_least
    }
}

/// Whether few cases make the difference, an altered one counted twice (privacy.md 6.7).
///
/// What may differ is drawn first: a draw takes less time than a sketch, and tells how far it has to be read.
fn near_by_cases(key: &Key, seeker: Seeker<'_>, asked: &Asked, least: u64) -> bool {
    let draw = |rule, range| spread(key, rule, &seeker.space.universe, (seeker.set.c, asked.set.c), range);
    // Only persons have cases; elsewhere both sketches are empty and would always be near.
    let (here, there) = (&seeker.prints.cases, &asked.cases);
    if *here == Sketch::default() || *there == Sketch::default() {
        return false;
    }
    if least > LEAST_BY_CASES && least > draw(b"dist3\0", LEAST_BY_CASES..=most_by_cases(asked.set.n)) {
        return false;
    }
    let most = draw(b"dist4\0", LEAST_CASES..=FARTHEST_CASES as u64);
    distance(&here.xor(there), most as usize).is_some()
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
