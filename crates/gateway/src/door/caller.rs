//! Who sends: an agency, by a key in `Authorization: Bearer` or by the certificate of its connection.

use axum::http::{Extensions, HeaderMap, header};
use policy::{Agencies, Producers};

use super::problem::{Kind, Problem};

/// The SHA-256 fingerprint of the certificate that the client has proven in the handshake; put among the extensions of a request by
/// whoever ends TLS in this process.
#[derive(Debug, Clone, Copy)]
pub struct ClientCertificate(pub [u8; 32]);

/// The agency of a request. A key that is sent decides, also where there is a certificate: who sends a wrong one is told so.
pub(crate) fn agency(
    headers: &HeaderMap,
    extensions: &Extensions,
    (producers, agencies): (&Producers, &Agencies),
    today: i32,
) -> Result<String, Problem> {
    let found = if headers.contains_key(header::AUTHORIZATION) {
        bearer(headers).and_then(|key| producers.find(key, today))
    } else {
        extensions.get::<ClientCertificate>().and_then(|ClientCertificate(own)| producers.of_certificate(*own, today))
    };
    let producer = found.ok_or_else(|| {
        Problem::new(
            Kind::NotProven,
            "A key of an agency that holds today is expected in `Authorization: Bearer amanat_…`.",
            "Send the key that `amanat producer new` printed; a lost or expired one is replaced by a new one.",
        )
    })?;
    if agencies.get(&producer.agency).is_none() {
        return Err(Problem::new(
            Kind::NotListed,
            "The key is of an agency that the policy does not list.",
            "Have the agency listed in the policy, or the key made anew for one that is.",
        ));
    }
    Ok(producer.agency.clone())
}

/// The one key of the request; none where there are several, or another scheme.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (one, None) = (all.next()?, all.next()) else { return None };
    let (scheme, key) = one.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
