//! Data Packages (v2, <https://datapackage.org>): an indicator's or an edition's CSV files with what their columns mean.
//!
//! Codes stand in `constraints.enum`, which validators read, and not in `categories` alone, which they pass over
//! (users.md 5.2). Paths are relative, so that a package is the same over HTTP and in the archive.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use query::selection::{COMMON_CODES, Unselected, Why};
use query::{Catalogue, Current, Dimension, EditionMeta, IndicatorMeta, Rows, Selection};
use serde_json::{Value, json};

use crate::bodies::{Shared, Whole, sha256};
use crate::citation::{Citation, path_of};
use crate::data::{self, internal};
use crate::labels;
use crate::long::Long;
use crate::negotiate::Format;
use crate::problem::{Kind, Problem};
use crate::request::{Segment, Segments};
use crate::{Door, Settings};

/// A file of rows with what is said of it.
pub(crate) struct File {
    pub(crate) meta: IndicatorMeta,
    pub(crate) csv: Vec<u8>,
    pub(crate) long: Long,
}

impl File {
    /// The whole of an indicator in an edition.
    pub(crate) fn new(catalogue: &Catalogue, current: &Current, id: &str, edition: u32) -> Result<Self, Problem> {
        let mut selection = Selection::new(catalogue, id, [])?;
        selection.edition = Some(edition);
        let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?.clone();
        let rows: Rows = current.rows(&selection)?;
        let csv = data::csv(&meta, &rows, false).map_err(|e| internal(&e))?;
        let long = Long::new(&meta, &rows).map_err(|e| internal(&e))?;
        Ok(Self { meta, csv, long })
    }

    /// Its description in a package, at this path.
    fn resource(&self, catalogue: &Catalogue, path: &str) -> Value {
        json!({
            "name": self.meta.id.to_lowercase(),
            "type": "table",
            "path": path,
            "title": self.meta.title.en,
            "description": self.meta.description.en,
            "scheme": if path.starts_with("http") { "http" } else { "file" },
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": self.csv.len(),
            "hash": format!("sha256:{}", sha256(&self.csv)),
            "schema": {
                "fields": fields(catalogue, &self.meta, &self.long),
                "primaryKey": key(&self.meta),
                "missingValues": [""],
            },
        })
    }
}

fn key(meta: &IndicatorMeta) -> Vec<&str> {
    ["edition", "indicator", "measure", "time_period"]
        .into_iter()
        .chain(meta.dimensions.iter().map(|d| d.name.as_str()))
        .collect()
}

fn fields(catalogue: &Catalogue, meta: &IndicatorMeta, long: &Long) -> Vec<Value> {
    let plain = |name: &str, kind: &str, title: &str| json!({"name": name, "type": kind, "title": title});
    let coded = |name: &str, title: &str, codes: Vec<(String, String)>| {
        let values: Vec<&String> = codes.iter().map(|(code, _)| code).collect();
        let categories: Vec<Value> =
            codes.iter().map(|(value, label)| json!({"value": value, "label": label})).collect();
        json!({"name": name, "type": "string", "title": title, "constraints": {"required": true, "enum": values},
            "categories": categories})
    };
    let table = |table: &[(&str, &str, &str)]| -> Vec<(String, String)> {
        table.iter().map(|(code, en, _)| ((*code).to_owned(), (*en).to_owned())).collect()
    };
    let in_words = |codes: &[String]| codes.iter().map(|code| (code.clone(), labels::in_words(code))).collect();
    let mut period =
        plain("time_period", "string", "Year, quarter, fiscal year from July (FY), or _X where the time is unknown");
    period["constraints"] = json!({"required": true, "pattern": "[0-9]{4}(-Q[1-4])?|FY[0-9]{4}-[0-9]{2}|_X"});
    let mut all = vec![
        plain("edition", "integer", "Number of the edition"),
        coded("indicator", "Indicator", vec![(meta.id.clone(), meta.title.en.clone())]),
        coded("measure", "Measure", in_words(&long.measure.codes)),
        period,
    ];
    for dimension in &meta.dimensions {
        let codes = codes_of(catalogue, dimension);
        let title = dimension.title.en.as_str();
        // A dimension without a list takes any code.
        all.push(if codes.is_empty() {
            plain(&dimension.name, "string", title)
        } else {
            coded(&dimension.name, title, codes)
        });
    }
    all.extend([
        plain("value", "number", "Value; empty where it is suppressed"),
        plain("lo95", "number", "Lower end of the 95 % interval of the protection's noise"),
        plain("hi95", "number", "Upper end of the 95 % interval of the protection's noise"),
        coded("obs_status", "Status of the observation (SDMX)", table(&labels::OBS_STATUS)),
        coded("conf_status", "Confidentiality (SDMX)", table(&labels::CONF_STATUS)),
        coded("unit", "Unit", in_words(&long.unit.codes)),
        plain("as_of", "date", "Date up to which reports were counted"),
    ]);
    all
}

fn codes_of(catalogue: &Catalogue, dimension: &Dimension) -> Vec<(String, String)> {
    let Some(list) = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name)) else {
        return Vec::new();
    };
    let own = list.codes.iter().map(|c| c.code.as_str());
    let common = COMMON_CODES.into_iter().filter(|common| list.codes.iter().all(|c| c.code != *common));
    own.chain(common).map(|code| (code.to_owned(), labels::of_code(catalogue, dimension, code).en)).collect()
}

/// The description of these files, each at its path.
pub(crate) fn descriptor(
    settings: &Settings,
    catalogue: &Catalogue,
    edition: &EditionMeta,
    (name, title): (&str, &str),
    citation: &Citation,
    files: &[(String, File)],
) -> Value {
    let mut description = citation.text.clone();
    if edition.synthetic {
        description.push_str(" It is made up to try the system.");
    }
    json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": name,
        "id": crate::releases::urn(edition),
        "title": title,
        "description": description,
        "version": format!("{}.0.0", edition.edition),
        "created": edition.published_at,
        "licenses": [{"path": settings.licence, "title": "Licence of the numbers"}],
        "sources": [{"title": "Amanat, methodology", "path": citation.methodology}],
        "keywords": ["trafficking in persons", "official statistics"],
        "resources": files.iter().map(|(path, file)| file.resource(catalogue, path)).collect::<Vec<_>>(),
    })
}

/// The edition of that number, or the latest.
pub(crate) fn edition_named(current: &Current, text: &str) -> Result<EditionMeta, Problem> {
    let found = match text {
        "latest" => current.latest(),
        number => number.parse().ok().and_then(|n| current.edition(n)),
    };
    let none = || Unselected {
        why: Why::UnknownEdition,
        detail: "There is no such edition.".into(),
        hint: "GET /v1/editions lists them.".into(),
    };
    Ok(found.cloned().ok_or_else(none)?)
}

/// The rows of an indicator in the latest edition as a Data Package.
#[utoipa::path(get, path = "/v1/indicators/{id}/datapackage.json", tag = "indicators",
    params(("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01")),
    responses((status = 200, description = "Data Package v2", body = Object), (status = 304, description = "Nothing new")))]
pub(crate) async fn of_indicator(
    State(door): State<Arc<Door>>,
    Segment(id): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let selection = Selection::new(door.reader.catalogue(), &id, [])?;
    let edition = current.edition_of(&selection)?.clone();
    let key = format!("/v1/indicators/datapackage/{}", selection.indicator);
    let freshness = data::freshness(None, &edition);
    let shared = Shared::of(Some(&edition), &key, Format::Json, freshness).defined(door.settings.defined_at);
    let own = Arc::clone(&door);
    let make = move || {
        let catalogue = own.reader.catalogue();
        let file = File::new(catalogue, &current, &selection.indicator, edition.edition)?;
        let citation = Citation::of_rows(&own.settings, &file.meta, &selection, &edition);
        let (name, title) = (format!("amanat-{}", file.meta.id.to_lowercase()), file.meta.title.en.clone());
        // Beside this description: `data?…` of the same indicator, of this very edition.
        let path = path_of(&selection, edition.edition);
        let path = path.rsplit('/').next().map(|file| format!("{file}&format=csv")).ok_or_else(Problem::internal)?;
        let files = [(path, file)];
        Whole::json(&descriptor(&own.settings, catalogue, &edition, (&name, &title), &citation, &files))
    };
    door.bodies.answer(&asked, shared, make).await
}

/// An edition as a Data Package: every indicator's CSV.
#[utoipa::path(get, path = "/v1/editions/{number}/datapackage.json", tag = "editions",
    params(("number" = String, Path, description = "Number of the edition, or latest", example = "1")),
    responses((status = 200, description = "Data Package v2", body = Object), (status = 304, description = "Nothing new")))]
pub(crate) async fn of_edition(
    State(door): State<Arc<Door>>,
    Segment(number): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let edition = edition_named(&current, &number)?;
    let key = "/v1/editions/datapackage";
    let freshness = data::freshness(None, &edition);
    let shared = Shared::of(Some(&edition), key, Format::Json, freshness).defined(door.settings.defined_at);
    let own = Arc::clone(&door);
    let make = move || {
        let files = files(own.reader.catalogue(), &current, edition.edition)?;
        Whole::json(&edition_descriptor(&own, &edition, &files))
    };
    door.bodies.answer(&asked, shared, make).await
}

/// Every indicator's file of an edition, at its path in a package.
pub(crate) fn files(catalogue: &Catalogue, current: &Current, edition: u32) -> Result<Vec<(String, File)>, Problem> {
    let file =
        |meta: &IndicatorMeta| Ok((format!("data/{}.csv", meta.id), File::new(catalogue, current, &meta.id, edition)?));
    catalogue.indicators.iter().map(file).collect()
}

/// The description of a whole edition.
pub(crate) fn edition_descriptor(door: &Door, edition: &EditionMeta, files: &[(String, File)]) -> Value {
    let citation = Citation::of_edition(&door.settings, edition);
    let name = format!("amanat-edition-{}", edition.edition);
    let title = format!("Amanat: national indicators on trafficking in persons, edition {}", edition.edition);
    descriptor(&door.settings, door.reader.catalogue(), edition, (&name, &title), &citation, files)
}

/// A file of an edition, as its package names it.
#[utoipa::path(get, path = "/v1/editions/{number}/data/{file}", tag = "editions",
    params(("number" = String, Path, description = "Number of the edition, or latest", example = "1"),
        ("file" = String, Path, description = "Id of an indicator with .csv", example = "V01.csv")),
    responses((status = 200, description = "The rows as CSV", body = String, content_type = "text/csv"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn file(
    State(door): State<Arc<Door>>,
    parts: Segments,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let (number, file) = (parts.part("number", ""), parts.part("file", ""));
    let edition = edition_named(&current, number)?;
    let Some(id) = file.strip_suffix(".csv") else {
        let hint = "A file is the id of an indicator with .csv: V01.csv.";
        return Err(Problem::new(Kind::NotFound, "There is no such file.", hint));
    };
    let selection = Selection::new(door.reader.catalogue(), id, [])?;
    let named = (number != "latest").then_some(edition.edition);
    let key = format!("/v1/editions/data/{}", selection.indicator);
    let mut shared = Shared::of(Some(&edition), &key, Format::Csv, data::freshness(named, &edition));
    let meta = door.reader.catalogue().indicator(&selection.indicator).ok_or_else(Problem::internal)?;
    let citation = Citation::of_rows(&door.settings, meta, &selection, &edition);
    shared.headers.extend(citation.links(&format!("/v1/indicators/{}", meta.id)));
    let name = format!("attachment; filename=\"{}-edition-{}.csv\"", meta.id, edition.edition);
    shared.headers.extend(HeaderValue::from_str(&name).ok().map(|name| (header::CONTENT_DISPOSITION, name)));
    let own = Arc::clone(&door);
    let make = move || {
        let file = File::new(own.reader.catalogue(), &current, &selection.indicator, edition.edition)?;
        Ok(Whole { bytes: file.csv, rows: Some(file.long.len), headers: Vec::new() })
    };
    door.bodies.answer(&asked, shared, make).await
}
