//! `tokenize`: how fast an agency's file is sealed, and whom tokens of names unite.
//!
//! Everybody is put together from the spellings of `crates/tokenize/tests/spellings.txt`, which are public common names. A person is
//! recorded twice, each word of the name in a spelling drawn anew; what is counted is in how many persons the two records
//! have an equal token, and how many pairs of persons have one that are not one. Sealing is of one thread, from a CSV file
//! in memory to nowhere.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};
use tokenize::{Columns, DomainKey, Identity, Job, Keyed, Kind, Person, Reading, Summary, seal, seal_csv};

use crate::Measured;

const SPELLINGS: &str = include_str!("../../tokenize/tests/spellings.txt");
/// Rows that are sealed.
const ROWS: u32 = 500_000;
/// Persons who are recorded twice.
const PERSONS: usize = 50_000;
/// The goals: rows a second on one core, and the share of persons whose two records share a phonetic token.
const ROWS_A_SECOND: f64 = 50_000.0;
const UNITED: f64 = 0.90;

/// Measures.
pub fn measure() -> Result<Measured> {
    let (rows_a_second, tokens) = speed()?;
    let names = united()?;
    let phonetic = names["phonetic"]["united"].as_f64().unwrap_or(0.0);
    Ok(Measured {
        value: json!(format!("{rows_a_second:.0} and {:.1} %", phonetic * 100.0)),
        met: rows_a_second >= ROWS_A_SECOND && phonetic >= UNITED,
        details: json!({ "rows": ROWS, "tokens": tokens, "rows_a_second": rows_a_second.round(), "persons": PERSONS, "names": names }),
    })
}

fn speed() -> Result<(f64, u64)> {
    let mut draw = Draw::new();
    let mut file = String::from("case_no,name,born,cnic,mother,home district,sex\n");
    for row in 0..ROWS {
        let (name, mother, born) = (draw.name(), draw.name(), draw.born());
        let cnic = 3_300_000_000_000_u64 + draw.below(900_000_000_000) as u64;
        writeln!(file, "{row},{},{born},{cnic},{},Kasur,F", draw.spelled(name), draw.spelled(mother))?;
    }
    let (mut keyed, mut out, mut aside) = (Keyed::new(&key()?), io::sink(), io::sink());
    let mut job = Job {
        reading: reading(),
        evaluate: &mut keyed,
        before: None,
        without_tokens: false,
        out: &mut out,
        aside: &mut aside,
        summary: Summary::default(),
    };
    let columns = Columns { keep: vec!["case_no".into(), "sex".into()], ..Columns::default() };
    let began = Instant::now();
    seal_csv(file.as_bytes(), b',', &columns, &mut job)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok((f64::from(ROWS) / seconds, Kind::ALL.into_iter().map(|kind| job.summary.tokens(kind)).sum()))
}

fn united() -> Result<Value> {
    let (mut draw, mut keyed) = (Draw::new(), Keyed::new(&key()?));
    let mut records = Vec::with_capacity(PERSONS);
    for _ in 0..PERSONS {
        let (name, born) = (draw.name(), draw.born());
        let two = [draw.spelled(name), draw.spelled(name)];
        let canonical =
            two.map(|name| Identity { given: &name, born: &born, ..Identity::default() }.canonical(&reading()));
        records.push((name, seal(&canonical, &mut keyed)?));
    }
    let kinds = [Kind::NameBirth, Kind::Phonetic].map(|kind| {
        let token = |person: &Person| person.token(kind).map(str::to_owned);
        let united = records.iter().filter(|(_, two)| token(&two[0]) == token(&two[1])).count();
        let row =
            json!({ "united": rounded(united as f64 / PERSONS as f64), "persons_confused": confused(&records, token) });
        (kind.code().to_owned(), row)
    });
    Ok(Value::Object(kinds.into_iter().collect()))
}

/// Pairs of persons of another name, whose first records have an equal token.
fn confused(records: &[([usize; 2], Vec<Person>)], token: impl Fn(&Person) -> Option<String>) -> usize {
    let mut by_token: HashMap<String, Vec<[usize; 2]>> = HashMap::new();
    for (name, two) in records {
        by_token.entry(token(&two[0]).unwrap_or_default()).or_default().push(*name);
    }
    let pairs = |names: &Vec<[usize; 2]>| {
        let of = |at: usize| names[..at].iter().filter(|other| **other != names[at]).count();
        (0..names.len()).map(of).sum::<usize>()
    };
    by_token.values().map(pairs).sum()
}

fn key() -> Result<DomainKey> {
    Ok(DomainKey::new("example", 1, [7; 32])?)
}

fn reading() -> Reading {
    Reading { order: tokenize::DateOrder::DayFirst, this_year: 2026, places: tokenize::Places::default() }
}

fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// Names and dates, drawn by a fixed seed.
struct Draw {
    groups: Vec<Vec<&'static str>>,
    state: u64,
}

impl Draw {
    fn new() -> Self {
        let lines = SPELLINGS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { groups: lines.map(|line| line.split_whitespace().collect()).collect(), state: 1 }
    }

    fn below(&mut self, many: usize) -> usize {
        self.state = sample::names::mix(self.state.wrapping_add(1));
        (self.state % many as u64) as usize
    }

    fn name(&mut self) -> [usize; 2] {
        [self.below(self.groups.len()), self.below(self.groups.len())]
    }

    fn spelled(&mut self, name: [usize; 2]) -> String {
        let word = |draw: &mut Self, group: usize| {
            let at = draw.below(draw.groups[group].len());
            draw.groups[group][at]
        };
        format!("{} {}", word(self, name[0]), word(self, name[1]))
    }

    fn born(&mut self) -> String {
        format!("{}/{}/{}", 1 + self.below(28), 1 + self.below(12), 1960 + self.below(50))
    }
}
