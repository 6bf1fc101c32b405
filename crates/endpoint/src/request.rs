//! Parts of a request, with a problem instead of a plain text where they cannot be read.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::Settings;
use crate::problem::{Kind, Problem};

/// The one variable part of the path.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::new(Kind::NotFound, "The address cannot be read.", "Write it in UTF-8.")),
        }
    }
}

/// The variable parts of the path, by name.
pub(crate) struct Segments(pub(crate) HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<HashMap<String, String>>::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(_) => Err(Problem::new(Kind::NotFound, "The address cannot be read.", "Write it in UTF-8.")),
        }
    }
}

impl Segments {
    /// A part by its name, or what stands for it where the path ends before it.
    pub(crate) fn part<'a>(&'a self, name: &str, missing: &'a str) -> &'a str {
        self.0.get(name).map_or(missing, String::as_str)
    }
}

/// The query string as names and values, in order.
pub(crate) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default()))
    }
}

impl Pairs {
    /// Takes out the value of a name; the last one where there are several.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        self.0.retain_mut(|(n, value)| {
            let is = n.eq_ignore_ascii_case(name);
            if is {
                found = Some(std::mem::take(value));
            }
            !is
        });
        found
    }

    /// What is left.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The whole body as text, within the limits of length and time.
pub(crate) async fn text(headers: &HeaderMap, body: Body, settings: &Settings) -> Result<String, Problem> {
    let (limit, time) = (settings.body_limit, settings.request_timeout);
    let too_large = || {
        let detail = format!("The body is longer than {limit} bytes.");
        Problem::new(Kind::BodyTooLarge, detail, "Ask a shorter question, or several.")
    };
    let said = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let bytes = match tokio::time::timeout(time, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if is_length(&error) => return Err(too_large()),
        Ok(Err(_)) => return Err(malformed("The body ended before its end.", "Send it again.")),
        Err(_) => {
            let detail = format!("The body did not arrive within {} s.", time.as_secs_f64());
            return Err(Problem::new(Kind::RequestTimeout, detail, "Send it again."));
        }
    };
    String::from_utf8(bytes.into()).map_err(|_| malformed("The body is not UTF-8.", "Send it in UTF-8."))
}

/// A body of JSON. It must say that it is one: what a form of a page of another origin can send is none.
pub(crate) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    settings: &Settings,
) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        let detail = "The body is not said to be JSON.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail, "Send content-type: application/json."));
    }
    let text = text(headers, body, settings).await?;
    // What serde says may have a part of the text in it, and that may be a password.
    serde_json::from_str(&text).map_err(|_| {
        malformed("The body is not the JSON that this address takes.", "GET /openapi.json says what it takes.")
    })
}

fn malformed(detail: &str, hint: &str) -> Problem {
    Problem::new(Kind::MalformedBody, detail, hint)
}

fn is_length(error: &axum::Error) -> bool {
    // The error of `to_bytes` has the one that says so inside.
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}
