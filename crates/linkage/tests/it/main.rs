//! What linkage promises, seen from outside: one binary, modules by subject.
#![allow(clippy::unwrap_used, missing_docs)]

mod evidence;
mod goals;
mod properties;
mod support;
mod words;
