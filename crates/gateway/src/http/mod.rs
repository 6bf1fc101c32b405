//! The registry over HTTP: the part of Confluent's REST interface that serializers and tools use, so that they work unchanged
//! with this address as their `schema.registry.url`.
//!
//! Paths, bodies and error codes are those of Confluent's "Schema Registry API Reference". Absent on purpose: deleting (see
//! [`crate::Registry`]), modes other than READWRITE, contexts, data contracts (`metadata`, `ruleSet`), Protobuf.

mod body;
mod problem;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::error::RegistryError;
use crate::http::body::{Asked, LevelBody, schema_json, version_json};
use crate::http::problem::Problem;
use crate::registry::{Against, Registry};
use crate::schema::{Level, SchemaType, Which};

/// Greatest body of a request, bytes: a schema of 512 KiB with its quotes escaped.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// How many requests are at work at once; others wait their turn. Bounds the memory of hostile schemas.
const AT_ONCE: usize = 4;

/// What all answers are, unless plain `application/json` is asked for.
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

type Answer = Result<Response, Problem>;
type Asking = Query<HashMap<String, String>>;
type Sent = Result<Bytes, BytesRejection>;

#[derive(Clone)]
struct Door {
    registry: Registry,
    turns: Arc<Semaphore>,
}

impl Door {
    /// Asks the registry on a thread that may wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Registry) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Problem::failed())?;
        let registry = self.registry.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ask(&registry)
        });
        Ok(asked.await.map_err(|_| Problem::failed())??)
    }
}

/// The registry's paths.
pub fn router(registry: Registry) -> Router {
    let door = Door { registry, turns: Arc::new(Semaphore::new(AT_ONCE)) };
    Router::new()
        .route("/", get(nothing).post(nothing))
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(lookup).delete(not_deleted))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version).delete(not_deleted))
        .route("/subjects/{subject}/versions/{version}/schema", get(version_schema))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(referenced_by))
        .route("/schemas/types", get(types))
        .route("/schemas/ids/{id}", get(by_id))
        .route("/schemas/ids/{id}/schema", get(schema_by_id))
        .route("/schemas/ids/{id}/subjects", get(subjects_of_id))
        .route("/schemas/ids/{id}/versions", get(versions_of_id))
        .route("/compatibility/subjects/{subject}/versions", post(compatible))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(compatible_with))
        .route("/config", get(level).put(set_level).delete(clear_level))
        .route("/config/{subject}", get(level_of).put(set_level_of).delete(clear_level_of))
        .route("/mode", get(mode).put(one_mode).delete(one_mode))
        .route("/mode/{subject}", get(mode_of).put(one_mode).delete(one_mode))
        .route("/contexts", get(contexts))
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::other_method())
        .layer(from_fn(dress))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(door)
}

/// The content type of every answer, and the refusal of bodies that a page of another origin could send unasked.
async fn dress(request: axum::extract::Request, next: Next) -> Response {
    let headers = request.headers();
    let plain = accepts_only_json(headers);
    let mut response = if is_a_body_of_another_kind(&request) {
        Problem::unsupported_media_type().into_response()
    } else {
        next.run(request).await
    };
    let kind = if plain { "application/json" } else { CONTENT_TYPE };
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

/// The variable parts of a path. What is not UTF-8 names nothing.
struct Path<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(named)| Self(named)).map_err(|_| Problem::no_such_path())
    }
}

fn accepts_only_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("schemaregistry")
}

fn is_a_body_of_another_kind(request: &axum::extract::Request) -> bool {
    let with_body = matches!(*request.method(), axum::http::Method::POST | axum::http::Method::PUT);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = ["application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json", "application/json"];
    with_body && request.uri().path() != "/" && !known.contains(&kind.as_str())
}

#[allow(clippy::unnecessary_wraps, reason = "every handler ends with it")]
fn ok(value: Value) -> Answer {
    Ok((StatusCode::OK, value.to_string()).into_response())
}

/// Whether a parameter says `true`; clients of Python write `True`.
fn says(asking: &Asking, name: &str) -> bool {
    asking.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn which(version: &str) -> Result<Which, Problem> {
    version.parse().map_err(|()| RegistryError::InvalidVersion(version.chars().take(40).collect()).into())
}

/// An id is a number; anything else names no schema.
fn number(id: &str) -> Result<i32, Problem> {
    id.parse().map_err(|_| RegistryError::SchemaNotFound("an id is a number".into()).into())
}

async fn nothing() -> Answer {
    ok(json!({}))
}

async fn subjects(State(door): State<Door>, asking: Asking) -> Answer {
    let prefix = asking.get("subjectPrefix").cloned().unwrap_or_default();
    let subjects = door.ask(Registry::subjects).await?;
    let of_default = prefix.strip_prefix(":.:").unwrap_or(&prefix);
    let matching = subjects.into_iter().filter(|subject| subject.starts_with(of_default));
    let at = |name: &str| asking.get(name).and_then(|value| value.parse::<i64>().ok());
    let limit = at("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let offset = at("offset").and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
    ok(matching.skip(offset).take(limit).collect())
}

async fn versions(State(door): State<Door>, Path(subject): Path<String>) -> Answer {
    ok(door.ask(move |registry| registry.versions(&subject)).await?.into())
}

async fn register(State(door): State<Door>, Path(subject): Path<String>, asking: Asking, sent: Sent) -> Answer {
    let (asked, normalize) = (Asked::read(sent)?, says(&asking, "normalize"));
    asked.refuse_id()?;
    let draft = asked.draft()?;
    let version = door.ask(move |registry| registry.register(&subject, &draft, normalize)).await?;
    ok(json!({ "id": version.schema.id }))
}

async fn lookup(State(door): State<Door>, Path(subject): Path<String>, sent: Sent) -> Answer {
    let draft = Asked::read(sent)?.draft()?;
    ok(version_json(&door.ask(move |registry| registry.find(&subject, &draft)).await?))
}

async fn version(State(door): State<Door>, Path((subject, version)): Path<(String, String)>, asking: Asking) -> Answer {
    let which = which(&version)?;
    let resolved = asking.get("format").is_some_and(|format| format == "resolved");
    let found = door.ask(move |registry| {
        let mut version = registry.version(&subject, which)?;
        if resolved {
            version.schema = registry.resolved(version.schema.id)?;
        }
        Ok(version)
    });
    ok(version_json(&found.await?))
}

async fn version_schema(State(door): State<Door>, Path((subject, version)): Path<(String, String)>) -> Answer {
    let which = which(&version)?;
    let version = door.ask(move |registry| registry.version(&subject, which)).await?;
    Ok(version.schema.draft.text.into_response())
}

async fn referenced_by(State(door): State<Door>, Path((subject, version)): Path<(String, String)>) -> Answer {
    let which = which(&version)?;
    ok(door.ask(move |registry| registry.referenced_by(&subject, which)).await?.into())
}

async fn types() -> Answer {
    ok(json!([SchemaType::Json.name(), SchemaType::Avro.name()]))
}

async fn by_id(State(door): State<Door>, Path(id): Path<String>, asking: Asking) -> Answer {
    let id = number(&id)?;
    let resolved = asking.get("format").is_some_and(|format| format == "resolved");
    let schema = door.ask(move |registry| if resolved { registry.resolved(id) } else { registry.schema(id) }).await?;
    ok(schema_json(&schema))
}

async fn schema_by_id(State(door): State<Door>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    Ok(door.ask(move |registry| registry.schema(id)).await?.draft.text.into_response())
}

async fn subjects_of_id(State(door): State<Door>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    ok(door.ask(move |registry| registry.places(id)).await?.into_iter().map(|(subject, _)| subject).collect())
}

async fn versions_of_id(State(door): State<Door>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    let places = door.ask(move |registry| registry.places(id)).await?;
    ok(places.into_iter().map(|(subject, version)| json!({ "subject": subject, "version": version })).collect())
}

async fn compatible(State(door): State<Door>, Path(subject): Path<String>, asking: Asking, sent: Sent) -> Answer {
    compared(door, subject, Against::Level, says(&asking, "verbose"), sent).await
}

async fn compatible_with(
    State(door): State<Door>,
    Path((subject, version)): Path<(String, String)>,
    asking: Asking,
    sent: Sent,
) -> Answer {
    compared(door, subject, Against::One(which(&version)?), says(&asking, "verbose"), sent).await
}

async fn compared(door: Door, subject: String, against: Against, verbose: bool, sent: Sent) -> Answer {
    let draft = Asked::read(sent)?.draft()?;
    let verdict = door.ask(move |registry| registry.check(&subject, against, &draft)).await?;
    let mut answer = json!({ "is_compatible": verdict.compatible });
    if verbose {
        answer["messages"] = verdict.differences.into();
    }
    ok(answer)
}

async fn level(State(door): State<Door>) -> Answer {
    let level = door.ask(|registry| registry.level(None)).await?;
    ok(json!({ "compatibilityLevel": level.name() }))
}

async fn level_of(State(door): State<Door>, Path(subject): Path<String>, asking: Asking) -> Answer {
    let in_force = says(&asking, "defaultToGlobal");
    let level = door.ask(
        move |registry| {
            if in_force { registry.level_in_force(&subject) } else { registry.level(Some(&subject)) }
        },
    );
    ok(json!({ "compatibilityLevel": level.await?.name() }))
}

async fn set_level(State(door): State<Door>, sent: Sent) -> Answer {
    put_level(door, None, sent).await
}

async fn set_level_of(State(door): State<Door>, Path(subject): Path<String>, sent: Sent) -> Answer {
    put_level(door, Some(subject), sent).await
}

async fn put_level(door: Door, subject: Option<String>, sent: Sent) -> Answer {
    let level: Level = LevelBody::read(sent)?;
    door.ask(move |registry| registry.set_level(subject.as_deref(), level)).await?;
    ok(json!({ "compatibility": level.name() }))
}

async fn clear_level(State(door): State<Door>) -> Answer {
    let was = door.ask(|registry| registry.clear_level(None)).await?;
    ok(json!({ "compatibilityLevel": was.name() }))
}

async fn clear_level_of(State(door): State<Door>, Path(subject): Path<String>) -> Answer {
    let was = door.ask(move |registry| registry.clear_level(Some(&subject))).await?;
    ok(json!({ "compatibilityLevel": was.name() }))
}

async fn mode() -> Answer {
    ok(json!({ "mode": "READWRITE" }))
}

async fn mode_of(Path(subject): Path<String>, asking: Asking) -> Answer {
    if says(&asking, "defaultToGlobal") { mode().await } else { Err(Problem::no_mode(&subject)) }
}

async fn one_mode() -> Problem {
    Problem::from(RegistryError::NotPermitted("the only mode of this registry is READWRITE.".into()))
}

async fn contexts() -> Answer {
    ok(json!(["."]))
}

async fn not_deleted() -> Problem {
    let why = "events are kept for ever and name the ids of their schemas, so nothing is deleted. Register a further version.";
    Problem::from(RegistryError::NotPermitted(why.into()))
}
