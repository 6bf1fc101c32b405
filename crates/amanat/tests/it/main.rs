//! The program as its users meet it: the real binary, in directories of its own, by its command line and exit codes.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod asked;
mod audit;
mod backup;
mod bad_store;
mod door;
mod feeds;
mod full_disk;
mod gateway;
mod hostile;
mod import;
mod linking;
mod maintain;
mod mutual_tls;
mod pages;
mod people;
mod program;
mod publish;
mod queue;
mod receipts;
mod reference;
mod registry;
mod replay;
mod running;
mod sample;
mod stands_still;
mod status;
mod tokenize;
