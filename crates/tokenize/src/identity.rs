//! Who a person is, as an agency wrote it, and what of her becomes a token: the canonical input of each kind, or why not.

use crate::birth::{Birth, DateOrder};
use crate::document::Document;
use crate::name::Name;
use crate::place::Places;
use crate::reason::Reason;
use crate::sound::sound;
use crate::token::Kind;

/// The version of the canonical form: of its rules and lists. It is part of what is hashed, so a token of one version never
/// equals one of another. A change of anything that changes a canonical form counts it up, and is a rotation.
pub const VERSION: u32 = 1;

/// What an agency has written of a person, as it stands in its file. What is not known is empty.
#[derive(Clone, Copy, Default)]
pub struct Identity<'t> {
    /// Given name or names, or the whole name where there is one field.
    pub given: &'t str,
    /// Surname, where it has a field of its own.
    pub surname: &'t str,
    /// Date of birth.
    pub born: &'t str,
    /// Number of a document.
    pub document: &'t str,
    /// Its kind.
    pub document_kind: &'t str,
    /// Its country, two letters.
    pub document_country: &'t str,
    /// The mother's name.
    pub mother: &'t str,
    /// The family's place.
    pub place: &'t str,
}

/// How an agency's file is to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The order of day and month.
    pub order: DateOrder,
    /// The last year of birth that is not in the future.
    pub this_year: u16,
    /// Its own places.
    pub places: Places,
}

/// The canonical input of a kind: what is hashed, with its domain tag in front. A direct identifier, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Input(String);

impl Input {
    fn new(kind: Kind, canonical: &str) -> Self {
        Self(format!("amanat-token/{VERSION}|{}|{canonical}", kind.tag()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// It as text, for test vectors of synthetic people.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What of a person becomes tokens.
#[derive(Clone)]
pub struct Canonical {
    /// For each kind, in the order of [`Kind::ALL`].
    pub inputs: [Result<Input, Reason>; 4],
    /// Whether the first of January was read as the year alone.
    pub birth_assumed: bool,
}

impl Identity<'_> {
    /// The canonical inputs of this person (privacy.md 8.6, T1 to T4).
    pub fn canonical(&self, reading: &Reading) -> Canonical {
        let name = Name::read(&self.name());
        let birth = Birth::read(self.born, reading.order, reading.this_year);
        let document = Document::read(self.document, self.document_kind, self.document_country);
        let mother = Name::read(self.mother).map_err(Reason::of_mother);
        let place = reading.places.read(self.place);
        let inputs = [
            document.map(|document| Input::new(Kind::Document, document.text())),
            both(&name, &birth).map(|(name, birth)| {
                Input::new(Kind::NameBirth, &format!("{}|{}", name.surname_and_given(), birth.text()))
            }),
            both(&name, &birth)
                .map(|(name, birth)| Input::new(Kind::Phonetic, &format!("{}|{}", sounds(name), birth.text()))),
            both(&mother, &birth).and_then(|(mother, birth)| {
                Ok(Input::new(Kind::MotherName, &format!("{}|{}|{}", mother.text(), birth.year(), place?)))
            }),
        ];
        Canonical { inputs, birth_assumed: birth.is_ok_and(Birth::is_assumed) }
    }

    fn name(&self) -> String {
        format!("{} {}", self.given, self.surname)
    }
}

/// The sounds of the words by which a name is told, sorted: records differ in the order of words, too.
fn sounds(name: &Name) -> String {
    let mut sounds: Vec<String> = name.telling().into_iter().map(sound).collect();
    sounds.sort_unstable();
    sounds.dedup();
    sounds.join(" ")
}

fn both<'a, A, B>(a: &'a Result<A, Reason>, b: &'a Result<B, Reason>) -> Result<(&'a A, &'a B), Reason> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(why), _) | (_, Err(why)) => Err(*why),
    }
}
