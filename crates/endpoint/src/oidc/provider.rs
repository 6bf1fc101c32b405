//! The provider, as it describes itself (OpenID Connect Discovery 1.0), and what it is asked for: keys, and tokens for codes.
//!
//! Guarantees: nothing is asked of another address than those that the provider of the configured name gives, each encrypted or on this
//! machine; no redirect is followed; an answer has a size and a time; keys are asked for again when a token names one that is not
//! known, and not more often than twice a minute.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::OidcSettings;

/// How long the provider may take for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Greatest answer, bytes.
const MOST: usize = 256 << 10;
/// How long what the provider says of itself is believed.
const BELIEVED: Duration = Duration::from_hours(1);
/// After so long it is asked again, where it was of no use.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Between two looks for new keys.
const BETWEEN: Duration = Duration::from_secs(30);

/// Why the provider was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Away {
    #[error("the provider cannot be reached, or is too slow")]
    Silent,
    #[error("the provider refuses the request")]
    Refuses,
    #[error("the provider's answer is not one that OpenID Connect has")]
    Malformed,
    #[error(
        "the provider names an address that is neither encrypted nor on this machine, or calls itself otherwise than it is configured"
    )]
    Unsafe,
}

/// What the provider says of itself, as far as it is needed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Described {
    issuer: String,
    pub(super) authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// Something that was asked for, and when; and when and how it last could not be had.
struct Asked<T> {
    kept: Option<(Arc<T>, Instant)>,
    failed: Option<(Away, Instant)>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { kept: None, failed: None }
    }
}

impl<T: DeserializeOwned> Asked<T> {
    /// What is known, if it is younger than that.
    fn younger(&self, than: Duration) -> Option<Arc<T>> {
        self.kept.as_ref().filter(|(_, at)| at.elapsed() < than).map(|(known, _)| Arc::clone(known))
    }

    /// Asks anew. Who waited here while another asked in vain has its answer: a provider that does not answer holds nobody up but once.
    async fn anew(
        &mut self,
        url: Url,
        http: &Client,
        is_taken: impl Fn(&T) -> Result<(), Away>,
    ) -> Result<Arc<T>, Away> {
        let known = |this: &Self, away| this.kept.as_ref().map(|(old, _)| Arc::clone(old)).ok_or(away);
        if let Some((away, _)) = self.failed.filter(|(_, at)| at.elapsed() < AGAIN_AFTER) {
            return known(self, away);
        }
        let new = json::<T>(http.get(url).send().await).await.and_then(|new| is_taken(&new).map(|()| Arc::new(new)));
        match new {
            Ok(new) => {
                (self.kept, self.failed) = (Some((Arc::clone(&new), Instant::now())), None);
                Ok(new)
            }
            Err(away) => {
                self.failed = Some((away, Instant::now()));
                known(self, away)
            }
        }
    }
}

pub(super) struct Provider {
    http: Client,
    described: Mutex<Asked<Described>>,
    keys: Mutex<Asked<JwkSet>>,
    /// When keys were last asked for because a token named another.
    looked: Mutex<Option<Instant>>,
}

impl Provider {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// Where the system has no root certificates.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let http = Client::builder().timeout(ANSWER_WITHIN).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, described: Mutex::default(), keys: Mutex::default(), looked: Mutex::default() })
    }

    /// What the provider says of itself. Where it cannot be asked again, what it said before holds.
    pub(super) async fn described(&self, settings: &OidcSettings) -> Result<Arc<Described>, Away> {
        let mut asked = self.described.lock().await;
        if let Some(described) = asked.younger(BELIEVED) {
            return Ok(described);
        }
        let url = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let url = url.parse().map_err(|_| Away::Unsafe)?;
        let is_taken = |described: &Described| {
            let addresses = [&described.authorization_endpoint, &described.token_endpoint, &described.jwks_uri];
            let is_safe = described.issuer == settings.issuer && addresses.into_iter().all(is_safe);
            if is_safe { Ok(()) } else { Err(Away::Unsafe) }
        };
        asked.anew(url, &self.http, is_taken).await
    }

    /// The keys by which it signs; asked for again where those that are known have not been enough.
    pub(super) async fn keys(&self, described: &Described, anew: bool) -> Result<Arc<JwkSet>, Away> {
        let mut looked = self.looked.lock().await;
        // Whoever makes up names of keys makes nobody ask again and again.
        let anew = anew && looked.is_none_or(|at| at.elapsed() >= BETWEEN);
        let mut asked = self.keys.lock().await;
        if let Some(keys) = asked.younger(BELIEVED).filter(|_| !anew) {
            return Ok(keys);
        }
        if anew {
            *looked = Some(Instant::now());
        }
        asked.anew(described.jwks_uri.clone(), &self.http, |_| Ok(())).await
    }

    /// The ID token for a code.
    pub(super) async fn token(
        &self,
        described: &Described,
        settings: &OidcSettings,
        (code, verifier): (&str, &str),
        redirect: &str,
    ) -> Result<String, Away> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", verifier)
            .append_pair("client_id", &settings.client_id)
            .finish();
        let mut request = self.http.post(described.token_endpoint.clone()).body(form);
        request =
            request.header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json");
        if let Some(secret) = &settings.client_secret {
            // Both are written as in a form before they are put together (RFC 6749, 2.3.1).
            let written = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(written(&settings.client_id), Some(written(&secret.0)));
        }
        json::<Tokens>(request.send().await).await.map(|tokens| tokens.id_token)
    }
}

/// Whether what is sent there is read by nobody on the way.
pub(super) fn is_safe(url: &Url) -> bool {
    let is_here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => return false,
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    !has_user && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

/// A document of JSON, within its size.
async fn json<T: DeserializeOwned>(answer: Result<Response, reqwest::Error>) -> Result<T, Away> {
    let mut answer = answer.map_err(|_| Away::Silent)?;
    match answer.status() {
        status if status.is_success() => {}
        status if status.is_client_error() => return Err(Away::Refuses),
        status if status.is_server_error() => return Err(Away::Silent),
        _ => return Err(Away::Malformed),
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| Away::Silent)? {
        if body.len() + piece.len() > MOST {
            return Err(Away::Malformed);
        }
        body.extend_from_slice(&piece);
    }
    serde_json::from_slice(&body).map_err(|_| Away::Malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_on_this_machine() {
        for safe in ["https://login.example/a", "http://127.0.0.1:9/a", "http://[::1]:9/a", "http://localhost:9/"] {
            assert!(is_safe(&safe.parse().unwrap()), "{safe}");
        }
        for other in [
            "http://login.example/a",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "ftp://127.0.0.1/",
            "https://user:word@login.example/",
            "http://10.0.0.1/",
            "data:text/plain,a",
        ] {
            assert!(!is_safe(&other.parse().unwrap()), "{other}");
        }
    }
}
