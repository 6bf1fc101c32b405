//! A12: claims in the form of the GDA score: of those that the attacker is surest of, how many more are right than would be
//! without the answers, `CI = (C - P) / (1 - P)` (privacy.md 7.2; Francis, Probst-Eide et al.).
//!
//! Inference: a person is known but for her secret. Linkability: a person of another list, is she in the data? Singling out: codes
//! that exactly one person has; `P` is how often the same codes are those of exactly one in a population that was never asked.
//!
//! Absent: claims whose confidence is chosen after the truth is known.

use anyhow::Result;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::people::People;
use crate::referee::{Arena, Membership, Size};
use crate::target::{Door, Sql, Target};

/// The logarithm of how much less likely two numbers are equal if their sets differ (privacy.md 6.5: 0.14).
const EQUAL: f64 = -1.95;
/// The same of different numbers, or of one that is hidden: sets that do not differ never have them.
const DIFFERENT: f64 = 6.0;

/// Claims of those that the attacker is surest of: right ones, and all.
pub type Claimed = (usize, usize);

/// Secrets of persons about whom everything else is known, from several pairs of sets. Scores are made by [`sureness`].
pub fn inferred(arena: &Arena, target: Target, kind: Membership, share: usize) -> Result<Vec<(f64, bool)>> {
    arena.plans(kind)?.each(target, share, false, &|door, know, rng| {
        let secret = know.secret.sql();
        let both: Vec<String> =
            know.pairs.iter().flat_map(|pair| [pair.larger(&secret), pair.smaller(&secret)]).collect();
        sureness(&door.counts(&know.public.dataset.name, &both), rng)
    })
}

/// How sure it is that some pair of answers differs; those who are as sure stand in an order by lot.
fn sureness(answers: &[Option<i64>], rng: &mut ChaCha8Rng) -> f64 {
    let of = |two: &[Option<i64>]| match two {
        [None, None] => 0.0,
        [larger, smaller] if larger == smaller => EQUAL,
        _ => DIFFERENT,
    };
    answers.chunks(2).map(of).sum::<f64>() + rng.random_range(-1e-3..1e-3)
}

/// Whether persons of another list are in the data: half of them are. The sets of a pair differ by them alone.
pub fn linked(arena: &Arena, target: Target) -> Result<Vec<(f64, bool)>> {
    let public = Public::of(&arena.policy, &arena.people);
    let bases = public.isolating(2, 0);
    arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa12 << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        let pairs: Vec<_> = bases[victim]
            .iter()
            .filter_map(|levels| public.pair(victim, levels, &(11..=120), 0, &mut rng))
            .filter(|pair| Size::BOTH.iter().any(|size| size.holds(pair.rest.len())))
            .take(3)
            .collect();
        if pairs.is_empty() {
            return Ok(None);
        }
        let is_in = rng.random_bool(0.5);
        let people = if is_in { arena.people.clone() } else { arena.people.without(&[victim]) };
        door.open(target, number % 16, &[&people])?;
        let everybody = "status in ('actual', 'possible', '_X')";
        let both: Vec<String> =
            pairs.iter().flat_map(|pair| [pair.larger(everybody), pair.smaller(everybody)]).collect();
        Ok(Some((sureness(&door.counts("victims", &both), &mut rng), is_in)))
    })
}

/// Of scores, the claims about the quarter that is surest, and how often such claims are right without the answers: as often as
/// what is claimed is true of everybody.
pub fn surest(scored: &[(f64, bool)]) -> (Claimed, f64) {
    let having = scored.iter().filter(|(_, truth)| *truth).count() as f64 / scored.len().max(1) as f64;
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    sorted.truncate(scored.len().div_ceil(4));
    let right = sorted.iter().filter(|(score, truth)| (*score > 0.0) == *truth).count();
    let prior: f64 = sorted.iter().map(|(score, _)| if *score > 0.0 { having } else { 1.0 - having }).sum();
    ((right, sorted.len()), prior / sorted.len().max(1) as f64)
}

/// What singling out gave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Single {
    /// Claims that exactly one person has some codes: right ones, and all.
    pub claimed: Claimed,
    /// How many of the same claims are right of a population that was not asked.
    pub control: usize,
    /// Sets of codes that were tried.
    pub tried: usize,
}

impl Single {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            claimed: (self.claimed.0 + other.claimed.0, self.claimed.1 + other.claimed.1),
            control: self.control + other.control,
            tried: self.tried + other.tried,
        }
    }
}

/// Levels of which two are put together with a month.
const LEVELS: [&str; 6] = ["sex", "age_group", "province", "status", "citizenship", "sector"];
/// Sets of codes that are tried on one vault.
const TOGETHER: usize = 25;

/// Codes that exactly one person has: two of the code lists and a month, taken off a stretch of months. The attacker knows no
/// person.
pub fn single(arena: &Arena, target: Target) -> Result<Single> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x12c);
    let control = People::victims(&arena.policy, arena.people.len(), &mut rng);
    let [asked, other] = [&arena.people, &control].map(|people| Public::of(&arena.policy, people));
    let seen = arena.some(arena.trials.div_ceil(4), &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x12b << 32 | number);
        door.open(target, number % 16, &[&arena.people])?;
        let codes: Vec<Codes> = std::iter::repeat_with(|| Codes::by_lot(&asked, &mut rng)).take(TOGETHER).collect();
        let both: Vec<String> = codes.iter().flat_map(|codes| codes.both(&asked)).collect();
        let mut single = Single { tried: TOGETHER, ..Single::default() };
        for (codes, answers) in codes.iter().zip(door.counts("victims", &both).chunks(2)) {
            let [Some(larger), Some(smaller)] = answers else { continue };
            // Where few persons more have the same number, it is as sure as can be had.
            if larger - smaller == 1 || target == Target::Ours && larger == smaller {
                single.claimed.0 += usize::from(codes.holders(&asked) == 1);
                single.claimed.1 += 1;
                single.control += usize::from(codes.holders(&other) == 1);
            }
        }
        Ok(Some(single))
    })?;
    Ok(seen.into_iter().fold(Single::default(), Single::and))
}

/// Codes of two levels, and a month at the end of a stretch.
struct Codes {
    levels: Vec<(&'static str, u16)>,
    first: u16,
    month: u16,
}

impl Codes {
    /// As they are spread: an example whose codes they are, and some month.
    fn by_lot(public: &Public<'_>, rng: &mut ChaCha8Rng) -> Self {
        let months = &public.known["month"];
        let example = rng.random_range(0..months.len());
        let chosen = LEVELS.choose_multiple(rng, 2);
        let levels = chosen.map(|&level| (level, public.known[level][example])).collect();
        let (first, last) = (*months.iter().min().unwrap_or(&0), *months.iter().max().unwrap_or(&0));
        let month = rng.random_range(first + 1..=last);
        Self { levels, first: first.max(month - rng.random_range(1..=12).min(month - first)), month }
    }

    fn both(&self, public: &Public<'_>) -> [String; 2] {
        let text = |(level, code): &(&str, u16)| {
            format!("{level} = '{}'", public.dataset.code_text(level, *code).unwrap_or_default())
        };
        let base: Vec<String> = self.levels.iter().map(text).collect();
        [self.month, self.month - 1].map(|last| format!("{} and {}", base.join(" and "), between((self.first, last))))
    }

    fn holders(&self, public: &Public<'_>) -> usize {
        let months = &public.known["month"];
        let has = |at: &usize| {
            months[*at] == self.month && self.levels.iter().all(|(level, code)| public.known[*level][*at] == *code)
        };
        (0..months.len()).filter(has).count()
    }
}
