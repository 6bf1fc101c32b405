//! Integration tests of models: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]

mod corrections;
mod decided;
mod edition;
mod enforced;
mod erased;
mod incremental;
mod indicators;
mod order;
mod people;
mod quality;
mod reference;
mod road;
mod rows;
#[path = "../../../lake/tests/it/stores.rs"]
mod stores;
mod support;
mod truth;
mod versions;
