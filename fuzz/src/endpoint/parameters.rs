//! Requests for the rows of an indicator: query strings, headers that negotiate, pages.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use chrono::{DateTime, NaiveDate};
use futures::FutureExt;
use query::{Current, IndicatorMeta, Rows, Selection, Unselected};

use super::country::READER;
use super::problems;
use crate::data::paging::Paging;
use crate::negotiate::{self, Coding, Format};
use crate::request::Pairs;

/// The forms of rows.
const OFFERED: [Format; 8] = [
    Format::Json,
    Format::Csv,
    Format::Parquet,
    Format::Arrow,
    Format::JsonStat,
    Format::SdmxJson,
    Format::SdmxCsv,
    Format::SdmxCsv1,
];

/// A line `ID?query`, then headers, one a line (`name: value`).
pub fn requests(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let Some(address) = lines.next().and_then(|line| std::str::from_utf8(line).ok()) else { return };
    let (id, query) = address.split_once('?').unwrap_or((address, ""));
    let headers = lines.filter_map(header_of).collect();
    negotiated(&headers);
    let Some(parts) = parts_of(query) else { return };
    let mut pairs = pairs_of(parts);
    let names: Vec<String> = pairs.rest().map(|(name, _)| name.to_owned()).collect();
    let names = || names.iter().map(String::as_str).chain([id]);
    if let Some(named) = pairs.take("format") {
        match negotiate::format(&headers, Some(&named), &OFFERED) {
            Ok(format) => assert!(format.name().eq_ignore_ascii_case(&named), "the one that is named"),
            Err(problem) => drop(problems::held(problem, names())),
        }
    }
    let paging = match Paging::take(&mut pairs) {
        Ok(paging) => paging,
        Err(problem) => return drop(problems::held(problem, names())),
    };
    let pairs: Vec<(&str, &str)> = pairs.rest().collect();
    match read(id, pairs.iter().copied()) {
        Ok(selection) => selected(&selection, &pairs, &paging),
        Err(error) => {
            let backwards = read(id, pairs.iter().rev().copied());
            assert!(backwards.is_err(), "what is refused is refused in any order");
            problems::held(error.into(), names());
        }
    }
}

/// A selection of the edition that it names, or whose date it has.
fn read<'a>(id: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Selection, Unselected> {
    let today = NaiveDate::from_ymd_opt(2026, 6, 30).expect("a date");
    Selection::new(READER.catalogue(), id, pairs)?.at(&READER.current(), today)
}

/// A header, if the line is one that HTTP would let through.
fn header_of(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}

/// A request of this query string, if it is one that HTTP would let through.
pub(crate) fn parts_of(query: &str) -> Option<Parts> {
    let request = Request::builder().uri(format!("/?{query}")).body(()).ok()?;
    Some(request.into_parts().0)
}

pub(crate) fn pairs_of(mut parts: Parts) -> Pairs {
    let Ok(pairs) = Pairs::from_request_parts(&mut parts, &()).now_or_never().expect("nothing is waited for");
    pairs
}

/// A query string of these pairs, with nothing in them escaped.
pub(crate) fn unescaped(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// What was chosen is chosen again by its own name and by its own media type, and the codings and tags have an answer.
fn negotiated(headers: &HeaderMap) {
    let _ = negotiate::prefers_html(headers);
    if let Some(coding) = negotiate::coding(headers) {
        assert!(Coding::ALL.contains(&coding));
        assert_eq!(negotiate::coding_among(headers, &[coding]), Some(coding), "it is liked alone as well");
    }
    let modified = DateTime::from_timestamp(1_736_928_000, 0);
    let tagged = headers.contains_key(header::IF_NONE_MATCH);
    let is_current = negotiate::is_current(headers, "\"a\"", modified);
    assert!(!tagged || is_current == negotiate::is_current(headers, "\"a\"", None), "a tag goes before a date");
    match negotiate::format(headers, None, &OFFERED) {
        Ok(format) => {
            let named = negotiate::format(headers, Some(format.name()), &OFFERED);
            assert_eq!(named.ok(), Some(format), "by its name");
            let own = HeaderMap::from_iter([(header::ACCEPT, format.content_type())]);
            assert_eq!(negotiate::format(&own, None, &OFFERED).ok(), Some(format), "by its media type");
        }
        Err(problem) => {
            assert!(headers.contains_key(header::ACCEPT), "who accepts nothing in particular takes anything");
            assert_eq!(problems::held(problem, []).0, "not_acceptable");
        }
    }
}

/// What was accepted is the same in any order and when it is written again; its rows are those that were asked for.
fn selected(selection: &Selection, pairs: &[(&str, &str)], paging: &Paging) {
    let (catalogue, current) = (READER.catalogue(), READER.current());
    let again = |pairs: &[(&str, &str)]| read(&selection.indicator, pairs.iter().copied());
    let backwards: Vec<(&str, &str)> = pairs.iter().rev().copied().collect();
    assert_eq!(again(&backwards).as_ref(), Ok(selection), "in another order");
    let written = selection.pairs();
    let written: Vec<(&str, &str)> = written.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut rewritten = again(&written).expect("what was accepted is accepted when it is written again");
    rewritten.edition = selection.edition;
    assert_eq!(rewritten.canonical(), selection.canonical(), "written again");
    assert_eq!(rewritten.pairs(), selection.pairs(), "written again");
    let rows = match current.rows(selection) {
        Ok(rows) => rows,
        Err(error) => {
            assert_eq!(current.rows(&rewritten).err().as_ref(), Some(&error), "written again");
            let names = pairs.iter().map(|(name, _)| *name);
            problems::held(error.into(), names.chain(["edition", "measure", selection.indicator.as_str()]));
            return;
        }
    };
    assert_eq!(current.rows(&rewritten).expect("the same").batch, rows.batch, "written again");
    one_key_one_answer(selection, &rows, pairs, &current);
    each_row_was_asked_for(&rows, &written);
    let meta = catalogue.indicator(&selection.indicator).expect("it was found");
    paged(meta, &rows, paging);
}

/// A value that has the form of further parameters makes no request that is taken for the one with these parameters: answers are
/// kept by what is canonical.
fn one_key_one_answer(selection: &Selection, rows: &Rows, pairs: &[(&str, &str)], current: &Current) {
    let Some(parts) = parts_of(&unescaped(pairs)) else { return };
    let other = pairs_of(parts);
    let Ok(other) = read(&selection.indicator, other.rest()) else { return };
    if other.canonical() == selection.canonical() && other.edition == selection.edition {
        let others = current.rows(&other).expect("it has the key of one that has rows");
        assert_eq!(others.batch, rows.batch, "one key, two answers: {}", other.canonical());
    }
}

fn each_row_was_asked_for(rows: &Rows, written: &[(&str, &str)]) {
    for (name, codes) in written {
        let Some(column) = rows.batch.column_by_name(name) else { continue };
        let codes: BTreeSet<&str> = codes.split(',').collect();
        let found = column.as_string::<i32>().iter().all(|code| code.is_some_and(|code| codes.contains(code)));
        assert!(found, "a row that {name} was not asked for");
    }
}

/// Pages of a size follow each other and are the whole together; a page that is asked for is cut from it or is none.
fn paged(meta: &IndicatorMeta, rows: &Rows, asked: &Paging) {
    let limit = asked.limit.unwrap_or(3);
    if let Err(problem) = asked.cut(meta, rows.clone()) {
        problems::held(problem, ["after"]);
    }
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let paging = Paging { limit: Some(limit), after };
        let (page, next) = paging.cut(meta, rows.clone()).expect("a page follows where one is promised");
        assert!(page.batch.num_rows() <= limit, "no page is longer than it may be");
        pages.push(page.batch);
        assert!(pages.len() <= rows.batch.num_rows() + 1, "pages come to an end");
        after = next;
        if after.is_none() {
            break;
        }
    }
    let whole = concat_batches(&rows.batch.schema(), &pages).expect("pages of one form");
    assert_eq!(whole, rows.batch, "the pages together");
}
