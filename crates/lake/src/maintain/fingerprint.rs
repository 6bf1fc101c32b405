//! Whether two sets of rows are equal, whatever their order: a count, and the sum of a hash of each row.
//!
//! It guards a rewrite against mistakes of ours and of libraries, not against an adversary. [`crate::canonical`] says
//! more and needs all rows in memory.

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};

use crate::Result;

/// Rows, counted and hashed one by one.
pub struct Fingerprint {
    converter: RowConverter,
    rows: u64,
    sum: u128,
}

impl Fingerprint {
    /// Of no rows. Dictionaries count by their values.
    ///
    /// # Errors
    /// `Arrow` for a type that has no row form.
    pub fn new(schema: &Schema) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(Self { converter: RowConverter::new(fields)?, rows: 0, sum: 0 })
    }

    /// Counts the rows of a batch in.
    ///
    /// # Errors
    /// `Arrow` when the batch has other columns.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = self.converter.convert_columns(batch.columns())?;
        for row in &rows {
            let hash = blake3::hash(row.as_ref());
            let (half, _) = hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
            self.sum = self.sum.wrapping_add(u128::from_le_bytes(*half));
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// Rows counted so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Count and sum: equal for equal rows.
    pub fn get(&self) -> (u64, u128) {
        (self.rows, self.sum)
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprint").field("rows", &self.rows).finish_non_exhaustive()
    }
}
