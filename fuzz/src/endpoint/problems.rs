//! What an error says: in one form, to the client's own request, and within bounds.

use axum::body::to_bytes;
use axum::http::header;
use axum::response::IntoResponse;
use futures::FutureExt;
use serde_json::Value;

use crate::problem::Problem;

/// The most that an error repeats of a request and says of the catalogue, bytes.
const LONGEST: usize = 2_000;

/// Holds an error of a request with these names to its form, and gives its code and what it says.
pub(crate) fn held<'a>(problem: Problem, names: impl IntoIterator<Item = &'a str>) -> (String, String) {
    let response = problem.into_response();
    let status = response.status();
    assert!(status.is_client_error() || status.as_u16() == 501, "{status} for what the client wrote");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = to_bytes(response.into_body(), usize::MAX).now_or_never().expect("in memory").expect("a body");
    let said: Value = serde_json::from_slice(&body).expect("JSON");
    let text = |member: &str| said[member].as_str().unwrap_or_default().to_owned();
    let (code, detail, hint) = (text("code"), text("detail"), text("hint"));
    assert!(!detail.is_empty() && !hint.is_empty(), "an error has a remedy: {said}");
    assert!(detail.len() + hint.len() <= LONGEST, "an error is short: {} bytes", detail.len() + hint.len());
    assert!(!detail.chars().chain(hint.chars()).any(char::is_control), "an error is one line: {said}");
    if code.starts_with("malformed") || code.starts_with("unknown_filter") || code.starts_with("unknown_code") {
        assert!(names.into_iter().any(|name| speaks_of(&detail, name)), "an error names a parameter: {said}");
    }
    (code, detail)
}

/// Whether a sentence has a name in it, as a sentence repeats one: shortened, and without what is no letter.
fn speaks_of(detail: &str, name: &str) -> bool {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    detail.to_lowercase().contains(&shown.to_lowercase())
}
