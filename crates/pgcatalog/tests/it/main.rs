//! The catalogue as clients meet it: through its public questions alone.
#![allow(missing_docs, reason = "tests")]

mod fixture;
mod hostile;
mod mutated;
mod recorded;
