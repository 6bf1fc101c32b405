//! Values of `$1`, `$2`, … as a client sends them, text or binary, by the type that it or the question gives them.

use chrono::{DateTime, Days, NaiveDate};
use query::Param;

use super::cells::oid;
use super::errors::Failed;

/// Reads a value. `given` is the type that the client named, `inferred` what the question says of the place.
pub(super) fn read(bytes: Option<&[u8]>, is_binary: bool, given: u32, inferred: u32) -> Result<Param, Failed> {
    let Some(bytes) = bytes else { return Ok(Param::Null) };
    let is_given = given != 0 && given != oid::UNKNOWN;
    let type_oid = if is_given { given } else { inferred };
    if is_binary {
        return binary(bytes, type_oid).ok_or_else(|| unreadable(type_oid));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Failed::new("22021", "A value is not UTF-8."))?;
    parse(text, type_oid).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Failed::new("22P02", format!("\"{shown}\" is no {}.", name(type_oid)))
    })
}

fn unreadable(type_oid: u32) -> Failed {
    Failed::new("0A000", format!("A value of the type number {type_oid} cannot be read in binary."))
        .hint("Send it as text, or as a text, number, truth value, date or timestamp.")
}

/// The name of a type, for an error.
fn name(type_oid: u32) -> &'static str {
    match type_oid {
        oid::BOOL => "boolean",
        oid::INT2 | oid::INT4 | oid::INT8 => "whole number",
        _ => "number",
    }
}

/// A value written as text.
pub(super) fn parse(text: &str, type_oid: u32) -> Option<Param> {
    Some(match type_oid {
        oid::BOOL => Param::Bool(match text.trim().to_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => true,
            "f" | "false" | "n" | "no" | "off" | "0" => false,
            _ => return None,
        }),
        oid::INT2 | oid::INT4 | oid::INT8 => Param::Number(text.trim().parse::<i64>().ok()?.into()),
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => number(text.trim())?,
        _ => Param::Text(text.to_owned()),
    })
}

/// A number as it is written, in the grammar of JSON.
fn number(text: &str) -> Option<Param> {
    let written = text.strip_prefix('+').unwrap_or(text);
    let written =
        if let Some(fraction) = written.strip_prefix('.') { format!("0.{fraction}") } else { written.to_owned() };
    serde_json::from_str::<serde_json::Number>(&written).ok().map(Param::Number)
}

/// Drivers send lists for `= ANY($1)`; an array names the type of its elements.
fn binary(bytes: &[u8], type_oid: u32) -> Option<Param> {
    scalar(bytes, type_oid).or_else(|| if is_scalar(type_oid) { None } else { array(bytes).map(Param::Text) })
}

fn is_scalar(type_oid: u32) -> bool {
    const NUMBERS: [u32; 7] = [oid::BOOL, oid::INT2, oid::INT4, oid::INT8, oid::FLOAT4, oid::FLOAT8, oid::NUMERIC];
    const OTHERS: [u32; 4] = [oid::TEXT, oid::DATE, oid::TIMESTAMP, oid::TIMESTAMPTZ];
    NUMBERS.contains(&type_oid) || OTHERS.contains(&type_oid)
}

fn scalar(bytes: &[u8], type_oid: u32) -> Option<Param> {
    Some(match type_oid {
        oid::BOOL => Param::Bool(*bytes.first()? != 0),
        oid::INT2 => Param::Number(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        oid::INT4 => Param::Number(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        26 => Param::Number(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        oid::INT8 => Param::Number(i64::from_be_bytes(bytes.try_into().ok()?).into()),
        oid::FLOAT4 => {
            let value = f32::from_be_bytes(bytes.try_into().ok()?);
            number(&value.to_string())?
        }
        oid::FLOAT8 => {
            let value = f64::from_be_bytes(bytes.try_into().ok()?);
            number(&value.to_string())?
        }
        oid::NUMERIC => number(&numeric(bytes)?)?,
        // text, name, varchar, bpchar, "char", unknown
        oid::TEXT | 19 | 1043 | 1042 | 18 | oid::UNKNOWN | 0 => {
            Param::Text(std::str::from_utf8(bytes).ok()?.to_owned())
        }
        oid::DATE => Param::Text(date(i32::from_be_bytes(bytes.try_into().ok()?))?.to_string()),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?).checked_add(946_684_800_000_000)?;
            let at = DateTime::from_timestamp_micros(micros)?;
            let zone = if type_oid == oid::TIMESTAMPTZ { "Z" } else { "" };
            Param::Text(format!("{}{zone}", at.format("%Y-%m-%dT%H:%M:%S%.f")))
        }
        _ => return None,
    })
}

/// The text of an array in binary (`array_recv` of PostgreSQL): of one dimension, as the catalogue is asked.
fn array(bytes: &[u8]) -> Option<String> {
    const MOST: usize = 10_000;
    let number = |at: usize| Some(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (dimensions, element) = (number(0)?, number(8)? as u32);
    if dimensions == 0 {
        return Some("{}".to_owned());
    }
    let count = usize::try_from(number(12)?).ok().filter(|count| dimensions == 1 && *count <= MOST)?;
    let (mut at, mut texts) = (20, Vec::new());
    for _ in 0..count {
        let length = number(at)?;
        at += 4;
        let Ok(length) = usize::try_from(length) else {
            texts.push("NULL".to_owned());
            continue;
        };
        let value = scalar(bytes.get(at..at.checked_add(length)?)?, element)?;
        at += length;
        texts.push(match value {
            Param::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Param::Number(number) => number.to_string(),
            Param::Bool(truth) => if truth { "t" } else { "f" }.to_owned(),
            Param::Null => "NULL".to_owned(),
        });
    }
    (at == bytes.len()).then(|| format!("{{{}}}", texts.join(",")))
}

fn date(days: i32) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2000, 1, 1)?;
    let apart = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 { first.checked_sub_days(apart) } else { first.checked_add_days(apart) }
}

/// The text of a binary numeric (`numeric_recv` of PostgreSQL); none for NaN and infinities, which no number of a question is.
fn numeric(bytes: &[u8]) -> Option<String> {
    const MOST_GROUPS: usize = 64;
    let mut parts = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, scale) = (parts.next()?, parts.next()? as i16, parts.next()?, parts.next()?);
    let groups: Vec<u16> = parts.collect();
    let (count, weight, scale) = (usize::from(count), i64::from(weight), usize::from(scale));
    let fits = groups.len() == count && count <= MOST_GROUPS && weight.unsigned_abs() <= MOST_GROUPS as u64;
    if !fits || scale > 4 * MOST_GROUPS || groups.iter().any(|group| *group > 9_999) {
        return None;
    }
    let sign = match sign {
        0 => "",
        0x4000 => "-",
        _ => return None,
    };
    let group = |at: i64| usize::try_from(at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    let four = |text: String, at: i64| text + &format!("{:04}", group(at));
    let whole = (0..=weight).fold(String::new(), four);
    let whole = whole.trim_start_matches('0');
    let behind = scale.div_ceil(4) as i64;
    let fraction = (weight + 1..weight + 1 + behind).fold(String::new(), four);
    let fraction = &fraction[..scale.min(fraction.len())];
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Param {
        Param::Text(text.to_owned())
    }

    #[test]
    fn a_text_becomes_what_its_place_asks_for() {
        let value = |bytes: &str, given, inferred| read(Some(bytes.as_bytes()), false, given, inferred).ok();
        assert_eq!(value("2024", 0, oid::INT4), Some(Param::Number(2024.into())));
        assert_eq!(value("2024", oid::TEXT, oid::INT4), Some(text("2024")), "what the client names goes first");
        assert_eq!(value("PK-PB", oid::UNKNOWN, oid::TEXT), Some(text("PK-PB")));
        assert_eq!(value("t", 0, oid::BOOL), Some(Param::Bool(true)));
        assert_eq!(value("1.50", 0, oid::NUMERIC), number("1.50"));
        assert_eq!(value("2024-03-01", 0, oid::DATE), Some(text("2024-03-01")));
        for (odd, type_oid) in [("x", oid::INT4), ("NaN", oid::FLOAT8), ("perhaps", oid::BOOL), ("1.5", oid::INT8)] {
            assert_eq!(value(odd, 0, type_oid), None, "{odd}");
        }
        assert_eq!(read(None, false, 0, oid::INT4).ok(), Some(Param::Null));
    }

    #[test]
    fn binary_values_say_the_same() {
        let value = |bytes: &[u8], type_oid| read(Some(bytes), true, type_oid, oid::TEXT).ok();
        assert_eq!(value(&2024_i32.to_be_bytes(), oid::INT4), Some(Param::Number(2024.into())));
        assert_eq!(value(&2024_i16.to_be_bytes(), oid::INT2), Some(Param::Number(2024.into())));
        assert_eq!(value(&1.5_f64.to_be_bytes(), oid::FLOAT8), number("1.5"));
        assert_eq!(value(b"PK-PB", oid::TEXT), Some(text("PK-PB")));
        assert_eq!(value(&8_826_i32.to_be_bytes(), oid::DATE), Some(text("2024-03-01")));
        assert_eq!(value(&(-1_i32).to_be_bytes(), oid::DATE), Some(text("1999-12-31")));
        assert_eq!(value(&0_i64.to_be_bytes(), oid::TIMESTAMPTZ), Some(text("2000-01-01T00:00:00Z")));
        let list = |parts: &[i32], last: &[u8]| {
            [&parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<_>>()[..], last].concat()
        };
        assert_eq!(value(&list(&[1, 0, 26, 2, 1, 4, 7, 4, 8], b""), 1028), Some(text("{7,8}")));
        assert_eq!(value(&list(&[1, 1, 25, 2, 1, -1, 3], b"a\"b"), 1009), Some(text("{NULL,\"a\\\"b\"}")));
        assert_eq!(value(&list(&[0, 0, 25], b""), 1009), Some(text("{}")));
        let nested = list(&[1, 0, 1009, 1, 1, 12, 0, 0, 25], b"");
        let endless = list(&[1, 0, 25, i32::MAX, 1, 4], b"");
        for (bytes, type_oid) in [
            (&b"\0"[..], oid::INT4),
            (b"\xff", oid::TEXT),
            (b"", oid::NUMERIC),
            (b"{}", 1009),
            (&nested, 1009),
            (&endless, 1009),
        ] {
            assert_eq!(value(bytes, type_oid), None, "{type_oid}");
        }
    }

    #[test]
    fn numerics_are_read_as_they_were_sent() {
        let sent = |parts: &[i16]| numeric(&parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<_>>());
        assert_eq!(sent(&[2, 0, 0x4000, 1, 12, 5000]).as_deref(), Some("-12.5"));
        assert_eq!(sent(&[1, 1, 0, 0, 1]).as_deref(), Some("10000"));
        assert_eq!(sent(&[1, -2, 0, 6, 100]).as_deref(), Some("0.000001"));
        assert_eq!(sent(&[0, 0, 0, 0]).as_deref(), Some("0"));
        assert_eq!(sent(&[0, 0, -0x4000, 0]), None, "not a number");
        assert_eq!(sent(&[1, 30_000, 0, 0, 1]), None, "no memory for that many zeros");
        assert_eq!(sent(&[5, 0, 0, 0, 1]), None);
    }
}
