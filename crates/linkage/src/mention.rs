//! What is known of a person of one agency: hashes that can be equal, and small codes that can support or contradict.

use smallvec::SmallVec;

/// The surrogate of a person at one agency (privacy.md 8.1, L2).
pub type PersonId = [u8; 16];

/// The keyed hash of a token, without the agency (ingestion.md 3.1, `link_refs`): two are equal or not, nothing else.
pub type LinkRef = [u8; 16];

/// When a person was first recorded: the agency's time in milliseconds, then the event's id. Who has the least is the
/// oldest, and her id stays on a merge (domain.md 4).
pub type FirstSeen = (i64, [u8; 16]);

/// What a token was made from (privacy.md 8.6, T1 to T4). Tokens of the kind `record` name a record and no person: they
/// are no evidence, and whoever makes mentions leaves them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The number of an identity document.
    Document,
    /// Name and date of birth.
    NameBirth,
    /// The sound of the name and the date of birth.
    Phonetic,
    /// The mother's name and the family's place.
    MotherName,
}

impl Kind {
    /// Every kind, the one that tells most first.
    pub const ALL: [Self; 4] = [Self::Document, Self::NameBirth, Self::Phonetic, Self::MotherName];

    /// The kind of this code of the list `token_kind`; none for `record`, which is no evidence.
    pub fn parse(code: &str) -> Option<Self> {
        let codes = ["document", "name_birth", "phonetic", "mother_name"];
        codes.iter().position(|known| *known == code).map(|at| Self::ALL[at])
    }
}

/// A code that records give for a person. What they disagree about is no evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// No record says it.
    #[default]
    Nothing,
    /// Every record that says it says this.
    One(u16),
    /// Records say different things.
    Several,
}

impl Said {
    /// What both say together. Commutative, associative, and the same twice changes nothing, so that the order in which
    /// records come is of no consequence.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, said) | (said, Self::Nothing) => said,
            (Self::One(a), Self::One(b)) if a == b => self,
            _ => Self::Several,
        }
    }

    /// The code, where there is one.
    pub(crate) fn one(self) -> Option<u16> {
        if let Self::One(code) = self { Some(code) } else { None }
    }
}

/// In which years a person can be born by what records say: all of them must hold. Nothing is known where they cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Born {
    /// First possible year.
    pub from: i16,
    /// Last possible year.
    pub to: i16,
}

impl Born {
    /// No record says anything.
    pub const UNKNOWN: Self = Self { from: i16::MIN, to: i16::MAX };

    /// Born in one of these years, first and last; for somebody of 21 to 23 years on a day in 2024, 2000 to 2003.
    pub fn between(from: i16, to: i16) -> Self {
        Self { from, to }
    }

    /// What both say together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// First and last year, where something is known and can be.
    pub(crate) fn years(self) -> Option<(i16, i16)> {
        (self != Self::UNKNOWN && self.from <= self.to).then_some((self.from, self.to))
    }
}

impl Default for Born {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// A person of one agency, or a part of what is known of her: mentions of one person come together (`Register`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Her surrogate.
    pub person: PersonId,
    /// Number of the agency.
    pub agency: u16,
    /// Her first record that is known here.
    pub first_seen: FirstSeen,
    /// Hashes of her tokens. Several of one kind where her records differ.
    pub refs: SmallVec<[(Kind, LinkRef); 4]>,
    /// Code of her sex.
    pub sex: Said,
    /// Years in which she can be born.
    pub born: Born,
    /// Code of her citizenship.
    pub citizenship: Said,
    /// Code of the province where she was met.
    pub province: Said,
}

impl Mention {
    /// A person of whom nothing is known but that an agency recorded her.
    pub fn new(person: PersonId, agency: u16, first_seen: FirstSeen) -> Self {
        Self {
            person,
            agency,
            first_seen,
            refs: SmallVec::new(),
            sex: Said::Nothing,
            born: Born::UNKNOWN,
            citizenship: Said::Nothing,
            province: Said::Nothing,
        }
    }

    /// Adds what another mention of the same person knows.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.refs.extend_from_slice(&other.refs);
        self.sex = self.sex.and(other.sex);
        self.born = self.born.and(other.born);
        self.citizenship = self.citizenship.and(other.citizenship);
        self.province = self.province.and(other.province);
    }
}
