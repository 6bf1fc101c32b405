//! Seals identities at the edge: names, dates of birth and document numbers become tokens on the agency's own machine, so
//! that no direct identifier travels.
//!
//! ```text
//! Identity ─canonical▶ Input per kind ─evaluate▶ Output ─token▶ "tkdc…", and nothing over an empty or placeholder value
//!           names, dates, documents, places       the key of a domain
//! ```
//!
//! Two agencies of a domain that know a person by the same document, the same name and day of birth, the same sound of it, or the
//! same mother, give her the same token of that kind; `linkage` sees that they are equal, and nothing else.
//!
//! Reading order: [`Identity`] (what an agency knows, and its canonical form), `fold`, [`name`], [`sound()`], `birth`, `document`,
//! `place` (the parts of it), `data` (the lists), [`Reason`] (why there is no token), [`DomainKey`], [`Evaluate`], [`token()`];
//! then [`Person`] and what reads files: `columns`, `rows`, `lines`, [`rotation`], [`program`].
//!
//! ```
//! use tokenize::{DomainKey, Identity, Keyed, Kind, Reading, seal};
//!
//! let key = DomainKey::new("example", 1, [7; 32])?;
//! let one = Identity { given: "Md. Ali", surname: "Khan", born: "05/03/1999", ..Identity::default() };
//! let other = Identity { given: "محمد علی خان", born: "1999-03-05", ..Identity::default() };
//! let reading = Reading { order: Default::default(), this_year: 2026, places: Default::default() };
//! let mut keyed = Keyed::new(&key);
//! let people = seal(&[one.canonical(&reading), other.canonical(&reading)], &mut keyed)?;
//! assert_eq!(people[0].token(Kind::NameBirth), people[1].token(Kind::NameBirth));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Guarantees: what is no identity (empty, `UNKNOWN`, zeros, 1 January 1900) becomes no token; the same canonical form becomes the
//! same token under one key, whatever the platform (`tests/vectors.json` is for other implementations). Not guaranteed: that a
//! person's tokens cannot be guessed by whoever holds the key (privacy.md 8.2); that variants which no rule and no list
//! knows become one.
//!
//! Absent, and kept absent: events and their contract, any of our other rooms, the network; clock and randomness outside
//! `program`; any other output of an identity than its tokens, but the rows that are set aside on the agency's machine.
//!
//! Source: privacy.md 8.1 to 8.3 and 8.6.

mod birth;
mod columns;
mod data;
mod document;
mod evaluate;
mod files;
mod fold;
mod guard;
mod identity;
mod key;
mod lines;
pub mod name;
mod person;
mod place;
pub mod program;
mod reason;
pub mod rotation;
mod rows;
mod sound;
mod summary;
mod token;
mod urdu;

pub use birth::{Birth, DateOrder};
pub use columns::{Columns, ColumnsError, Role};
pub use document::{Document, DocumentKind};
pub use evaluate::{Evaluate, EvaluateError, Keyed, Output};
pub use identity::{Canonical, Identity, Input, Reading, VERSION};
pub use key::{DomainKey, KeyError};
pub use lines::seal_lines;
pub use person::{Person, seal};
pub use place::Places;
pub use reason::Reason;
pub use rows::{Job, SealError, seal_csv};
pub use sound::sound;
pub use summary::{Aside, Summary};
pub use token::{Kind, is_opaque, token};
