//! The two plain pages of a sign-in: it goes on, or it came to nothing.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::docs;
use crate::pages::{POLICY, wanted};
use crate::problem::Problem;

/// A page that leads on by itself. Not a redirect: the cookie of the session is sent with steps from this site alone, and a redirect
/// would still be a step from the provider's.
pub(super) fn goes_on(to: &str) -> Response {
    let to = docs::escaped(to);
    let body =
        format!("<p><a href=\"{to}\">You are signed in</a> · <a href=\"{to}\" lang=\"ur\">آپ داخل ہو گئے ہیں</a></p>");
    page(StatusCode::OK, &format!("<meta http-equiv=\"refresh\" content=\"0; url={to}\">"), &body)
}

/// Why it came to nothing: as a page to a browser, as a problem to a program.
pub(super) fn refused(problem: &Problem, asked: &HeaderMap) -> Response {
    if !wanted(asked) {
        return problem.clone().into_response();
    }
    let (status, title, detail, hint) = problem.shown();
    let [title, detail, hint] = [title, detail, hint].map(docs::escaped);
    let again = "<a href=\"/login\">Sign in</a> · <a href=\"/login?lang=ur\" lang=\"ur\">داخل ہوں</a>";
    let body = format!("<h1>{title}</h1><p>{detail}</p><p>{hint}</p><p>{again}</p>");
    page(status, "", &body)
}

fn page(status: StatusCode, head: &str, body: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, docs::bare("Sign in", head, body)).into_response()
}
