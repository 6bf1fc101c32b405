//! The attacks that a release must withstand (privacy.md 7): each asks the public endpoint like anybody, claims something
//! about a synthetic person, and is scored by a referee who holds the truth, against four targets side by side.
//!
//! Reading order: [`people`] (who is attacked), [`target`] (what is asked), [`know`] (what an attacker knows), the attacks,
//! [`referee`] (trials), [`score`] (the board), [`suite`] (all of it). Apart from them stands [`guard`]: trials of the SQL itself.
//!
//! Absent: attacks on pseudonyms (7.4), on the separate tier (6.9); anything that a program of the warehouse
//! uses.

pub mod aggregates;
pub mod caseload;
pub mod changes;
pub mod claims;
pub mod cloning;
pub mod dummies;
pub mod frontier;
pub mod fronts;
pub mod groups;
pub mod guard;
pub mod kept;
pub mod know;
pub mod lattice;
pub mod learner;
pub mod membership;
pub mod numeric;
pub mod outcomes;
pub mod page;
pub mod people;
pub mod published;
pub mod referee;
pub mod score;
pub mod search;
pub mod subsets;
pub mod suite;
pub mod target;
pub mod timing;
pub mod trackers;
pub mod unpick;
