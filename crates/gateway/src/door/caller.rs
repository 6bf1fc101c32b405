//! Who sends: an agency, by a key in `Authorization: Bearer` or by the certificate of its connection.

use axum::http::{Extensions, HeaderMap, header};
use policy::{Agencies, Producers};

use super::problem::{Kind, Problem};

/// The SHA-256 fingerprint of the certificate that the client has proven in the handshake; put among the extensions of a request by
/// whoever ends TLS in this process.
#[derive(Debug, Clone, Copy)]
pub struct ClientCertificate(pub [u8; 32]);

/// The agency of a request. A key that is sent must hold, also where there is a certificate, so that who sends a wrong one is told so;
/// where a certificate is known beside it, both must be of one agency.
pub(crate) fn agency(
    headers: &HeaderMap,
    extensions: &Extensions,
    (producers, agencies): (&Producers, &Agencies),
    today: i32,
) -> Result<String, Problem> {
    let shown = extensions.get::<ClientCertificate>();
    let by_certificate = shown.and_then(|ClientCertificate(own)| producers.of_certificate(*own, today));
    let producer = if headers.contains_key(header::AUTHORIZATION) {
        let by_key = bearer(headers).and_then(|key| producers.find(key, today)).ok_or_else(not_proven)?;
        if by_certificate.is_some_and(|other| other.agency != by_key.agency) {
            return Err(Problem::new(
                Kind::ProofsDiffer,
                "The key and the certificate of the connection are of two agencies.",
                "Send the key of the agency whose certificate it is, or no key.",
            ));
        }
        by_key
    } else {
        by_certificate.ok_or_else(not_proven)?
    };
    if agencies.get(&producer.agency).is_none() {
        return Err(Problem::new(
            Kind::NotListed,
            "The key or certificate is of an agency that the policy does not list.",
            "Have the agency listed in the policy, or the key made anew for one that is.",
        ));
    }
    Ok(producer.agency.clone())
}

fn not_proven() -> Problem {
    Problem::new(
        Kind::NotProven,
        "A key of an agency that holds today is expected in `Authorization: Bearer amanat_…`, or a certificate that is known here.",
        "Send the key that `amanat producer new` printed, or have the certificate made known by it; a lost or expired one is replaced \
         by a new one.",
    )
}

/// The one key of the request; none where there are several, or another scheme.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (one, None) = (all.next()?, all.next()) else { return None };
    let (scheme, key) = one.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
