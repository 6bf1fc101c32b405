//! How a name sounds: a code that the spellings of a South Asian name in Latin letters share.
//!
//! An own rule set, measured against Double Metaphone and Beider-Morse on pairs of spellings (`tests/it/sounds.rs`;
//! docs/decisions/2026-11-30-tokens-are-made-at-the-edge.md). A code is made of
//!
//! - consonants, of which those are one that transliterations exchange: `k` and `q`, `v` and `w`, aspirated and plain
//!   (`bh`, `dh`, `th`, `gh`), single and double; `kh`, `sh` and `ch` are letters of their own;
//! - of vowels, which transliterations exchange most and Urdu hardly writes, only what tells names apart and stays: whether
//!   the first is rounded (Hussain, Hassan), whether the name begins with one, and with which of three it ends (Nasir, Nasira).
//!
//! Known to sound the same here though they are two names: Ahsan and Ehsan, Hamid and Hameed, Salma and Saleema.

/// The code of a canonical word of Latin letters; a word of another script is its own code.
pub fn sound(word: &str) -> String {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let word = rounded(word);
    let mut code = Code { text: String::with_capacity(word.len()), nucleus: false, apart: true };
    let mut rest = word.as_str();
    while !rest.is_empty() {
        let at = word.len() - rest.len();
        let vowels = vowels(rest, at);
        rest = if vowels > 0 {
            code.vowels(&rest[..vowels], at == 0, is_end(&rest[vowels..]));
            rest[vowels..].strip_prefix('h').filter(|after| after.is_empty()).unwrap_or(&rest[vowels..])
        } else {
            let (letters, consonant) = consonant(rest);
            code.consonant(consonant);
            &rest[letters..]
        };
    }
    code.text
}

/// `aw`, `ow` and `au` that are one rounded vowel: before a consonant, at the end, or before another rounded one (Dawood).
fn rounded(word: &str) -> String {
    let bytes = word.as_bytes();
    let glide = |at: usize| {
        let before = at > 0 && matches!(bytes[at - 1], b'a' | b'o' | b'u');
        before
            && matches!(bytes[at], b'w' | b'v')
            && bytes.get(at + 1).is_none_or(|next| !b"aeiy".contains(next))
            && (bytes[at] == b'w' || matches!(bytes.get(at + 1), Some(b'o' | b'u')))
    };
    let letters = (0..bytes.len()).map(|at| if glide(at) { 'u' } else { char::from(bytes[at]) }).collect::<String>();
    letters.replace("au", "o").replace("ao", "o")
}

/// How many letters from here are one vowel. A `y` at the beginning is a consonant where a vowel follows.
fn vowels(rest: &str, at: usize) -> usize {
    let vowel = |byte: u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let bytes = rest.as_bytes();
    if at == 0 && bytes[0] == b'y' && bytes.get(1).is_some_and(|next| vowel(*next)) {
        return 0;
    }
    bytes.iter().take_while(|byte| vowel(**byte)).count()
}

/// Whether nothing is heard after a vowel here: the end, or an `h` that only ends a word in writing.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest == "h"
}

/// The consonant that begins here: of how many letters, and its code.
fn consonant(rest: &str) -> (usize, &'static str) {
    const SEVERAL: [(&str, &str); 14] = [
        ("sch", "S"),
        ("tch", "C"),
        ("chh", "C"),
        ("sh", "S"),
        ("ch", "C"),
        ("kh", "X"),
        ("gh", "G"),
        ("ph", "F"),
        ("th", "T"),
        ("dh", "D"),
        ("bh", "B"),
        ("zh", "Z"),
        ("jh", "J"),
        ("ck", "K"),
    ];
    if let Some((letters, code)) = SEVERAL.iter().find(|(letters, _)| rest.starts_with(letters)) {
        return (letters.len(), code);
    }
    let soft = rest[1..].starts_with(['e', 'i', 'y']);
    let code = match rest.as_bytes()[0] {
        b'b' => "B",
        b'c' if soft => "S",
        b'c' | b'k' | b'q' => "K",
        b'd' => "D",
        b'f' => "F",
        b'g' => "G",
        b'h' => "H",
        b'j' => "J",
        b'l' => "L",
        b'm' => "M",
        b'n' => "N",
        b'p' => "P",
        b'r' => "R",
        b's' => "s",
        b't' => "T",
        b'v' | b'w' => "W",
        b'x' => "Xs",
        b'y' => "Y",
        _ => "Z",
    };
    (1, code)
}

/// A code as it grows.
struct Code {
    text: String,
    /// Whether the first vowel has passed.
    nucleus: bool,
    /// Whether something stands between the last consonant and the next.
    apart: bool,
}

impl Code {
    fn consonant(&mut self, consonant: &str) {
        if self.apart || !self.text.ends_with(consonant) {
            self.text.push_str(consonant);
        }
        self.apart = false;
    }

    fn vowels(&mut self, letters: &str, begins: bool, ends: bool) {
        let rounded = letters.starts_with(['o', 'u']);
        if begins {
            self.text.push(if rounded { 'U' } else { 'A' });
        } else if rounded && !self.nucleus {
            self.text.push('U');
        }
        if ends && !begins {
            self.text.push(ending(letters));
        }
        (self.nucleus, self.apart) = (true, true);
    }
}

/// The last vowel of three: Nasira, Ali, Gulu.
fn ending(letters: &str) -> char {
    match letters.as_bytes() {
        [.., b'e' | b'i', b'e'] | [.., b'i' | b'y'] => 'i',
        [.., b'o' | b'u'] => 'u',
        _ => 'a',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_as_they_were() {
        for (word, code) in [
            ("muhammad", "MUHMD"),
            ("hussain", "HUsN"),
            ("hassan", "HsN"),
            ("khadija", "XDJa"),
            ("khadeejah", "XDJa"),
            ("chaudhry", "CUDRi"),
            ("chowdhury", "CUDRi"),
            ("yousaf", "YUsF"),
            ("dawood", "DUD"),
            ("nawaz", "NWZ"),
            ("ali", "ALi"),
            ("shah", "Sa"),
            ("aurangzeb", "URNGZB"),
            ("roxana", "RUXsNa"),
        ] {
            assert_eq!(sound(word), code, "{word}");
        }
    }
}
