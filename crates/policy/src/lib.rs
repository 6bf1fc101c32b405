//! What may be done and by whom: agencies and their event types, datasets with their floors and declared grids, producers with
//! their agencies, readers with their roles, shares and what each may ask, and the keys that follow from the master secret.
//!
//! Everything here is public except the keys (privacy.md, Kerckhoffs). The files in `policy/` are compiled in: agencies, datasets
//! and who may ask what as the default, which a deployment may replace as a whole (the hash of the first two stands in the
//! manifest of every edition), and agencies and datasets of a public dataset to run on.
//!
//! Absent: any reading of files, any clock, any randomness, DataFusion, storage. Texts and bytes come in as arguments.

mod access;
mod agencies;
mod charging;
mod datasets;
mod datasets_file;
mod erased;
mod error;
mod keys;
mod least;
mod levels;
mod on_reject;
mod producers;
mod readers;
mod roles;
mod scram;
mod shares;
pub mod time;

pub use access::{Access, Ask};
pub use agencies::{Agencies, Agency, AgencyIndex};
pub use charging::{Charging, Schedule, WIDEST};
pub use datasets::{
    AgencyRule, Attribute, Cardinality, ChargedGrid, Column, Count, Dataset, Datasets, DeclaredGrid, Level,
    MeasureColumn, Profile, Resolved, Unit, Zeros,
};
pub use erased::Erased;
pub use error::PolicyError;
pub use keys::{Key, Keys, Master, case_sid, link_ref, person_surrogate, record_sid, sid};
pub use levels::TIME;
pub use on_reject::OnReject;
pub use producers::{Producer, Producers, fingerprint, new_certificate, new_producer, without_producer};
pub use readers::{
    Asker, Grant, INVITED_FOR, LONGEST_PASSWORD, Listed, PUBLIC, Readers, SHORTEST_PASSWORD, UNSTATED, is_name,
    new_invitation, new_member, new_reader, new_user, objection_to, subject, without,
};
pub use roles::Role;
pub use scram::{SCRAM_ITERATIONS, SCRAM_SALT, ScramVerifier};
pub use shares::Share;
pub use time::TimeLevel;

/// The default `access.toml`, as compiled in.
pub const DEFAULT_ACCESS: &str = include_str!("../policy/access.toml");
/// The default `agencies.toml`, as compiled in.
pub const DEFAULT_AGENCIES: &str = include_str!("../policy/agencies.toml");
/// The default `datasets.toml`, as compiled in.
pub const DEFAULT_DATASETS: &str = include_str!("../policy/datasets.toml");
/// Agencies of a store that holds the public records of CTDC alone.
pub const CTDC_AGENCIES: &str = include_str!("../policy/ctdc.agencies.toml");
/// Datasets of a store that holds the public records of CTDC alone: the agency rule is off.
pub const CTDC_DATASETS: &str = include_str!("../policy/ctdc.datasets.toml");

/// A parsed policy: what the program asks before it admits, counts or publishes.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who publishes, which types each may emit, and what becomes of what cannot be accepted.
    pub agencies: Agencies,
    /// What is counted, hidden and exact.
    pub datasets: Datasets,
    /// BLAKE3 of both files (lengths first): stands in the manifest of every edition.
    pub hash: blake3::Hash,
}

impl Policy {
    /// Reads both files. The only way to make a policy: what it holds has been checked.
    ///
    /// Fails with the first thing that is wrong, named by file, dataset and field.
    pub fn parse(agencies_toml: &str, datasets_toml: &str) -> Result<Self, PolicyError> {
        let mut hasher = blake3::Hasher::new();
        for text in [agencies_toml, datasets_toml] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Ok(Self {
            agencies: Agencies::parse(agencies_toml)?,
            datasets: Datasets::parse(datasets_toml)?,
            hash: hasher.finalize(),
        })
    }

    /// The policy of a store that holds the public records of CTDC alone.
    pub fn ctdc() -> Self {
        Self::parse(CTDC_AGENCIES, CTDC_DATASETS).expect("the compiled-in policy is read by a test")
    }
}

impl Default for Policy {
    /// The compiled-in policy.
    fn default() -> Self {
        Self::parse(DEFAULT_AGENCIES, DEFAULT_DATASETS).expect("the compiled-in policy is read by a test")
    }
}
