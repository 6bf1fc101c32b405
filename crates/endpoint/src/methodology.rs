//! The methodology, as it is in the program: what every number rests on is read where the number is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::negotiate::Format;
use crate::problem::{Kind, Problem};
use crate::request::Pairs;

/// The methodology in English.
pub(crate) const ENGLISH: &str = include_str!("../../../docs/methodology.md");
/// The methodology in Urdu.
pub(crate) const URDU: &str = include_str!("../../../docs/methodology.ur.md");

/// How the numbers are made and protected.
#[utoipa::path(get, path = "/v1/methodology", tag = "indicators",
    params(("lang" = Option<String>, Query, description = "en or ur; English if absent")),
    responses((status = 200, description = "The methodology", body = String, content_type = "text/markdown"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn methodology(
    State(door): State<Arc<Door>>,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let (language, text) = match pairs.take("lang").as_deref() {
        None | Some("en") => ("en", ENGLISH),
        Some("ur") => ("ur", URDU),
        Some(_) => {
            let hint = "Write lang=en or lang=ur.";
            return Err(Problem::new(Kind::MalformedParameter, "lang names no language of the methodology.", hint));
        }
    };
    pairs.none_left(&["lang"])?;
    let mut shared = Shared::of(None, &format!("/v1/methodology/{language}"), Format::Markdown, Freshness::Ask);
    shared.headers.push((header::CONTENT_LANGUAGE, HeaderValue::from_static(language)));
    door.bodies.answer(&asked, shared, move || Ok(Whole::from(text.as_bytes().to_vec()))).await
}
