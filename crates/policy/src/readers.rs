//! Who may ask about protected data: keys bound to roles, as hashes (privacy.md 6.1; users and OIDC come with the
//! readers' doors).
//!
//! A key is 32 random bytes, shown once. The file holds its BLAKE3 hash: enough to recognise it, too little to be it.
//!
//! Absent: names of people; any way from a hash to a key.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::PolicyError;
use crate::roles::Role;

const FILE: &str = "readers.toml";
/// What keys begin with, so that one that got lost is recognised.
const PREFIX: &str = "amanat_";

/// What proves a key without being it (SCRAM-SHA-256: RFC 5802, RFC 7677), for clients that speak the protocol of
/// PostgreSQL. A key is 32 random bytes, so that the number of iterations protects nothing; it is PostgreSQL's.
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

/// Iterations of PBKDF2 (PostgreSQL's `scram_iterations`).
pub const SCRAM_ITERATIONS: u32 = 4_096;
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
    /// The verifier of a password under a salt.
    pub fn of(password: &str, salt: [u8; SCRAM_SALT]) -> Self {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, SCRAM_ITERATIONS, &mut salted);
        let mac = |text: &[u8]| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&salted).expect("HMAC takes a key of any length");
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        };
        let stored_key = Sha256::digest(mac(b"Client Key")).to_vec();
        Self { iterations: SCRAM_ITERATIONS, salt: salt.to_vec(), stored_key, server_key: mac(b"Server Key") }
    }

    fn parse(text: &str) -> Option<Self> {
        let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored, server) = keys.split_once(':')?;
        let bytes = |text: &str| BASE64_STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
        let key = |text: &str| bytes(text).filter(|bytes| bytes.len() == 32);
        let iterations = iterations.parse().ok().filter(|n| (SCRAM_ITERATIONS..=1_000_000).contains(n))?;
        Some(Self { iterations, salt: bytes(salt)?, stored_key: key(stored)?, server_key: key(server)? })
    }
}

/// A key's holder as far as the warehouse knows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Name of the key; stands in the audit log.
    pub key_id: String,
    /// Whose share of the charges pays.
    pub role: Role,
    /// What the key was given for: a code, for the audit log (privacy.md 6.12).
    pub purpose: String,
}

/// The keys that may ask.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    readers: Vec<Reader>,
}

#[derive(Debug, Clone)]
struct Reader {
    hash: blake3::Hash,
    asker: Asker,
    scram: Option<ScramVerifier>,
}

impl Readers {
    /// Reads `readers.toml`: a list `[[reader]]` of `id`, `role`, `purpose` (`unstated` without one), `key_blake3` and `scram`
    /// (without which the key opens no door of PostgreSQL).
    ///
    /// Fails where a name or a hash stands twice, a hash or a verifier is none, or a purpose is no code.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File =
            toml::from_str(text).map_err(|source| PolicyError::Syntax { file: FILE, source: Box::new(source) })?;
        let mut readers: Vec<Reader> = Vec::new();
        for Line { id, role, purpose, key_blake3, scram } in file.reader {
            let unknown = |what: &'static str, name: &String| PolicyError::Unknown {
                file: FILE,
                place: id.clone(),
                what,
                name: name.clone(),
            };
            let hash = blake3::Hash::from_hex(&key_blake3)
                .map_err(|_| unknown("BLAKE3 hash of 64 hexadecimal digits", &key_blake3))?;
            if !is_code(&purpose) {
                return Err(unknown("purpose of letters, digits and _, such as annual_report", &purpose));
            }
            let no_verifier = || unknown("SCRAM-SHA-256 verifier", &id);
            let scram = scram.map(|scram| ScramVerifier::parse(&scram).ok_or_else(no_verifier)).transpose()?;
            if readers.iter().any(|known| known.hash == hash || known.asker.key_id == id) {
                return Err(PolicyError::Repeated { file: FILE, place: "reader".to_owned(), name: id });
            }
            readers.push(Reader { hash, asker: Asker { key_id: id, role, purpose }, scram });
        }
        Ok(Self { readers })
    }

    /// Whose key this is. Hashes are compared in constant time.
    pub fn find(&self, key: &str) -> Option<&Asker> {
        let hash = hash_of(key);
        self.readers.iter().find(|known| known.hash == hash).map(|known| &known.asker)
    }

    /// By what the holder of a key of that name proves it; none where nobody has that name, or the key has no verifier.
    pub fn verifier(&self, key_id: &str) -> Option<(&Asker, &ScramVerifier)> {
        let known = self.readers.iter().find(|known| known.asker.key_id == key_id)?;
        Some((&known.asker, known.scram.as_ref()?))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }
}

/// A new key from 32 random bytes and a salt from 16, which the caller takes from the operating system, and the line by which
/// the file knows it.
pub fn new_reader(id: &str, role: Role, purpose: &str, (random, salt): ([u8; 32], [u8; 16])) -> (String, String) {
    let digits = blake3::Hash::from_bytes(random).to_hex();
    let key = format!("{PREFIX}{digits}");
    let (role, hash) = (role.name(), hash_of(&key).to_hex());
    let scram = ScramVerifier::of(&key, salt);
    let line = format!(
        "\n[[reader]]\nid = {id:?}\nrole = \"{role}\"\npurpose = {purpose:?}\nkey_blake3 = \"{hash}\"\nscram = \"{scram}\"\n"
    );
    (key, line)
}

fn hash_of(key: &str) -> blake3::Hash {
    blake3::hash(key.trim().as_bytes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    reader: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    role: Role,
    #[serde(default = "unstated")]
    purpose: String,
    key_blake3: String,
    scram: Option<String>,
}

/// The purpose of a key that names none.
pub const UNSTATED: &str = "unstated";

fn unstated() -> String {
    UNSTATED.to_owned()
}

/// Whether this is a code: no sentence, and no name of a person.
fn is_code(purpose: &str) -> bool {
    let is_code = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    (1..=40).contains(&purpose.len()) && purpose.chars().all(is_code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_hash_and_no_other_is() {
        let (key, line) = new_reader("ministry-01", Role::Ministry, "annual_report", ([7; 32], [1; 16]));
        assert!(!line.contains(&key));
        let readers = Readers::parse(&line).unwrap();
        assert_eq!(readers.find(&key).unwrap().key_id, "ministry-01");
        assert_eq!(readers.find(&format!("{key}\n")).unwrap().role, Role::Ministry, "as a file ends");
        assert_eq!(readers.find(&key).unwrap().purpose, "annual_report");
        assert!(readers.find("amanat_").is_none());
        assert!(readers.find("").is_none());
    }

    #[test]
    fn a_file_that_says_a_thing_twice_or_holds_a_key_is_refused() {
        let (key, line) = new_reader("a", Role::Partners, UNSTATED, ([7; 32], [1; 16]));
        assert!(matches!(Readers::parse(&format!("{line}{line}")), Err(PolicyError::Repeated { .. })));
        let with_key = format!("[[reader]]\nid = \"a\"\nrole = \"partners\"\nkey_blake3 = \"{key}\"\n");
        assert!(matches!(Readers::parse(&with_key), Err(PolicyError::Unknown { .. })));
        assert!(matches!(Readers::parse("[[reader]]\nid = \"a\"\nrole = \"king\"\n"), Err(PolicyError::Syntax { .. })));
        let with_sentence = line.replace("unstated", "for a friend");
        assert!(matches!(Readers::parse(&with_sentence), Err(PolicyError::Unknown { .. })));
    }

    /// RFC 7677 has an exchange with this password, salt and number of iterations; its server signature follows from the keys.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt: [u8; 16] = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let verifier = ScramVerifier::of("pencil", salt);
        let said = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&verifier.server_key).unwrap();
        mac.update(said.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(ScramVerifier::parse(&verifier.to_string()), Some(verifier));
    }

    #[test]
    fn a_key_is_proven_by_its_name_and_verifier() {
        let (key, line) = new_reader("ministry-01", Role::Ministry, UNSTATED, ([7; 32], [1; 16]));
        let readers = Readers::parse(&line).unwrap();
        let (asker, verifier) = readers.verifier("ministry-01").unwrap();
        assert_eq!((asker.role, verifier), (Role::Ministry, &ScramVerifier::of(&key, [1; 16])));
        assert!(readers.verifier("ministry-02").is_none());
        let before: Vec<&str> = line.lines().filter(|line| !line.starts_with("scram")).collect();
        let before = before.join("\n");
        let readers = Readers::parse(&before).unwrap();
        assert!(readers.find(&key).is_some() && readers.verifier("ministry-01").is_none(), "a key of before");
        let odd = line.replace("SCRAM-SHA-256$4096", "SCRAM-SHA-256$1");
        assert!(matches!(Readers::parse(&odd), Err(PolicyError::Unknown { .. })), "too few iterations");
    }

    #[test]
    fn a_key_of_before_purposes_has_none_stated() {
        let (key, line) = new_reader("a", Role::Partners, UNSTATED, ([7; 32], [1; 16]));
        let before = line.replace("purpose = \"unstated\"\n", "");
        assert_ne!(line, before);
        assert_eq!(Readers::parse(&before).unwrap().find(&key).unwrap().purpose, UNSTATED);
        assert!(Readers::parse("").unwrap().is_empty());
    }
}
