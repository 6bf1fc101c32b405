//! What every type of data has in common: how its object is read field by field, refused, written and described.
//!
//! Visitors are written here rather than derived: a derived one also accepts a struct as a JSON array, and its messages
//! quote the input. Mistakes raised here begin with a mark that no message of serde_json or serde begins with, so that
//! [`crate::explain`] can tell what went wrong without reading any text that came from outside.

use crate::calendar::Occurred;
use crate::person::{ReadPerson, Tokens};
use crate::value::{Int, Kind, When};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A step of a path into an event; names are the contract's own, anything else is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Name(&'static str),
    Index(usize),
    Masked,
}

pub(crate) const MARK: char = '\u{1}';

pub(crate) fn wrong() -> String {
    format!("{MARK}wrong")
}
pub(crate) fn unknown() -> String {
    format!("{MARK}unknown")
}
pub(crate) fn repeated(name: &str) -> String {
    format!("{MARK}repeated:{name}:")
}
pub(crate) fn missing(name: &str) -> String {
    format!("{MARK}missing:{name}:")
}

/// One field of a type, as the contract states it.
pub(crate) struct FieldSpec {
    pub name: &'static str,
    pub required: bool,
    pub doc: &'static str,
    pub schema: fn() -> serde_json::Value,
    pub avro: fn() -> serde_json::Value,
    /// What belongs at the path below this field.
    pub expected: fn(&[Step]) -> String,
}

/// What a type of data is: implemented by the macro in [`crate::data`].
pub(crate) trait Contract: Sized {
    /// The same fields, each optional: what a correction may replace, and how the object is read.
    type Patch: Default;
    /// Whether it has `occurred_on`.
    const OCCURRED: bool;
    /// Whether it names a person.
    const PERSON: bool;
    /// Whether it has `fields`, read later by the target's type.
    const FIELDS_OF_TARGET: bool = false;
    const FIELDS: &'static [FieldSpec];
    fn key(name: &str) -> Option<u8>;
    /// Reads the value of field `key`; `false` if it has one already.
    fn put<'de, A: MapAccess<'de>>(patch: &mut Self::Patch, key: u8, map: &mut A) -> Result<bool, A::Error>;
    /// All required fields, or the name of the first that is absent.
    fn complete(patch: Self::Patch) -> Result<Self, &'static str>;
    fn write(&self, object: &mut ObjectWriter<'_>);
    fn write_patch(patch: &Self::Patch, object: &mut ObjectWriter<'_>);
    /// The fields of its own as Avro, in the order of [`Self::FIELDS`].
    fn write_avro(&self, out: &mut Vec<u8>);
    fn write_patch_avro(patch: &Self::Patch, out: &mut Vec<u8>);
}

/// Writes the fields of one JSON object.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }
    pub(crate) fn field<K: Kind>(&mut self, name: &str, value: &K::Out) {
        K::write(value, self.key(name));
    }
    pub(crate) fn key(&mut self, name: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }
    pub(crate) fn close(self) {
        self.out.push('}');
    }
}

/// How an object is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the agency sent it.
    Open,
    /// From the lake: surrogates in place of tokens.
    Sealed,
    /// The `fields` of a correction: every field optional, at least one, no person, no record version.
    Patch,
}

/// What reading an object gave.
pub(crate) struct ReadObject<'de, T: Contract, F> {
    pub record_version: i64,
    pub occurred: Option<Occurred>,
    pub tokens: Tokens<'de>,
    pub fields: Option<F>,
    pub patch: T::Patch,
}

/// Reads an object of type `T`; `F` is how the wire format hands over `fields` unread (a slice of the message).
pub(crate) struct ReadData<T, F>(pub Mode, pub PhantomData<(T, F)>);

impl<T, F> ReadData<T, F> {
    pub(crate) fn new(mode: Mode) -> Self {
        Self(mode, PhantomData)
    }
}

const RECORD_VERSION: u8 = 255;
const OCCURRED_ON: u8 = 254;
const PERSON: u8 = 253;
const FIELDS: u8 = 252;

/// The names that all types share, beside the fields of their own.
pub(crate) const SHARED: &[&str] = &["record_version", "occurred_on", "person", "fields"];

fn key_of<T: Contract>(name: &str) -> Option<u8> {
    match name {
        "record_version" => Some(RECORD_VERSION),
        "occurred_on" if T::OCCURRED => Some(OCCURRED_ON),
        "person" if T::PERSON => Some(PERSON),
        "fields" if T::FIELDS_OF_TARGET => Some(FIELDS),
        _ => T::key(name),
    }
}

fn patch_key_of<T: Contract>(name: &str) -> Option<u8> {
    match name {
        "occurred_on" if T::OCCURRED => Some(OCCURRED_ON),
        _ => T::key(name),
    }
}

fn name_of<T: Contract>(key: u8) -> &'static str {
    match key {
        RECORD_VERSION => "record_version",
        OCCURRED_ON => "occurred_on",
        PERSON => "person",
        FIELDS => "fields",
        key => T::FIELDS[usize::from(key)].name,
    }
}

impl<'de, T: Contract, F: Deserialize<'de>> DeserializeSeed<'de> for ReadData<T, F> {
    type Value = ReadObject<'de, T, F>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, T: Contract, F: Deserialize<'de>> Visitor<'de> for ReadData<T, F> {
    type Value = ReadObject<'de, T, F>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self(mode, _) = self;
        let (mut version, mut occurred, mut person, mut fields) = (None, None, None, None);
        let (mut patch, mut count) = (T::Patch::default(), 0_usize);
        let keys = if mode == Mode::Patch { patch_key_of::<T> } else { key_of::<T> };
        while let Some(key) = map.next_key_seed(Key(keys))? {
            count += 1;
            let fresh = match key {
                RECORD_VERSION => version.replace(map.next_value_seed(Read::<RecordVersion>::new())?).is_none(),
                OCCURRED_ON => occurred.replace(map.next_value_seed(Read::<When>::new())?).is_none(),
                PERSON => person.replace(map.next_value_seed(ReadPerson { sealed: mode == Mode::Sealed })?).is_none(),
                FIELDS => fields.replace(map.next_value::<F>()?).is_none(),
                key => T::put(&mut patch, key, &mut map)?,
            };
            if !fresh {
                return Err(A::Error::custom(repeated(name_of::<T>(key))));
            }
        }
        if mode == Mode::Patch {
            if count == 0 {
                return Err(A::Error::custom(wrong()));
            }
        } else {
            let absent = |name: &str| A::Error::custom(missing(name));
            version.ok_or_else(|| absent("record_version"))?;
            if T::OCCURRED && occurred.is_none() {
                return Err(absent("occurred_on"));
            }
            if T::PERSON && person.is_none() {
                return Err(absent("person"));
            }
            if T::FIELDS_OF_TARGET && fields.is_none() {
                return Err(absent("fields"));
            }
        }
        Ok(ReadObject {
            record_version: version.unwrap_or_default(),
            occurred,
            tokens: person.unwrap_or_default(),
            fields,
            patch,
        })
    }
}

/// `record_version`: the agency's counter per record.
pub(crate) type RecordVersion = Int<1, 2_147_483_647>;

/// Reads a value of kind `K`.
pub(crate) struct Read<K>(PhantomData<K>);

impl<K> Read<K> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, K: Kind> DeserializeSeed<'de> for Read<K> {
    type Value = K::Out;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<K::Out, D::Error> {
        K::read(d)
    }
}

/// Reads a key that must be one of the contract's.
pub(crate) struct Key(pub fn(&str) -> Option<u8>);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = u8;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<u8, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = u8;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }
    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<u8, E> {
        (self.0)(name).ok_or_else(|| E::custom(unknown()))
    }
}

/// Reads a string by a function that knows its form.
pub(crate) struct Parse<T>(pub fn(&str) -> Option<T>);

impl<'de, T> DeserializeSeed<'de> for Parse<T> {
    type Value = T;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        d.deserialize_str(self)
    }
}

impl<T> Visitor<'_> for Parse<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(wrong()))
    }
}

/// Finds the contract's own name that equals this text, so that no text of the input is ever shown.
pub(crate) fn own_name<T: Contract>(text: &str) -> Option<&'static str> {
    SHARED.iter().copied().chain(T::FIELDS.iter().map(|f| f.name)).chain(NESTED.iter().copied()).find(|n| *n == text)
}

/// Names of fields inside fields.
pub(crate) const NESTED: &[&str] = &["kind", "token", "imprisonment_months", "fine_pkr", "compensation_pkr"];

/// What belongs at this path of a type.
pub(crate) fn expected<T: Contract>(path: &[Step]) -> String {
    match path {
        [] => "a JSON object with the fields of this event type is expected".into(),
        [Step::Name("record_version"), rest @ ..] => RecordVersion::expected(rest),
        [Step::Name("occurred_on"), rest @ ..] => When::expected(rest),
        [Step::Name("person"), rest @ ..] => crate::person::expected(rest),
        [Step::Name("fields"), ..] => {
            "an object with at least one field of the target's type is expected, without `person` and `record_version`"
                .into()
        }
        [Step::Name(name), rest @ ..] => T::FIELDS
            .iter()
            .find(|f| f.name == *name)
            .map_or_else(|| "a field of this event type is expected".into(), |f| (f.expected)(rest)),
        _ => "a field of this event type is expected".into(),
    }
}
