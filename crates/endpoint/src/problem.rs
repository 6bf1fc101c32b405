//! What goes wrong, said in one form: RFC 9457 problems with a stable code and a remedy, never with a value of the data.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use query::selection::{Unselected, Why};
use query::{Code, Page, Place, Refusal, Rewrite};
use serde::Serialize;
use utoipa::ToSchema;

/// Media type of a problem.
const PROBLEM: &str = "application/problem+json";

/// Problems of the door itself; those of a question have the codes of [`query::Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    UnsupportedMediaType,
    BodyTooLarge,
    MalformedBody,
    MalformedParameter,
    UnknownIndicator,
    UnknownCodeList,
    UnknownFilter,
    UnknownCode,
    RequestTimeout,
    AnswerTimeout,
    NotReady,
    NotImplemented,
    TooManyStreams,
    NotProven,
    LockedOut,
    AddressNotAllowed,
    OtherOrigin,
    PlainConnection,
    NotChanged,
    NotKept,
    SignInOver,
    SignInRefused,
    ProviderAway,
    NotAReader,
}

impl Kind {
    pub(crate) const ALL: [Kind; 27] = [
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::NotAcceptable,
        Kind::UnsupportedMediaType,
        Kind::BodyTooLarge,
        Kind::MalformedBody,
        Kind::MalformedParameter,
        Kind::UnknownIndicator,
        Kind::UnknownCodeList,
        Kind::UnknownFilter,
        Kind::UnknownCode,
        Kind::RequestTimeout,
        Kind::AnswerTimeout,
        Kind::NotReady,
        Kind::NotImplemented,
        Kind::TooManyStreams,
        Kind::NotProven,
        Kind::LockedOut,
        Kind::AddressNotAllowed,
        Kind::OtherOrigin,
        Kind::PlainConnection,
        Kind::NotChanged,
        Kind::NotKept,
        Kind::SignInOver,
        Kind::SignInRefused,
        Kind::ProviderAway,
        Kind::NotAReader,
    ];

    /// Stable name, status, title.
    pub(crate) fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Kind::NotFound => ("not_found", 404, "There is nothing at this address"),
            Kind::MethodNotAllowed => ("method_not_allowed", 405, "This address does not take that method"),
            Kind::NotAcceptable => ("not_acceptable", 406, "None of the accepted formats is offered"),
            Kind::UnsupportedMediaType => ("unsupported_media_type", 415, "The body has a type that is not read"),
            Kind::BodyTooLarge => ("body_too_large", 413, "The body is too large"),
            Kind::MalformedBody => ("malformed_body", 400, "The body cannot be read"),
            Kind::MalformedParameter => ("malformed_parameter", 400, "A parameter cannot be read"),
            Kind::UnknownIndicator => ("unknown_indicator", 404, "There is no such indicator"),
            Kind::UnknownCodeList => ("unknown_code_list", 404, "There is no such code list"),
            Kind::UnknownFilter => ("unknown_filter", 422, "The indicator has no such dimension"),
            Kind::UnknownCode => ("unknown_code", 422, "There is no such code"),
            Kind::RequestTimeout => ("request_timeout", 408, "The request did not arrive in time"),
            Kind::AnswerTimeout => ("answer_timeout", 504, "The answer took too long"),
            Kind::NotReady => ("not_ready", 503, "Not ready yet"),
            Kind::NotImplemented => ("not_implemented", 501, "The standard has it, this service does not"),
            Kind::TooManyStreams => ("too_many_streams", 503, "As many streams are open as may be"),
            Kind::NotProven => ("not_proven", 401, "Name and password do not belong together"),
            Kind::LockedOut => ("locked_out", 429, "Too many passwords"),
            Kind::AddressNotAllowed => ("address_not_allowed", 403, "Your role may not use this address"),
            Kind::OtherOrigin => ("other_origin", 403, "The request is not of a page of this service"),
            Kind::PlainConnection => ("plain_connection", 403, "Passwords are taken over encrypted connections alone"),
            Kind::NotChanged => ("not_changed", 422, "Nothing was changed"),
            Kind::NotKept => ("not_kept", 503, "The change could not be kept"),
            Kind::SignInOver => ("sign_in_over", 400, "This sign-in is over"),
            Kind::SignInRefused => ("sign_in_refused", 403, "The provider's answer does not let you in"),
            Kind::ProviderAway => ("provider_away", 502, "The provider for signing in is of no use now"),
            Kind::NotAReader => ("not_a_reader", 403, "No account of this service is yours"),
        }
    }
}

/// A problem on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Content>, Option<u64>);

/// A problem as it is sent (`application/problem+json`, RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Content {
    /// Address of what the code means: `/problems/unknown_table`. Stable.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Where in the text of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PlaceView>)]
    place: Option<Place>,
    /// Of a fault of ours, the number under which the operator's log has it; random.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
    /// Several causes, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Of an address of SDMX, the same as its messages say it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<SdmxError>,
}

/// An error as a message of SDMX-JSON 2.0 has it (`statusMessage`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SdmxError {
    /// Code of the SDMX web services guidelines: 100 nothing found, 140 syntax, 150 meaning, 500 and above ours.
    code: u16,
    titles: std::collections::BTreeMap<&'static str, &'static str>,
    detail: String,
}

/// A place in the text of a question; counted from 1.
#[derive(ToSchema)]
#[schema(as = Place)]
#[allow(dead_code, reason = "describes query::Place in the API document")]
pub(crate) struct PlaceView {
    line: u64,
    column: u64,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::of(kind.row(), detail.into(), Some(hint.into()))
    }

    fn of((code, status, title): (&'static str, u16, &'static str), detail: String, hint: Option<String>) -> Self {
        let hint = hint.filter(|h| !h.is_empty());
        let uri = format!("/problems/{code}");
        let (place, incident, reasons, errors) = (None, None, Vec::new(), Vec::new());
        Self(Box::new(Content { uri, title, status, detail, code, hint, place, incident, reasons, errors }), None)
    }

    /// A defect of ours. What it is stands in the log, not in the answer.
    pub(crate) fn internal() -> Self {
        let hint = "Ask again; if it stays, tell who runs this service and say when it happened.";
        let detail = "The request could not be answered; the fault is ours.";
        Self::of(of_code(Code::Internal), detail.into(), Some(hint.into()))
    }

    /// The same for a client of SDMX: the document is a message of SDMX-JSON as well, for it says of no member that it must not
    /// be there.
    pub(crate) fn for_sdmx(mut self) -> Self {
        let code = match self.0.status {
            404 => 100,
            422 => 150,
            status @ 500.. => status,
            _ => 140,
        };
        let detail = [Some(self.0.detail.as_str()), self.0.hint.as_deref()];
        let detail = detail.into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.0.errors = vec![SdmxError { code, titles: [("en", self.0.title)].into(), detail }];
        self
    }

    /// Status, title, detail and hint, for a page.
    pub(crate) fn shown(&self) -> (StatusCode, &str, &str, &str) {
        let Content { status, title, detail, hint, .. } = &*self.0;
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, title, detail, hint.as_deref().unwrap_or_default())
    }

    /// When it is worth trying again, seconds.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.1 = Some(seconds);
        self
    }

    pub(crate) fn reasons(mut self, reasons: Vec<String>) -> Self {
        self.0.reasons = reasons;
        self
    }
}

fn of_code(code: Code) -> (&'static str, u16, &'static str) {
    (code.name(), code.status(), code.title())
}

/// Name, status and title of every problem.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, u16, &'static str)> {
    Code::ALL.into_iter().map(of_code).chain(Kind::ALL.into_iter().map(Kind::row))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut problem = Self::of(of_code(refusal.code), refusal.detail, refusal.hint);
        (problem.0.place, problem.0.incident) = (refusal.place, refusal.incident);
        problem
    }
}

impl From<Unselected> for Problem {
    fn from(error: Unselected) -> Self {
        let row = match error.why {
            Why::UnknownIndicator => Kind::UnknownIndicator.row(),
            Why::UnknownFilter => Kind::UnknownFilter.row(),
            Why::UnknownCode => Kind::UnknownCode.row(),
            Why::Malformed => Kind::MalformedParameter.row(),
            Why::NoEdition => of_code(Code::NoEdition),
            Why::UnknownEdition => of_code(Code::UnknownEdition),
            Why::NoEditionOnDate => of_code(Code::NoEditionOnDate),
            Why::Internal => of_code(Code::Internal),
        };
        Self::of(row, error.detail, Some(error.hint))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if matches!(self.0.status, 429 | 503) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.1.unwrap_or(5)));
        }
        response
    }
}

/// What one code of a problem means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Meaning {
    /// Stable name.
    code: &'static str,
    /// HTTP status.
    status: u16,
    /// What it means, in one line.
    title: &'static str,
    /// The same in a sentence or two.
    #[serde(rename = "meaning", skip_serializing_if = "Option::is_none")]
    sentences: Option<&'static str>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    /// Statements that are refused with this code, and what to write instead.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<RewriteView>)]
    rewrites: &'static [Rewrite],
}

/// A statement that is refused, and one that does what was meant.
#[derive(ToSchema)]
#[schema(as = Rewrite)]
#[allow(dead_code, reason = "describes query::Rewrite in the API document")]
pub(crate) struct RewriteView {
    /// It is refused with the code.
    refused: &'static str,
    /// It is answered.
    instead: &'static str,
}

impl From<(&'static str, u16, &'static str)> for Meaning {
    fn from((code, status, title): (&'static str, u16, &'static str)) -> Self {
        let page = Code::ALL.into_iter().find(|known| known.name() == code).and_then(Code::page);
        let (sentences, advice) = page.map(|Page { meaning, advice, .. }| (meaning, advice)).unzip();
        Self { code, status, title, sentences, advice, rewrites: page.map_or(&[], |page| page.rewrites) }
    }
}
