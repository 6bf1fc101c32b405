//! Answers that are whole and the same for everybody until there is a new edition: given again without being made again.
//!
//! A dashboard asks for the same address every few seconds, and a thousand of them at once. What depends on nothing but the edition, the
//! address and the headers Accept and Accept-Encoding is kept as it left, with its headers, and given before anything of the
//! request is read but these. Who shows a key or a cookie goes the long way: who that is has to be found out.
//!
//! Guarantees: an answer that is given again is the one that the long way would make, at that edition; it is counted like one, but not
//! timed: it takes no time that a clock would not double. What is kept is bounded, and let go with each new edition.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, Either};
use metrics::Counter;
use query::{Current, Reader};
use tower::Service;

use crate::layers::{self, Route};
use crate::negotiate;

/// Answers kept, and their bytes; past either all are let go and kept anew as they are asked for.
const MOST: usize = 4_096;
const MOST_BYTES: usize = 64 << 20;
/// The longest address with its headers that is kept.
const LONGEST_KEY: usize = 2_048;

/// Marks an answer that depends on the edition, the address and the headers that it varies by, and on nothing else.
#[derive(Clone, Copy)]
pub(crate) struct SameForAll;

/// An answer as it left.
struct Kept {
    headers: HeaderMap,
    /// The same without what describes a body.
    unchanged: HeaderMap,
    tag: String,
    modified: Option<DateTime<Utc>>,
    body: Bytes,
    given: Counter,
    given_unchanged: Counter,
}

/// What is kept of an edition.
struct OfEdition {
    current: Arc<Current>,
    answers: HashMap<Vec<u8>, Arc<Kept>>,
    bytes: usize,
}

/// All doors of HTTP as one service: every address, with what was answered before in front of them.
#[derive(Clone)]
pub struct Doors(Arc<Behind>);

struct Behind {
    long_way: Router,
    reader: Reader,
    kept: RwLock<OfEdition>,
}

impl Doors {
    pub(crate) fn new(long_way: Router, reader: Reader) -> Self {
        let empty = OfEdition { current: reader.current(), answers: HashMap::new(), bytes: 0 };
        Self(Arc::new(Behind { long_way, reader, kept: RwLock::new(empty) }))
    }
}

impl Behind {
    fn find(&self, key: &[u8]) -> Option<Arc<Kept>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = Arc::ptr_eq(&kept.current, &self.reader.current());
        is_current.then(|| kept.answers.get(key).cloned()).flatten()
    }
}

impl Service<Request> for Doors {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let long_way = || self.0.long_way.clone();
        let Some(key) = key(&request) else { return Either::Right(Box::pin(long_way().call(request))) };
        if let Some(kept) = self.0.find(&key) {
            return Either::Left(ready(Ok(kept.again(request.headers()))));
        }
        // The state before the answer is made: one that is made of a newer edition is not taken for one of this.
        let (current, behind) = (self.0.reader.current(), Arc::clone(&self.0));
        let answer = long_way().call(request);
        Either::Right(Box::pin(async move {
            let response = answer.await?;
            Ok(keep(&behind.kept, current, key, response).await)
        }))
    }
}

/// What decides the answer, of a request that may be answered again.
fn key(request: &Request) -> Option<Vec<u8>> {
    let headers = request.headers();
    if request.method() != Method::GET
        || headers.contains_key(header::AUTHORIZATION)
        || headers.contains_key(header::COOKIE)
    {
        return None;
    }
    let path = request.uri().path_and_query()?.as_str();
    let mut key = Vec::with_capacity(path.len() + 64);
    key.extend_from_slice(path.as_bytes());
    for name in [header::ACCEPT, header::ACCEPT_ENCODING] {
        for value in headers.get_all(name) {
            key.push(b'\n');
            key.extend_from_slice(value.as_bytes());
        }
        key.push(b'\n');
    }
    (key.len() <= LONGEST_KEY).then_some(key)
}

/// Keeps an answer, if it is one that may be given again, and gives it on.
async fn keep(keeper: &RwLock<OfEdition>, current: Arc<Current>, key: Vec<u8>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let size = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (tag, modified) =
        (text(header::ETAG).map(str::to_owned), text(header::LAST_MODIFIED).and_then(negotiate::parse_date));
    let is_same = parts.status == StatusCode::OK && parts.extensions.remove::<SameForAll>().is_some();
    let (Some(size), Some(tag), true) = (size.filter(|size| *size <= MOST_BYTES / 16), tag, is_same) else {
        return Response::from_parts(parts, body);
    };
    let Ok(bytes) = axum::body::to_bytes(body, size).await else {
        return crate::problem::Problem::internal().into_response();
    };
    let route = parts.extensions.get::<Route>().map_or_else(|| Arc::from("none"), |Route(route)| Arc::clone(route));
    let kept = Kept {
        unchanged: without_body(&parts.headers),
        headers: parts.headers.clone(),
        tag,
        modified,
        body: bytes.clone(),
        given: layers::requests(&route, "GET", "200"),
        given_unchanged: layers::requests(&route, "GET", "304"),
    };
    let mut all = keeper.write().unwrap_or_else(PoisonError::into_inner);
    let weight = size + key.len() + 2_048;
    if !Arc::ptr_eq(&all.current, &current) || all.answers.len() >= MOST || all.bytes + weight > MOST_BYTES {
        *all = OfEdition { current, answers: HashMap::new(), bytes: 0 };
    }
    all.bytes += weight;
    all.answers.insert(key, Arc::new(kept));
    drop(all);
    Response::from_parts(parts, Body::from(bytes))
}

fn without_body(headers: &HeaderMap) -> HeaderMap {
    const OF_A_BODY: [HeaderName; 3] = [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LENGTH];
    headers
        .iter()
        .filter(|(name, _)| !OF_A_BODY.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl Kept {
    /// The same again, or 304 to who has it.
    fn again(&self, asked: &HeaderMap) -> Response {
        if negotiate::is_current(asked, &self.tag, self.modified) {
            self.given_unchanged.increment(1);
            return (StatusCode::NOT_MODIFIED, self.unchanged.clone()).into_response();
        }
        self.given.increment(1);
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.headers_mut() = self.headers.clone();
        response
    }
}
