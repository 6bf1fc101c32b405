//! Finds which persons of several agencies are one: tokens → clusters, with the evidence.
//!
//! ```text
//! Mentions ─Register▶ rows ─Blocks▶ pairs ─compare▶ Patterns ─rules, Model▶ links ─Clustering▶ Clusters ─words▶ events
//! ```
//!
//! An agency names a person by tokens; all that can be compared of two agencies' tokens is whether their keyed hashes
//! are equal ([`LinkRef`]). Pairs are one by a rule ([`RULES`]), or by a probability that a model finds in the register
//! itself; a steward's decisions stand above both. What is between is a list for the steward, and two bounds: the number
//! of persons if nobody were linked, and if every plausible pair were.
//!
//! [`link`] is a function of the register and the decisions alone: it is run over everybody, whatever came last, so no
//! earlier result can hold up a better one; [`words`] tells what has changed.
//!
//! Reading order: [`Mention`] (what is known of a person), [`Register`] (all of them), `blocks` (who is compared),
//! `pattern` and `compare` (what comparing shows), `rules`, `seen` and `model` (how probable), `threshold`, `cluster` (who comes
//! together), [`Linkage`] (what is told), [`words`], [`quality`].
//!
//! ```
//! use linkage::{Decisions, Kind, Mention, Register, link};
//!
//! let mention = |person: u8, agency, document: u8| {
//!     let mut mention = Mention::new([person; 16], agency, (0, [person; 16]));
//!     mention.refs.extend([(Kind::Document, [document; 16]), (Kind::NameBirth, [7; 16])]);
//!     mention
//! };
//! let register = Register::of([mention(1, 0, 5), mention(2, 1, 5), mention(3, 1, 6)])?;
//! let linkage = link(&register, &Decisions::default())?;
//! assert_eq!(linkage.clusters.get(0), [[1; 16], [2; 16]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Absent, and kept absent: names and anything else that could be compared but for equality, I/O, clock, chance, threads,
//! DataFusion, any of our other rooms. Which events become mentions, and who publishes what was found, is the caller's.
//!
//! Source: domain.md 4 and 5, privacy.md 8.1 and 8.6, ingestion.md 3.1.

mod blocks;
mod cluster;
mod clusters;
mod compare;
mod decisions;
mod groups;
mod link;
mod mention;
mod model;
mod pattern;
pub mod quality;
mod register;
mod rules;
mod seen;
mod threshold;
mod words;

pub use cluster::{Doubt, Evidence, MOST_TOGETHER, PLAUSIBLE};
pub use clusters::Clusters;
pub use compare::Contradiction;
pub use decisions::{DecisionError, Decisions};
pub use link::{Doubtful, Linkage, MOST_IN_BLOCK, Merge, Summary, link, link_by_blocks};
pub use mention::{Born, FirstSeen, Kind, LinkRef, Mention, PersonId, Said};
pub use register::{Register, RegisterError};
pub use rules::{RULES, Rule};
pub use threshold::{LINK_ALWAYS, LINK_LEAST, LINK_WITHIN, WRONG_PER_MILLE};
pub use words::{Known, Word, words};
