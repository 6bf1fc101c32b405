//! The program as its users meet it: the real binary, in directories of its own, by its command line and exit codes.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod audit;
mod bad_store;
mod import;
mod maintain;
mod program;
mod publish;
mod receipts;
mod registry;
mod replay;
mod running;
mod sample;
mod stands_still;
mod status;
