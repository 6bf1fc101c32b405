//! Texts of clients: cut into statements, with settings, cursors and rows of COPY as these statements have them.

use bytes::{Buf, BytesMut};
use pgwire::messages::{DecodeContext, PgWireBackendMessage};

use super::values;
use crate::postgres::cells::{Column, oid};
use crate::postgres::cursor::Slice;
use crate::postgres::errors::Failed;
use crate::postgres::settings::Settings;
use crate::postgres::statement::{CopyFormat, Kind, Statement, Step, split};
use crate::postgres::table::{Forms, Table};

/// Rows of the table over which cursors go.
const ROWS: usize = 5;
/// Bytes of a text that is read many times over: where reading takes more than it should for its length, it takes too long for that.
const LONG: usize = 16 << 10;

/// A text; where it begins with a byte that none does that a client sends, a zero: the value of a parameter ([`values::value`]), a
/// one: a text many times over.
pub fn statements(input: &[u8]) {
    if let Some(value) = input.strip_prefix(b"\0") {
        return values::value(value);
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(text) = text.strip_prefix('\u{1}').filter(|text| !text.is_empty()) {
        let _ = split(&text.repeat(LONG / text.len()));
        return;
    }
    match split(text) {
        Ok(statements) => each(text, &statements),
        Err(failed) => sendable(&failed, text),
    }
}

fn each(text: &str, statements: &[Statement]) {
    let (mut settings, mut cursor, mut end) = (Settings::new("analyst"), Cursor::new(), 0);
    for statement in statements {
        let rest: String = text.chars().skip(statement.offset).collect();
        assert!(statement.offset >= end && rest.starts_with(&statement.text), "a statement is where it is said to be");
        end = statement.offset + statement.text.chars().count();
        let alone = split(&statement.text).expect("a statement of several is one alone");
        let again = Statement { offset: 0, ..statement.clone() };
        assert_eq!(alone, [again], "a statement of several is the same alone");
        judge(statement, &mut settings, &mut cursor);
    }
}

fn judge(statement: &Statement, settings: &mut Settings, cursor: &mut Cursor) {
    match &statement.kind {
        Kind::Declare { question, .. } | Kind::Prepare { question, .. } => {
            assert!(statement.text.contains(question.as_str()), "a question is a part of its statement");
        }
        Kind::Copy { question, format } => {
            let within = statement.text.contains(question.as_str());
            assert!(within || question.starts_with("SELECT "), "a question is a part of its statement");
            copied(format, &statement.text);
        }
        Kind::Set { name, value } => set(settings, name, value.as_deref()),
        Kind::Reset(Some(name)) => set(settings, name, None),
        Kind::Reset(None) | Kind::Discard { all: true } => settings.reset(),
        Kind::Show(Some(name)) => assert!(settings.get(name).is_none_or(|value| value.len() <= 1_024)),
        Kind::Fetch { step, .. } => cursor.step(*step),
        _ => {}
    }
}

/// A setting is what it was set to, or everything is as it was; what is shown can be set again, in the quotes that some drivers send.
fn set(settings: &mut Settings, name: &str, value: Option<&str>) {
    let before = settings.all();
    let told = match settings.set(name, value) {
        Ok(told) => told,
        Err(failed) => {
            assert_eq!(settings.all(), before, "what is refused changes nothing");
            return sendable(&failed, "");
        }
    };
    let _ = (settings.time_limit(), settings.companions());
    assert!(settings.all().len() <= before.len() + 1 && settings.all().len() <= 100, "settings are few");
    let kept = settings.get(name).map(str::to_owned);
    assert!(told.is_none_or(|(name, value)| settings.get(name) == Some(&value)), "a client is told what is kept");
    if let (Some(_), Some(kept)) = (value, kept.filter(|kept| kept.len() <= 1_000)) {
        let again = settings.set(name, Some(&format!("'{kept}'")));
        assert!(again.is_ok() && settings.get(name) == Some(&kept), "{name} is {kept:?}, and then it is not");
    }
}

/// An error is a message that says what it was made of, and its place is in the text.
pub(super) fn sendable(failed: &Failed, text: &str) {
    let mut bytes = BytesMut::new();
    failed.message().encode(&mut bytes).expect("a message");
    let length = bytes.len();
    let read =
        PgWireBackendMessage::decode(&mut bytes, &DecodeContext::default()).expect("a message").expect("a whole one");
    assert!(bytes.is_empty() && length < 1_000, "an error is one short message");
    let PgWireBackendMessage::ErrorResponse(read) = read else { panic!("an error is sent as another message") };
    let parts = 4 + usize::from(failed.hint.is_some()) + usize::from(failed.detail.is_some());
    assert_eq!(read.fields.len(), parts + usize::from(failed.position.is_some()), "each part of it is there");
    assert!(failed.position.is_none_or(|position| (1..=text.chars().count() + 1).contains(&position)));
}

/// A cursor over five rows, and where it stands: 0 before the first, 6 behind the last.
struct Cursor {
    slice: Slice,
    stands: usize,
}

impl Cursor {
    fn new() -> Self {
        let column = Column { name: "n".to_owned(), type_oid: oid::INT4 };
        let rows = (1..=ROWS).map(|n| vec![Some(n.to_string())]).collect();
        Self { slice: Slice::all(Table::of_texts(vec![column], rows)), stands: 0 }
    }

    /// Gives the rows that one gives that goes row by row.
    fn step(&mut self, step: Step) {
        let end = ROWS + 1;
        let (given, stands): (Vec<usize>, usize) = match step {
            Step::To(at) => {
                let at = if at < 0 { i128::from(at) + end as i128 } else { i128::from(at) };
                let at = at.clamp(0, end as i128) as usize;
                ((1..=ROWS).filter(|row| *row == at).collect(), at)
            }
            Step::By(0) => ((1..=ROWS).filter(|row| *row == self.stands).collect(), self.stands),
            step => {
                let by = match step {
                    Step::By(by) => i128::from(by),
                    Step::All { forward: false } => -(end as i128),
                    _ => end as i128,
                };
                let to = (self.stands as i128 + by).clamp(0, end as i128) as usize;
                let mut over: Vec<usize> = (self.stands.min(to)..=self.stands.max(to)).collect();
                if by < 0 {
                    over.reverse();
                }
                (over.into_iter().filter(|row| *row != self.stands && (1..=ROWS).contains(row)).collect(), to)
            }
        };
        assert_eq!(rows_of(self.slice.step(step)), given, "{step:?} from {}", self.stands);
        self.stands = stands;
    }
}

/// The numbers in the rows that a slice gives.
fn rows_of(mut slice: Slice) -> Vec<usize> {
    let mut all = Vec::new();
    while slice.left() > 0 {
        let (mut rows, count) = slice.take(2, &Forms::default()).expect("rows");
        for _ in 0..count {
            let row = message(&mut rows, b'D');
            all.push(std::str::from_utf8(&row[6..]).expect("digits").parse().expect("a number"));
        }
    }
    all
}

/// The body of the next message, which is of this kind.
fn message(bytes: &mut BytesMut, kind: u8) -> BytesMut {
    assert_eq!(bytes.get_u8(), kind);
    let length = bytes.get_u32() as usize;
    bytes.split_to(length - 4)
}

/// Rows of COPY, read as PostgreSQL reads them, are what they were.
fn copied(format: &CopyFormat, text: &str) {
    let null = match format {
        CopyFormat::Text { null, .. } | CopyFormat::Csv { null, .. } => null.as_str(),
        CopyFormat::Binary => "",
    };
    let column = |name: &str| Column { name: name.to_owned(), type_oid: oid::TEXT };
    let columns = vec![column("a"), column(text)];
    let some = |text: &str| Some(text.to_owned());
    let rows = vec![
        vec![some(text), None],
        vec![some(""), some(null)],
        vec![some("\\."), some("a\\b\"c\r\n\td,e")],
        vec![None, None],
    ];
    let table = Table::of_texts(columns.clone(), rows.clone());
    let (body, count) = format.rows(&table, 0, 100).expect("rows");
    assert_eq!(count, rows.len());
    let mut wire = BytesMut::from(&[&format.head(&columns)[..], &body[..], &format.tail(count)[..]].concat()[..]);
    let mut bytes = Vec::new();
    while !wire.is_empty() {
        bytes.extend_from_slice(&message(&mut wire, b'd'));
    }
    let names = vec![some("a"), some(text)];
    match format {
        CopyFormat::Binary => assert_eq!(binary(&bytes), rows),
        CopyFormat::Text { delimiter, null, header } => {
            // PostgreSQL too reads as NULL what is written as NULL is, and cannot read a NULL that escapes what is behind it.
            let shown = |cell: &Option<String>| cell.clone().filter(|cell| escaped(cell, *delimiter) != *null);
            let shown = |row: &Row| row.iter().map(shown).collect::<Row>();
            if !null.replace("\\N", "").contains('\\') {
                let lines = text_lines(&bytes, *delimiter as u8, null.as_bytes());
                compare(&lines, &shown(&names), &rows.iter().map(shown).collect::<Vec<_>>(), *header);
            }
        }
        CopyFormat::Csv { delimiter, null, header, quote } => {
            let lines = csv_lines(&bytes, *delimiter as u8, *quote as u8, null.as_bytes());
            compare(&lines, &names, &rows, *header);
        }
    }
}

type Row = Vec<Option<String>>;

fn compare(lines: &[Vec<Option<Vec<u8>>>], names: &Row, rows: &[Row], header: bool) {
    let expected = header.then_some(names).into_iter().chain(rows);
    let bytes = |row: &Row| row.iter().map(|cell| cell.as_ref().map(|cell| cell.as_bytes().to_vec())).collect();
    let expected: Vec<Vec<Option<Vec<u8>>>> = expected.map(bytes).collect();
    assert_eq!(lines, expected, "rows of COPY are read as what they were");
}

fn escaped(cell: &str, delimiter: char) -> String {
    let cell = cell.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    if delimiter == '\t' { cell } else { cell.replace(delimiter, &format!("\\{delimiter}")) }
}

fn text_lines(bytes: &[u8], delimiter: u8, null: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let (mut rows, mut row, mut raw, mut cell) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == delimiter || byte == b'\n' {
            let (raw, cell) = (std::mem::take(&mut raw), std::mem::take(&mut cell));
            row.push((raw != null).then_some(cell));
            if byte == b'\n' {
                rows.push(std::mem::take(&mut row));
            }
            continue;
        }
        raw.push(byte);
        if byte != b'\\' {
            cell.push(byte);
            continue;
        }
        let escaped = bytes.next().expect("something is escaped");
        raw.push(escaped);
        cell.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            other => other,
        });
    }
    rows
}

fn csv_lines(bytes: &[u8], delimiter: u8, quote: u8, null: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), Vec::new());
    let (mut within, mut quoted) = (false, false);
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            _ if within && byte == quote => {
                if bytes.next_if_eq(&quote).is_some() {
                    cell.push(quote);
                } else {
                    within = false;
                }
            }
            _ if within => cell.push(byte),
            _ if byte == quote => (within, quoted) = (true, true),
            _ if byte == delimiter || byte == b'\n' => {
                let cell = std::mem::take(&mut cell);
                row.push((std::mem::take(&mut quoted) || cell != null).then_some(cell));
                if byte == b'\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            _ => cell.push(byte),
        }
    }
    rows
}

fn binary(bytes: &[u8]) -> Vec<Row> {
    let mut rest = bytes.strip_prefix(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0").expect("the signature");
    let mut rows = Vec::new();
    while let Ok(columns) = usize::try_from(rest.get_i16()) {
        let cell = |_| {
            let length = usize::try_from(rest.get_i32()).ok()?;
            let cell = std::str::from_utf8(&rest[..length]).expect("text").to_owned();
            rest.advance(length);
            Some(cell)
        };
        rows.push((0..columns).map(cell).collect());
    }
    assert!(rest.is_empty(), "the end is the end");
    rows
}
