//! Urdu in Latin letters, by an own table: of Arabic script, one word at a time.
//!
//! Urdu does not write short vowels, so no table makes the spelling that people use in Latin letters: `محمد` becomes `mhmd`.
//! What unites both is the list of names (`data/names.txt`), and where a name is not on it, its sound (`sound`), which
//! leaves vowels out. The table follows the letters' values in ALA-LC's romanisation of Urdu, without its marks; letters of
//! Sindhi and Pashto have the values of those languages. Expects folded letters (`fold`).
//!
//! Absent: a transliterator of ICU (`docs/decisions/2026-11-30-tokens-are-made-at-the-edge.md` says why).

/// A word with every letter of Arabic script written in Latin ones; other letters stay.
pub(crate) fn latin(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let letters: Vec<char> = word.chars().collect();
    let mut out = String::with_capacity(word.len());
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        match written(before, *letter, letters.get(at + 1).copied()) {
            Some(latin) => out.push_str(latin),
            None => out.push(*letter),
        }
    }
    out
}

/// Whether a letter is written with one of Arabic script.
pub(crate) fn is_arabic(letter: char) -> bool {
    matches!(letter, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}')
}

/// A letter between its neighbours: three of them are vowel or consonant by where they stand.
fn written(before: Option<char>, letter: char, after: Option<char>) -> Option<&'static str> {
    let long = |other: Option<char>| matches!(other, Some('ا' | 'و' | 'ی' | 'ے'));
    Some(match letter {
        'و' if before.is_none() || before == Some('ا') || after == Some('ا') => "w",
        'و' => "u",
        'ی' if before.is_none() || after == Some('ا') => "y",
        'ی' => "i",
        'ہ' if after.is_none() && before.is_some() && !long(before) => "a",
        'ع' if before.is_none() && !long(after) => "a",
        'ع' if before.is_some() && after.is_some() && !long(before) && !long(after) => "a",
        'ع' => "",
        letter => return consonant(letter).or_else(|| of_neighbours(letter)),
    })
}

fn consonant(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ا' => "a",
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ٹ' | 'ط' => "t",
        'ث' | 'س' | 'ص' => "s",
        'ج' => "j",
        'چ' => "ch",
        'ح' | 'ہ' | 'ھ' => "h",
        'خ' => "kh",
        'د' | 'ڈ' => "d",
        'ذ' | 'ز' | 'ض' | 'ظ' => "z",
        'ر' | 'ڑ' => "r",
        'ژ' => "zh",
        'ش' => "sh",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'ک' => "k",
        'گ' => "g",
        'ل' => "l",
        'م' => "m",
        'ن' | 'ں' => "n",
        'ے' => "e",
        _ => return None,
    })
}

/// Sindhi and Pashto.
fn of_neighbours(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ٻ' => "b",
        'ڀ' => "bh",
        'ٺ' | 'ټ' | 'ٽ' => "t",
        'ٿ' => "th",
        'ڄ' => "j",
        'ڃ' | 'ڱ' | 'ڻ' | 'ڼ' => "n",
        'ڇ' => "ch",
        'ڏ' | 'ڊ' | 'ډ' => "d",
        'ڌ' | 'ڍ' => "dh",
        'ڙ' | 'ړ' => "r",
        'ڦ' => "ph",
        'ڳ' => "g",
        'ښ' => "sh",
        'ځ' => "z",
        'څ' => "ts",
        'ږ' => "zh",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_vowel_or_consonant_are_so_by_their_place() {
        for (urdu, written) in [
            ("یوسف", "yusf"),
            ("نواز", "nwaz"),
            ("ضیا", "zya"),
            ("فاطمہ", "fatma"),
            ("شاہ", "shah"),
            ("سعد", "sad"),
            ("خدیجہ", "khdija"),
        ] {
            assert_eq!(latin(urdu), written, "{urdu}");
        }
    }

    #[test]
    fn letters_of_other_scripts_stay() {
        assert_eq!(latin("лена"), "лена");
    }
}
