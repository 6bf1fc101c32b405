//! Rows of Arrow as JSON, CSV, an Arrow stream or a Parquet file.
//!
//! Numbers keep every digit: a decimal is written exactly, without trailing zeros. Dates are ISO 8601, nulls `null` in
//! JSON and empty in CSV. What is no number of JSON (NaN, infinities) is written as a text.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use utoipa::ToSchema;

/// A column of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Column {
    /// Name; in an answer to a question it need not be unique.
    name: String,
    /// Type, named as PostgreSQL does: `text`, `bigint`, `numeric`, `double precision`, `boolean`, `date`,
    /// `timestamp with time zone`.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    kind: &'static str,
}

/// Names and types of the columns.
pub(crate) fn columns(schema: &SchemaRef) -> Vec<Column> {
    schema.fields().iter().map(|f| Column { name: f.name().clone(), kind: type_name(f.data_type()) }).collect()
}

fn type_name(of: &DataType) -> &'static str {
    match of {
        DataType::Boolean => "boolean",
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => "numeric",
        t if t.is_integer() => "bigint",
        t if t.is_floating() => "double precision",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        _ => "text",
    }
}

/// How the text of a cell is written.
#[derive(Clone, Copy, PartialEq)]
enum Written {
    /// As it is: integers, truth values.
    Bare,
    Decimal,
    Float,
    Text,
    /// Not a text in the data, though a text in JSON: dates.
    Other,
}

/// A column with the means to write its cells.
struct Cells<'a> {
    array: &'a ArrayRef,
    format: ArrayFormatter<'a>,
    written: Written,
    text: String,
}

impl<'a> Cells<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Vec<Self>, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);
        batch
            .columns()
            .iter()
            .map(|array| {
                let written = match array.data_type() {
                    DataType::Boolean => Written::Bare,
                    t if t.is_integer() => Written::Bare,
                    t if t.is_floating() => Written::Float,
                    DataType::Decimal32(..)
                    | DataType::Decimal64(..)
                    | DataType::Decimal128(..)
                    | DataType::Decimal256(..) => Written::Decimal,
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                        Written::Text
                    }
                    _ => Written::Other,
                };
                Ok(Self { array, format: ArrayFormatter::try_new(array, &OPTIONS)?, written, text: String::new() })
            })
            .collect()
    }

    /// The text of a cell; None for null.
    fn read(&mut self, row: usize) -> Result<Option<&str>, ArrowError> {
        // `is_null` of a column of type Null is false: it has no bitmap.
        if self.array.is_null(row) || *self.array.data_type() == DataType::Null {
            return Ok(None);
        }
        self.text.clear();
        write!(self.text, "{}", self.format.value(row)).map_err(|_| ArrowError::CastError("a cell".into()))?;
        Ok(Some(match self.written {
            Written::Decimal => without_trailing_zeros(&self.text),
            Written::Float => match self.text.as_str() {
                "inf" => "Infinity",
                "-inf" => "-Infinity",
                finite => finite,
            },
            _ => &self.text,
        }))
    }
}

/// Every cell of a column as it is written; None for null.
pub(crate) fn texts(batch: &RecordBatch, column: &str) -> Result<Vec<Option<String>>, ArrowError> {
    let at = batch.schema().index_of(column)?;
    let its = batch.project(&[at])?;
    let mut cells = Cells::of(&its)?;
    let cell = cells.first_mut().ok_or_else(|| ArrowError::SchemaError(column.to_owned()))?;
    (0..batch.num_rows()).map(|row| Ok(cell.read(row)?.map(str::to_owned))).collect()
}

fn without_trailing_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

/// The rows of a batch as arrays of JSON, with a comma before each; the first of all without.
pub(crate) fn json_rows(out: &mut Vec<u8>, batch: &RecordBatch, first: &mut bool) -> Result<(), ArrowError> {
    let mut cells = Cells::of(batch)?;
    for row in 0..batch.num_rows() {
        out.extend_from_slice(if std::mem::take(first) { b"\n[" } else { b",\n[" });
        for (at, cell) in cells.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            json_cell(out, cell, row)?;
        }
        out.push(b']');
    }
    Ok(())
}

fn json_cell(out: &mut Vec<u8>, cell: &mut Cells<'_>, row: usize) -> Result<(), ArrowError> {
    let written = cell.written;
    let Some(text) = cell.read(row)? else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let bare = match written {
        Written::Bare | Written::Decimal => true,
        Written::Float => text.ends_with(|c: char| c.is_ascii_digit()),
        Written::Text | Written::Other => false,
    };
    if bare {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    serde_json::to_writer(out, text).map_err(|e| ArrowError::JsonError(e.to_string()))
}

/// The header line of CSV: RFC 4180 with line feeds.
pub(crate) fn csv_header(out: &mut Vec<u8>, schema: &SchemaRef) {
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        csv_text(out, field.name());
    }
    out.push(b'\n');
}

/// The rows of a batch as lines of CSV.
pub(crate) fn csv_rows(out: &mut Vec<u8>, batch: &RecordBatch) -> Result<(), ArrowError> {
    let alone = batch.num_columns() == 1;
    let mut cells = Cells::of(batch)?;
    for row in 0..batch.num_rows() {
        for (at, cell) in cells.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let text = matches!(cell.written, Written::Text | Written::Other);
            match cell.read(row)? {
                // A line of nothing is no row to most readers.
                None if alone => out.extend_from_slice(b"\"\""),
                None => {}
                Some(value) if text => csv_text(out, value),
                Some(value) => out.extend_from_slice(value.as_bytes()),
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

/// A text of CSV. An empty one is quoted, so that it is not a null; one that a spreadsheet would compute is kept a text by
/// an apostrophe (OWASP, CSV injection).
pub(crate) fn csv_text(out: &mut Vec<u8>, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !(text.is_empty() || formula || text.contains(['"', ',', '\n', '\r'])) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, NullArray, StringArray,
        TimestampMicrosecondArray,
    };

    use super::*;

    fn batch() -> RecordBatch {
        let decimals = [Some(12_500_000), Some(-1), Some(0), Some(3_000_000), None];
        let decimals = Decimal128Array::from_iter(decimals).with_precision_and_scale(38, 6).expect("a decimal");
        let floats = [Some(0.1), Some(f64::NAN), Some(f64::NEG_INFINITY), Some(1e300), None];
        let texts = [Some("a,b"), Some("say \"x\""), Some(""), Some("=1+1"), None];
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("d", Arc::new(decimals)),
            ("f", Arc::new(Float64Array::from_iter(floats))),
            ("t", Arc::new(StringArray::from_iter(texts))),
            ("i", Arc::new(Int64Array::from_iter([Some(i64::MAX), Some(-1), Some(0), Some(1), None]))),
            ("b", Arc::new(BooleanArray::from_iter([Some(true), Some(false), None, None, None]))),
            ("day", Arc::new(Date32Array::from_iter([Some(20_088), Some(0), None, None, None]))),
            (
                "at",
                Arc::new(
                    TimestampMicrosecondArray::from_iter([Some(0), None, None, None, None]).with_timezone("+00:00"),
                ),
            ),
            ("n", Arc::new(NullArray::new(5))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).expect("a batch")
    }

    #[test]
    fn cells_are_exact_in_json() {
        let mut out = b"[".to_vec();
        json_rows(&mut out, &batch(), &mut true).expect("rows");
        out.push(b']');
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines[0], r#"[12.5,0.1,"a,b",9223372036854775807,true,"2024-12-31","1970-01-01T00:00:00Z",null],"#);
        assert_eq!(lines[1], r#"[-0.000001,"NaN","say \"x\"",-1,false,"1970-01-01",null,null],"#);
        assert!(lines[2].starts_with(r#"[0,"-Infinity","","#), "{}", lines[2]);
        assert!(lines[3].starts_with("[3,1e300,"), "{}", lines[3]);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    }

    #[test]
    fn cells_are_exact_in_csv_and_no_text_is_a_formula() {
        let mut out = Vec::new();
        csv_rows(&mut out, &batch()).expect("rows");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "12.5,0.1,\"a,b\",9223372036854775807,true,2024-12-31,1970-01-01T00:00:00Z,");
        assert!(lines[1].starts_with("-0.000001,NaN,\"say \"\"x\"\"\",-1,false"), "{}", lines[1]);
        assert!(lines[2].starts_with("0,-Infinity,\"\",0,,"), "{}", lines[2]);
        assert!(lines[3].starts_with("3,1e300,\"'=1+1\",1"), "{}", lines[3]);
        assert_eq!(lines[4], ",,,,,,,");
        let mut alone = Vec::new();
        csv_rows(&mut alone, &batch().project(&[0]).expect("a column")).expect("rows");
        assert!(alone.ends_with(b"\n\"\"\n"), "a row of one null is a row");
    }
}
