//! A10: attacks that nobody thought of, found by search (QuerySnout: Cretu et al. 2022; privacy.md 7.2).
//!
//! An individual of the evolution is a sequence of questions of the grammar about the victim's codes. Its fitness is how well a
//! classifier tells from the answers whether she has the secret, on shadow populations with other keys. The fittest of several
//! runs, by the attacker's own judgement, is then judged on populations that she has not seen.
//!
//! Absent: questions of breakdowns (a filter says the same), sums.

use anyhow::Result;
use policy::Policy;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::know::{Public, between};
use crate::learner::{Example, Learned};
use crate::people::{BALANCED, People, YEARS};
use crate::referee::Arena;
use crate::score::{Profile, auc};
use crate::target::{Door, Sql, Target};

/// Persons of a population.
const PERSONS: usize = 300;
/// Shadow populations by which fitness is judged: half of them to learn from.
const SHADOWS: usize = 80;
/// Shadow populations from which the fittest learns at last.
const LEARNED: usize = 240;
/// Populations of a victim that are judged.
pub const JUDGED: usize = 250;
/// What draws the weights of the classifier to nothing.
const RIDGE: f64 = 0.1;
/// Levels of the victim of which at most two are asked about.
const LEVELS: [&str; 6] = ["sex", "age_group", "province", "status", "citizenship", "sector"];

/// How much is searched.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Questions of an individual.
    pub questions: usize,
    /// Individuals.
    pub individuals: usize,
    /// Generations.
    pub generations: usize,
    /// Runs, of which the best counts.
    pub runs: usize,
}

impl Budget {
    /// What a profile can have. The paper has 100 questions, 100 individuals and 200 generations; a release has the generations
    /// (privacy.md 7.1), a night what it has time for.
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Fast | Profile::Nightly => Self { questions: 10, individuals: 10, generations: 6, runs: 5 },
            Profile::Release => Self { questions: 20, individuals: 20, generations: 200, runs: 5 },
        }
    }
}

/// What is known of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Everything.
    ExactButOne,
    /// How their codes are spread.
    BlackBox,
}

impl Scenario {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::ExactButOne, Self::BlackBox];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExactButOne => "exact but one",
            Self::BlackBox => "black box",
        }
    }
}

/// Judgments about as many populations as there are trials, and what the fittest of the last victim asks.
pub fn searched(
    arena: &Arena,
    target: Target,
    scenario: Scenario,
    budget: Budget,
) -> Result<(Vec<(f64, bool)>, String)> {
    let judged = JUDGED.min(arena.trials);
    let all = arena.some(arena.trials.div_ceil(judged), &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa10 << 32 | number);
        let world = World::new(door.policy(), scenario, &mut rng);
        let search =
            Search { door, target, world: &world, budget, shadows: world.shadows(SHADOWS, 1 + number, &mut rng) };
        let runs = if target == Target::Ours { budget.runs } else { 1 };
        let mut fittest = (0.0, Vec::new());
        for _ in 0..runs {
            let best = search.evolved(&mut rng)?;
            if best.0 > fittest.0 {
                fittest = best;
            }
        }
        let texts: Vec<String> = fittest.1.iter().map(|asked| asked.condition(&world.public())).collect();
        Ok(Some((search.judged(&fittest.1, judged, &mut rng)?, texts.join("; "))))
    })?;
    let told = all.last().map(|(_, text)| text.clone()).unwrap_or_default();
    Ok((all.into_iter().flat_map(|(scored, _)| scored).collect(), told))
}

/// The victim (the first of the reserve), and what the attacker knows of others.
struct World<'a> {
    policy: &'a Policy,
    scenario: Scenario,
    reserve: People,
    own: [u16; 2],
}

const VICTIM: usize = 0;

impl<'a> World<'a> {
    fn new(policy: &'a Policy, scenario: Scenario, rng: &mut ChaCha8Rng) -> Self {
        let reserve = People::victims(policy, 5 * PERSONS, rng).shuffled(rng);
        let dataset = policy.datasets.get("victims").expect("the policy has victims");
        let code = |text: &str| dataset.code_of(BALANCED.column, text, YEARS).expect("a code of the list");
        Self { policy, scenario, reserve, own: [code(BALANCED.code), code("transnational_out")] }
    }

    fn public(&self) -> Public<'_> {
        Public::of(self.policy, &self.reserve)
    }

    /// Populations, every second one with a victim who has the secret; each remembers its name, so that its rows are prepared once.
    fn shadows(&self, count: usize, run: u64, rng: &mut ChaCha8Rng) -> Vec<Shadow> {
        let shadow = |at: usize| {
            let has = at.is_multiple_of(2);
            let mut persons: Vec<usize> = (0..PERSONS).collect();
            if self.scenario == Scenario::BlackBox {
                persons = std::iter::once(VICTIM)
                    .chain(
                        rand::seq::index::sample(rng, self.reserve.len() - 1, PERSONS - 1).into_iter().map(|at| at + 1),
                    )
                    .collect();
            }
            let mut people = self.reserve.only(persons);
            if let Some(secrets) = people.one.get_mut(BALANCED.column) {
                secrets[VICTIM] = self.own[usize::from(!has)];
            }
            people.name = (0xa10 + run) << 20 | at as u64;
            Shadow { people, has, keys: rng.random() }
        };
        (0..count).map(shadow).collect()
    }
}

/// A population with keys of its own.
struct Shadow {
    people: People,
    has: bool,
    keys: u64,
}

/// A question about the victim's codes.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    /// Levels and whether her own code is meant, or all others.
    levels: Vec<(&'static str, bool)>,
    /// Months before and after hers.
    around: (u16, u16),
    /// Whether her own month is in the stretch: else it is what is left on the longer side.
    month: bool,
    /// Her secret or the other one; neither: everybody.
    secret: Option<bool>,
}

impl Asked {
    fn by_lot(rng: &mut ChaCha8Rng) -> Self {
        let mut levels: Vec<(&'static str, bool)> = Vec::new();
        for _ in 0..rng.random_range(0..=2) {
            let level = LEVELS.choose(rng).copied().unwrap_or("sex");
            if levels.iter().all(|(known, _)| *known != level) {
                levels.push((level, rng.random_bool(0.8)));
            }
        }
        let around = (rng.random_range(0..24), rng.random_range(0..24));
        let secret = [Some(true), Some(true), Some(false), None].choose(rng).copied().flatten();
        Self { levels, around, month: rng.random_bool(0.7), secret }
    }

    /// The same with one part changed.
    fn changed(&self, rng: &mut ChaCha8Rng) -> Self {
        let (mut changed, other) = (self.clone(), Self::by_lot(rng));
        match rng.random_range(0..5) {
            0 => changed.levels = other.levels,
            1 => changed.around = other.around,
            2 => changed.month = !changed.month,
            3 => changed.secret = other.secret,
            _ => changed.levels.iter_mut().for_each(|(_, own)| *own = !*own),
        }
        changed
    }

    fn condition(&self, public: &Public<'_>) -> String {
        let months = &public.known["month"];
        let own = months[VICTIM];
        let (first, last) = (*months.iter().min().unwrap_or(&own), *months.iter().max().unwrap_or(&own));
        let (before, after) = (self.around.0.min(own - first), self.around.1.min(last - own));
        let span = match self.month {
            true => (own - before, own + after),
            false if before >= after && before > 0 => (own - before, own - 1),
            false => (own.min(last - 1) + 1, own + after.max(1)),
        };
        let level = |(level, own): &(&str, bool)| {
            let condition = public.condition(level, VICTIM);
            if *own { condition } else { condition.replace(" = ", " <> ") }
        };
        let secret = self
            .secret
            .map(|own| format!("{} = '{}'", BALANCED.column, if own { BALANCED.code } else { "transnational_out" }));
        self.levels.iter().map(level).chain(secret).chain([between(span)]).collect::<Vec<_>>().join(" and ")
    }
}

/// A search against one target.
struct Search<'a> {
    door: &'a Door,
    target: Target,
    world: &'a World<'a>,
    budget: Budget,
    shadows: Vec<Shadow>,
}

impl Search<'_> {
    /// The fittest individual of a run, with its fitness.
    fn evolved(&self, rng: &mut ChaCha8Rng) -> Result<(f64, Vec<Asked>)> {
        let public = self.world.public();
        let by_lot = |rng: &mut ChaCha8Rng| {
            std::iter::repeat_with(|| self.accepted(&public, rng)).take(self.budget.questions).collect()
        };
        let mut all: Vec<(f64, Vec<Asked>)> = Vec::new();
        for _ in 0..self.budget.individuals {
            let individual: Vec<Asked> = by_lot(rng);
            all.push((self.fitness(&public, &individual)?, individual));
        }
        for _ in 1..self.budget.generations {
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            all.truncate(self.budget.individuals / 3);
            let parents = all.len();
            while all.len() < self.budget.individuals {
                let (one, other) = (rng.random_range(0..parents), rng.random_range(0..parents));
                let child = self.child((&all[one].1, &all[other].1), &public, rng);
                all.push((self.fitness(&public, &child)?, child));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(all.swap_remove(0))
    }

    /// A question that the endpoint takes: its text alone decides.
    fn accepted(&self, public: &Public<'_>, rng: &mut ChaCha8Rng) -> Asked {
        loop {
            let asked = Asked::by_lot(rng);
            if self.is_accepted(public, &asked) {
                break asked;
            }
        }
    }

    fn is_accepted(&self, public: &Public<'_>, asked: &Asked) -> bool {
        self.door.compile(&format!("select count(*) from victims where {}", asked.condition(public))).is_ok()
    }

    /// Questions of both parents; of some a second form takes the place of another, so that pairs arise.
    fn child(&self, (one, other): (&[Asked], &[Asked]), public: &Public<'_>, rng: &mut ChaCha8Rng) -> Vec<Asked> {
        let mut child: Vec<Asked> = one
            .iter()
            .zip(other)
            .map(|(one, other)| if rng.random_bool(0.5) { one.clone() } else { other.clone() })
            .collect();
        for _ in 0..3 {
            let changed = child[rng.random_range(0..child.len())].changed(rng);
            if self.is_accepted(public, &changed) {
                let place = rng.random_range(0..child.len());
                child[place] = changed;
            }
        }
        child
    }

    /// How well half of the shadows teach to tell the other half apart.
    fn fitness(&self, public: &Public<'_>, individual: &[Asked]) -> Result<f64> {
        let examples = self.examples(public, individual, &self.shadows, false)?;
        let (known, unseen) = examples.split_at(SHADOWS / 2);
        let learned = Learned::from(known, RIDGE);
        Ok(auc(&unseen.iter().map(|(features, has)| (learned.score(features), *has)).collect::<Vec<_>>()))
    }

    fn judged(&self, individual: &[Asked], count: usize, rng: &mut ChaCha8Rng) -> Result<Vec<(f64, bool)>> {
        let public = self.world.public();
        let mut shadows = self.world.shadows(LEARNED + count, 0, rng);
        for shadow in &mut shadows {
            // It is asked once.
            shadow.people.name = 0;
        }
        let examples = self.examples(&public, individual, &shadows, true)?;
        let (known, unseen) = examples.split_at(LEARNED);
        let learned = Learned::from(known, RIDGE);
        Ok(unseen.iter().map(|(features, has)| (learned.score(features), *has)).collect())
    }

    fn examples(
        &self,
        public: &Public<'_>,
        individual: &[Asked],
        shadows: &[Shadow],
        explained: bool,
    ) -> Result<Vec<Example>> {
        let conditions: Vec<String> = individual.iter().map(|asked| asked.condition(public)).collect();
        let columns: Vec<String> = conditions.iter().map(|under| format!("count(*) filter (where {under})")).collect();
        let sql = format!("select {} from victims", columns.join(", "));
        let example = |shadow: &Shadow| {
            self.door.open(self.target, shadow.keys, &[&shadow.people])?;
            let mut features = features(self.door, &sql, conditions.len());
            if explained {
                features.push(variance(self.door, &sql));
            }
            Ok((features, shadow.has))
        };
        shadows.iter().map(example).collect()
    }
}

/// Numbers, which are hidden, which are equal, and how the question was refused.
fn features(door: &Door, sql: &str, questions: usize) -> Vec<f64> {
    let flag = |is: bool| f64::from(u8::from(is));
    let reply = door.ask(sql);
    let mut numbers = reply.first();
    numbers.resize(questions, None);
    let mut features: Vec<f64> = numbers.iter().map(|number| number.map_or(5.5, |number| number as f64)).collect();
    features.extend(numbers.iter().map(|number| flag(number.is_some())));
    for (at, one) in numbers.iter().enumerate() {
        features.extend(numbers[at + 1..].iter().map(|other| flag(one == other)));
    }
    features.push(f64::from(reply.status));
    features.push(flag(reply.code().is_empty()));
    features
}

/// The variances of the noise that EXPLAIN tells, added up.
fn variance(door: &Door, sql: &str) -> f64 {
    let rows = door.ask(&format!("explain {sql}")).rows();
    let text = rows.first().and_then(|row| row.first()).and_then(Value::as_str).unwrap_or_default();
    let told: Value = serde_json::from_str(text).unwrap_or_default();
    let measures = told["questions"].as_array().into_iter().flatten().filter_map(|asked| asked["measures"].as_array());
    measures.flatten().filter_map(|measure| measure["variance"].as_f64()).sum()
}
