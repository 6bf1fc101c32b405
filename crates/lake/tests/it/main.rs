//! Integration tests of the lake: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]
