//! The seeds of the fuzz target, by the very code that fuzzing runs.

#[path = "../../../../fuzz/src/saved.rs"]
mod saved;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn the_seeds_of_fuzzing_hold() {
    seeds::each("saved_question", saved::question);
}
