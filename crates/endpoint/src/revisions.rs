//! What became of a value: each key of an indicator in each edition, and whether it changed against the edition before.
//!
//! Everything here is in published editions, side by side: no number is shown that an edition does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use query::{Current, IndicatorMeta, Selection};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::{Citation, METHODOLOGY, address};
use crate::data::internal;
use crate::long::{Long, number};
use crate::negotiate::{self, Format};
use crate::problem::{Kind, Problem};
use crate::render;
use crate::request::{Pairs, Segment};

/// Columns after measure, period and dimensions.
const AFTER: [&str; 9] =
    ["edition", "as_of", "published_at", "value", "lo95", "hi95", "obs_status", "conf_status", "changed"];

/// The revisions of an indicator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revisions {
    indicator: String,
    /// The latest edition.
    edition: u32,
    /// True when the store holds synthetic people.
    synthetic: bool,
    citation: Citation,
    /// Names of the columns.
    columns: Vec<String>,
    row_count: usize,
    /// Rows as arrays in the order of `columns`, by key and then by edition. `changed` compares with the edition before: null
    /// in the first edition that has the key, true where value, interval or status differ.
    rows: Vec<Vec<Value>>,
}

/// A value in an edition.
struct Vintage {
    edition: usize,
    row: usize,
    /// None where the edition before does not have the key, or there is none.
    changed: Option<bool>,
}

/// Each value in each edition.
///
/// The filters are those of the rows; the edition is none of them. A key has a row for each edition that has it.
#[utoipa::path(get, path = "/v1/indicators/{id}/revisions", tag = "indicators",
    params(
        ("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01"),
        ("measure" = Option<Vec<String>>, Query, description = "Measures of the indicator"),
        ("time_period" = Option<Vec<String>>, Query, description = "Periods: 2024, 2024-Q1, FY2024-25 (July to June), _X"),
        ("from" = Option<String>, Query, description = "First year or quarter: 2020, 2020-Q3"),
        ("to" = Option<String>, Query, description = "Last year or quarter"),
        ("format" = Option<String>, Query, description = "json or csv; goes before Accept")),
    responses(
        (status = 200, description = "Values by edition. CSV has the columns measure, time_period, the dimensions, edition, \
            as_of, published_at, value, lo95, hi95, obs_status, conf_status, changed",
            content((Revisions = "application/json"), (String = "text/csv"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn revisions(
    State(door): State<Arc<Door>>,
    Segment(id): Segment,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let named = pairs.take("format");
    for one in ["edition", "as_known_on"] {
        if pairs.take(one).is_some() {
            let hint = "Leave it out: every edition is here. /v1/indicators/{id}/data has those of one.";
            return Err(Problem::new(Kind::MalformedParameter, format!("{one} is no filter of revisions."), hint));
        }
    }
    let selection = Selection::new(door.reader.catalogue(), &id, pairs.rest())?;
    let format = negotiate::format(&asked, named.as_deref(), &[Format::Json, Format::Csv])?;
    let latest = current.edition_of(&selection)?.clone();
    let meta = door.reader.catalogue().indicator(&selection.indicator).ok_or_else(Problem::internal)?.clone();
    let key = format!("/v1/indicators/revisions/{}", selection.canonical());
    let mut shared = Shared::of(Some(&latest), &key, format, Freshness::Minute).same_for_all();
    let citation = citation(&door, &meta, &selection, &latest);
    shared.headers.extend(citation.links(&format!("/v1/indicators/{}", meta.id)));
    let make = move || body(&current, &meta, &selection, format, citation);
    door.bodies.answer(&asked, shared, make).await
}

/// Revisions grow with each edition, so that what is cited is the address itself.
fn citation(door: &Door, meta: &IndicatorMeta, selection: &Selection, latest: &query::EditionMeta) -> Citation {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(selection.pairs());
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let href = address(&door.settings, &format!("/v1/indicators/{}/revisions{mark}{query}", meta.id));
    let of_rows = Citation::of_rows(&door.settings, meta, selection, latest);
    let made_up = if latest.synthetic { " SYNTHETIC: nobody in it exists." } else { "" };
    let (title, id, number) = (&meta.title.en, &meta.id, latest.edition);
    let text = format!("Amanat, “{title}” ({id}), revisions up to edition {number}, {href}.{made_up}");
    Citation { text, href, methodology: address(&door.settings, METHODOLOGY), ..of_rows }
}

fn body(
    current: &Current,
    meta: &IndicatorMeta,
    selection: &Selection,
    format: Format,
    citation: Citation,
) -> Result<Whole, Problem> {
    let editions = editions(current, meta, selection)?;
    let vintages = vintages(&editions);
    let count = vintages.iter().map(Vec::len).sum();
    let columns: Vec<String> = ["measure", "time_period"]
        .into_iter()
        .chain(meta.dimensions.iter().map(|d| d.name.as_str()))
        .chain(AFTER)
        .map(str::to_owned)
        .collect();
    let rows = vintages.iter().flatten().map(|vintage| cells(&editions[vintage.edition], vintage));
    let bytes = if format == Format::Csv {
        csv(&columns, rows)
    } else {
        let latest = current.latest().ok_or_else(Problem::internal)?;
        let (indicator, edition, synthetic) = (meta.id.clone(), latest.edition, latest.synthetic);
        let rows = rows.collect();
        let document = Revisions { indicator, edition, synthetic, citation, columns, row_count: count, rows };
        serde_json::to_vec(&document).map_err(|_| Problem::internal())?
    };
    Ok(Whole { bytes, rows: Some(count), headers: Vec::new() })
}

/// The rows of every edition, oldest first. A measure that an edition does not have is in none of its rows; one that no edition
/// has is the client's mistake.
fn editions(current: &Current, meta: &IndicatorMeta, selection: &Selection) -> Result<Vec<Long>, Problem> {
    let (mut found, mut refused) = (Vec::new(), None);
    for edition in current.editions() {
        let mut selection = selection.clone();
        selection.edition = Some(edition.edition);
        match current.rows(&selection) {
            Ok(rows) => found.push(Long::new(meta, &rows).map_err(|e| internal(&e))?),
            Err(error) if error.why == query::selection::Why::UnknownCode => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        Some(error) if found.is_empty() => Err(error.into()),
        _ => Ok(found),
    }
}

/// The vintages of each key, in the order in which the newest edition has them; keys that only older ones have are last.
fn vintages(editions: &[Long]) -> Vec<Vec<Vintage>> {
    let mut keys: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for long in editions.iter().rev() {
        for row in 0..long.len {
            let next = keys.len();
            keys.entry(long.key(row)).or_insert(next);
        }
    }
    let mut vintages: Vec<Vec<Vintage>> = keys.values().map(|_| Vec::new()).collect();
    for (at, long) in editions.iter().enumerate() {
        for row in 0..long.len {
            let Some(of_key) = keys.get(&long.key(row)).and_then(|key| vintages.get_mut(*key)) else { continue };
            let before = of_key.last().map(|last: &Vintage| {
                // An edition between them does not have the key.
                last.edition + 1 != at || observation(&editions[last.edition], last.row) != observation(long, row)
            });
            of_key.push(Vintage { edition: at, row, changed: before });
        }
    }
    vintages
}

fn observation(long: &Long, row: usize) -> [Option<&str>; 5] {
    [
        long.value[row].as_deref(),
        long.lo95[row].as_deref(),
        long.hi95[row].as_deref(),
        Some(long.obs_status.of(row)),
        Some(long.conf_status.of(row)),
    ]
}

fn cells(long: &Long, vintage: &Vintage) -> Vec<Value> {
    let row = vintage.row;
    let edition = &long.edition;
    let mut cells: Vec<Value> = long.key(row).into_iter().map(Value::from).collect();
    cells.extend([
        edition.edition.into(),
        edition.as_of.as_str().into(),
        edition.published_at.as_str().into(),
        number(long.value[row].as_ref()),
        number(long.lo95[row].as_ref()),
        number(long.hi95[row].as_ref()),
        long.obs_status.of(row).into(),
        long.conf_status.of(row).into(),
        vintage.changed.into(),
    ]);
    cells
}

fn csv(columns: &[String], rows: impl Iterator<Item = Vec<Value>>) -> Vec<u8> {
    let mut out = columns.join(",").into_bytes();
    out.push(b'\n');
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            match cell {
                Value::Null => {}
                Value::String(text) => render::csv_text(&mut out, text),
                other => out.extend_from_slice(other.to_string().as_bytes()),
            }
        }
        out.push(b'\n');
    }
    out
}
