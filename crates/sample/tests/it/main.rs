//! The synthetic country from outside: its feed decodes, its dates agree, its truth is what the feed says in the end.
#![allow(clippy::unwrap_used, missing_docs)]

mod feed;
mod fold;
mod linkage;
mod malformed;
