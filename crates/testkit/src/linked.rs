//! `linkage`: who is found to be one by tokens, beside the truth of a synthetic country.
//!
//! The goals are measured at three overlaps, several seeds each; beside them a national register of a million persons, of whom
//! most have no document and half of these no day of birth, and series over the share of wrong tokens and over the limit of
//! blocks. Everything runs on one thread; times are of `linkage` alone, without the making of the country.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, Result};
use linkage::quality::Quality;
use linkage::{Born, Decisions, Kind, Linkage, MOST_IN_BLOCK, Mention, PersonId, Register, Said, link_by_blocks};
use sample::linkage::{Country, Sighting};
use serde_json::{Value, json};

use crate::Measured;

/// Persons of each country of the goals.
const PERSONS: u32 = 20_000;
/// Persons of the national register.
const NATION: u32 = 1_000_000;
/// Of a thousand persons, how many are known to several agencies.
const OVERLAPS: [u32; 3] = [50, 100, 200];
/// Seeds of the countries of the goals.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// Of a thousand tokens, how many are wrong.
const WRONG: [u32; 7] = [0, 10, 20, 30, 50, 70, 100];
/// Limits of blocks, to see what the one that is built in costs.
const BLOCKS: [usize; 4] = [16, 64, MOST_IN_BLOCK, 4096];
/// The goals.
const PRECISION: f64 = 0.99;
const RECALL: f64 = 0.95;

/// Measures.
pub fn measure() -> Result<Measured> {
    let goals = OVERLAPS.map(|overlap| SEEDS.map(|seed| Trial::of(Country::new(seed, PERSONS, overlap))).collect());
    let goals: Vec<Vec<Trial>> = goals.into_iter().collect::<Result<_>>()?;
    let means: Vec<[f64; 2]> = goals.iter().map(|trials| mean(trials)).collect();
    let worst = |at: usize| means.iter().map(|mean| mean[at]).fold(1.0, f64::min);
    let (precision, recall) = (worst(0), worst(1));
    let nation = Trial::of(Country::nation(1, NATION, 100))?;
    let wrong = |wrong_per_mille| Trial::of(Country { wrong_per_mille, ..Country::new(1, 5 * PERSONS, 100) });
    let wrong: Vec<Trial> = WRONG.into_iter().map(wrong).collect::<Result<_>>()?;
    Ok(Measured {
        value: json!(format!("{precision:.4} and {recall:.4}")),
        met: precision >= PRECISION && recall >= RECALL,
        details: json!({
            "overlaps": OVERLAPS.iter().zip(&goals).zip(&means).map(|((overlap, trials), mean)| json!({
                "overlap_percent": f64::from(*overlap) / 10.0,
                "mean": {"precision": rounded(mean[0]), "recall": rounded(mean[1])},
                "by_seed": trials.iter().map(Trial::shown).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "a_million": nation.shown(),
            "wrong_tokens": WRONG.iter().zip(&wrong).map(|(wrong, trial)| json!({
                "percent": f64::from(*wrong) / 10.0,
                "precision": rounded(trial.quality.precision()),
                "recall": rounded(trial.quality.recall()),
            })).collect::<Vec<_>>(),
            "wrong_tokens_drawn": drawn(&wrong),
            "blocks": blocks()?,
        }),
    })
}

fn mean(trials: &[Trial]) -> [f64; 2] {
    let mean =
        |of: fn(&Quality) -> f64| trials.iter().map(|trial| of(&trial.quality)).sum::<f64>() / trials.len() as f64;
    [mean(Quality::precision), mean(Quality::recall)]
}

/// What the limit of blocks leaves out: pairs, time and what is found.
fn blocks() -> Result<Vec<Value>> {
    let people = People::of(Country::nation(1, NATION / 4, 100))?;
    let row = |most: usize| {
        let shown = people.trial(most)?.shown();
        let kept =
            ["precision", "recall", "seconds", "compared", "left_out"].map(|key| (key.to_owned(), shown[key].clone()));
        let mut row = serde_json::Map::from_iter(kept);
        row.insert("most_in_block".into(), json!(most));
        Ok(Value::Object(row))
    };
    BLOCKS.into_iter().map(row).collect()
}

/// The series as one reads it at a glance: a line for each share of wrong tokens, recall as bars from 0.8 on.
fn drawn(trials: &[Trial]) -> Vec<String> {
    let line = |(wrong, trial): (&u32, &Trial)| {
        let recall = trial.quality.recall();
        let bars = "█".repeat((((recall - 0.8) * 200.0).round().max(0.0)) as usize);
        format!(
            "{:>4.1} %  precision {:.4}  recall {recall:.4} {bars}",
            f64::from(*wrong) / 10.0,
            trial.quality.precision()
        )
    };
    WRONG.iter().zip(trials).map(line).collect()
}

/// A country as agencies see it, and the truth.
struct People {
    mentions: Vec<Mention>,
    truth: HashMap<PersonId, u64>,
}

impl People {
    fn of(country: Country) -> Result<Self> {
        let mut truth = HashMap::new();
        let mut mentions = Vec::new();
        for sighting in country.sightings() {
            truth.insert(sighting.id, u64::from(sighting.truth));
            mentions.push(mention(&sighting)?);
        }
        Ok(Self { mentions, truth })
    }

    fn trial(&self, most_in_block: usize) -> Result<Trial> {
        let mentions = self.mentions.clone();
        let began = Instant::now();
        let register = Register::of(mentions)?;
        let linkage = link_by_blocks(&register, &Decisions::default(), most_in_block)?;
        let seconds = began.elapsed().as_secs_f64();
        let quality = Quality::of(&linkage.clusters, |person| self.truth[person]);
        Ok(Trial { linkage, quality, seconds })
    }
}

/// A sighting as linkage takes it.
fn mention(sighting: &Sighting) -> Result<Mention> {
    let said = |code: Option<u16>| code.map_or(Said::Nothing, Said::One);
    let mut mention = Mention::new(sighting.id, sighting.agency, (sighting.recorded_ms, sighting.event));
    for (kind, link) in &sighting.seen.tokens {
        mention.refs.push((Kind::parse(kind.code()).context("a kind of token that linkage does not know")?, *link));
    }
    mention.sex = said(sighting.seen.sex);
    mention.born = sighting.seen.born.map_or(Born::UNKNOWN, |(from, to)| Born::between(from, to));
    mention.citizenship = said(sighting.seen.citizenship);
    mention.province = said(sighting.seen.province);
    Ok(mention)
}

/// A country that was linked.
struct Trial {
    linkage: Linkage,
    quality: Quality,
    seconds: f64,
}

impl Trial {
    fn of(country: Country) -> Result<Self> {
        People::of(country)?.trial(MOST_IN_BLOCK)
    }

    fn shown(&self) -> Value {
        let (quality, summary) = (self.quality, self.linkage.summary);
        json!({
            "precision": rounded(quality.precision()),
            "recall": rounded(quality.recall()),
            "f1": rounded(quality.f1()),
            "persons_found_whole": rounded(quality.whole_share()),
            "real_persons": quality.people,
            "persons": {
                "none_linked": summary.persons,
                "published": summary.clusters,
                "all_plausible_linked": summary.all_plausible_linked,
            },
            "linked_per_mille": summary.linked_per_mille(),
            "doubtful": self.linkage.doubtful.len(),
            "compared": summary.compared,
            "left_out": summary.left_out,
            "seconds": (self.seconds * 10.0).round() / 10.0,
        })
    }
}

/// Four places, as shares are told.
fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}
