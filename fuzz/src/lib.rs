//! What fuzzing holds to, by room. To add a target: a function here (or in a file beside this one), three lines in
//! `fuzz_targets/`, a `[[bin]]` in Cargo.toml, and seeds in `corpus-seed/<target>/`; `cargo xtask fuzz` finds it.
//!
//! Absent so far: the frames of the embedded log, because `eventlog` brings librdkafka, whose build fails here.
//!
//! A program has no library, and some code is private to its room: such files are compiled here by their path.

pub mod events;
pub mod set_aside;

/// Mapping and rows of `amanat import`.
#[allow(dead_code)]
pub mod import {
    #[path = "../../../crates/amanat/src/import/mapping.rs"]
    pub mod mapping;
    pub mod properties;
    #[path = "../../../crates/amanat/src/import/rows.rs"]
    pub mod rows;
}
