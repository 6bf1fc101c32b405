//! Who asks: roles with their shares of what questions may cost (privacy.md 6.8).
//!
//! Absent: persons. A key is bound to a role; who holds it is the institution's to know.

use serde::{Deserialize, Serialize};

/// The role of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Analysts of the ministry.
    Ministry,
    /// Analysts of the agencies that report.
    Agencies,
    /// Partners: international organisations, research.
    Partners,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Ministry, Self::Agencies, Self::Partners];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Agencies => "agencies",
            Self::Partners => "partners",
        }
    }

    /// Its share, in percent, of what the declared grids leave of each counter (privacy.md 6.8, 6.17).
    pub const fn share_percent(self) -> u64 {
        match self {
            Self::Ministry => 60,
            Self::Agencies | Self::Partners => 20,
        }
    }
}
