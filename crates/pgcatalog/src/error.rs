//! Why the catalogue did not answer, with the class that a Postgres client expects.

/// Result of the catalogue.
pub type Result<T> = std::result::Result<T, CatalogueError>;

/// The class of an error. [`Fault::sqlstate`] is its five letters on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The text is no SQL that PostgreSQL would read.
    Syntax,
    /// There is no such table or view among the system's.
    UndefinedTable,
    /// There is no such column.
    UndefinedColumn,
    /// There is no such function with these arguments.
    UndefinedFunction,
    /// There is no such object of another kind: a type, a role, a setting.
    UndefinedObject,
    /// A name could mean two columns.
    AmbiguousColumn,
    /// A name is given to two tables of one FROM.
    DuplicateAlias,
    /// PostgreSQL does this, the catalogue does not.
    NotSupported,
    /// The statement is too long, too deep, takes too long or gives too many rows.
    TooComplex,
    /// A value cannot be read as its type.
    InvalidValue,
    /// The number of parameters is not that of the statement.
    Parameters,
    /// The catalogue itself is at fault.
    Internal,
}

impl Fault {
    /// The SQLSTATE of the class (PostgreSQL 15, appendix A).
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::Syntax => "42601",
            Self::UndefinedTable => "42P01",
            Self::UndefinedColumn => "42703",
            Self::UndefinedFunction => "42883",
            Self::UndefinedObject => "42704",
            Self::AmbiguousColumn => "42702",
            Self::DuplicateAlias => "42712",
            Self::NotSupported => "0A000",
            Self::TooComplex => "54001",
            Self::InvalidValue => "22023",
            Self::Parameters => "08P01",
            Self::Internal => "XX000",
        }
    }
}

/// Why a statement was not answered. The sentence quotes names and types of the statement, never a value of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CatalogueError {
    /// The class.
    pub fault: Fault,
    /// What is wrong and, where there is one, what to write instead.
    pub message: String,
}

impl CatalogueError {
    /// An error of a class with its sentence.
    pub(crate) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }

    /// What PostgreSQL does and the catalogue does not.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(Fault::NotSupported, format!("{what} is not supported in questions to the system catalogue"))
    }
}
