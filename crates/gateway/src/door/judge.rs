//! Judges each event of a body before it is appended: by the typed decoder, then by who may say what, then by the rest of ingest's own
//! admission. JSON Schema is asked only to name every mistake of what the decoder has refused.
//!
//! What passes here is what the worker would accept, as far as that can be known before the log and the lake are asked: an earlier
//! event with the same id is theirs to see.

use events::encode::{Encoded, binary_of, event_of_line};
use events::{Event, Fault, FaultClass, Validator};
use uuid::Uuid;

use super::documents::{self, Form};
use super::hold::Hold;
use super::problem::{Kind, Mistake, Problem, Refused};
use super::settings::Settings;
use crate::csv::{FileHash, Mapping, MappingError, Row, RowError, Rows, check_time, header, reader};

/// Mistakes of one request of which all are named; past them each line tells its first. Keeps an answer, and the work for it, bounded.
const NAMED: usize = 10_000;

/// Longest event whose every mistake is looked for: no honest one is as long, and the search is the dearest thing here.
const LOOKED_AT: usize = 64 << 10;

/// An event that may be appended.
pub(crate) struct Taken {
    pub(crate) line: u32,
    pub(crate) id: Uuid,
    pub(crate) message: Encoded,
}

/// What became of the events of a body, each in the order of its lines.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) taken: Vec<Taken>,
    pub(crate) refused: Vec<Refused>,
    /// The cells of each row that was refused, where somebody wants to put them right.
    pub(crate) cells: Vec<Vec<String>>,
}

/// What for a body is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What passes is appended.
    Append,
    /// What is wrong is said.
    Validate,
    /// Rows that do not pass are given back.
    Correct,
}

/// Judges the events of one request.
pub(crate) struct Desk<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) validator: &'a Validator,
    pub(crate) agency: &'a str,
    pub(crate) now_ms: i64,
    pub(crate) purpose: Purpose,
    pub(crate) judged: Judged,
    named: usize,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(settings: &'a Settings, validator: &'a Validator, agency: &'a str, purpose: Purpose) -> Self {
        let now_ms = settings.now_ms();
        Self { settings, validator, agency, now_ms, purpose, judged: Judged::default(), named: 0 }
    }

    /// Judges a body of JSON.
    pub(crate) fn body(mut self, form: Form, body: &[u8], hold: &mut Hold) -> Result<Judged, Problem> {
        let most = self.settings.limits.events;
        documents::each(form, documents::without_mark(body), most, |line, document| {
            let outcome = self.event(line, document, form);
            self.note(line, outcome, hold)
        })?;
        self.whole()
    }

    /// Judges the rows of a CSV file by a mapping; gives the names of its columns too.
    pub(crate) fn rows(
        mut self,
        mapping: &Mapping,
        file: &[u8],
        hold: &mut Hold,
    ) -> Result<(Vec<String>, Judged), Problem> {
        let names = header(&mut reader(file)).map_err(|error| unreadable(&error))?;
        mapping.check_header(&names).map_err(|error| unfit(&error, &names))?;
        let hash: FileHash = blake3::hash(file);
        let rows = Rows::new(mapping, hash, self.settings.row_key, file).map_err(|error| unreadable(&error))?;
        self.each_row(mapping, rows, hold)?;
        Ok((names, self.whole()?))
    }

    fn each_row(&mut self, mapping: &Mapping, mut rows: Rows<'_, &[u8]>, hold: &mut Hold) -> Result<(), Problem> {
        let most = self.settings.limits.events;
        let mut count = 0;
        while let Some(row) = rows.next_row() {
            count += 1;
            if count > most {
                return Err(documents::too_many(most));
            }
            let row = row.and_then(|(row, _)| check_time(mapping, &row, self.now_ms).map(|()| row));
            let (line, outcome) = match row {
                Ok(Row { line, json, .. }) => {
                    let line = number(line);
                    (line, self.event(line, json.as_bytes(), Form::Csv))
                }
                Err(error) => (number(line_of(&error)), Err((Kind::Row, vec![told(&error)]))),
            };
            if self.purpose == Purpose::Correct && outcome.is_err() {
                self.keep(rows.cells(), hold)?;
            }
            self.note(line, outcome, hold)?;
        }
        Ok(())
    }

    /// Keeps the cells of a row.
    fn keep<'c>(&mut self, cells: impl Iterator<Item = &'c str>, hold: &mut Hold) -> Result<(), Problem> {
        let cells: Vec<String> = cells.map(str::to_owned).collect();
        hold.take(cells.iter().map(|cell| size_of::<String>() + cell.len()).sum())?;
        self.judged.cells.push(cells);
        Ok(())
    }

    fn whole(self) -> Result<Judged, Problem> {
        if self.judged.taken.is_empty() && self.judged.refused.is_empty() {
            return Err(Problem::new(Kind::NothingSent, "The body has no event.", "Send at least one."));
        }
        Ok(self.judged)
    }

    fn note(
        &mut self,
        line: u32,
        outcome: Result<Taken, (Kind, Vec<Mistake>)>,
        hold: &mut Hold,
    ) -> Result<(), Problem> {
        match outcome {
            Ok(taken) => {
                hold.take(size_of::<Taken>() + bytes(&taken.message))?;
                self.judged.taken.push(taken);
            }
            Err((kind, mistakes)) => {
                hold.take(
                    size_of::<Refused>() + mistakes.iter().map(|m| m.place.len() + m.expected.len()).sum::<usize>(),
                )?;
                self.judged.refused.push(Refused::new(line, kind, mistakes));
            }
        }
        Ok(())
    }

    fn event(&mut self, line: u32, document: &[u8], form: Form) -> Result<Taken, (Kind, Vec<Mistake>)> {
        match event_of_line(document, &events::Limits { max_bytes: self.settings.limits.event_bytes }) {
            Err(fault) => Err(self.explained(line, document, form, fault)),
            Ok(event) => match self.objection(&event) {
                Some((kind, sentence)) => Err((kind, vec![split(sentence)])),
                None => Ok(Taken {
                    line,
                    id: event.id,
                    message: if self.purpose == Purpose::Append { binary_of(&event) } else { Encoded::default() },
                }),
            },
        }
    }

    /// Why an event of the contract is not taken.
    fn objection(&self, event: &Event<'_>) -> Option<(Kind, &'static str)> {
        if event.agency != self.agency {
            let sentence =
                "source: the agency of the key is expected; send the event with the key of the agency that it names";
            return Some((Kind::AgencyMismatch, sentence));
        }
        if !self.settings.policy.agencies.may_emit(event.agency, event.kind) {
            let sentence = "type: the policy does not let this agency emit events of this type; have the policy changed, or let the agency in charge send it";
            return Some((Kind::TypeNotPermitted, sentence));
        }
        (self.settings.admission)(event, self.now_ms).map(|sentence| (Kind::NotAdmitted, sentence))
    }

    /// Every mistake of what the decoder has refused, within bounds.
    fn explained(&mut self, line: u32, document: &[u8], form: Form, fault: Fault) -> (Kind, Vec<Mistake>) {
        let kind = match fault.class {
            FaultClass::Parse => Kind::Parse,
            FaultClass::Schema => Kind::Schema,
            FaultClass::Oversize => Kind::Oversize,
        };
        let all = kind == Kind::Schema && self.named < NAMED && document.len() <= LOOKED_AT;
        let faults = match (all, form) {
            (true, Form::Lines) => self.validator.line(line.into(), document),
            (true, _) => self.validator.document(document),
            (false, _) => vec![fault],
        };
        self.named += faults.len();
        (kind, faults.into_iter().map(|fault| mistake(fault, form)).collect())
    }
}

/// Of a row the place is the field alone: line and column would be those of the event that was made of it.
fn mistake(fault: Fault, form: Form) -> Mistake {
    let place = match (form, fault.place.split_once(" (")) {
        (Form::Csv, Some((path, _))) => path.to_owned(),
        _ => fault.place,
    };
    Mistake { place, expected: fault.expected }
}

/// A sentence of the form `place: what is expected; the remedy`.
fn split(sentence: &str) -> Mistake {
    let (place, expected) = sentence.split_once(": ").unwrap_or(("the event", sentence));
    Mistake { place: place.to_owned(), expected: expected.to_owned() }
}

fn bytes(message: &Encoded) -> usize {
    let headers: usize =
        message.headers.iter().map(|(name, value)| name.len() + value.len() + size_of::<(&str, Vec<u8>)>()).sum();
    message.key.len() + headers + message.value.len()
}

fn number(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn line_of(error: &RowError) -> u64 {
    match error {
        RowError::Csv { line, .. }
        | RowError::Time { line, .. }
        | RowError::Future { line, .. }
        | RowError::EmptyKey { line, .. } => *line,
    }
}

/// An error of a row names its line, and a column of the mapping, never a cell.
fn told(error: &RowError) -> Mistake {
    split(&error.to_string())
}

fn unreadable(error: &RowError) -> Problem {
    Problem::new(Kind::Malformed, format!("The file is not CSV: {error}."), "Save it as CSV in UTF-8, with a header.")
}

/// Why a file does not fit its mapping. A file without a header has data in its first line, so its columns are named by their
/// number; those of the mapping are the agency's own words.
fn unfit(error: &MappingError, header: &[String]) -> Problem {
    let detail = match error {
        MappingError::MissingColumns { missing, .. } => {
            format!("The header does not have the column(s) {missing} of the mapping.")
        }
        MappingError::UnmappedColumns(_) | MappingError::RepeatedColumn(_) => {
            format!(
                "Of the {} columns of the header one stands twice, or the mapping does not speak of it.",
                header.len()
            )
        }
        MappingError::Unreadable(..) | MappingError::Invalid(..) => "The mapping cannot be used.".to_owned(),
    };
    let hint = "Export the file again, or put a mapping in place that speaks of each column: under [fields], or under [not_carried] with the reason.";
    Problem::new(Kind::MappingNotUsable, detail, hint)
}
