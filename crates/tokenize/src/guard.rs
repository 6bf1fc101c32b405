//! Looks whether what is kept of a row holds the identity that is taken out of it: a name in a column of remarks.
//!
//! Such a row is set aside whole. It is a net, not a proof: a name that is written in another way than in its own column, or a
//! third person's, is not seen. What is kept should be codes and dates; the contract of events takes nothing else.

use crate::fold;
use crate::identity::Identity;

/// Fewest letters and digits by which a document's number is recognised.
const FEWEST: usize = 6;

/// What must not be in what is kept of a row.
pub(crate) struct Guard {
    names: Vec<Vec<String>>,
    document: String,
}

impl Guard {
    pub(crate) fn of(identity: &Identity<'_>) -> Self {
        let own = format!("{} {}", identity.given, identity.surname);
        let names = [own.as_str(), identity.mother].map(telling);
        Self {
            names: names.into_iter().filter(|words| !words.is_empty()).collect(),
            document: joined(identity.document),
        }
    }

    /// Whether a cell holds a whole name (both words of it, anywhere; a name of one word as the whole cell) or the number.
    pub(crate) fn is_in(&self, cell: &str) -> bool {
        if cell.len() < 3 {
            return false; // a code
        }
        let words = fold::words(cell);
        let held = |name: &Vec<String>| match name.as_slice() {
            [one] => words.len() == 1 && words[0] == *one,
            several => several.iter().all(|word| words.contains(word)),
        };
        self.names.iter().any(held) || self.document.len() >= FEWEST && joined(cell).contains(&self.document)
    }
}

/// Words of more than one letter.
fn telling(name: &str) -> Vec<String> {
    fold::words(name).into_iter().filter(|word| word.chars().count() > 1).collect()
}

fn joined(text: &str) -> String {
    fold::folded(text).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_number_in_another_column_is_seen() {
        let identity =
            Identity { given: "Ayesha Bibi", mother: "Zarina", document: "33102-8765432-9", ..Identity::default() };
        let guard = Guard::of(&identity);
        for cell in ["found: AYESHA  bibi, at noon", "cnic 3310287654329", "id ۳۳۱۰۲۸۷۶۵۴۳۲۹", "zarina"] {
            assert!(guard.is_in(cell), "{cell}");
        }
        for cell in ["F", "2026-02-03", "labour", "Bibi Pak Daman", "zarina road", "33102"] {
            assert!(!guard.is_in(cell), "{cell}");
        }
    }
}
