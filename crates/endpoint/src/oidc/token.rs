//! Whether an ID token is what it must be (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

/// Signatures that are read: by a key of which the provider alone has the secret half. None, and those by a shared secret, are not
/// among them, whatever a token says.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far the clocks of a provider and this service may be apart.
const LEEWAY: Duration = Duration::from_mins(1);

/// What a token must be for.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client_id: &'e str,
    /// What was sent with the request that it answers.
    pub(super) nonce: &'e str,
    /// When that was: a token is made after it.
    pub(super) began: SystemTime,
    pub(super) now: SystemTime,
}

/// Why a token is not taken. What it says stands in no log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the ID token cannot be read")]
    Unreadable,
    #[error("the ID token is signed in a way that is not taken")]
    Algorithm,
    #[error("the provider publishes no key of that name")]
    UnknownKey,
    #[error("the ID token is not signed by the provider, or not for this service")]
    Untrue,
    #[error("the ID token is of another time")]
    Time,
    #[error("the ID token answers another request")]
    Nonce,
}

#[derive(Deserialize)]
struct Claims {
    iat: f64,
    exp: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    aud: Value,
    azp: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// What a token of a provider with these keys says of a person: the value of a claim.
pub(super) fn read(token: &str, keys: &JwkSet, claim: &str, expected: &Expected<'_>) -> Result<String, Unfit> {
    let header = decode_header(token).map_err(|_| Unfit::Unreadable)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Unfit::Algorithm);
    }
    let key = key(keys, header.kid.as_deref(), header.alg).ok_or(Unfit::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| Unfit::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    // The times are looked at below, by the clock that is given.
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    let claims = decode::<Claims>(token, &key, &validation).map_err(|_| Unfit::Untrue)?.claims;
    is_for(&claims, expected)?;
    is_now(&claims, expected)?;
    value(&claims.others, claim).ok_or(Unfit::Unreadable)
}

/// The key by which a token says that it is signed; the only one that fits where it names none.
fn key<'k>(keys: &'k JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let is_fit = |key: &&Jwk| {
        let common = &key.common;
        let signs = common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        let alike = common.key_algorithm.is_none_or(|own| own.to_string() == format!("{algorithm:?}"));
        signs && alike && kid.is_none_or(|kid| common.key_id.as_deref() == Some(kid))
    };
    let mut fit = keys.keys.iter().filter(is_fit);
    let first = fit.next()?;
    (kid.is_some() || fit.next().is_none()).then_some(first)
}

fn is_for(claims: &Claims, expected: &Expected<'_>) -> Result<(), Unfit> {
    let is_ours = |azp: &String| azp == expected.client_id;
    let several = claims.aud.as_array().is_some_and(|all| all.len() > 1);
    if claims.azp.as_ref().map_or(several, |azp| !is_ours(azp)) {
        return Err(Unfit::Untrue);
    }
    // Compared as hashes, in constant time.
    let same = |nonce: &String| blake3::hash(nonce.as_bytes()) == blake3::hash(expected.nonce.as_bytes());
    if claims.nonce.as_ref().is_some_and(same) { Ok(()) } else { Err(Unfit::Nonce) }
}

fn is_now(claims: &Claims, expected: &Expected<'_>) -> Result<(), Unfit> {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let (now, began, leeway) = (seconds(expected.now), seconds(expected.began), LEEWAY.as_secs_f64());
    let is_made_for_this = claims.iat >= began - leeway && claims.iat <= now + leeway;
    let holds = claims.exp > now - leeway && claims.nbf.is_none_or(|nbf| nbf <= now + leeway);
    if is_made_for_this && holds { Ok(()) } else { Err(Unfit::Time) }
}

/// The value of a claim that names a person. An address counts where the provider has made sure that it is theirs.
fn value(claims: &serde_json::Map<String, Value>, claim: &str) -> Option<String> {
    if claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return None;
    }
    claims.get(claim)?.as_str().filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;
    fn expected() -> Expected<'static> {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        Expected { issuer: "https://login.example", client_id: "amanat", nonce: "n", began: at(NOW - 60), now: at(NOW) }
    }

    struct Pair(rcgen::KeyPair);

    impl Pair {
        fn new() -> Self {
            Self(rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap())
        }

        fn jwk(&self, kid: &str) -> Value {
            let point = self.0.public_key_raw();
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": part(&point[1..33]), "y": part(&point[33..])})
        }

        fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
            encode(&header, claims, &EncodingKey::from_ec_der(&self.0.serialize_der())).unwrap()
        }
    }

    fn set(keys: &[Value]) -> JwkSet {
        serde_json::from_value(json!({ "keys": keys })).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": "https://login.example", "aud": "amanat", "sub": "someone", "nonce": "n", "iat": NOW - 5, "exp": NOW + 300,
               "email": "a@login.example", "email_verified": false})
    }

    fn with(changes: &Value) -> Value {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    #[test]
    fn a_token_is_taken_that_the_provider_signed_for_this_service_and_this_sign_in() {
        let (own, other) = (Pair::new(), Pair::new());
        let keys = set(&[other.jwk("older"), own.jwk("k")]);
        let token = own.sign(Some("k"), &claims());
        assert_eq!(read(&token, &keys, "sub", &expected()).as_deref(), Ok("someone"));
        let several = own.sign(Some("k"), &with(&json!({"aud": ["amanat", "another"], "azp": "amanat"})));
        assert_eq!(read(&several, &keys, "sub", &expected()).as_deref(), Ok("someone"));
        let verified = own.sign(Some("k"), &with(&json!({"email_verified": true})));
        assert_eq!(read(&verified, &keys, "email", &expected()).as_deref(), Ok("a@login.example"));
        let unnamed = own.sign(None, &claims());
        assert_eq!(read(&unnamed, &set(&[own.jwk("k")]), "sub", &expected()).as_deref(), Ok("someone"));
        assert_eq!(read(&unnamed, &keys, "sub", &expected()), Err(Unfit::UnknownKey), "it could be of either key");
    }

    #[test]
    fn no_other_token_is_taken() {
        let (own, other) = (Pair::new(), Pair::new());
        let keys = set(&[own.jwk("k")]);
        for (changes, unfit) in [
            (json!({"iss": "https://login.example/"}), Unfit::Untrue),
            (json!({"iss": null}), Unfit::Untrue),
            (json!({"aud": "another"}), Unfit::Untrue),
            (json!({"aud": ["amanat", "another"]}), Unfit::Untrue),
            (json!({"aud": ["amanat", "another"], "azp": "another"}), Unfit::Untrue),
            (json!({"azp": "another"}), Unfit::Untrue),
            (json!({"aud": null}), Unfit::Untrue),
            (json!({"sub": null}), Unfit::Untrue),
            (json!({"exp": NOW - 61}), Unfit::Time),
            (json!({"exp": null}), Unfit::Untrue),
            (json!({"iat": NOW + 61}), Unfit::Time),
            (json!({"iat": NOW - 121}), Unfit::Time),
            (json!({"nbf": NOW + 61}), Unfit::Time),
            (json!({"nonce": "m"}), Unfit::Nonce),
            (json!({"nonce": null}), Unfit::Nonce),
        ] {
            let token = own.sign(Some("k"), &with(&changes));
            assert_eq!(read(&token, &keys, "sub", &expected()), Err(unfit), "{changes}");
        }
        let token = own.sign(Some("k"), &claims());
        assert_eq!(
            read(&token, &keys, "email", &expected()),
            Err(Unfit::Unreadable),
            "nobody made sure that it is theirs"
        );
        assert_eq!(read(&token, &keys, "upn", &expected()), Err(Unfit::Unreadable));
        assert_eq!(read(&other.sign(Some("k"), &claims()), &keys, "sub", &expected()), Err(Unfit::Untrue));
        assert_eq!(read(&other.sign(Some("m"), &claims()), &keys, "sub", &expected()), Err(Unfit::UnknownKey));
        assert_eq!(read("", &keys, "sub", &expected()), Err(Unfit::Unreadable));
    }

    #[test]
    fn a_signature_by_nothing_or_by_what_everybody_knows_is_none() {
        let own = Pair::new();
        let keys = set(&[own.jwk("k")]);
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        for algorithm in ["none", "None", "nOnE"] {
            let token = format!("{}.{}.", part(json!({"alg": algorithm, "kid": "k"})), part(claims()));
            assert!(read(&token, &keys, "sub", &expected()).is_err(), "{algorithm}");
        }
        let header = Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::HS256) };
        let public = serde_json::to_vec(&own.jwk("k")).unwrap();
        let token = encode(&header, &claims(), &EncodingKey::from_secret(&public).unwrap()).unwrap();
        assert_eq!(read(&token, &keys, "sub", &expected()), Err(Unfit::Algorithm));
        let whole = own.sign(Some("k"), &claims());
        let (signed, signature) = whole.rsplit_once('.').unwrap();
        assert!(read(&format!("{signed}."), &keys, "sub", &expected()).is_err());
        let body = signed.split('.').nth(1).unwrap();
        let changed = signed.replace(body, &part(with(&json!({"sub": "another"}))));
        assert_eq!(read(&format!("{changed}.{signature}"), &keys, "sub", &expected()), Err(Unfit::Untrue));
        let symmetric = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("secret"), "kid": "k", "alg": "HS256"});
        let token = encode(&header, &claims(), &EncodingKey::from_secret(b"secret").unwrap()).unwrap();
        assert_eq!(read(&token, &set(&[symmetric]), "sub", &expected()), Err(Unfit::Algorithm));
    }
}
