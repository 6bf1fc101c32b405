//! Why the registry did not do what was asked, one variant per cause.

use std::path::PathBuf;

use crate::avro::SchemaFault;

/// Result of the registry.
pub type Result<T> = std::result::Result<T, RegistryError>;

/// Why the registry did not do what was asked. The sentences reach the client; they quote names and schemas, never data.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such subject.
    #[error("Subject '{0}' not found.")]
    SubjectNotFound(String),
    /// The subject has no such version.
    #[error("Version {version} of subject '{subject}' not found.")]
    VersionNotFound {
        /// The subject.
        subject: String,
        /// What was asked for.
        version: String,
    },
    /// There is no such schema: by its id, or under the subject.
    #[error("Schema not found: {0}.")]
    SchemaNotFound(String),
    /// The subject has no compatibility level of its own.
    #[error("Subject '{0}' does not have subject-level compatibility configured; it follows the global level.")]
    NoLevel(String),
    /// The text is no schema, or one beyond the limits.
    #[error("Invalid schema at {0}.")]
    InvalidSchema(SchemaFault),
    /// A reference of the schema cannot be followed.
    #[error("Invalid schema: its reference {place} {what}.")]
    InvalidReference {
        /// Subject and version that it names.
        place: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The version is neither a number from 1 nor `latest`.
    #[error("The version '{0}' is neither a number between 1 and 2147483647 nor 'latest'.")]
    InvalidVersion(String),
    /// The level is none of the seven.
    #[error(
        "Invalid compatibility level '{0}': one of NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE."
    )]
    InvalidLevel(String),
    /// The subject's name cannot be one.
    #[error("The subject's name is empty, longer than 255 bytes or has control characters.")]
    InvalidSubject,
    /// The schema does not fit the versions before it.
    #[error("Schema being registered is incompatible with an earlier schema for subject '{subject}': {}", .differences.join("; "))]
    Incompatible {
        /// The subject.
        subject: String,
        /// One sentence each.
        differences: Vec<String>,
    },
    /// The registry does not do this; the sentence says why and what to do instead.
    #[error("Not permitted: {0}")]
    NotPermitted(String),
    /// The disk, or the room that the registry grants itself, is full.
    #[error("There is no room left for {}.", .0.display())]
    Full(PathBuf),
    /// Another process holds the file for too long.
    #[error("{} is held by another process; try again.", .0.display())]
    Busy(PathBuf),
    /// The file is there and is none of ours.
    #[error("{} cannot be used as the gateway's file: {what}.", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// SQLite, otherwise.
    #[error("the registry {}: {source}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Its error.
        source: rusqlite::Error,
    },
}

impl From<SchemaFault> for RegistryError {
    fn from(fault: SchemaFault) -> Self {
        Self::InvalidSchema(fault)
    }
}
