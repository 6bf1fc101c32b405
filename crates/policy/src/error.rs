//! What can be wrong with a policy file.

/// A policy file that cannot be used. The message names file, place and remedy; policy files hold no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not TOML, or a field is missing, mistyped or unknown.
    #[error("{file}: {source}")]
    Syntax {
        /// Which of the two files.
        file: &'static str,
        /// Line, column and what was expected.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A code or name that nothing else knows.
    #[error("{file}: {place}: unknown {what} `{name}`")]
    Unknown {
        /// Which of the two files.
        file: &'static str,
        /// Table or agency.
        place: String,
        /// What kind of thing was named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The same name twice.
    #[error("{file}: {place}: `{name}` is declared twice")]
    Repeated {
        /// Which of the two files.
        file: &'static str,
        /// Table or agency.
        place: String,
        /// The name.
        name: String,
    },
    /// A number that makes no sense.
    #[error("{file}: {place}: {what}")]
    OutOfRange {
        /// Which of the two files.
        file: &'static str,
        /// Table.
        place: String,
        /// Which one, and what it may be.
        what: &'static str,
    },
    /// A rule that the house does not allow to be relaxed.
    #[error("datasets.toml: {dataset}: {rule}")]
    Forbidden {
        /// The dataset.
        dataset: String,
        /// The rule, as a sentence.
        rule: String,
    },
}
