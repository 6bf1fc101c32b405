//! The forms of names of code lists and of codes, and of what agencies and codes are called.
//!
//! A label has what the contract's own lists have: digits (a section of law, a year), letters with marks (Côte
//! d’Ivoire) and a few signs; as the name of a publication, eight digits at most. Absent: whether a list or a code
//! exists ([`crate::code_list`]).

use super::{URDU_BETWEEN, URDU_LETTERS};

/// The form of the name of a list.
pub(crate) const LIST_PATTERN: &str = "^[a-z][a-z_]{1,39}$";
/// The form of a code of a list.
pub(crate) const LISTED_CODE_PATTERN: &str = "^[A-Za-z0-9_][A-Za-z0-9_+-]{0,39}$";
/// Latin letters, those with marks among them, and digits; and what an English label has between them.
const LATIN: &str = "A-Za-z0-9\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{ff}";
const LATIN_BETWEEN: &str = " .,:;'\u{2019}()&/-";
/// What an Urdu label may not have: nine digits of any of its scripts.
pub(crate) const NINE_DIGITS_OF_URDU_PATTERN: &str =
    "([0-9\u{660}-\u{669}\u{6f0}-\u{6f9}][^0-9\u{660}-\u{669}\u{6f0}-\u{6f9}]*){9}";

/// Most digits of a label.
const MOST_DIGITS: usize = 8;
/// What an Urdu label has beside what a name has: the semicolon among it.
const URDU_SIGNS: &str = ":/\u{61b}";

/// Whether this has the form of a list's name: `age_group`.
pub fn is_list_name(text: &str) -> bool {
    (2..=40).contains(&text.len())
        && text.as_bytes()[0].is_ascii_lowercase()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Whether this has the form of a code of a list: `PTPA-3-1`, `48+`, `_X`.
pub fn is_listed_code(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=40).contains(&text.len())
        && is_first(text.as_bytes()[0])
        && text.bytes().all(|b| is_first(b) || matches!(b, b'+' | b'-'))
}

/// Whether this has the form of an English name of an agency or a code: eight digits at most.
pub fn is_english_label(text: &str) -> bool {
    let is_first = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(letter, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{ff}')
    };
    is_label(text, is_first, |letter| LATIN_BETWEEN.contains(letter))
}

/// The regular expression of [`is_english_label`], but for how many digits there are.
pub(crate) fn english_label_pattern() -> String {
    format!("^[{LATIN}][{LATIN}{LATIN_BETWEEN}]{{1,119}}$")
}

/// Whether this has the form of an Urdu name of an agency or a code: eight digits of any script at most.
pub fn is_urdu_label(text: &str) -> bool {
    let is_first = |letter: char| is_digit(letter) || URDU_LETTERS.iter().any(|letters| letters.contains(&letter));
    is_label(text, is_first, |letter| URDU_BETWEEN.contains(letter) || URDU_SIGNS.contains(letter))
}

/// The regular expression of [`is_urdu_label`], but for how many digits there are.
pub(crate) fn urdu_label_pattern() -> String {
    let [first, second] = &URDU_LETTERS;
    let letters = format!("{}-{}{}-{}", first.start(), first.end(), second.start(), second.end());
    let first = format!("{letters}0-9\u{660}-\u{669}\u{6f0}-\u{6f9}");
    format!("^[{first}][{first}{URDU_SIGNS}{URDU_BETWEEN}]{{1,119}}$")
}

fn is_label(text: &str, is_first: impl Fn(char) -> bool, is_between: impl Fn(char) -> bool) -> bool {
    (2..=120).contains(&text.chars().count())
        && text.chars().next().is_some_and(&is_first)
        && text.chars().all(|letter| is_first(letter) || is_between(letter))
        && text.chars().filter(|letter| is_digit(*letter)).count() <= MOST_DIGITS
}

/// A digit as it is written in English, Arabic or Urdu.
fn is_digit(letter: char) -> bool {
    matches!(letter, '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}
