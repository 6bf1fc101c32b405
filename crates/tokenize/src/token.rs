//! A token as it travels: opaque, in the alphabet that the contract of events asks for, its kind readable in front.

use crate::evaluate::Output;

/// What a token is made from (privacy.md 8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// T1: the number of an identity document.
    Document,
    /// T2: surname, given name, date of birth.
    NameBirth,
    /// T3: the sound of the name, date of birth.
    Phonetic,
    /// T4: the mother's name, year of birth, place.
    MotherName,
}

impl Kind {
    /// Every kind, the one that tells most first: the first token of an event names the person.
    pub const ALL: [Self; 4] = [Self::Document, Self::NameBirth, Self::Phonetic, Self::MotherName];

    /// Its code in the list `token_kind` of the contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::NameBirth => "name_birth",
            Self::Phonetic => "phonetic",
            Self::MotherName => "mother_name",
        }
    }

    /// Its domain tag: in front of what is hashed, so that equal texts of two kinds give different tokens.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Document => "T1",
            Self::NameBirth => "T2",
            Self::Phonetic => "T3",
            Self::MotherName => "T4",
        }
    }

    /// What its tokens begin with: four letters, so that the contract's "at least four letters" always holds.
    const fn front(self) -> &'static str {
        match self {
            Self::Document => "tkdc",
            Self::NameBirth => "tknb",
            Self::Phonetic => "tkph",
            Self::MotherName => "tkmn",
        }
    }
}

/// The contract's alphabet: no vowels and no `l`, so that no word can be spelled. A test holds it to `events::form`.
const ALPHABET: &[u8; 30] = b"0123456789bcdfghjkmnpqrstvwxyz";
/// Digits of base 30 that hold 128 bits.
const DIGITS: usize = 27;

/// The token of an evaluation: four letters for the kind, then the first 16 bytes as a number, big-endian, in base 30, 27 digits.
///
/// 128 bits: among a thousand million persons two equal tokens are expected once in 10^20 registers.
pub fn token(kind: Kind, output: &Output) -> String {
    let mut number = u128::from_be_bytes(output[..16].try_into().expect("16 of 32 bytes"));
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 30) as usize];
        number /= 30;
    }
    kind.front().chars().chain(digits.map(char::from)).collect()
}

/// Whether a text has the form of a token: 16 to 64 characters of the alphabet, four of them letters (the contract's
/// `events::form::is_opaque`; a test holds the two together).
pub fn is_opaque(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_lowercase).count();
    (16..=64).contains(&text.len()) && letters >= 4 && text.bytes().all(|byte| ALPHABET.contains(&byte))
}
