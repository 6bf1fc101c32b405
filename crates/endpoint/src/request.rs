//! Parts of a request, with a problem instead of a plain text where they cannot be read.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;

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
