//! The document of the door's API, made from the handlers.

use serde_json::{Value, json};
use utoipa::OpenApi;

use super::problem::{Content, LineProblem, Meaning, Mistake, Refused};
use super::receipt::{Answer, Counts, Followed, FollowedEvent, Status, Taken};
use super::{http, own};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Amanat: the agencies' door",
        description = "Events in, receipts out. Every event is durable before it is acknowledged, and counts once by its id.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    paths(
        http::publish, http::validate, own::corrections, own::agency, own::receipts, own::set_aside, own::days, own::feed,
        own::template, http::receipt, http::mappings, http::mapping, http::put_mapping, http::problems,
        http::problem
    ),
    components(schemas(
        Content, Refused, LineProblem, Mistake, Meaning, Answer, Taken, Followed, FollowedEvent, Counts, Status,
        own::Own, own::Receipts, own::Listed, own::NotAccepted, own::Aside, own::Days, own::Day, own::Feed
    )),
    tags(
        (name = "events", description = "Send and check events"),
        (name = "receipts", description = "What became of them"),
        (name = "own", description = "What an agency sees of its own: the page at /agency shows the same"),
        (name = "mappings", description = "How columns of CSV become fields"),
        (name = "operation", description = "What codes mean")
    )
)]
struct Document;

/// The document.
pub(crate) fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({
        "key": { "type": "http", "scheme": "bearer", "description": "A key of the agency, made by `amanat producer new`" },
        "certificate": { "type": "mutualTLS", "description": "A certificate of the agency, made known by `amanat producer new --certificate`" }
    });
    document
}
