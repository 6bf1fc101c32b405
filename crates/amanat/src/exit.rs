//! How the program ends: exit codes, and the one place that writes an error for a person.

use std::io::Write;
use std::process::ExitCode;

/// Printed under `--help`.
pub const HELP: &str = "Exit codes:
  0  done
  1  failed for a reason that is not below; the message says which
  2  the command line or the configuration is wrong
  3  the input has mistakes (validate, publish, import): each was named, nothing of a refused file was sent
  4  the data directory cannot be used: locked, newer, half written, another key or kind, read only, full
  5  something needed is away (Kafka, an address in use, the disk)
  6  refused: the question or the edition is not permitted; the message names what is";

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
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return match failure {
                Failure::Usage(_) => 2,
                Failure::Input(_) => 3,
                Failure::DataDirectory(_) => 4,
                Failure::Unavailable(_) => 5,
                Failure::Refused(_) => 6,
            };
        }
        if cause.downcast_ref::<crate::config::ConfigError>().is_some() {
            return 2;
        }
    }
    1
}

/// Writes a remark to standard error, for a person. Whoever closed it does not want it.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// Writes to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
