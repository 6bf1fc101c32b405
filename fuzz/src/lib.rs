//! What fuzzing holds to, by room. To add a target: a function in a file here, three lines in `fuzz_targets/`, a `[[bin]]` in
//! Cargo.toml, seeds in `corpus-seed/<target>/`, and a test of the room that asks it of the seeds (`seeds.rs`); `cargo xtask
//! fuzz` finds it.
//!
//! A program has no library, some code is private to its room, and `eventlog` as a whole brings librdkafka: such files are
//! compiled here by their path.

pub mod avro;
pub mod events;
/// Mapping and rows of `amanat import`.
pub mod import {
    pub mod csv_mapping;
    #[allow(dead_code)]
    #[path = "../../../crates/amanat/src/import/mapping.rs"]
    mod mapping;
    #[allow(dead_code)]
    #[path = "../../../crates/amanat/src/import/rows.rs"]
    mod rows;
}
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/sqlite/frame.rs"]
mod frame;
pub mod log_frame;
#[path = "../../crates/eventlog/src/outgoing.rs"]
mod outgoing;
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/partition.rs"]
mod partition;
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/records.rs"]
mod records;
pub mod registry;
#[allow(dead_code)]
#[path = "../../crates/ingest/src/set_aside.rs"]
mod set_aside;
pub mod set_aside_frame;
