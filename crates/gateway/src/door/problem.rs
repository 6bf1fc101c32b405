//! What goes wrong at the door, said in one form: RFC 9457 problems with a stable code and a remedy, never with a value of the input.
//!
//! Two sizes: a [`Problem`] is about a request, a [`Refused`] about one line of it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Media type of a problem.
const PROBLEM: &str = "application/problem+json";

/// Where codes are explained.
pub(crate) const PROBLEMS: &str = "/v1/problems";

/// What a request, or a line of one, is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NotFound,
    MethodNotAllowed,
    NotProven,
    NotListed,
    ProofsDiffer,
    Malformed,
    MalformedKey,
    NothingSent,
    NotAccepted,
    UnsupportedMediaType,
    UnsupportedCoding,
    BodyTooLarge,
    TooManyEvents,
    RequestTimeout,
    KeyInFlight,
    KeyReused,
    UnknownMapping,
    MappingNotUsable,
    Busy,
    LogAway,
    Internal,
    Parse,
    Schema,
    Oversize,
    Row,
    AgencyMismatch,
    TypeNotPermitted,
    NotAdmitted,
}

impl Kind {
    pub(crate) const ALL: [Self; 28] = [
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotProven,
        Self::NotListed,
        Self::ProofsDiffer,
        Self::Malformed,
        Self::MalformedKey,
        Self::NothingSent,
        Self::NotAccepted,
        Self::UnsupportedMediaType,
        Self::UnsupportedCoding,
        Self::BodyTooLarge,
        Self::TooManyEvents,
        Self::RequestTimeout,
        Self::KeyInFlight,
        Self::KeyReused,
        Self::UnknownMapping,
        Self::MappingNotUsable,
        Self::Busy,
        Self::LogAway,
        Self::Internal,
        Self::Parse,
        Self::Schema,
        Self::Oversize,
        Self::Row,
        Self::AgencyMismatch,
        Self::TypeNotPermitted,
        Self::NotAdmitted,
    ];

    /// Stable name, status, title. Names of lines are those of `_error_class` where the worker would say the same.
    pub(crate) const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::NotFound => ("not_found", 404, "There is nothing at this address"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "This address does not take that method"),
            Self::NotProven => ("not_proven", 401, "The agency is not proven"),
            Self::NotListed => ("not_listed", 403, "The policy does not list this agency"),
            Self::ProofsDiffer => ("proofs_differ", 403, "Key and certificate are of two agencies"),
            Self::Malformed => ("malformed_body", 400, "The body cannot be read"),
            Self::MalformedKey => ("malformed_key", 400, "The Idempotency-Key cannot be used"),
            Self::NothingSent => ("nothing_sent", 400, "The body has no event"),
            Self::NotAccepted => ("not_accepted", 422, "No event of the request is accepted"),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "The body has a type that is not read"),
            Self::UnsupportedCoding => ("unsupported_coding", 415, "The body has a coding that is not read"),
            Self::BodyTooLarge => ("body_too_large", 413, "The body is too large"),
            Self::TooManyEvents => ("too_many_events", 413, "The request has too many events"),
            Self::RequestTimeout => ("request_timeout", 408, "The body did not arrive in time"),
            Self::KeyInFlight => ("key_in_flight", 409, "A request with this Idempotency-Key is at work"),
            Self::KeyReused => ("key_reused", 422, "The Idempotency-Key was used for another body"),
            Self::UnknownMapping => ("unknown_mapping", 422, "There is no such mapping"),
            Self::MappingNotUsable => ("mapping_not_usable", 422, "The mapping cannot be used"),
            Self::Busy => ("busy", 429, "The door has too much in hand"),
            Self::LogAway => ("log_away", 503, "The event log did not take it"),
            Self::Internal => ("internal", 500, "The fault is ours"),
            Self::Parse => ("parse", 400, "Not one JSON document"),
            Self::Schema => ("schema", 422, "Not what the contract says"),
            Self::Oversize => ("oversize", 413, "The event is too large"),
            Self::Row => ("row", 422, "The row cannot be made an event"),
            Self::AgencyMismatch => ("agency_mismatch", 403, "The event names another agency"),
            Self::TypeNotPermitted => ("type_not_permitted", 403, "The agency may not emit this type"),
            Self::NotAdmitted => ("not_admitted", 422, "The event would not be admitted"),
        }
    }
}

/// A mistake in a line: where, and what is expected there with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Mistake {
    /// A path such as `data.person[0].token`, with line and column where they are known.
    pub(crate) place: String,
    /// What is expected, and the remedy.
    pub(crate) expected: String,
}

/// A line that is not accepted, as a problem of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refused {
    /// Its number from 1: the line of NDJSON or CSV, the place in a batch.
    pub(crate) line: u32,
    /// HTTP status that it would have by itself.
    pub(crate) status: u16,
    /// Why.
    pub(crate) problem: LineProblem,
}

/// Why a line is not accepted (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LineProblem {
    /// Address of what the code means.
    #[serde(rename = "type")]
    pub(crate) uri: String,
    /// The same for every problem of this code.
    pub(crate) title: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// Stable name of the cause.
    pub(crate) code: String,
    /// Every mistake that was found, in the order in which they stand.
    pub(crate) mistakes: Vec<Mistake>,
}

impl Refused {
    pub(crate) fn new(line: u32, kind: Kind, mistakes: Vec<Mistake>) -> Self {
        let (code, status, title) = kind.row();
        let uri = format!("{PROBLEMS}/{code}");
        let problem = LineProblem { uri, title: title.into(), status, code: code.into(), mistakes };
        Self { line, status, problem }
    }
}

/// A request that is refused.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Content>, Option<u64>);

/// A problem as it is sent (`application/problem+json`, RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Content {
    /// Address of what the code means. Stable.
    #[serde(rename = "type")]
    uri: String,
    /// The same for every problem of this code.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Stable name of the cause.
    code: &'static str,
    /// What to do instead.
    hint: String,
    /// Of a request whose events were all refused: each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<Refused>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let (code, status, title) = kind.row();
        let (detail, hint) = (detail.into(), hint.into());
        let uri = format!("{PROBLEMS}/{code}");
        Self(Box::new(Content { uri, title, status, detail, code, hint, results: Vec::new() }), None)
    }

    /// A defect of ours. What it is stands in the log, not in the answer.
    pub(crate) fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "The request could not be answered; whether its events are in the log is not known.",
            "Send the same request with the same Idempotency-Key again: an event that is in the log already counts once.",
        )
    }

    /// Nothing was accepted. The status is that of the lines where they agree, 422 where they do not.
    pub(crate) fn all_refused(results: Vec<Refused>) -> Self {
        let count = results.len();
        let (detail, hint) = (
            format!("{count} of {count} event(s) are not accepted; nothing of the request is in the log."),
            "Mend the places that `results` names and send the request again; the same Idempotency-Key may be used.",
        );
        let mut problem = Self::new(Kind::NotAccepted, detail, hint);
        let first = results.first().map_or(422, |refused| refused.status);
        if results.iter().all(|refused| refused.status == first) {
            problem.0.status = first;
        }
        problem.0.results = results;
        problem
    }

    /// When it is worth trying again, seconds.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.1 = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(content, after) = self;
        let status = StatusCode::from_u16(content.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&content).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"amanat\""));
        }
        response
    }
}

/// What a code means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Meaning {
    code: &'static str,
    status: u16,
    title: &'static str,
}

/// The meaning of a code, or of all.
pub(crate) fn meanings() -> impl Iterator<Item = Meaning> {
    Kind::ALL.into_iter().map(|kind| {
        let (code, status, title) = kind.row();
        Meaning { code, status, title }
    })
}

impl Meaning {
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }
}
