//! The addresses of the door.
//!
//! One way for every request that brings a body: whose is it, is there room, what is it, take it in, judge it; to publish is then to
//! give what passed to the clerk and wait, to validate is to say what was found.

use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::body::{Coding, arrive, decode};
use super::book::{MOST_MAPPINGS, Repeat, Repeated};
use super::clerk::Job;
use super::documents::Form;
use super::hold::{Hold, KeyDigest};
use super::judge::{Desk, Judged, Purpose};
use super::metrics::Meters;
use super::problem::{Content, Kind, Meaning, Problem, Refused, meanings};
use super::receipt::{Answer, Followed, Kept, address, id_of};
use super::{Door, Inner, caller, open, openapi, own, pages};
use crate::csv::Mapping;
use crate::error::RegistryError;

/// Bodies up to this size are judged where they arrive: it takes microseconds.
const AT_ONCE: usize = 32 << 10;

/// Largest mapping, bytes.
const LONGEST_MAPPING: usize = 64 << 10;

/// Longest `Idempotency-Key`, bytes.
const LONGEST_KEY: usize = 255;

/// The door's addresses: data below `/v1/`, the page of an agency below `/agency`.
pub fn router(door: Door) -> Router {
    Router::new()
        .route("/v1/events", post(publish))
        .route("/v1/validate", post(validate))
        .route("/v1/corrections", post(own::corrections))
        .route("/v1/agency", get(own::agency))
        .route("/v1/receipts", get(own::receipts))
        .route("/v1/receipts/{id}", get(receipt))
        .route("/v1/set-aside", get(own::set_aside))
        .route("/v1/feed", get(own::feed))
        .route("/v1/feed/days", get(own::days))
        .route("/v1/templates/{type}/{file}", get(own::template))
        .route("/v1/mappings", get(mappings))
        .route("/v1/mappings/{name}", get(mapping).put(put_mapping))
        .route("/v1/problems", get(problems))
        .route("/v1/problems/{code}", get(problem))
        .route("/v1/openapi.json", get(document))
        .route("/v1/{*rest}", any(nothing))
        .merge(pages::router())
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::MethodNotAllowed, "This address does not take that method.", "See /v1/openapi.json.")
        })
        .with_state(door)
}

/// Both doors at one address: what is below `/v1/` and `/agency` is the door's, everything else the registry's; without a registry, nothing.
pub fn beside(door: Router, registry: Option<Router>) -> Router {
    match registry {
        Some(registry) => door.fallback_service(registry),
        None => door.fallback(nothing),
    }
}

pub(super) async fn nothing() -> Problem {
    Problem::new(Kind::NotFound, "There is nothing at this address.", "See /v1/openapi.json for those that there are.")
}

/// Send events.
///
/// One event, a batch, lines of NDJSON, or rows of CSV. Answered when what is accepted is durable in the log. The same request
/// with the same `Idempotency-Key` is answered with the first answer and appends nothing.
#[utoipa::path(post, path = "/v1/events", tag = "events", params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible characters, chosen by the sender; kept at least a day"),
        ("Content-Encoding" = Option<String>, Header, description = "gzip or zstd"),
        ("mapping" = Option<String>, Query, description = "of text/csv: the name of a mapping of this agency")),
    request_body(content = String, content_type = "application/cloudevents+json", description = "also application/json, application/cloudevents-batch+json, application/x-ndjson, text/csv"),
    responses((status = 202, description = "All are durable", body = Answer, headers(("Location" = String, description = "The receipt"))),
        (status = 207, description = "Some are durable, `results` says which", body = Answer),
        (status = 400, description = "Not what the media type says, or without an event", body = Content, content_type = "application/problem+json"),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 403, description = "Of another agency, or of a type that this one may not emit", body = Content, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time", body = Content, content_type = "application/problem+json"),
        (status = 409, description = "A request with this Idempotency-Key is at work", body = Content, content_type = "application/problem+json"),
        (status = 413, description = "Beyond a limit", body = Content, content_type = "application/problem+json"),
        (status = 415, description = "A media type or coding that is not read", body = Content, content_type = "application/problem+json"),
        (status = 422, description = "None is accepted, or the Idempotency-Key was used for another body", body = Content, content_type = "application/problem+json"),
        (status = 429, description = "Too much in hand; `Retry-After` says when to come again", body = Content, content_type = "application/problem+json"),
        (status = 503, description = "The log did not take it; the same request may be sent again", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn publish(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/events", async {
        match take_in(&door, request, Purpose::Append).await? {
            Work::Repeated(kept) => {
                door.inner.meters.repeated();
                Ok(answer(&kept))
            }
            Work::Judged(brought) => append(&door.inner, brought).await,
        }
    })
    .await
}

/// Check events without sending them.
///
/// The same bodies and limits as `/v1/events`; every mistake of every line is named and nothing is appended.
#[utoipa::path(post, path = "/v1/validate", tag = "events",
    params(("mapping" = Option<String>, Query, description = "of text/csv: the name of a mapping of this agency")),
    request_body(content = String, content_type = "application/cloudevents+json", description = "as of /v1/events"),
    responses((status = 200, description = "What was found", body = Verdict),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 413, description = "Beyond a limit", body = Content, content_type = "application/problem+json"),
        (status = 415, description = "A media type or coding that is not read", body = Content, content_type = "application/problem+json"),
        (status = 429, description = "Too much in hand", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn validate(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/validate", async {
        let Work::Judged(brought) = take_in(&door, request, Purpose::Validate).await? else {
            return Err(Problem::internal());
        };
        let Judged { taken, refused, .. } = brought.judged;
        Ok(json(StatusCode::OK, &Verdict { events: taken.len() + refused.len(), valid: taken.len(), results: refused }))
    })
    .await
}

/// What was found in a body that was not to be sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// Events in the body.
    events: usize,
    /// Events that would be accepted.
    valid: usize,
    /// Each of the others, with its mistakes.
    results: Vec<Refused>,
}

/// What became of the events of a request.
#[utoipa::path(get, path = "/v1/receipts/{id}", tag = "receipts", params(("id" = String, Path, description = "Id of the receipt")),
    responses((status = 200, description = "How far each event is", body = Followed),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 404, description = "This agency has no such receipt (any more)", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn receipt(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    timed("/v1/receipts", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let none = || Problem::new(Kind::NotFound, "This agency has no such receipt (any more).", "Check its id.");
        let id = id_of(&id).ok_or_else(none)?;
        let found = blocking(&door, hold, move |inner| {
            let book = open(&inner.lookups);
            let Some(kept) = book.receipt(id)?.filter(|kept| kept.agency == agency) else { return Ok(None) };
            let outcomes = book.outcomes(&kept)?;
            Ok(Some(kept.followed(outcomes)))
        });
        Ok(json(StatusCode::OK, &found.await?.ok_or_else(none)?))
    })
    .await
}

/// The names of the agency's mappings.
#[utoipa::path(get, path = "/v1/mappings", tag = "mappings",
    responses((status = 200, description = "Names", body = Vec<String>)), security(("key" = []), ("certificate" = [])))]
pub(crate) async fn mappings(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/mappings", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let names = blocking(&door, hold, move |inner| open(&inner.lookups).mappings(&agency));
        Ok(json(StatusCode::OK, &names.await?))
    })
    .await
}

/// A mapping of the agency, as it was put in place.
#[utoipa::path(get, path = "/v1/mappings/{name}", tag = "mappings", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, description = "The mapping", body = String, content_type = "application/toml"),
        (status = 404, description = "There is none", body = Content, content_type = "application/problem+json")), security(("key" = []), ("certificate" = [])))]
pub(crate) async fn mapping(State(door): State<Door>, Path(name): Path<String>, request: Request) -> Response {
    timed("/v1/mappings", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let found = blocking(&door, hold, move |inner| open(&inner.lookups).mapping(&agency, &name)).await?;
        let none =
            || Problem::new(Kind::NotFound, "This agency has no such mapping.", "GET /v1/mappings lists its own.");
        Ok(([(header::CONTENT_TYPE, "application/toml")], found.ok_or_else(none)?).into_response())
    })
    .await
}

/// Put a mapping in place, for `?mapping=` of a CSV body: which column becomes which field (docs/guides/import-a-csv.md).
#[utoipa::path(put, path = "/v1/mappings/{name}", tag = "mappings", params(("name" = String, Path, description = "1 to 60 letters, digits, - . and _")),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 204, description = "It is in place"),
        (status = 403, description = "It names another agency", body = Content, content_type = "application/problem+json"),
        (status = 422, description = "It is no mapping", body = Content, content_type = "application/problem+json")), security(("key" = []), ("certificate" = [])))]
pub(crate) async fn put_mapping(State(door): State<Door>, Path(name): Path<String>, request: Request) -> Response {
    timed("/v1/mappings", async {
        let (parts, body) = request.into_parts();
        let (agency, mut hold) = enter(&door.inner, &parts)?;
        let limits = super::Limits { body_bytes: LONGEST_MAPPING, ..door.inner.settings.limits };
        let text = arrive(body, &parts.headers, &limits, &mut hold).await?;
        let text = checked(&name, text, &agency)?;
        let kept = blocking(&door, hold, move |inner| open(&inner.lookups).keep_mapping(&agency, &name, &text)).await?;
        let full = || unusable(format!("The agency has {MOST_MAPPINGS} mappings already."), "Replace one of them.");
        if kept { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(full()) }
    })
    .await
}

/// What the codes of problems mean.
#[utoipa::path(get, path = "/v1/problems", tag = "operation", responses((status = 200, description = "All codes", body = Vec<Meaning>)))]
pub(crate) async fn problems() -> Response {
    json(StatusCode::OK, &meanings().collect::<Vec<_>>())
}

/// What one code means.
#[utoipa::path(get, path = "/v1/problems/{code}", tag = "operation", params(("code" = String, Path, description = "The code")),
    responses((status = 200, description = "Its meaning", body = Meaning)))]
pub(crate) async fn problem(Path(code): Path<String>) -> Response {
    match meanings().find(|meaning| meaning.is(&code)) {
        Some(meaning) => json(StatusCode::OK, &meaning),
        None => nothing().await.into_response(),
    }
}

async fn document() -> Response {
    json(StatusCode::OK, &openapi::document())
}

/// A body on its way: not yet sent, or answered before.
pub(super) enum Work {
    Repeated(Box<Kept>),
    Judged(Box<Brought>),
}

/// What a request has brought.
pub(super) struct Brought {
    agency: String,
    pub(super) judged: Judged,
    /// Of CSV: by which its rows became events, and the names of its columns.
    pub(super) mapping: Option<(Mapping, Vec<String>)>,
    repeat: Option<Repeat>,
    pub(super) hold: Hold,
}

/// What is known of a request before its body is judged.
struct Asked {
    agency: String,
    form: Form,
    coding: Coding,
    mapping: Option<String>,
    key: Option<KeyDigest>,
    purpose: Purpose,
}

/// Takes a body in and judges it.
pub(super) async fn take_in(door: &Door, request: Request, purpose: Purpose) -> Result<Work, Problem> {
    let inner = &door.inner;
    let (parts, body) = request.into_parts();
    let (agency, mut hold) = enter(inner, &parts)?;
    let (form, coding) = (Form::of(&parts.headers)?, Coding::of(&parts.headers)?);
    let mapping = (form == Form::Csv).then(|| mapping_of(&parts)).transpose()?;
    let keyed = purpose == Purpose::Append;
    let key = if keyed { key_of(&parts.headers)?.map(|key| key_digest(inner, &agency, &key)) } else { None };
    if let Some(key) = key {
        hold.claim(key)?;
    }
    let body = arrive(body, &parts.headers, &inner.settings.limits, &mut hold).await?;
    let asked = Asked { agency, form, coding, mapping, key, purpose };
    if body.len() <= AT_ONCE && coding == Coding::Identity && form != Form::Csv {
        return judge(inner, asked, body, hold);
    }
    let desk = inner.room.desk(&asked.agency).await?;
    let door = door.clone();
    let judged = tokio::task::spawn_blocking(move || {
        let _desk = desk;
        judge(&door.inner, asked, body, hold)
    });
    judged.await.map_err(|_| Problem::internal())?
}

/// Undoes the coding, looks whether the request came before, and judges its events.
fn judge(inner: &Inner, asked: Asked, body: Vec<u8>, mut hold: Hold) -> Result<Work, Problem> {
    let body = decode(asked.coding, body, &inner.settings.limits, &mut hold)?;
    inner.meters.read(body.len());
    let repeat = asked.key.map(|key| Repeat { key, body: body_digest(inner, &asked, &body) });
    if let Some(repeat) = &repeat
        && let Some(kept) = repeated(inner, repeat)?
    {
        return Ok(Work::Repeated(kept));
    }
    let Asked { agency, form, mapping, purpose, .. } = asked;
    let desk = Desk::new(&inner.settings, &inner.validator, &agency, purpose);
    let (judged, mapping) = match mapping {
        None => (desk.body(form, &body, &mut hold)?, None),
        Some(name) => {
            let text = open(&inner.lookups).mapping(&agency, &name).map_err(|error| of_book(&error))?;
            let none = || {
                let hint = "Put it in place first: PUT /v1/mappings/NAME.";
                Problem::new(Kind::UnknownMapping, "This agency has no mapping of that name.", hint)
            };
            let mapping = Mapping::parse(&text.ok_or_else(none)?).map_err(|_| Problem::internal())?;
            let (header, judged) = desk.rows(&mapping, super::documents::without_mark(&body), &mut hold)?;
            (judged, Some((mapping, header)))
        }
    };
    Ok(Work::Judged(Box::new(Brought { agency, judged, mapping, repeat, hold })))
}

/// The first answer to this key, where it is still kept.
fn repeated(inner: &Inner, repeat: &Repeat) -> Result<Option<Box<Kept>>, Problem> {
    let kept_for = i64::try_from(inner.settings.limits.repeat_for.as_millis()).unwrap_or(i64::MAX);
    let since = inner.settings.now_ms().saturating_sub(kept_for);
    match open(&inner.repeats).repeated(repeat, since).map_err(|error| of_book(&error))? {
        None => Ok(None),
        Some(Repeated::Same(kept)) => Ok(Some(kept)),
        Some(Repeated::Other) => Err(Problem::new(
            Kind::KeyReused,
            "This agency has used the Idempotency-Key for another body, whose events are in the log.",
            "Send a new body with a new key; send the first one again with this key for its receipt.",
        )),
    }
}

/// Gives what was accepted to the clerk, and waits until it is durable.
async fn append(inner: &Inner, brought: Box<Brought>) -> Result<Response, Problem> {
    let Brought { agency, judged: Judged { taken, refused, .. }, repeat, hold, .. } = *brought;
    if taken.is_empty() {
        inner.meters.judged(0, &refused);
        return Err(Problem::all_refused(refused));
    }
    let (to, answered) = oneshot::channel();
    let job = Job { agency, taken, refused, repeat, answer: to, hold };
    inner.jobs.send(job).map_err(|_| Problem::internal().after(5))?;
    let kept = answered.await.map_err(|_| Problem::internal().after(5))??;
    inner.meters.judged(kept.places.len(), &kept.refused);
    Ok(answer(&kept))
}

fn answer(kept: &Kept) -> Response {
    let status = StatusCode::from_u16(kept.status()).unwrap_or(StatusCode::ACCEPTED);
    let mut response = json(status, &kept.answer());
    if let Ok(location) = HeaderValue::from_str(&address(kept.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Whose request it is, and a turn for it.
pub(super) fn enter(inner: &Inner, parts: &Parts) -> Result<(String, Hold), Problem> {
    let producers = inner.producers();
    let known = (&*producers, &inner.settings.policy.agencies);
    let agency = caller::agency(&parts.headers, &parts.extensions, known, inner.settings.today())?;
    let hold = inner.room.enter(&agency)?;
    Ok((agency, hold))
}

/// Asks a book on a thread that may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    door: &Door,
    hold: Hold,
    ask: impl FnOnce(&Inner) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Problem> {
    let door = door.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let _hold = hold;
        ask(&door.inner)
    });
    asked.await.map_err(|_| Problem::internal())?.map_err(|error| of_book(&error))
}

fn of_book(error: &RegistryError) -> Problem {
    tracing::warn!(error = error as &dyn std::error::Error, "gateway.db did not answer");
    Problem::new(Kind::LogAway, "The door's own file did not answer.", "Send the same request again.").after(5)
}

/// The `Idempotency-Key` of a request: a string of the draft's form (in quotes), or the same without quotes.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let (Some(one), more) = (all.next(), all.next()) else { return Ok(None) };
    let text = one.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if more.is_some() || !(1..=LONGEST_KEY).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::new(
            Kind::MalformedKey,
            format!("One Idempotency-Key of 1 to {LONGEST_KEY} visible characters is expected."),
            "Send a new UUID for each new body.",
        ));
    }
    Ok(Some(text.to_owned()))
}

fn digest(inner: &Inner, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(&inner.settings.digest_key);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().into()
}

fn key_digest(inner: &Inner, agency: &str, key: &str) -> KeyDigest {
    digest(inner, &[b"key", agency.as_bytes(), key.as_bytes()])
}

/// Of what is said, not of how it is coded: the same body may be compressed the second time.
fn body_digest(inner: &Inner, asked: &Asked, body: &[u8]) -> [u8; 32] {
    let form = [asked.form as u8];
    digest(inner, &[b"body", &form, asked.mapping.as_deref().unwrap_or_default().as_bytes(), body])
}

/// The mapping that a request names.
fn mapping_of(parts: &Parts) -> Result<String, Problem> {
    let axum::extract::Query(pairs) =
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).unwrap_or_default();
    let found = pairs.into_iter().find(|(name, _)| name == "mapping").map(|(_, value)| value);
    found.ok_or_else(|| {
        Problem::new(
            Kind::UnknownMapping,
            "A CSV body needs a mapping, by which its columns become fields.",
            "Name one: ?mapping=NAME. PUT /v1/mappings/NAME puts it in place.",
        )
    })
}

/// Whether a mapping may have this name.
fn is_name(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter))
}

fn unusable(detail: impl Into<String>, hint: &str) -> Problem {
    Problem::new(Kind::MappingNotUsable, detail, hint)
}

/// The text of a mapping that is one, of this agency alone.
fn checked(name: &str, text: Vec<u8>, agency: &str) -> Result<String, Problem> {
    if !is_name(name) {
        return Err(unusable("A mapping's name has 1 to 60 letters, digits, - . and _.", "Name it otherwise."));
    }
    let text = String::from_utf8(text).map_err(|_| unusable("The mapping is not UTF-8.", "Save it in UTF-8."))?;
    if let Some((line, column)) = not_toml(&text) {
        let detail = format!("The mapping is not TOML, as is seen at line {line}, column {column}.");
        return Err(unusable(detail, "See docs/guides/import-a-csv.md."));
    }
    // What is TOML was written as a mapping: its sentences quote the agency's own words, and hold no data.
    let mapping = Mapping::parse(&text)
        .map_err(|what| unusable(format!("The mapping is not valid: {what}"), "See docs/guides/import-a-csv.md."))?;
    if mapping.agencies().iter().any(|named| named != agency) {
        let detail = "The mapping makes events of another agency than that of the key.";
        return Err(Problem::new(Kind::AgencyMismatch, detail, "Let each agency send its own rows."));
    }
    Ok(text)
}

/// Where a text is seen to be no TOML. It may be anything, a file of rows for instance, and is not quoted.
fn not_toml(text: &str) -> Option<(usize, usize)> {
    let error = toml::from_str::<toml::Table>(text).err()?;
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
    Some((before.matches('\n').count() + 1, before.chars().rev().take_while(|letter| *letter != '\n').count() + 1))
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, serde_json::to_vec(body).unwrap_or_default()).into_response()
}

/// Counts an answer by its address and status.
pub(super) async fn timed(route: &'static str, answer: impl Future<Output = Result<Response, Problem>>) -> Response {
    let began = Instant::now();
    let response = answer.await.unwrap_or_else(IntoResponse::into_response);
    Meters::answered(route, response.status().as_u16(), began.elapsed());
    response
}
