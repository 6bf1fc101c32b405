//! Questions of a grammar over the protected tables: what is counted, of whom, by what. Each can be said in many ways
//! ([`super::rules`]); said plainly it is what an analyst would type.
//!
//! Absent: what is refused ([`super::wild`] says that); limits of one question are kept.

use policy::{Dataset, Policy, Resolved, TIME, Unit};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::people::{People, YEARS};

/// Groups that a column of GROUP BY may have.
const GROUPS: usize = 40;

/// A question.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// Of which records.
    pub dataset: &'a Dataset,
    /// Conditions, each on a dimension of its own.
    pub conditions: Vec<Condition>,
    /// Levels of GROUP BY, each of a dimension of its own.
    pub by: Vec<String>,
    /// Aggregates.
    pub figures: Vec<String>,
}

/// A condition on a level.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The level.
    pub level: String,
    /// What it says.
    pub test: Test,
}

/// What a condition says; codes as they are written.
#[derive(Debug, Clone)]
pub enum Test {
    /// `= code`.
    Is(String),
    /// `IN (codes)`.
    Among(Vec<String>),
    /// `BETWEEN code AND code`.
    Between(String, String),
}

impl Condition {
    /// As an analyst writes it, of a column that may be named otherwise.
    pub fn said_of(&self, column: &str) -> String {
        match &self.test {
            Test::Is(code) => format!("{column} = {}", self.literal(code)),
            Test::Among(codes) => {
                let codes: Vec<String> = codes.iter().map(|code| self.literal(code)).collect();
                format!("{column} in ({})", codes.join(", "))
            }
            Test::Between(from, to) => format!("{column} between {} and {}", self.literal(from), self.literal(to)),
        }
    }

    /// As an analyst writes it.
    pub fn said(&self) -> String {
        self.said_of(&self.level)
    }

    /// A code as a literal: years as numbers.
    pub fn literal(&self, code: &str) -> String {
        if self.level == "year" { code.to_owned() } else { format!("'{code}'") }
    }

    /// The one code, where it is one.
    pub fn is(&self) -> Option<&str> {
        match &self.test {
            Test::Is(code) => Some(code),
            Test::Among(_) | Test::Between(..) => None,
        }
    }
}

impl Asking<'_> {
    /// Said plainly.
    pub fn plain(&self) -> Parts {
        Parts {
            keys: self.by.clone(),
            figures: self.figures.clone(),
            from: self.dataset.name.clone(),
            conditions: self.conditions.iter().map(Condition::said).collect(),
            group: self.by.join(", "),
            ..Parts::default()
        }
    }

    /// The columns that it names, each once.
    pub fn levels(&self) -> Vec<String> {
        let mut levels: Vec<String> =
            self.conditions.iter().map(|condition| condition.level.clone()).chain(self.by.iter().cloned()).collect();
        levels.sort();
        levels.dedup();
        levels
    }

    /// Whether a unit may have several codes of a column that it names.
    pub fn is_many(&self) -> bool {
        self.levels().iter().any(|level| self.dataset.is_many(level))
    }

    /// Whether a figure is anything but a count of rows.
    pub fn only_counts(&self) -> bool {
        self.figures.iter().all(|figure| figure == "count(*)")
    }
}

/// A statement in its clauses, to be changed one by one.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// What stands before SELECT.
    pub with: String,
    /// Columns of groups.
    pub keys: Vec<String>,
    /// Aggregates.
    pub figures: Vec<String>,
    /// After FROM.
    pub from: String,
    /// After WHERE, joined by AND.
    pub conditions: Vec<String>,
    /// After GROUP BY.
    pub group: String,
    /// What stands behind.
    pub tail: String,
}

impl Parts {
    /// The statement.
    pub fn text(&self) -> String {
        let items: Vec<&str> = self.keys.iter().chain(&self.figures).map(String::as_str).collect();
        let mut text = format!("{}select {} from {}", self.with, items.join(", "), self.from);
        for (word, rest) in [("where", &self.conditions.join(" and ")), ("group by", &self.group)] {
            if !rest.is_empty() {
                text.push_str(&format!(" {word} {rest}"));
            }
        }
        text + &self.tail
    }
}

/// Makes questions over a country: conditions are what somebody in it has, so that they seldom are about nobody.
pub struct Grammar<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The rows.
    pub country: &'a [People],
    /// A sid about whom half of the conditions are, if anybody.
    pub about: Option<u64>,
}

impl<'a> Grammar<'a> {
    /// The next question.
    pub fn asking(&self, rng: &mut ChaCha8Rng) -> Asking<'a> {
        let people = self.country.choose(rng).expect("datasets");
        let dataset = self.policy.datasets.get(&people.dataset).expect("a dataset");
        let mut dimensions: Vec<&str> = dataset.columns.keys().map(String::as_str).collect();
        let mut asking = Asking { dataset, conditions: Vec::new(), by: Vec::new(), figures: figures(dataset, rng) };
        if rng.random_bool(0.8) {
            asking.conditions.extend(self.condition(people, dataset, TIME, rng));
        } else {
            dimensions.push(TIME);
        }
        for _ in 0..rng.random_range(0..=2) {
            let dimension = dimensions.swap_remove(rng.random_range(0..dimensions.len()));
            asking.conditions.extend(self.condition(people, dataset, dimension, rng));
        }
        for _ in 0..rng.random_range(0..=2) {
            let dimension = if dimensions.is_empty() { break } else { rng.random_range(0..dimensions.len()) };
            let dimension = dimensions.swap_remove(dimension);
            asking.by.extend(level_of_groups(dataset, dimension, rng));
        }
        asking
    }

    fn condition(
        &self,
        people: &People,
        dataset: &Dataset,
        dimension: &str,
        rng: &mut ChaCha8Rng,
    ) -> Option<Condition> {
        let row = self.row(people, rng);
        let levels = match dimension {
            TIME => vec!["year", "year", "year", "quarter", "month"],
            other => dataset.levels(other),
        };
        let level = (*levels.choose(rng)?).to_owned();
        let code = code_of(people, dataset, dimension, &level, row)?;
        let codes = dataset.codes(&level, YEARS)?;
        let text = |code: u16| dataset.code_text(&level, code);
        let test = match rng.random_range(0..10) {
            0..=5 => Test::Is(text(code)?),
            6..=7 if dimension == TIME => {
                let to = codes.iter().position(|other| *other == code)? + rng.random_range(1..3);
                let to = codes.get(to).filter(|code| Some(**code) != dataset.unknown(&level))?;
                Test::Between(text(code)?, text(*to)?)
            }
            _ => {
                let mut among = vec![text(code)?];
                let others = codes.choose_multiple(rng, if dataset.is_many(&level) { 1 } else { 2 });
                among.extend(others.filter_map(|code| text(*code)));
                among.sort();
                among.dedup();
                Test::Among(among)
            }
        };
        Some(Condition { level, test })
    }

    fn row(&self, people: &People, rng: &mut ChaCha8Rng) -> usize {
        let about = self.about.filter(|_| rng.random_bool(0.5));
        let row = about.and_then(|sid| people.sid.iter().position(|other| *other == sid));
        row.unwrap_or_else(|| rng.random_range(0..people.len()))
    }
}

fn code_of(people: &People, dataset: &Dataset, dimension: &str, level: &str, row: usize) -> Option<u16> {
    let finest = if dimension == TIME { "month" } else { dimension };
    let code = match people.many.get(dimension) {
        Some(codes) => *codes[row].first()?,
        None => people.one.get(finest)?[row],
    };
    dataset.roll_up(finest, level, code)
}

fn level_of_groups(dataset: &Dataset, dimension: &str, rng: &mut ChaCha8Rng) -> Option<String> {
    let mut levels = dataset.levels(dimension);
    let groups = |level: &&str| dataset.codes(level, YEARS).is_some_and(|codes| codes.len() <= GROUPS);
    levels.retain(groups);
    levels.choose(rng).map(|level| (*level).to_owned())
}

fn figures(dataset: &Dataset, rng: &mut ChaCha8Rng) -> Vec<String> {
    let mut figures = vec!["count(*)".to_owned()];
    let unit = match dataset.unit {
        Unit::Person => "count(distinct person_id)",
        Unit::Case => "count(distinct case_id)",
        Unit::Inspection | Unit::Activity | Unit::Contact | Unit::Release => "count(distinct agency)",
    };
    let measures: Vec<&String> = dataset.measures.keys().collect();
    let more = match (rng.random_range(0..6), measures.choose(rng)) {
        (0, _) => Some(unit.to_owned()),
        (1, Some(measure)) => Some(format!("sum({measure})")),
        (2, Some(measure)) => Some(format!("avg({measure})")),
        (3, Some(measure)) => Some(format!("median({measure})")),
        _ => None,
    };
    figures.extend(more);
    figures
}

/// The code list of a level, where it has one.
pub fn list_of<'a>(dataset: &'a Dataset, level: &str) -> Option<&'a str> {
    dataset.resolve(level).and_then(Resolved::list)
}
