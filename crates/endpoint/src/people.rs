//! Letting people in and taking them out, for who runs the service.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use policy::{Grant, Role, Share, UNSTATED};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Door;
use crate::problem::{Kind, Problem};
use crate::request::{Segment, json};
use crate::session::{unchanged, unkept};
use crate::visitor::Visitor;

/// Somebody who may come in, or was invited.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// Name of the account or key.
    name: String,
    /// What it may do.
    role: &'static str,
    /// Whose share of the charges pays for its questions about protected tables.
    share: &'static str,
    /// What it was given for: a code.
    purpose: String,
    /// By what it comes in: key, password, or invitation, which is not taken yet.
    comes_by: &'static str,
    /// The first day on which that does not hold any more.
    expires: Option<String>,
}

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    /// Name of the account: letters, digits, `-`, `.` and `_`. Not the name of a person: it stands in the log of what was asked.
    #[schema(example = "analyst-7")]
    name: String,
    /// analyst, steward, agency, auditor or operator.
    #[schema(value_type = String, example = "analyst")]
    role: Role,
    /// ministry, agencies or partners.
    #[schema(value_type = Option<String>, example = "ministry")]
    share: Option<Share>,
    /// A code, such as annual_report.
    purpose: Option<String>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// Name of the account.
    name: String,
    /// Opens once, for seven days, and is shown once. Give it to its person by a way that others do not read.
    link: String,
}

/// Who may come in, and who was invited. No secret is among it.
#[utoipa::path(get, path = "/v1/people", tag = "people",
    responses((status = 200, description = "Everybody, in the order in which they came", body = Vec<Person>)))]
pub(crate) async fn everybody(State(door): State<Arc<Door>>) -> Response {
    let readers = door.settings.gate.readers();
    let people = readers.listed().map(|listed| Person {
        name: listed.asker.key_id.clone(),
        role: listed.asker.role.name(),
        share: listed.asker.share.name(),
        purpose: listed.asker.purpose.clone(),
        comes_by: listed.comes_by,
        expires: listed.expires.map(str::to_owned),
    });
    unkept(StatusCode::OK, people.collect::<Vec<_>>())
}

/// Invites somebody: the link that is answered lets them choose a password.
#[utoipa::path(post, path = "/v1/people", tag = "people", request_body = Invite,
    responses((status = 201, description = "The invitation", body = Invitation)))]
pub(crate) async fn invite(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    let Invite { name, role, share, purpose } = json(&asked, body, &door.settings).await?;
    if !policy::is_name(&name) || role == Role::Public {
        let detail = "A name is of letters, digits, - . and _, at most 60; a role is another one than public.";
        return Err(Problem::new(Kind::MalformedBody, detail, "Name the account, not the person."));
    }
    let purpose = purpose.as_deref().unwrap_or(UNSTATED);
    let grant =
        Grant { name: &name, role, share: share.unwrap_or(Share::Partners), purpose, expires: None, tables: &[] };
    let token = door.settings.gate.invite(grant).await.map_err(unchanged)?;
    let base = door.settings.public_url.as_deref().unwrap_or_default();
    let link = welcome_link(base, &token);
    Ok(unkept(StatusCode::CREATED, Invitation { name, link }))
}

/// Takes somebody out: key, password and invitation hold no more, and sessions are over.
#[utoipa::path(delete, path = "/v1/people/{name}", tag = "people",
    params(("name" = String, Path, description = "Name of the account or key", example = "analyst-7")),
    responses((status = 204, description = "Nobody of that name comes in any more")))]
pub(crate) async fn remove(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    if visitor.asker.as_ref().is_some_and(|asker| asker.key_id == name) {
        let detail = "Nobody takes themselves out: there might be nobody left to let others in.";
        return Err(Problem::new(Kind::NotChanged, detail, "Have it done by another operator, or by `amanat user`."));
    }
    door.settings.gate.remove(&name).await.map_err(unchanged)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The link of an invitation. Its token stands behind the #, which no server and no log sees.
pub fn welcome_link(base: &str, token: &str) -> String {
    format!("{base}/welcome#{token}")
}
