//! The ledger as its users meet it: two files that forget nothing, and say so when somebody made them.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod audit;
mod copy;
mod file;
mod kill;
mod support;
mod tampered;
mod vault;
