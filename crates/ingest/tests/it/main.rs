//! The worker over a real (temporary) lake, with the embedded and the simulated log. Names are sentences of the
//! specification (issue "The main job, end to end", items 4 and "Bad input"; ingestion.md 3.2 to 3.7).
#![allow(clippy::unwrap_used, missing_docs)]

mod avro;
mod bad_input;
mod client_faults;
mod clock;
mod commits;
mod compacted;
mod copies;
mod crash_loop;
mod erasing;
mod full_disk;
mod policies;
mod receipts;
mod replay;
mod reset;
mod restart;
mod sealing;
mod set_aside;
mod simulation;
mod source_faults;
#[path = "../../../lake/tests/it/stores.rs"]
mod stores;
mod support;
mod versions;
