//! Proof of a key or a password without sending it (SCRAM-SHA-256: RFC 5802, RFC 7677).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What proves a key without being it (SCRAM-SHA-256: RFC 5802, RFC 7677), for clients that speak the protocol of
/// PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    /// Iterations of PBKDF2.
    pub iterations: u32,
    /// Random bytes.
    pub salt: Vec<u8>,
    /// Hash of the client's key.
    pub stored_key: Vec<u8>,
    /// The server's key.
    pub server_key: Vec<u8>,
}

/// Iterations of PBKDF2. A key of 32 random bytes needs none; for a password that a person has chosen, the file alone must not be
/// enough to guess it soon. Both have the same number, and so has a name that nobody has, for it is told before anything is proven.
/// Drivers refuse more than 100,000 (pgjdbc's `scramMaxIterations`).
pub const SCRAM_ITERATIONS: u32 = 65_536;
/// The fewest that are read: PostgreSQL's `scram_iterations`, which keys of before have.
const FEWEST: u32 = 4_096;
/// Bytes of a salt, as many as PostgreSQL takes.
pub const SCRAM_SALT: usize = 16;

impl std::fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScramVerifier")
    }
}

impl std::fmt::Display for ScramVerifier {
    /// As PostgreSQL keeps it: `SCRAM-SHA-256$4096:salt$stored:server`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [salt, stored, server] =
            [&self.salt, &self.stored_key, &self.server_key].map(|bytes| BASE64_STANDARD.encode(bytes));
        write!(f, "SCRAM-SHA-256${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl ScramVerifier {
    /// The verifier of a key or password under a salt.
    pub fn of(secret: &str, salt: [u8; SCRAM_SALT]) -> Self {
        Self::derived(secret, salt, SCRAM_ITERATIONS)
    }

    fn derived(password: &str, salt: [u8; SCRAM_SALT], iterations: u32) -> Self {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        let mac = |text: &[u8]| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&salted).expect("HMAC takes a key of any length");
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        };
        let stored_key = Sha256::digest(mac(b"Client Key")).to_vec();
        Self { iterations, salt: salt.to_vec(), stored_key, server_key: mac(b"Server Key") }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored, server) = keys.split_once(':')?;
        let bytes = |text: &str| BASE64_STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
        let key = |text: &str| bytes(text).filter(|bytes| bytes.len() == 32);
        let iterations = iterations.parse().ok().filter(|n| (FEWEST..=1_000_000).contains(n))?;
        Some(Self { iterations, salt: bytes(salt)?, stored_key: key(stored)?, server_key: key(server)? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// RFC 7677 has an exchange with this password, salt and number of iterations; its server signature follows from the keys.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt: [u8; 16] = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let verifier = ScramVerifier::derived("pencil", salt, 4_096);
        let said = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&verifier.server_key).unwrap();
        mac.update(said.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(ScramVerifier::parse(&verifier.to_string()), Some(verifier));
    }
}
