//! For those who run the service, and those who find it: health, readiness, metrics, problems, the index.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bodies::{Freshness, Shared, Whole};
use crate::negotiate::Format;
use crate::problem::{self, Content, Kind, Meaning, Problem};
use crate::request::Segment;
use crate::visitor::Visitor;
use crate::{Door, METRICS, MetricsText, Peer, pages};

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Whether the process answers; nothing about what it depends on.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "It answers", body = Health)))]
pub(crate) async fn healthz() -> Response {
    unkept(Json(Health { status: "ok" }))
}

/// Questions can be answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    ready: bool,
    /// The latest edition.
    edition: u32,
}

/// Whether an edition is there and what the service depends on is well.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "Ready", body = Ready),
        (status = 503, description = "Not ready; `reasons` says why", body = Content, content_type = "application/problem+json")))]
pub(crate) async fn readyz(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    let edition = door.reader.current().latest().map(|e| e.edition);
    let failed = door.settings.checks.iter().filter_map(|(name, check)| Some(format!("{name}: {}", check()?)));
    let none = edition.is_none().then(|| "edition: nothing has been published yet".to_owned());
    let reasons: Vec<String> = none.into_iter().chain(failed).collect();
    match edition {
        Some(edition) if reasons.is_empty() => Ok(unkept(Json(Ready { ready: true, edition }))),
        _ => {
            let detail = format!("{} of the conditions do not hold.", reasons.len());
            Err(Problem::new(Kind::NotReady, detail, "Ask again in a few seconds.").reasons(reasons))
        }
    }
}

/// Metrics in the exposition format of Prometheus, to an operator, to a client on this machine and to no other: they count the
/// events of agencies, which nobody else is to know.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Metrics, to an operator and to a client on this machine", body = String, content_type = "text/plain"),
        (status = 404, description = "To any other", body = Content, content_type = "application/problem+json")))]
pub(crate) async fn metrics(
    State(door): State<Arc<Door>>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    visitor: Visitor,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let is_operators = door.reader.access().may_use(visitor.role(), &format!("GET {METRICS}"));
    let near = peer.is_some_and(|Extension(ConnectInfo(Peer(address)))| address.ip().to_canonical().is_loopback());
    match &door.settings.metrics {
        Some(text) if is_operators || near && !is_passed_on(&asked) => Ok(exposition(text)),
        _ => Err(Problem::new(Kind::NotFound, "Metrics are not shown here.", "They are a setting of the service.")),
    }
}

/// Whether a proxy on this machine asks for somebody else.
pub(crate) fn is_passed_on(asked: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| asked.contains_key(*name))
}

pub(crate) fn exposition(text: &MetricsText) -> Response {
    let mut response = unkept(text());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn unkept(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer).into_response()
}

/// What there is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Index {
    name: &'static str,
    version: &'static str,
    /// The latest edition; null before the first.
    edition: Option<u32>,
    /// True when the store holds synthetic people; null before the first edition.
    synthetic: Option<bool>,
    links: IndexLinks,
}

/// Addresses to begin with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IndexLinks {
    indicators: &'static str,
    editions: &'static str,
    code_lists: &'static str,
    /// POST a question in SQL.
    sql: &'static str,
    /// Questions that were saved, each with an address of its own.
    questions: &'static str,
    /// Forms of others, filled from an edition.
    questionnaires: &'static str,
    /// SDMX 3.0.
    sdmx: &'static str,
    /// What was published and what is planned.
    calendar: &'static str,
    feed: &'static str,
    /// Server-sent events.
    events: &'static str,
    dcat: &'static str,
    methodology: &'static str,
    openapi: &'static str,
    problems: &'static str,
    /// How to ask, for people.
    docs: &'static str,
    ready: &'static str,
}

/// What there is, and where; to a browser the first page instead.
#[utoipa::path(get, path = "/", tag = "operation",
    responses((status = 200, description = "The index", content((Index = "application/json"), (String = "text/html"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn index(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    if pages::wanted(&asked) {
        return Ok(pages::shell(&asked, StatusCode::OK));
    }
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/", Format::Json, Freshness::Ask).defined(door.settings.defined_at);
    let make = move || {
        Whole::json(&Index {
            name: "Amanat",
            version: env!("CARGO_PKG_VERSION"),
            edition: current.latest().map(|e| e.edition),
            synthetic: current.latest().map(|e| e.synthetic),
            links: IndexLinks {
                indicators: "/v1/indicators",
                editions: "/v1/editions",
                code_lists: "/v1/code-lists",
                sql: "/v1/sql",
                questions: "/v1/questions",
                sdmx: "/sdmx/v2/structure/dataflow",
                questionnaires: "/v1/questionnaires",
                calendar: "/v1/calendar",
                feed: "/v1/feed.atom",
                events: "/v1/events",
                dcat: "/v1/dcat.jsonld",
                methodology: "/v1/methodology",
                openapi: "/openapi.json",
                problems: "/problems",
                docs: "/docs",
                ready: "/readyz",
            },
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The document of this API: OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), (status = 304, description = "Nothing new")))]
pub(crate) async fn openapi(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let shared = Shared::of(None, "/openapi.json", Format::Json, Freshness::Ask);
    let reader = door.reader.clone();
    door.bodies.answer(&asked, shared, move || Whole::json(&crate::openapi::document(reader.catalogue()))).await
}

/// All codes of problems.
#[utoipa::path(get, path = "/problems", tag = "operation",
    responses((status = 200, description = "Codes of problems", body = Vec<Meaning>), (status = 304, description = "Nothing new")))]
pub(crate) async fn problems(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let shared = Shared::of(None, "/problems", Format::Json, Freshness::Ask);
    let make = || Whole::json(&problem::all().map(Meaning::from).collect::<Vec<_>>());
    door.bodies.answer(&asked, shared, make).await
}

/// What a code of a problem means; the `type` of a problem leads here.
#[utoipa::path(get, path = "/problems/{code}", tag = "operation",
    params(("code" = String, Path, description = "The code", example = "unknown_table")),
    responses((status = 200, description = "The code", body = Meaning), (status = 304, description = "Nothing new")))]
pub(crate) async fn problem(
    State(door): State<Arc<Door>>,
    Segment(code): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let found = problem::all().find(|(name, ..)| *name == code).ok_or_else(|| {
        Problem::new(Kind::NotFound, "There is no problem of that code.", "GET /problems lists them.")
    })?;
    let shared = Shared::of(None, &format!("/problems/{code}"), Format::Json, Freshness::Ask);
    door.bodies.answer(&asked, shared, move || Whole::json(&Meaning::from(found))).await
}
