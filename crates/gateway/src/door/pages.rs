//! The page of an agency, at `/agency`: built from `crates/endpoint/web` (`agency.html`) and carried in the program. It has no data of its
//! own; what it shows it asks of `/v1/…` with the key that is typed into it, or by the certificate of the connection.
//!
//! Absent: sessions and cookies. The key stays in the memory of the page and goes when it is closed.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Door;

/// What the page may load, and from where: from here, and nothing that is written into the document itself
/// (W3C Content Security Policy 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file, and the codings that are carried beside it.
struct File {
    name: &'static str,
    media: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// A file that is carried in three forms.
macro_rules! coded {
    ($name:literal, $media:literal) => {
        File {
            name: $name,
            media: $media,
            plain: include_bytes!(concat!("../../pages/", $name)),
            brotli: Some(include_bytes!(concat!("../../pages/", $name, ".br"))),
            gzip: Some(include_bytes!(concat!("../../pages/", $name, ".gz"))),
        }
    };
}

/// A file that is compressed in itself.
macro_rules! plain {
    ($name:literal, $media:literal) => {
        File {
            name: $name,
            media: $media,
            plain: include_bytes!(concat!("../../pages/", $name)),
            brotli: None,
            gzip: None,
        }
    };
}

static FILES: &[File] = &[
    coded!("agency.html", "text/html; charset=utf-8"),
    coded!("agency.js", "text/javascript; charset=utf-8"),
    coded!("agency.css", "text/css; charset=utf-8"),
    coded!("icon.svg", "image/svg+xml"),
    coded!("licences.txt", "text/plain; charset=utf-8"),
    plain!("naskh-400.woff2", "font/woff2"),
    plain!("naskh-700.woff2", "font/woff2"),
    plain!("nastaliq-700.woff2", "font/woff2"),
];

/// The hash of each file, by which a client knows that it has it.
static TAGS: LazyLock<Vec<String>> =
    LazyLock::new(|| FILES.iter().map(|file| blake3::hash(file.plain).to_hex()[..32].to_owned()).collect());

/// The addresses of the page.
pub(crate) fn router() -> Router<Door> {
    let router = Router::new().route("/agency", get(async |asked: HeaderMap| answer(0, &asked)));
    FILES.iter().enumerate().skip(1).fold(router, |router, (at, file)| {
        router.route(&format!("/agency/{}", file.name), get(async move |asked: HeaderMap| answer(at, &asked)))
    })
}

fn answer(at: usize, asked: &HeaderMap) -> Response {
    let file = &FILES[at];
    let (bytes, coding) = match (file.brotli, file.gzip) {
        (Some(brotli), _) if takes(asked, "br") => (brotli, Some("br")),
        (_, Some(gzip)) if takes(asked, "gzip") => (gzip, Some("gzip")),
        _ => (file.plain, None),
    };
    let tag = format!("\"{}{}{}\"", TAGS[at], if coding.is_some() { "-" } else { "" }, coding.unwrap_or_default());
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| HeaderValue::from_str(value).map(|value| headers.insert(name, value)).ok();
    put(header::ETAG, &tag);
    put(header::VARY, "accept-encoding");
    put(header::CACHE_CONTROL, "no-cache");
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "no-referrer");
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // A proxy that compresses weakens tags: they are compared weakly (RFC 9110, 13.1.2).
    if known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    put(header::CONTENT_TYPE, file.media);
    if let Some(coding) = coding {
        put(header::CONTENT_ENCODING, coding);
    }
    (StatusCode::OK, headers, Bytes::from_static(bytes)).into_response()
}

/// Whether a client takes a coding (RFC 9110, 12.5.3).
fn takes(asked: &HeaderMap, coding: &str) -> bool {
    let all = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let refused = weight.trim().trim_start_matches("q=").parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(coding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))])
    }

    #[test]
    fn the_page_comes_in_a_coding_that_the_client_takes() {
        let coding = |asked: &HeaderMap| answer(0, asked).headers().get(header::CONTENT_ENCODING).cloned();
        assert_eq!(coding(&asking("gzip, deflate, br")), Some(HeaderValue::from_static("br")));
        assert_eq!(coding(&asking("gzip, br;q=0")), Some(HeaderValue::from_static("gzip")));
        assert_eq!(coding(&HeaderMap::new()), None);
    }

    #[test]
    fn a_page_that_the_client_has_is_not_sent_again_and_is_of_one_origin() {
        let first = answer(0, &asking("br"));
        let policy = first.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let mut again = asking("br");
        again.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(0, &again).status(), StatusCode::NOT_MODIFIED);
    }
}
