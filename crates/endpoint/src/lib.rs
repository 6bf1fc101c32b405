//! The readers' doors: SQL over HTTP and by clients of PostgreSQL and Arrow Flight SQL, the indicator API, and the pages over both.
//!
//! Absent: plans, tables, the lake. What a door gives comes from [`query::Reader`] and from nowhere else.

mod archive;
mod areas;
mod bodies;
mod citation;
mod codes;
mod data;
mod dcat;
mod docs;
mod events;
mod feeds;
mod flight;
mod gate;
#[cfg(test)]
#[path = "../../../fuzz/src/endpoint/mod.rs"]
mod held_to;
mod indicators;
mod jsonstat;
mod kept;
mod labels;
mod layers;
mod long;
mod methodology;
mod negotiate;
pub mod office;
mod oidc;
mod openapi;
mod operate;
mod package;
mod pages;
mod people;
mod postgres;
mod problem;
pub mod questionnaire;
mod questions;
mod queue;
mod ready;
mod reference;
mod releases;
mod render;
mod request;
mod revisions;
mod saved;
mod sdmx;
#[cfg(test)]
mod seeds;
mod serve;
mod session;
mod sql;
mod tls;
mod visitor;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

pub use docs::ReferencePage;
pub use feeds::{
    Feed, FeedAlert, FeedCompleteness, FeedContradiction, FeedExpected, FeedMonth, FeedSummary, FeedTrend, FeedType,
    FeedVersions, Feeds,
};
pub use flight::{FlightSettings, serve_flight};
pub use gate::{Decided, Decision, Gate, GateSettings, NOBODY, Record, Register};
pub use oidc::{Oidc, OidcSettings, Secret};
pub use people::welcome_link;
pub use postgres::{PostgresSettings, is_reading_a_message, serve_postgres};
pub use questions::{Questions, Shelf};
pub use queue::{Conflict, Content, Difference, NotSaid, Pair, Queue, Said, Waiting, Word};
pub use ready::Doors;
pub use releases::Release;
pub use serve::{Patience, Peer, serve, serve_encrypted};
pub use sql::{answer_as_csv, answer_as_json};
pub use tls::{Tls, TlsError, fingerprint};

use crate::bodies::Bodies;
use crate::problem::{Kind, Problem};

/// Text of `/metrics` in Prometheus' exposition format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// A dependency that `/readyz` asks for: its name, and None when it is ready or one sentence why it is not.
pub type Check = (&'static str, Arc<dyn Fn() -> Option<String> + Send + Sync>);

/// How the door is built.
#[derive(Clone)]
pub struct Settings {
    /// What `/metrics` shows, to a client on this machine; without it the route answers 404.
    pub metrics: Option<MetricsText>,
    /// What must hold for `/readyz` beside a published edition.
    pub checks: Vec<Check>,
    /// Greatest body of a request, bytes.
    pub body_limit: usize,
    /// Longest time of a request that is not a question in SQL (those have their own limit).
    pub request_timeout: Duration,
    /// Longest time in which a client takes the answer to a question.
    pub answer_timeout: Duration,
    /// Who comes in.
    pub gate: Arc<Gate>,
    /// The OpenID provider by which people sign in, where there is one; [`Settings::public_url`] is where it sends them back.
    pub oidc: Option<Arc<Oidc>>,
    /// The saved questions.
    pub questions: Arc<Questions>,
    /// What waits for the steward; without it that is not known here.
    pub queue: Option<Arc<dyn Queue>>,
    /// How good each agency's feed is; without it that is not known here.
    pub feeds: Option<Arc<dyn Feeds>>,
    /// Whether every request passes a proxy that says in `X-Forwarded-For` whom it asks for.
    pub behind_proxy: bool,
    /// Address under which the service is public, without a slash at its end: citations and links begin with it. Without it
    /// they are paths.
    pub public_url: Option<String>,
    /// Pages of the documentation that the program writes of itself.
    pub reference: Vec<ReferencePage>,
    /// Licence of the published numbers: a URL.
    pub licence: String,
    /// Releases that are planned.
    pub calendar: Vec<Release>,
    /// Streams of `/v1/events` that may be open at once.
    pub streams: usize,
    /// Cancelled when the service stops: streams end.
    pub stop: CancellationToken,
    /// When the definitions that this service was made with came into force: its start, for they are part of the program.
    pub defined_at: SystemTime,
}

impl Default for Settings {
    /// No metrics, no checks, 64 KiB, 10 s, 60 s, nobody but the public, no provider, the saved questions of the program, no queue, no feeds, no proxy, no public address, CC BY 4.0, nothing planned, 10,000 streams, defined since ever.
    fn default() -> Self {
        Self {
            metrics: None,
            checks: Vec::new(),
            body_limit: 64 << 10,
            request_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            gate: Arc::default(),
            oidc: None,
            questions: Arc::default(),
            queue: None,
            feeds: None,
            behind_proxy: false,
            public_url: None,
            reference: Vec::new(),
            licence: LICENCE.to_owned(),
            calendar: Vec::new(),
            streams: 10_000,
            stop: CancellationToken::new(),
            defined_at: SystemTime::UNIX_EPOCH,
        }
    }
}

/// Licence of published numbers where the operator names none: they may be used by anybody who says whose they are.
pub const LICENCE: &str = "https://creativecommons.org/licenses/by/4.0/";

/// Path of questions in SQL; they have a limit of their own.
const SQL: &str = "/v1/sql";

/// Paths for those who run the service: no page of another origin reads them.
const OPERATORS: [&str; 3] = ["/healthz", "/readyz", METRICS];

/// Path of the metrics: shown to this machine, and to who runs the service.
const METRICS: &str = "/metrics";

/// Paths of people: no page of another origin reads them, and they change something.
const PEOPLE: [&str; 11] = [
    "/v1/session",
    "/v1/welcome",
    "/v1/people",
    "/v1/people/{name}",
    "/v1/queue",
    "/v1/queue/links",
    "/v1/queue/conflicts",
    "/v1/feeds",
    "/v1/feeds/{agency}",
    oidc::BEGIN,
    oidc::RETURN,
];

/// What the handlers share.
struct Door {
    reader: query::Reader,
    settings: Settings,
    bodies: Bodies,
    docs: docs::Docs,
    /// Places for streams of events.
    streams: Arc<Semaphore>,
}

type Route = (&'static str, &'static str, MethodRouter<Arc<Door>>);

const READ: &str = "GET, HEAD, OPTIONS";
const ASK: &str = "POST, OPTIONS";
const COME: &str = "GET, HEAD, POST, DELETE, OPTIONS";
const INVITE: &str = "GET, HEAD, POST, OPTIONS";
const TAKE_OUT: &str = "DELETE, OPTIONS";
const KEEP: &str = "GET, HEAD, PUT, DELETE, OPTIONS";

/// Every path with the methods that it takes and what answers.
fn routes() -> Vec<Route> {
    // An answer to a question has no tag, so the layer may code it as it goes.
    let parquet = NotForContentType::const_new("application/vnd.apache.parquet");
    let coded = CompressionLayer::new().compress_when(DefaultPredicate::new().and(parquet));
    vec![
        ("/", READ, get(operate::index)),
        ("/v1/indicators", READ, get(indicators::list)),
        ("/v1/indicators/{id}", READ, get(indicators::one)),
        ("/v1/indicators/{id}/data", READ, get(data::data)),
        ("/v1/indicators/{id}/revisions", READ, get(revisions::revisions)),
        ("/v1/indicators/{id}/datapackage.json", READ, get(package::of_indicator)),
        ("/v1/editions", READ, get(reference::editions)),
        ("/v1/editions/{number}", READ, get(reference::edition)),
        ("/v1/editions/{number}/datapackage.json", READ, get(package::of_edition)),
        ("/v1/editions/{number}/data/{file}", READ, get(package::file)),
        ("/v1/editions/{number}/archive.zip", READ, get(archive::archive)),
        ("/v1/questionnaires", READ, get(questionnaire::list)),
        ("/v1/questionnaires/{form}", READ, get(questionnaire::one)),
        ("/v1/calendar", READ, get(releases::calendar)),
        ("/v1/feed.atom", READ, get(releases::feed)),
        ("/v1/dcat.jsonld", READ, get(dcat::dcat)),
        ("/v1/code-lists", READ, get(reference::code_lists)),
        ("/v1/code-lists/{name}", READ, get(reference::code_list)),
        ("/v1/areas", READ, get(areas::areas)),
        ("/v1/events", READ, get(events::events)),
        ("/v1/methodology", READ, get(methodology::methodology)),
        ("/sdmx/v2/data/{context}/{agencyID}/{resourceID}", READ, get(sdmx::data_of_flow)),
        ("/sdmx/v2/data/{context}/{agencyID}/{resourceID}/{version}", READ, get(sdmx::data_of_version)),
        ("/sdmx/v2/data/{context}/{agencyID}/{resourceID}/{version}/{key}", READ, get(sdmx::data_of_key)),
        ("/sdmx/v2/structure/{artefactType}", READ, get(sdmx::artefacts)),
        ("/sdmx/v2/structure/{artefactType}/{agencyID}", READ, get(sdmx::artefacts_of_agency)),
        ("/sdmx/v2/structure/{artefactType}/{agencyID}/{resourceID}", READ, get(sdmx::artefacts_of_id)),
        ("/sdmx/v2/structure/{artefactType}/{agencyID}/{resourceID}/{version}", READ, get(sdmx::artefacts_of_version)),
        (SQL, ASK, post(sql::ask).layer(coded)),
        ("/v1/questions", READ, get(saved::list)),
        ("/v1/questions/{name}", KEEP, get(saved::one).put(saved::save).delete(saved::remove)),
        (saved::DATA, READ, get(saved::data)),
        ("/v1/session", COME, get(session::whose).post(session::open).delete(session::end)),
        ("/v1/welcome", ASK, post(session::welcome)),
        ("/v1/people", INVITE, get(people::everybody).post(people::invite)),
        ("/v1/people/{name}", TAKE_OUT, delete(people::remove)),
        ("/v1/queue", READ, get(queue::waiting)),
        ("/v1/queue/links", ASK, post(queue::decide_link)),
        ("/v1/queue/conflicts", ASK, post(queue::decide_conflict)),
        ("/v1/feeds", READ, get(feeds::all)),
        ("/v1/feeds/{agency}", READ, get(feeds::one)),
        ("/healthz", READ, get(operate::healthz)),
        ("/readyz", READ, get(operate::readyz)),
        ("/metrics", READ, get(operate::metrics)),
        ("/openapi.json", READ, get(operate::openapi)),
        ("/problems", READ, get(operate::problems)),
        ("/problems/{code}", READ, get(operate::problem)),
    ]
}

/// The methods of a path template.
fn allowed(path: &str) -> Option<&'static str> {
    static ALLOWED: LazyLock<HashMap<&'static str, &'static str>> =
        LazyLock::new(|| paths().chain(pages::routes().into_iter().map(|(path, _)| (path, READ))).collect());
    ALLOWED.get(path).copied()
}

/// Every path template of the API with the methods that it takes, as in `Allow`. Pages are for people and not described there.
pub fn paths() -> impl Iterator<Item = (&'static str, &'static str)> {
    routes().into_iter().map(|(path, methods, _)| (path, methods))
}

/// Every address that is served, written as in `access.toml`: the method and the path template.
pub fn served() -> impl Iterator<Item = &'static str> {
    static SERVED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let pages = pages::routes().into_iter().map(|(path, _)| (path, READ));
        let methods = |allow: &'static str| allow.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method));
        paths().chain(pages).flat_map(|(path, allow)| methods(allow).map(move |m| format!("{m} {path}"))).collect()
    });
    SERVED.iter().map(String::as_str)
}

/// All doors over one reader.
pub fn doors(reader: query::Reader, settings: Settings) -> Doors {
    routed(door(reader, settings))
}

/// All doors over one reader, and the work that makes the answers of saved questions with each edition, until the service stops.
pub fn open(reader: query::Reader, settings: Settings) -> (Doors, impl Future<Output = ()> + Send + 'static) {
    let door = door(reader, settings);
    (routed(Arc::clone(&door)), saved::keep_fresh(door))
}

fn door(reader: query::Reader, settings: Settings) -> Arc<Door> {
    layers::describe();
    let streams = Arc::new(Semaphore::new(settings.streams.min(Semaphore::MAX_PERMITS)));
    let docs = docs::Docs::new(&reader, &settings.reference);
    Arc::new(Door { reader, settings, bodies: Bodies::default(), docs, streams })
}

fn routed(door: Arc<Door>) -> Doors {
    let router = routes().into_iter().fold(Router::new(), |router, (path, _, handler)| router.route(path, handler));
    let router = pages::routes().into_iter().fold(router, |router, (path, handler)| router.route(path, handler));
    let reader = door.reader.clone();
    let router = router
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(&door), layers::guard))
        .layer(from_fn_with_state(Arc::clone(&door), visitor::admit))
        .layer(from_fn_with_state(Arc::clone(&door), layers::dress))
        .layer(from_fn(layers::observe))
        .with_state(door);
    Doors::new(router, reader)
}

/// `/metrics` alone, for an address that only operators reach: there the address is the guard, not the peer.
pub fn metrics_router(text: MetricsText) -> Router {
    Router::new().route("/metrics", get(move || async move { operate::exposition(&text) }))
}

async fn nothing_here(uri: Uri, asked: HeaderMap) -> Response {
    if pages::wanted(&asked) && !uri.path().starts_with("/v1/") {
        return pages::shell(&asked, StatusCode::NOT_FOUND);
    }
    let hint = "GET / lists what there is, GET /openapi.json says how to ask.";
    Problem::new(Kind::NotFound, "No such address.", hint).into_response()
}

async fn other_method() -> Problem {
    let hint = "The header Allow has the methods that it takes.";
    Problem::new(Kind::MethodNotAllowed, "The address takes other methods.", hint)
}
