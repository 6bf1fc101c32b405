//! What the policy files allow and refuse, and the keys that follow from the master secret.
#![allow(clippy::unwrap_used, missing_docs)]

mod agencies;
mod datasets;
mod keys;
