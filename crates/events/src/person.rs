//! The tokens that name a person: `"person": [{"kind": …, "token": …}, …]`, one to four, all of one person.
//!
//! A token is always a slice of the message: its alphabet needs no escape, and an escaped string is refused.
//! Absent: surrogates and keys (policy, ingest).

use crate::contract::{Step, repeated, wrong};
use crate::{code_list, form};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;
use std::fmt;

/// What a token was made from, on the agency's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// An identity document.
    Document,
    /// Name and birth.
    NameBirth,
    /// A phonetic form of the name.
    Phonetic,
    /// The mother's name.
    MotherName,
    /// A record of a source that knows no identities (published, anonymised records): the person is the record.
    Record,
}

impl TokenKind {
    /// Every kind, in the order of the list `token_kind`.
    pub const ALL: [Self; 5] = [Self::Document, Self::NameBirth, Self::Phonetic, Self::MotherName, Self::Record];

    /// Its code in the list `token_kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::NameBirth => "name_birth",
            Self::Phonetic => "phonetic",
            Self::MotherName => "mother_name",
            Self::Record => "record",
        }
    }

    /// The kind of this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == code)
    }
}

/// Most tokens in one event.
pub(crate) const MOST: usize = 4;

pub(crate) type Tokens<'de> = SmallVec<[(TokenKind, &'de str); MOST]>;

/// Reads the list of tokens; `sealed` expects surrogates (32 hex digits) in their place.
#[derive(Clone, Copy)]
pub(crate) struct ReadPerson {
    pub sealed: bool,
}

impl<'de> DeserializeSeed<'de> for ReadPerson {
    type Value = Tokens<'de>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Tokens<'de>, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ReadPerson {
    type Value = Tokens<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tokens")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tokens<'de>, A::Error> {
        let mut tokens = Tokens::new();
        while let Some(token) = seq.next_element_seed(ReadToken { sealed: self.sealed })? {
            if tokens.len() == MOST || tokens.contains(&token) {
                return Err(A::Error::custom(wrong()));
            }
            tokens.push(token);
        }
        if tokens.is_empty() { Err(A::Error::custom(wrong())) } else { Ok(tokens) }
    }
}

struct ReadToken {
    sealed: bool,
}

impl<'de> DeserializeSeed<'de> for ReadToken {
    type Value = (TokenKind, &'de str);
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadToken {
    type Value = (TokenKind, &'de str);
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `kind` and `token`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut token) = (None, None);
        while let Some(key) = map.next_key_seed(crate::contract::Key(token_key))? {
            match key {
                0 if kind.is_none() => {
                    kind = Some(map.next_value_seed(crate::contract::Parse(TokenKind::parse))?);
                }
                1 if token.is_none() => {
                    token = Some(map.next_value_seed(Slice { sealed: self.sealed })?);
                }
                0 => return Err(A::Error::custom(repeated("kind"))),
                _ => return Err(A::Error::custom(repeated("token"))),
            }
        }
        let kind = kind.ok_or_else(|| A::Error::custom(crate::contract::missing("kind")))?;
        let token = token.ok_or_else(|| A::Error::custom(crate::contract::missing("token")))?;
        Ok((kind, token))
    }
}

fn token_key(name: &str) -> Option<u8> {
    match name {
        "kind" => Some(0),
        "token" => Some(1),
        _ => None,
    }
}

/// A token as a slice of the message.
struct Slice {
    sealed: bool,
}

impl<'de> DeserializeSeed<'de> for Slice {
    type Value = &'de str;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<&'de str, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Slice {
    type Value = &'de str;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an opaque token")
    }
    fn visit_borrowed_str<E: Error>(self, s: &'de str) -> Result<&'de str, E> {
        let good = if self.sealed { surrogate(s).is_some() } else { form::is_opaque(s) };
        if good { Ok(s) } else { Err(E::custom(wrong())) }
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<&'de str, E> {
        Err(E::custom(wrong()))
    }
}

/// The 16 bytes of a surrogate written as 32 lower-case hex digits.
pub(crate) fn surrogate(text: &str) -> Option<[u8; 16]> {
    let hex = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let b = text.as_bytes();
    if b.len() != 32 {
        return None;
    }
    let mut out = [0; 16];
    for (o, pair) in out.iter_mut().zip(b.chunks_exact(2)) {
        *o = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some(out)
}

/// What belongs at this place below `person`.
pub(crate) fn expected(path: &[Step]) -> String {
    match path {
        [_, Step::Name("kind"), ..] => {
            let codes: Vec<_> = TokenKind::ALL.iter().map(|k| format!("`{}`", k.as_str())).collect();
            format!("one of {} is expected", codes.join(", "))
        }
        [_, Step::Name("token"), ..] => "an opaque token is expected: 16 to 64 of the characters \
            0123456789bcdfghjkmnpqrstvwxyz, at least four of them letters, without escapes; tokenize on your own machine"
            .into(),
        [_, ..] => "an object with exactly `kind` and `token` is expected".into(),
        [] => "a list of one to four different tokens of one person is expected, each with `kind` and `token`".into(),
    }
}

/// JSON Schema of `person`.
pub(crate) fn schema() -> serde_json::Value {
    let kinds: Vec<_> = code_list::list("token_kind").codes.iter().map(|c| c.code).filter(|c| *c != "_X").collect();
    serde_json::json!({
        "type": "array", "minItems": 1, "maxItems": MOST, "uniqueItems": true,
        "description": "Tokens of one person, made on the agency's machine; the first names the person.",
        "items": {
            "type": "object", "additionalProperties": false, "required": ["kind", "token"],
            "properties": { "kind": { "enum": kinds }, "token": token_schema("") }
        }
    })
}

/// Avro type of `person`.
pub(crate) fn avro() -> serde_json::Value {
    let field = |name: &str| serde_json::json!({ "name": name, "type": "string" });
    let token = crate::avro::record("PersonToken", "A token of a person.", vec![field("kind"), field("token")]);
    serde_json::json!({ "type": "array", "items": token })
}

/// JSON Schema of an opaque token after a prefix (a pattern).
pub(crate) fn token_schema(prefix: &str) -> serde_json::Value {
    let (all, letters) = (form::TOKEN_CLASS, form::LETTER_CLASS);
    serde_json::json!({
        "type": "string",
        "pattern": format!("^{prefix}[{all}]{{16,64}}$"),
        "allOf": [{ "pattern": format!("^{prefix}([0-9]*[{letters}]){{4}}") }]
    })
}
