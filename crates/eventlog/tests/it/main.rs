//! The contract, kept by every log; and what each log promises beyond it.
#![allow(clippy::unwrap_used, missing_docs)]

mod bench;
mod client_faults;
mod contract;
mod kafka;
mod simulated;
mod sqlite;
