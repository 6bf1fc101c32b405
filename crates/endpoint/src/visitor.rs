//! Who asks over HTTP: by a key, by the cookie of a session, or nobody in particular; and whether the address is for them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use policy::{Asker, Role};
use query::{Code, Refusal};

use crate::problem::{Kind, Problem};
use crate::serve::Peer;
use crate::{Door, METRICS};

/// Name of the door in the log.
pub(crate) const HTTP: &str = "http";
/// What a request that changes something bears, where its sender came in by a session.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("amanat-csrf");
/// Name of the cookie. Where the connection is encrypted the name holds it to this host and to such connections (RFC 6265bis).
const COOKIE: &str = "amanat";
const GUARDED_COOKIE: &str = "__Host-amanat";

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    /// Nobody in particular where there is none.
    pub(crate) asker: Option<Asker>,
    /// The address that it comes from.
    pub(crate) peer: Option<IpAddr>,
    /// Of one who came in by a session: the token of its cookie and what else its changes must show.
    pub(crate) session: Option<(Arc<str>, Arc<str>)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Visitor {
    pub(crate) fn role(&self) -> Role {
        self.asker.as_ref().map_or(Role::Public, |asker| asker.role)
    }

    /// Refuses what a page of another origin may have made this visitor's browser send.
    pub(crate) fn means_it(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let forged = |detail: &str| {
            Problem::new(
                Kind::OtherOrigin,
                detail,
                "Send it from a page of this service, with the header amanat-csrf of GET /v1/session; programs use a key.",
            )
        };
        if !is_of_this_origin(headers) {
            return Err(forged("The request comes from a page of another origin."));
        }
        let Some((_, csrf)) = &self.session else { return Ok(()) };
        let shown = headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
        // Compared as hashes, in constant time.
        if blake3::hash(shown) == blake3::hash(csrf.as_bytes()) {
            return Ok(());
        }
        Err(forged("The request does not show that its session meant to send it."))
    }
}

/// Whether a browser says that the request is of a page of this origin; programs say nothing of it.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !["same-origin", "none"].contains(&site)) {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let of = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
    of.is_some() && of.as_deref() == text(header::HOST)
}

/// Finds out who sends the request, and refuses it where the address is not for them.
pub(crate) async fn admit(
    State(door): State<Arc<Door>>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = peer_of(&request, door.settings.behind_proxy);
    let visitor = match visitor(&door, request.headers(), peer) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.into_response(),
    };
    if let Some(matched) = matched
        && let Err(problem) = may_use(&door, &visitor, request.method(), matched.as_str())
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// The other end; of a proxy, whom it says that it asks for.
fn peer_of(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let near = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(address))| address.ip());
    let said = || {
        // The last one is the proxy's own word; those before it are the client's.
        let all = request.headers().get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        all.rsplit(',').next()?.trim().parse().ok()
    };
    behind_proxy.then(said).flatten().or(near)
}

fn visitor(door: &Door, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Visitor, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let key = value.to_str().ok().and_then(|value| value.split_once(' '));
        let key = key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
        let unknown = || {
            let refusal = Refusal::new(Code::KeyNeeded, "The header Authorization bears no key that is known here.");
            refusal.hint("Send `Authorization: Bearer …` with a key of this service, or no such header.")
        };
        let asker = key.and_then(|key| door.settings.gate.by_key(key, HTTP)).ok_or_else(unknown)?;
        return Ok(Visitor { asker: Some(asker), peer, session: None });
    }
    let Some(token) = cookie(headers, is_guarded(door)) else { return Ok(Visitor { peer, ..Visitor::default() }) };
    Ok(match door.settings.gate.session(token) {
        Some((asker, session)) => {
            Visitor { asker: Some(asker), peer, session: Some((token.into(), session.csrf.into())) }
        }
        // A session that is over is nobody's; the page says so.
        None => Visitor { peer, ..Visitor::default() },
    })
}

fn may_use(door: &Door, visitor: &Visitor, method: &Method, path: &str) -> Result<(), Problem> {
    let method = match *method {
        Method::HEAD => "GET",
        Method::OPTIONS => return Ok(()),
        ref other => other.as_str(),
    };
    let route = format!("{method} {path}");
    let access = door.reader.access();
    // A method that the address does not take is told so; the metrics are shown to this machine, too, and say so themselves.
    if access.may_use(visitor.role(), &route) || !access.has_route(&route) && !is_ours(&route) {
        return Ok(());
    }
    if path == METRICS {
        return Ok(());
    }
    let detail = format!("The role {} may not use this address.", visitor.role().name());
    if let Some(asker) = &visitor.asker {
        door.settings.gate.reached_too_far(asker, HTTP);
        let hint = "Who runs this service can give another role.";
        return Err(Problem::new(Kind::AddressNotAllowed, detail, hint));
    }
    let refusal = Refusal::new(Code::KeyNeeded, detail);
    Err(refusal.hint("Sign in at /login, or send `Authorization: Bearer …` with a key of this service.").into())
}

/// Whether an address and method are served, so that the policy must speak of them.
fn is_ours(route: &str) -> bool {
    crate::served().any(|known| known == route)
}

/// Whether sessions are of encrypted connections alone.
pub(crate) fn is_guarded(door: &Door) -> bool {
    door.settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
}

fn cookie(headers: &HeaderMap, is_guarded: bool) -> Option<&str> {
    cookie_of(headers, if is_guarded { GUARDED_COOKIE } else { COOKIE })
}

/// The value of a cookie; the first where there are several.
pub(crate) fn cookie_of<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next()
}

/// The header that sets the cookie of a session, or takes it away.
pub(crate) fn set_cookie(token: Option<&str>, is_guarded: bool) -> HeaderValue {
    let (name, secure) = if is_guarded { (GUARDED_COOKIE, "; Secure") } else { (COOKIE, "") };
    let age = if token.is_some() { crate::gate::LONGEST_SESSION.as_secs() } else { 0 };
    let text =
        format!("{name}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", token.unwrap_or_default());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("amanat=; Path=/; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        of.iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")))
            .collect()
    }

    #[test]
    fn a_page_of_another_origin_is_known_by_what_its_browser_says() {
        let host = ("host", "amanat.example:8080");
        assert!(is_of_this_origin(&headers(&[host])), "a program says nothing");
        assert!(is_of_this_origin(&headers(&[host, ("origin", "http://amanat.example:8080")])));
        for other in
            ["https://evil.example", "http://amanat.example", "null", "http://amanat.example:8080.evil.example"]
        {
            assert!(!is_of_this_origin(&headers(&[host, ("origin", other)])), "{other}");
        }
        assert!(!is_of_this_origin(&headers(&[host, ("sec-fetch-site", "cross-site")])));
        assert!(!is_of_this_origin(&headers(&[host, ("sec-fetch-site", "same-site")])));
        assert!(is_of_this_origin(&headers(&[host, ("sec-fetch-site", "same-origin")])));
    }

    #[test]
    fn a_cookie_is_held_to_this_host_and_out_of_reach_of_scripts() {
        let guarded = set_cookie(Some("t"), true);
        let text = guarded.to_str().unwrap_or_default();
        for part in ["__Host-amanat=t", "Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(cookie(&headers(&[("cookie", "a=b; __Host-amanat=t; amanat=u")]), true), Some("t"));
        assert_eq!(cookie(&headers(&[("cookie", "a=b; __Host-amanat=t; amanat=u")]), false), Some("u"));
        assert_eq!(cookie(&headers(&[("cookie", "xamanat=t")]), false), None);
        assert!(set_cookie(None, false).to_str().is_ok_and(|text| text.contains("Max-Age=0")));
    }
}
