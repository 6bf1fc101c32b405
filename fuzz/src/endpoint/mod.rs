//! What readers send over HTTP; compiled by the tests of `endpoint` too. What they send as clients of PostgreSQL is in `postgres/`,
//! and as clients of SDMX in `sdmx.rs`.

pub(crate) mod country;
pub mod parameters;
pub(crate) mod problems;
