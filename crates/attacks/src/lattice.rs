//! A7: reconstruction from a lattice of tables (privacy.md 6.8 "why so strict", 7.2).
//!
//! The attacker knows six quasi-identifiers of everybody and reads every table of at most three of them, for both codes of a
//! secret that half of the persons have. A person's secret is then the unknown of a linear system whose right side is noisy;
//! its ridge estimate (the most probable one, were the noise normal) is found by conjugate gradient.
//!
//! The grids that the policy declares are charged before her first question. Quotas are on: she has the keys of all roles and
//! spends what they have left, in an order that she chooses. How wide the noise of a question is she is told, for EXPLAIN
//! tells it.
//!
//! Absent: tables of four dimensions, two secrets together, quasi-identifiers that are not known.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result};
use disclosure::{Breakdown, CellQuery, Column, Condition, Measure};
use policy::{Charging, DEFAULT_AGENCIES, DEFAULT_DATASETS, Policy, Share, TimeLevel};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::people::{People, YEARS};
use crate::score::Tally;
use crate::target::{Door, Reply, Sql, Target};

/// What is known of everybody: the level, and how many of its codes the persons have. Cells of three of them fit into one
/// question, and no code asks for more protection than its column.
const KNOWN: [(&str, usize); 6] = [
    ("sex", 2),
    ("scope", 4),
    ("place_recruited_province", 6),
    ("age_band", 8),
    ("isic", 12),
    ("citizenship_subregion", 18),
];
/// The ridge: a secret is 1 or 0, so that its variance is a quarter.
const RIDGE: f64 = 4.0;
/// Steps of the conjugate gradient.
const STEPS: usize = 80;

/// A secret by the counter that protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No counter of its own: presence alone.
    Plain,
    /// A counter of the profile std.
    Std,
    /// Of the profile sens.
    Sens,
    /// Of the profile high.
    High,
    /// Of the profile sens, many-valued: one person in seven has both codes.
    Many,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Std, Self::Sens, Self::High, Self::Many];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "no counter",
            Self::Std => "std",
            Self::Sens => "sens",
            Self::High => "high",
            Self::Many => "sens, many-valued",
        }
    }

    /// The most that may be right: of the surest 5 %, of all (privacy.md 7.3). A secret without a counter has no goal there;
    /// it is held to that of std.
    pub const fn goals(self) -> [f64; 2] {
        match self {
            Self::Plain | Self::Std => [0.75, 0.60],
            Self::Sens | Self::High | Self::Many => [0.68, 0.58],
        }
    }

    /// Column and both codes; who has the first has the secret.
    const fn secret(self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Plain => ("status", ["actual", "possible"]),
            Self::Std => ("referral_source", ["police", "hospital"]),
            Self::Sens | Self::High => ("recruiter_relation", ["family", "stranger"]),
            Self::Many => ("exploitation", ["sexual", "forced_labour"]),
        }
    }

    /// The default policy; of a secret of the profile high, which it has as codes only, with one more column of it.
    fn policy(self, charging: Charging) -> Result<Policy> {
        let (old, new) = ("recruiter_relation = { profile = \"sens\"", "recruiter_relation = { profile = \"high\"");
        let text = if self == Self::High { DEFAULT_DATASETS.replace(old, new) } else { DEFAULT_DATASETS.to_owned() };
        let mut policy = Policy::parse(DEFAULT_AGENCIES, &text)?;
        policy.datasets = policy.datasets.charged_by(charging);
        Ok(policy)
    }
}

/// In which order tables are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Of one dimension first.
    Ascending,
    /// Of three dimensions first.
    Descending,
    /// Those first that tell most for what they cost.
    Greedy,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ascending, Self::Descending, Self::Greedy];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ascending => "1-way first",
            Self::Descending => "3-way first",
            Self::Greedy => "greedy",
        }
    }
}

/// One kind of attack.
#[derive(Debug, Clone, Copy)]
pub struct Lattice {
    /// The secret.
    pub kind: Kind,
    /// The order.
    pub order: Order,
    /// How many codes of the secret she reads: with both, everybody is in two sums with noise of its own.
    pub codes: usize,
    /// Whether one of the known levels is many-valued: `act` in place of a province, of which everybody has two codes.
    pub overlapping: bool,
    /// Persons.
    pub persons: usize,
    /// What questions cost.
    pub charging: Charging,
}

/// What became of the claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// About the twentieth of whom the attacker is surest.
    pub surest: Tally,
    /// About everybody.
    pub all: Tally,
    /// Tables that were paid.
    pub tables: usize,
}

impl Outcome {
    fn and(self, other: Self) -> Self {
        Self {
            surest: self.surest.and(other.surest),
            all: self.all.and(other.all),
            tables: self.tables.max(other.tables),
        }
    }
}

impl Lattice {
    /// Attacks so many populations, each with keys of its own, and pools the claims.
    pub fn run(&self, target: Target, populations: u64) -> Result<Outcome> {
        let door = Door::new(&Arc::new(self.kind.policy(self.charging)?))?;
        let one = |number| self.attack(&door, target, number);
        (0..populations).map(one).try_fold(Outcome::default(), |all, one| Ok(all.and(one?)))
    }

    fn attack(&self, door: &Door, target: Target, number: u64) -> Result<Outcome> {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa7 << 32 | number);
        let (people, truth) = self.population(door.policy(), &mut rng);
        door.open_with(target, number, &[&people], target == Target::Ours)?;
        door.declare()?;
        let mut system = System { rows: Vec::new(), persons: people.len() };
        let known = self.codes_of(door.policy(), &people);
        let mut tables = 0;
        for levels in self.tables(people.len()) {
            let read = self.read((door, target), &known, &levels, &mut system)?;
            tables += usize::from(read);
        }
        let estimates = system.solve();
        Ok(Outcome { tables, ..judge(&estimates, &truth) })
    }

    /// Everybody has one code of each known level, all equally often and independently, and a secret of her own.
    fn population(&self, policy: &Policy, rng: &mut ChaCha8Rng) -> (People, Vec<bool>) {
        let mut people = People::plain(policy, "victims", self.persons);
        let dataset = policy.datasets.get("victims").expect("the policy has victims");
        let code = |level: &str, text: &str| dataset.code_of(level, text, YEARS).expect("a code of the list");
        for (level, codes) in self.known() {
            if dataset.is_many(level) {
                let two = |rng: &mut ChaCha8Rng| {
                    let first = rng.random_range(0..codes as u16);
                    let second = (first + rng.random_range(1..codes as u16)) % codes as u16;
                    vec![first.min(second), first.max(second)]
                };
                people.many.insert(level.to_owned(), (0..self.persons).map(|_| two(rng)).collect());
                continue;
            }
            let finest = dataset.dimension_of(level).expect("a level of victims");
            let chosen = representatives(policy, finest, level, codes);
            let drawn = (0..self.persons).map(|_| chosen[rng.random_range(0..chosen.len())]).collect();
            people.one.insert(finest.to_owned(), drawn);
        }
        let months = TimeLevel::Month.codes(YEARS);
        people.one.insert("month".to_owned(), vec![months[7]; self.persons]);
        people.one.insert("place_identified".to_owned(), vec![code("place_identified", "PK-PB"); self.persons]);
        let truth: Vec<bool> = (0..self.persons).map(|_| rng.random_bool(0.5)).collect();
        let (column, codes) = self.kind.secret();
        let [yes, no] = codes.map(|text| code(column, text));
        let own = |&has: &bool| if has { yes } else { no };
        if self.kind == Kind::Many {
            let both = |has: &bool| if rng.random_bool(0.15) { vec![yes.min(no), yes.max(no)] } else { vec![own(has)] };
            let many: Vec<Vec<u16>> = truth.iter().map(both).collect();
            let truth = many.iter().map(|codes| codes.contains(&yes)).collect();
            people.many.insert(column.to_owned(), many);
            return (people, truth);
        }
        people.one.insert(column.to_owned(), truth.iter().map(own).collect());
        if column != "status" {
            people.one.insert("status".to_owned(), vec![code("status", "actual"); self.persons]);
        }
        (people, truth)
    }

    /// What is known of everybody.
    fn known(&self) -> [(&'static str, usize); 6] {
        let mut known = KNOWN;
        if self.overlapping {
            known[2] = ("act", 5);
        }
        known
    }

    /// The codes of everybody at each known level.
    fn codes_of(&self, policy: &Policy, people: &People) -> BTreeMap<String, Vec<Vec<u16>>> {
        let dataset = policy.datasets.get("victims").expect("the policy has victims");
        let codes = |level: &str| match people.column(dataset, level) {
            Some(Column::One(codes)) => codes.into_iter().map(|code| vec![code]).collect(),
            Some(Column::Many { offsets, codes }) => {
                offsets.windows(2).map(|at| codes[at[0] as usize..at[1] as usize].to_vec()).collect()
            }
            None => Vec::new(),
        };
        self.known().iter().map(|(level, _)| ((*level).to_owned(), codes(level))).collect()
    }

    /// Tables of one to three of the known levels, in the attacker's order.
    fn tables(&self, persons: usize) -> Vec<Vec<usize>> {
        let sets = (1_usize..1 << KNOWN.len()).filter(|set| set.count_ones() <= 3);
        let levels = |set: usize| (0..KNOWN.len()).filter(|at| set >> at & 1 == 1).collect::<Vec<_>>();
        let mut tables: Vec<Vec<usize>> = sets.map(levels).collect();
        match self.order {
            Order::Ascending => tables.sort_by_key(Vec::len),
            Order::Descending => tables.sort_by_key(|table| Reverse(table.len())),
            Order::Greedy => tables.sort_by_key(|table| Reverse(self.worth(table, persons))),
        }
        tables
    }

    /// What a table tells for its weight, were its noise the first of the profile: a cell of n persons is known to n/4 and
    /// the noise. Cells that would be hidden tell nothing.
    fn worth(&self, table: &[usize], persons: usize) -> u64 {
        let (first, floor) = match self.kind {
            Kind::Plain | Kind::Std => (4.0, 11.0),
            Kind::Sens | Kind::Many => (9.0, 20.0),
            Kind::High => (16.0, 21.0),
        };
        let cells: usize = table.iter().map(|&at| self.known()[at].1).product();
        let n = persons as f64 / cells as f64;
        let weight = f64::from(self.charging.dimension).powi(table.len() as i32 - 1);
        let told = if n / 2.0 >= floor { persons as f64 / (n / 4.0 + first) } else { 0.0 };
        (1_000.0 * told / weight) as u64
    }

    /// Reads a table for both codes of the secret; whether some role could pay for it.
    fn read(
        &self,
        (door, target): (&Door, Target),
        known: &BTreeMap<String, Vec<Vec<u16>>>,
        table: &[usize],
        system: &mut System,
    ) -> Result<bool> {
        let levels: Vec<&str> = table.iter().map(|&at| self.known()[at].0).collect();
        let dataset = door.policy().datasets.get("victims").context("victims")?;
        let (column, codes) = self.kind.secret();
        let cells = cells(known, &levels);
        let mut paid = false;
        for (side, code) in codes.into_iter().take(self.codes).enumerate() {
            let by = levels.join(", ");
            let sql = format!("select {by}, count(*) n from victims where {column} = '{code}' group by {by}");
            let answers = [Share::Ministry, Share::Agencies, Share::Partners].map(|share| (door, share));
            let Some(reply) = answers.iter().map(|(door, share)| door.ask_as(*share, &sql)).find(Reply::is_answer)
            else {
                continue;
            };
            paid = true;
            let question = CellQuery {
                dataset: dataset.name.clone(),
                population: vec![Condition {
                    dimension: column.to_owned(),
                    level: column.to_owned(),
                    codes: dataset.code_of(column, code, YEARS).into_iter().collect(),
                }],
                by: levels.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
                measures: vec![Measure::Units],
            };
            let variance = match target {
                Target::K11Exact => 0.0,
                Target::Ckm => 4.0,
                _ => door.variance(question.canonical(dataset, YEARS))?,
            };
            for row in reply.rows() {
                let Some((released, at)) = row.split_last() else { continue };
                let key: Option<Vec<u16>> = levels
                    .iter()
                    .zip(at)
                    .map(|(level, text)| dataset.code_of(level, text.as_str().unwrap_or_default(), YEARS))
                    .collect();
                let released = released.as_f64().or_else(|| released.as_str().and_then(|text| text.parse().ok()));
                let (Some(released), Some(members)) = (released, key.and_then(|key| cells.get(&key))) else { continue };
                system.add(members, released, side == 0, self.kind, variance);
            }
        }
        Ok(paid)
    }
}

/// Finest codes that stand for so many codes of a level, none of which asks for more protection.
fn representatives(policy: &Policy, finest: &str, level: &str, count: usize) -> Vec<u16> {
    let dataset = policy.datasets.get("victims").expect("the policy has victims");
    let mut seen = Vec::new();
    let mut chosen = Vec::new();
    for code in dataset.codes(finest, YEARS).unwrap_or_default() {
        let Some(up) = dataset.roll_up(finest, level, code) else { continue };
        let plain = dataset.columns[finest].profile_of(None, code) == dataset.columns[finest].profile;
        if plain && !seen.contains(&up) && chosen.len() < count {
            seen.push(up);
            chosen.push(code);
        }
    }
    chosen
}

/// Who is in which cells of a table.
fn cells(known: &BTreeMap<String, Vec<Vec<u16>>>, levels: &[&str]) -> HashMap<Vec<u16>, Vec<u32>> {
    let columns: Vec<&Vec<Vec<u16>>> = levels.iter().map(|level| &known[*level]).collect();
    let mut cells: HashMap<Vec<u16>, Vec<u32>> = HashMap::new();
    for person in 0..columns[0].len() {
        let mut keys = vec![Vec::new()];
        for codes in columns.iter().map(|column| &column[person]) {
            let mut longer: Vec<Vec<u16>> = Vec::new();
            for key in &keys {
                longer.extend(codes.iter().map(|&code| [&key[..], &[code]].concat()));
            }
            keys = longer;
        }
        for key in keys {
            cells.entry(key).or_default().push(person as u32);
        }
    }
    cells
}

/// One released number: the secrets of these persons, less a half each, add up to about this.
struct Row {
    members: Vec<u32>,
    sum: f64,
    weight: f64,
}

/// All that the attacker has read.
struct System {
    rows: Vec<Row>,
    persons: usize,
}

impl System {
    fn add(&mut self, members: &[u32], released: f64, yes: bool, kind: Kind, variance: f64) {
        let n = members.len() as f64;
        // Of a many-valued secret 0.15 have both codes, so that a code's share is 0.575, and that of the other among those
        // who have this one is less certain.
        let (share, doubt) = if kind == Kind::Many { (0.575, if yes { 0.0 } else { n * 0.11 }) } else { (0.5, 0.0) };
        let sum = if yes { released - n * share } else { n * share - released };
        self.rows.push(Row { members: members.to_vec(), sum, weight: 1.0 / (variance.max(0.25) + doubt) });
    }

    /// `(A'WA + ridge) x = A'W b`, by conjugate gradient.
    fn solve(&self) -> Vec<f64> {
        let apply = |x: &[f64]| {
            let mut y: Vec<f64> = x.iter().map(|x| RIDGE * x).collect();
            for row in &self.rows {
                let sum: f64 = row.members.iter().map(|&at| x[at as usize]).sum();
                row.members.iter().for_each(|&at| y[at as usize] += row.weight * sum);
            }
            y
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; self.persons];
        let mut rest = vec![0.0; self.persons];
        for row in &self.rows {
            row.members.iter().for_each(|&at| rest[at as usize] += row.weight * row.sum);
        }
        let mut direction = rest.clone();
        let mut length = dot(&rest, &rest);
        for _ in 0..STEPS {
            if length < 1e-12 {
                break;
            }
            let applied = apply(&direction);
            let step = length / dot(&direction, &applied);
            x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
            rest.iter_mut().zip(&applied).for_each(|(r, a)| *r -= step * a);
            let before = std::mem::replace(&mut length, dot(&rest, &rest));
            direction.iter_mut().zip(&rest).for_each(|(d, r)| *d = r + length / before * *d);
        }
        x
    }
}

/// Claims against the truth: who is above nothing has the secret, and the attacker is surest where most above or below.
fn judge(estimates: &[f64], truth: &[bool]) -> Outcome {
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| estimates[b].abs().total_cmp(&estimates[a].abs()));
    let mut outcome = Outcome::default();
    for (rank, &person) in order.iter().enumerate() {
        let claim = estimates[person] > 0.0;
        outcome.all.add(claim, truth[person]);
        if rank < truth.len() / 20 {
            outcome.surest.add(claim, truth[person]);
        }
    }
    outcome
}
