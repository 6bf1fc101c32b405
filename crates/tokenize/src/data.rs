//! The lists that are part of the canonical form, as they stand in `data/`: spellings of names, particles, placeholders,
//! districts. Read once; a list with a mistake fails a test, not a run.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::fold;

const NAMES: &str = include_str!("../data/names.txt");
const PARTICLES: &str = include_str!("../data/particles.txt");
const PLACEHOLDERS: &str = include_str!("../data/placeholders.txt");
const DISTRICTS: &str = include_str!("../data/districts.txt");

/// What a word in a name's field is, where it is not simply part of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Particle {
    /// Mr, Mst, Dr: dropped.
    Title,
    /// `al`: dropped before another word.
    Article,
    /// `ul`, `bin`: dropped between two words.
    Joint,
    /// `bint`: cuts the name of another person.
    Relation,
    /// Muhammad, Bibi: left out of the phonetic form.
    Loose,
}

/// The one form of each spelling of a name.
static SPELLINGS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut spellings = HashMap::new();
    for (head, others) in lines(NAMES).filter_map(|line| line.split_once(": ")) {
        for spelling in others.split(' ').chain([head]) {
            spellings.insert(fold::folded(spelling), head);
        }
    }
    spellings
});

static PARTICLE: LazyLock<HashMap<String, Particle>> = LazyLock::new(|| {
    let mut particles = HashMap::new();
    for (what, words) in lines(PARTICLES).filter_map(|line| line.split_once(": ")) {
        let particle = match what {
            "title" => Particle::Title,
            "article" => Particle::Article,
            "joint" => Particle::Joint,
            "relation" => Particle::Relation,
            _ => Particle::Loose,
        };
        particles.extend(words.split(' ').map(|word| (fold::folded(word), particle)));
    }
    particles
});

static PLACEHOLDER: LazyLock<HashSet<(&'static str, String)>> = LazyLock::new(|| {
    let entries = lines(PLACEHOLDERS).filter_map(|line| line.split_once(": "));
    entries.map(|(what, entry)| (what, fold::folded(entry))).collect()
});

static DISTRICT: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut districts = HashMap::new();
    for line in lines(DISTRICTS) {
        let (head, others) = line.split_once(": ").unwrap_or((line, ""));
        for spelling in others.split(", ").chain([head]).filter(|spelling| !spelling.is_empty()) {
            districts.insert(fold::words_and_digits(spelling).join(" "), head);
        }
    }
    districts
});

/// Lines that say something.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The form that stands for this spelling of a name.
pub(crate) fn spelling(word: &str) -> Option<&'static str> {
    SPELLINGS.get(word).copied()
}

/// What this word is beside a name.
pub(crate) fn particle(word: &str) -> Option<Particle> {
    PARTICLE.get(word).copied()
}

/// Whether this folded text stands for nothing in a field of this kind (`name`, `name_with`, `born`, `document`, `place`).
pub(crate) fn is_placeholder(kind: &'static str, text: &str) -> bool {
    PLACEHOLDER.contains(&(kind, text.to_owned()))
}

/// The district of this spelling.
pub(crate) fn district(words: &str) -> Option<&'static str> {
    DISTRICT.get(words).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_stands_for_two_names_and_no_name_for_another() {
        let mut seen = HashMap::new();
        for (head, others) in lines(NAMES).map(|line| line.split_once(": ").expect("a head and spellings")) {
            for spelling in others.split(' ').chain([head]) {
                let before = seen.insert(fold::folded(spelling), head);
                assert!(before.is_none_or(|other| other == head), "{spelling}: {before:?} and {head}");
            }
            assert!(head.bytes().all(|byte| byte.is_ascii_lowercase()), "{head}");
        }
    }

    #[test]
    fn no_spelling_stands_for_two_districts() {
        let mut seen = HashMap::new();
        for line in lines(DISTRICTS) {
            let (head, others) = line.split_once(": ").unwrap_or((line, ""));
            for spelling in others.split(", ").chain([head]) {
                let before = seen.insert(fold::words_and_digits(spelling).join(" "), head);
                assert!(before.is_none_or(|other| other == head), "{spelling}: {before:?} and {head}");
            }
        }
        assert!(seen.len() > 300);
    }

    #[test]
    fn the_lists_are_made_of_kinds_that_are_known() {
        for line in lines(PARTICLES) {
            assert!(["title", "article", "joint", "relation", "loose"].contains(&line.split_once(": ").unwrap().0));
        }
        for line in lines(PLACEHOLDERS) {
            let kind = line.split_once(": ").expect("a kind and an entry").0;
            assert!(["name", "name_with", "born", "document", "place"].contains(&kind), "{line}");
        }
    }
}
