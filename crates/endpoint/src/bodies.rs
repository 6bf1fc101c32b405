//! Bodies that many ask for alike: made once for an edition, compressed once for each coding, answered 304 when nothing is
//! new.
//!
//! Each coding has a strong tag of its own, the hash of the body and the name of the coding. `tower-http` compresses here
//! and not as a layer: its layer gives one strong tag to all codings.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use query::EditionMeta;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tower::{Layer, ServiceExt};
use tower_http::compression::CompressionLayer;

use crate::negotiate::{self, Coding, Format};
use crate::problem::Problem;
use crate::ready::SameForAll;

/// Bytes kept at most; past it all are let go and made anew as they are asked for.
const KEPT: usize = 64 << 20;

/// Bodies shorter than this are not worth a coding.
const WORTH_CODING: usize = 512;

/// Header with the number of rows of an answer.
pub(crate) const ROWS: HeaderName = HeaderName::from_static("amanat-rows");

/// Header with the SHA-256 of a body before any coding, so that a saved file can be checked (users.md 5.5 no. 2).
pub(crate) const SHA256: HeaderName = HeaderName::from_static("amanat-sha256");

/// Header with the number of the edition of an answer.
pub(crate) const EDITION: HeaderName = HeaderName::from_static("amanat-edition");

/// How long a copy may be used without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// What may change: ask each time (a 304 is cheap).
    Ask,
    /// What follows from the latest edition: a new one may be a minute late in a cache on the way (users.md 5.6).
    Minute,
    /// What never changes.
    Forever,
}

/// An answer that depends on the edition and the request alone.
pub(crate) struct Shared {
    /// The same for all requests for this body; begins with the edition that it is made from.
    pub(crate) key: String,
    pub(crate) content_type: HeaderValue,
    pub(crate) freshness: Freshness,
    pub(crate) modified: Option<DateTime<Utc>>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether it becomes smaller by a coding: what is compressed already does not.
    pub(crate) worth_coding: bool,
    /// Whether it is the same for all who ask, until there is a new edition.
    pub(crate) is_same_for_all: bool,
}

impl Shared {
    /// An answer of an edition; of no edition where there is none, or where it does not depend on one.
    pub(crate) fn of(edition: Option<&EditionMeta>, key: &str, format: Format, freshness: Freshness) -> Self {
        let number = edition.map(|e| e.edition);
        let published = |e: &EditionMeta| DateTime::parse_from_rfc3339(&e.published_at).ok();
        Self {
            key: format!("{} {} {key}", number.unwrap_or(0), format.name()),
            content_type: format.content_type(),
            freshness,
            modified: edition.and_then(published).map(|at| at.to_utc()),
            headers: number.map(|n| (EDITION, HeaderValue::from(n))).into_iter().collect(),
            worth_coding: !matches!(format, Format::Parquet | Format::Zip),
            is_same_for_all: false,
        }
    }

    /// It depends on nothing but the edition, the address, Accept and Accept-Encoding.
    pub(crate) fn same_for_all(self) -> Self {
        Self { is_same_for_all: true, ..self }
    }

    /// What is said here follows from definitions as well, which may change while the edition does not.
    pub(crate) fn defined(mut self, at: SystemTime) -> Self {
        self.modified = self.modified.max(Some(DateTime::<Utc>::from(at)).filter(|at| *at > DateTime::UNIX_EPOCH));
        self
    }
}

/// A body and, where it has rows, their number: with it a client can tell that it has all of them.
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: Option<usize>,
    /// Headers that follow from the rows.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Whole {
    /// A document of JSON.
    pub(crate) fn json(document: &impl serde::Serialize) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(document).map_err(|_| Problem::internal())?;
        Ok(Self::from(bytes))
    }
}

impl From<Vec<u8>> for Whole {
    /// A document without rows.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, rows: None, headers: Vec::new() }
    }
}

struct Made {
    plain: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
    hash: String,
    coded: [OnceCell<Bytes>; 3],
}

/// Bodies made so far.
#[derive(Default)]
pub(crate) struct Bodies {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_key: HashMap<String, Arc<OnceCell<Arc<Made>>>>,
    /// Keys whose body is in `bytes`.
    counted: HashSet<String>,
    bytes: usize,
}

impl Bodies {
    /// Answers with the body of this key, made now if need be; or 304 if the client has it.
    pub(crate) async fn answer(
        &self,
        asked: &HeaderMap,
        shared: Shared,
        make: impl FnOnce() -> Result<Whole, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.answer_with(asked, shared, aside(make)).await
    }

    /// The same with a body that is waited for.
    pub(crate) async fn answer_with(
        &self,
        asked: &HeaderMap,
        shared: Shared,
        make: impl Future<Output = Result<Whole, Problem>> + Send,
    ) -> Result<Response, Problem> {
        let made = self.made(&shared.key, make).await?;
        let worth_coding = shared.worth_coding && made.plain.len() >= WORTH_CODING;
        let coding = negotiate::coding(asked).filter(|_| worth_coding);
        let tag = match coding {
            Some(coding) => format!("\"{}-{}\"", made.hash, coding.name()),
            None => format!("\"{}\"", made.hash),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?);
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        headers.insert(header::CACHE_CONTROL, shared.freshness.value());
        if let Some(date) = shared.modified.and_then(negotiate::http_date) {
            headers.insert(header::LAST_MODIFIED, date);
        }
        for (name, value) in shared.headers.into_iter().chain(made.headers.iter().cloned()) {
            headers.append(name, value);
        }
        if negotiate::is_current(asked, &tag, shared.modified) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        headers.insert(header::CONTENT_TYPE, shared.content_type);
        let marked = |mut response: Response| {
            if shared.is_same_for_all {
                response.extensions_mut().insert(SameForAll);
            }
            response
        };
        let Some(coding) = coding else {
            return Ok(marked((headers, made.plain.clone()).into_response()));
        };
        let plain = made.plain.clone();
        let coded = made.coded[coding as usize].get_or_try_init(|| encode(plain, coding)).await?;
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        Ok(marked((headers, coded.clone()).into_response()))
    }

    async fn made(
        &self,
        key: &str,
        make: impl Future<Output = Result<Whole, Problem>> + Send,
    ) -> Result<Arc<Made>, Problem> {
        // Those who ask while a body is being made wait for it; one that could not be made is tried again.
        let cell = Arc::clone(self.kept().by_key.entry(key.to_owned()).or_default());
        let begun = Begun { bodies: self, key };
        let made = cell.get_or_try_init(|| made_now(make)).await.cloned();
        drop(begun);
        let mut kept = self.kept();
        if let Ok(made) = &made
            && !kept.counted.contains(key)
        {
            // Codings and the entry itself included, roughly.
            let bytes = made.plain.len() * 2 + key.len() * 3 + 512;
            if kept.bytes + bytes > KEPT {
                *kept = Kept::default();
                kept.by_key.insert(key.to_owned(), cell);
            }
            kept.bytes += bytes;
            kept.counted.insert(key.to_owned());
        }
        drop(kept);
        made
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is being made. One that never is, because it failed or whoever asked for it left, leaves nothing behind.
struct Begun<'a> {
    bodies: &'a Bodies,
    key: &'a str,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut kept = self.bodies.kept();
        if kept.by_key.get(self.key).is_some_and(|cell| !cell.initialized() && Arc::strong_count(cell) <= 2) {
            kept.by_key.remove(self.key);
        }
    }
}

impl Freshness {
    fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Freshness::Ask => "public, no-cache",
            Freshness::Minute => "public, max-age=60, stale-while-revalidate=600",
            Freshness::Forever => "public, max-age=31536000, immutable",
        })
    }
}

/// SHA-256, hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Makes a body away from the threads that answer connections.
pub(crate) async fn aside(make: impl FnOnce() -> Result<Whole, Problem> + Send + 'static) -> Result<Whole, Problem> {
    tokio::task::spawn_blocking(make).await.map_err(|_| Problem::internal())?
}

async fn made_now(make: impl Future<Output = Result<Whole, Problem>>) -> Result<Arc<Made>, Problem> {
    let Whole { bytes, rows, mut headers } = make.await?;
    let made = tokio::task::spawn_blocking(move || {
        let plain = Bytes::from(bytes);
        let hash = blake3::hash(&plain).to_hex()[..32].to_owned();
        if let Some(rows) = rows {
            headers.push((ROWS, HeaderValue::from(rows)));
            headers.extend(HeaderValue::from_str(&sha256(&plain)).ok().map(|digest| (SHA256, digest)));
        }
        Arc::new(Made { plain, headers, hash, coded: Default::default() })
    });
    made.await.map_err(|_| Problem::internal())
}

/// Compresses a whole body, away from the threads that answer connections.
async fn encode(plain: Bytes, coding: Coding) -> Result<Bytes, Problem> {
    let work = async move {
        let whole = tower::service_fn(move |_: Request<()>| {
            let response = Response::new(Body::from(plain.clone()));
            async move { Ok::<_, Infallible>(response) }
        });
        let request = Request::builder().header(header::ACCEPT_ENCODING, coding.name()).body(()).ok()?;
        let response = CompressionLayer::new().layer(whole).oneshot(request).await.ok()?;
        let coded = response.headers().contains_key(header::CONTENT_ENCODING);
        let bytes = axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.ok()?;
        coded.then_some(bytes)
    };
    let coded = tokio::task::spawn_blocking(move || futures::executor::block_on(work)).await;
    coded.ok().flatten().ok_or_else(Problem::internal)
}
