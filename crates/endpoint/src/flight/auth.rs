//! Who asks: by a key in the metadata of each call, or nobody.
//!
//! A call without `authorization` asks what is published, as over HTTP. `Bearer` bears a key, or the token that a handshake gave;
//! `Basic` bears the name of a key and the key, an account and its password, or the user `public`. Clients that shake hands with a name
//! and a password are given the token for the calls that follow: the key itself, or for an account a session, so that its password is
//! checked once.
//!
//! Absent: who that is ([`Gate`]). Each call says who asks, and a ticket says it for nobody.

use std::net::IpAddr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use policy::{Asker, PUBLIC};
use query::{Code, Refusal};
use tonic::metadata::MetadataMap;
use tonic::{Code as Kind, Status};

use super::errors::{failed, refused};
use crate::gate::{Gate, Stays};

const AUTHORIZATION: &str = "authorization";
/// Name of the door in the log.
const DOOR: &str = "flight";

/// Go's clients leave the padding out, others do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a call bears.
enum Proof {
    Nobody,
    Token(String),
    Named { name: String, password: String },
}

/// Who calls; `None` where the call bears no proof of anybody.
pub(super) async fn asker(metadata: &MetadataMap, gate: &Gate, peer: Option<IpAddr>) -> Result<Option<Asker>, Status> {
    match proof(metadata)? {
        Proof::Nobody => Ok(None),
        Proof::Token(token) => {
            let found = gate.session(&token).map(|(asker, _)| asker).or_else(|| gate.by_key(&token, DOOR));
            found.map(Some).ok_or_else(unknown)
        }
        Proof::Named { name, password } => {
            gate.by_password(&name, &password, (DOOR, peer)).await.map(Some).map_err(|stays| stays_out(&stays))
        }
    }
}

/// The value of `authorization` for the calls that follow one of this caller.
pub(super) fn bearer(metadata: &MetadataMap, asker: Option<&Asker>, gate: &Gate) -> Result<String, Status> {
    let token = match (proof(metadata)?, asker) {
        (Proof::Nobody, _) | (_, None) => PUBLIC.to_owned(),
        (Proof::Token(token), _) => token,
        (Proof::Named { password, .. }, Some(asker)) => {
            let is_key = gate.readers().find(&password, gate.today()).is_some();
            if is_key { password } else { gate.open(asker).0 }
        }
    };
    Ok(format!("Bearer {token}"))
}

fn proof(metadata: &MetadataMap) -> Result<Proof, Status> {
    let Some(value) = metadata.get(AUTHORIZATION) else { return Ok(Proof::Nobody) };
    let (scheme, rest) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(unknown)?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" if rest == PUBLIC => Ok(Proof::Nobody),
        "bearer" => Ok(Proof::Token(rest.to_owned())),
        "basic" => named(rest).ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

/// Name and key, or password, of `Basic` (RFC 7617).
fn named(encoded: &str) -> Option<Proof> {
    let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    if name == PUBLIC {
        return Some(Proof::Nobody);
    }
    Some(Proof::Named { name: name.to_owned(), password: password.to_owned() })
}

/// One text for a name that nobody has and for a wrong key or password, so that names are not learned.
fn unknown() -> Status {
    let refusal = Refusal::new(Code::KeyNeeded, "The call bears no key and no password that is known here.");
    refused(&refusal.hint(
        "The user is the name of a key and the password the key itself (`amanat key new` makes one), or an account and its \
         password; or the key is sent as `authorization: Bearer …`. The user public needs none.",
    ))
}

fn stays_out(stays: &Stays) -> Status {
    match stays {
        Stays::NotProven => unknown(),
        Stays::LockedOut(wait) => {
            let hint = format!("Wait {} s.", wait.as_secs().max(1));
            failed(Kind::ResourceExhausted, "locked_out", "Too many wrong passwords.", &hint)
        }
        Stays::Busy => {
            let text = "Too many passwords are being checked.";
            failed(Kind::ResourceExhausted, "busy", text, "Try again in a few seconds.")
        }
        Stays::Unrecorded => {
            let text = "Nobody comes in who cannot be recorded.";
            failed(
                Kind::Unavailable,
                "internal",
                text,
                "Try again in a while; if it stays, tell who runs this service.",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert(AUTHORIZATION, value.parse().expect("ASCII"));
        metadata
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64.encode(text))
    }

    #[tokio::test]
    async fn who_says_nothing_and_who_says_public_reads_what_is_published() {
        let gate = Gate::default();
        assert_eq!(asker(&MetadataMap::new(), &gate, None).await.ok(), Some(None));
        let unpadded = basic("public:").replace('=', "");
        assert_ne!(unpadded, basic("public:"));
        for value in [basic("public:"), unpadded, "Bearer public".to_owned(), "bearer  public".to_owned()] {
            assert_eq!(asker(&said(&value), &gate, None).await.ok(), Some(None), "{value}");
            assert_eq!(bearer(&said(&value), None, &gate).ok().as_deref(), Some("Bearer public"));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_and_what_nobody_knows_are_refused_alike() {
        let gate = Gate::default();
        let texts: Vec<String> = ["Basic ?", "Basic", "Digest x", "Bearer x", "x", ""].map(str::to_owned).into();
        for value in texts.into_iter().chain([basic("nobody:x"), basic("without a colon")]) {
            let status = asker(&said(&value), &gate, None).await.unwrap_err();
            assert_eq!((status.code(), status.message()), (Kind::Unauthenticated, unknown().message()), "{value}");
        }
    }
}
