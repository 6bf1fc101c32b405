//! The readers' door: what a dashboard, an analyst and an operator rely on.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod indicators;
mod operation;
mod pages;
mod postgres;
mod slow;
mod sql;
mod world;
