//! The readers' door: what a dashboard, an analyst and an operator rely on.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod events;
mod feeds;
mod flight;
mod forms;
mod hostile;
mod indicators;
mod known;
mod operation;
mod pages;
mod people;
mod postgres;
mod questionnaires;
mod questions;
mod queue;
mod ready;
mod releases;
mod sdmx;
mod slow;
mod sql;
mod world;
