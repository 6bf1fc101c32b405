//! What is the same letter, however it was typed: compatibility forms, case, marks, digits, variants of Arabic letters.
//!
//! NFKD, lower case, NFKD again (lower case can bring marks back), then marks away (Unicode UAX 15; privacy.md 8.6). What is
//! left of Arabic script is folded onto the letters of Urdu, so that text typed with an Arabic, Persian or Urdu keyboard
//! is one text. Full case folding differs from this in a handful of letters, which are named in [`plain`].
//!
//! Absent: what a word means (`name`), and how Urdu is written in Latin letters (`urdu`).

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Splits a text into words of folded letters. Digits and all punctuation part words, but for apostrophes, which vanish;
/// a stroke is a word of its own (`d/o`).
pub(crate) fn words(text: &str) -> Vec<String> {
    split(text, char::is_alphabetic)
}

/// As [`words`], and digits, written 0 to 9, are letters.
pub(crate) fn words_and_digits(text: &str) -> Vec<String> {
    split(text, |folded| folded.is_alphabetic() || folded.is_ascii_digit())
}

/// A text with every letter folded, digits written 0 to 9, and everything else left in place.
pub(crate) fn folded(text: &str) -> String {
    text.nfkd().flat_map(char::to_lowercase).nfkd().filter(|letter| !vanishes(*letter)).fold(
        String::with_capacity(text.len()),
        |mut out, letter| {
            match plain(letter) {
                Some(letters) => out.push_str(letters),
                None => out.push(arabic(digit(letter))),
            }
            out
        },
    )
}

fn split(text: &str, part_of_word: impl Fn(char) -> bool) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut close = |word: &mut String| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    let text = folded(text);
    for letter in text.chars() {
        if part_of_word(letter) {
            word.push(letter);
        } else if letter == '/' {
            close(&mut word);
            word.push('/');
            close(&mut word);
        } else {
            close(&mut word);
        }
    }
    close(&mut word);
    words
}

/// Marks (harakat, accents, the hamza above), tatweel, what joins, parts or directs letters unseen, and apostrophes in
/// all their forms.
fn vanishes(letter: char) -> bool {
    is_combining_mark(letter)
        || matches!(letter, '\u{640}' | '\u{621}' | '\u{ad}' | '\u{61c}' | '\u{feff}' | '\'' | '`' | '´')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(letter, '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2018}'..='\u{201b}' | '\u{2032}')
}

/// Latin letters that decomposition leaves whole, and the final sigma.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'þ' => "th",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

/// Arabic-Indic digits (U+0660) and the extended ones of Persian and Urdu (U+06F0).
fn digit(letter: char) -> char {
    let value = match letter {
        '\u{660}'..='\u{669}' => letter as u32 - 0x660,
        '\u{6f0}'..='\u{6f9}' => letter as u32 - 0x6f0,
        _ => return letter,
    };
    char::from(b'0' + value as u8)
}

/// Letters of Arabic script that are one letter of Urdu: alef, yeh, kaf, heh in their variants.
fn arabic(letter: char) -> char {
    match letter {
        'ٱ' | 'ٲ' | 'ٳ' | 'ٵ' => 'ا',
        'ي' | 'ى' | 'ێ' | 'ې' | 'ۍ' | 'ؽ' | 'ؾ' | 'ؿ' | 'ٸ' => 'ی',
        'ك' | 'ڪ' | 'ڬ' => 'ک',
        'ګ' => 'گ',
        'ه' | 'ة' | 'ۃ' | 'ە' | 'ۀ' | 'ۂ' => 'ہ',
        'ٶ' | 'ۆ' | 'ۇ' | 'ۈ' | 'ۋ' => 'و',
        'ۓ' => 'ے',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyboards_of_arabic_and_of_urdu_type_the_same_words() {
        assert_eq!(words("علي كريم"), words("علی کریم"));
        assert_eq!(words("أحمد إقبال"), words("احمد اقبال"));
        assert_eq!(words("مُحَمَّـــد"), words("محمد"));
        assert_eq!(words("فاطمة"), words("فاطمہ"));
        assert_eq!(words("آمنہ"), ["امنہ"]);
        assert_eq!(words("ﻣﺤﻤﺪ"), words("محمد"), "presentation forms");
    }

    #[test]
    fn case_accents_width_and_apostrophes_are_of_no_account() {
        assert_eq!(words("  ＡＹЕ"), words("ａｙе"));
        assert_eq!(words("Sa'ad Núñez-O’Brien STRASSE"), ["saad", "nunez", "obrien", "strasse"]);
        assert_eq!(words("Straße"), ["strasse"]);
        assert_eq!(words("d/o Ali"), ["d", "/", "o", "ali"]);
    }

    #[test]
    fn digits_of_all_three_scripts_are_digits() {
        assert_eq!(folded("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ ０９"), "0123456789 0123456789 09");
    }
}
