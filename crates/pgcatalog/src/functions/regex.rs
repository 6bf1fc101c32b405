//! Regular expressions and LIKE. PostgreSQL's own dialect is read by the `regex` crate, which takes time linear in the text
//! whatever the pattern; what it has not (back references, look-around) is refused.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};
use rusqlite::types::Value;

use super::array::join;
use super::{Body, Call, Strict, flag, invalid, text};
use crate::error::Result;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("_match", Strict(|call| flag(compiled(&call.text(1), call.int(2) != 0)?.is_match(&call.text(0))))),
    ("_like", Strict(like)),
    ("_similar", Strict(similar)),
    ("regexp_replace", Strict(replace)),
    ("regexp_match", Strict(first_match)),
    ("regexp_split_to_array", Strict(split_to_array)),
    ("_substring_regex", Strict(substring)),
    ("_regexp_matches", Strict(matches)),
    (
        "_regexp_split",
        Strict(|call| {
            json(
                compiled(&call.text(1), call.text(2).contains('i'))?
                    .split(&call.text(0))
                    .map(|part| Some(part.to_owned())),
            )
        }),
    ),
];

/// A pattern may compile to this many bytes.
const MAX_PATTERN: usize = 1 << 20;

/// Patterns are few in a statement and asked for each row.
fn compiled(pattern: &str, ignore_case: bool) -> Result<Rc<Regex>> {
    thread_local! {
        static KNOWN: RefCell<HashMap<(String, bool), Rc<Regex>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(regex) = known.get(&(pattern.to_owned(), ignore_case)) {
            return Ok(regex.clone());
        }
        // "***:" and "***=" choose a flavour; `(?i)` and the like mean the same in both dialects.
        let plain = pattern.strip_prefix("***:").unwrap_or(pattern);
        let source = pattern.strip_prefix("***=").map_or_else(|| plain.to_owned(), regex::escape);
        let regex = RegexBuilder::new(&translate(&source))
            .case_insensitive(ignore_case)
            .dot_matches_new_line(true)
            .size_limit(MAX_PATTERN)
            .build()
            .map_err(|_| {
                invalid(
                    "invalid regular expression, or one with back references or look-around, which are not known here",
                )
            })?;
        if known.len() >= 64 {
            known.clear();
        }
        let regex = Rc::new(regex);
        known.insert((pattern.to_owned(), ignore_case), regex.clone());
        Ok(regex)
    })
}

/// The escapes that have other letters: `\m \M \y` are edges of words, `\Y` is none, `\A` and `\Z` the ends of the text.
fn translate(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('m') => text.push_str(r"\b{start}"),
            Some('M') => text.push_str(r"\b{end}"),
            Some('y') => text.push_str(r"\b"),
            Some('Y') => text.push_str(r"\B"),
            Some('Z') => text.push_str(r"\z"),
            Some(other) if other.is_ascii_alphanumeric() || other.is_ascii_punctuation() => {
                text.push('\\');
                text.push(other);
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

/// LIKE: text, pattern, whether case is ignored, and the escape letter (a backslash where none is given).
fn like(call: &Call<'_>) -> Result<Value> {
    let escape = if call.count() > 3 { call.text(3).chars().next() } else { Some('\\') };
    let ignore = call.int(2) != 0;
    let (value, pattern) = (call.text(0), call.text(1));
    let (value, pattern) = if ignore { (value.to_lowercase(), pattern.to_lowercase()) } else { (value, pattern) };
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            letter if Some(letter) == escape => {
                Part::Letter(letters.next().ok_or_else(|| invalid("LIKE pattern must not end with escape character"))?)
            }
            '%' => Part::Any,
            '_' => Part::One,
            other => Part::Letter(other),
        });
    }
    flag(like_parts(&value.chars().collect::<Vec<_>>(), &parts))
}

enum Part {
    Any,
    One,
    Letter(char),
}

/// With one place to come back to, which is enough for `%`: never more than length times length steps.
fn like_parts(value: &[char], parts: &[Part]) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut back = None;
    while at < value.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                back = Some((part, at));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Letter(letter)) if *letter == value[at] => {
                at += 1;
                part += 1;
            }
            _ => match back {
                Some((any, from)) => {
                    back = Some((any, from + 1));
                    at = from + 1;
                    part = any + 1;
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

fn similar(call: &Call<'_>) -> Result<Value> {
    let mut pattern = String::from("^(?:");
    for letter in call.text(1).chars() {
        match letter {
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            '.' | '^' | '$' => {
                pattern.push('\\');
                pattern.push(letter);
            }
            other => pattern.push(other),
        }
    }
    pattern.push_str(")$");
    flag(compiled(&pattern, false)?.is_match(&call.text(0)))
}

fn replace(call: &Call<'_>) -> Result<Value> {
    let flags = call.text(3);
    let regex = compiled(&call.text(1), flags.contains('i'))?;
    // `\1` and `\&` name what was matched; a dollar means itself.
    let mut replacement = String::new();
    let given = call.text(2);
    let mut letters = given.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => replacement.push_str("$$"),
            '\\' => match letters.next() {
                Some('&') => replacement.push_str("${0}"),
                Some(digit) if digit.is_ascii_digit() => replacement.push_str(&format!("${{{digit}}}")),
                Some(other) => replacement.push(other),
                None => replacement.push('\\'),
            },
            other => replacement.push(other),
        }
    }
    let limit = usize::from(!flags.contains('g'));
    text(regex.replacen(&call.text(0), limit, replacement.as_str()))
}

fn groups(regex: &Regex, value: &str) -> Vec<Vec<Option<String>>> {
    let whole = regex.captures_len() == 1;
    regex
        .captures_iter(value)
        .map(|found| {
            found.iter().skip(usize::from(!whole)).map(|group| group.map(|group| group.as_str().to_owned())).collect()
        })
        .collect()
}

fn first_match(call: &Call<'_>) -> Result<Value> {
    let regex = compiled(&call.text(1), call.text(2).contains('i'))?;
    match groups(&regex, &call.text(0)).into_iter().next() {
        Some(groups) => text(join(groups.into_iter())),
        None => Ok(Value::Null),
    }
}

fn matches(call: &Call<'_>) -> Result<Value> {
    let regex = compiled(&call.text(1), call.text(2).contains('i'))?;
    let all = groups(&regex, &call.text(0));
    let count = if call.text(2).contains('g') { all.len() } else { 1 };
    json(all.into_iter().take(count).map(|groups| Some(join(groups.into_iter()))))
}

fn json(items: impl Iterator<Item = Option<String>>) -> Result<Value> {
    text(serde_json::Value::from(items.map(serde_json::Value::from).collect::<Vec<_>>()).to_string())
}

fn split_to_array(call: &Call<'_>) -> Result<Value> {
    let regex = compiled(&call.text(1), call.text(2).contains('i'))?;
    text(join(regex.split(&call.text(0)).map(|part| Some(part.to_owned()))))
}

/// `substring(text from pattern)`: the first group, or the whole match.
fn substring(call: &Call<'_>) -> Result<Value> {
    let regex = compiled(&call.text(1), false)?;
    let value = call.text(0);
    let found = regex.captures(&value).and_then(|found| if found.len() > 1 { found.get(1) } else { found.get(0) });
    Ok(found.map_or(Value::Null, |found| Value::Text(found.as_str().to_owned())))
}
