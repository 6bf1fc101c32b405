//! What sealing promises: canonical forms and tokens that others can check against, files that hold no identity, spellings that
//! become one and names that do not.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod files;
mod properties;
mod sounds;
mod support;
mod vectors;
