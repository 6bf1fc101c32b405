//! What fuzzing holds to, by room. To add a target: a function in a file here, three lines in `fuzz_targets/`, a `[[bin]]` in
//! Cargo.toml, seeds in `corpus-seed/<target>/`, and a test of the room that asks it of the seeds (`seeds.rs`); `cargo xtask
//! fuzz` finds it.
//!
//! A program has no library, some code is private to its room, and `eventlog` as a whole brings librdkafka: such files are
//! compiled here by their path. `endpoint` and `query` bring an engine: in `stubs/` they are put together without it.

pub mod avro;
/// What readers send; the rooms that read it are put together in `stubs/endpoint`.
pub mod doors {
    use super::measured;

    /// A short message takes no long memory, whatever lengths it names.
    pub fn postgres_messages(input: &[u8]) {
        measured::within(4 << 20, || endpoint::postgres::held_to::messages(input));
    }

    pub use endpoint::held_to::parameters::requests as query_parameters;
    pub use endpoint::postgres::held_to::statements as postgres_statements;
    pub use endpoint::sdmx::held_to::requests as sdmx_keys;
}
pub mod events;
#[allow(dead_code)]
#[path = "../../crates/pgcatalog/tests/it/fixture.rs"]
mod fixture;
/// Mapping and rows of `amanat import` and of the agencies' door.
pub mod import {
    pub mod csv_mapping;
    #[allow(dead_code)]
    #[path = "../../../crates/gateway/src/csv/mapping.rs"]
    mod mapping;
    #[allow(dead_code)]
    #[path = "../../../crates/gateway/src/csv/rows.rs"]
    mod rows;
}
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/sqlite/frame.rs"]
mod frame;
pub mod log_frame;
mod measured;
#[path = "../../crates/eventlog/src/outgoing.rs"]
mod outgoing;
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/partition.rs"]
mod partition;
pub mod pgcatalog;
#[allow(dead_code)]
#[path = "../../crates/eventlog/src/records.rs"]
mod records;
pub mod registry;
pub mod saved;
#[allow(dead_code)]
#[path = "../../crates/ingest/src/set_aside.rs"]
mod set_aside;
pub mod set_aside_frame;
