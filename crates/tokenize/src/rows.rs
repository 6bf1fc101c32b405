//! A CSV file, row by row: what is kept of it, and tokens in the place of identities. A batch at a time, in bounded memory.

use std::io::{self, Read, Write};

use csv::ByteRecord;

use crate::columns::{BECAUSE, Columns, ColumnsError, Plan, Role};
use crate::evaluate::{Evaluate, EvaluateError};
use crate::guard::Guard;
use crate::identity::{Canonical, Identity, Reading};
use crate::person::{Person, seal};
use crate::rotation::Pairs;
use crate::summary::{Aside, Summary};
use crate::token::Kind;

/// Rows that are evaluated together.
pub(crate) const BATCH: usize = 512;

/// Everything that sealing a file needs beside the file.
pub struct Job<'j> {
    /// How it is read.
    pub reading: Reading,
    /// What makes the tokens of the output.
    pub evaluate: &'j mut dyn Evaluate,
    /// During a rotation: what made them before, and where pairs go.
    pub before: Option<(&'j mut dyn Evaluate, Pairs<'j>)>,
    /// Whether a row of which no token can be made goes to the output without.
    pub without_tokens: bool,
    /// Where sealed rows go.
    pub out: &'j mut dyn Write,
    /// Where rows go that are set aside: identities, so a place that stays on the machine.
    pub aside: &'j mut dyn Write,
    /// What became of it.
    pub summary: Summary,
}

/// Why a file was not sealed to its end. No text of a cell is in it.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The columns were refused.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The header is not UTF-8.
    #[error("the header is not UTF-8; export the file as UTF-8")]
    Header,
    /// Reading or writing failed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
    /// The secret was not to be had.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl Job<'_> {
    /// Evaluates people and, during a rotation, writes their pairs.
    pub(crate) fn people(&mut self, people: &[Canonical]) -> Result<Vec<Person>, SealError> {
        let sealed = seal(people, self.evaluate)?;
        if let Some((before, pairs)) = &mut self.before {
            for (old, new) in seal(people, *before)?.iter().zip(&sealed) {
                self.summary.pairs += pairs.write(old, new)?;
            }
        }
        Ok(sealed)
    }
}

/// Seals a CSV file.
pub fn seal_csv(input: impl Read, delimiter: u8, columns: &Columns, job: &mut Job<'_>) -> Result<(), SealError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(input);
    let first = reader.byte_headers().map_err(of_csv)?.clone();
    let header = names(&first)?;
    let plan = columns.plan(&header)?;
    let mut csv = Csv { plan, width: header.len(), delimiter, header: first, aside_begun: false };
    csv.begin(&header, job)?;
    let mut batch = Vec::with_capacity(BATCH);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(of_csv)? {
        batch.push(std::mem::take(&mut record));
        if batch.len() == BATCH {
            csv.batch(&batch, job)?;
            batch.clear();
        }
    }
    csv.batch(&batch, job)
}

/// The header, trimmed, without a byte order mark.
fn names(header: &ByteRecord) -> Result<Vec<String>, SealError> {
    let name =
        |cell: &[u8]| std::str::from_utf8(cell).map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned());
    header.iter().map(name).collect::<Result<_, _>>().map_err(|_| SealError::Header)
}

/// A file as it is sealed.
struct Csv {
    plan: Plan,
    width: usize,
    delimiter: u8,
    header: ByteRecord,
    aside_begun: bool,
}

impl Csv {
    fn begin(&self, header: &[String], job: &mut Job<'_>) -> Result<(), SealError> {
        let kept = self.plan.keep.iter().map(|at| header[*at].clone());
        let made = Kind::ALL.map(|kind| format!("token_{}", kind.code()));
        write_row(job.out, b',', kept.chain(made))
    }

    fn batch(&mut self, records: &[ByteRecord], job: &mut Job<'_>) -> Result<(), SealError> {
        let read: Vec<_> = records.iter().map(|record| self.read(record, job)).collect();
        let people: Vec<Canonical> = read.iter().filter_map(|row| row.as_ref().ok().cloned()).collect();
        let mut people = job.people(&people)?.into_iter();
        for (record, row) in records.iter().zip(read) {
            job.summary.rows += 1;
            match row {
                Err(why) => self.set_aside(record, why, why.says(), job)?,
                Ok(canonical) => {
                    let person = people.next().expect("as many people as rows that were read");
                    job.summary.birth_assumed += u64::from(canonical.birth_assumed);
                    self.write(record, &person, job)?;
                }
            }
        }
        Ok(())
    }

    /// The person of a row, where the row is whole and what is kept of it does not hold her identity.
    fn read(&self, record: &ByteRecord, job: &Job<'_>) -> Result<Canonical, Aside> {
        if record.len() != self.width {
            return Err(Aside::Broken);
        }
        let cell = |at: usize| std::str::from_utf8(&record[at]).map_err(|_| Aside::NotUtf8);
        let of = |role: Role| self.plan.roles.get(&role).map_or(Ok(""), |at| cell(*at));
        let identity = Identity {
            given: of(Role::Name)?,
            surname: of(Role::Surname)?,
            born: of(Role::Born)?,
            document: of(Role::Document)?,
            document_kind: of(Role::DocumentKind)?,
            document_country: of(Role::DocumentCountry)?,
            mother: of(Role::Mother)?,
            place: of(Role::Place)?,
        };
        let guard = Guard::of(&identity);
        for at in &self.plan.keep {
            if guard.is_in(cell(*at)?) {
                return Err(Aside::Held);
            }
        }
        Ok(identity.canonical(&job.reading))
    }

    fn write(&mut self, record: &ByteRecord, person: &Person, job: &mut Job<'_>) -> Result<(), SealError> {
        job.summary.person(person);
        let named = person.tokens().next().is_some();
        if !named && !job.without_tokens {
            return self.set_aside(record, Aside::NoToken, &because(person), job);
        }
        *(if named { &mut job.summary.sealed } else { &mut job.summary.without_tokens }) += 1;
        let kept = self.plan.keep.iter().map(|at| &record[*at]);
        let tokens = Kind::ALL.map(|kind| person.token(kind).unwrap_or("").as_bytes());
        write_row(job.out, b',', kept.chain(tokens))
    }

    /// Writes a row as it came, and why it was not sealed, behind a header that the same command reads again.
    fn set_aside(&mut self, record: &ByteRecord, why: Aside, says: &str, job: &mut Job<'_>) -> Result<(), SealError> {
        job.summary.set_aside(why);
        let before = self.plan.before;
        let theirs = |record| cells_but(record, before);
        if !self.aside_begun {
            write_row(job.aside, self.delimiter, theirs(&self.header).into_iter().chain([BECAUSE.as_bytes()]))?;
            self.aside_begun = true;
        }
        write_row(job.aside, self.delimiter, theirs(record).into_iter().chain([says.as_bytes()]))
    }
}

fn cells_but(record: &ByteRecord, left_out: Option<usize>) -> Vec<&[u8]> {
    record.iter().enumerate().filter(|(at, _)| left_out != Some(*at)).map(|(_, cell)| cell).collect()
}

/// Why no token was made, kind by kind, in codes.
pub(crate) fn because(person: &Person) -> String {
    person.reasons().map(|(kind, why)| format!("{}: {why}", kind.code())).collect::<Vec<_>>().join("; ")
}

fn write_row<C: AsRef<[u8]>>(
    out: &mut dyn Write,
    delimiter: u8,
    cells: impl IntoIterator<Item = C>,
) -> Result<(), SealError> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
    writer.write_record(cells).map_err(of_csv)?;
    let row = writer.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
    Ok(out.write_all(&row)?)
}

/// An error of reading: of a flexible reader of bytes only the file's own errors remain.
fn of_csv(error: csv::Error) -> SealError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => SealError::Io(error),
        _ => SealError::Io(io::ErrorKind::InvalidData.into()),
    }
}
