//! Which published tables count the units of a dataset: how they spread over its codes is public, and questions are judged by it.
//!
//! Absent: values, and how sparse a question is (crate `query`).

/// A published table that counts units of a dataset: what the sparsity of a question is judged by (privacy.md 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedTable {
    /// Id of the indicator.
    pub indicator: String,
    /// Name of the measure in `published`.
    pub measure: String,
    /// The dataset whose units it counts.
    pub dataset: String,
    /// The level of its periods: `year` or `quarter`.
    pub period: String,
    /// Levels of the dataset that it is broken down by, with the column of `published` that has their codes.
    pub columns: Vec<(String, String)>,
    /// Levels on which it has a condition: it counts a part of the dataset.
    pub conditions: Vec<String>,
}

impl CountedTable {
    /// Whether a period is of this table's level.
    pub fn has_period(&self, period: &str) -> bool {
        match self.period.as_str() {
            "year" => period.len() == 4 && period.bytes().all(|b| b.is_ascii_digit()),
            "quarter" => period.contains("-Q"),
            _ => false,
        }
    }
}
