//! What Postgres clients ask of a catalogue: `pg_catalog` and `information_schema` over plain descriptions, in SQLite in memory.
//!
//! A client asks dozens of such questions before its user has typed a word, and each client asks others. They are answered from
//! what the caller describes ([`Described`]) and from what PostgreSQL itself brings (its types, its system tables' columns), never
//! from data: there is no way from here to a row (design, privacy 6.11 "Metadata"). No table grows with the data either: sizes
//! are NULL, `reltuples` is -1, what reports activity is empty.
//!
//! Reading order: [`Described`] and [`Session`] (what goes in), [`Catalogue`] (the four questions), then `translate` (from
//! PostgreSQL's SQL to SQLite's, with types), `functions` (what a client may call), `fill` and `views.txt` (the tables).
//!
//! Absent: data, statistics, files, network, a clock (the time is an argument; only the deadline looks at one).
#![forbid(unsafe_code)]

mod builtin;
mod catalogue;
mod concern;
mod described;
mod directory;
mod error;
mod facts;
mod fill;
mod functions;
mod keywords;
mod oid;
mod output;
mod translate;
mod views;

pub use catalogue::Catalogue;
pub use described::{Column, Concern, Described, Function, FunctionKind, Rows, Schema, Session, Shape, Table};
pub use error::{CatalogueError, Fault, Result};
