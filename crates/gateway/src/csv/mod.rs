//! A CSV file to events, by a mapping: one implementation for `amanat import` and for the door.
//!
//! Reading order: [`Mapping`] (which column becomes which field, and what is lost), [`Rows`] (each row as a structured
//! CloudEvent, judged afterwards by the same decoder as every other event), [`Corrections`] (rows that were not accepted).
//!
//! Absent: files and keys. Bytes, and the key that makes ids of rows, are arguments.

mod corrections;
#[cfg(test)]
#[path = "../../../../fuzz/src/import/csv_mapping.rs"]
mod held_to;
mod mapping;
mod rows;
#[cfg(test)]
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

pub use corrections::{Corrections, WrongRow};
pub use mapping::{Codes, Lossy, Mapping, MappingError, Source, Time, TimeForm};
pub use rows::{FileHash, Row, RowError, Rows, check_time, header, reader};

#[cfg(test)]
mod tests {
    #[test]
    fn the_seeds_of_fuzzing_hold() {
        super::seeds::each("csv_mapping", super::held_to::mapping_and_rows);
    }
}
