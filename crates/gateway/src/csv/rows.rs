//! Rows of a CSV file become events: structured CloudEvents, judged afterwards by the same decoder as every other event.
//!
//! A value that the mapping does not list goes into the event as it is, so that the contract refuses it by name and the
//! row is set aside whole; nothing is guessed and nothing is dropped here.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use events::calendar;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::mapping::{Mapping, Source, TimeForm};

/// Identity of a file: BLAKE3 of its bytes.
pub type FileHash = blake3::Hash;

/// One row as an event.
pub struct Row {
    /// Position in the file, from 0; the offset in the file's stream.
    pub ordinal: i64,
    /// Whose stream it goes to; an agency that the mapping does not know goes to the first and is set aside there.
    pub agency: String,
    /// Line of the file, from 1.
    pub line: u64,
    /// The structured CloudEvent.
    pub json: String,
    /// Record id: key of the message.
    pub record_id: String,
    /// When the agency recorded it, milliseconds since 1970 UTC; stands for the log's time too.
    pub time_ms: i64,
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The CSV itself is broken. The text names line and cause, never a value.
    #[error("line {line}: {what}")]
    Csv {
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The time column has another form than the mapping says.
    #[error("line {line}, column {column:?}: not {expected}")]
    Time {
        /// Line of the file, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What the mapping says stands there.
        expected: &'static str,
    },
    /// The time lies in the future. The log's time of a row is the row's own, so nobody after this could tell.
    #[error("line {line}, column {column:?}: lies after the end of {until}; check the year")]
    Future {
        /// Line of the file, from 1.
        line: u64,
        /// The column.
        column: String,
        /// `this year` or `today`.
        until: &'static str,
    },
    /// A key column's cell is empty.
    #[error("line {line}, column {column:?}: the key is empty, so the row cannot be told from others")]
    EmptyKey {
        /// Line of the file, from 1.
        line: u64,
        /// The column.
        column: String,
    },
}

/// Reads rows, in order, as events.
pub struct Rows<'m, R: Read> {
    mapping: &'m Mapping,
    file: FileHash,
    token_key: [u8; 32],
    reader: csv::Reader<Watched<R>>,
    ends: LineEnds,
    columns: BTreeMap<String, usize>,
    record: csv::StringRecord,
    next: i64,
}

impl<'m, R: Read> Rows<'m, R> {
    /// Opens a file whose header was checked. `token_key` makes ids and tokens of rows.
    pub fn new(mapping: &'m Mapping, file: FileHash, token_key: [u8; 32], input: R) -> Result<Self, RowError> {
        let ends = LineEnds::default();
        let mut reader = reader(Watched { input, ends: ends.clone() });
        let header = header(&mut reader)?;
        let columns = header.into_iter().enumerate().map(|(index, name)| (name, index)).collect();
        Ok(Self { mapping, file, token_key, reader, ends, columns, record: csv::StringRecord::new(), next: 0 })
    }

    /// The next row with the loss rules that apply to it (indices into `mapping.lossy`); `None` at the end.
    pub fn next_row(&mut self) -> Option<Result<(Row, Vec<usize>), RowError>> {
        let mut record = std::mem::take(&mut self.record);
        let read = match self.reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => Some(self.row(&record)),
            Err(error) => Some(Err(csv_error(&error, self.ends.late()))),
        };
        self.record = record;
        read
    }

    /// The cells of the row that was read last; those of a row that is broken as CSV as far as they could be read.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        self.record.iter()
    }

    fn row(&mut self, record: &csv::StringRecord) -> Result<(Row, Vec<usize>), RowError> {
        let line = record.position().map_or(0, csv::Position::line) + self.ends.late();
        let ordinal = self.next;
        self.next += 1;
        let cell = |name: &str| self.columns.get(name).and_then(|index| record.get(*index)).map_or("", str::trim);
        let agency = text(&self.mapping.agency, cell);
        let (time, time_ms) =
            time(cell(&self.mapping.time.column), self.mapping.time.form).ok_or_else(|| RowError::Time {
                line,
                column: self.mapping.time.column.clone(),
                expected: expected(self.mapping.time.form),
            })?;
        let identity =
            self.identity(&agency, ordinal, self.mapping.key.as_deref().map(|column| (column, cell(column))), line)?;
        let record_id = format!("{agency}/{}", identity.record);
        let mut data = Map::new();
        data.insert("record_version".into(), json!(1));
        data.insert("person".into(), person(self.mapping, cell, &identity.token));
        for (name, source) in &self.mapping.fields {
            if let Some(value) = field(source, cell) {
                data.insert(name.clone(), value);
            }
        }
        if !events::EventType::from_name(&format!("pk.tip.{}", self.mapping.event))
            .is_some_and(events::EventType::names_a_person)
        {
            data.remove("person");
        }
        let mut event = json!({
            "specversion": "1.0", "id": identity.id.to_string(), "source": format!("urn:pk:tip:{agency}"),
            "type": format!("pk.tip.{}", self.mapping.event), "subject": record_id, "time": time,
            "datacontenttype": "application/json", "data": data,
        });
        if let Some(kind) = events::EventType::from_name(&format!("pk.tip.{}", self.mapping.event)) {
            event["dataschema"] = json!(kind.dataschema(kind.newest()));
        }
        if self.mapping.synthetic {
            event["synthetic"] = json!("true");
        }
        let losses = self
            .mapping
            .lossy
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.when.iter().all(|(column, value)| cell(column) == value));
        let losses = losses.map(|(index, _)| index).collect();
        let home =
            if self.mapping.agencies().contains(&agency) { agency } else { self.mapping.agencies().swap_remove(0) };
        Ok((Row { ordinal, line, agency: home, json: event.to_string(), record_id, time_ms }, losses))
    }

    /// Id, record and token of a row: of (agency, event type, key column, key) where the mapping names a key column, so that a changed copy of the file is
    /// recognised; else of (file, position), because equal rows are different persons.
    fn identity(&self, agency: &str, ordinal: i64, key: Option<(&str, &str)>, line: u64) -> Result<Identity, RowError> {
        let mut hasher = blake3::Hasher::new_keyed(&self.token_key);
        match key {
            Some((column, "")) => return Err(RowError::EmptyKey { line, column: column.to_owned() }),
            // Two files may be keyed by the same column: the same key in an event of another type is another event.
            Some((column, key)) => {
                hasher.update(b"import key\0");
                for part in [agency, &self.mapping.event, column, key] {
                    hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
                }
                &mut hasher
            }
            None => hasher.update(b"import row\0").update(self.file.as_bytes()).update(&ordinal.to_le_bytes()),
        };
        let mut bytes = [0; 72];
        hasher.finalize_xof().fill(&mut bytes);
        let id: [u8; 16] = bytes[..16].try_into().expect("16 of 72 bytes");
        Ok(Identity {
            id: uuid::Builder::from_custom_bytes(id).into_uuid(),
            token: opaque(&bytes[16..44]),
            record: opaque(&bytes[44..]),
        })
    }
}

struct Identity {
    id: Uuid,
    token: String,
    /// Not the token: the record's id is stored in clear.
    record: String,
}

/// Writes bytes in the alphabet of tokens (no vowels, no `l`), behind four letters, so that the form always holds.
fn opaque(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 30] = b"0123456789bcdfghjkmnpqrstvwxyz";
    let tail = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    "rcrd".chars().chain(tail).collect()
}

fn text<'r>(source: &Source, cell: impl Fn(&str) -> &'r str) -> String {
    let raw = source
        .column
        .as_deref()
        .map_or_else(|| source.constant.clone().unwrap_or_default(), |column| cell(column).to_owned());
    source.values.get(&raw).and_then(|codes| codes.iter().next().map(str::to_owned)).unwrap_or(raw)
}

/// The tokens of a row in the order of their kinds; of a row without any, the token of the row itself.
fn person<'r>(mapping: &Mapping, cell: impl Fn(&str) -> &'r str, row: &str) -> Value {
    let token = |kind: &str, token: &str| json!({ "kind": kind, "token": token });
    let tokens = mapping.tokens().map(|(kind, column)| (kind, cell(column))).filter(|(_, token)| !token.is_empty());
    let tokens: Vec<Value> = tokens.map(|(kind, text)| token(kind.as_str(), text)).collect();
    if tokens.is_empty() { json!([token("record", row)]) } else { Value::Array(tokens) }
}

/// The JSON value of a field; `None` leaves it out (an empty cell, or a value that the mapping maps to no code).
fn field<'r>(source: &Source, cell: impl Fn(&str) -> &'r str) -> Option<Value> {
    let raw = source
        .column
        .as_deref()
        .map_or_else(|| source.constant.clone().unwrap_or_default(), |column| cell(column).to_owned());
    let codes: Vec<String> = match source.values.get(&raw) {
        Some(codes) => codes.iter().map(str::to_owned).collect(),
        None if raw.is_empty() => return None,
        None => vec![raw],
    };
    if codes.is_empty() {
        return None;
    }
    if source.list {
        return Some(json!(codes));
    }
    let code = codes.into_iter().next().expect("not empty, by the line above");
    Some(if source.number {
        code.parse::<i64>().map_or_else(|_| json!(code), |number| json!(number))
    } else {
        json!(code)
    })
}

fn expected(form: TimeForm) -> &'static str {
    match form {
        TimeForm::Year => "a year such as 2012",
        TimeForm::Date => "a date such as 2012-03-09",
        TimeForm::Rfc3339 => "a time such as 2012-03-09T10:00:00+05:00",
    }
}

/// RFC 3339 text and milliseconds since 1970 UTC. Days end at midnight in Asia/Karachi (UTC+5, no daylight saving).
fn time(cell: &str, form: TimeForm) -> Option<(String, i64)> {
    let date = match form {
        TimeForm::Year => format!("{:04}-12-31", cell.parse::<u16>().ok()?),
        TimeForm::Date => cell.to_owned(),
        TimeForm::Rfc3339 => {
            let parsed = chrono::DateTime::parse_from_rfc3339(cell).ok()?;
            return Some((cell.to_owned(), parsed.timestamp_millis()));
        }
    };
    let text = format!("{date}T23:59:59+05:00");
    let parsed = chrono::DateTime::parse_from_rfc3339(&text).ok()?;
    Some((text, parsed.timestamp_millis()))
}

/// Refuses a row whose time lies after the year or day of `now_ms` in Asia/Karachi, whichever the column's form says.
pub fn check_time(mapping: &Mapping, row: &Row, now_ms: i64) -> Result<(), RowError> {
    let today = calendar::karachi_day(now_ms.saturating_mul(1000));
    let (until, end) = match mapping.time.form {
        TimeForm::Year => ("this year", calendar::days_from_civil(calendar::year(today) + 1, 1, 1)),
        TimeForm::Date | TimeForm::Rfc3339 => ("today", today + 1),
    };
    if row.time_ms.saturating_mul(1000) < calendar::karachi_midnight(end) {
        return Ok(());
    }
    Err(RowError::Future { line: row.line, column: mapping.time.column.clone(), until })
}

/// A CSV reader that takes a BOM, CRLF, quotes and any UTF-8, and refuses rows of another width.
pub fn reader<R: Read>(input: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new().has_headers(true).flexible(false).from_reader(input)
}

/// The header, trimmed, without a BOM.
pub fn header<R: Read>(reader: &mut csv::Reader<R>) -> Result<Vec<String>, RowError> {
    let record = reader.headers().map_err(|error| csv_error(&error, 0))?;
    Ok(record.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect())
}

/// How the lines of a file end, found out at the first of them.
#[derive(Clone, Default)]
struct LineEnds(Arc<AtomicU8>);

impl LineEnds {
    const UNKNOWN: u8 = 0;
    const BY_CRLF: u8 = 2;

    /// By how much the reader's numbers of lines are too small: it looks where it is before it has read the second of two characters
    /// at which the line before ends.
    fn late(&self) -> u64 {
        u64::from(self.0.load(Ordering::Relaxed) == Self::BY_CRLF)
    }
}

/// A file that is watched for how its lines end.
struct Watched<R> {
    input: R,
    ends: LineEnds,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(into)?;
        if self.ends.0.load(Ordering::Relaxed) == LineEnds::UNKNOWN
            && let Some(end) = into[..count].iter().position(|byte| *byte == b'\n')
        {
            // A header whose two last characters come in two reads is longer than any header.
            let by_crlf = end > 0 && into[end - 1] == b'\r';
            self.ends.0.store(if by_crlf { LineEnds::BY_CRLF } else { 1 }, Ordering::Relaxed);
        }
        Ok(count)
    }
}

fn csv_error(error: &csv::Error, late: u64) -> RowError {
    let line = error.position().map_or(1, |position| position.line() + late);
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8 CSV",
        csv::ErrorKind::UnequalLengths { .. } => {
            "has another number of cells than the header; look for a missing or unquoted separator"
        }
        csv::ErrorKind::Io(_) => "cannot be read from the disk",
        _ => "is not CSV",
    };
    RowError::Csv { line, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = "title = 't'\nevent = 'victim.identified'\nagency = { column = 'from', values = { H = 'HLP-X', C = 'IOM' } }\ntime = { column = 'year', form = 'year' }\n[fields]\noccurred_on = { column = 'year' }\nsex = { column = 'gender', values = { 'عورت' = 'F' } }\nexploitation = { column = 'kind', list = true, values = { none = [] } }\n";

    fn read(csv: &str) -> Vec<Result<(Row, Vec<usize>), RowError>> {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let mut rows = Rows::new(&mapping, blake3::hash(csv.as_bytes()), [7; 32], csv.as_bytes()).unwrap();
        std::iter::from_fn(|| rows.next_row()).collect()
    }

    #[test]
    fn bom_crlf_quotes_and_urdu_are_read() {
        let rows = read("\u{feff}year,from,gender,kind\r\n2012,H,\"عورت\",\"sexual\"\r\n");
        let (row, _) = rows[0].as_ref().unwrap();
        assert_eq!(row.agency, "HLP-X");
        let event: Value = serde_json::from_str(&row.json).unwrap();
        assert_eq!(event["data"]["sex"], "F");
        assert_eq!(event["data"]["exploitation"], json!(["sexual"]));
        assert_eq!(event["time"], "2012-12-31T23:59:59+05:00");
    }

    #[test]
    fn a_person_is_her_tokens_where_the_row_has_some_and_else_the_row() {
        let tokens = "[person]\nphonetic = 'c'\ndocument = 'b'\n";
        let changes = [("[fields]", &*format!("{tokens}[fields]"))];
        let event = first("year,from,gender,kind,b,c\n2012,C,F,x,tkdc0wvphf0sgz06,tkph04w905vj2j41\n", &changes);
        let token = |kind: &str, token: &str| json!({ "kind": kind, "token": token });
        let both = json!([token("document", "tkdc0wvphf0sgz06"), token("phonetic", "tkph04w905vj2j41")]);
        assert_eq!(event["data"]["person"], both);
        let event = first("year,from,gender,kind,b,c\n2012,C,F,x,,\n", &changes);
        assert_eq!(event["data"]["person"][0]["kind"], "record");
    }

    /// The first row by a mapping of `MAPPING` with these replacements.
    fn first(csv: &str, changes: &[(&str, &str)]) -> Value {
        let mut text = MAPPING.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let mapping = Mapping::parse(&text).unwrap();
        let mut rows = Rows::new(&mapping, blake3::hash(b"any"), [7; 32], csv.as_bytes()).unwrap();
        serde_json::from_str(&rows.next_row().unwrap().ok().unwrap().0.json).unwrap()
    }

    #[test]
    fn the_same_key_in_events_of_other_types_or_of_other_columns_is_not_the_same_event() {
        let keyed = ("title = 't'", "title = 't'\nkey = 'kind'");
        let csv = "year,from,gender,kind\n2012,H,sexual,sexual\n";
        let one = first(csv, &[keyed]);
        assert_eq!(one["id"], first(csv, &[keyed])["id"]);
        assert_ne!(one["id"], first(csv, &[keyed, ("victim.identified", "victim.returned")])["id"]);
        assert_ne!(one["id"], first(csv, &[("title = 't'", "title = 't'\nkey = 'gender'")])["id"]);
    }

    #[test]
    fn a_record_id_does_not_hold_the_token() {
        let event = first("year,from,gender,kind\n2012,H,F,sexual\n", &[]);
        let token = event["data"]["person"][0]["token"].as_str().unwrap();
        assert!(!event["subject"].as_str().unwrap().contains(token));
    }

    #[test]
    fn a_row_is_synthetic_only_where_the_mapping_says_so() {
        let csv = "year,from,gender,kind\n2012,H,F,sexual\n";
        assert!(first(csv, &[]).get("synthetic").is_none());
        assert_eq!(first(csv, &[("title = 't'", "title = 't'\nsynthetic = true")])["synthetic"], "true");
    }

    #[test]
    fn a_time_after_this_year_or_day_names_line_and_column_and_no_value() {
        let now_ms = 1_709_967_600_000; // 9 March 2024 in Karachi
        let checked = |csv: &str, form: &str| {
            let mapping = Mapping::parse(&MAPPING.replace("form = 'year'", form)).unwrap();
            let mut rows = Rows::new(&mapping, blake3::hash(b"any"), [7; 32], csv.as_bytes()).unwrap();
            let (row, _) = rows.next_row().unwrap().ok().unwrap();
            check_time(&mapping, &row, now_ms).map_err(|error| error.to_string())
        };
        let of = |time: &str| format!("year,from,gender,kind\n{time},H,F,sexual\n");
        assert_eq!(checked(&of("2024"), "form = 'year'"), Ok(()), "it runs");
        let error = checked(&of("2025"), "form = 'year'").unwrap_err();
        assert_eq!(error, "line 2, column \"year\": lies after the end of this year; check the year");
        assert_eq!(checked(&of("2024-03-09"), "form = 'date'"), Ok(()));
        assert!(checked(&of("2024-03-10"), "form = 'date'").unwrap_err().contains("today"));
    }

    #[test]
    fn equal_rows_are_different_records_and_the_same_file_gives_the_same_ids() {
        let text = "year,from,gender,kind\n2012,H,F,sexual\n2012,H,F,sexual\n";
        let (first, second) = (read(text), read(text));
        let id = |rows: &[Result<(Row, Vec<usize>), RowError>], index: usize| {
            rows[index].as_ref().unwrap().0.record_id.clone()
        };
        assert_ne!(id(&first, 0), id(&first, 1));
        assert_eq!(id(&first, 1), id(&second, 1));
    }

    #[test]
    fn a_row_that_is_wrong_names_its_line_however_lines_end() {
        for end in ["\n", "\r\n"] {
            let lines = ["year,gender,kind,from", "2012,F,labour,H", "soon,F,labour,H", "2012,F,H", "2013,F,labour,H"];
            let rows = read(&(lines.join(end) + end));
            let wrong: Vec<String> =
                rows.iter().filter_map(|row| row.as_ref().err().map(ToString::to_string)).collect();
            assert!(
                wrong.len() == 2 && wrong[0].contains("line 3") && wrong[1].contains("line 4"),
                "{end:?}: {wrong:?}"
            );
            assert_eq!(rows[3].as_ref().unwrap().0.line, 5, "{end:?}");
        }
    }

    #[test]
    fn a_row_of_another_width_names_its_line() {
        let rows = read("year,from,gender,kind\n2012,H,F,sexual\n2012,H,F\n");
        assert_eq!(
            rows[1].as_ref().err().unwrap().to_string(),
            "line 3: has another number of cells than the header; look for a missing or unquoted separator"
        );
    }

    #[test]
    fn a_time_of_another_form_names_line_and_column_and_no_value() {
        let error = read("year,from,gender,kind\nlast year,H,F,sexual\n").remove(0).err().unwrap().to_string();
        assert_eq!(error, "line 2, column \"year\": not a year such as 2012");
    }

    #[test]
    fn a_value_mapped_to_no_code_leaves_the_field_out() {
        let rows = read("year,from,gender,kind\n2012,C,F,none\n");
        let event: Value = serde_json::from_str(&rows[0].as_ref().unwrap().0.json).unwrap();
        assert!(event["data"].get("exploitation").is_none());
    }
}
