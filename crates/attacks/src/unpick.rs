//! A22, beside sums: decimals of means and shares, rows of acts, one set at several profiles (privacy.md 6.5, 7.2).
//!
//! Absent: sums of amounts (`numeric`).

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::people::People;
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// Hits, and trials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hits {
    /// Right claims.
    pub right: usize,
    /// Trials.
    pub trials: usize,
}

impl Hits {
    fn of(results: &[bool]) -> Self {
        Self { right: results.iter().filter(|right| **right).count(), trials: results.len() }
    }
}

/// A cell of a population: two levels and a stretch.
fn cell(public: &Public<'_>, persons: usize, rng: &mut ChaCha8Rng) -> Option<(String, Vec<usize>)> {
    let example = rng.random_range(0..persons);
    let months = &public.known["month"];
    let (first, last) = (months[example], months[example] + rng.random_range(0..8));
    if last > *months.iter().max()? {
        return None;
    }
    let levels = [["province", "sex"], ["sex", "age_group"], ["province", "age_group"]][rng.random_range(0..3)];
    let mut group = public.like(&levels, example);
    group.retain(|&at| (first..=last).contains(&months[at]));
    let base: Vec<String> = levels.iter().map(|level| public.condition(level, example)).collect();
    Some((format!("{} and {}", base.join(" and "), between((first, last))), group))
}

/// The same persons through columns of two profiles: one set at two tiers. Claims the mean of both numbers.
pub fn tiers(arena: &Arena, target: Target) -> Result<Hits> {
    let public = Public::of(&arena.policy, &arena.people);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x22a << 32 | number);
        let Some((cell, group)) = cell(&public, arena.people.len(), &mut rng) else { return Ok(None) };
        if !(26..=120).contains(&group.len()) {
            return Ok(None);
        }
        door.open(target, number % 16, &[&arena.people])?;
        let all = "recruiter_relation in ('family', 'stranger')";
        let answers = door.counts("victims", &[cell.clone(), format!("{cell} and {all}")]);
        let truth = Some(group.len() as i64);
        let mean = match answers[..] {
            // Variances 4 and 9, of which 4 are common: all weight belongs to the first. An attacker who knows no nesting
            // takes the mean.
            [Some(std), Some(sens)] => Some((std + sens).div_euclid(2)),
            [one, other] => one.or(other),
            _ => None,
        };
        Ok(Some(mean == truth))
    })?;
    Ok(Hits::of(&results))
}

/// The mean is printed with decimals: whether it says more than the sum and the count beside it, which are released too.
/// Counts means that are no quotient of the two.
pub fn decimals(arena: &Arena, judged: &People, target: Target) -> Result<(usize, usize)> {
    let public = Public::of(&arena.policy, judged);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x22b << 32 | number);
        let Some((cell, group)) = cell(&public, judged.len(), &mut rng) else { return Ok(None) };
        if group.len() < 30 {
            return Ok(None);
        }
        door.open(target, number % 16, &[judged])?;
        let what = "avg(imprisonment_months), sum(imprisonment_months), count(*)";
        let answer = door.ask(&format!("select {what} from judgments where {cell}"));
        let numbers: Vec<Option<f64>> =
            answer.rows().first().map_or_else(Vec::new, |row| row.iter().map(exactly).collect());
        let [Some(mean), Some(sum), Some(count)] = numbers[..] else { return Ok(Some(false)) };
        Ok(Some((mean * count - sum).abs() > 1e-4 * count.abs().max(1.0)))
    })?;
    Ok((results.iter().filter(|differs| **differs).count(), results.len()))
}

fn exactly(value: &serde_json::Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// Acts of one hidden person: noise of rows comes in steps of three, so what all have beside women and men is, on division
/// by three, hers; were there no dither. Of what is answered, so that what is hidden does not pass for resistance.
pub fn acts(arena: &Arena, served: &People, target: Target) -> Result<Hits> {
    let public = Public::of(&arena.policy, served);
    let (sex, months) = (&public.known["sex"], &public.known["month"]);
    let code = |text: &str| public.dataset.code_of("sex", text, crate::people::YEARS).unwrap_or_default();
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x22c << 32 | number);
        let (first, last) = (*months.iter().min().unwrap_or(&0), *months.iter().max().unwrap_or(&0));
        let from = rng.random_range(first..=last);
        let to = rng.random_range(from..=last);
        let province = rng.random_range(0..served.len());
        let mut group = public.like(&["province"], province);
        group.retain(|&at| (from..=to).contains(&months[at]));
        let those = |text: &str| group.iter().copied().filter(|&at| sex[at] == code(text)).collect::<Vec<_>>();
        let (alone, unknown) = (those("T"), those("_X"));
        let persons: std::collections::BTreeSet<u64> = alone.iter().map(|&at| served.sid[at]).collect();
        // Women and men must be many enough to be shown: who attacks knows that well enough.
        let is_shown = |text: &str| those(text).len() >= 40;
        if persons.len() != 1 || !unknown.is_empty() || !is_shown("F") || !is_shown("M") {
            return Ok(None);
        }
        door.open(target, number % 16, &[served])?;
        let base = format!("{} and {}", public.condition("province", province), between((from, to)));
        let women = format!("{base} and sex = 'F'");
        let men = format!("{base} and sex = 'M'");
        let answers = door.counts("services", &[base, women, men]);
        let truth = alone.len() as i64;
        let [Some(all), Some(women), Some(men)] = answers[..] else { return Ok(None) };
        let rest = all - women - men;
        let hit = if target == Target::K11Exact { rest == truth } else { rest.rem_euclid(3) == truth.rem_euclid(3) };
        Ok(Some(hit))
    })?;
    Ok(Hits::of(&results))
}

/// The persons of a population as persons served, one to three times each.
pub fn served(arena: &Arena) -> People {
    let public = Public::of(&arena.policy, &arena.people);
    let mut rng = ChaCha8Rng::seed_from_u64(0x22d);
    let times: Vec<usize> = (0..arena.people.len()).map(|_| rng.random_range(1..=3)).collect();
    let rows: Vec<usize> = times.iter().enumerate().flat_map(|(person, &times)| vec![person; times]).collect();
    let mut served = People { dataset: "services".to_owned(), name: 3, ..arena.people.clone() };
    served.sid = rows.iter().map(|&at| arena.people.sid[at]).collect();
    served.case = rows.iter().map(|&at| arena.people.case[at]).collect();
    served.agency = rows.iter().map(|&at| arena.people.agency[at]).collect();
    served.many.clear();
    let provinces = public.known["province"].clone();
    served.one.insert("province".to_owned(), provinces);
    for column in served.one.values_mut() {
        *column = rows.iter().map(|&at| column[at]).collect();
    }
    served
}
