//! The pages: a dashboard for people, built from `web/` and carried in the program, so that it works where nothing else is
//! reachable. It has no data of its own; what it shows it asks of `/v1/…` like everybody else.
//!
//! One document (the shell) stands at every address of a page and draws what the address says. What it loads has its hash in
//! its name and never changes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;

use crate::Door;
use crate::negotiate::{self, Coding};
use crate::problem::{Kind, Problem};
use crate::request::Segment;

mod carried {
    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}

/// What a page may load, and from where: from here, and nothing that is written into the document itself
/// (W3C Content Security Policy 3).
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'",
);

/// Name of the shell.
const SHELL: &str = "index.html";

/// What is not compressed, and the codings that are carried beside it.
struct File {
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
    hash: String,
}

/// The files by their names.
static FILES: LazyLock<BTreeMap<&'static str, File>> = LazyLock::new(|| {
    let all: BTreeMap<&'static str, &'static [u8]> = carried::FILES.iter().copied().collect();
    let coded = |name: &str, suffix: &str| all.get(format!("{name}{suffix}").as_str()).copied();
    let plain = all.iter().filter(|(name, _)| !matches!(ending(name), "br" | "gz"));
    let file = |(name, plain): (&&'static str, &&'static [u8])| {
        let hash = blake3::hash(plain).to_hex()[..32].to_owned();
        (*name, File { plain, brotli: coded(name, ".br"), gzip: coded(name, ".gz"), hash })
    };
    plain.map(file).collect()
});

/// Every path template at which a page or a part of one stands, beside `/`.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Door>>)> {
    vec![
        ("/indicators", get(page)),
        ("/indicators/{id}", get(indicator)),
        ("/children", get(page)),
        ("/justice", get(page)),
        ("/labour", get(page)),
        ("/support", get(page)),
        ("/quality", get(page)),
        ("/sql", get(page)),
        ("/questions", get(page)),
        ("/questions/{name}", get(page)),
        ("/about", get(page)),
        ("/login", get(page)),
        ("/welcome", get(page)),
        ("/people", get(page)),
        ("/queue", get(page)),
        ("/feeds", get(page)),
        ("/feeds/{agency}", get(page)),
        ("/assets/{name}", get(asset)),
        ("/licences.txt", get(licences)),
    ]
    .into_iter()
    .chain(crate::docs::routes())
    .chain(crate::oidc::routes())
    .collect()
}

/// True where the client would rather have a page than data: a browser, not a program.
pub(crate) fn wanted(asked: &HeaderMap) -> bool {
    negotiate::prefers_html(asked)
}

/// The document of all pages, with this status.
pub(crate) fn shell(asked: &HeaderMap, status: StatusCode) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, REVALIDATED)];
    file(SHELL, asked, status, headers).unwrap_or_else(IntoResponse::into_response)
}

const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The name of a carried file that begins so, its hash behind it.
pub(crate) fn named(begin: &str) -> Option<String> {
    FILES.keys().find(|name| name.starts_with(begin)).map(|name| (*name).to_owned())
}

async fn page(asked: HeaderMap) -> Response {
    shell(&asked, StatusCode::OK)
}

/// The page of an indicator: 404 where there is none of that id, with a page that says so.
async fn indicator(State(door): State<Arc<Door>>, Segment(id): Segment, asked: HeaderMap) -> Response {
    let known = door.reader.catalogue().indicator(&id).is_some();
    shell(&asked, if known { StatusCode::OK } else { StatusCode::NOT_FOUND })
}

/// A file with its hash in its name.
async fn asset(Segment(name): Segment, asked: HeaderMap) -> Result<Response, Problem> {
    file(&format!("assets/{name}"), &asked, StatusCode::OK, [(header::CACHE_CONTROL, FOREVER)])
}

/// Licences of the software and fonts that the pages carry.
async fn licences(asked: HeaderMap) -> Result<Response, Problem> {
    file("licences.txt", &asked, StatusCode::OK, [(header::CACHE_CONTROL, REVALIDATED)])
}

/// A file in the coding that the client likes best, or 304 if it has that already.
fn file<const N: usize>(
    name: &str,
    asked: &HeaderMap,
    status: StatusCode,
    more: [(HeaderName, HeaderValue); N],
) -> Result<Response, Problem> {
    let missing = || Problem::new(Kind::NotFound, "There is no such file.", "GET / loads the present pages.");
    let (name, file) = FILES.get_key_value(name).ok_or_else(missing)?;
    let offered = [file.brotli.map(|_| Coding::Brotli), file.gzip.map(|_| Coding::Gzip)];
    let offered: Vec<Coding> = offered.into_iter().flatten().collect();
    let (bytes, coding) = match negotiate::coding_among(asked, &offered) {
        Some(Coding::Brotli) => (file.brotli, Some(Coding::Brotli)),
        Some(Coding::Gzip) => (file.gzip, Some(Coding::Gzip)),
        _ => (None, None),
    };
    let tag = match coding {
        Some(coding) => format!("\"{}-{}\"", file.hash, coding.name()),
        None => format!("\"{}\"", file.hash),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?);
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    headers.extend(more);
    if status == StatusCode::OK && negotiate::is_current(asked, &tag, None) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(header::CONTENT_TYPE, media_type(name));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    Ok((status, headers, Bytes::from_static(bytes.unwrap_or(file.plain))).into_response())
}

/// What stands behind the last dot of a name.
fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, end)| end)
}

/// The media type by the end of the name; the build makes no others.
fn media_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match ending(name) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}
