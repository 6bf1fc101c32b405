//! Rows as COPY … TO STDOUT writes them: text, CSV and binary (PostgreSQL documentation, COPY).

use arrow::error::ArrowError;
use bytes::{BufMut, BytesMut};

use super::cells::Column;
use super::statement::CopyFormat;
use super::table::{Forms, Table, message};

/// What binary rows begin with: the signature, no flags, no extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

impl CopyFormat {
    /// In which form cells are asked for.
    pub(super) fn forms(&self) -> Forms {
        if *self == CopyFormat::Binary { Forms::all_binary() } else { Forms::default() }
    }

    /// What stands before the rows.
    pub(super) fn head(&self, columns: &[Column]) -> BytesMut {
        let mut out = BytesMut::new();
        let names = || columns.iter().map(|column| Some(column.name.as_bytes()));
        match self {
            CopyFormat::Text { header: true, .. } | CopyFormat::Csv { header: true, .. } => {
                message(&mut out, |out| self.line(names(), out));
            }
            CopyFormat::Text { .. } | CopyFormat::Csv { .. } | CopyFormat::Binary => {}
        }
        out
    }

    /// What stands behind so many rows.
    pub(super) fn tail(&self, rows: usize) -> BytesMut {
        let mut out = BytesMut::new();
        if *self == CopyFormat::Binary {
            message(&mut out, |out| {
                if rows == 0 {
                    out.put_slice(SIGNATURE);
                }
                out.put_i16(-1);
            });
        }
        out
    }

    /// Some rows of a table, each a message, and how many.
    pub(super) fn rows(&self, table: &Table, from: usize, most: usize) -> Result<(BytesMut, usize), ArrowError> {
        let columns = table.columns.len();
        let mut is_first = from == 0;
        let line = |cells: &[u8], out: &mut BytesMut| {
            if *self == CopyFormat::Binary {
                // As PostgreSQL does: clients look for it before the first row, in the same message.
                if std::mem::take(&mut is_first) {
                    out.put_slice(SIGNATURE);
                }
                out.put_i16(columns as i16);
                out.put_slice(cells);
            } else {
                self.line(Sized(cells), out);
            }
        };
        table.copy_rows(from, most, line, &self.forms())
    }

    fn line<'a>(&self, cells: impl Iterator<Item = Option<&'a [u8]>>, out: &mut BytesMut) {
        for (at, cell) in cells.enumerate() {
            match self {
                CopyFormat::Text { delimiter, null, .. } => {
                    if at > 0 {
                        out.put_u8(*delimiter as u8);
                    }
                    match cell {
                        None => out.put_slice(null.as_bytes()),
                        Some(cell) => escaped(cell, *delimiter as u8, out),
                    }
                }
                CopyFormat::Csv { delimiter, null, quote, .. } => {
                    if at > 0 {
                        out.put_u8(*delimiter as u8);
                    }
                    match cell {
                        None => out.put_slice(null.as_bytes()),
                        Some(cell) => quoted(cell, (*delimiter as u8, *quote as u8), null.as_bytes(), out),
                    }
                }
                CopyFormat::Binary => {}
            }
        }
        out.put_u8(b'\n');
    }
}

/// Cells with their lengths before them.
struct Sized<'a>(&'a [u8]);

impl<'a> Iterator for Sized<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (cell, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(cell))
    }
}

fn escaped(cell: &[u8], delimiter: u8, out: &mut BytesMut) {
    for &byte in cell {
        match byte {
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            byte if byte == delimiter => out.put_slice(&[b'\\', byte]),
            byte => out.put_u8(byte),
        }
    }
}

/// A cell of CSV: in quotes where it would be read as something else, an empty text and one that looks like NULL too.
fn quoted(cell: &[u8], (delimiter, quote): (u8, u8), null: &[u8], out: &mut BytesMut) {
    let plain =
        cell != null && !cell.iter().any(|byte| [delimiter, quote, b'\n', b'\r'].contains(byte)) && cell != b"\\.";
    if plain {
        return out.put_slice(cell);
    }
    out.put_u8(quote);
    for &byte in cell {
        if byte == quote {
            out.put_u8(quote);
        }
        out.put_u8(byte);
    }
    out.put_u8(quote);
}

#[cfg(test)]
mod tests {
    use super::super::cells::oid;
    use super::*;

    fn table() -> Table {
        let column = |name: &str, type_oid| Column { name: name.to_owned(), type_oid };
        let rows = [["a\tb", "1"], ["say \"x\", y", "2"], ["", "3"]];
        let mut rows: Vec<Vec<Option<String>>> =
            rows.iter().map(|row| row.iter().map(|text| Some((*text).to_owned())).collect()).collect();
        rows.push(vec![None, None]);
        Table::of_texts(vec![column("text", oid::TEXT), column("number", oid::INT4)], rows)
    }

    /// The bodies of the messages that come out.
    fn bodies(format: &CopyFormat) -> Vec<u8> {
        let table = table();
        let (rows, count) = format.rows(&table, 0, 100).expect("rows");
        assert_eq!(count, 4);
        let all = [&format.head(&table.columns)[..], &rows[..], &format.tail(count)[..]].concat();
        let (mut out, mut rest) = (Vec::new(), &all[..]);
        while !rest.is_empty() {
            assert_eq!(rest[0], b'd');
            let length = i32::from_be_bytes(rest[1..5].try_into().expect("four")) as usize;
            out.extend_from_slice(&rest[5..=length]);
            rest = &rest[length + 1..];
        }
        out
    }

    #[test]
    fn text_escapes_what_would_be_read_as_something_else() {
        let format = CopyFormat::Text { delimiter: '\t', null: "\\N".to_owned(), header: false };
        assert_eq!(String::from_utf8(bodies(&format)).expect("UTF-8"), "a\\tb\t1\nsay \"x\", y\t2\n\t3\n\\N\t\\N\n");
    }

    #[test]
    fn csv_quotes_an_empty_text_so_that_it_is_not_null() {
        let format = CopyFormat::Csv { delimiter: ',', null: String::new(), header: true, quote: '"' };
        let text = String::from_utf8(bodies(&format)).expect("UTF-8");
        assert_eq!(text, "text,number\na\tb,1\n\"say \"\"x\"\", y\",2\n\"\",3\n,\n");
    }

    #[test]
    fn binary_has_its_signature_its_rows_and_its_end() {
        let bytes = bodies(&CopyFormat::Binary);
        assert!(bytes.starts_with(SIGNATURE));
        let rows = &bytes[SIGNATURE.len()..];
        assert!(rows.starts_with(&[0, 2, 0, 0, 0, 3, b'a', b'\t', b'b', 0, 0, 0, 4, 0, 0, 0, 1]));
        assert!(rows.ends_with(&[0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]));
    }
}
