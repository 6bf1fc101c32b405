//! Statements that were good once: a question or an attack of the corpora, with some of its words changed.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Changes of one statement at most.
const CHANGES: usize = 5;

/// Cuts a statement into words: names and numbers, texts in quotes, single signs. Comments are left out.
pub fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let (word, after) = rest.split_at(length(first, rest));
            words.push(word.to_owned());
            rest = after.trim_start();
        }
    }
    words
}

/// Bytes of the first word.
fn length(first: char, text: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    match first {
        '\'' | '"' => text[1..].find(first).map_or(text.len(), |end| end + 2),
        c if is_name(c) => text.find(|c| !is_name(c)).unwrap_or(text.len()),
        c => ["<>", "<=", ">=", "||", "::"]
            .iter()
            .find(|two| text.starts_with(**two))
            .map_or(c.len_utf8(), |two| two.len()),
    }
}

/// The statements of a corpus: what stands between the lines `-- expect: …`.
pub fn statements(corpus: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for line in corpus.lines() {
        if line.starts_with("-- expect: ") {
            statements.push(String::new());
        } else if let Some(statement) = statements.last_mut()
            && !line.starts_with("--")
        {
            statement.push_str(line);
            statement.push('\n');
        }
    }
    // Repeated texts are for measuring limits, and are long.
    statements.retain(|statement| !statement.trim().is_empty() && !statement.contains("{{"));
    statements
}

/// One of the seeds, changed; `pool` has words to put in.
pub fn mutated(seeds: &[Vec<String>], pool: &Pool, rng: &mut ChaCha8Rng) -> String {
    let mut words = seeds.choose(rng).cloned().unwrap_or_default();
    for change in 0..CHANGES {
        if words.is_empty() || change > 0 && rng.random_bool(0.5) {
            break;
        }
        self::change(&mut words, seeds, pool, rng);
    }
    words.join(" ")
}

/// What a word is: a change of a word into one of its kind is more often SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Name,
    Text,
    Number,
    Sign,
}

fn kind(word: &str) -> Kind {
    match word.chars().next() {
        Some('\'') => Kind::Text,
        Some(c) if c.is_ascii_digit() => Kind::Number,
        Some(c) if c.is_alphabetic() || c == '"' => Kind::Name,
        _ => Kind::Sign,
    }
}

/// Words by their kind.
pub struct Pool(BTreeMap<Kind, Vec<String>>);

impl Pool {
    /// Each word once.
    pub fn new(words: impl Iterator<Item = String>) -> Self {
        let mut by_kind: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        for word in words.collect::<BTreeSet<_>>() {
            by_kind.entry(kind(&word)).or_default().push(word);
        }
        Self(by_kind)
    }

    fn like(&self, word: &str, rng: &mut ChaCha8Rng) -> String {
        self.0.get(&kind(word)).and_then(|words| words.choose(rng)).cloned().unwrap_or_default()
    }
}

/// Words without which hardly anything is SQL.
const SKELETON: [&str; 18] = [
    "select", "from", "where", "group", "by", "order", "and", "or", "with", "as", "in", "on", "join", "case", "when",
    "then", "end", "between",
];

/// Where to change: seldom a sign or a word of the skeleton.
fn place(words: &[String], rng: &mut ChaCha8Rng) -> usize {
    let is_flesh = |word: &String| kind(word) != Kind::Sign && !SKELETON.contains(&&*word.to_lowercase());
    let flesh: Vec<usize> = (0..words.len()).filter(|at| is_flesh(&words[*at])).collect();
    let anywhere = rng.random_range(0..words.len());
    flesh.choose(rng).copied().filter(|_| rng.random_bool(0.9)).unwrap_or(anywhere)
}

fn change(words: &mut Vec<String>, seeds: &[Vec<String>], pool: &Pool, rng: &mut ChaCha8Rng) {
    let at = place(words, rng);
    match rng.random_range(0..16) {
        0..=5 => words[at] = pool.like(&words[at], rng),
        // A word for another one of the same statement.
        6..=8 => {
            let alike: Vec<String> = words.iter().filter(|other| kind(other) == kind(&words[at])).cloned().collect();
            words[at] = alike.choose(rng).cloned().unwrap_or_default();
        }
        9 => drop(words.remove(at)),
        10 => words.insert(at, words[at].clone()),
        11 => words.insert(at, pool.like(&words[at], rng)),
        12 => {
            let other = seeds.choose(rng).cloned().unwrap_or_default();
            let from = rng.random_range(0..=other.len());
            words.truncate(at);
            words.extend(other.into_iter().skip(from));
        }
        13 | 14 => {
            words.retain(|word| word != ";");
            let around = [
                ("select * from (", ") t"),
                ("select count ( * ) from (", ") t"),
                ("with w as (", ") select * from w"),
            ];
            let (before, after) = around.choose(rng).copied().unwrap_or_default();
            words.insert(0, before.to_owned());
            words.push(after.to_owned());
        }
        _ => {
            let length = rng.random_range(1..6).min(words.len() - at);
            words.drain(at..at + length);
        }
    }
}

/// The statement with as many words left out as may be, so that it still fails.
pub fn shortened(sql: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut short = words(sql);
    if !fails(&short.join(" ")) {
        return sql.to_owned();
    }
    let mut length = short.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < short.len() {
            let rest = [&short[..at], &short[(at + length).min(short.len())..]].concat();
            if fails(&rest.join(" ")) {
                short = rest;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    short.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_its_words() {
        let sql = "-- a comment\nselect count(*) from victims v where v.year >= 2024 and sex <> 'it''s'";
        let text = words(sql).join(" ");
        assert_eq!(text, "select count ( * ) from victims v where v.year >= 2024 and sex <> 'it' 's'");
    }

    #[test]
    fn what_fails_is_told_without_what_does_not_matter() {
        let sql = "select sex, count(*) from victims where year = 2024 and random() < 0.5 group by sex";
        assert_eq!(shortened(sql, |sql| sql.contains("random ( )")), "random ( )");
    }
}
