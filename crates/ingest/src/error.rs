//! Why a worker ends. A bad message is never a reason: it becomes a row.

use arrow::error::ArrowError;
use eventlog::LogError;
use lake::LakeError;

/// A cause that waiting does not mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The event log refuses, for good.
    #[error("the event log cannot be read")]
    Log(#[source] LogError),
    /// The lake refuses, for good or for longer than the worker was told to try.
    #[error("the lake cannot be written")]
    Lake(#[source] LakeError),
    /// The table `events` has columns that this program does not know how to fill.
    #[error("the rows do not fit the table `events`")]
    Columns(#[from] ArrowError),
    /// Another part of the worker ended first; its own error says why.
    #[error("the worker is ending")]
    Ending,
    /// A part of the worker panicked, which is a fault of this program.
    #[error("the worker's {part} thread crashed; what it had not committed will be read again")]
    Crashed {
        /// Which thread.
        part: &'static str,
    },
    /// An earlier run of this worker was dropped before it ended, and its source with it.
    #[error("an earlier run of this worker was abandoned; make a new worker")]
    Abandoned,
}
