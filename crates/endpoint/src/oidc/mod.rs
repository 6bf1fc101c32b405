//! Signing in by an OpenID provider: the authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 9700).
//!
//! The provider says who somebody is, the file of readers what they may do: whom no line of it names does not come in.
//!
//! Guarantees: a sign-in ends in the browser that began it, once, within ten minutes; a token is taken that the provider has signed for
//! this service and this sign-in, and no other; neither codes nor tokens nor what the provider calls somebody stand in a log or an
//! answer. Absent: tokens of a provider as keys of programs (a program has a key of its own), signing out at the provider.

mod flows;
mod page;
mod provider;
mod token;

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::Door;
use crate::gate::Stays;
use crate::problem::{Kind, Problem};
use crate::request::Pairs;
use crate::visitor::{HTTP, cookie_of, is_guarded, set_cookie};
use flows::{Flow, Flows};
use provider::{Away, Provider};
use token::{Expected, Unfit};

/// Where a sign-in begins, and where it comes back.
pub(crate) const BEGIN: &str = "/login/oidc";
pub(crate) const RETURN: &str = "/login/oidc/return";
/// The cookie that holds a sign-in to its browser.
const COOKIE: &str = "amanat-oidc";

/// The provider that an operator has named.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// What the provider calls itself: an https:// address, to the letter.
    pub issuer: String,
    /// What it calls this service.
    pub client_id: String,
    /// Proves to it that this service asks; without one PKCE alone does.
    pub client_secret: Option<Secret>,
    /// The claim of its tokens by which the file of readers knows people.
    pub claim: String,
    /// What people call the provider: stands on the page for signing in.
    pub name: String,
    /// What is asked for, `openid` among it.
    pub scopes: Vec<String>,
}

/// A text that is shown to nobody.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A provider and the sign-ins that are under way.
pub struct Oidc {
    settings: OidcSettings,
    provider: Provider,
    flows: Flows,
}

/// Where one can sign in beside this service's own names and passwords.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignIn {
    /// What people call the provider.
    name: String,
    /// Where to go.
    at: &'static str,
}

impl Oidc {
    /// Asks the provider for nothing yet: it may be away while this service starts.
    ///
    /// # Errors
    /// A sentence: the issuer is no address that could be believed, or the system has no root certificates.
    pub fn new(settings: OidcSettings) -> Result<Self, String> {
        // It has neither a query nor a fragment (OpenID Connect Discovery 1.0, 3).
        let is_plain = |url: &Url| url.query().is_none() && url.fragment().is_none();
        let is_safe = settings.issuer.parse::<Url>().is_ok_and(|url| provider::is_safe(&url) && is_plain(&url));
        if !is_safe {
            return Err("is not an address that begins with https:// and has neither ? nor #".to_owned());
        }
        let provider =
            Provider::new().map_err(|_| "cannot be asked: the system has no root certificates".to_owned())?;
        Ok(Self { settings, provider, flows: Flows::default() })
    }

    pub(crate) fn sign_in(&self) -> SignIn {
        SignIn { name: self.settings.name.clone(), at: BEGIN }
    }
}

/// Every path template of signing in by a provider.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Door>>)> {
    vec![(BEGIN, get(begin)), (RETURN, get(comes_back))]
}

/// Why somebody does not come in by a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    NotOffered,
    /// The sign-in is not known, over, or another browser's.
    State,
    /// The provider has let nobody in.
    Provider,
    /// What the provider sent is not taken.
    Token,
    Away,
    NotAReader,
    Unrecorded,
}

impl Refused {
    fn problem(self) -> Problem {
        let (kind, detail, hint) = match self {
            Self::NotOffered => {
                (Kind::NotFound, "No provider is named here.", "Sign in by name and password at /login.")
            }
            Self::State => {
                (Kind::SignInOver, "This sign-in is over, or another browser has begun it.", "Begin again at /login.")
            }
            Self::Provider => (
                Kind::SignInRefused,
                "The provider has not let you in.",
                "Begin again at /login, or ask who runs the provider.",
            ),
            Self::Token => (
                Kind::SignInRefused,
                "What the provider has sent is not what it must be.",
                "Begin again at /login; if it stays, tell who runs this service.",
            ),
            Self::Away => (
                Kind::ProviderAway,
                "The provider does not answer as it should.",
                "Try again in a while, or sign in by name and password at /login.",
            ),
            Self::NotAReader => (
                Kind::NotAReader,
                "The provider knows you, and no account of this service is yours.",
                "Ask who runs this service to invite you.",
            ),
            Self::Unrecorded => (
                Kind::NotKept,
                "Who comes in is recorded, and the record cannot be written now.",
                "Tell who runs this service.",
            ),
        };
        Problem::new(kind, detail, hint)
    }
}

/// Sends the browser to the provider.
async fn begin(State(door): State<Arc<Door>>, mut pairs: Pairs, asked: HeaderMap) -> Response {
    let begun = started(&door, pairs.take("to").as_deref(), &asked).await;
    begun.unwrap_or_else(|refused| page::refused(&refused.problem(), &asked))
}

async fn started(door: &Door, to: Option<&str>, asked: &HeaderMap) -> Result<Response, Refused> {
    let (oidc, redirect) = offered(door)?;
    let described = oidc.provider.described(&oidc.settings).await.map_err(|away| said(&away, Refused::Away))?;
    let gate = &door.settings.gate;
    let random = || URL_SAFE_NO_PAD.encode(gate.random());
    let (state, nonce, verifier) = (random(), random(), random());
    // A browser that signs in twice at a time has one cookie for both.
    let browser = cookie_of(asked, COOKIE).filter(|known| known.len() == 43).map_or_else(random, str::to_owned);
    let mut url = described.authorization_endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &oidc.settings.client_id)
        .append_pair("redirect_uri", &redirect)
        .append_pair("scope", &oidc.settings.scopes.join(" "))
        .append_pair("state", &state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
        .append_pair("code_challenge_method", "S256");
    let to = to.filter(|to| is_own_path(to)).unwrap_or("/sql").to_owned();
    let flow = Flow { browser: blake3::hash(browser.as_bytes()), nonce, verifier, to, began: gate.now_at() };
    oidc.flows.begin(&state, flow);
    let location = HeaderValue::from_str(url.as_str()).map_err(|_| Refused::Away)?;
    let headers = [
        (header::LOCATION, location),
        (header::SET_COOKIE, binding(&browser, is_guarded(door))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The browser comes back from the provider.
async fn comes_back(State(door): State<Arc<Door>>, pairs: Pairs, asked: HeaderMap) -> Response {
    match finished(&door, &pairs, &asked).await {
        Ok((token, to)) => {
            let mut response = page::goes_on(&to);
            response.headers_mut().append(header::SET_COOKIE, set_cookie(Some(&token), is_guarded(&door)));
            response
        }
        Err(refused) => page::refused(&refused.problem(), &asked),
    }
}

/// The token of a new session, and where it goes on.
async fn finished(door: &Door, pairs: &Pairs, asked: &HeaderMap) -> Result<(String, String), Refused> {
    let (oidc, redirect) = offered(door)?;
    let gate = &door.settings.gate;
    // Each once: of two it is not known which the provider meant.
    let one = |name: &str| {
        let mut all = pairs.rest().filter(|(known, _)| *known == name).map(|(_, value)| value);
        all.next().filter(|_| all.next().is_none())
    };
    let (state, browser) = (one("state").ok_or(Refused::State)?, cookie_of(asked, COOKIE).ok_or(Refused::State)?);
    let flow = oidc.flows.take(state, browser, gate.now_at()).ok_or(Refused::State)?;
    let described = oidc.provider.described(&oidc.settings).await.map_err(|away| said(&away, Refused::Away))?;
    let issuer = one("iss");
    // What comes from another provider than was asked is of no sign-in here (RFC 9207).
    if issuer.map_or(described.authorization_response_iss_parameter_supported, |iss| iss != oidc.settings.issuer) {
        return Err(Refused::Token);
    }
    let code = one("code").filter(|_| one("error").is_none()).ok_or(Refused::Provider)?;
    let token = oidc.provider.token(&described, &oidc.settings, (code, &flow.verifier), &redirect).await;
    let token = token.map_err(|away| match away {
        Away::Refuses => said(&away, Refused::Provider),
        away => said(&away, Refused::Away),
    })?;
    let value = named(oidc, &described, &token, &flow, gate.now_at()).await?;
    let subject = policy::subject(&oidc.settings.issuer, &oidc.settings.claim, &value);
    let asker = gate.by_subject(&subject, HTTP).map_err(|stays| match stays {
        Stays::Unrecorded => Refused::Unrecorded,
        _ => Refused::NotAReader,
    })?;
    Ok((gate.open(&asker).0, flow.to))
}

/// What the token says of the person.
async fn named(
    oidc: &Oidc,
    described: &provider::Described,
    token: &str,
    flow: &Flow,
    now: std::time::SystemTime,
) -> Result<String, Refused> {
    let OidcSettings { issuer, client_id, claim, .. } = &oidc.settings;
    let expected = Expected { issuer, client_id, nonce: &flow.nonce, began: flow.began, now };
    for anew in [false, true] {
        let keys = oidc.provider.keys(described, anew).await.map_err(|away| said(&away, Refused::Away))?;
        match token::read(token, &keys, claim, &expected) {
            // It may have new keys since.
            Err(Unfit::UnknownKey) if !anew => {}
            read => return read.map_err(|unfit| said(&unfit, Refused::Token)),
        }
    }
    Err(Refused::Token)
}

/// The provider, and the address to which it sends browsers back.
fn offered(door: &Door) -> Result<(&Oidc, String), Refused> {
    let oidc = door.settings.oidc.as_deref().ok_or(Refused::NotOffered)?;
    let base = door.settings.public_url.as_deref().ok_or(Refused::NotOffered)?.trim_end_matches('/');
    Ok((oidc, format!("{base}{RETURN}")))
}

/// Says in the log why somebody did not come in.
fn said(cause: &dyn std::error::Error, refused: Refused) -> Refused {
    tracing::warn!(cause = %cause, "a sign-in by the provider came to nothing");
    refused
}

/// Whether this is a path of this service, as browsers read it: `//host` and `/\host` are addresses elsewhere.
fn is_own_path(to: &str) -> bool {
    let is_plain = to.len() <= 2_000 && to.chars().all(|c| c.is_ascii_graphic() && !"\\\"<>".contains(c));
    is_plain && to.starts_with('/') && !to.starts_with("//")
}

/// The cookie comes along when the provider sends the browser back, which is a step from another site: Lax, and not Strict.
fn binding(browser: &str, is_guarded: bool) -> HeaderValue {
    let secure = if is_guarded { "; Secure" } else { "" };
    let age = flows::LONGEST.as_secs();
    let text = format!("{COOKIE}={browser}; Path={BEGIN}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("amanat-oidc=; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_a_path_of_this_service_and_nowhere_else() {
        for own in ["/", "/sql?q=select%201", "/indicators/V01#table"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in
            ["", "sql", "//evil.example", "/\\evil.example", "https://evil.example", "/a\n", "/\"><script>", "/\t/evil"]
        {
            assert!(!is_own_path(other), "{other}");
        }
    }
}
