//! Coming in and going out: a session by name and password, and by an invitation.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use policy::Asker;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Door;
use crate::gate::{Stays, Unchanged};
use crate::oidc::SignIn;
use crate::operate::is_passed_on;
use crate::problem::{Kind, Problem};
use crate::request::json;
use crate::visitor::{HTTP, Visitor, is_guarded, set_cookie};

/// Who asks, as far as this service knows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Name of the account or key; null for the public.
    name: Option<String>,
    /// What it may do: public, analyst, steward, agency, auditor, operator.
    role: &'static str,
    /// Of a session: what requests that change something send as the header `amanat-csrf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// The OpenID provider by which one can sign in, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in: Option<SignIn>,
}

impl Session {
    fn of(door: &Door, visitor: &Visitor) -> Self {
        Self {
            sign_in: door.settings.oidc.as_ref().map(|oidc| oidc.sign_in()),
            name: visitor.asker.as_ref().map(|asker| asker.key_id.clone()),
            role: visitor.role().name(),
            csrf: visitor.session.as_ref().map(|(_, csrf)| csrf.to_string()),
        }
    }
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// Name of the account.
    #[schema(example = "analyst-7")]
    name: String,
    /// Its password.
    password: String,
}

/// An invitation and the password that its holder chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Welcome {
    /// What stands behind # in the link of the invitation.
    token: String,
    /// 12 to 128 Latin letters, digits, spaces and signs.
    password: String,
}

/// Who asks: the holder of the key or session that the request bears.
#[utoipa::path(get, path = "/v1/session", tag = "people",
    responses((status = 200, description = "Who asks", body = Session)))]
pub(crate) async fn whose(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    unkept(StatusCode::OK, Session::of(&door, &visitor))
}

/// Opens a session. Its cookie is not readable by scripts; wrong passwords are answered slowly, and then not at all for a while.
#[utoipa::path(post, path = "/v1/session", tag = "people", request_body = Login,
    responses((status = 200, description = "The session is open, and its cookie set", body = Session)))]
pub(crate) async fn open(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    is_safe(&door, &visitor, &asked)?;
    Visitor { session: None, ..visitor.clone() }.means_it(&asked)?;
    let Login { name, password } = json(&asked, body, &door.settings).await?;
    let asker = door.settings.gate.by_password(&name, &password, (HTTP, visitor.peer)).await.map_err(stays)?;
    Ok(opened(&door, &asker))
}

/// Ends the session that the request bears.
#[utoipa::path(delete, path = "/v1/session", tag = "people",
    responses((status = 204, description = "There is no session any more")))]
pub(crate) async fn end(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    if let (Some((token, _)), Some(asker)) = (&visitor.session, &visitor.asker) {
        door.settings.gate.leave(token, asker);
    }
    let headers = [(header::SET_COOKIE, set_cookie(None, is_guarded(&door))), (header::CACHE_CONTROL, NO_STORE)];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Takes an invitation, once: chooses the password and opens a session.
#[utoipa::path(post, path = "/v1/welcome", tag = "people", request_body = Welcome,
    responses((status = 201, description = "The account is there, and its session open", body = Session)))]
pub(crate) async fn welcome(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    is_safe(&door, &visitor, &asked)?;
    Visitor { session: None, ..visitor }.means_it(&asked)?;
    let Welcome { token, password } = json(&asked, body, &door.settings).await?;
    let asker = door.settings.gate.accept(&token, &password).await.map_err(unchanged)?;
    let mut response = opened(&door, &asker);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn opened(door: &Door, asker: &Asker) -> Response {
    let (token, session) = door.settings.gate.open(asker);
    let visitor =
        Visitor { asker: Some(asker.clone()), peer: None, session: Some((token.as_str().into(), session.csrf.into())) };
    let mut response = unkept(StatusCode::OK, Session::of(door, &visitor));
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(Some(&token), is_guarded(door)));
    response
}

/// An answer that is for who asks alone.
pub(crate) fn unkept(status: StatusCode, answer: impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, NO_STORE)], Json(answer)).into_response()
}

/// Passwords are taken over encrypted connections, and from this machine.
fn is_safe(door: &Door, visitor: &Visitor, asked: &HeaderMap) -> Result<(), Problem> {
    let is_near = visitor.peer.is_none_or(|peer| peer.to_canonical().is_loopback()) && !is_passed_on(asked);
    if is_near || is_guarded(door) {
        return Ok(());
    }
    let hint = "Put the service behind something that encrypts and set endpoint.public_url to its https:// address.";
    Err(Problem::new(Kind::PlainConnection, "A password would pass the network in the clear.", hint))
}

fn stays(stays: Stays) -> Problem {
    match stays {
        Stays::NotProven => {
            let hint = "Try again; who runs this service can invite you anew.";
            Problem::new(Kind::NotProven, "The name and the password do not belong together.", hint)
        }
        Stays::LockedOut(wait) => {
            let detail = format!("Too many wrong passwords: the next one is taken in {} s.", whole_seconds(wait));
            Problem::new(Kind::LockedOut, detail, "Wait; it is no use to try meanwhile.").after(whole_seconds(wait))
        }
        Stays::Busy => {
            let detail = "Too many passwords are being checked.";
            Problem::new(Kind::LockedOut, detail, "Try again in a few seconds.").after(5)
        }
        Stays::Unrecorded => {
            let detail = "Who comes in is recorded, and the record cannot be written now.";
            Problem::new(Kind::NotKept, detail, "Tell who runs this service.")
        }
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

pub(crate) fn unchanged(unchanged: Unchanged) -> Problem {
    match unchanged {
        Unchanged::Closed => {
            let hint = "Change the file of readers, or use `amanat user` on the machine that has it.";
            Problem::new(Kind::NotChanged, "Nobody is let in or taken out here.", hint)
        }
        Unchanged::Objection(sentence) => {
            Problem::new(Kind::NotChanged, sentence, "Change it, or ask who invited you.")
        }
        Unchanged::Failed(sentence) => Problem::new(Kind::NotKept, sentence, "Tell who runs this service."),
    }
}
