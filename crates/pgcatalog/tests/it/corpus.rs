//! The seeds of the fuzz target, by the very code that fuzzing runs.

#[path = "../../../../fuzz/src/pgcatalog.rs"]
pub mod held_to;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

use crate::fixture;

#[test]
fn the_seeds_of_fuzzing_hold() {
    seeds::each("catalogue_statements", held_to::statements);
}
