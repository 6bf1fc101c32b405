//! The catalogue as clients meet it: through its public questions alone.
#![allow(missing_docs, reason = "tests")]

mod concern;
mod corpus;
mod fixture;
mod hostile;
mod meaning;
mod mutated;
mod recorded;
