//! Which spellings the phonetic code unites, and which names it leaves apart, beside two codes of the literature.
//!
//! `cargo test -p tokenize --test it sounds -- --nocapture` prints the table of the decision. The pairs (`tests/spellings.txt`,
//! `tests/names.txt`) are public common names; a third of the groups are on no list of the canonical form, so that rules alone
//! answer for them.

use rphonetic::{BeiderMorseBuilder, ConfigFiles, DoubleMetaphone, Encoder};
use tokenize::name::Name;
use tokenize::sound;

const SPELLINGS: &str = include_str!("../spellings.txt");
const NAMES: &str = include_str!("../names.txt");

/// Groups of `spellings.txt` of which the list of the canonical form knows the name; the others follow.
const LISTED: usize = 44;

/// How often a code unites two spellings of one name, and how often two names, in pairs of a thousand.
#[derive(Debug)]
struct Measured {
    united: f64,
    confused: f64,
}

/// A code: of a word, all the forms that count as its sound; two words sound alike if they share one.
type Code<'c> = &'c dyn Fn(&str) -> Vec<String>;

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect())
}

fn measure(groups: &[Vec<&str>], names: &[&str], code: Code<'_>) -> Measured {
    let alike = |a: &[String], b: &[String]| a.iter().any(|code| b.contains(code));
    let share = |(yes, all): (u32, u32)| f64::from(yes) / f64::from(all.max(1));
    let pairs = |words: &[&str]| {
        let codes: Vec<_> = words.iter().map(|word| code(word)).collect();
        let (mut yes, mut all) = (0, 0);
        for (at, one) in codes.iter().enumerate() {
            for other in &codes[..at] {
                yes += u32::from(alike(one, other));
                all += 1;
            }
        }
        (yes, all)
    };
    let united = groups.iter().map(|group| pairs(group)).fold((0, 0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    Measured { united: share(united), confused: share(pairs(names)) }
}

fn canonical(word: &str) -> String {
    Name::read(word).map_or_else(|_| word.to_owned(), |name| name.text().replace(' ', ""))
}

#[test]
fn spellings_of_a_name_sound_alike_and_names_do_not() {
    let groups: Vec<_> = lines(SPELLINGS).collect();
    let names: Vec<_> = lines(NAMES).flatten().collect();
    let metaphone = DoubleMetaphone::new(Some(8));
    let config = ConfigFiles::default();
    let beider = BeiderMorseBuilder::new(&config).build();
    let two = |word: &str| {
        let both = metaphone.double_metaphone(word);
        let mut codes = vec![both.primary(), both.alternate()];
        codes.dedup();
        codes
    };
    let many = |word: &str| {
        beider.encode(word).split(['|', '-']).map(|code| code.trim_matches(['(', ')']).to_owned()).collect()
    };
    let codes: [(&str, Code<'_>); 4] = [
        ("rules and list of names", &|word| vec![sound(&canonical(word))]),
        ("rules alone", &|word| vec![sound(&word.to_lowercase())]),
        ("Double Metaphone", &two),
        ("Beider-Morse", &many),
    ];
    for (name, code) in codes {
        let Measured { united, confused } = measure(&groups, &names, code);
        let unlisted = measure(&groups[LISTED..], &[], code).united;
        let percent = [united, unlisted, confused].map(|share| share * 100.0);
        println!(
            "{name:<24} unites {:5.1} % of spellings, {:5.1} % where the list has none, confuses {:6.3} % of names",
            percent[0], percent[1], percent[2]
        );
    }
    let ours = measure(&groups, &names, codes[0].1);
    assert!(ours.united > 0.96 && ours.confused < 0.0004, "{ours:?}");
    let rules = measure(&groups, &names, codes[1].1);
    assert!(rules.united > 0.90 && rules.confused < 0.0004, "{rules:?}");
}
