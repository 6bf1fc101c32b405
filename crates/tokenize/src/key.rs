//! The key of a domain: a secret that agencies share who may find each other's persons, with its name and generation.
//!
//! A key's file is text of five lines, so that it can be told from anything else, and is readable by its owner alone. What
//! is shown of it anywhere is its fingerprint, by which two agencies see that they hold the same key.
//!
//! Absent: files (the program reads and writes them), randomness (an argument), any way to print a key but
//! [`DomainKey::to_file`].

use std::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The first line of a key's file.
const HEADING: &str = "amanat domain key 1";
/// Longest name of a domain.
const LONGEST_NAME: usize = 64;

/// A key with the domain and generation that it is of. Overwritten when dropped; the states that HMAC derives from it are not.
#[derive(Clone)]
pub struct DomainKey {
    domain: String,
    generation: u32,
    secret: Zeroizing<[u8; 32]>,
}

/// Why a key's file is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not begin as one.
    #[error("it does not begin with `{HEADING}`; is it another file?")]
    Heading,
    /// The domain's name has another form.
    #[error("a domain is named by 1 to 64 of a-z, 0-9 and -, such as `tip-2026`")]
    Domain,
    /// The generation is no number from 1.
    #[error("the generation is a number from 1")]
    Generation,
    /// The secret is not 64 hexadecimal digits.
    #[error("the secret is not 64 hexadecimal digits; the file is damaged")]
    Secret,
    /// The fingerprint is another key's.
    #[error("the fingerprint is not this key's; the file is damaged, or was put together by hand")]
    Fingerprint,
}

impl DomainKey {
    /// A key from 32 bytes, which the caller takes from the operating system.
    pub fn new(domain: &str, generation: u32, random: [u8; 32]) -> Result<Self, KeyError> {
        let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if domain.is_empty() || domain.len() > LONGEST_NAME || !domain.bytes().all(of_name) {
            return Err(KeyError::Domain);
        }
        if generation == 0 {
            return Err(KeyError::Generation);
        }
        Ok(Self { domain: domain.to_owned(), generation, secret: Zeroizing::new(random) })
    }

    /// Reads the text of a key's file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut lines = text.lines().map(str::trim_end);
        if lines.next() != Some(HEADING) {
            return Err(KeyError::Heading);
        }
        let mut field =
            |name: &str| lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("");
        let domain = field("domain");
        let generation = field("generation").parse().map_err(|_| KeyError::Generation)?;
        let fingerprint = field("fingerprint");
        let secret = bytes_of(field("secret")).ok_or(KeyError::Secret)?;
        let key = Self::new(domain, generation, *secret)?;
        if key.fingerprint() == fingerprint { Ok(key) } else { Err(KeyError::Fingerprint) }
    }

    /// The text of its file (mode 0600). For that file alone.
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!(
            "{HEADING}\ndomain: {}\ngeneration: {}\nfingerprint: {}\nsecret: ",
            self.domain,
            self.generation,
            self.fingerprint()
        ));
        text.reserve(65); // once, so that no copy of a part of the secret is left behind
        for byte in *self.secret {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        }
        text.push('\n');
        text
    }

    /// The domain's name.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The generation, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Sixteen hexadecimal digits that name this key and tell nothing about it.
    pub fn fingerprint(&self) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret()).expect("HMAC takes a key of any length");
        mac.update(format!("amanat domain key fingerprint|{}|{}", self.domain, self.generation).as_bytes());
        let full = mac.finalize().into_bytes();
        full[..8].iter().fold(String::with_capacity(16), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainKey({}, generation {}, secret)", self.domain, self.generation)
    }
}

fn bytes_of(hex: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_shows_nothing() {
        let key = DomainKey::new("tip-2026", 2, [0xa7; 32]).unwrap();
        let again = DomainKey::parse(&key.to_file()).unwrap();
        assert_eq!((again.secret(), again.generation()), (key.secret(), 2));
        assert!(!format!("{key:?}").contains("a7") && !key.fingerprint().contains("a7a7"));
    }

    #[test]
    fn a_key_of_another_generation_or_domain_has_another_fingerprint() {
        let of = |domain, generation| DomainKey::new(domain, generation, [1; 32]).unwrap().fingerprint();
        assert_ne!(of("tip", 1), of("tip", 2));
        assert_ne!(of("tip", 1), of("tib", 1));
    }

    #[test]
    fn what_is_no_key_says_why_without_its_text() {
        let text = DomainKey::new("tip", 1, [9; 32]).unwrap().to_file();
        for (text, why) in [
            ("hello".to_owned(), KeyError::Heading),
            (text.replace("generation: 1", "generation: 2"), KeyError::Fingerprint),
            (text.replace("0909", "090"), KeyError::Secret),
            (text.replace("domain: tip", "domain: T P"), KeyError::Domain),
            (text.replace("generation: 1", "generation: 0"), KeyError::Generation),
        ] {
            let error = DomainKey::parse(&text).unwrap_err();
            assert_eq!(error, why);
            assert!(!error.to_string().contains("09"));
        }
    }
}
