//! What became of a file, in counts: for the agency, on its own machine.

use std::collections::BTreeMap;
use std::fmt;

use crate::identity::VERSION;
use crate::person::Person;
use crate::reason::Reason;
use crate::token::Kind;

/// Why a row was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// No token of any kind could be made of it.
    NoToken,
    /// What is kept of it holds the identity that is taken out.
    Held,
    /// It has another number of cells than the header, or is no JSON object.
    Broken,
    /// It is not UTF-8.
    NotUtf8,
    /// An object `person` has a member that is no role, or one that is no text.
    Member,
}

impl Aside {
    const ALL: [Self; 5] = [Self::NoToken, Self::Held, Self::Broken, Self::NotUtf8, Self::Member];

    /// Its code, for counts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Held => "identity_in_kept_column",
            Self::Broken => "broken_row",
            Self::NotUtf8 => "not_utf8",
            Self::Member => "unknown_member",
        }
    }

    /// It in words.
    pub const fn says(self) -> &'static str {
        match self {
            Self::NoToken => "no token of any kind can be made of them",
            Self::Held => "a kept column holds the name or number that is taken out; drop that column, or mend the row",
            Self::Broken => "another number of cells than the header has, or no JSON object",
            Self::NotUtf8 => "not UTF-8; export the file as UTF-8",
            Self::Member => "`person` has a member that is not known, or is no text",
        }
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows read.
    pub rows: u64,
    /// Rows written to the output with tokens.
    pub sealed: u64,
    /// Rows written to the output without tokens, because that was asked for.
    pub without_tokens: u64,
    /// Lines of NDJSON that name no person, or have tokens already: passed on as they are.
    pub untouched: u64,
    /// Rows set aside, by reason.
    pub aside: BTreeMap<&'static str, u64>,
    /// Rows of which the first of January was read as the year alone.
    pub birth_assumed: u64,
    /// Pairs of old and new tokens written.
    pub pairs: u64,
    tokens: [u64; 4],
    reasons: BTreeMap<(Kind, Reason), u64>,
}

impl Summary {
    /// Counts what became of a person.
    pub(crate) fn person(&mut self, person: &Person) {
        for (kind, _) in person.tokens() {
            self.tokens[kind as usize] += 1;
        }
        for why in person.reasons() {
            *self.reasons.entry(why).or_default() += 1;
        }
    }

    pub(crate) fn set_aside(&mut self, why: Aside) {
        *self.aside.entry(why.code()).or_default() += 1;
    }

    /// Rows set aside, all together.
    pub fn all_aside(&self) -> u64 {
        self.aside.values().sum()
    }

    /// Tokens made of a kind.
    pub fn tokens(&self, kind: Kind) -> u64 {
        self.tokens[kind as usize]
    }

    /// How often a reason was met for a kind.
    pub fn reason(&self, kind: Kind, why: Reason) -> u64 {
        self.reasons.get(&(kind, why)).copied().unwrap_or(0)
    }

    /// Everything as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let kinds = Kind::ALL.map(|kind| {
            let why: serde_json::Map<String, serde_json::Value> =
                self.why_not(kind).map(|(why, count)| (why.code().to_owned(), count.into())).collect();
            (kind.code().to_owned(), serde_json::json!({ "tokens": self.tokens(kind), "not_made": why }))
        });
        serde_json::json!({
            "canonical_form": VERSION, "rows": self.rows, "sealed": self.sealed, "without_tokens": self.without_tokens,
            "untouched": self.untouched, "set_aside": self.aside, "birth_assumed": self.birth_assumed, "pairs": self.pairs,
            "kinds": serde_json::Map::from_iter(kinds),
        })
    }

    fn why_not(&self, kind: Kind) -> impl Iterator<Item = (Reason, u64)> {
        self.reasons.iter().filter(move |((of, _), _)| *of == kind).map(|((_, why), count)| (*why, *count))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} row(s): {} sealed, {} set aside", self.rows, self.sealed, self.all_aside())?;
        for (count, says) in [
            (self.without_tokens, "passed on without tokens, as asked"),
            (self.untouched, "passed on as they are: they name no person, or have tokens already"),
            (self.birth_assumed, "of which 1 January was read as the year alone"),
            (self.pairs, "pair(s) of old and new tokens"),
        ] {
            if count > 0 {
                writeln!(f, "{count:>10} {says}")?;
            }
        }
        for why in Aside::ALL {
            if let Some(count) = self.aside.get(why.code()) {
                writeln!(f, "{count:>10} set aside: {}", why.says())?;
            }
        }
        for kind in Kind::ALL {
            writeln!(f, "{:>10} token(s) of kind {}", self.tokens(kind), kind.code())?;
            for (why, count) in self.why_not(kind) {
                writeln!(f, "{:>14} not made: {}", count, why.says())?;
            }
        }
        Ok(())
    }
}
