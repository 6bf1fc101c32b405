//! Integration tests of the lake: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]

mod conflicts;
mod data_directory;
mod editions;
mod equal;
mod events;
mod faults;
mod faulty;
mod folders;
mod kills;
mod lease;
mod log_tail;
mod maintenance;
mod receipts;
mod reset;
mod s3;
mod schema_change;
mod stores;
mod support;
mod uploads;
