//! What leaves the vault, seen from outside: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]

mod exact;
mod floors;
mod marks;
mod properties;
mod questions;
mod support;
mod utility;
mod vault;
