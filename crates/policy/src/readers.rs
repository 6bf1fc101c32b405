//! Who may ask about protected data: keys bound to roles, as hashes (privacy.md 6.1; users and OIDC come with the
//! readers' doors).
//!
//! A key is 32 random bytes, shown once. The file holds its BLAKE3 hash: enough to recognise it, too little to be it.
//!
//! Absent: names of people; any way from a hash to a key.

use serde::Deserialize;

use crate::error::PolicyError;
use crate::roles::Role;

const FILE: &str = "readers.toml";
/// What keys begin with, so that one that got lost is recognised.
const PREFIX: &str = "amanat_";

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
    readers: Vec<(blake3::Hash, Asker)>,
}

impl Readers {
    /// Reads `readers.toml`: a list `[[reader]]` of `id`, `role`, `purpose` (`unstated` without one) and `key_blake3`.
    ///
    /// Fails where a name or a hash stands twice, a hash is none, or a purpose is no code.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File =
            toml::from_str(text).map_err(|source| PolicyError::Syntax { file: FILE, source: Box::new(source) })?;
        let mut readers: Vec<(blake3::Hash, Asker)> = Vec::new();
        for Line { id, role, purpose, key_blake3 } in file.reader {
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
            if readers.iter().any(|(known, asker)| *known == hash || asker.key_id == id) {
                return Err(PolicyError::Repeated { file: FILE, place: "reader".to_owned(), name: id });
            }
            readers.push((hash, Asker { key_id: id, role, purpose }));
        }
        Ok(Self { readers })
    }

    /// Whose key this is. Hashes are compared in constant time.
    pub fn find(&self, key: &str) -> Option<&Asker> {
        let hash = hash_of(key);
        self.readers.iter().find(|(known, _)| *known == hash).map(|(_, asker)| asker)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }
}

/// A new key from 32 random bytes, which the caller takes from the operating system, and the line by which the file knows
/// it.
pub fn new_reader(id: &str, role: Role, purpose: &str, random: [u8; 32]) -> (String, String) {
    let digits = blake3::Hash::from_bytes(random).to_hex();
    let key = format!("{PREFIX}{digits}");
    let (role, hash) = (role.name(), hash_of(&key).to_hex());
    let line =
        format!("\n[[reader]]\nid = {id:?}\nrole = \"{role}\"\npurpose = {purpose:?}\nkey_blake3 = \"{hash}\"\n");
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
        let (key, line) = new_reader("ministry-01", Role::Ministry, "annual_report", [7; 32]);
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
        let (key, line) = new_reader("a", Role::Partners, UNSTATED, [7; 32]);
        assert!(matches!(Readers::parse(&format!("{line}{line}")), Err(PolicyError::Repeated { .. })));
        let with_key = format!("[[reader]]\nid = \"a\"\nrole = \"partners\"\nkey_blake3 = \"{key}\"\n");
        assert!(matches!(Readers::parse(&with_key), Err(PolicyError::Unknown { .. })));
        assert!(matches!(Readers::parse("[[reader]]\nid = \"a\"\nrole = \"king\"\n"), Err(PolicyError::Syntax { .. })));
        let with_sentence = line.replace("unstated", "for a friend");
        assert!(matches!(Readers::parse(&with_sentence), Err(PolicyError::Unknown { .. })));
    }

    #[test]
    fn a_key_of_before_purposes_has_none_stated() {
        let (key, line) = new_reader("a", Role::Partners, UNSTATED, [7; 32]);
        let before = line.replace("purpose = \"unstated\"\n", "");
        assert_ne!(line, before);
        assert_eq!(Readers::parse(&before).unwrap().find(&key).unwrap().purpose, UNSTATED);
        assert!(Readers::parse("").unwrap().is_empty());
    }
}
