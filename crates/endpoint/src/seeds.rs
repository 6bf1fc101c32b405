//! The seeds of the fuzz targets, by the very code that fuzzing runs.

#[path = "../../../fuzz/src/seeds.rs"]
mod committed;

use committed::each;

#[test]
fn the_seeds_of_fuzzing_hold() {
    each("postgres_messages", crate::postgres::held_to::messages);
    each("postgres_statements", crate::postgres::held_to::statements);
    each("query_parameters", crate::held_to::parameters::requests);
    each("sdmx_keys", crate::sdmx::held_to::requests);
}
