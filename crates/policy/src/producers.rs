//! Who may send events by HTTP, and for which agency: keys and clients' certificates, as hashes (`producers.toml`).
//!
//! A key is 32 random bytes, shown once, as a reader's is; the file holds its BLAKE3 hash. A certificate is known by the SHA-256
//! fingerprint of its DER form, which is what `openssl x509 -fingerprint -sha256` prints.
//!
//! Absent: names of people (a name here is that of a key), any way from a hash to a key, the clock (days are arguments), and
//! what an agency may emit, which is `agencies.toml`'s.

use serde::Deserialize;

use crate::error::PolicyError;
use crate::readers::{PREFIX, blocks, hash_of, is_day, is_name};
use crate::time::date_text;

const FILE: &str = "producers.toml";

/// A key or certificate of an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Its name, for operators: letters, digits, `-`, `.` and `_`.
    pub name: String,
    /// The agency for which it sends.
    pub agency: String,
    /// The first day on which it no longer holds, YYYY-MM-DD (UTC).
    pub expires: Option<String>,
    proof: Proof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Key(blake3::Hash),
    /// Compared in constant time, for which it is kept as the same type.
    Certificate(blake3::Hash),
}

impl Producer {
    /// `key` or `certificate`.
    pub fn comes_by(&self) -> &'static str {
        match self.proof {
            Proof::Key(_) => "key",
            Proof::Certificate(_) => "certificate",
        }
    }

    fn holds(&self, today: &str) -> bool {
        self.expires.as_deref().is_none_or(|expires| today < expires)
    }
}

/// Whoever may send events.
#[derive(Debug, Clone, Default)]
pub struct Producers {
    list: Vec<Producer>,
}

impl Producers {
    /// Reads `producers.toml`: a list `[[producer]]`.
    ///
    /// Fails where a name or a proof stands twice, a hash is none, there is not exactly one of key and certificate, or a day is none.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File =
            toml::from_str(text).map_err(|source| PolicyError::Syntax { file: FILE, source: Box::new(source) })?;
        let mut producers = Self::default();
        for line in file.producer {
            producers.add(line)?;
        }
        Ok(producers)
    }

    fn add(&mut self, line: Line) -> Result<(), PolicyError> {
        if !is_name(&line.name) {
            return Err(unknown("producer", "name of letters, digits, - . and _", &line.name));
        }
        if let Some(day) = line.expires.as_ref().filter(|day| !is_day(day)) {
            return Err(unknown(&line.name, "day such as 2027-11-30", day));
        }
        let proof = line.proof()?;
        if self.list.iter().any(|known| known.name == line.name || known.proof == proof) {
            return Err(PolicyError::Repeated { file: FILE, place: "producer".to_owned(), name: line.name });
        }
        self.list.push(Producer { name: line.name, agency: line.agency, expires: line.expires, proof });
        Ok(())
    }

    /// Whose key this is on a day (since 1970). Hashes are compared in constant time, and all of them, whichever it is.
    pub fn find(&self, key: &str, today: i32) -> Option<&Producer> {
        self.proven(Proof::Key(hash_of(key)), today)
    }

    /// Whose certificate has this SHA-256 fingerprint; the handshake has proven that the client has its key.
    pub fn of_certificate(&self, fingerprint: [u8; 32], today: i32) -> Option<&Producer> {
        self.proven(Proof::Certificate(fingerprint.into()), today)
    }

    fn proven(&self, proof: Proof, today: i32) -> Option<&Producer> {
        let today = date_text(today);
        self.list
            .iter()
            .fold(None, |found, known| (known.proof == proof).then_some(known).or(found))
            .filter(|known| known.holds(&today))
    }

    /// Everybody, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Producer> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Producers {
    type Item = &'a Producer;
    type IntoIter = std::slice::Iter<'a, Producer>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A new key of an agency from 32 random bytes, which the caller takes from the operating system, and the lines by which the file
/// knows it.
pub fn new_producer(name: &str, agency: &str, expires: Option<&str>, random: [u8; 32]) -> (String, String) {
    let key = format!("{PREFIX}{}", blake3::Hash::from_bytes(random).to_hex());
    let line = lines(name, agency, expires, "key_blake3", hash_of(&key).to_hex().as_str());
    (key, line)
}

/// The lines by which the file knows a certificate of an agency.
pub fn new_certificate(name: &str, agency: &str, expires: Option<&str>, fingerprint: [u8; 32]) -> String {
    lines(name, agency, expires, "certificate_sha256", blake3::Hash::from_bytes(fingerprint).to_hex().as_str())
}

/// A fingerprint as it is written: 64 hexadecimal digits, perhaps with colons between.
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.trim().chars().filter(|letter| *letter != ':').collect();
    blake3::Hash::from_hex(digits.to_ascii_lowercase()).ok().map(Into::into)
}

fn lines(name: &str, agency: &str, expires: Option<&str>, proof: &str, hash: &str) -> String {
    let until = expires.map_or(String::new(), |day| format!("expires = {day:?}\n"));
    format!("\n[[producer]]\nname = {name:?}\nagency = {agency:?}\n{until}{proof} = \"{hash}\"\n")
}

/// A file of producers without what it has of a name. The rest of it stays as it is written, with its comments.
pub fn without_producer(text: &str, name: &str) -> String {
    let is_of_name = |block: &&str| {
        toml::from_str::<File>(block).is_ok_and(|file| file.producer.iter().any(|line| line.name == name))
    };
    blocks(text).filter(|block| !is_of_name(block)).collect()
}

fn unknown(place: &str, what: &'static str, name: &str) -> PolicyError {
    PolicyError::Unknown { file: FILE, place: place.to_owned(), what, name: name.to_owned() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    producer: Vec<Line>,
}

/// One of the list. What is unknown is refused: `expire` for `expires` would be a key for ever.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    agency: String,
    expires: Option<String>,
    key_blake3: Option<String>,
    certificate_sha256: Option<String>,
}

impl Line {
    fn proof(&self) -> Result<Proof, PolicyError> {
        let what = "proof: exactly one of key_blake3 and certificate_sha256, of 64 hexadecimal digits";
        let none = || unknown(&self.name, what, "…");
        match (&self.key_blake3, &self.certificate_sha256) {
            (Some(key), None) => blake3::Hash::from_hex(key).map(Proof::Key).map_err(|_| none()),
            (None, Some(text)) => fingerprint(text).map(|bytes| Proof::Certificate(bytes.into())).ok_or_else(none),
            _ => Err(none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i32 = 20_000; // 2024-10-04

    #[test]
    fn a_key_is_known_by_its_hash_until_the_day_on_which_it_expires() {
        let (key, line) = new_producer("pb-1", "POL-PB", Some("2024-10-05"), [7; 32]);
        assert!(key.starts_with("amanat_") && !line.contains(&key["amanat_".len()..]));
        let producers = Producers::parse(&line).unwrap();
        let found = producers.find(&key, TODAY).unwrap();
        assert_eq!((found.name.as_str(), found.agency.as_str(), found.comes_by()), ("pb-1", "POL-PB", "key"));
        assert!(producers.find(&key, TODAY + 1).is_none(), "it has expired");
        assert!(producers.find(&key.replace('0', "1"), TODAY).is_none());
    }

    #[test]
    fn a_certificate_is_known_by_its_fingerprint_and_is_no_key() {
        let bytes = [0xab; 32];
        let line = new_certificate("pb-2", "POL-PB", None, bytes);
        let producers = Producers::parse(&line).unwrap();
        assert_eq!(producers.of_certificate(bytes, TODAY).unwrap().agency, "POL-PB");
        assert!(producers.of_certificate([1; 32], TODAY).is_none());
        assert_eq!(fingerprint(&["AB"; 32].join(":")), Some(bytes));
        assert_eq!(fingerprint("AB:CD"), None);
    }

    #[test]
    fn a_file_that_says_a_thing_twice_or_not_at_all_is_refused() {
        let (_, line) = new_producer("pb-1", "POL-PB", None, [7; 32]);
        for wrong in [
            line.clone() + &line,
            line.clone() + &line.replace("pb-1", "pb-2"),
            line.replace("key_blake3", "key"),
            line.replace("agency", "expires = \"soon\"\nagency"),
            line.replace("pb-1", "two words"),
            "[[producer]]\nname = \"a\"\nagency = \"FIA\"\n".to_owned(),
        ] {
            assert!(Producers::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_is_taken_out_and_comments_stay() {
        let (_, one) = new_producer("one", "FIA", None, [1; 32]);
        let (_, two) = new_producer("two", "FIA", None, [2; 32]);
        let left = without_producer(&format!("# ours\n{one}{two}"), "one");
        assert!(left.starts_with("# ours") && !left.contains("\"one\"") && left.contains("\"two\""), "{left}");
    }
}
