//! The indicators by SDMX 3.0: the REST interface (`/sdmx/v2/`), structures and data.
//!
//! <https://github.com/sdmx-twg/sdmx-rest>. Supported of data queries: key, `c`, `asOf`, `includeHistory`,
//! `firstNObservations`, `lastNObservations`, `dimensionAtObservation`, `attributes`, `measures`, `offset`, `limit`. What the
//! standard has beside these is refused by name with 501, never passed over. Absent: XML, availability, metadata.

mod filter;
#[cfg(test)]
#[path = "../../../../fuzz/src/endpoint/sdmx.rs"]
pub(crate) mod held_to;
mod message;
mod model;
mod request;
mod structure;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use query::{EditionMeta, known};

pub(crate) use message::{Csv, Shape, csv, data_message};
pub(crate) use model::AGENCY;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::Citation;
use crate::negotiate::{self, Format};
use crate::problem::{Kind, Problem};
use crate::request::{Pairs, Segments};
use request::{Asked, At};

const DATA: [Format; 3] = [Format::SdmxJson, Format::SdmxCsv, Format::SdmxCsv1];

/// The data of a dataflow: every series.
#[utoipa::path(get, path = "/sdmx/v2/data/{context}/{agencyID}/{resourceID}", tag = "sdmx",
    params(
        ("context" = String, Path, description = "dataflow or datastructure", example = "dataflow"),
        ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
        ("resourceID" = String, Path, description = "Id of the indicator", example = "V01"),
        ("c" = Option<std::collections::HashMap<String, String>>, Query, style = DeepObject, explode,
            description = "Filters by component: c[TIME_PERIOD]=ge:2020+le:2024"),
        ("asOf" = Option<String>, Query, description = "The newest edition published up to this moment, or by the end of this day in Pakistan"),
        ("includeHistory" = Option<bool>, Query, description = "One data set for each edition"),
        ("dimensionAtObservation" = Option<String>, Query, description = "TIME_PERIOD (series) or AllDimensions (table)"),
        ("firstNObservations" = Option<u32>, Query, description = "The first so many observations of each series"),
        ("lastNObservations" = Option<u32>, Query, description = "The last so many observations of each series"),
        ("attributes" = Option<String>, Query, description = "dsd, all, none, dataset, obs, series, or ids"),
        ("measures" = Option<String>, Query, description = "all, none, or OBS_VALUE"),
        ("offset" = Option<u32>, Query, description = "Observations to leave out at the beginning"),
        ("limit" = Option<u32>, Query, description = "At most so many observations"),
        ("format" = Option<String>, Query, description = "sdmx-json, sdmx-csv or sdmx-csv-1.0; goes before Accept")),
    responses(
        (status = 200, description = "The data", content((Object = "application/vnd.sdmx.data+json"),
            (String = "application/vnd.sdmx.data+csv")),
            headers(("ETag" = String, description = "Strong; another for each coding"))),
        (status = 204, description = "Nothing fits"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn data_of_flow(
    State(door): State<Arc<Door>>,
    parts: Segments,
    pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    data(door, &parts, pairs, asked).await.map_err(Problem::for_sdmx)
}

/// The same of a version of the dataflow.
#[utoipa::path(get, path = "/sdmx/v2/data/{context}/{agencyID}/{resourceID}/{version}", tag = "sdmx",
    params(
        ("context" = String, Path, description = "dataflow or datastructure", example = "dataflow"),
        ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
        ("resourceID" = String, Path, description = "Id of the indicator", example = "V01"),
        ("version" = String, Path, description = "1.0.0, or *, +, ~", example = "1.0.0")),
    responses(
        (status = 200, description = "The data", content((Object = "application/vnd.sdmx.data+json"),
            (String = "application/vnd.sdmx.data+csv"))),
        (status = 204, description = "Nothing fits"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn data_of_version(
    State(door): State<Arc<Door>>,
    parts: Segments,
    pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    data(door, &parts, pairs, asked).await.map_err(Problem::for_sdmx)
}

/// The same of the series of a key.
#[utoipa::path(get, path = "/sdmx/v2/data/{context}/{agencyID}/{resourceID}/{version}/{key}", tag = "sdmx",
    params(
        ("context" = String, Path, description = "dataflow or datastructure", example = "dataflow"),
        ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
        ("resourceID" = String, Path, description = "Id of the indicator", example = "V01"),
        ("version" = String, Path, description = "1.0.0, or *, +, ~", example = "1.0.0"),
        ("key" = String, Path, description = "FREQ.MEASURE. and the dimensions; empty or * for every code, + joins codes, \
            a comma joins keys", example = "A.*")),
    responses(
        (status = 200, description = "The data", content((Object = "application/vnd.sdmx.data+json"),
            (String = "application/vnd.sdmx.data+csv"))),
        (status = 204, description = "Nothing fits"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn data_of_key(
    State(door): State<Arc<Door>>,
    parts: Segments,
    pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    data(door, &parts, pairs, asked).await.map_err(Problem::for_sdmx)
}

async fn data(door: Arc<Door>, parts: &Segments, mut pairs: Pairs, headers: HeaderMap) -> Result<Response, Problem> {
    let catalogue = door.reader.catalogue();
    let context = parts.part("context", "*");
    if !["dataflow", "datastructure", "*"].contains(&context) {
        let hint = "Data are kept by dataflow or datastructure; there are no provision agreements.";
        return Err(Problem::new(Kind::NotFound, "There are no data of that context.", hint));
    }
    let (agency, version) = (parts.part("agencyID", "*"), parts.part("version", "*"));
    let named = pairs.take("format");
    let format = negotiate::format(&headers, named.as_deref(), &DATA)?;
    let is_ours = agency.split(',').any(|a| a == "*" || a.eq_ignore_ascii_case(AGENCY));
    if !is_ours || !version.split(',').any(|wanted| structure::is_version(wanted, model::VERSION)) {
        let hint = format!("Every dataflow is of {AGENCY}, in version {}; * takes any.", model::VERSION);
        return Err(Problem::new(Kind::NotFound, "There is no such dataflow.", hint));
    }
    let resource = parts.part("resourceID", "");
    let id = if context == "dataflow" { resource } else { resource.strip_prefix("DSD_").unwrap_or(resource) };
    let question = Asked::read(catalogue, id, parts.part("key", "*"), pairs)?;
    let current = door.reader.current();
    let editions = chosen(current.editions(), question.at);
    let newest = editions.last().cloned().ok_or_else(|| no_edition(&current))?;
    let freshness = if question.at == At::Latest { Freshness::Minute } else { Freshness::Ask };
    let mut shared = Shared::of(Some(&newest), &question.key, format, freshness).same_for_all();
    let citation = Citation::of_rows(&door.settings, &question.meta, &question.selection, &newest);
    let described = format!("/sdmx/v2/structure/dataflow/{AGENCY}/{}/+?references=all", question.meta.id);
    shared.headers.extend(citation.links(&described));
    let own = Arc::clone(&door);
    let make = move || {
        let mut sets = Vec::new();
        for edition in &editions {
            sets.push(question.rows(&current, edition.edition)?);
        }
        let count = sets.iter().map(|long| long.len).sum();
        let bytes = match format {
            Format::SdmxCsv => csv(&question.meta, &sets, Csv::Two),
            Format::SdmxCsv1 => csv(&question.meta, &sets, Csv::One),
            _ if count == 0 => Vec::new(),
            _ => data_message(own.reader.catalogue(), &question.meta, sets, &question.shape)?,
        };
        Ok(Whole { bytes, rows: Some(count), headers: Vec::new() })
    };
    let response = door.bodies.answer(&headers, shared, make).await?;
    // SDMX: a lack of results is no error, and has no body.
    if response.headers().get(crate::bodies::ROWS).is_some_and(|rows| rows == "0") {
        let (mut head, _) = response.into_parts();
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LENGTH] {
            head.headers.remove(name);
        }
        let status = if head.status == StatusCode::OK { StatusCode::NO_CONTENT } else { head.status };
        return Ok((status, head.headers).into_response());
    }
    Ok(response)
}

fn no_edition(current: &query::Current) -> Problem {
    match current.latest() {
        Some(_) => {
            let hint = "GET /v1/editions says when each was published.";
            Problem::new(Kind::NotFound, "Nothing had been published by then.", hint)
        }
        None => query::selection::Unselected {
            why: query::selection::Why::NoEdition,
            detail: "Nothing has been published yet.".into(),
            hint: "Ask again when the first edition is published; GET /readyz tells.".into(),
        }
        .into(),
    }
}

/// The editions that are asked for, oldest first.
fn chosen<'a>(mut all: impl DoubleEndedIterator<Item = &'a EditionMeta>, at: At) -> Vec<EditionMeta> {
    let until = |moment: DateTime<Utc>| move |(_, at): &(&EditionMeta, DateTime<Utc>)| *at <= moment;
    match at {
        At::Latest => all.next_back().into_iter().cloned().collect(),
        At::AsOf(moment) => {
            known::published(all).take_while(until(moment)).last().map(|(e, _)| e.clone()).into_iter().collect()
        }
        At::History(None) => all.cloned().collect(),
        At::History(Some(moment)) => known::published(all).take_while(until(moment)).map(|(e, _)| e.clone()).collect(),
    }
}

macro_rules! structure_route {
    ($name:ident, $path:literal, $doc:literal, $($params:tt)*) => {
        #[doc = $doc]
        #[utoipa::path(get, path = $path, tag = "sdmx",
            params(
                ("artefactType" = String, Path, description = "dataflow, datastructure, codelist, conceptscheme, \
                    agencyscheme, or *", example = "dataflow"),
                $($params)*
                ("detail" = Option<String>, Query, description = "full, allstubs, referencestubs, …"),
                ("references" = Option<String>, Query, description = "none, children, descendants, parents, all, …")),
            responses(
                (status = 200, description = "The artefacts",
                    content((Object = "application/vnd.sdmx.structure+json"))),
                (status = 304, description = "Nothing new")))]
        pub(crate) async fn $name(
            State(door): State<Arc<Door>>,
            parts: Segments,
            pairs: Pairs,
            asked: HeaderMap,
        ) -> Result<Response, Problem> {
            structures(door, &parts, pairs, asked).await.map_err(Problem::for_sdmx)
        }
    };
}

structure_route!(artefacts, "/sdmx/v2/structure/{artefactType}", "Every artefact of a type.",);
structure_route!(
    artefacts_of_agency,
    "/sdmx/v2/structure/{artefactType}/{agencyID}",
    "The artefacts of a type that an agency maintains.",
    ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
);
structure_route!(
    artefacts_of_id,
    "/sdmx/v2/structure/{artefactType}/{agencyID}/{resourceID}",
    "Artefacts by id.",
    ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
    ("resourceID" = String, Path, description = "Ids, or *", example = "V01"),
);
structure_route!(
    artefacts_of_version,
    "/sdmx/v2/structure/{artefactType}/{agencyID}/{resourceID}/{version}",
    "Artefacts by id and version.",
    ("agencyID" = String, Path, description = "AMANAT, or *", example = "AMANAT"),
    ("resourceID" = String, Path, description = "Ids, or *", example = "V01"),
    ("version" = String, Path, description = "A version, or *, +, ~", example = "1.0.0"),
);

async fn structures(
    door: Arc<Door>,
    parts: &Segments,
    mut pairs: Pairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let named = pairs.take("format");
    let format = negotiate::format(&headers, named.as_deref(), &[Format::SdmxStructure])?;
    let (detail, references) = (pairs.take("detail"), pairs.take("references"));
    if pairs.take("asOf").is_some() {
        return Err(request::not_made("asOf", "Structures have one version each; data go back in time by asOf."));
    }
    pairs.none_left(&["detail", "references", "format"])?;
    let path = [
        parts.part("artefactType", "*"),
        parts.part("agencyID", "*"),
        parts.part("resourceID", "*"),
        parts.part("version", "~"),
    ];
    let query = structure::Query::read(door.reader.catalogue(), path, detail.as_deref(), references.as_deref())?;
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), &query.key, format, Freshness::Minute).defined(door.settings.defined_at);
    let own = Arc::clone(&door);
    let make = move || {
        let catalogue = own.reader.catalogue();
        let mut measures = std::collections::BTreeSet::new();
        for meta in &catalogue.indicators {
            measures.extend(current.measures(meta)?);
        }
        let measures: Vec<String> = measures.into_iter().collect();
        let latest = current.latest();
        let prepared = latest.map_or("1970-01-01T00:00:00Z", |e| e.published_at.as_str());
        query.message(catalogue, &measures, prepared, latest.is_some_and(|e| e.synthetic)).map(Whole::from)
    };
    door.bodies.answer(&headers, shared, make).await
}
