//! Remembers what was released and what was asked.
//!
//! Reading order: `chain` (entries in one SQLite file, each hashed with all before it), [`VaultStore`] (`vault.db`: the
//! anchors, answers and charges of the vault), [`AuditLog`] (`audit.db`: who asked what, and what became of it),
//! [`verify`] (whether an audit log is whole, and where it is not), [`AuditReader`] (looks into one), [`SignedHead`] (what a
//! second institution keeps, so that nobody can shorten the log or write it anew).
//!
//! The two hold each other: each `End` of the audit log names the head of the vault's memory, and a memory that ends before it is
//! not opened. So neither is made anew where the other is there: [`VaultStore::create`] and [`AuditLog::create`] are for a store
//! in which nothing was asked yet.
//!
//! Absent: persons, microdata, true numbers, SQL that is run, network, clock. An anchor is sums of keyed values. The audit log holds the text
//! of questions, as it came: it tells what people are interested in, so the files are for their owner's eyes (mode 0600). Their disk is
//! encrypted by the machine (privacy.md 6.11); the ten years of the audit log (6.12) are kept by deleting nothing.
//!
//! Source: privacy.md sections 6.1, 6.7, 6.8, 6.11, 6.12, 6.15.

mod audit;
mod chain;
mod copy;
mod error;
mod hex;
mod vault;

pub use audit::{
    ANSWERED, Asked, AuditLog, AuditReader, Begin, Decided, Door, End, Filter, Principal, Question, Questions,
    Recorded, SignedHead, Verified, verify,
};
pub use copy::copy_of;
pub use error::{Broken, LedgerError, Result, Why};
pub use vault::VaultStore;
