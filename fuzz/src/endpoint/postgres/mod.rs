//! What clients of PostgreSQL send; compiled by the tests of `endpoint` too.

mod messages;
mod statements;
mod values;

pub use messages::messages;
pub use statements::statements;
