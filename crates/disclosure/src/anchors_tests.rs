//! Who answers for a set, against the rule written down in full (docs/decisions, `what-was-asked-first-holds`).

use policy::Key;

use crate::anchors::{Anchors, Found, Looked, Seeker, asked_set};
use crate::gf64::tests::numbers;
use crate::measured::Space;
use crate::noise::{SetName, record_key};
use crate::prints::Prints;
use crate::release_store::{Anchor, AnchorFacts};
use crate::sketch::{LEAST_SEPARATION, MOST_HELD, STRETCH, STRETCH_OF_FEW, apart, element, held, separation, stretch};

fn key() -> Key {
    Key::from_bytes(std::array::from_fn(|i| 0x60 + i as u8))
}

fn space() -> Space {
    let universe = "victims".to_owned();
    Space { name: "victims/units".to_owned(), universe, seed: Vec::new(), scale: 1, micros: 1_000_000 }
}

/// The units from `from` to `to`, who have no cases.
#[derive(Clone)]
struct Set {
    from: u64,
    to: u64,
    name: SetName,
    prints: Prints,
}

impl Set {
    fn of(from: u64, to: u64) -> Self {
        let mut prints = Prints::default();
        let add = |c: u128, sid| {
            prints.add(element(&key(), "victims", sid));
            c.wrapping_add(record_key(&key(), "victims", sid))
        };
        let c = (from..=to).fold(0, add);
        Self { from, to, name: SetName { n: to + 1 - from, c }, prints }
    }

    fn differs(&self, other: &Self) -> u64 {
        self.from.abs_diff(other.from) + self.to.abs_diff(other.to)
    }

    fn seeks<'a>(&'a self, space: &'a Space) -> Seeker<'a> {
        Seeker { space, set: self.name, prints: &self.prints }
    }
}

/// What was asked about, by the guard and as a plain list: the set, and the number of the anchor that answers for it.
struct World {
    space: Space,
    anchors: Anchors,
    asked: Vec<(Set, u64)>,
}

impl World {
    fn new() -> Self {
        Self { space: space(), anchors: Anchors::default(), asked: Vec::new() }
    }

    fn anchor(&self, number: u64) -> &Set {
        let own = self.asked.iter().find(|(_, anchor)| *anchor == number);
        &own.expect("an anchor is the first that it answers for").0
    }

    /// The rule: the oldest that holds it, else the nearest, of equally near ones the newest.
    fn by_the_rule(&self, set: &Set) -> Option<u64> {
        if let Some((_, same)) = self.asked.iter().find(|(asked, _)| asked.name == set.name) {
            return Some(*same);
        }
        let near = |(place, (asked, anchor)): (usize, &(Set, u64))| {
            let (distance, own) = (set.differs(asked), self.anchor(*anchor));
            let most = if distance < LEAST_SEPARATION { STRETCH_OF_FEW } else { STRETCH };
            let strayed = u64::from(apart(&set.prints.buckets, &own.prints.buckets))
                > stretch(&key(), "victims", own.name.c, most);
            let is_near = distance < separation(&key(), "victims", set.name.c, asked.name.c)
                && (asked.name == own.name || !strayed);
            is_near.then_some((distance, place, *anchor))
        };
        let near: Vec<_> = self.asked.iter().enumerate().filter_map(near).collect();
        let holds = |&&(distance, _, anchor): &&(u64, usize, u64)| {
            distance <= held(&key(), "victims", self.anchor(anchor).name.c)
        };
        let nearest = near.iter().min_by_key(|(distance, place, _)| (*distance, usize::MAX - place));
        near.iter().find(holds).or(nearest).map(|(_, _, anchor)| *anchor)
    }

    fn found(&self, set: &Set, before: Looked) -> Option<u64> {
        let found = self.anchors.find(&key(), set.seeks(&self.space), before);
        found.map(|(Found::Same(anchor) | Found::Near(anchor))| anchor)
    }

    fn ask(&mut self, set: Set) {
        let asked = asked_set(&self.space, set.name, &set.prints);
        let number = match self.found(&set, Looked::default()) {
            Some(anchor) => {
                self.anchors.add_neighbour(&asked, anchor).expect("it is whole");
                anchor
            }
            None => self.anchors.add(&Anchor { set: asked, facts: AnchorFacts::default() }).expect("it is whole"),
        };
        self.asked.push((set, number));
    }
}

/// Sets of 20 to 80 units that overlap, so many of them.
fn sets(seed: u64, count: usize) -> Vec<Set> {
    let mut numbers = numbers(seed);
    let mut below = |most: u64| numbers.next().expect("there is no end") % most;
    (0..count).map(|_| (below(6), below(55))).map(|(from, more)| Set::of(from, from + 19 + more)).collect()
}

#[test]
fn who_answers_is_the_oldest_that_holds_else_the_nearest_and_newest() {
    let mut by_holding = 0;
    for seed in 0..60 {
        let mut world = World::new();
        for set in sets(seed, 24) {
            let expected = world.by_the_rule(&set);
            assert_eq!(world.found(&set, Looked::default()), expected, "sequence {seed}");
            let nearest = world.asked.iter().min_by_key(|(asked, _)| set.differs(asked)).map(|(_, anchor)| *anchor);
            by_holding += usize::from(expected.is_some() && expected != nearest);
            world.ask(set);
        }
    }
    assert!(by_holding > 20, "hardly ever is it another than the nearest: {by_holding}");
}

#[test]
fn what_is_found_in_two_looks_is_what_is_found_in_one() {
    for seed in 100..140 {
        let mut world = World::new();
        let (asked, later) = (sets(seed, 24), sets(seed + 1_000, 12));
        asked[..12].iter().cloned().for_each(|set| world.ask(set));
        let seekers: Vec<_> = later.iter().map(|set| set.seeks(&world.space)).collect();
        let looked = world.anchors.look_for(&key(), &seekers);
        drop(seekers);
        asked[12..].iter().cloned().for_each(|set| world.ask(set));
        for (set, before) in later.iter().zip(looked) {
            assert_eq!(world.found(set, before), world.found(set, Looked::default()), "sequence {seed}");
        }
    }
}

#[test]
fn how_far_is_held_is_the_anchors_draw_and_each_distance_as_likely() {
    let mut numbers = numbers(11);
    let mut counts = [0u32; MOST_HELD as usize + 1];
    for _ in 0..60_000 {
        let c = u128::from(numbers.next().expect("there is no end")) << 64 | 1;
        assert_eq!(held(&key(), "victims", c), held(&key(), "victims", c));
        counts[held(&key(), "victims", c) as usize] += 1;
    }
    // Chi-square with 5 degrees of freedom: 20.5 is passed by chance once in a thousand.
    let chi_square = counts.iter().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum::<f64>();
    assert!(chi_square < 20.5, "{chi_square} {counts:?}");
}
