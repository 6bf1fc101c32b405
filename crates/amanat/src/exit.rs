//! How the program ends: exit codes, and the one place that writes an error for a person.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use eventlog::LogError;
use lake::LakeError;
use models::ModelsError;
use models::edition::EditionError;
use models::stage::StageError;

/// Printed under `--help`.
pub const HELP: &str = "Exit codes:
  0  done
  1  failed for a reason that is not below; the message says which
  2  the command line or the configuration is wrong
  3  the input has mistakes (validate, publish, import): each was named, nothing of a refused file was sent; tokenize: rows were set
     aside, the others were sealed
  4  the data directory cannot be used: locked, newer, half written, another key, kind or lake, read only, full, or the
     bucket of the lake refuses us or has no conditional put
  5  something needed is away (Kafka, the bucket, an address in use, the disk), or a partition of the log stands still
  6  refused: the question or the edition is not permitted; the message names what is
130  ended at once by a second Ctrl-C; nothing that was committed is lost";

/// Why a command failed, where the exit code says more than 1.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for something contradictory.
    #[error("{0}")]
    Usage(String),
    /// The input has mistakes, already named one by one.
    #[error("{0}")]
    Input(String),
    /// The data directory cannot be used.
    #[error("{0}")]
    DataDirectory(String),
    /// Something needed is away.
    #[error("{0}")]
    Unavailable(String),
    /// Not permitted.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Input(_) => 3,
            Self::DataDirectory(_) => 4,
            Self::Unavailable(_) => 5,
            Self::Refused(_) => 6,
        }
    }
}

/// Prints the error with its causes and gives the exit code.
pub fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    }) {
        return ExitCode::SUCCESS; // the reader of our output has what it wanted (`amanat sql … | head`)
    }
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::from(code(&error))
}

fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

/// The exit code that one cause of an error decides, if it does.
fn code_of(cause: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(failure.code());
    }
    if cause.is::<crate::config::ConfigError>() {
        return Some(2);
    }
    if let Some(error) = cause.downcast_ref::<LogError>() {
        return Some(of_log(error).code());
    }
    code_of_lake(lake_in(cause)?)
}

/// The lake's error in a cause: its own, or one that another error passes on without a word of its own.
fn lake_in<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e LakeError> {
    let boxed = || cause.downcast_ref::<Box<LakeError>>().map(AsRef::as_ref);
    let staged = |error: &'e StageError| if let StageError::Lake(error) = error { Some(error) } else { None };
    let models = || match cause.downcast_ref::<ModelsError>()? {
        ModelsError::Lake(error) => Some(error),
        ModelsError::Stage(error) => staged(error),
        _ => None,
    };
    let edition = || match cause.downcast_ref::<EditionError>()? {
        EditionError::Lake(error) => Some(error),
        _ => None,
    };
    cause.downcast_ref::<LakeError>().or_else(boxed).or_else(models).or_else(edition)
}

/// 4 where the directory itself is not as it must be, 5 where the disk does not answer. What only tells of a cause decides
/// nothing: the cause does.
fn code_of_lake(error: &LakeError) -> Option<u8> {
    match error {
        LakeError::Locked { .. }
        | LakeError::NewerFormat { .. }
        | LakeError::HalfWritten { .. }
        | LakeError::WrongKey { .. }
        | LakeError::WrongKind { .. }
        | LakeError::NoStore
        | LakeError::OtherLake { .. }
        | LakeError::NoConditionalPut { .. }
        | LakeError::Denied { .. }
        | LakeError::ReadOnly { .. }
        | LakeError::Full { .. }
        | LakeError::BadPlace(_)
        | LakeError::Schema(_)
        | LakeError::Damaged { .. } => Some(4),
        LakeError::Io { .. } | LakeError::Object(_) => Some(5),
        LakeError::Unresolved { source, .. } => code_of_lake(source),
        _ => None,
    }
}

/// A log error with its exit code: 5 where waiting may mend it, 2 where a setting or name is refused, 3 where a message is
/// too large, 4 where the log in the directory is not usable.
pub fn of_log(error: &LogError) -> Failure {
    let text = error.to_string();
    match error {
        LogError::Unavailable { .. } => Failure::Unavailable(text),
        LogError::Refused { .. } | LogError::StreamName { .. } => Failure::Usage(text),
        LogError::TooLarge { .. } => Failure::Input(text),
        _ => Failure::DataDirectory(text),
    }
}

/// An error of sealing with its exit code.
pub fn of_tokenize(failure: tokenize::program::Failure) -> anyhow::Error {
    let text = failure.to_string();
    match failure.code() {
        2 => Failure::Usage(text).into(),
        3 => Failure::Input(text).into(),
        _ => anyhow::anyhow!(text),
    }
}

/// Writes a remark to standard error, for a person. Whoever closed it does not want it.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// Writes to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// Writes to standard output, as it is.
pub fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_store_ends_with_its_documented_code_however_deep_it_lies() {
        let full = || LakeError::Full { path: "x".into() };
        let away = || LogError::Unavailable { place: "x".into(), reason: "y".into() };
        let io = || LakeError::Io { action: "read", path: "x".into(), source: std::io::ErrorKind::TimedOut.into() };
        let unresolved = LakeError::Unresolved { attempts: 3, source: Box::new(full()) };
        for (error, expected) in [
            (anyhow::Error::from(full()), 4),
            (anyhow::Error::from(unresolved), 4),
            (anyhow::Error::from(LakeError::Schema("x".into())), 4),
            (anyhow::Error::from(ingest::IngestError::Lake(full())).context("while ingesting"), 4),
            (anyhow::Error::from(ingest::IngestError::Log(away())), 5),
            (anyhow::Error::from(ModelsError::Lake(io())), 5),
            (anyhow::Error::from(ModelsError::Stage(StageError::Lake(full()))), 4),
            (anyhow::Error::from(EditionError::Lake(full())), 4),
            (anyhow::Error::from(ModelsError::NoTable("x".into())), 1),
        ] {
            assert_eq!(code(&error), expected, "{error:#}");
        }
    }
}
