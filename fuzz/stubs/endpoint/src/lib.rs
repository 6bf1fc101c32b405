//! `endpoint` without what answers questions: the files in which texts and messages of clients are read, each at its own place, so
//! that they and what they are held to find each other as they do in the room itself.
#![allow(dead_code, unfulfilled_lint_expectations)]

use std::time::Duration;

// Folders rather than files: a file that is named by its own path would look for its parts beside itself.
#[path = "../../../../crates/endpoint/src/data"]
mod data {
    pub(crate) mod paging;

    pub(crate) fn internal(error: &arrow::error::ArrowError) -> crate::problem::Problem {
        panic!("rows could not be written: {error}");
    }
}
#[path = "../../../src/endpoint/mod.rs"]
pub mod held_to;
#[path = "../../../../crates/endpoint/src/labels.rs"]
mod labels;
#[path = "../../../../crates/endpoint/src/long.rs"]
mod long;
#[path = "../../../../crates/endpoint/src/negotiate.rs"]
mod negotiate;
#[path = "../../../../crates/endpoint/src/postgres"]
pub mod postgres {
    mod cells;
    mod codec;
    mod copy;
    mod cursor;
    mod errors;
    #[path = "../../../../fuzz/src/endpoint/postgres/mod.rs"]
    pub mod held_to;
    mod proof;
    mod settings;
    mod statement;
    mod stream;
    mod table;
    mod values;
}
#[path = "../../../../crates/endpoint/src/problem.rs"]
mod problem;
#[path = "../../../../crates/endpoint/src/render.rs"]
mod render;
#[path = "../../../../crates/endpoint/src/request.rs"]
mod request;
#[path = "../../../../crates/endpoint/src/sdmx"]
pub mod sdmx {
    mod filter;
    #[path = "../../../../fuzz/src/endpoint/sdmx.rs"]
    pub mod held_to;
    mod message;
    mod model;
    mod request;
    mod structure;
}

/// What of the settings reading a body asks for.
struct Settings {
    body_limit: usize,
    request_timeout: Duration,
}
