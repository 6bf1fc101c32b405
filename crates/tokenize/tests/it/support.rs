//! A key that everybody knows, and how files are read in tests.

use tokenize::{DateOrder, DomainKey, Identity, Places, Reading};

/// The key of the vectors: 00 01 02 … 1f.
pub fn key(generation: u32) -> DomainKey {
    let first = (generation - 1) as u8 * 32;
    DomainKey::new("example", generation, std::array::from_fn(|at| first + at as u8)).unwrap()
}

/// Day first, in 2026, no places of its own.
pub fn reading() -> Reading {
    Reading { order: DateOrder::DayFirst, this_year: 2026, places: Places::default() }
}

/// Canonical inputs as text, or codes of reasons.
pub fn canonical(identity: Identity<'_>) -> [Result<String, String>; 4] {
    let canonical = identity.canonical(&reading());
    canonical.inputs.map(|input| input.map(|input| input.text().to_owned()).map_err(|why| why.code().to_owned()))
}
