//! Refusals as gRPC says them: a status of its kind, the code and the hint in the text, and both again as metadata.

use query::{Code, Refusal};
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code as Kind, Status};

/// Metadata with the stable name of a refusal's code.
pub(super) const CODE: &str = "amanat-code";
/// Metadata with what to ask or do instead, percent-encoded as `grpc-message` is.
pub(super) const HINT: &str = "amanat-hint";
/// Bytes of a text in metadata: clients take 8 KiB of it in all.
const LONGEST: usize = 2_000;

/// A refusal as a status.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let code = refusal.code.name();
    let mut text = refusal.detail.clone();
    if let Some(place) = refusal.place {
        text.push_str(&format!(" (line {}, column {})", place.line, place.column));
    }
    if let Some(incident) = &refusal.incident {
        text.push_str(&format!(" Incident {incident}."));
    }
    status(kind(refusal.code, refusal.status()), code, &text, refusal.hint.as_deref())
}

/// What is no refusal of a question, but of what was sent: a code of this door, a sentence, and what to do instead.
pub(super) fn failed(kind: Kind, code: &'static str, text: &str, hint: &str) -> Status {
    status(kind, code, text, Some(hint))
}

/// Bytes that are not what they should be.
pub(super) fn malformed(what: &str) -> Status {
    let hint = "Ask by a client of Arrow Flight SQL: ADBC, JDBC, or one of the Arrow libraries.";
    failed(Kind::InvalidArgument, "malformed", what, hint)
}

/// A part of Flight SQL that there is not.
pub(super) fn absent(what: &str, hint: &str) -> Status {
    failed(Kind::Unimplemented, "construct", what, hint)
}

/// Something that would be written.
pub(super) fn read_only() -> Status {
    let refusal = Refusal::new(Code::Statement, "Nothing can be written here.");
    refused(&refusal.hint("Ask one SELECT; what is published changes by editions alone."))
}

/// A fault of ours; its cause goes to the log and not to the client.
pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Status {
    tracing::error!(error, "a call of Flight SQL ended in a fault of ours");
    refused(&Refusal::new(Code::Internal, "The call could not be answered; the fault is ours."))
}

/// Whether a status was made here, and so says what to do.
pub(super) fn is_ours(headers: &axum::http::HeaderMap) -> bool {
    headers.contains_key(CODE)
}

fn status(kind: Kind, code: &'static str, text: &str, hint: Option<&str>) -> Status {
    metrics::counter!("amanat_flight_refusals_total", "code" => code).increment(1);
    let mut metadata = MetadataMap::new();
    metadata.insert(CODE, AsciiMetadataValue::from_static(code));
    let value = hint.map(|hint| AsciiMetadataValue::try_from(encoded(cut(hint))));
    if let Some(Ok(value)) = value {
        metadata.insert(HINT, value);
    }
    let hint = hint.map(|hint| format!(" Hint: {hint}")).unwrap_or_default();
    Status::with_metadata(kind, cut(&format!("{code}: {text}{hint}")), metadata)
}

/// What gRPC calls that kind of refusal, so that clients treat it as they should: what is RESOURCE_EXHAUSTED may be asked again
/// later or smaller, what is INVALID_ARGUMENT not.
fn kind(code: Code, http_status: u16) -> Kind {
    match code {
        Code::TimeLimit => Kind::DeadlineExceeded,
        Code::Cancelled => Kind::Cancelled,
        Code::Busy | Code::TooOften | Code::MemoryLimit | Code::RowLimit | Code::ChargesSpent => {
            Kind::ResourceExhausted
        }
        Code::KeyNeeded => Kind::Unauthenticated,
        Code::NoEdition => Kind::Unavailable,
        Code::UnknownEdition => Kind::NotFound,
        Code::NotAllowed => Kind::PermissionDenied,
        _ if http_status >= 500 => Kind::Internal,
        _ => Kind::InvalidArgument,
    }
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Percent-encoded, as gRPC encodes `grpc-message`.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_its_place_and_its_hint() {
        let place = query::Place { line: 2, column: 8 };
        let refusal =
            Refusal::new(Code::ProtectedForm, "Not like this.").hint("Write count(*), … 100%.").at(Some(place));
        let status = refused(&refusal);
        assert_eq!(status.code(), Kind::InvalidArgument);
        assert_eq!(status.message(), "PRIV-1003: Not like this. (line 2, column 8) Hint: Write count(*), … 100%.");
        let said = |name| status.metadata().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(said(CODE), Some("PRIV-1003"));
        assert_eq!(said(HINT), Some("Write count(*), %E2%80%A6 100%25."));
    }

    #[test]
    fn every_code_has_a_kind_that_is_no_success() {
        for code in Code::ALL {
            let status = refused(&Refusal::new(code, "x"));
            assert!(![Kind::Ok, Kind::Unknown].contains(&status.code()), "{}", code.name());
            assert_eq!(status.code() == Kind::Internal, code.status() == 500, "{}", code.name());
        }
    }

    #[test]
    fn a_text_fits_into_the_metadata_of_a_client() {
        let status = refused(&Refusal::new(Code::Syntax, "…".repeat(10_000)));
        assert!(status.message().len() <= LONGEST);
    }
}
