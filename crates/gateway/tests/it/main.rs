//! The registry as a producer meets it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod contracts;
mod corpus;
mod door;
mod external;
mod hostile;
mod http;
mod library;
mod registry;
mod rules;
mod world;
