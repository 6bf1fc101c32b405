//! A16 and A17: what is shown or hidden says something of a group; and A5 where the groups are of two datasets
//! (privacy.md 6.6, 7.2).
//!
//! Absent: differences between sets of one dataset; those are A1's.

use anyhow::Result;
use policy::{Policy, TimeLevel};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::people::{BALANCED, People, YEARS};
use crate::referee::{Arena, Size};
use crate::score::Tally;
use crate::target::{Door, Sql, Target};

/// What opens a cell of which the attacker knows whose persons are in it, and of none of them the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// Two raids, and perhaps the victim: rule 2 asks for three cases.
    ThirdCase,
    /// Two shelters, and perhaps the victim: rule 3 asks for three agencies.
    ThirdAgency,
}

/// A16: the victim alone brings the third case, or the third caseload, that a rule asks for. The cell is shown if and only if
/// she is in it. One question.
pub fn opener(arena: &Arena, target: Target, opener: Opener) -> Result<Tally> {
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa16 << 32 | number);
        let (people, victim, cell) = planted(arena, opener, &mut rng);
        door.open(target, number % 16, &[&people])?;
        let answer = door.counts("victims", &[format!("{cell} and {}", BALANCED.sql())]);
        Ok(Some((answer[0].is_some(), people.has(&arena.policy, victim, BALANCED))))
    })?;
    let mut tally = Tally::default();
    for (claim, truth) in results {
        tally.add(claim, truth);
    }
    Ok(tally)
}

/// A population with one cell of place and month that holds two known groups and the victim.
fn planted(arena: &Arena, opener: Opener, rng: &mut ChaCha8Rng) -> (People, usize, String) {
    let mut people = People { name: 0, ..arena.people.clone() };
    let (month, elsewhere) = (TimeLevel::Month.codes(YEARS)[20], TimeLevel::Month.codes(YEARS)[2]);
    let place = people.one["place_identified"][rng.random_range(0..people.len())];
    for person in 0..people.len() {
        if people.one["month"][person] == month && people.one["place_identified"][person] == place {
            people.one.get_mut("month").expect("a column")[person] = elsewhere;
        }
    }
    let agency = |code: &str| arena.policy.agencies.get(code).expect("an agency").index;
    let private: Vec<u16> = arena.policy.agencies.iter().filter(|a| a.private).map(|a| a.index).collect();
    let each = if opener == Opener::ThirdCase { 20 } else { 17 };
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() <= 2 * each {
        let person = rng.random_range(0..people.len());
        if !chosen.contains(&person) {
            chosen.push(person);
        }
    }
    let victim = chosen[0];
    for (number, &person) in chosen.iter().enumerate() {
        people.one.get_mut("month").expect("a column")[person] = month;
        people.one.get_mut("place_identified").expect("a column")[person] = place;
        let group = if number == 0 { 2 } else { number % 2 };
        match opener {
            Opener::ThirdCase => {
                (people.case[person], people.agency[person]) = (900_000 + group as u64, agency("POL-PB"));
            }
            Opener::ThirdAgency => {
                (people.case[person], people.agency[person]) = (900_000 + number as u64, private[group]);
            }
        }
    }
    let policy: &Policy = &arena.policy;
    let text = policy.datasets.get("victims").and_then(|dataset| dataset.code_text("place_identified", place));
    (people, victim, format!("place_identified = '{}' and {}", text.unwrap_or_default(), between((month, month))))
}

/// A5 across datasets of a universe: the persons of a province and period in `victims` against those in `services`. All of
/// them were served, but perhaps the victim: equal sets, or one person fewer.
pub fn across_datasets(arena: &Arena, target: Target, size: Size) -> Result<Tally> {
    let public = Public::of(&arena.policy, &arena.people);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa5d << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        let months = &public.known["month"];
        let span = (months[victim], months[victim] + rng.random_range(0..8));
        let levels = [["province", "sex"], ["province", "age_group"], ["sex", "age_group"]][rng.random_range(0..3)];
        let mut group = public.like(&levels, victim);
        group.retain(|&at| (span.0..=span.1).contains(&months[at]));
        if !size.holds(group.len() - 1) || span.1 > *months.iter().max().unwrap_or(&0) {
            return Ok(None);
        }
        let served = rng.random_bool(0.5);
        let gone: &[usize] = if served { &[] } else { &[victim] };
        let mut services = arena.people.without(gone);
        "services".clone_into(&mut services.dataset);
        let provinces: Vec<u16> =
            (0..arena.people.len()).filter(|at| !gone.contains(at)).map(|at| public.known["province"][at]).collect();
        services.one.insert("province".to_owned(), provinces);
        services.many.clear();
        door.open(target, number % 16, &[&arena.people, &services])?;
        let base: Vec<String> = levels.iter().map(|level| public.condition(level, victim)).collect();
        let all = format!("{} and {}", base.join(" and "), between(span));
        let of = |dataset: &str| {
            let sql = format!("select count(distinct person_id) from {dataset} where {all}");
            door.ask(&sql).first().first().copied().flatten()
        };
        // The claim is that she was not served.
        Ok(Some((of("victims") != of("services"), !served)))
    })?;
    let mut tally = Tally::default();
    for (claim, truth) in results {
        tally.add(claim, truth);
    }
    Ok(tally)
}

/// A17: everybody of a group shares a secret, but perhaps the victim. Claims only where the law of the mechanism leaves less
/// than 5 % of doubt: that all share it, where equal numbers mean equal sets; that she does not, where they differ.
/// Gives the number of right claims, of wrong ones, and of trials.
pub fn group_attribute(arena: &Arena, target: Target) -> Result<(usize, usize, usize)> {
    let public = Public::of(&arena.policy, &arena.people);
    let scope = |text: &str| public.dataset.code_of("scope", text, YEARS).unwrap_or_default();
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa17 << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        let levels = [["province", "sex"], ["province", "sector"], ["sex", "status"]][rng.random_range(0..3)];
        let months = &public.known["month"];
        let span = (months[victim], months[victim] + rng.random_range(0..8));
        let mut group = public.like(&levels, victim);
        group.retain(|&at| (span.0..=span.1).contains(&months[at]));
        if !(20..=150).contains(&group.len()) || span.1 > *months.iter().max().unwrap_or(&0) {
            return Ok(None);
        }
        let mut people = People { name: 0, ..arena.people.clone() };
        let shares = rng.random_bool(0.5);
        for &at in &group {
            let code = if at == victim && !shares { "transnational_out" } else { "domestic" };
            people.one.get_mut("scope").expect("a column")[at] = scope(code);
        }
        door.open(target, number % 16, &[&people])?;
        let base: Vec<String> = levels.iter().map(|level| public.condition(level, victim)).collect();
        let all = format!("{} and {}", base.join(" and "), between(span));
        let answers = door.counts("victims", &[all.clone(), format!("{all} and {}", BALANCED.sql())]);
        // Equal numbers of different sets: by the exact count never, by noise alone in 14 of 100 (privacy.md 6.5).
        let claim = match answers[..] {
            [Some(all), Some(share)] if all != share => Some(false),
            [Some(_), Some(_)] if target == Target::K11Exact => Some(true),
            _ => None,
        };
        Ok(Some(claim.map(|claim| claim == shares)))
    })?;
    let count = |wanted: Option<bool>| results.iter().filter(|result| **result == wanted).count();
    Ok((count(Some(true)), count(Some(false)), results.len()))
}

/// A17: cells shown as zero in the answers to ordinary breakdowns, and cells altogether.
pub fn zeros(arena: &Arena, target: Target) -> Result<(usize, usize)> {
    let door = Door::new(&arena.policy)?;
    let (mut zeros, mut cells) = (0, 0);
    for (number, by) in
        ["sex, province", "citizenship, year", "sector, age_group", "status, quarter"].iter().enumerate()
    {
        door.open(target, number as u64, &[&arena.people])?;
        let answer = door.ask(&format!("select {by}, count(*) n from victims where year = 2023 group by {by}"));
        for row in answer.numbers() {
            cells += 1;
            zeros += usize::from(row.last().copied().flatten() == Some(0));
        }
    }
    Ok((zeros, cells))
}
