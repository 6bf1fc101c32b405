//! What questions cost, and what it does to their noise (privacy.md 6.8).
//!
//! Each distinct grid (dimensions with their levels, and what is measured) is charged once to every block of province and
//! quarter that it touches, whoever asks; slices of it are free for ever. Counters only rise: the more grids touch a
//! block, the wider the noise of the next, until a share is spent. Charges follow from the question alone, never
//! from data or from what was answered, so that the bill tells nothing.
//!
//! Absent: refunds; persons; time, but for the quarter that is still open.

use std::collections::{BTreeSet, HashMap};

use policy::{Charging, Dataset, Profile, Resolved, Schedule, Share, TIME, TimeLevel};

use crate::noise::Tier;
use crate::query::Measure;
use crate::release_store::Charge;

/// Province and quarter, as codes of the main place and time.
pub(crate) type Block = (u16, u16);

/// The counter that every question raises.
const PRESENCE: &str = "presence";
/// The end of the name of a many-valued column's counter.
const MANY_VALUED: &str = "/many-valued";

/// What a question is about, as far as it is charged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Grid {
    /// The universe whose counters it raises.
    pub(crate) universe: String,
    /// Its name: dataset-independent where the same persons are asked in the same way.
    pub(crate) name: String,
    /// Counters with their weights.
    pub(crate) counters: Vec<(String, u32)>,
}

/// One dimension of a grid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Axis {
    /// The level; of a declared population, its text.
    pub(crate) level: String,
    /// Codes taken together that are no node of the hierarchy: a level of its own.
    pub(crate) together: Option<Vec<Vec<u16>>>,
}

impl Axis {
    #[cfg(test)]
    fn level(level: &str) -> Self {
        Self { level: level.to_owned(), together: None }
    }

    fn name(&self) -> String {
        self.together.as_ref().map_or_else(|| self.level.clone(), |codes| format!("{}{codes:?}", self.level))
    }
}

impl Grid {
    /// The grid of these dimensions for a measure, with what it weighs.
    pub(crate) fn of(dataset: &Dataset, measure: &Measure, mut axes: Vec<Axis>) -> Self {
        axes.sort();
        axes.dedup();
        let splitting = |axis: &&Axis| splits_blocks(dataset, &axis.level);
        let dimensions = axes.iter().filter(splitting).count();
        let factor = factor(dataset, measure, &axes);
        let further = |dimensions: usize| u32::try_from(dimensions.max(1) - 1).unwrap_or(u32::MAX);
        let weight = |dimensions| factor.saturating_mul(dataset.charging.dimension.saturating_pow(further(dimensions)));
        let mut counters = vec![(PRESENCE.to_owned(), weight(dimensions))];
        for axis in &axes {
            if let Some((column, profile)) = dataset.secret(&axis.level) {
                let many = if dataset.is_many(&axis.level) { MANY_VALUED } else { "" };
                counters.push((format!("{column}/{}{many}", profile.name()), weight(dimensions.saturating_sub(1))));
            }
        }
        counters.dedup();
        let names: Vec<String> = axes.iter().map(Axis::name).collect();
        let measured = match measure {
            Measure::Units => "units".to_owned(),
            Measure::Cases => "cases".to_owned(),
            Measure::Agencies => "agencies".to_owned(),
            Measure::Rows => format!("rows of {}", dataset.name),
            Measure::Sum(column) => format!("sum of {}.{column}", dataset.name),
        };
        // Persons of one universe are the same persons in each of its datasets, but a level may mean something else there.
        let name = format!("{}: {measured} by {}", dataset.name, names.join(", "));
        Self { universe: dataset.universe.clone(), name, counters }
    }
}

/// Whether a level tells persons of one block apart: not the province of the main place, nor quarters and longer.
fn splits_blocks(dataset: &Dataset, level: &str) -> bool {
    match dataset.resolve(level) {
        Some(Resolved::Time(time)) => time == TimeLevel::Month,
        _ => province_level(dataset) != Some(level),
    }
}

/// The level of the main place whose codes are provinces.
pub(crate) fn province_level(dataset: &Dataset) -> Option<&str> {
    let dimension = dataset.dimension_of(&dataset.place)?;
    dataset
        .levels(dimension)
        .into_iter()
        .find(|level| dataset.resolve(level).and_then(Resolved::list) == Some("province"))
}

/// By what the weight is multiplied: for a many-valued dimension, codes put together, a sum.
fn factor(dataset: &Dataset, measure: &Measure, axes: &[Axis]) -> u32 {
    let many = axes.iter().any(|axis| dataset.is_many(&axis.level));
    let together = axes.iter().any(|axis| axis.together.is_some() && dataset.dimension_of(&axis.level) != Some(TIME));
    let sum = matches!(measure, Measure::Sum(_));
    let charging = &dataset.charging;
    let factors = [(many, charging.many), (together, charging.together), (sum, charging.sum)];
    factors.into_iter().filter(|(applies, _)| *applies).map(|(_, factor)| factor).product()
}

/// How the noise of a counter grows: `presence`, `<column>/<profile>` or `<column>/<profile>/many-valued`.
fn schedule_of(charging: &Charging, counter: &str) -> Schedule {
    let many_valued = counter.strip_suffix(MANY_VALUED);
    let (_, name) = many_valued.unwrap_or(counter).rsplit_once('/').unwrap_or_default();
    let profile = Profile::ALL.into_iter().find(|profile| profile.name() == name);
    profile.map_or(charging.presence, |profile| charging.of(profile, many_valued.is_some()))
}

/// The tier that a count of charges leads to; `None` past the last.
fn schedule(charging: &Charging, counter: &str, t: u64) -> Option<Tier> {
    let schedule = schedule_of(charging, counter);
    Tier::ALL.into_iter().find(|tier| schedule.allows(tier.variance(), t))
}

/// The most that a counter may reach: its noise is then of the last tier.
pub(crate) fn most(charging: &Charging, counter: &str) -> u64 {
    schedule_of(charging, counter).most()
}

/// A counter of a block: the sum of its charges, of all and by who paid.
#[derive(Clone, Default)]
struct Counter {
    all: u64,
    declared: u64,
    by_role: HashMap<String, u64>,
}

/// What a grid was charged in a block.
#[derive(Clone, Copy)]
struct Charged {
    tier: Tier,
    /// The edition, where the block's quarter was open.
    open_at: Option<i64>,
}

/// All charges ever made.
pub(crate) struct Charges {
    charging: Charging,
    counters: HashMap<(String, String), HashMap<Block, Counter>>,
    grids: HashMap<(String, String), HashMap<Block, Charged>>,
}

/// A share is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what {role} may ask about these provinces and periods in this way is spent")]
pub struct Spent {
    /// Whose share.
    pub role: &'static str,
    /// Of what: `presence`, or the column that has a counter of its own with its profile, `exit_reason/sens`.
    pub counter: String,
    /// Grids about the same that are free, the nearest first: `victims: units by province, year`.
    pub free: Vec<String>,
}

/// Where a bill cannot be paid.
pub(crate) struct Short {
    /// The first counter of which too little is left.
    pub(crate) counter: String,
    /// What was to be paid.
    pub(crate) grid: Grid,
    /// Where.
    pub(crate) blocks: Vec<Block>,
}

/// The quarter that is still open at an edition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) quarter: Option<u16>,
    pub(crate) edition: i64,
}

impl Charges {
    /// None yet.
    pub(crate) fn new(charging: Charging) -> Self {
        Self { charging, counters: HashMap::new(), grids: HashMap::new() }
    }

    /// None, under the same weights and schedules.
    pub(crate) fn none(&self) -> Self {
        Self::new(self.charging)
    }

    /// A copy of what these grids depend on: what charging them would do can be tried on it.
    pub(crate) fn about<'g>(&self, grids: impl Iterator<Item = &'g Grid>) -> Self {
        let mut about = self.none();
        for grid in grids {
            let key = |name: &String| (grid.universe.clone(), name.clone());
            about
                .grids
                .extend(self.grids.get_key_value(&key(&grid.name)).map(|(key, paid)| (key.clone(), paid.clone())));
            let counters = grid.counters.iter().filter_map(|(name, _)| self.counters.get_key_value(&key(name)));
            about.counters.extend(counters.map(|(key, blocks)| (key.clone(), blocks.clone())));
        }
        about
    }

    /// What a grid must be charged for in these blocks; `None` where all of it is paid.
    pub(crate) fn due(&self, grid: &Grid, blocks: &[Block], open: Open, share: Option<Share>) -> Vec<Charge> {
        let paid = self.grids.get(&(grid.universe.clone(), grid.name.clone()));
        let is_open = |block: &Block| Some(block.1) == open.quarter;
        let is_due = |block: &&Block| match paid.and_then(|paid| paid.get(block)) {
            None => true,
            Some(charged) => charged.open_at.is_some_and(|edition| edition != open.edition),
        };
        let (open_blocks, closed): (Vec<Block>, Vec<Block>) = blocks.iter().filter(is_due).partition(|b| is_open(b));
        let charge = |(blocks, open_at): (Vec<Block>, Option<i64>)| Charge {
            universe: grid.universe.clone(),
            grid: grid.name.clone(),
            role: share.map(|share| share.name().to_owned()),
            blocks,
            counters: grid.counters.clone(),
            open_at,
        };
        let due = [(closed, None), (open_blocks, Some(open.edition))].into_iter();
        due.filter(|(blocks, _)| !blocks.is_empty()).map(charge).collect()
    }

    /// What a share must pay for these grids, one after the other. Nothing is taken in, so that a bill that cannot be paid
    /// leaves nothing to be forgotten. Without `quotas` no counter is ever short.
    pub(crate) fn bill(
        &self,
        grids: Vec<(Grid, Vec<Block>)>,
        open: Open,
        share: Share,
        quotas: bool,
    ) -> Result<Vec<Charge>, Short> {
        let (mut bill, mut pending) = (Vec::new(), self.none());
        for (grid, blocks) in grids {
            let blocks: Vec<Block> =
                pending.due(&grid, &blocks, open, None).into_iter().flat_map(|c| c.blocks).collect();
            for charge in self.due(&grid, &blocks, open, Some(share)) {
                if let Some(counter) = short_of(&[self, &pending], &charge, share).filter(|_| quotas) {
                    return Err(Short { counter: counter.to_owned(), grid, blocks });
                }
                pending.take(&charge);
                bill.push(charge);
            }
        }
        Ok(bill)
    }

    /// Takes a charge in.
    pub(crate) fn take(&mut self, charge: &Charge) {
        let mut tiers: HashMap<Block, Tier> = HashMap::new();
        for (name, weight) in &charge.counters {
            let counters = self.counters.entry((charge.universe.clone(), name.clone())).or_default();
            for block in &charge.blocks {
                let counter = counters.entry(*block).or_default();
                counter.all += u64::from(*weight);
                match &charge.role {
                    None => counter.declared += u64::from(*weight),
                    Some(share) => *counter.by_role.entry(share.clone()).or_default() += u64::from(*weight),
                }
                let tier = schedule(&self.charging, name, counter.all).unwrap_or(Tier::V144);
                let highest = tiers.entry(*block).or_insert(tier);
                *highest = tier.max(*highest);
            }
        }
        let grid = self.grids.entry((charge.universe.clone(), charge.grid.clone())).or_default();
        for (block, tier) in tiers {
            let charged = grid.entry(block).or_insert(Charged { tier, open_at: charge.open_at });
            // The tier of a grid in a block is fixed when it is charged there; charged again, only the edition moves on.
            charged.open_at = charge.open_at;
        }
    }

    /// Where a counter stands in the block that was charged most.
    pub(crate) fn highest(&self, universe: &str, counter: &str) -> u64 {
        let blocks = self.counters.get(&(universe.to_owned(), counter.to_owned()));
        blocks.and_then(|blocks| blocks.values().map(|counter| counter.all).max()).unwrap_or(0)
    }

    /// The tier of a grid's cells over these blocks.
    pub(crate) fn tier(&self, grid: &Grid, blocks: impl Iterator<Item = Block>) -> Tier {
        let Some(charged) = self.grids.get(&(grid.universe.clone(), grid.name.clone())) else { return Tier::V4 };
        blocks.filter_map(|block| charged.get(&block)).map(|charged| charged.tier).max().unwrap_or(Tier::V4)
    }

    /// Grids of a dataset that are paid in all of these blocks, those that share most dimensions with the one asked for
    /// first. Only published levels: a slice of them can be written down, codes put together by somebody else hardly.
    pub(crate) fn free(&self, dataset: &Dataset, grid: &Grid, blocks: &[Block]) -> Vec<String> {
        let dimensions = |name: &str| -> BTreeSet<String> {
            let levels = name.rsplit(" by ").next().unwrap_or_default().split(|c: char| ",= []{}".contains(c));
            levels.filter_map(|level| dataset.dimension_of(level)).map(str::to_owned).collect()
        };
        let asked = dimensions(&grid.name);
        let is_free = |universe: &str, name: &str, charged: &HashMap<Block, Charged>| {
            universe == grid.universe
                && name.split(':').next() == Some(dataset.name.as_str())
                && !name.contains('[')
                && blocks.iter().all(|block| charged.contains_key(block))
        };
        let free = self.grids.iter().filter(|((universe, name), charged)| is_free(universe, name, charged));
        let mut free: Vec<(usize, usize, &String)> = free
            .map(|((_, name), _)| {
                let its = dimensions(name);
                let shared = its.intersection(&asked).count();
                (asked.len() - shared, its.len() - shared, name)
            })
            .collect();
        free.sort();
        free.into_iter().take(3).map(|(_, _, name)| name.clone()).collect()
    }
}

/// Whether a grid was charged by this.
pub(crate) fn is_of(charge: &Charge, grid: &Grid) -> bool {
    (&charge.universe, &charge.grid) == (&grid.universe, &grid.name)
}

/// The first counter of which a share has not enough left for a charge, beside what was charged in all of these.
fn short_of<'c>(charged: &[&Charges], charge: &'c Charge, share: Share) -> Option<&'c str> {
    let can_pay = |(name, weight): &&(String, u32)| {
        let key = (charge.universe.clone(), name.clone());
        let counters: Vec<_> = charged.iter().filter_map(|charges| charges.counters.get(&key)).collect();
        let most = most(&charged[0].charging, name);
        charge.blocks.iter().all(|block| {
            let here = || counters.iter().filter_map(|counters| counters.get(block));
            let all: u64 = here().map(|counter| counter.all).sum();
            let declared: u64 = here().map(|counter| counter.declared).sum();
            let own: u64 = here().filter_map(|counter| counter.by_role.get(share.name())).sum();
            let (left, weight) = (most.saturating_sub(declared), u64::from(*weight));
            all + weight <= most && (own + weight) * 100 <= left * share.share_percent()
        })
    };
    charge.counters.iter().find(|counter| !can_pay(counter)).map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_grows_as_the_schedules_say() {
        // V_t = V_0 max(1, (t/T_0)^gamma), rounded up to the tiers (privacy.md 6.8), T_0 of docs/decisions.
        let charging = Charging::default();
        let v = |counter: &str, t| schedule(&charging, counter, t).map(Tier::variance);
        assert_eq!([1, 26, 27, 44, 45].map(|t| v(PRESENCE, t)), [4, 4, 9, 9, 16].map(Some));
        assert_eq!([3, 4, 5, 6, 7].map(|t| v("referral_source/std", t)), [4, 9, 16, 16, 25].map(Some));
        assert_eq!([3, 4, 5, 6].map(|t| v("exit_reason/sens", t)), [9, 16, 25, 36].map(Some));
        assert_eq!([4, 5, 6, 7].map(|t| v("exploitation/sens/many-valued", t)), [9, 16, 25, 36].map(Some));
        let many_valued = [("a/std/many-valued", 24), ("a/sens/many-valued", 16), ("a/high/many-valued", 12)];
        for (counter, last) in
            [(PRESENCE, 283), ("a/std", 18), ("a/sens", 12), ("a/high", 9)].into_iter().chain(many_valued)
        {
            assert_eq!(
                (most(&charging, counter), v(counter, last), v(counter, last + 1)),
                (last, Some(144), None),
                "{counter}"
            );
        }
    }

    fn victims() -> policy::Dataset {
        policy::Policy::default().datasets.get("victims").expect("the default policy has victims").clone()
    }

    fn weight(levels: &[&str], measure: &Measure) -> Vec<(String, u32)> {
        Grid::of(&victims(), measure, levels.iter().map(|level| Axis::level(level)).collect()).counters
    }

    #[test]
    fn a_grid_weighs_by_the_dimensions_that_split_a_block() {
        let presence = |levels: &[&str]| weight(levels, &Measure::Units)[0].1;
        assert_eq!(presence(&["year", "province"]), 1, "whole blocks are not split");
        assert_eq!(presence(&["quarter", "province", "sex"]), 1);
        assert_eq!(presence(&["year", "sex", "age_group"]), 2);
        assert_eq!(presence(&["month", "sex", "age_group", "sector"]), 8);
    }

    #[test]
    fn secrets_have_counters_of_their_own_and_many_codes_weigh_once() {
        let counters = weight(&["year", "exploitation", "sex"], &Measure::Units);
        assert_eq!(counters, [("presence".to_owned(), 2), ("exploitation/sens/many-valued".to_owned(), 1)]);
        let counters = weight(&["year", "referral_source"], &Measure::Units);
        assert_eq!(counters, [("presence".to_owned(), 1), ("referral_source/std".to_owned(), 1)]);
    }

    #[test]
    fn a_paid_grid_is_free_for_everybody_and_open_quarters_are_paid_once_an_edition() {
        let grid = Grid::of(&victims(), &Measure::Units, vec![Axis::level("sex")]);
        let (blocks, mut charges) = (vec![(0, 10), (0, 11)], Charges::new(Charging::default()));
        let open = |edition| Open { quarter: Some(11), edition };
        let due = charges.due(&grid, &blocks, open(1), Some(Share::Ministry));
        assert_eq!(due.iter().map(|charge| charge.blocks.clone()).collect::<Vec<_>>(), [[(0, 10)], [(0, 11)]]);
        for charge in &due {
            charges.take(charge);
        }
        assert!(charges.due(&grid, &blocks, open(1), Some(Share::Partners)).is_empty());
        let again = charges.due(&grid, &blocks, open(2), Some(Share::Partners));
        assert_eq!(again.iter().map(|charge| charge.blocks.clone()).collect::<Vec<_>>(), [[(0, 11)]]);
    }

    #[test]
    fn a_role_that_has_spent_its_share_is_told_what_is_free() {
        let (victims, mut charges) = (victims(), Charges::new(Charging::default()));
        let open = Open { quarter: None, edition: 1 };
        let grid = |n: u16| {
            let together = Some(vec![vec![n, n + 1]]);
            Grid::of(&victims, &Measure::Units, vec![Axis { level: "exploitation".to_owned(), together }])
        };
        let mut paid = 0;
        for n in 0..40 {
            let due = charges.due(&grid(n), &[(0, 10)], open, Some(Share::Partners));
            if due.iter().all(|charge| short_of(&[&charges], charge, Share::Partners).is_none()) {
                for charge in &due {
                    charges.take(charge);
                }
                paid += 1;
            }
        }
        // A fifth of 16; each costs 2.
        assert_eq!(paid, 1);
        for levels in [&["sex", "year"][..], &["exploitation", "year"], &["exploitation", "sector", "year"]] {
            let declared = Grid::of(&victims, &Measure::Units, levels.iter().map(|level| Axis::level(level)).collect());
            for charge in charges.due(&declared, &[(0, 10)], open, None) {
                charges.take(&charge);
            }
        }
        let free = charges.free(&victims, &grid(9), &[(0, 10)]);
        let nearest = ["exploitation, year", "exploitation, sector, year", "sex, year"];
        assert_eq!(free, nearest.map(|levels| format!("victims: units by {levels}")));
        let due = charges.due(&grid(9), &[(0, 10)], open, Some(Share::Ministry));
        assert!(short_of(&[&charges], &due[0], Share::Ministry).is_none(), "the ministry's share is its own");
    }
}
