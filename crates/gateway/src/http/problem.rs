//! Errors as Confluent's clients know them: a status, a code and a sentence.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::error;

use crate::error::RegistryError;

/// An answer that is an error.
pub(super) struct Problem {
    status: StatusCode,
    code: u32,
    message: String,
}

impl Problem {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 400, message)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, "HTTP 404 Not Found: no such path in this registry.")
    }

    pub(super) fn other_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 405, "HTTP 405 Method Not Allowed.")
    }

    pub(super) fn unsupported_media_type() -> Self {
        let what = "HTTP 415 Unsupported Media Type: send application/vnd.schemaregistry.v1+json or application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, what)
    }

    /// A body that did not arrive whole, by the status that says why.
    pub(super) fn of_body(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::PAYLOAD_TOO_LARGE => format!("The body is larger than {} KiB.", super::MAX_BODY_BYTES >> 10),
            _ => "The body could not be read.".to_owned(),
        };
        Self::new(status, status.as_u16().into(), message)
    }

    pub(super) fn no_mode(subject: &str) -> Self {
        let message = format!("Subject '{subject}' does not have subject-level mode configured.");
        Self::new(StatusCode::NOT_FOUND, 40409, message)
    }

    pub(super) fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 50001, "Error in the registry; its log says more.")
    }
}

impl From<RegistryError> for Problem {
    /// The codes of Confluent's registry.
    fn from(error: RegistryError) -> Self {
        use RegistryError as E;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let (status, code) = match &error {
            E::SubjectNotFound(_) => (StatusCode::NOT_FOUND, 40401),
            E::VersionNotFound { .. } => (StatusCode::NOT_FOUND, 40402),
            E::SchemaNotFound(_) => (StatusCode::NOT_FOUND, 40403),
            E::NoLevel(_) => (StatusCode::NOT_FOUND, 40408),
            E::Incompatible { .. } => (StatusCode::CONFLICT, 409),
            E::InvalidSchema(_) | E::InvalidReference { .. } => (unprocessable, 42201),
            E::InvalidVersion(_) => (unprocessable, 42202),
            E::InvalidLevel(_) => (unprocessable, 42203),
            E::NotPermitted(_) => (unprocessable, 42205),
            E::InvalidSubject => (unprocessable, 42208),
            E::Busy(_) => return Self::new(StatusCode::SERVICE_UNAVAILABLE, 50302, "The registry is busy; try again."),
            E::Full(_) => return Self::new(StatusCode::INSUFFICIENT_STORAGE, 50701, "The registry has no room left."),
            E::Unusable { .. } | E::Sqlite { .. } => {
                error!(error = &error as &dyn std::error::Error, "the registry failed");
                return Self::failed();
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, json!({ "error_code": self.code, "message": self.message }).to_string()).into_response()
    }
}
