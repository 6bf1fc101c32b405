//! What a steward has decided about pairs of persons. It holds, whatever rules and the model say.

use crate::mention::PersonId;

/// Decisions of people: these two are one, these two are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Pairs that are one.
    pub one: Vec<(PersonId, PersonId)>,
    /// Pairs that are not.
    pub not_one: Vec<(PersonId, PersonId)>,
}

/// Why decisions cannot be followed. Names no person.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionError {
    /// Persons who by some decisions are one are by another not.
    #[error("{0} decision(s) that two persons are not one contradict others by which they are: withdraw either")]
    Contradictory(usize),
}
