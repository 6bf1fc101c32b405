//! A name in its canonical form: the words that are the name, each in one spelling, Latin letters, in the order given.
//!
//! What is taken away, what is only put into one form, and what is kept, with its reason, stands in `data/particles.txt` and
//! `data/names.txt`. In short: titles (Mst, Dr, Haji), articles and joints (`al`, `ul`, `bin`) and the father's or husband's
//! name behind `d/o` go; Muhammad in all its abbreviations, Syed, Bibi and Begum stay, in one spelling, because they are part
//! of how a person is registered. The phonetic form leaves these out, since they are what records differ by.
//!
//! Guarantees: the canonical form of a canonical form is itself; case, marks, spaces, punctuation and the keyboard of Arabic
//! script make no difference. Not guaranteed: that Urdu and Latin spellings of a name that is not on the list become one.

use crate::data::{self, Particle};
use crate::reason::Reason;
use crate::{fold, urdu};

/// Longest text of a name, in bytes: what is longer is no name.
const LONGEST: usize = 200;
/// Fewest letters of a name, all words together.
const FEWEST: usize = 2;

/// A name in its canonical form: at least one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    words: Vec<String>,
}

impl Name {
    /// The canonical form of a name, or why there is none.
    pub fn read(text: &str) -> Result<Self, Reason> {
        if text.len() > LONGEST {
            return Err(Reason::NameForm);
        }
        let words = fold::words(text);
        if words.iter().all(|word| word == "/") {
            let empty = !text.chars().any(char::is_alphanumeric);
            return Err(if empty { Reason::NoName } else { Reason::NameForm });
        }
        if nobody(&words) {
            return Err(Reason::PlaceholderName);
        }
        let words = canonical(words);
        if nobody(&words) {
            return Err(Reason::PlaceholderName);
        }
        let letters = words.iter().map(|word| word.chars().count()).sum::<usize>();
        let room = words.iter().map(|word| word.len() + 1).sum::<usize>();
        if letters < FEWEST || room > LONGEST { Err(Reason::NameForm) } else { Ok(Self { words }) }
    }

    /// `surname|given`: the last word and those before it. Agencies that have one field for the name and agencies that have
    /// two come to the same.
    pub(crate) fn surname_and_given(&self) -> String {
        let (surname, given) = self.words.split_last().expect("a name has a word");
        if given.is_empty() { format!("|{surname}") } else { format!("{surname}|{}", given.join(" ")) }
    }

    /// Its words, separated by spaces.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }

    /// The words by which a name is told by ear: without those that are often left out, where others remain.
    pub(crate) fn telling(&self) -> Vec<&str> {
        let loose = |word: &&str| data::particle(word) == Some(Particle::Loose);
        let all = || self.words.iter().map(String::as_str);
        let telling: Vec<&str> = all().filter(|word| !loose(word)).collect();
        if telling.is_empty() { all().collect() } else { telling }
    }
}

/// Whether a name says that nobody knows it.
fn nobody(words: &[String]) -> bool {
    let one_letter = |word: &String| word.chars().all(|letter| word.starts_with(letter)) && word.chars().count() > 1;
    data::is_placeholder("name", &words.join(" "))
        || words.iter().any(|word| data::is_placeholder("name_with", word))
        || !words.is_empty() && words.iter().all(one_letter)
}

/// Applied until nothing changes: each step leaves fewer words, or words of which more are in their one spelling.
fn canonical(mut words: Vec<String>) -> Vec<String> {
    loop {
        let next = once(&words);
        if next == words {
            return words;
        }
        words = next;
    }
}

fn once(words: &[String]) -> Vec<String> {
    let kept = drop_articles(drop_titles(&without_relation(words)));
    let mut out: Vec<String> = Vec::with_capacity(kept.len());
    for (at, word) in kept.iter().enumerate() {
        for spelled in spelled(word, at == 0, kept.get(at + 1).map(String::as_str)) {
            if out.last() != Some(&spelled) {
                out.push(spelled); // `بی بی` is one word
            }
        }
    }
    out
}

/// Cuts the name of a father, mother or husband, or an alias, with what says so: of `d/o Ghulam` nothing is left.
fn without_relation(words: &[String]) -> Vec<String> {
    let stroke = |at: usize| {
        let part = |at: usize| words.get(at).map(String::as_str);
        part(at + 1) == Some("/") && part(at + 2) == Some("o") && matches!(part(at), Some("d" | "s" | "w" | "c" | "h"))
    };
    let cut = (0..words.len()).find(|at| stroke(*at) || data::particle(&words[*at]) == Some(Particle::Relation));
    let words = words[..cut.unwrap_or(words.len())].iter();
    words.filter(|word| *word != "/").cloned().collect()
}

fn drop_titles(words: &[String]) -> Vec<String> {
    let kept: Vec<String> =
        words.iter().filter(|word| data::particle(word) != Some(Particle::Title)).cloned().collect();
    if kept.is_empty() { words.to_vec() } else { kept }
}

fn drop_articles(words: Vec<String>) -> Vec<String> {
    let last = words.len().saturating_sub(1);
    let kept = words.iter().enumerate().filter(|(at, word)| match data::particle(word) {
        Some(Particle::Article) => *at == last,
        Some(Particle::Joint) => *at == 0 || *at == last,
        _ => true,
    });
    kept.map(|(_, word)| word.clone()).collect()
}

/// A word in its one spelling; two words where two were written as one.
fn spelled(word: &str, first: bool, next: Option<&str>) -> Vec<String> {
    if first && word == "m" && next.is_some() {
        return vec!["muhammad".into()];
    }
    if let Some(known) = data::spelling(word) {
        return vec![known.into()];
    }
    if let Some(servant_of) = servant(word) {
        return vec!["abd".into(), servant_of.into()];
    }
    if word.chars().all(urdu::is_arabic) {
        let bare = word.strip_prefix("ال").filter(|rest| rest.chars().count() > 1).unwrap_or(word);
        return vec![data::spelling(bare).map_or_else(|| urdu::latin(bare), str::to_owned)];
    }
    vec![unjoined(word, next).to_owned()]
}

/// `Abdulrahman`, `Abdurrahman`, `عبدالرحمن`: servant of whom.
fn servant(word: &str) -> Option<&str> {
    let prefixes = ["abdul", "abdal", "abdel", "abdur", "abdus", "abdun", "abduz", "abdud", "abdool", "abdol", "عبدال"];
    prefixes.iter().filter_map(|prefix| word.strip_prefix(prefix)).find(|rest| rest.chars().count() > 2)
}

/// `Ziaul` before `Haq`, `Fazlur` before `Rahman`: the article is written to the word before it.
fn unjoined<'w>(word: &'w str, next: Option<&str>) -> &'w str {
    let divine = matches!(next, Some("rahman" | "raheem" | "rehman" | "rahim" | "rab" | "rashid" | "rasheed"));
    let stem = word.strip_suffix("ul").filter(|_| next.is_some()).or(word.strip_suffix("ur").filter(|_| divine));
    stem.filter(|stem| stem.len() > 2 && stem.is_ascii()).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(text: &str) -> String {
        Name::read(text).map_or_else(|reason| format!("({reason})"), |name| name.text())
    }

    #[test]
    fn muhammad_in_every_abbreviation_is_one_word_and_stays() {
        for text in ["Muhammad Ali", "M. Ali", "Md Ali", "MOHD. ALI", "Mohammed   Aly", "محمد علی", "M/Ali"] {
            assert_eq!(canon(text), "muhammad ali", "{text}");
        }
        assert_eq!(canon("M"), "(name_form)", "an initial alone is no name");
    }

    #[test]
    fn titles_and_joints_go_where_a_name_remains() {
        assert_eq!(canon("Mst. Ayesha Bibi"), "ayesha bibi");
        assert_eq!(canon("مسماۃ عائشہ بی بی"), "ayesha bibi");
        assert_eq!(canon("Haji"), "haji", "a name of which nothing else is known");
        for text in ["Zia ul Haq", "Zia-ul-Haq", "Ziaul Haq", "Zia al-Haq", "ضیاء الحق"] {
            assert_eq!(canon(text), "zia haq", "{text}");
        }
        for text in ["Abdul Rahman", "Abdur Rehman", "Abd al-Rahman", "AbdulRahman", "عبدالرحمٰن", "عبد الرحمن"]
        {
            assert_eq!(canon(text), "abd rahman", "{text}");
        }
        assert_eq!(canon("Abdullah"), "abdullah");
    }

    #[test]
    fn what_stands_behind_daughter_of_is_another_persons_name() {
        for text in
            ["Ayesha Khan d/o Ghulam Rasool", "AYESHA KHAN D / O x", "عائشہ خان بنت غلام رسول", "Ayesha Khan bint Ali"]
        {
            assert_eq!(canon(text), "ayesha khan", "{text}");
        }
        assert_eq!(canon("Tariq bin Ziyad"), "tariq ziyad");
        assert_eq!(canon("Gul Khan alias Kaka"), "gul khan");
        assert_eq!(canon("s/o Ghulam Rasool"), "(name_form)", "only another's name");
    }

    #[test]
    fn what_stands_for_no_name_is_none() {
        for text in [
            "UNKNOWN",
            "Un-known Unknown",
            "N/A",
            "نامعلوم",
            "نا معلوم",
            "xxxx",
            "XX",
            "Unknown female",
            "No Name",
            "aaaa",
        ] {
            assert_eq!(Name::read(text), Err(Reason::PlaceholderName), "{text}");
        }
        for text in ["", "  ", "-", "—"] {
            assert_eq!(Name::read(text), Err(Reason::NoName), "{text:?}");
        }
        assert_eq!(Name::read("12345"), Err(Reason::NameForm));
    }

    #[test]
    fn one_field_and_two_fields_come_to_the_same() {
        let one = Name::read("Muhammad Ali Khan").unwrap();
        let two = Name::read(&format!("{} {}", "Md. Ali", "KHAN")).unwrap();
        assert_eq!(one.surname_and_given(), two.surname_and_given());
        assert_eq!(one.surname_and_given(), "khan|muhammad ali");
    }
}
