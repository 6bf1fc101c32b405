//! The document of the API, made from the handlers, with the filters and codes that the catalogue has.

use query::{Catalogue, CodeListMeta};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::problem::{Content, Meaning, PlaceView, RewriteView, SdmxError};
use crate::{
    archive, areas, data, dcat, events, feeds, indicators, methodology, operate, package, people, questionnaire, queue,
    reference, releases, revisions, saved, sdmx, session, sql,
};

/// More codes than this are left to the code list.
const LISTED: usize = 40;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Amanat",
        description = "National indicators on human trafficking: published numbers by HTTP and SQL. Every value has an \
            interval and a status; nothing here is about one person.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    paths(
        indicators::list, indicators::one, data::data, revisions::revisions, package::of_indicator, events::events,
        questionnaire::list, questionnaire::one, releases::calendar, releases::feed, dcat::dcat, package::of_edition, package::file, archive::archive, reference::editions, reference::edition,
        reference::code_lists, reference::code_list, areas::areas, sql::ask, saved::list, saved::one, saved::data, saved::save, saved::remove, session::whose, session::open, session::end, session::welcome, people::everybody, people::invite,
        people::remove, queue::waiting, queue::decide_link, queue::decide_conflict, feeds::all, feeds::one, methodology::methodology, sdmx::data_of_flow,
        sdmx::data_of_version, sdmx::data_of_key, sdmx::artefacts, sdmx::artefacts_of_agency, sdmx::artefacts_of_id,
        sdmx::artefacts_of_version, operate::index, operate::healthz, operate::readyz,
        operate::metrics, operate::openapi, operate::problems, operate::problem
    ),
    components(schemas(Content, SdmxError, PlaceView, Meaning, RewriteView)),
    tags(
        (name = "indicators", description = "Indicators by filters"),
        (name = "editions", description = "Numbered, immutable publications"),
        (name = "questionnaires", description = "Forms of others, filled from an edition"),
        (name = "code lists", description = "Codes with labels in English and Urdu"),
        (name = "sdmx", description = "The indicators by SDMX 3.0"),
        (name = "sql", description = "Questions in SQL"),
        (name = "questions", description = "Saved questions"),
        (name = "people", description = "Coming in, and letting in"),
        (name = "steward", description = "What waits for the steward, her word, and how good feeds are"),
        (name = "operation", description = "Health, metrics, this document")
    )
)]
struct Document;

/// The document for this catalogue.
pub(crate) fn document(catalogue: &Catalogue) -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, operations) in paths.iter_mut().filter_map(|(path, of)| Some((path, of.as_object_mut()?))) {
            operations.values_mut().for_each(with_problems);
            let parameters = operations.get_mut("get").and_then(|get| get.get_mut("parameters")?.as_array_mut());
            let Some(parameters) = parameters else { continue };
            for parameter in parameters.iter_mut() {
                refine(path, parameter);
            }
            if ["/v1/indicators/{id}/data", "/v1/indicators/{id}/revisions"].contains(&path.as_str()) {
                parameters.extend(dimensions(catalogue));
            }
        }
    }
    // The catalogue of utoipa has no word for a value of one of several types.
    let param = json!({"type": "array", "items": {"type": ["null", "boolean", "number", "string"]}});
    if let Some(params) = document.pointer_mut("/components/schemas/Question/properties/params")
        && let (Some(params), Some(param)) = (params.as_object_mut(), param.as_object())
    {
        params.extend(param.clone());
    }
    document
}

/// Every operation may answer with a problem.
fn with_problems(operation: &mut Value) {
    let problem = json!({
        "description": "What is wrong, and what to do instead (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    });
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.insert("default".to_owned(), problem);
    }
}

/// What `format=` may be at an address.
fn formats(path: &str) -> Vec<&'static str> {
    match path {
        "/v1/indicators/{id}/data" => data::format_names().to_vec(),
        "/v1/indicators/{id}/revisions" => vec!["json", "csv"],
        "/v1/calendar" => vec!["json", "ics"],
        "/v1/questionnaires/{form}" => questionnaire::format_names(),
        "/v1/questions/{name}/data" => vec!["json", "csv", "arrow", "parquet"],
        _ => vec!["sdmx-json", "sdmx-csv", "sdmx-csv-1.0"],
    }
}

/// The form of each parameter. Several values may be repeated or separated by commas.
fn refine(path: &str, parameter: &mut Value) {
    let period = r"^([0-9]{4}(-Q[1-4])?|FY[0-9]{4}-[0-9]{2})$";
    let schema = match parameter["name"].as_str() {
        Some("measure") => json!({"type": "array", "items": {"type": "string"}}),
        Some("time_period") => {
            json!({"type": "array", "items": {"type": "string", "pattern": format!("{period}|^_X$")}})
        }
        Some("from" | "to") => json!({"type": "string", "pattern": period}),
        Some("edition") => json!({"type": "string", "pattern": "^([1-9][0-9]*|latest)$", "default": "latest"}),
        Some("as_known_on" | "at") => json!({"type": "string", "format": "date"}),
        Some("format") => json!({"type": "string", "enum": formats(path)}),
        Some("bom" | "includeHistory") => json!({"type": "boolean", "default": false}),
        Some("limit" | "firstNObservations" | "lastNObservations") => json!({"type": "integer", "minimum": 1}),
        Some("offset") => json!({"type": "integer", "minimum": 0}),
        Some("lang") => json!({"type": "string", "enum": ["en", "ur"], "default": "en"}),
        Some("context") => json!({"type": "string", "enum": ["dataflow", "datastructure", "*"]}),
        Some("dimensionAtObservation") => json!({"type": "string", "enum": ["TIME_PERIOD", "AllDimensions"]}),
        Some("after") => json!({"type": "string", "pattern": "^[0-9a-f]{16}$"}),
        _ => return,
    };
    parameter["schema"] = schema;
}

/// A filter for each dimension that any indicator has.
fn dimensions(catalogue: &Catalogue) -> Vec<Value> {
    let mut filters: Map<String, Value> = Map::new();
    for indicator in &catalogue.indicators {
        for dimension in &indicator.dimensions {
            let list = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name));
            let of: Vec<&str> = catalogue
                .indicators
                .iter()
                .filter(|i| i.dimension(&dimension.name).is_some())
                .map(|i| i.id.as_str())
                .collect();
            let codes = list.map(|l| format!(" Codes: /v1/code-lists/{}.", l.name)).unwrap_or_default();
            filters.entry(dimension.name.clone()).or_insert_with(|| {
                json!({
                    "name": dimension.name,
                    "in": "query",
                    "required": false,
                    "description": format!("{} Of {}.{codes} Also _T total, _Z not applicable, _X unknown.",
                        dimension.title.en, of.join(", ")),
                    "style": "form",
                    "explode": true,
                    "schema": {"type": "array", "items": codes_of(list)}
                })
            });
        }
    }
    filters.into_iter().map(|(_, filter)| filter).collect()
}

fn codes_of(list: Option<&CodeListMeta>) -> Value {
    match list {
        Some(list) if list.codes.len() <= LISTED => {
            let own = list.codes.iter().map(|c| c.code.as_str());
            let common = query::selection::COMMON_CODES.into_iter().filter(|c| list.codes.iter().all(|o| o.code != *c));
            json!({"type": "string", "enum": own.chain(common).collect::<Vec<_>>()})
        }
        _ => json!({"type": "string"}),
    }
}
