//! A question as it arrives and an answer as it leaves.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::notes::Note;
use crate::turns::Held;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use policy::Asker;
use serde::{Deserialize, Serialize};

/// What one question may use. Past a limit the question is refused; an answer is never cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Wall-clock time from arrival to the last row.
    pub time: Duration,
    /// Bytes of working memory, the answer included.
    pub memory: usize,
    /// Rows of the answer.
    pub rows: usize,
    /// Bytes of SQL text.
    pub text: usize,
    /// Levels of nesting: of expressions, of subqueries, and through common table expressions.
    pub depth: usize,
}

impl Default for Limits {
    /// 30 s, 512 MiB, 100,000 rows, 16 KiB of text, 32 levels.
    fn default() -> Self {
        Self { time: Duration::from_secs(30), memory: 512 << 20, rows: 100_000, text: 16 << 10, depth: 32 }
    }
}

impl Limits {
    /// The stricter of each.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            time: self.time.min(other.time),
            memory: self.memory.min(other.memory),
            rows: self.rows.min(other.rows),
            text: self.text.min(other.text),
            depth: self.depth.min(other.depth),
        }
    }
}

/// The value of a placeholder; `$1` is the first. It is bound as a literal, never pasted into the text.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "a value of params is null, true, false, a number or a text")]
pub enum Param {
    /// SQL NULL.
    Null,
    /// TRUE or FALSE.
    Bool(bool),
    /// A number, as it was written.
    Number(serde_json::Number),
    /// A text; also for dates (`date '…'` is compared with a text of the same form).
    Text(String),
}

/// A question in SQL.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// One SELECT (or VALUES, or a set operation), with or without a closing semicolon.
    pub sql: String,
    /// Values of `$1`, `$2`, …
    pub params: Vec<Param>,
    /// Limits of this question; those of the reader still hold.
    pub limits: Option<Limits>,
    /// Whether every protected number of the answer is followed by its interval, status and bias, and the row by the date
    /// (privacy.md 6.14).
    pub companions: bool,
    /// Who asks: needed for questions about protected tables.
    pub asker: Option<Asker>,
    /// Whether it is about editions under embargo as well, where who asks may see them: only what is answered to the asker alone and
    /// kept nowhere may be so.
    pub ahead: bool,
    /// The address that it comes from, where there is one: whose turn it is where nobody is named.
    pub peer: Option<IpAddr>,
}

impl Question {
    /// A question without parameters.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), ..Self::default() }
    }
}

/// What a question takes and what its answer will look like, told without asking it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Types of `$1`, `$2`, …: that of the column or cast that each is compared with, text where nothing tells.
    pub params: Vec<DataType>,
    /// Names and types of the columns.
    pub columns: SchemaRef,
}

/// The whole answer. It is complete: a question that passes a limit has none.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// The current edition at the time of the question; None when nothing is published.
    pub edition: Option<u32>,
    /// What the reader of the rows should know of them; from the question alone.
    pub notes: Vec<Note>,
    /// The turn that the question was computed in. An answer is memory of its question's limit, so the turn ends with the
    /// answer: whoever writes it out keeps this until the last byte is gone.
    pub turn: Turn,
}

/// A place among the questions computed at once, given back when the last clone is dropped.
#[derive(Clone, Default)]
pub struct Turn {
    _held: Option<Arc<Held>>,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

impl Turn {
    pub(crate) fn of(held: Held) -> Self {
        Self { _held: Some(Arc::new(held)) }
    }
}

impl Answer {
    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}
