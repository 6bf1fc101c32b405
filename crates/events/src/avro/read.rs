//! Avro bytes as a `serde` format: a plan drives the visitors that read JSON.
//!
//! Strings are borrowed from the message. A field that is null is passed over like a key that is absent; one that the
//! contract does not know is passed over, checked, and counted.

use super::cursor::{Blocks, Broken, Cursor};
use super::parse::{Id, Types};
use super::resolve::{Node, Slot};
use crate::contract::wrong;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum AvroError {
    /// The bytes are not what the writer's schema says; [`super::explain`] finds out how.
    Broken,
    /// They are, and a visitor refused the value; the words are of [`crate::contract`].
    Refused(String),
}

impl From<Broken> for AvroError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl fmt::Display for AvroError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => f.write_str("broken"),
            Self::Refused(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for AvroError {}

impl Error for AvroError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }
}

/// Bytes being read.
pub(crate) struct Reader<'p, 'de> {
    types: &'p Types,
    pub cursor: Cursor<'de>,
    /// Fields passed over because the contract does not know them.
    pub ignored: u32,
    /// Where the value looked at last begins.
    pub value_at: usize,
}

impl<'p, 'de> Reader<'p, 'de> {
    pub(crate) fn new(types: &'p Types, cursor: Cursor<'de>) -> Self {
        Self { types, value_at: cursor.at, cursor, ignored: 0 }
    }

    /// Reads the branch of a union.
    #[inline]
    pub(crate) fn choose(&mut self, node: &'p Node) -> Result<&'p Node, Broken> {
        match node {
            Node::Choice(branches) => Ok(&branches[self.cursor.index(branches.len())?]),
            node => Ok(node),
        }
    }
}

/// A value to be read; the branch of its union is chosen already.
pub(crate) struct Value<'r, 'p, 'de> {
    pub reader: &'r mut Reader<'p, 'de>,
    pub node: &'p Node,
    /// Where the value begins, its union's branch included, and the writer's type: for who takes its bytes unread.
    pub whole: Option<(usize, Id)>,
}

impl<'de> Deserializer<'de> for Value<'_, '_, 'de> {
    type Error = AvroError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, AvroError> {
        self.reader.value_at = self.reader.cursor.at;
        match self.node {
            Node::Text => visitor.visit_borrowed_str(self.reader.cursor.text()?),
            Node::Long => visitor.visit_i64(self.reader.cursor.long()?),
            Node::Int => visitor.visit_i64(self.reader.cursor.int()?),
            Node::Record(record) => {
                visitor.visit_map(Fields { reader: self.reader, slots: record.fields.iter(), open: None })
            }
            Node::Array(items) => {
                visitor.visit_seq(Items { reader: self.reader, of: items, blocks: Blocks::new(false) })
            }
            Node::Choice(_) => {
                let node = self.reader.choose(self.node)?;
                Value { node, ..self }.deserialize_any(visitor)
            }
            Node::Null | Node::Refused => Err(AvroError::custom(wrong())),
        }
    }

    /// The bytes of the value, unread but checked.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, AvroError> {
        let Some((start, of)) = self.whole else { return Err(AvroError::custom(wrong())) };
        let Reader { cursor, types, .. } = self.reader;
        cursor.at = start;
        cursor.pass(types, of, 1)?;
        visitor.visit_borrowed_bytes(cursor.since(start))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Fields<'r, 'p, 'de> {
    reader: &'r mut Reader<'p, 'de>,
    slots: std::slice::Iter<'p, Slot>,
    /// The field whose key was given.
    open: Option<(&'p Node, (usize, Id))>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_, 'de> {
    type Error = AvroError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, AvroError> {
        for slot in self.slots.by_ref() {
            let Some(node) = &slot.node else {
                self.reader.cursor.pass(self.reader.types, slot.of, 1)?;
                self.reader.ignored += 1;
                continue;
            };
            let start = self.reader.cursor.at;
            let node = self.reader.choose(node)?;
            if *node == Node::Null {
                continue;
            }
            self.open = Some((node, (start, slot.of)));
            return seed.deserialize(slot.name.as_str().into_deserializer()).map(Some);
        }
        Ok(None)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, AvroError> {
        let (node, whole) = self.open.take().expect("a value is asked for after its key");
        seed.deserialize(Value { reader: self.reader, node, whole: Some(whole) })
    }
}

struct Items<'r, 'p, 'de> {
    reader: &'r mut Reader<'p, 'de>,
    of: &'p Node,
    blocks: Blocks,
}

impl<'de> SeqAccess<'de> for Items<'_, '_, 'de> {
    type Error = AvroError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, AvroError> {
        if !self.blocks.next(&mut self.reader.cursor)? {
            return Ok(None);
        }
        seed.deserialize(Value { reader: self.reader, node: self.of, whole: None }).map(Some)
    }
}
