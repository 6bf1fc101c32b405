//! The closed code lists, embedded from `schemas/code-lists/*.json`.
//!
//! A code is a `u16`: its position in the file. Every list has `_X` (unknown). A roll-up is an attribute whose key is
//! the name of the list rolled up to (`age_group` of an age band); `parent` is a code of the same list.
//! A list grows at its end only: staged rows and released versions of types hold numbers.
//! Absent: free text, and any list that can be changed while the program runs.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

/// The unknown code, in every list.
pub const UNKNOWN: &str = "_X";

/// One code of a list.
#[derive(Debug, Clone)]
pub struct Code {
    /// The code as sent.
    pub code: &'static str,
    /// English label.
    pub en: &'static str,
    /// Urdu label.
    pub ur: &'static str,
    /// The code of the same list that it is part of.
    pub parent: Option<u16>,
    /// Roll-ups (key = name of the other list) and facts about the code (`act` of a section of law, `valid_from`,
    /// `level` of a place).
    pub attrs: BTreeMap<String, String>,
}

/// A closed list of codes with its version and source.
#[derive(Debug)]
pub struct CodeList {
    /// Its name, as in the file name.
    pub name: &'static str,
    /// Date of this version.
    pub version: &'static str,
    /// Where the codes come from.
    pub source: &'static str,
    /// Whether it was made here, in want of a standard, and may still change.
    pub provisional: bool,
    /// Whether a person or act may have several of its codes at once.
    pub multi: bool,
    /// The codes; a code's number is its position.
    pub codes: Vec<Code>,
    index: Index,
    unknown: u16,
}

impl CodeList {
    /// The number of a code, if it is in the list.
    #[inline]
    pub fn code(&self, code: &str) -> Option<u16> {
        self.index.get(code, &self.codes)
    }

    /// The number of `_X`.
    pub fn unknown(&self) -> u16 {
        self.unknown
    }

    /// The code with this number.
    pub fn get(&self, number: u16) -> Option<&Code> {
        self.codes.get(usize::from(number))
    }

    /// The text of a number of this list; `_X` for a number that is not in it.
    pub fn text(&self, number: u16) -> &'static str {
        self.get(number).map_or(UNKNOWN, |c| c.code)
    }

    /// Rolls a code up to `other` by the attribute that bears its name; `_X` where there is none.
    pub fn roll_up(&self, number: u16, other: &CodeList) -> u16 {
        self.get(number)
            .and_then(|c| c.attrs.get(other.name))
            .and_then(|text| other.code(text))
            .unwrap_or(other.unknown)
    }
}

/// The list of this name.
///
/// # Panics
/// When there is none: names are part of the program. See [`find`] for names that come from outside.
pub fn list(name: &str) -> &'static CodeList {
    find(name).expect("names of code lists are part of the program")
}

/// The list of this name, if there is one.
pub fn find(name: &str) -> Option<&'static CodeList> {
    LISTS.iter().find(|l| l.name == name)
}

/// Every list, by name.
pub fn all() -> &'static [CodeList] {
    &LISTS
}

static LISTS: LazyLock<Vec<CodeList>> = LazyLock::new(|| FILES.iter().map(|(name, text)| load(name, text)).collect());

#[derive(Deserialize)]
struct File {
    list: &'static str,
    version: &'static str,
    source: &'static str,
    provisional: bool,
    #[serde(default)]
    multi: bool,
    codes: Vec<FileCode>,
}

#[derive(Deserialize)]
struct FileCode {
    code: &'static str,
    en: &'static str,
    ur: &'static str,
    parent: Option<&'static str>,
    #[serde(flatten)]
    attrs: BTreeMap<String, String>,
}

fn load(name: &str, text: &'static str) -> CodeList {
    let file: File = serde_json::from_str(text).expect("embedded code lists are read by a test");
    assert_eq!(file.list, name, "a code list bears the name of its file");
    let position = |code: &str| file.codes.iter().position(|c| c.code == code).map(|p| p as u16);
    let unknown = position(UNKNOWN).expect("every list has _X");
    let parents: Vec<_> = file.codes.iter().map(|c| c.parent.and_then(position)).collect();
    let codes: Vec<_> = file
        .codes
        .into_iter()
        .zip(parents)
        .map(|(c, parent)| Code { code: c.code, en: c.en, ur: c.ur, parent, attrs: c.attrs })
        .collect();
    CodeList {
        name: file.list,
        version: file.version,
        source: file.source,
        provisional: file.provisional,
        multi: file.multi,
        index: Index::of(&codes),
        codes,
        unknown,
    }
}

/// Text to number by open addressing: decoding looks up about fifteen codes per event, SipHash would double its cost.
/// Lists are ours, so an attacker cannot choose the keys that collide.
#[derive(Debug)]
struct Index {
    slots: Vec<u16>,
}

const FREE: u16 = u16::MAX;

impl Index {
    fn of(codes: &[Code]) -> Self {
        let mut slots = vec![FREE; (codes.len() * 4).next_power_of_two()];
        for (number, code) in codes.iter().enumerate() {
            let mut at = hash(code.code) & (slots.len() - 1);
            while slots[at] != FREE {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = number as u16;
        }
        Self { slots }
    }

    #[inline]
    fn get(&self, code: &str, codes: &[Code]) -> Option<u16> {
        let mut at = hash(code) & (self.slots.len() - 1);
        loop {
            match self.slots[at] {
                FREE => return None,
                number if codes[usize::from(number)].code == code => return Some(number),
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }
}

/// Mixes the first and last eight (or four) bytes, which overlap in short codes: no loop, no copy of variable length.
#[inline]
fn hash(text: &str) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let b = text.as_bytes();
    let (first, last) = if let (Some(f), Some(l)) = (b.first_chunk::<8>(), b.last_chunk::<8>()) {
        (u64::from_le_bytes(*f), u64::from_le_bytes(*l))
    } else if let (Some(f), Some(l)) = (b.first_chunk::<4>(), b.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*f)), u64::from(u32::from_le_bytes(*l)))
    } else if let (Some(f), Some(l)) = (b.first(), b.last()) {
        (u64::from(*f), u64::from(*l))
    } else {
        (0, 0)
    };
    let h = (first ^ b.len() as u64).wrapping_mul(MIX) ^ last;
    (h.wrapping_mul(MIX) >> 32) as usize
}

macro_rules! lists {
    ($($ident:ident = $name:literal),* $(,)?) => {
        const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../schemas/code-lists/", $name, ".json"))),)*
        ];

        #[allow(dead_code)] // lists that are only rolled up to have no field
        enum Position { $($ident),* }

        /// One type per list, so that the contract can say which list a field takes.
        #[allow(dead_code)] // as above
        pub(crate) mod tag {
            $(pub(crate) struct $ident;
            impl super::Tag for $ident {
                const NAME: &'static str = $name;
                #[inline]
                fn list() -> &'static super::CodeList {
                    &super::LISTS[super::Position::$ident as usize]
                }
            })*
        }
    };
}

/// A code list as a type.
pub(crate) trait Tag {
    const NAME: &'static str;
    /// How many of the list's codes are meant.
    const FIRST: u16 = u16::MAX;
    fn list() -> &'static CodeList;
    /// The codes that are meant.
    fn codes() -> &'static [Code] {
        let codes = &Self::list().codes;
        &codes[..codes.len().min(usize::from(Self::FIRST))]
    }
    /// The number of a code among them.
    #[inline]
    fn code(text: &str) -> Option<u16> {
        Self::list().code(text).filter(|number| *number < Self::FIRST)
    }
}

/// The first so many codes of a list: those that a version of a type knew before the list grew.
pub(crate) struct First<const N: u16, L>(PhantomData<L>);

impl<const N: u16, L: Tag> Tag for First<N, L> {
    const NAME: &'static str = L::NAME;
    const FIRST: u16 = N;
    #[inline]
    fn list() -> &'static CodeList {
        L::list()
    }
}

lists! {
    Act = "act", ActivityKind = "activity_kind", AgeBand = "age_band", AgeGroup = "age_group", AgencyGroup = "agency_group", AreaLevel = "area_level",
    AppealOutcome = "appeal_outcome", Audience = "audience", CaseStage = "case_stage", Citizenship = "citizenship", CitizenshipRegion = "citizenship_region",
    CitizenshipSubregion = "citizenship_subregion", ContactKind = "contact_kind", CorrectionReason = "correction_reason", CourtLevel = "court_level",
    ExitReason = "exit_reason", Exploitation = "exploitation", ExploitationForm = "exploitation_form",
    InspectionKind = "inspection_kind", InspectionOutcome = "inspection_outcome", Isic = "isic", LegalBasis = "legal_basis", LinkEvidence = "link_evidence", Means = "means",
    Place = "place", PopulationMethod = "population_method", Province = "province", RecruiterRelation = "recruiter_relation", ReferralAction = "referral_action",
    ReferralSource = "referral_source", ReintegrationOutcome = "reintegration_outcome", ReportKind = "report_kind",
    RetractionReason = "retraction_reason", ReturnKind = "return_kind", Role = "role", Scope = "scope",
    Section = "section", Sector = "sector", SentenceKind = "sentence_kind", Service = "service", Sex = "sex", TokenKind = "token_kind",
    TraffickingStatus = "trafficking_status", TransferReason = "transfer_reason", Verdict = "verdict", YesNo = "yes_no",
}
