//! The first pass: pairs that are one by a rule.
//!
//! Each rule needs two tokens that were made from different things, because one token alone may be wrong: a document's
//! number that was misread is the number of somebody else. No rule holds against a [`Contradiction`].

use crate::compare::Contradiction;
use crate::pattern::Pattern;

/// A rule: who fulfils it is one person.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as it stands in the evidence of a merge.
    pub name: &'static str,
    /// Why it holds.
    pub because: &'static str,
    /// Whether it also holds between two persons of one agency, which had reason to call them two.
    pub within_agency: bool,
    holds: fn(Pattern) -> bool,
}

/// All rules, the strongest first.
pub const RULES: &[Rule] = &[
    Rule {
        name: "document_and_name",
        because: "the document and the name were read independently and both agree",
        within_agency: true,
        holds: |p| p.shares_document() && p.shares_name(),
    },
    Rule {
        name: "document_and_sound",
        because: "the document agrees, and the name is the same in another spelling",
        within_agency: true,
        holds: |p| p.shares_document() && p.shares_sound_alone(),
    },
    Rule {
        name: "document_and_mother",
        because: "document, mother's name, sex and years of birth agree, so it is not a sibling's document",
        within_agency: false,
        holds: |p| p.shares_document() && p.shares_mother() && p.same_sex() && p.same_birth(),
    },
    Rule {
        name: "name_and_mother",
        because: "siblings share the mother's name and strangers a name and a date of birth, hardly anybody both",
        within_agency: false,
        holds: |p| p.shares_name() && p.shares_mother() && !p.documents_differ(),
    },
    Rule {
        name: "name_and_mother_despite_documents",
        because: "name, birth, mother's name, sex and province agree, so one document's number is wrong",
        within_agency: false,
        holds: |p| p.shares_name() && p.shares_mother() && p.same_sex() && p.same_province(),
    },
];

/// The first rule that makes two persons one; none where something contradicts.
pub(crate) fn rule(pattern: Pattern, within: bool, contradiction: Option<Contradiction>) -> Option<usize> {
    if contradiction.is_some() {
        return None;
    }
    RULES.iter().position(|rule| (rule.within_agency || !within) && (rule.holds)(pattern))
}
