//! Requests of SDMX: keys and conditions of data, artefacts of structures; compiled by the tests of `endpoint` too.

use std::collections::{BTreeSet, HashMap};

use axum::http::request::Parts;
use query::{IndicatorMeta, Selection};
use serde_json::Value;

use super::filter::Filter;
use super::message::{Csv, csv, data_message};
use super::model::{self, Role};
use super::request::Asked;
use super::structure::Query;
use crate::held_to::country::READER;
use crate::held_to::parameters::{pairs_of, parts_of, unescaped};
use crate::held_to::problems;
use crate::long::Long;
use crate::problem::Problem;
use crate::request::Pairs;

/// The most keys, codes and tests that a request may have.
const MOST: usize = 1_000;

/// A line `ID/KEY?query` for data, and one `type/agency/id/version?query` for structures.
pub fn requests(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (data, structure) = text.split_once('\n').map_or((text, None), |(data, structure)| (data, Some(structure)));
    let (path, query) = data.split_once('?').unwrap_or((data, ""));
    let (id, key) = path.split_once('/').unwrap_or((path, "*"));
    if let Some(parts) = parts_of(query) {
        asked(id, key, &parts);
    }
    if let Some(line) = structure {
        structures(line);
    }
}

/// An error names what is wrong, and a message of SDMX says the same.
fn refused(problem: Problem, pairs: &Pairs, more: &[&str]) {
    let names: Vec<&str> = pairs.rest().map(|(name, _)| name).collect();
    let inside = names.iter().filter_map(|name| name.strip_prefix("c[")?.strip_suffix(']'));
    problems::held(problem.for_sdmx(), inside.chain(names.iter().copied()).chain(more.iter().copied()));
}

fn asked(id: &str, key: &str, parts: &Parts) {
    let catalogue = READER.catalogue();
    let asked = match Asked::read(catalogue, id, key, pairs_of(parts.clone())) {
        Ok(asked) => asked,
        Err(problem) => {
            let ids = catalogue.indicators.iter().flat_map(model::components).map(|component| component.id);
            let ids: Vec<String> = ids.collect();
            let more: Vec<&str> = ids.iter().map(String::as_str).chain([id, "key"]).collect();
            return refused(problem, &pairs_of(parts.clone()), &more);
        }
    };
    let whole = whole(&asked.meta);
    keys(&asked.meta, key, &whole);
    let pairs = pairs_of(parts.clone());
    let mut looked_at = key.split([',', '+']).count();
    for (name, text) in pairs.rest().filter(|(name, _)| name.starts_with("c[")) {
        looked_at += text.split([',', '+', ' ']).count();
        conditions(&asked.meta, name, text, &whole);
    }
    assert!(looked_at <= MOST + 1, "{looked_at} parts are looked at for each row");
    one_key_one_answer(&asked, key, &pairs);
    within(&asked, key, parts);
    written(&asked);
}

/// Every row of an indicator in the newest edition.
fn whole(meta: &IndicatorMeta) -> Long {
    let selection = Selection::new(READER.catalogue(), &meta.id, []).expect("an indicator");
    Long::new(meta, &READER.current().rows(&selection).expect("rows")).expect("rows")
}

/// The rows that a filter takes; none where it cannot be made.
fn taken(
    meta: &IndicatorMeta,
    whole: &Long,
    make: impl FnOnce(&mut Filter) -> Result<(), Problem>,
) -> Option<BTreeSet<usize>> {
    let mut filter = Filter::default();
    make(&mut filter).ok()?;
    let ids: Vec<String> =
        model::components(meta).into_iter().filter(|c| c.role == Role::Dimension).map(|c| c.id).collect();
    Some((0..whole.len).filter(|row| filter.takes(whole, &ids, *row)).collect())
}

/// Keys joined by commas take what each takes, codes joined by a plus likewise; what is left out takes everything, as `*` does.
fn keys(meta: &IndicatorMeta, key: &str, whole: &Long) {
    let catalogue = READER.catalogue();
    let of = |key: &str| taken(meta, whole, |filter| filter.add_key(catalogue, meta, key));
    let all = of(key).expect("it was accepted");
    let dimensions = meta.dimensions.len() + 2;
    assert_eq!(of(&vec!["*"; dimensions].join(".")), of(""), "a star for each dimension is no key");
    if matches!(key, "" | "*" | "all") {
        return assert_eq!(all.len(), whole.len, "no key takes everything");
    }
    let (mut each, mut by_codes) = (BTreeSet::new(), BTreeSet::new());
    for one in key.split(',') {
        let its = of(one).expect("each of several keys is one");
        let mut parts: Vec<&str> = one.split('.').map(|part| if part.is_empty() { "*" } else { part }).collect();
        parts.resize(dimensions, "*");
        assert_eq!(of(&parts.join(".")), Some(its.clone()), "what is left out is a star");
        // The first part that names several codes, code by code.
        if let Some(at) = parts.iter().position(|part| part.contains('+')) {
            for code in parts[at].split('+') {
                let single: Vec<&str> =
                    parts.iter().enumerate().map(|(n, part)| if n == at { code } else { part }).collect();
                // A key has no way to name the code that is empty or a star alone.
                if !matches!(code, "" | "*") {
                    by_codes.extend(of(&single.join(".")).expect("each of several codes is one"));
                }
            }
        } else {
            by_codes.extend(its.iter().copied());
        }
        each.extend(its);
    }
    assert_eq!(each, all, "keys joined by commas");
    assert_eq!(by_codes, all, "codes joined by a plus");
}

/// Tests joined by commas take what any takes, tests joined by a plus what all take; a test and its opposite part the rows.
fn conditions(meta: &IndicatorMeta, name: &str, text: &str, whole: &Long) {
    const OPPOSITES: [(&str, &str); 2] = [("eq", "ne"), ("co", "nc")];
    let catalogue = READER.catalogue();
    let of = |text: &str| taken(meta, whole, |filter| filter.add_condition(catalogue, meta, name, text).map(drop));
    let all = of(text).expect("it was accepted");
    let mut any = BTreeSet::new();
    for group in text.split(',') {
        let tests = group.split(['+', ' ']).map(|test| of(test).expect("each of several tests is one"));
        any.extend(tests.reduce(|all, test| &all & &test).unwrap_or_default());
    }
    assert_eq!(any, all, "tests joined by commas and pluses");
    let id = name.trim_start_matches("c[").trim_end_matches(']').to_uppercase();
    let has_value = (0..whole.len).filter(|row| model::value_of(whole, &id, *row).is_some());
    let has_value: BTreeSet<usize> = has_value.collect();
    for test in text.split([',', '+', ' ']) {
        for (one, other) in OPPOSITES {
            let Some(value) = test.strip_prefix(one).and_then(|rest| rest.strip_prefix(':')) else { continue };
            let other = of(&format!("{other}:{value}")).expect("the opposite of a test is one");
            let one = of(test).expect("a test");
            assert!(one.is_disjoint(&other) && &one | &other == has_value, "a test and its opposite: {test}");
        }
        let bounds = ["lt:", "ge:", "le:", "gt:"].map(|operator| test.strip_prefix(operator));
        if let (true, Some(value)) =
            (["OBS_VALUE", "LO95", "HI95"].contains(&&*id), bounds.into_iter().flatten().next())
        {
            for (one, other) in [("lt", "ge"), ("le", "gt")] {
                let [one, other] = [one, other].map(|operator| of(&format!("{operator}:{value}")).expect("a bound"));
                assert!(one.is_disjoint(&other) && &one | &other == has_value, "below and above: {test}");
            }
        }
    }
}

/// A value that has the form of further parameters makes no request that is taken for the one with these parameters: answers are
/// kept by the key of a request.
fn one_key_one_answer(asked: &Asked, key: &str, pairs: &Pairs) {
    let pairs: Vec<(&str, &str)> = pairs.rest().collect();
    let written = format!("{key}?{}", unescaped(&pairs));
    let (key, query) = written.split_once('?').expect("it has one");
    let Some(parts) = parts_of(query) else { return };
    let Ok(other) = Asked::read(READER.catalogue(), &asked.meta.id, key, pairs_of(parts)) else { return };
    if other.key == asked.key {
        assert_eq!(observations(&other, 2), observations(asked, 2), "one key, two answers: {}", asked.key);
        assert_eq!((other.at, &other.shape), (asked.at, &asked.shape), "one key, two answers");
    }
}

/// The rows of one edition that are asked for, as keys with their values.
fn observations(asked: &Asked, edition: u32) -> Vec<(Vec<String>, Option<String>)> {
    let long = asked.rows(&READER.current(), edition).expect("rows of an edition");
    (0..long.len).map(|row| (long.key(row).into_iter().map(str::to_owned).collect(), long.value[row].clone())).collect()
}

/// Rows to leave out at the beginning, and the most that there are, are counted over the rows without both; of a series no more
/// than so many from each end.
fn within(asked: &Asked, key: &str, parts: &Parts) {
    let number = |pairs: &mut Pairs, name: &str| pairs.take(name).map(|text| text.parse::<usize>().expect("accepted"));
    let mut pairs = pairs_of(parts.clone());
    let (offset, limit) = (number(&mut pairs, "offset"), number(&mut pairs, "limit"));
    let all = Asked::read(READER.catalogue(), &asked.meta.id, key, pairs).expect("with less it is a request as well");
    let (rows, all) = (observations(asked, 2), observations(&all, 2));
    let part = all.iter().skip(offset.unwrap_or(0)).take(limit.unwrap_or(usize::MAX));
    assert!(rows.iter().eq(part), "offset and limit");
    let mut pairs = pairs_of(parts.clone());
    let (first, last) = (number(&mut pairs, "firstNObservations"), number(&mut pairs, "lastNObservations"));
    let whole = Asked::read(READER.catalogue(), &asked.meta.id, key, pairs).expect("with less it is a request as well");
    if first.is_none() && last.is_none() || offset.is_some() || limit.is_some() {
        return;
    }
    let most = first.unwrap_or(0).saturating_add(last.unwrap_or(0));
    let (kept, whole) = (series(&rows), series(&observations(&whole, 2)));
    for (series, count) in whole {
        assert_eq!(kept.get(&series).copied().unwrap_or(0), count.min(most), "the ends of a series");
    }
}

/// How many observations each series has.
fn series(rows: &[(Vec<String>, Option<String>)]) -> HashMap<(&'static str, Vec<String>), usize> {
    let mut counts = HashMap::new();
    for (key, _) in rows {
        let mut key = key.clone();
        let period = key.remove(1);
        *counts.entry((model::frequency(&period), key)).or_default() += 1;
    }
    counts
}

/// Every form of the answer can be written, and has each row once.
fn written(asked: &Asked) {
    let rows = || asked.rows(&READER.current(), 2).expect("rows of an edition");
    let count = rows().len;
    for version in [Csv::One, Csv::Two] {
        let text = String::from_utf8(csv(&asked.meta, &[rows()], version)).expect("text");
        assert_eq!(text.lines().count(), count + 1, "a line for each row, and the names");
    }
    let message = data_message(READER.catalogue(), &asked.meta, vec![rows()], &asked.shape).expect("a message");
    let message: Value = serde_json::from_slice(&message).expect("JSON");
    let set = &message["data"]["dataSets"][0];
    let members = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let in_series = set["series"].as_object().into_iter().flat_map(|all| all.values());
    let found = members(&set["observations"]) + in_series.map(|one| members(&one["observations"])).sum::<usize>();
    assert_eq!(found, count, "an observation for each row");
}

/// A message is written of whatever was found, and requests for the same artefacts have one key.
fn structures(line: &str) {
    let (path, query) = line.split_once('?').unwrap_or((line, ""));
    let Some(parts) = parts_of(query) else { return };
    let mut pairs = pairs_of(parts);
    let (detail, references) = (pairs.take("detail"), pairs.take("references"));
    let mut path = path.splitn(4, '/').filter(|part| !part.is_empty());
    let mut part = |missing| path.next().unwrap_or(missing);
    let path = [part("*"), part("*"), part("*"), part("~")];
    let catalogue = READER.catalogue();
    match Query::read(catalogue, path, detail.as_deref(), references.as_deref()) {
        Ok(query) => {
            let measures = ["victims".to_owned(), "cases".to_owned()];
            let message = query.message(catalogue, &measures, "2025-01-15T08:00:00Z", true).expect("a message");
            let message: Value = serde_json::from_slice(&message).expect("JSON");
            assert!(message["data"].as_object().is_some_and(|data| !data.is_empty()), "something was found");
        }
        Err(problem) => drop(problems::held(problem.for_sdmx(), ["detail", "references"])),
    }
}
