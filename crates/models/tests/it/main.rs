//! Integration tests of models: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]

mod corrections;
mod edition;
mod enforced;
mod order;
mod support;
mod truth;
mod versions;
