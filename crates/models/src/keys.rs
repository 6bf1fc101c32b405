//! Sets of keys, by their hash: records, persons, or whatever rows are found and replaced by.
//!
//! A key is known by 64 bits of hash alone. Two keys that share a hash are replaced together, and come out as they went in: what
//! is folded again is whole either way. So a collision costs a little work and changes nothing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use arrow::error::ArrowError;

/// A set of hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    sorted: Vec<u64>,
    /// One bit for each of the lowest bits of a hash: most of what is not in the set is seen there.
    bits: Vec<u64>,
}

impl FromIterator<u64> for Keys {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> Self {
        let mut sorted: Vec<u64> = hashes.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut bits = vec![0_u64; (sorted.len() / 4).next_power_of_two()];
        for hash in &sorted {
            let (word, bit) = place(*hash, bits.len());
            bits[word] |= bit;
        }
        Self { sorted, bits }
    }
}

/// The word and the bit of a hash: sixteen bits and more for each key.
fn place(hash: u64, words: usize) -> (usize, u64) {
    ((hash >> 6) as usize & (words - 1), 1 << (hash & 63))
}

impl Keys {
    /// How many.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether a hash is in the set.
    pub fn contains(&self, hash: u64) -> bool {
        if self.sorted.is_empty() {
            return false;
        }
        let (word, bit) = place(hash, self.bits.len());
        self.bits[word] & bit != 0 && self.sorted.binary_search(&hash).is_ok()
    }

    /// The hashes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.sorted.iter().copied()
    }

    /// Which of a column of hashes are in the set; a null is in none.
    pub fn mask(&self, hashes: &ArrayRef) -> BooleanArray {
        let hashes = hashes.as_primitive::<UInt64Type>();
        hashes.iter().map(|hash| Some(hash.is_some_and(|hash| self.contains(hash)))).collect()
    }

    /// The set as a file's rows.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(file_schema(), vec![Arc::new(UInt64Array::from(self.sorted.clone()))])
    }

    /// What [`Self::to_batch`] wrote.
    pub fn from_batches(batches: &[RecordBatch]) -> Self {
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<UInt64Type>().values().to_vec()).collect()
    }
}

/// The one column of a file of keys.
pub(crate) fn file_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("hash", DataType::UInt64, false)]))
}

/// Hashes of a column of keys; null for a null.
///
/// # Errors
/// The column is neither text nor of fixed width.
pub(crate) fn hashes(keys: &ArrayRef) -> Result<UInt64Array, ArrowError> {
    match keys.data_type() {
        DataType::FixedSizeBinary(_) => Ok(keys.as_fixed_size_binary().iter().map(|key| key.map(hash_bytes)).collect()),
        DataType::Utf8 => {
            Ok(keys.as_string::<i32>().iter().map(|key| key.map(|key| hash_bytes(key.as_bytes()))).collect())
        }
        other => Err(ArrowError::SchemaError(format!("rows cannot be found by a column of type {other}"))),
    }
}

/// A hash of bytes that never changes: buckets are files on disk. FNV-1a, mixed.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        h = (h ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(h)
}

/// Spreads a hash over all its bits.
pub(crate) fn mix(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of_and_nothing_else() {
        let keys: Keys = (0..1000).map(|n| mix(n * 2)).collect();
        assert!((0..1000).all(|n| keys.contains(mix(n * 2)) && !keys.contains(mix(n * 2 + 1))));
        assert_eq!(Keys::from_batches(&[keys.to_batch().unwrap()]), keys);
        assert!(!Keys::default().contains(0));
    }

    #[test]
    fn what_is_null_is_in_no_set() {
        let keys: Keys = [7].into_iter().collect();
        let column: ArrayRef = Arc::new(UInt64Array::from(vec![Some(7), None, Some(8)]));
        assert_eq!(keys.mask(&column), BooleanArray::from(vec![true, false, false]));
    }
}
