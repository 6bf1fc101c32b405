//! Editions: the thirteen indicators of one Snapshot, protected together and published as one numbered, immutable set of
//! rows with a manifest that names everything they follow from.
//!
//! Absent: true counts. They go from [`disclosure::tabulate`] into [`disclosure::protect`] and nowhere else.

mod calendar;
mod derive;
mod manifest;
mod population;
mod release;
mod rows;

use chrono::{Datelike, NaiveDate};
use disclosure::DisclosureError;
use lake::{EditionInfo, LakeError, Published};
use policy::{Keys, Policy};
use uuid::Uuid;

pub use calendar::EditionSource;
pub use manifest::Manifest;
pub use population::{Population, population};
pub use release::{ReleasedIndicators, release, unprotected};
pub use rows::{Key, Row, to_batch};

use crate::indicator::GridError;

/// Dimension columns of `published.indicator_values`, in order. `_T` is the total, `_Z` not applicable to the indicator.
pub const DIMENSIONS: [&str; 11] = [
    "province",
    "sex",
    "age_group",
    "exploitation",
    "referral_source",
    "agency_group",
    "role",
    "citizenship",
    "section",
    "sector",
    "outcome",
];

/// Why an edition was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditionError {
    /// A file of `sql/indicators` does not fit the policy.
    #[error("indicator {indicator}: {source}")]
    Grid {
        /// The indicator.
        indicator: String,
        /// What does not fit.
        source: GridError,
    },
    /// Counting or protection failed; nothing was released.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// The Snapshot's rows could not be read.
    #[error("the Snapshot cannot be read: {0}")]
    Microdata(String),
    /// The store failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A second edition of real data in one quarter.
    #[error(
        "edition {edition} of {as_of} already speaks of this quarter. Until the guard against comparing editions is built, a store of real data publishes one edition a quarter; name a later --as-of."
    )]
    SecondInQuarter {
        /// The edition that exists.
        edition: i64,
        /// Its date.
        as_of: String,
    },
    /// `as_of` lies before the latest edition's.
    #[error("edition {edition} already speaks of {as_of}, which is later; editions go forward in time")]
    Backward {
        /// The latest edition.
        edition: i64,
        /// Its date.
        as_of: String,
    },
    /// Something that the edition followed from has changed since.
    #[error("edition {edition} cannot be recomputed here: {what} differs from its manifest's ({then} then, {now} now)")]
    Changed {
        /// The edition.
        edition: i64,
        /// What has changed.
        what: &'static str,
        /// Then.
        then: String,
        /// Now.
        now: String,
    },
}

/// Publishes the next edition of a Snapshot.
///
/// `manifest` says what the rows follow from; `id` is new at each call. Fails, and publishes nothing, when protection fails, or
/// when the store holds real data and the quarter of `as_of` has an edition already.
pub async fn publish<S>(
    published: &mut Published,
    source: &S,
    policy: &Policy,
    keys: &Keys,
    manifest: Manifest,
    id: Uuid,
) -> Result<EditionInfo, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let earlier = published.editions().await?;
    check_calendar(&earlier, &manifest)?;
    let number = earlier.last().map_or(1, |last| last.edition + 1);
    let released = release(source, policy, keys, manifest.as_of)?;
    let batch = to_batch(&released.rows, number, manifest.as_of);
    Ok(published.append_edition(number, id, &[batch], manifest.to_json()).await?)
}

/// One edition a quarter of real data; forward in time, always.
fn check_calendar(earlier: &[EditionInfo], manifest: &Manifest) -> Result<(), EditionError> {
    for info in earlier {
        let Some(before) = Manifest::as_of_of(&info.manifest) else { continue };
        let (edition, as_of) = (info.edition, before.to_string());
        if before > manifest.as_of {
            return Err(EditionError::Backward { edition, as_of });
        }
        if !manifest.synthetic && quarter(before) == quarter(manifest.as_of) {
            return Err(EditionError::SecondInQuarter { edition, as_of });
        }
    }
    Ok(())
}

fn quarter(date: NaiveDate) -> (i32, u32) {
    (date.year(), date.month0() / 3)
}

/// What a recomputation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// Hash of the rows as published.
    pub published: String,
    /// Hash of the rows made again.
    pub recomputed: String,
}

impl Recomputed {
    /// Whether they are the same.
    pub fn equal(&self) -> bool {
        self.published == self.recomputed
    }
}

/// Refuses, with the named cause, when something that the edition followed from is no longer the same.
pub fn check_unchanged(info: &EditionInfo, now: &Manifest) -> Result<(), EditionError> {
    for (what, then, now) in now.compare(&info.manifest) {
        if then != now {
            return Err(EditionError::Changed { edition: info.edition, what, then, now });
        }
    }
    Ok(())
}

/// Makes an edition's rows again from a Snapshot of the events below its cut, and compares.
pub fn recompute<S>(
    info: &EditionInfo,
    source: &S,
    policy: &Policy,
    keys: &Keys,
    as_of: NaiveDate,
) -> Result<Recomputed, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let released = release(source, policy, keys, as_of)?;
    let batch = to_batch(&released.rows, info.edition, as_of);
    let hash = lake::canonical::hash(&batch.schema(), std::slice::from_ref(&batch))?;
    Ok(Recomputed { published: info.rows_blake3.clone(), recomputed: hash.to_hex().to_string() })
}
