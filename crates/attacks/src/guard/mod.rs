//! Trials of the guard (privacy.md 6.16): not one person against the release, but the SQL itself, over all protected tables.
//!
//! Reading order: [`country`] (rows of every dataset), [`asking`] (questions by a grammar), [`rules`] (other ways to say the
//! same), [`rewrites`] (they give the same bytes), [`neighbours`] (one person more or less changes no refusal and no shape),
//! [`statements`] (a million texts, from the grammar of [`wild`] and by [`mutate`]: nothing breaks, nothing leaks).
//!
//! Absent: time (slots are by the clock, A19), numbers beyond their shape (the attacks look at those).

pub mod asking;
pub mod country;
pub mod mutate;
pub mod neighbours;
pub mod rewrites;
pub mod rules;
pub mod statements;
pub mod wild;

use serde::Serialize;
use serde_json::Value;

/// What a trial came to.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// The headline.
    pub value: String,
    /// Whether the goal was reached.
    pub met: bool,
    /// Everything else that was seen.
    pub details: Value,
}
