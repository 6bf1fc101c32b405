//! A1, A5 and A8: does the victim have the secret? Two answers about sets that differ by her, if she has it, and by nobody
//! if she has not (privacy.md 6.7, 7.2).
//!
//! Absent: any knowledge of the secrets of others but those `r` in the difference.

use rand_chacha::ChaCha8Rng;

use crate::know::{Knowledge, Neighbour, Pair};
use crate::target::{Sql, Target};

/// What an attacker claims: for each variant of the attack, whether the victim has the secret.
pub type Claims = Vec<bool>;

/// An attack through the public endpoint.
pub trait Attack: Sync {
    /// Asks, and claims.
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, rng: &mut ChaCha8Rng) -> Claims;
}

/// A1: one difference. Where others are in it, the number of those who have the secret is known and taken off.
pub struct Difference;

impl Attack for Difference {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let answers = sides(target, know, &know.pairs[..1]);
        vec![is_one_more(&answers, know.others[0], know.target)]
    }
}

/// A5: the equality oracle over several pairs; a claim for each number of them.
pub struct Equality {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
}

impl Attack for Equality {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let answers = sides(target, know, &know.pairs);
        let one_more = |(two, others): (&[Option<i64>], &i64)| is_one_more(two, *others, know.target);
        let differs: Vec<bool> = answers.chunks(2).zip(&know.others).map(one_more).collect();
        self.counts.iter().map(|count| differs.iter().take(*count).any(|differs| *differs)).collect()
    }
}

/// A5 by cases instead of persons: the victim is the only one of her case in the set, so that its cases differ as its persons
/// do.
pub struct Cases;

impl Attack for Cases {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let (pair, secret) = (&know.pairs[0], know.secret.sql());
        let both = [pair.larger(&secret), pair.smaller(&secret)];
        let answers = target.measured("count(distinct case_id)", &know.public.dataset.name, &both);
        vec![is_one_more(&answers, know.others[0], know.target)]
    }
}

/// A5 across profiles: the larger set at ordinary protection, the smaller one through a sensitive column that leaves nobody
/// out, so that one set would be heard at two tiers.
pub struct AcrossProfiles {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
}

/// Everybody has one of the two: a sensitive condition that selects all.
const SENSITIVE_ALL: &str = "recruiter_relation in ('family', 'stranger')";

impl Attack for AcrossProfiles {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let secret = know.secret.sql();
        let also = format!("{secret} and {SENSITIVE_ALL}");
        let both = know.pairs.iter().flat_map(|pair| [pair.larger(&secret), pair.smaller(&also)]);
        let answers = target.counts(&know.public.dataset.name, &both.collect::<Vec<_>>());
        let of = |two: &[Option<i64>]| match two {
            [Some(larger), Some(smaller)] if know.target == Target::K11Exact && larger == smaller => -99.0,
            [Some(_), Some(_)] if know.target == Target::K11Exact => 99.0,
            [Some(larger), Some(smaller)] => likelihood((larger - smaller) as f64),
            _ => 0.0,
        };
        let ratios: Vec<f64> = answers.chunks(2).map(of).collect();
        self.counts.iter().map(|count| ratios.iter().take(*count).sum::<f64>() > 0.0).collect()
    }
}

/// The logarithm of how much likelier a difference is between two sets (variance 4 + 9, one person more) than between two
/// tiers of one set (the increment of tier 9: variance 5).
fn likelihood(difference: f64) -> f64 {
    let normal = |mean: f64, variance: f64| -(difference - mean).powi(2) / (2.0 * variance) - 0.5 * variance.ln();
    normal(1.0, 13.0) - normal(0.0, 5.0)
}

/// A8, third sets: before the pair is asked, sets at a middling distance from it are. Which of them answers for a set is drawn
/// anew for each pair of sets, so the larger and the smaller one may be answered by different ones: they then differ, and do
/// so only where they are two sets. Nobody's secret is known; sizes of groups are.
pub struct ThirdSets {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
    /// How many persons, with the secret or without, a third set has more or fewer.
    pub apart: std::ops::RangeInclusive<usize>,
}

impl Attack for ThirdSets {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        any_differs(know, self.counts, |pair, others| {
            let thirds = know.public.neighbours(pair, &self.apart);
            asked_after(target, know, (pair, others), &thirds, Order::LargerFirst)
        })
    }
}

/// A8, chains: larger and larger sets around the pair are asked first, the largest of all in the beginning, so that each is
/// a few persons away from the one before and all may be answered like the first. Somewhere such a chain must end; if it does
/// between the two sets of the pair, they differ.
pub struct Chains {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
    /// How many persons more the largest set may have.
    pub longest: usize,
}

impl Attack for Chains {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        any_differs(know, self.counts, |pair, others| {
            let mut links = know.public.neighbours(pair, &(1..=self.longest));
            links.retain(|link| link.persons > pair.rest.len() + 1);
            asked_after(target, know, (pair, others), &links, Order::LargerFirst)
        })
    }
}

/// A8, two fronts: every set is answered like the nearest that was asked about, so two sets that differ by one person have
/// different numbers where the followers of one anchor meet those of another. Whoever leads one chain of questions down to
/// the pair from above, and another up to it from below, lets them meet at the victim. Of nobody the secret is known.
pub struct Fronts {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
    /// How many persons, with the secret or without, the chains begin away.
    pub longest: usize,
}

impl Attack for Fronts {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        any_differs(know, self.counts, |pair, others| {
            let [beyond, before] = know.public.both_sides(pair, self.longest);
            let fronts: Vec<Neighbour> = beyond.into_iter().chain(before).collect();
            asked_after(target, know, (pair, others), &fronts, Order::SmallerFirst)
        })
    }
}

/// For each number of pairs, whether one of so many differs.
fn any_differs(know: &Knowledge<'_>, counts: &[usize], differ: impl Fn(&Pair, i64) -> bool) -> Claims {
    let differ: Vec<bool> = know.pairs.iter().zip(&know.others).map(|(pair, others)| differ(pair, *others)).collect();
    counts.iter().map(|count| differ.iter().take(*count).any(|differ| *differ)).collect()
}

/// Which set of a pair is asked about first.
enum Order {
    LargerFirst,
    SmallerFirst,
}

/// Whether the sets of a pair differ, asked after others.
fn asked_after(
    target: &dyn Sql,
    know: &Knowledge<'_>,
    (pair, others): (&Pair, i64),
    before: &[Neighbour],
    order: Order,
) -> bool {
    let secret = know.secret.sql();
    let both = [pair.larger(&secret), pair.smaller(&secret)];
    let mut conditions: Vec<String> =
        before.iter().map(|neighbour| pair.under(&secret, Some(&neighbour.condition))).collect();
    match order {
        Order::LargerFirst => conditions.extend(both),
        Order::SmallerFirst => conditions.extend(both.into_iter().rev()),
    }
    let mut answers = target.counts(&know.public.dataset.name, &conditions);
    answers.drain(..before.len());
    if matches!(order, Order::SmallerFirst) {
        answers.reverse();
    }
    is_one_more(&answers, others, know.target)
}

/// A8, boundary riding: of `others` in the difference the secret is known, and they all have it, so that the two sets are just
/// as far apart as makes one answer for the other likely if the victim has not the secret, and less likely if she has. Claims
/// by the likelihood of equal or different numbers, and of their difference.
pub struct Riding {
    /// How many pairs each claim uses.
    pub counts: &'static [usize],
}

impl Attack for Riding {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let answers = sides(target, know, &know.pairs);
        let of = |(two, others): (&[Option<i64>], &i64)| riding(two, *others, know.target);
        let ratios: Vec<f64> = answers.chunks(2).zip(&know.others).map(of).collect();
        self.counts.iter().map(|count| ratios.iter().take(*count).sum::<f64>() > 0.0).collect()
    }
}

/// The logarithm of how much likelier two answers are where their sets differ by `others + 1` than where by `others`.
fn riding(two: &[Option<i64>], others: i64, target: Target) -> f64 {
    /// P(d > L) for L = 3..=12 (privacy.md 6.7).
    const NEAR: [f64; 10] = [1.0, 0.9641, 0.9043, 0.8046, 0.6385, 0.3615, 0.1954, 0.0957, 0.0359, 0.0];
    let near = |apart: i64| NEAR[usize::try_from(apart - 3).unwrap_or(0).min(9)];
    let (more, fewer) = (near(others + 1), near(others));
    let ratio = |a: f64, b: f64| (a.max(1e-6) / b.max(1e-6)).ln();
    let of_difference = |difference: f64| {
        let off = |mean: i64| (difference - mean as f64).powi(2) / 16.0;
        off(others) - off(others + 1)
    };
    match (target, two) {
        (Target::K11Exact, [Some(larger), Some(smaller)]) if larger - smaller > others => 99.0,
        (Target::K11Exact, [Some(_), Some(_)]) => -99.0,
        // Without the guard equal numbers are chance.
        (Target::Ours, [Some(larger), Some(smaller)]) if larger == smaller => ratio(more, fewer),
        (Target::Ours, [Some(larger), Some(smaller)]) => {
            ratio(1.0 - more, 1.0 - fewer) + of_difference((larger - smaller) as f64)
        }
        (Target::Ours, [Some(_), None] | [None, Some(_)]) => ratio(1.0 - more, 1.0 - fewer),
        (_, [Some(larger), Some(smaller)]) => of_difference((larger - smaller) as f64),
        _ => 0.0,
    }
}

/// The answers about the larger and the smaller set of each pair.
fn sides(target: &dyn Sql, know: &Knowledge<'_>, pairs: &[Pair]) -> Vec<Option<i64>> {
    let secret = know.secret.sql();
    let both: Vec<String> = pairs.iter().flat_map(|pair| [pair.larger(&secret), pair.smaller(&secret)]).collect();
    target.counts(&know.public.dataset.name, &both)
}

/// Whether the larger set has one person more than the smaller one and the known others.
pub(crate) fn is_one_more(answers: &[Option<i64>], others: i64, target: Target) -> bool {
    match answers {
        [Some(larger), Some(smaller)] if others == 0 => larger != smaller,
        [Some(larger), Some(smaller)] if target == Target::K11Exact => larger - smaller == others + 1,
        [Some(larger), Some(smaller)] => 2 * (larger - smaller) > 2 * others + 1,
        [Some(_), None] | [None, Some(_)] => others == 0,
        _ => false,
    }
}
