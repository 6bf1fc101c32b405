//! Hashes as hexadecimal digits, for entries and heads that people read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes as lower-case hexadecimal digits.
pub fn of(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

/// Serialises 32 bytes.
pub fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&of(bytes))
}

/// Reads 32 bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
    blake3::Hash::from_hex(&*text).map(Into::into).map_err(|_| D::Error::custom("not 64 hexadecimal digits"))
}

/// A head: `{"entries": 7, "hash": "…"}`.
pub mod head {
    use disclosure::Head;

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text {
        entries: u64,
        #[serde(with = "super")]
        hash: [u8; 32],
    }

    /// Serialises a head.
    pub fn serialize<S: Serializer>(head: &Head, to: S) -> Result<S::Ok, S::Error> {
        Text { entries: head.entries, hash: head.hash }.serialize(to)
    }

    /// Reads a head.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Head, D::Error> {
        Text::deserialize(from).map(|text| Head { entries: text.entries, hash: text.hash })
    }
}
