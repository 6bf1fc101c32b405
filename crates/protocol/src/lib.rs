//! What exactly-once means, and a model that proves it of the protocol by which workers write the lake.
//!
//! [`invariants`] says I1 to I8 once (ingestion.md 3.2), over plain data and without dependencies, for whoever can tell
//! what is in the table: the model here, a simulation, an assertion in a debug build. `model` is the protocol as
//! `lake::events` and `ingest::committer` run it, small enough that every interleaving of two workers is visited
//! (ingestion.md 3.16, item 1); it is compiled for tests alone. Absent: I/O, clocks, Delta, Kafka.

pub mod invariants;
#[cfg(test)]
mod model;
