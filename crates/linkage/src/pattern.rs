//! What comparing two persons shows: a level for each thing compared, and all levels as one small number.
//!
//! Hashes are equal or not, so a level says whether a token is shared, and by how many others it is held: few hold a
//! rare name, and to share it says more. What one of the two lacks is *unknown* and no evidence either way.
//!
//! Name-and-birth and the sound of the name are made of the same name and date, so they are one comparison and not two
//! that could each testify.

/// Classes of tokens by how many hold them beside the two who are compared: 0, 1, to 3, 7, 15, 63, and more.
pub(crate) const CLASSES: usize = 7;

/// The class of a token with so many holders.
fn class(holders: usize) -> u8 {
    match holders.saturating_sub(2) {
        0 => 0,
        1 => 1,
        2..=3 => 2,
        4..=7 => 3,
        8..=15 => 4,
        16..=63 => 5,
        _ => 6,
    }
}

/// Level of what one of the two lacks, of every comparison.
pub(crate) const UNKNOWN: u8 = 0;

/// Levels of the document: unknown, none shared, one shared (classes 0 and 1, and more).
pub(crate) mod document {
    pub(crate) const DIFFERENT: u8 = 1;
    pub(crate) const SHARED: u8 = 2;
    pub(crate) const LEVELS: usize = 5;
}

/// Levels of the name: unknown, nothing shared, name and birth shared though the sounds differ (one of these tokens is
/// wrong), name and birth shared (by class), the sound alone shared (by class).
pub(crate) mod name {
    use super::CLASSES;
    pub(crate) const DIFFERENT: u8 = 1;
    pub(crate) const EXACT_BUT_SOUND: u8 = 2;
    pub(crate) const EXACT: u8 = 3;
    pub(crate) const SOUND: u8 = EXACT + CLASSES as u8;
    pub(crate) const LEVELS: usize = SOUND as usize + CLASSES;
}

/// Levels of the mother's name: unknown, none shared, one shared (by class).
pub(crate) mod mother {
    use super::CLASSES;
    pub(crate) const DIFFERENT: u8 = 1;
    pub(crate) const SHARED: u8 = 2;
    pub(crate) const LEVELS: usize = SHARED as usize + CLASSES;
}

/// Levels of codes: unknown, the same, different.
pub(crate) mod code {
    pub(crate) const SAME: u8 = 1;
    pub(crate) const DIFFERENT: u8 = 2;
    /// Most levels of a code.
    pub(crate) const LEVELS: usize = 5;
}

/// Levels of the years of birth: unknown, one and the same year, spans that overlap, apart by a little, apart by more.
/// Siblings seldom have the first.
pub(crate) mod birth {
    pub(crate) const ONE_YEAR: u8 = 1;
    pub(crate) const OVERLAP: u8 = 2;
    pub(crate) const NEAR: u8 = 3;
    pub(crate) const FAR: u8 = 4;
}

/// Levels of papers, which are always known: both have a document, one has, neither has. Whoever has none at one agency
/// mostly has none at another, and has a date of birth that many share: her year.
pub(crate) mod papers {
    pub(crate) const BOTH: u8 = 1;
    pub(crate) const ONE: u8 = 2;
    pub(crate) const NEITHER: u8 = 3;
}

/// Years of birth that are apart by so many years and no more are often one year, estimated twice.
const LITTLE: i16 = 2;

/// Comparisons of tokens, in the order of [`Pattern::tokens`].
pub(crate) const TOKEN_LEVELS: [usize; 3] = [document::LEVELS, name::LEVELS, mother::LEVELS];

/// Levels of comparisons of codes, in the order of [`Pattern::codes`]: birth, sex, citizenship, province, papers.
const CODE_LEVELS: [usize; CODES] = [5, 3, 3, 3, 4];

/// How many comparisons of codes.
pub(crate) const CODES: usize = 5;

/// What comparing two persons shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// Levels of document, name and mother's name.
    pub tokens: [u8; 3],
    /// Levels of birth, sex, citizenship, province and papers.
    pub codes: [u8; CODES],
}

/// How many patterns there can be.
pub(crate) const PATTERNS: usize = document::LEVELS * name::LEVELS * mother::LEVELS * 5 * 3 * 3 * 3 * 4;

impl Pattern {
    /// The pattern as a number below [`PATTERNS`].
    pub(crate) fn number(self) -> usize {
        let tokens = TOKEN_LEVELS.iter().zip(self.tokens).fold(0, |all, (levels, level)| all * levels + level as usize);
        CODE_LEVELS.iter().zip(self.codes).fold(tokens, |all, (levels, level)| all * levels + level as usize)
    }

    /// The pattern of a number.
    pub(crate) fn of_number(mut number: usize) -> Self {
        let mut next = |levels: usize| {
            let level = number % levels;
            number /= levels;
            level as u8
        };
        let mut codes = [UNKNOWN; CODES];
        codes.iter_mut().zip(CODE_LEVELS).rev().for_each(|(level, levels)| *level = next(levels));
        let mut tokens = [UNKNOWN; 3];
        tokens.iter_mut().zip(TOKEN_LEVELS).rev().for_each(|(level, levels)| *level = next(levels));
        Self { tokens, codes }
    }

    /// Whether a document is shared.
    pub(crate) fn shares_document(self) -> bool {
        self.tokens[0] >= document::SHARED
    }

    /// Whether both have documents and share none.
    pub(crate) fn documents_differ(self) -> bool {
        self.tokens[0] == document::DIFFERENT
    }

    /// Whether documents say that two are not one: both have some and share none. A document's number may be wrong
    /// where agencies differ, but only who shares both some token of the name and the mother's name is believed to be one all the same.
    pub(crate) fn documents_contradict(self, within: bool) -> bool {
        self.documents_differ() && (within || !(self.shares_some_name() && self.shares_mother()))
    }

    /// Whether names say that two are not one: nothing of the name is shared, nor the mother's name.
    pub(crate) fn names_contradict(self) -> bool {
        self.tokens[1] == name::DIFFERENT && self.tokens[2] == mother::DIFFERENT
    }

    /// Whether name and birth are shared, and no sound says otherwise.
    pub(crate) fn shares_name(self) -> bool {
        (name::EXACT..name::SOUND).contains(&self.tokens[1])
    }

    /// Whether anything of the name is shared.
    pub(crate) fn shares_some_name(self) -> bool {
        self.tokens[1] >= name::EXACT_BUT_SOUND
    }

    /// Whether the sound of the name is all of it that is shared.
    pub(crate) fn shares_sound_alone(self) -> bool {
        self.tokens[1] >= name::SOUND
    }

    /// Whether the mother's name is shared.
    pub(crate) fn shares_mother(self) -> bool {
        self.tokens[2] >= mother::SHARED
    }

    /// Whether years of birth are known and can be the same.
    pub(crate) fn same_birth(self) -> bool {
        (birth::ONE_YEAR..=birth::OVERLAP).contains(&self.codes[0])
    }

    /// Whether the sex is known and the same.
    pub(crate) fn same_sex(self) -> bool {
        self.codes[1] == code::SAME
    }

    /// Whether both sexes are known and differ.
    pub(crate) fn sexes_differ(self) -> bool {
        self.codes[1] == code::DIFFERENT
    }

    /// Whether the province is known and the same.
    pub(crate) fn same_province(self) -> bool {
        self.codes[3] == code::SAME
    }
}

/// Level of a document shared by so many.
pub(crate) fn document_level(shared: Option<usize>, both_known: bool) -> u8 {
    match shared {
        Some(holders) => document::SHARED + class(holders).min(2),
        None => {
            if both_known {
                document::DIFFERENT
            } else {
                UNKNOWN
            }
        }
    }
}

/// Level of a mother's name shared by so many.
pub(crate) fn mother_level(shared: Option<usize>, both_known: bool) -> u8 {
    match shared {
        Some(holders) => mother::SHARED + class(holders),
        None => {
            if both_known {
                mother::DIFFERENT
            } else {
                UNKNOWN
            }
        }
    }
}

/// Level of names, of which name-and-birth and sound are each shared by so many, or known of both and different.
pub(crate) fn name_level(exact: (Option<usize>, bool), sound: (Option<usize>, bool)) -> u8 {
    match (exact, sound) {
        ((Some(_), _), (None, true)) => name::EXACT_BUT_SOUND,
        // The sound is held by more, so it tells better how common the name is.
        ((Some(holders), _), (sounds, _)) => name::EXACT + class(holders.max(sounds.unwrap_or(0))),
        (_, (Some(holders), _)) => name::SOUND + class(holders),
        ((None, false), (None, false)) => UNKNOWN,
        _ => name::DIFFERENT,
    }
}

/// Level of codes.
pub(crate) fn code_level(one: Option<u16>, other: Option<u16>) -> u8 {
    match (one, other) {
        (Some(one), Some(other)) => {
            if one == other {
                code::SAME
            } else {
                code::DIFFERENT
            }
        }
        _ => UNKNOWN,
    }
}

/// Level of papers.
pub(crate) fn papers_level(one: bool, other: bool) -> u8 {
    match (one, other) {
        (true, true) => papers::BOTH,
        (false, false) => papers::NEITHER,
        _ => papers::ONE,
    }
}

/// Years between two spans of years of birth; 0 where they can be the same; none where one is unknown.
pub(crate) fn years_apart(one: Option<(i16, i16)>, other: Option<(i16, i16)>) -> Option<i16> {
    let ((from, to), (other_from, other_to)) = (one?, other?);
    Some(from.saturating_sub(other_to).max(other_from.saturating_sub(to)).max(0))
}

/// Level of spans of years of birth.
pub(crate) fn birth_level(one: Option<(i16, i16)>, other: Option<(i16, i16)>) -> u8 {
    match years_apart(one, other) {
        None => UNKNOWN,
        Some(0) if one == other && one.is_some_and(|(from, to)| from == to) => birth::ONE_YEAR,
        Some(0) => birth::OVERLAP,
        Some(years) if years <= LITTLE => birth::NEAR,
        Some(_) => birth::FAR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_the_number_of_its_pattern() {
        for number in 0..PATTERNS {
            assert_eq!(Pattern::of_number(number).number(), number);
        }
    }

    #[test]
    fn a_name_without_its_sound_is_weaker_than_a_name_alone() {
        assert_eq!(name_level((Some(2), true), (None, true)), name::EXACT_BUT_SOUND);
        assert_eq!(name_level((Some(2), true), (None, false)), name::EXACT);
        assert_eq!(name_level((None, true), (Some(3), true)), name::SOUND + 1);
        assert_eq!(name_level((None, false), (None, true)), name::DIFFERENT);
        assert_eq!(name_level((None, false), (None, false)), UNKNOWN);
    }

    #[test]
    fn years_of_birth_that_overlap_can_be_the_same() {
        assert_eq!(birth_level(Some((1993, 1993)), Some((1993, 1993))), birth::ONE_YEAR);
        assert_eq!(birth_level(Some((1990, 1993)), Some((1993, 1995))), birth::OVERLAP);
        assert_eq!(birth_level(Some((1990, 1991)), Some((1993, 1995))), birth::NEAR);
        assert_eq!(birth_level(Some((1999, 2001)), Some((1993, 1995))), birth::FAR);
        assert_eq!(birth_level(None, Some((1993, 1995))), UNKNOWN);
    }
}
