//! Cells as Postgres writes them, as text or binary.
//!
//! Types are those of PostgreSQL that say the same: `text`, `bigint`, `numeric`, `date` and so on; whatever has no such type
//! is a text. A `numeric` has the digits that it needs and no zeros behind them.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::{BufMut, BytesMut};
use chrono::DateTime;

/// Numbers of types in `pg_type`; stable since the first PostgreSQL.
pub(super) mod oid {
    pub(in super::super) const BOOL: u32 = 16;
    pub(in super::super) const INT8: u32 = 20;
    pub(in super::super) const INT2: u32 = 21;
    pub(in super::super) const INT4: u32 = 23;
    pub(in super::super) const TEXT: u32 = 25;
    pub(in super::super) const FLOAT4: u32 = 700;
    pub(in super::super) const FLOAT8: u32 = 701;
    pub(in super::super) const UNKNOWN: u32 = 705;
    pub(in super::super) const DATE: u32 = 1082;
    pub(in super::super) const TIMESTAMP: u32 = 1114;
    pub(in super::super) const TIMESTAMPTZ: u32 = 1184;
    pub(in super::super) const NUMERIC: u32 = 1700;
}

/// Days and microseconds from the epoch of Unix to that of Postgres, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// The type of a column of an answer.
pub(in crate::postgres) fn type_of(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Boolean => oid::BOOL,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => oid::INT4,
        DataType::Int64 | DataType::UInt32 => oid::INT8,
        DataType::UInt64 | DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => oid::NUMERIC,
        t if t.is_floating() => oid::FLOAT8,
        DataType::Date32 => oid::DATE,
        DataType::Timestamp(_, Some(_)) => oid::TIMESTAMPTZ,
        DataType::Timestamp(_, None) => oid::TIMESTAMP,
        _ => oid::TEXT,
    }
}

/// Bytes of a type of fixed length; -1 of the others.
pub(super) fn size_of(type_oid: u32) -> i16 {
    match type_oid {
        oid::BOOL => 1,
        oid::INT2 => 2,
        oid::INT4 | oid::DATE | oid::FLOAT4 | 26 => 4,
        oid::INT8 | oid::FLOAT8 | oid::TIMESTAMP | oid::TIMESTAMPTZ => 8,
        _ => -1,
    }
}

/// How a client takes a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Binary,
}

/// A column of rows with the means to write its cells.
pub(super) struct Cells<'a> {
    array: ArrayRef,
    kind: Kind<'a>,
    text: String,
}

enum Kind<'a> {
    Bool,
    Int4,
    Int8,
    Float8,
    Date,
    Timestamp { with_zone: bool },
    Numeric { scale: u32 },
    Text(ArrayFormatter<'a>),
}

/// The same column in the type that is written: narrow numbers widened, times in microseconds.
fn widened(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Float16, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, UInt8,
        UInt16, UInt32, UInt64,
    };
    let wide = match array.data_type() {
        Int8 | Int16 | UInt8 | UInt16 => Int32,
        UInt32 => Int64,
        UInt64 => Decimal128(20, 0),
        Decimal32(precision, scale) | Decimal64(precision, scale) => Decimal128(*precision, *scale),
        Float16 | Float32 => Float64,
        Timestamp(_, zone) => Timestamp(arrow::datatypes::TimeUnit::Microsecond, zone.clone()),
        _ => return Ok(ArrayRef::clone(array)),
    };
    arrow::compute::cast(array, &wide)
}

impl<'a> Cells<'a> {
    /// The cells of a column.
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);
        let kind = match array.data_type() {
            DataType::Boolean => Kind::Bool,
            t if type_of(t) == oid::INT4 => Kind::Int4,
            t if type_of(t) == oid::INT8 => Kind::Int8,
            t if type_of(t) == oid::FLOAT8 => Kind::Float8,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(_, zone) => Kind::Timestamp { with_zone: zone.is_some() },
            DataType::UInt64 => Kind::Numeric { scale: 0 },
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
                Kind::Numeric { scale: u32::try_from(*scale).unwrap_or(0) }
            }
            _ => Kind::Text(ArrayFormatter::try_new(array, &OPTIONS)?),
        };
        let array = if matches!(kind, Kind::Text(_)) { ArrayRef::clone(array) } else { widened(array)? };
        Ok(Self { array, kind, text: String::new() })
    }

    /// Whether a cell is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || *self.array.data_type() == DataType::Null
    }

    /// The text of a cell that is not NULL.
    pub(super) fn text(&mut self, row: usize) -> Result<&str, ArrowError> {
        let Self { array, kind, text } = self;
        text.clear();
        let written = match kind {
            Kind::Bool => text.write_str(if array.as_boolean().value(row) { "t" } else { "f" }),
            Kind::Int4 => write!(text, "{}", array.as_primitive::<Int32Type>().value(row)),
            Kind::Int8 => write!(text, "{}", array.as_primitive::<Int64Type>().value(row)),
            Kind::Float8 => write_float(text, array.as_primitive::<Float64Type>().value(row)),
            Kind::Date => match array.as_primitive::<Date32Type>().value_as_date(row) {
                Some(date) => write!(text, "{date}"),
                None => Err(std::fmt::Error),
            },
            Kind::Timestamp { with_zone } => {
                write_timestamp(text, array.as_primitive::<TimestampMicrosecondType>().value(row), *with_zone)
            }
            Kind::Numeric { scale } => write_decimal(text, array.as_primitive::<Decimal128Type>().value(row), *scale),
            Kind::Text(format) => write!(text, "{}", format.value(row)),
        };
        written.map_err(|_| ArrowError::CastError("a cell cannot be written".to_owned()))?;
        Ok(text)
    }

    /// Writes a cell with its length before it; of NULL the length -1 alone.
    pub(super) fn write(&mut self, row: usize, form: Form, out: &mut BytesMut) -> Result<(), ArrowError> {
        if self.is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        if form == Form::Text || matches!(self.kind, Kind::Text(_)) {
            let text = self.text(row)?;
            out.put_i32(text.len() as i32);
            out.put_slice(text.as_bytes());
            return Ok(());
        }
        let array = &self.array;
        match self.kind {
            Kind::Bool => sized(out, &[u8::from(array.as_boolean().value(row))]),
            Kind::Int4 => sized(out, &array.as_primitive::<Int32Type>().value(row).to_be_bytes()),
            Kind::Int8 => sized(out, &array.as_primitive::<Int64Type>().value(row).to_be_bytes()),
            Kind::Float8 => sized(out, &array.as_primitive::<Float64Type>().value(row).to_be_bytes()),
            Kind::Date => {
                sized(out, &array.as_primitive::<Date32Type>().value(row).saturating_sub(EPOCH_DAYS).to_be_bytes());
            }
            Kind::Timestamp { .. } => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                sized(out, &micros.saturating_sub(EPOCH_MICROS).to_be_bytes());
            }
            Kind::Numeric { .. } => {
                let bytes = numeric(self.text(row)?);
                sized(out, &bytes);
            }
            Kind::Text(_) => {}
        }
        Ok(())
    }
}

fn sized(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

/// The shortest text that is read as the same number, as PostgreSQL writes it since 12.
fn write_float(out: &mut String, value: f64) -> std::fmt::Result {
    if value.is_nan() {
        return out.write_str("NaN");
    }
    if value.is_infinite() {
        return out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-5..1e15).contains(&magnitude) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        return write!(out, "{digits}e{sign}{exponent:0>2}");
    }
    write!(out, "{value}")
}

fn write_timestamp(out: &mut String, micros: i64, with_zone: bool) -> std::fmt::Result {
    let at = DateTime::from_timestamp_micros(micros).ok_or(std::fmt::Error)?;
    write!(out, "{}", at.format("%Y-%m-%d %H:%M:%S"))?;
    let fraction = at.timestamp_subsec_micros();
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        write!(out, ".{}", digits.trim_end_matches('0'))?;
    }
    if with_zone { out.write_str("+00") } else { Ok(()) }
}

/// A decimal without zeros at its end.
fn write_decimal(out: &mut String, value: i128, scale: u32) -> std::fmt::Result {
    let unit = 10_u128.checked_pow(scale).ok_or(std::fmt::Error)?;
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    write!(out, "{sign}{whole}")?;
    if fraction == 0 {
        return Ok(());
    }
    let digits = format!("{fraction:0>width$}", width = scale as usize);
    write!(out, ".{}", digits.trim_end_matches('0'))
}

/// The binary form of a numeric: groups of four decimal digits, the weight of the first, the sign, the digits behind the
/// point (`numeric_send` of PostgreSQL).
fn numeric(text: &str) -> Vec<u8> {
    const GROUP: usize = 4;
    let (sign, text) = text.strip_prefix('-').map_or((0_u16, text), |text| (0x4000, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let pad = whole.len().next_multiple_of(GROUP);
    let whole = format!("{whole:0>pad$}");
    let padded = fraction.len().next_multiple_of(GROUP);
    let digits = format!("{whole}{fraction:0<padded$}");
    let mut groups: Vec<u16> =
        (0..digits.len() / GROUP).map(|at| digits[at * GROUP..(at + 1) * GROUP].parse().unwrap_or(0)).collect();
    let mut weight = (whole.len() / GROUP) as i16 - 1;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= leading as i16;
    if groups.is_empty() {
        weight = 0;
    }
    let mut out = Vec::with_capacity(8 + 2 * groups.len());
    for part in [groups.len() as u16, weight as u16, sign, fraction.len() as u16].iter().chain(&groups) {
        out.extend_from_slice(&part.to_be_bytes());
    }
    out
}

/// Writes the text of a cell, whose type the client knows, in binary: for rows that are kept as text, those of the
/// catalogue. What has no binary form here is written as its text, which is the binary form of all kinds of text.
pub(super) fn write_text(text: Option<&str>, type_oid: u32, form: Form, out: &mut BytesMut) {
    let Some(text) = text else {
        out.put_i32(-1);
        return;
    };
    if form == Form::Text {
        return sized(out, text.as_bytes());
    }
    let bytes = binary(text, type_oid);
    sized(out, bytes.as_deref().unwrap_or(text.as_bytes()));
}

/// The binary form of a text of some type; none where it is the text itself.
fn binary(text: &str, type_oid: u32) -> Option<Vec<u8>> {
    Some(match type_oid {
        oid::BOOL => vec![u8::from(text.starts_with('t'))],
        oid::INT2 => text.parse::<i16>().ok()?.to_be_bytes().to_vec(),
        oid::INT4 => text.parse::<i32>().ok()?.to_be_bytes().to_vec(),
        oid::INT8 => text.parse::<i64>().ok()?.to_be_bytes().to_vec(),
        oid::FLOAT4 => text.parse::<f32>().ok()?.to_be_bytes().to_vec(),
        oid::FLOAT8 => text.parse::<f64>().ok()?.to_be_bytes().to_vec(),
        oid::NUMERIC => numeric(text),
        oid::DATE => {
            let date: chrono::NaiveDate = text.parse().ok()?;
            let days = date.signed_duration_since(chrono::NaiveDate::from_ymd_opt(2000, 1, 1)?).num_days();
            i32::try_from(days).ok()?.to_be_bytes().to_vec()
        }
        oid::TIMESTAMP | oid::TIMESTAMPTZ => micros(text)?.to_be_bytes().to_vec(),
        // oid, xid and the names of things by number
        26 | 28 | 24 | 2205 | 2206 | 4089 | 4096 => text.parse::<u32>().ok()?.to_be_bytes().to_vec(),
        // int2vector and oidvector, arrays that are written with spaces
        22 => vector(text.split_ascii_whitespace().map(Some), oid::INT2, 0)?,
        30 => vector(text.split_ascii_whitespace().map(Some), 26, 0)?,
        type_oid => {
            let element = element(type_oid)?;
            vector(elements(text)?.iter().map(Option::as_deref), element, 1)?
        }
    })
}

/// Microseconds from the epoch of Postgres to a moment in UTC, which is written with a space or a T between day and time.
fn micros(text: &str) -> Option<i64> {
    let text = text.strip_suffix("+00").or_else(|| text.strip_suffix('Z')).unwrap_or(text).replacen('T', " ", 1);
    let at = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(at.and_utc().timestamp_micros() - EPOCH_MICROS)
}

/// The type of the elements of an array.
fn element(array: u32) -> Option<u32> {
    Some(match array {
        1000 => oid::BOOL,
        1002 => 18,
        1003 => 19,
        1005 => oid::INT2,
        1007 => oid::INT4,
        1009 => oid::TEXT,
        1015 => 1043,
        1016 => oid::INT8,
        1028 => 26,
        1022 => oid::FLOAT8,
        1231 => oid::NUMERIC,
        2210 => 2205,
        2211 => 2206,
        1034 => 1033,
        _ => return None,
    })
}

/// An array of one dimension in binary (`array_send`).
fn vector<'a>(elements: impl Iterator<Item = Option<&'a str>>, element: u32, lower: i32) -> Option<Vec<u8>> {
    let elements: Vec<Option<&str>> = elements.collect();
    let mut out = BytesMut::new();
    let has_null = elements.iter().any(Option::is_none);
    out.put_i32(i32::from(!elements.is_empty()));
    out.put_i32(i32::from(has_null));
    out.put_u32(element);
    if !elements.is_empty() {
        out.put_i32(i32::try_from(elements.len()).ok()?);
        out.put_i32(lower);
    }
    for one in elements {
        write_text(one, element, Form::Binary, &mut out);
    }
    Some(out.to_vec())
}

/// The elements of an array written as `{a,"b c",NULL}`; none where it has other dimensions.
fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut found, mut chars) = (Vec::new(), inner.chars().peekable());
    while chars.peek().is_some() {
        let mut one = String::new();
        let quoted = chars.next_if_eq(&'"').is_some();
        loop {
            match chars.next() {
                None if quoted => return None,
                None => break,
                Some('\\') => one.push(chars.next()?),
                Some('"') if quoted => {
                    if chars.next().is_some_and(|next| next != ',') {
                        return None;
                    }
                    break;
                }
                Some(',') if !quoted => break,
                Some('{') if !quoted => return None,
                Some(letter) => one.push(letter),
            }
        }
        found.push((quoted || !one.eq_ignore_ascii_case("null")).then_some(one));
    }
    Some(found)
}

/// A column of an answer: its name and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) type_oid: u32,
}

impl From<&Field> for Column {
    fn from(field: &Field) -> Self {
        Self { name: field.name().clone(), type_oid: type_of(field.data_type()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, NullArray, StringArray,
        TimestampMicrosecondArray,
    };

    use super::*;

    fn texts(array: ArrayRef) -> Vec<Option<String>> {
        let mut cells = Cells::new(&array).expect("a column");
        (0..array.len()).map(|row| (!cells.is_null(row)).then(|| cells.text(row).expect("a text").to_owned())).collect()
    }

    #[allow(clippy::unnecessary_wraps, reason = "a cell that is not NULL")]
    fn said(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn cells_are_written_as_postgres_writes_them() {
        let decimals = Decimal128Array::from(vec![Some(374_000_000), Some(-1), Some(12_500_000), Some(0), None]);
        let decimals = decimals.with_precision_and_scale(38, 6).expect("a decimal");
        assert_eq!(texts(Arc::new(decimals)), [said("374"), said("-0.000001"), said("12.5"), said("0"), None]);
        assert_eq!(texts(Arc::new(BooleanArray::from(vec![true, false]))), [said("t"), said("f")]);
        let floats = Float64Array::from(vec![0.1, 1.0, f64::NAN, f64::NEG_INFINITY, 1e300, 1e-7, 123_456.75]);
        assert_eq!(texts(Arc::new(floats)), ["0.1", "1", "NaN", "-Infinity", "1e+300", "1e-07", "123456.75"].map(said));
        assert_eq!(texts(Arc::new(Date32Array::from(vec![19_723]))), [said("2024-01-01")]);
        let at = TimestampMicrosecondArray::from(vec![1_704_067_200_500_000]);
        assert_eq!(texts(Arc::new(at.clone())), [said("2024-01-01 00:00:00.5")]);
        assert_eq!(texts(Arc::new(at.with_timezone("+00:00"))), [said("2024-01-01 00:00:00.5+00")]);
        assert_eq!(
            texts(Arc::new(StringArray::from(vec![Some("پنجاب"), Some(""), None]))),
            [said("پنجاب"), said(""), None]
        );
        assert_eq!(texts(Arc::new(NullArray::new(1))), [None]);
    }

    #[test]
    fn a_binary_cell_has_its_length_before_it() {
        let write = |array: ArrayRef, row| {
            let mut out = BytesMut::new();
            Cells::new(&array).expect("a column").write(row, Form::Binary, &mut out).expect("a cell");
            out.to_vec()
        };
        assert_eq!(write(Arc::new(Int32Array::from(vec![Some(2024), None])), 0), [0, 0, 0, 4, 0, 0, 7, 232]);
        assert_eq!(write(Arc::new(Int32Array::from(vec![Some(2024), None])), 1), [255; 4]);
        assert_eq!(write(Arc::new(Date32Array::from(vec![10_958])), 0), [0, 0, 0, 4, 0, 0, 0, 1]);
        assert_eq!(write(Arc::new(StringArray::from(vec!["ab"])), 0), [0, 0, 0, 2, b'a', b'b']);
    }

    #[test]
    fn a_numeric_is_groups_of_four_digits() {
        let parts = |text: &str| -> Vec<i16> {
            numeric(text).chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
        };
        // count, weight, sign, digits behind the point, groups
        assert_eq!(parts("0"), [0, 0, 0, 0]);
        assert_eq!(parts("374"), [1, 0, 0, 0, 374]);
        assert_eq!(parts("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(parts("-12.5"), [2, 0, 0x4000, 1, 12, 5000]);
        assert_eq!(parts("0.000001"), [1, -2, 0, 6, 100]);
        assert_eq!(parts("12345678.9"), [3, 1, 0, 1, 1234, 5678, 9000]);
    }

    #[test]
    fn what_the_catalogue_keeps_as_text_is_binary_where_it_is_asked_for() {
        let write = |text, type_oid| {
            let mut out = BytesMut::new();
            write_text(Some(text), type_oid, Form::Binary, &mut out);
            out.to_vec()
        };
        assert_eq!(write("t", oid::BOOL), [0, 0, 0, 1, 1]);
        assert_eq!(write("16384", 26), [0, 0, 0, 4, 0, 0, 64, 0]);
        assert_eq!(write("pg_class", 19), [&[0, 0, 0, 8], &b"pg_class"[..]].concat());
        let one = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7];
        assert_eq!(write("{7}", 1005), [&[0, 0, 0, one.len() as u8], &one[..]].concat());
        assert_eq!(
            elements(r#"{a,"b,c",NULL,"NULL","q\"q"}"#).expect("elements"),
            [said("a"), said("b,c"), None, said("NULL"), said("q\"q")]
        );
        assert_eq!(elements("{}"), Some(vec![]));
        for odd in ["{\"", "{\\", "a", "{{1},{2}}", "{\"a\"b}"] {
            assert_eq!(elements(odd), None, "{odd}");
        }
    }
}
