//! Whose share of what questions may cost pays for a question (privacy.md 6.8, where they are called roles).
//!
//! Absent: persons. A key is bound to a share; who holds it is the institution's to know. What its holder may do is its
//! [`Role`](crate::Role).

use serde::{Deserialize, Serialize};

/// Whose share pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Analysts of the ministry.
    Ministry,
    /// Analysts of the agencies that report.
    Agencies,
    /// Partners: international organisations, research.
    Partners,
}

impl Share {
    /// All shares.
    pub const ALL: [Self; 3] = [Self::Ministry, Self::Agencies, Self::Partners];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Agencies => "agencies",
            Self::Partners => "partners",
        }
    }

    /// How much it is, in percent, of what the declared grids leave of each counter (privacy.md 6.8, 6.17).
    pub const fn share_percent(self) -> u64 {
        match self {
            Self::Ministry => 60,
            Self::Agencies | Self::Partners => 20,
        }
    }
}
