//! A place in Avro bytes. Every length, index, count and string is checked against what is there; nothing is allocated,
//! so nothing by a claimed length.
//!
//! Stricter than the specification in one point: a number written with more bytes than it needs is refused. No encoder
//! writes one, and so the place of a length follows from the length itself (see `store`).

use super::parse::{Id, Type, Types};

/// Deepest nesting, records in records included; an event needs five.
pub(crate) const MAX_DEPTH: usize = 64;

/// What is wrong with the bytes. Where is [`Cursor::at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// They end too early, or a length or count claims more than is there.
    Truncated,
    /// A string is not UTF-8.
    NotUtf8,
    /// A number has too many bytes or is out of its type's range, or a boolean is neither 0 nor 1.
    Number,
    /// A union or enum has no such branch.
    Index,
    /// A block of an array or map is not as long as it says.
    Blocks,
    /// Nested deeper than any event can be.
    TooDeep,
    /// Something follows the value.
    Trailing,
}

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
    /// Whether a block told its length in bytes.
    pub sized: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()), sized: false }
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// What was read since `from`.
    pub(crate) fn since(&self, from: usize) -> &'a [u8] {
        &self.bytes[from..self.at]
    }

    pub(crate) fn end(&self) -> Result<(), Broken> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Broken::Trailing) }
    }

    #[inline]
    pub(crate) fn long(&mut self) -> Result<i64, Broken> {
        match self.bytes.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(zigzag(u64::from(*byte)))
            }
            Some(_) => self.long_of_many(),
            None => Err(Broken::Truncated),
        }
    }

    fn long_of_many(&mut self) -> Result<i64, Broken> {
        let mut value = 0_u64;
        for (i, byte) in self.rest().iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if *byte < 0x80 {
                // The tenth byte has room for one bit; a last byte of nothing was not needed.
                if *byte == 0 || (i == 9 && *byte > 1) {
                    return Err(Broken::Number);
                }
                self.at += i + 1;
                return Ok(zigzag(value));
            }
        }
        Err(if self.rest().len() < 10 { Broken::Truncated } else { Broken::Number })
    }

    pub(crate) fn int(&mut self) -> Result<i64, Broken> {
        let start = self.at;
        let value = self.long()?;
        if i32::try_from(value).is_err() {
            self.at = start;
            return Err(Broken::Number);
        }
        Ok(value)
    }

    /// A length of what follows.
    #[inline]
    fn length(&mut self) -> Result<usize, Broken> {
        let start = self.at;
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() - self.at => Ok(length),
            Ok(_) => self.back(start, Broken::Truncated),
            Err(_) => self.back(start, Broken::Number),
        }
    }

    fn back<T>(&mut self, at: usize, broken: Broken) -> Result<T, Broken> {
        self.at = at;
        Err(broken)
    }

    fn skip(&mut self, length: usize) -> Result<(), Broken> {
        if length > self.rest().len() {
            return Err(Broken::Truncated);
        }
        self.at += length;
        Ok(())
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        let length = self.length()?;
        match std::str::from_utf8(&self.rest()[..length]) {
            Ok(text) => {
                self.at += length;
                Ok(text)
            }
            Err(_) => self.back(start, Broken::NotUtf8),
        }
    }

    /// The number of a branch or symbol, of so many.
    #[inline]
    pub(crate) fn index(&mut self, of: usize) -> Result<usize, Broken> {
        let start = self.at;
        match usize::try_from(self.long()?) {
            Ok(index) if index < of => Ok(index),
            _ => self.back(start, Broken::Index),
        }
    }

    /// Passes over a value, checking all of it.
    pub(crate) fn pass(&mut self, types: &Types, id: Id, depth: usize) -> Result<(), Broken> {
        if depth > MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        if types.is_empty(id) {
            return Ok(());
        }
        match types.get(id) {
            Type::Null => Ok(()),
            Type::Boolean => match self.rest().first() {
                Some(0 | 1) => self.skip(1),
                Some(_) => Err(Broken::Number),
                None => Err(Broken::Truncated),
            },
            Type::Int => self.int().map(drop),
            Type::Long => self.long().map(drop),
            Type::Float => self.skip(4),
            Type::Double => self.skip(8),
            Type::Bytes => self.length().and_then(|length| self.skip(length)),
            Type::String => self.text().map(drop),
            Type::Fixed { size, .. } => self.skip(*size),
            Type::Enum { symbols, .. } => self.index(symbols.len()).map(drop),
            Type::Union(branches) => {
                let branch = self.index(branches.len())?;
                self.pass(types, branches[branch], depth + 1)
            }
            Type::Record { fields, .. } => fields.iter().try_for_each(|field| self.pass(types, field.of, depth + 1)),
            Type::Array(items) => self.pass_blocks(types, *items, false, depth),
            Type::Map(values) => self.pass_blocks(types, *values, true, depth),
        }
    }

    fn pass_blocks(&mut self, types: &Types, id: Id, keys: bool, depth: usize) -> Result<(), Broken> {
        // Items that take no bytes are passed over at once, however many are claimed.
        let costless = !keys && types.is_empty(id);
        let mut blocks = Blocks::new(costless);
        while blocks.next(self)? {
            if costless {
                blocks.left = 0;
                continue;
            }
            if keys {
                self.text()?;
            }
            self.pass(types, id, depth + 1)?;
        }
        Ok(())
    }
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The items of an array or map, which come in blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// Items of the block that are still to come.
    pub left: u64,
    /// Where the block ends, if it tells.
    end: Option<usize>,
    costless: bool,
}

impl Blocks {
    /// `costless`: an item takes no bytes; else each takes one at least, which bounds their number.
    pub(crate) fn new(costless: bool) -> Self {
        Self { left: 0, end: None, costless }
    }

    /// Whether there is another item; it is to be read next.
    #[inline]
    pub(crate) fn next(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Broken> {
        if self.left == 0 {
            self.open(cursor)?;
        }
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        Ok(true)
    }

    fn open(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        if self.end.take().is_some_and(|end| end != cursor.at) {
            return Err(Broken::Blocks);
        }
        let start = cursor.at;
        let count = cursor.long()?;
        if count < 0 {
            cursor.sized = true;
            let length = cursor.length()?;
            self.end = Some(cursor.at + length);
        }
        self.left = count.unsigned_abs();
        if !self.costless && self.left > cursor.rest().len() as u64 {
            return cursor.back(start, Broken::Truncated);
        }
        Ok(())
    }
}
