//! A2 and A22: numbers of small groups from numbers of large ones (privacy.md 7.2).
//!
//! Absent: any question about the small group itself.

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::people::People;
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// Beside those of Pakistan: too few to be shown.
const FOREIGN: f64 = 0.12;
/// One step of the noise of a sum of sentences: half of 0 to 300 months (privacy.md 6.5).
const STEP: i64 = 150;

/// What the tracker got, and what a guess would have got.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracked {
    /// Trials.
    pub trials: usize,
    /// Estimates within one of the truth.
    pub near: usize,
    /// The same of the best single guess for all, and of the guess by the group's size.
    pub guessed: usize,
}

/// A2: foreigners of a province and period are too few to be shown, everybody and the citizens are not. All without the
/// citizens.
pub fn tracker(arena: &Arena, target: Target) -> Result<Tracked> {
    let public = Public::of(&arena.policy, &arena.people);
    let (citizenship, months) = (&public.known["citizenship"], &public.known["month"]);
    let pakistan = public.dataset.code_of("citizenship", "PK", crate::people::YEARS);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa2 << 32 | number);
        let example = rng.random_range(0..arena.people.len());
        let first = rng.random_range(*months.iter().min().unwrap_or(&0)..=*months.iter().max().unwrap_or(&0));
        let last = first + rng.random_range(0..6);
        let levels = [["province", "sex"], ["province", "age_group"], ["province", "status"]][rng.random_range(0..3)];
        let group: Vec<usize> =
            public.like(&levels, example).into_iter().filter(|&at| (first..=last).contains(&months[at])).collect();
        let foreign = group.iter().filter(|&&at| Some(citizenship[at]) != pakistan).count();
        if !(30..=110).contains(&group.len())
            || !(1..=10).contains(&foreign)
            || last > *months.iter().max().unwrap_or(&0)
        {
            return Ok(None);
        }
        door.open(target, number % 16, &[&arena.people])?;
        let base: Vec<String> = levels.iter().map(|level| public.condition(level, example)).collect();
        let all = format!("{} and {}", base.join(" and "), between((first, last)));
        let answers = door.counts("victims", &[all.clone(), format!("{all} and citizenship = 'PK'")]);
        let expected = |all: i64| all as f64 * FOREIGN;
        let estimate = match answers[..] {
            [Some(all), Some(_)] if target == Target::K11Exact => (all - answers[1].unwrap_or(all)) as f64,
            // One set answers for both, or nothing is shown: a guess by size is left.
            [Some(all), Some(citizens)] if all == citizens => expected(all).min(5.0),
            [Some(all), Some(citizens)] => {
                let (prior, seen) = (expected(all), (all - citizens) as f64);
                // Two draws of variance 4 against the spread of the groups.
                prior + (seen - prior) * prior / (prior + 8.0)
            }
            _ => expected(group.len() as i64),
        };
        Ok(Some((foreign as i64, estimate.round() as i64, expected(group.len() as i64).round() as i64)))
    })?;
    let near = |of: &dyn Fn(&(i64, i64, i64)) -> i64| {
        results.iter().filter(|result| (of(result) - result.0).abs() <= 1).count()
    };
    let best = (1..=10).map(|guess| near(&|_| guess)).max().unwrap_or(0);
    Ok(Tracked { trials: results.len(), near: near(&|result| result.1), guessed: best.max(near(&|result| result.2)) })
}

/// A22: the only transgender person judged in a province and period is never shown; the sums of months of everybody, of the
/// women and of the men are. Steps of noise are whole multiples of 150 months, so the rest of their difference on division
/// by 150 is exact. Gives how often the sentence was named to the month.
pub fn sentence(arena: &Arena, judged: &People, target: Target) -> Result<(usize, usize)> {
    let public = Public::of(&arena.policy, judged);
    let code = |text: &str| public.dataset.code_of("sex", text, crate::people::YEARS).unwrap_or_default();
    let (sex, months) = (&public.known["sex"], &public.known["month"]);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa22 << 32 | number);
        let example = rng.random_range(0..judged.len());
        let (first, last) = (*months.iter().min().unwrap_or(&0), *months.iter().max().unwrap_or(&0));
        let from = rng.random_range(first..=last);
        let to = rng.random_range(from..=last);
        let mut group = public.like(&["province"], example);
        group.retain(|&at| (from..=to).contains(&months[at]));
        let those = |text: &str| group.iter().copied().filter(|&at| sex[at] == code(text)).collect::<Vec<_>>();
        let (alone, unknown, women) = (those("T"), those("_X"), those("F"));
        if alone.len() != 1 || !unknown.is_empty() || women.len() < 20 {
            return Ok(None);
        }
        door.open(target, number % 16, &[judged])?;
        let sql = format!(
            "select sum(imprisonment_months), sum(imprisonment_months) filter (where sex = 'F'), \
             sum(imprisonment_months) filter (where sex = 'M') from judgments where {} and {}",
            public.condition("province", example),
            between((from, to))
        );
        let answers = door.ask(&sql).first();
        let [Some(all), Some(women), Some(men)] = answers[..] else { return Ok(Some(false)) };
        let claimed = if target == Target::K11Exact { all - women - men } else { (all - women - men).rem_euclid(STEP) };
        Ok(Some(Some(claimed) == judged.measures["imprisonment_months"][alone[0]]))
    })?;
    Ok((results.iter().filter(|right| **right).count(), results.len()))
}
