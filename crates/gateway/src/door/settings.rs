//! What the door is told by whoever opens it: limits, the policy, and everything that is not the same twice (time, randomness, keys).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use events::{Event, EventType};
use policy::Policy;

use crate::csv::Corrections;

/// Why an event of its own agency, of a type that the agency may emit, would still not be admitted by ingest at this moment
/// (milliseconds since 1970 UTC): a sentence with the place and the remedy, never a value. The rule itself is ingest's; who opens
/// the door hands it in.
pub type Admission = Arc<dyn Fn(&Event<'_>, i64) -> Option<&'static str> + Send + Sync>;

/// Spreadsheets for agencies that have no system of their own. They are made by whoever opens the door.
pub trait Sheets: Send + Sync {
    /// Whether there is a template for rows of a type.
    fn has_template(&self, kind: EventType) -> bool;

    /// A template for rows of a type, of an agency; none for a type that no row can hold.
    fn template(&self, agency: &str, kind: EventType) -> Option<Template>;

    /// A workbook (Office Open XML) of rows that are to be put right, with what is wrong beside each cell.
    fn corrections(&self, rows: &Corrections<'_>) -> Option<Vec<u8>>;
}

/// The files of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The workbook to be filled.
    pub workbook: Vec<u8>,
    /// The mapping by which its rows become events.
    pub mapping: String,
    /// What `amanat tokenize` does with its columns, where the type names a person.
    pub columns: Option<String>,
}

/// What one request, and all of them together, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest event, bytes; the worker's own limit (ingestion.md 3.6).
    pub event_bytes: usize,
    /// Largest body as it is sent, bytes.
    pub body_bytes: usize,
    /// Largest body after gzip or zstd is undone, bytes.
    pub decoded_bytes: usize,
    /// Most events in one request.
    pub events: usize,
    /// Requests at work at once; what comes beyond is answered 429 at once.
    pub requests: usize,
    /// Of them, those of one agency.
    pub requests_of_one: usize,
    /// Bytes that all requests together may hold: bodies as sent, as decoded, and the messages made of them.
    pub held_bytes: usize,
    /// Of them, those of one agency.
    pub held_bytes_of_one: usize,
    /// Longest time in which a body must arrive.
    pub arrival: Duration,
    /// How long the first answer to an `Idempotency-Key` is given again.
    pub repeat_for: Duration,
    /// How long a receipt can be looked up. Never shorter than `repeat_for`.
    pub keep_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 1 << 20,
            body_bytes: 8 << 20,
            decoded_bytes: 32 << 20,
            events: 10_000,
            requests: 256,
            requests_of_one: 96,
            held_bytes: 320 << 20,
            held_bytes_of_one: 128 << 20,
            arrival: Duration::from_secs(30),
            repeat_for: Duration::from_hours(48),
            keep_for: Duration::from_hours(24 * u64::from(eventlog::RECEIPTS_DAYS)),
        }
    }
}

/// What the door is opened with.
#[derive(Clone)]
pub struct Settings {
    /// Which agencies there are and what each may emit.
    pub policy: Arc<Policy>,
    /// What else ingest asks of an event.
    pub admission: Admission,
    /// Spreadsheets, where there are any.
    pub sheets: Option<Arc<dyn Sheets>>,
    /// Bounds.
    pub limits: Limits,
    /// The time.
    pub clock: fn() -> SystemTime,
    /// Sixteen random bytes: the id of a receipt, which nobody can guess.
    pub random: fn() -> [u8; 16],
    /// Makes ids and tokens of CSV rows; the one of `amanat import`, so that a row has one id by both ways.
    pub row_key: [u8; 32],
    /// Makes digests of bodies and of `Idempotency-Key`s, so that the file holds nothing of either.
    pub digest_key: [u8; 32],
}

impl Settings {
    /// Milliseconds since 1970 UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        let since = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Days since 1970.
    pub(crate) fn today(&self) -> i32 {
        policy::time::day_of((self.clock)())
    }
}
