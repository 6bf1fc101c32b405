//! The seeds of the fuzz target, by the very code that fuzzing runs.

#[path = "../../../../fuzz/src/registry.rs"]
mod registry;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn the_seeds_of_fuzzing_hold() {
    seeds::each("registry", registry::requests);
}
