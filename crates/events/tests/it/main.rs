#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
//! What the contract promises, by theme.

mod avro;
mod bad_input;
mod contract;
mod corpus;
mod cost;
mod dates;
mod names;
mod road;
mod samples;
mod versions;
