//! What every request passes: counted, dressed with headers, bounded in time, and caught when it breaks.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::problem::{Kind, Problem};
use crate::{Door, OPERATORS, PEOPLE, SQL, allowed, saved};

const SYNTHETIC: HeaderName = HeaderName::from_static("amanat-synthetic");

/// Headers that a page of another origin may read.
const EXPOSED: &str = "etag, last-modified, link, allow, retry-after, content-disposition, amanat-rows, amanat-sha256, amanat-edition, \
     amanat-limits, amanat-notes, amanat-synthetic";

/// The template of the address that was asked for; goes with the answer.
#[derive(Clone)]
pub(crate) struct Route(pub(crate) Arc<str>);

/// Counts requests of a route.
pub(crate) fn requests(route: &str, method: &str, status: &str) -> metrics::Counter {
    let [route, method, status] = [route, method, status].map(str::to_owned);
    metrics::counter!("amanat_http_requests_total", "route" => route, "method" => method, "status" => status)
}

/// Takes down how long requests of a route took.
pub(crate) fn durations(route: &str) -> metrics::Histogram {
    metrics::histogram!("amanat_http_request_duration_seconds", "route" => route.to_owned())
}

/// Counts the request and its time, by the template of its route; nothing that the client wrote becomes a label.
pub(crate) async fn observe(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route: Arc<str> = Arc::from(matched.as_ref().map_or("none", MatchedPath::as_str));
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let mut response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let took = began.elapsed();
    tracing::debug!(route = &*route, method, status, ms = took.as_millis() as u64, "request");
    durations(&route).record(took);
    requests(&route, &method, &status).increment(1);
    response.extensions_mut().insert(Route(route));
    response
}

/// Says what the measurements are.
pub(crate) fn describe() {
    metrics::describe_counter!("amanat_http_requests_total", "Requests answered, by route, method and status");
    metrics::describe_histogram!(
        "amanat_http_request_duration_seconds",
        metrics::Unit::Seconds,
        "Time from the request to the head of its answer, by route; answers that are given again are not timed"
    );
    metrics::describe_counter!("amanat_sql_refusals_total", "Questions refused, by code");
    // From the beginning, so that the first fault is a rise, too: what begins at one has not risen.
    metrics::counter!("amanat_sql_refusals_total", "code" => query::Code::ProtectedInternal.name()).increment(0);
}

/// Headers that all answers have, and the answer to OPTIONS.
pub(crate) async fn dress(
    State(door): State<Arc<Door>>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let is_private = |m: &MatchedPath| OPERATORS.contains(&m.as_str()) || PEOPLE.contains(&m.as_str());
    let shared = !matched.as_ref().is_some_and(is_private);
    let allow = matched.and_then(|m| allowed(m.as_str()));
    let method = request.method().clone();
    let mut response = match allow {
        Some(_) if method == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let status = response.status();
    let headers = response.headers_mut();
    if let Some(allow) = allow
        && (method == Method::OPTIONS || status == StatusCode::METHOD_NOT_ALLOWED)
    {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if shared && method == Method::OPTIONS && allow.is_some_and(|a| a.contains("GET")) {
        preflight(headers);
    }
    // What is for one reader alone is for no page of another origin.
    let is_private = headers.get(header::CACHE_CONTROL).is_some_and(|value| value.as_bytes().starts_with(b"private"));
    if shared && !is_private && matches!(method, Method::GET | Method::HEAD) {
        share(headers);
    }
    if status.is_client_error() || status.is_server_error() {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if door.reader.current().latest().is_some_and(|e| e.synthetic) {
        headers.insert(SYNTHETIC, HeaderValue::from_static("true"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    // A page says itself what it may load; data loads nothing.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    response
}

/// Any page may read what is public by GET. Nothing of it depends on who asks, and no page of another origin sends a session along.
fn share(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
}

fn preflight(headers: &mut HeaderMap) {
    share(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    let wanted = "accept, accept-language, content-type, if-none-match, if-modified-since, cache-control";
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(wanted));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
}

/// Ends a request past its time and one that breaks. A question in SQL has its own limit.
pub(crate) async fn guard(
    State(door): State<Arc<Door>>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let limit = door.settings.request_timeout;
    let done = if matched.is_some_and(|m| [SQL, saved::DATA].contains(&m.as_str())) {
        work.await
    } else {
        let Ok(done) = tokio::time::timeout(limit, work).await else {
            let detail = format!("The answer was not ready within {} s.", limit.as_secs_f64());
            return Problem::new(Kind::AnswerTimeout, detail, "Ask again, or for less at once.").into_response();
        };
        done
    };
    done.unwrap_or_else(|_| {
        tracing::error!("a request broke off");
        Problem::internal().into_response()
    })
}
