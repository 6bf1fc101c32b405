//! Texts.

use rusqlite::types::Value;

use super::array::join;
use super::{Body, Call, Lax, MAX_TEXT, Strict, flag, int, invalid, text, value_text};
use crate::directory::{quote_ident, split_identifier};
use crate::error::{CatalogueError, Fault, Result};

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("quote_ident", Strict(|call| text(quote_ident(&call.text(0))))),
    ("quote_literal", Strict(|call| text(quoted(&call.text(0))))),
    ("quote_nullable", Lax(|call| text(if call.is_null(0) { "NULL".to_owned() } else { quoted(&call.text(0)) }))),
    ("lower", Strict(|call| text(call.text(0).to_lowercase()))),
    ("upper", Strict(|call| text(call.text(0).to_uppercase()))),
    ("initcap", Strict(initcap)),
    ("length", Strict(|call| int(call.text(0).chars().count() as i64))),
    ("char_length", Strict(|call| int(call.text(0).chars().count() as i64))),
    ("character_length", Strict(|call| int(call.text(0).chars().count() as i64))),
    ("octet_length", Strict(|call| int(call.text(0).len() as i64))),
    ("bit_length", Strict(|call| int(call.text(0).len() as i64 * 8))),
    ("substr", Strict(substring)),
    ("substring", Strict(substring)),
    ("left", Strict(left)),
    ("right", Strict(right)),
    ("lpad", Strict(|call| pad(call, true))),
    ("rpad", Strict(|call| pad(call, false))),
    ("ltrim", Strict(|call| trim(call, true, false))),
    ("rtrim", Strict(|call| trim(call, false, true))),
    ("btrim", Strict(|call| trim(call, true, true))),
    (
        "replace",
        Strict(|call| {
            bounded(if call.text(1).is_empty() {
                call.text(0)
            } else {
                call.text(0).replace(&call.text(1), &call.text(2))
            })
        }),
    ),
    ("translate", Strict(translate)),
    ("split_part", Strict(split_part)),
    ("strpos", Strict(position)),
    ("position", Strict(position)),
    ("reverse", Strict(|call| text(call.text(0).chars().rev().collect::<String>()))),
    ("repeat", Strict(repeat)),
    ("concat", Lax(|call| bounded(call.arguments.iter().map(value_text).collect()))),
    ("concat_ws", Lax(concat_ws)),
    ("format", Lax(format)),
    ("starts_with", Strict(|call| flag(call.text(0).starts_with(&call.text(1))))),
    ("ascii", Strict(|call| int(call.text(0).chars().next().map_or(0, |letter| i64::from(u32::from(letter)))))),
    (
        "chr",
        Strict(|call| {
            text(
                u32::try_from(call.int(0))
                    .ok()
                    .and_then(char::from_u32)
                    .filter(|letter| *letter != '\0')
                    .ok_or_else(|| invalid("no such character"))?,
            )
        }),
    ),
    (
        "parse_ident",
        Strict(|call| {
            text(join(
                split_identifier(&call.text(0))
                    .ok_or_else(|| invalid("string is not a valid identifier"))?
                    .into_iter()
                    .map(Some),
            ))
        }),
    ),
    ("overlay", Strict(overlay)),
    ("encode", Strict(encode)),
    ("decode", Strict(|call| text(call.text(0)))),
    ("textcat", Strict(|call| bounded(call.text(0) + &call.text(1)))),
    ("_truncate", Strict(|call| text(call.text(0).chars().take(call.int(1).max(0) as usize).collect::<String>()))),
];

fn quoted(value: &str) -> String {
    let escaped = value.replace('\'', "''");
    if value.contains('\\') { format!("E'{}'", escaped.replace('\\', "\\\\")) } else { format!("'{escaped}'") }
}

fn bounded(value: String) -> Result<Value> {
    if value.len() > MAX_TEXT { Err(too_long()) } else { text(value) }
}

fn too_long() -> CatalogueError {
    CatalogueError::new(Fault::TooComplex, "a value of the answer would be longer than 1 MiB")
}

fn initcap(call: &Call<'_>) -> Result<Value> {
    let mut inside = false;
    let mut whole = String::new();
    for letter in call.text(0).chars() {
        if inside {
            whole.extend(letter.to_lowercase());
        } else {
            whole.extend(letter.to_uppercase());
        }
        inside = letter.is_alphanumeric();
    }
    text(whole)
}

/// From a place that may lie before the beginning, as SQL has it.
fn substring(call: &Call<'_>) -> Result<Value> {
    let from = call.int(1);
    let to = if call.count() > 2 {
        if call.int(2) < 0 {
            return Err(invalid("negative substring length not allowed"));
        }
        from.saturating_add(call.int(2))
    } else {
        i64::MAX
    };
    let value = call.text(0);
    let kept = value.chars().zip(1_i64..).filter(|(_, place)| *place >= from && *place < to).map(|(letter, _)| letter);
    text(kept.collect::<String>())
}

fn left(call: &Call<'_>) -> Result<Value> {
    let value = call.text(0);
    let count = value.chars().count() as i64;
    let kept = if call.int(1) < 0 { count.saturating_add(call.int(1)).max(0) } else { call.int(1) };
    text(value.chars().take(kept as usize).collect::<String>())
}

fn right(call: &Call<'_>) -> Result<Value> {
    let value = call.text(0);
    let count = value.chars().count() as i64;
    let skipped = if call.int(1) < 0 { call.int(1).saturating_neg() } else { count.saturating_sub(call.int(1)).max(0) };
    text(value.chars().skip(skipped as usize).collect::<String>())
}

fn pad(call: &Call<'_>, before: bool) -> Result<Value> {
    let wanted = call.int(1).max(0) as usize;
    if wanted > MAX_TEXT {
        return Err(too_long());
    }
    let fill: Vec<char> = if call.count() > 2 { call.text(2).chars().collect() } else { vec![' '] };
    let value: String = call.text(0).chars().take(wanted).collect();
    let missing = if fill.is_empty() { 0 } else { wanted - value.chars().count() };
    let padding: String = fill.iter().cycle().take(missing).collect();
    bounded(if before { padding + &value } else { value + &padding })
}

fn trim(call: &Call<'_>, start: bool, end: bool) -> Result<Value> {
    let value = call.text(0);
    let letters = if call.count() > 1 { call.text(1) } else { " ".into() };
    let mut kept = value.as_str();
    if start {
        kept = kept.trim_start_matches(|letter| letters.contains(letter));
    }
    if end {
        kept = kept.trim_end_matches(|letter| letters.contains(letter));
    }
    text(kept)
}

fn translate(call: &Call<'_>) -> Result<Value> {
    let (from, to): (Vec<char>, Vec<char>) = (call.text(1).chars().collect(), call.text(2).chars().collect());
    let value = call.text(0);
    let letters = value.chars().filter_map(|letter| match from.iter().position(|known| *known == letter) {
        Some(place) => to.get(place).copied(),
        None => Some(letter),
    });
    text(letters.collect::<String>())
}

fn split_part(call: &Call<'_>) -> Result<Value> {
    let value = call.text(0);
    let separator = call.text(1);
    let parts: Vec<&str> = if separator.is_empty() { vec![value.as_str()] } else { value.split(&separator).collect() };
    let wanted = call.int(2);
    if wanted == 0 {
        return Err(invalid("field position must not be zero"));
    }
    let place = if wanted > 0 { wanted - 1 } else { parts.len() as i64 + wanted };
    text(usize::try_from(place).ok().and_then(|place| parts.get(place)).copied().unwrap_or_default())
}

/// The place of the second text in the first.
fn position(call: &Call<'_>) -> Result<Value> {
    let value = call.text(0);
    int(value.find(&call.text(1)).map_or(0, |byte| value[..byte].chars().count() as i64 + 1))
}

fn repeat(call: &Call<'_>) -> Result<Value> {
    let count = call.int(1).max(0) as usize;
    if call.text(0).len().saturating_mul(count) > MAX_TEXT {
        return Err(too_long());
    }
    text(call.text(0).repeat(count))
}

fn concat_ws(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) {
        return Ok(Value::Null);
    }
    let items: Vec<String> =
        call.arguments[1..].iter().filter(|value| **value != Value::Null).map(value_text).collect();
    bounded(items.join(&call.text(0)))
}

/// `%s`, `%I`, `%L` and `%%`, each of the next argument or of that with a number (`%1$s`).
fn format(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) {
        return Ok(Value::Null);
    }
    let pattern = call.text(0);
    let mut whole = String::new();
    let mut next = 1;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            whole.push(letter);
            continue;
        }
        let mut digits = String::new();
        while let Some(digit) = letters.next_if(|letter| letter.is_ascii_digit() || *letter == '$') {
            digits.push(digit);
        }
        let mut place = next;
        if let Some(number) = digits.strip_suffix('$') {
            place = number.parse().map_err(|_| invalid("format() names no argument"))?;
        }
        let kind = letters.next().ok_or_else(|| invalid("unterminated format() type specifier"))?;
        if kind == '%' {
            whole.push('%');
            continue;
        }
        if place >= call.count() {
            return Err(invalid("too few arguments for format()"));
        }
        next = place + 1;
        match kind {
            's' => whole.push_str(&call.text(place)),
            'I' if !call.is_null(place) => whole.push_str(&quote_ident(&call.text(place))),
            'L' if call.is_null(place) => whole.push_str("NULL"),
            'L' => whole.push_str(&quoted(&call.text(place))),
            _ => return Err(invalid("unrecognized format() type specifier: it is one of %s, %I, %L")),
        }
    }
    bounded(whole)
}

/// Bytes are texts here (there are none in the catalogue): only the escaped form is theirs already.
fn encode(call: &Call<'_>) -> Result<Value> {
    match call.text(1).to_lowercase().as_str() {
        "escape" => text(call.text(0)),
        "hex" => {
            let mut digits = String::new();
            for byte in call.text(0).bytes() {
                digits.push_str(&format!("{byte:02x}"));
            }
            text(digits)
        }
        _ => Err(invalid("encode() knows escape and hex here")),
    }
}

fn overlay(call: &Call<'_>) -> Result<Value> {
    let value: Vec<char> = call.text(0).chars().collect();
    let placed = call.text(1);
    let from = (call.int(2).max(1) - 1) as usize;
    let length = if call.count() > 3 { call.int(3).max(0) as usize } else { placed.chars().count() };
    let before = value.iter().take(from);
    let after = value.iter().skip(from.saturating_add(length));
    bounded(before.copied().chain(placed.chars()).chain(after.copied()).collect())
}
