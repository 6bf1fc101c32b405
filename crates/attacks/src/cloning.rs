//! A9, cloning (Gadotti et al.), and A6 (i), the subsets that the grammar must not know (privacy.md 7.2).
//!
//! Absent: reconstruction from the subsets that it does know.

use anyhow::Result;
use rand_chacha::ChaCha8Rng;

use crate::know::Knowledge;
use crate::membership::{Attack, Claims, is_one_more};
use crate::outcomes::Seen;
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// Conditions that leave nobody out: each makes another text, and where noise depends on texts another draw.
const DUMMIES: [&str; 4] = [
    "recruiter_relation in ('family', 'stranger')",
    "status in ('actual', 'possible', '_X')",
    "sex in ('F', 'M', 'T', '_X')",
    "recruiter_relation <> 'official'",
];

/// A9: the difference of a pair in several clones; the claim is the median of what they say.
pub struct Cloning;

impl Attack for Cloning {
    fn run(&self, target: &dyn Sql, know: &Knowledge<'_>, _: &mut ChaCha8Rng) -> Claims {
        let (pair, secret) = (&know.pairs[0], know.secret.sql());
        // Each in a statement of its own: a clone that is refused tells nothing, and spoils no other.
        let says: Vec<bool> = DUMMIES
            .iter()
            .map(|dummy| {
                let also = format!("{secret} and {dummy}");
                target.counts(&know.public.dataset.name, &[pair.larger(&also), pair.smaller(&also)])
            })
            .filter(|answers| answers.iter().any(Option::is_some))
            .map(|answers| is_one_more(&answers, know.others[0], know.target))
            .collect();
        vec![2 * says.iter().filter(|one_more| **one_more).count() > says.len()]
    }
}

/// Attempts to select persons as if by lot, by what no column means.
const LOTS: [&str; 24] = [
    "floor(100 * power(cast(age_band as double), 0.7)) % 2 = 0",
    "power(year, 2) % 7 = 3",
    "year % 2 = 0",
    "year * 31 + 7 > 60000",
    "abs(year - 2023) < 1",
    "md5(citizenship) < '8'",
    "md5(place_identified || sector) like '%a%'",
    "sha256(citizenship) is not null",
    "digest(sector, 'sha256') is not null",
    "sector like '%i%'",
    "sector ilike '_r%'",
    "sector similar to '(b|m)%'",
    "sector ~ '^[a-m]'",
    "substr(sector, 2, 1) < 'm'",
    "length(sector) > 6",
    "ascii(sector) % 2 = 0",
    "strpos(sector, 'e') > 2",
    "reverse(sector) < 'm'",
    "translate(sector, 'abc', 'bca') > 'k'",
    "case when random() < 0.5 then true else false end",
    "random() < 0.5",
    "person_id like '%7'",
    "case_id % 2 = 0",
    "sector || sex > 'garmentF'",
];

/// A6 (i): how many of them are answered.
pub fn lots(arena: &Arena, target: Target) -> Result<Seen> {
    let door = Door::new(&arena.policy)?;
    door.open(target, 6, &[&arena.people])?;
    let mut seen = Seen::default();
    for lot in LOTS {
        for text in [
            format!("select count(*) from victims where {lot}"),
            format!("select count(*) filter (where {lot}) from victims"),
            format!("select sum(case when {lot} then 1 else 0 end) from victims"),
        ] {
            seen.tried += 1;
            if door.ask(&text).is_answer() {
                seen.apart.push(text);
            }
        }
    }
    Ok(seen)
}
