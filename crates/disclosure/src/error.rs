//! Why a question or a batch of rows cannot be used.

/// What is wrong. Names columns and datasets, never a value, a count or a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosureError {
    /// The policy knows no dataset of this name.
    #[error("the policy has no dataset `{0}`")]
    UnknownDataset(String),
    /// The policy knows no such dimension of the dataset.
    #[error("dataset `{dataset}` has no dimension `{dimension}`")]
    UnknownDimension {
        /// The dataset.
        dataset: String,
        /// The dimension.
        dimension: String,
    },
    /// The rows carry no such column.
    #[error("the rows of `{dataset}` carry no column `{column}`")]
    MissingColumn {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A column has another length than the rows, or its offsets do not ascend.
    #[error("column `{column}` of `{dataset}` does not fit the rows")]
    Misshapen {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// Rows must come sorted by `sid`, so that a unit's rows lie together.
    #[error("the rows of `{0}` are not sorted by sid")]
    NotSorted(String),
    /// A row has a code that the question's closed list lacks, so a total would not be the sum of its parts.
    #[error("dimension `{dimension}` of `{dataset}` has a code outside the closed list of the question")]
    OutsideDomain {
        /// The dataset.
        dataset: String,
        /// The dimension.
        dimension: String,
    },
    /// A question that is no question: a dimension twice, an empty or repeated list of codes.
    #[error("`{dimension}`: {rule}")]
    Malformed {
        /// The dimension.
        dimension: String,
        /// What is wrong, as a clause.
        rule: &'static str,
    },
    /// More cells than one table may have.
    #[error("the question has {cells} cells, more than {limit}: leave out a dimension")]
    TooManyCells {
        /// Cells asked for.
        cells: usize,
        /// The limit.
        limit: usize,
    },
    /// Two tables of one release disagree about the same cell: they were made from different rows.
    #[error("two tables of the release describe `{0}` from different rows")]
    Inconsistent(String),
    /// The solver of the audit failed; nothing is released.
    #[error("the audit could not be carried out: {0}")]
    Audit(String),
}
