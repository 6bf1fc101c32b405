//! What kinds of readers there are.
//!
//! Absent: what each may do, which is drawn in `access.toml` ([`Access`](crate::Access)).

use serde::{Deserialize, Serialize};

/// What a reader is. Who shows neither a key nor a password is [`Role::Public`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Anybody.
    Public,
    /// Asks about protected tables, and gets released cells.
    Analyst,
    /// An analyst who answers for the data.
    Steward,
    /// A body that reports.
    Agency,
    /// Looks into what was asked and decided, and asks nothing protected.
    Auditor,
    /// Runs the service and lets people in, and asks nothing protected.
    Operator,
}

impl Role {
    /// All roles, in the order of the columns of `access.toml`.
    pub const ALL: [Self; 6] =
        [Self::Public, Self::Analyst, Self::Steward, Self::Agency, Self::Auditor, Self::Operator];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Analyst => "analyst",
            Self::Steward => "steward",
            Self::Agency => "agency",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// Its column in `access.toml`.
    pub(crate) const fn column(self) -> usize {
        self as usize
    }
}
