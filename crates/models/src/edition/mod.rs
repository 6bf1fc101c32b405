//! Editions: the indicators of one Snapshot, protected together and published as one numbered, immutable set of
//! rows with a manifest that names everything they follow from.
//!
//! Absent: true counts. They go from the microdata into [`disclosure::Vault`] and nowhere else.

mod as_of;
mod calendar;
mod derive;
mod fiscal;
mod kept;
mod manifest;
mod moved;
mod population;
mod release;
mod reports;
mod revisions;
mod rows;

use chrono::{Datelike, NaiveDate};
use disclosure::{DisclosureError, Vault, VaultError};
use lake::{EditionInfo, LakeError, Published};
use serde_json::Value;
use uuid::Uuid;

pub use calendar::EditionSource;
pub(crate) use calendar::{Spoken, missing_reports};
pub use manifest::{KeptReference, Manifest};
pub use moved::{Cell, Counted, Moved, NoCell, count};
pub use population::{Found, InYear, MOST_YEARS_BEYOND, Population, Populations, TERRITORY};
pub use release::{ReleasedIndicators, declared, release, room, unprotected};
pub use revisions::{Earlier, earlier};
pub use rows::{Key, Row, to_batch};

use crate::indicator::GridError;

/// Dimension columns of `published.indicator_values`, in order. `_T` is the total, `_Z` not applicable to the indicator.
///
/// The list grows at its end only: editions are immutable, and those from before a dimension have no column for it
/// ([`lake::Published::open_or_create`] gives it to the table). What column holds which level of a dataset says
/// [`crate::indicator::published_column`].
pub const DIMENSIONS: [&str; 26] = [
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
    "exploitation_form",
    "scope",
    "means",
    "recruiter_relation",
    "origin",
    "country",
    "status",
    "service",
    "exit_reason",
    "kind",
    "audience",
    "official",
    "band",
    "field",
    "series",
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
    /// The vault did not answer, or could not remember; nothing was released.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The Snapshot's rows could not be read.
    #[error("the Snapshot cannot be read: {0}")]
    Microdata(String),
    /// The store failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A second edition of real data in one quarter.
    #[error(
        "edition {edition} of {as_of} was published or speaks in this quarter already. Revisions come with the quarter: a store of real data publishes one edition in each."
    )]
    SecondInQuarter {
        /// The edition that exists.
        edition: i64,
        /// Its date.
        as_of: String,
    },
    /// An edition of real data whose manifest does not say when it was published, or of when it speaks.
    #[error("the manifest of edition {0} does not say when it was published; nothing is published beside it")]
    Undated(i64),
    /// `as_of` has not come yet.
    #[error("{as_of} has not come yet; today is {today}")]
    Future {
        /// The date asked for.
        as_of: NaiveDate,
        /// Today in Pakistan.
        today: NaiveDate,
    },
    /// A year that has no codes.
    #[error("no edition speaks of {0}: years from 1950")]
    Year(NaiveDate),
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
/// `manifest` says what the rows follow from; `today` is the day in Pakistan; `id` is new at each call. Fails, and publishes
/// nothing, when protection fails, when `as_of` is after today, or when the store holds real data and an edition was published
/// in the quarter of today or speaks of the quarter of `as_of`.
pub async fn publish<S>(
    published: &mut Published,
    source: &S,
    vault: &Vault,
    mut manifest: Manifest,
    today: NaiveDate,
    id: Uuid,
) -> Result<EditionInfo, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let editions = published.editions().await?;
    check_calendar(editions.iter().map(|info| (info.edition, &info.manifest)), &manifest, today)?;
    let number = editions.last().map_or(1, |last| last.edition + 1);
    let history = earlier(published, number).await?;
    let mut released = release(source, vault, manifest.as_of, number)?;
    manifest.ledger = released.ledger;
    released.compare(&history, manifest.as_of);
    manifest.reference = kept::keep(published, source, manifest.as_of, &kept::version(number, id)).await?;
    let batch = to_batch(&released.rows, number, manifest.as_of);
    Ok(published.append_edition(number, id, &[batch], manifest.to_json()).await?)
}

/// One edition a quarter of real data, by the date it speaks of and by the day it is published; forward in time, always.
fn check_calendar<'a>(
    earlier: impl Iterator<Item = (i64, &'a Value)>,
    manifest: &Manifest,
    today: NaiveDate,
) -> Result<(), EditionError> {
    let as_of = as_of::AsOf::new(manifest.as_of)?.date();
    if as_of > today {
        return Err(EditionError::Future { as_of, today });
    }
    for (edition, kept) in earlier {
        let (before, published) = (Manifest::as_of_of(kept), Manifest::published_on(kept));
        if let Some(before) = before.filter(|before| *before > as_of) {
            return Err(EditionError::Backward { edition, as_of: before.to_string() });
        }
        if manifest.synthetic {
            continue;
        }
        let (Some(before), Some(published)) = (before, published) else { return Err(EditionError::Undated(edition)) };
        if quarter(before) == quarter(as_of) || quarter(published) == quarter(today) {
            return Err(EditionError::SecondInQuarter { edition, as_of: before.to_string() });
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

/// Makes an edition's rows again from a Snapshot of the events below its cut and from what was published before it, and
/// compares. `vault` remembers what was released before the edition, and what it is asked now is forgotten with it.
pub fn recompute<S>(
    info: &EditionInfo,
    source: &S,
    vault: &Vault,
    as_of: NaiveDate,
    history: &[Earlier],
) -> Result<Recomputed, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let mut released = release(source, vault, as_of, info.edition)?;
    released.compare(history, as_of);
    let batch = to_batch(&released.rows, info.edition, as_of);
    let hash = lake::canonical::hash(&batch.schema(), std::slice::from_ref(&batch))?;
    Ok(Recomputed { published: info.rows_blake3.clone(), recomputed: hash.to_hex().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn manifest(as_of: &str, synthetic: bool) -> Manifest {
        Manifest {
            embargo_until: None,
            as_of: date(as_of),
            published_at: String::new(),
            synthetic,
            cut: std::collections::BTreeMap::new(),
            marts: std::collections::BTreeMap::new(),
            reference: KeptReference::default(),
            lake_version: 0,
            sql: String::new(),
            policy: String::new(),
            methodology: String::new(),
            key_fingerprint: String::new(),
            ledger: Default::default(),
        }
    }

    /// After an edition that was published at this time and speaks of this date.
    fn after(published_at: &str, before: &str, as_of: &str, today: &str, synthetic: bool) -> Result<(), EditionError> {
        let kept = json!({"as_of": before, "published_at": published_at});
        check_calendar([(1, &kept)].into_iter(), &manifest(as_of, synthetic), date(today))
    }

    #[test]
    fn a_date_that_has_not_come_is_refused_of_real_and_of_synthetic_data() {
        for synthetic in [true, false] {
            let asked = manifest("2026-11-25", synthetic);
            let refused = check_calendar([].into_iter(), &asked, date("2026-11-24"));
            assert!(matches!(refused, Err(EditionError::Future { .. })));
            assert!(check_calendar([].into_iter(), &asked, date("2026-11-25")).is_ok());
        }
    }

    #[test]
    fn real_data_have_one_edition_in_a_quarter_of_the_year_whatever_date_it_names() {
        let real =
            |published: &str, before: &str, as_of: &str, today: &str| after(published, before, as_of, today, false);
        let second = |result| matches!(result, Err(EditionError::SecondInQuarter { edition: 1, .. }));
        assert!(second(real("2026-11-24T09:00:00Z", "2026-09-30", "2026-11-25", "2026-11-25")), "a day later");
        assert!(second(real("2026-09-30T09:00:00Z", "2026-09-30", "2026-09-30", "2026-10-01")), "the same date again");
        assert!(second(real("2026-12-31T19:30:00Z", "2026-09-30", "2026-12-31", "2027-03-01")), "1 January in Karachi");
        assert!(
            real("2026-12-31T18:30:00Z", "2026-09-30", "2026-12-31", "2027-03-01").is_ok(),
            "31 December in Karachi"
        );
        assert!(
            real("2027-01-05T09:00:00Z", "2026-12-31", "2027-03-31", "2027-04-05").is_ok(),
            "quarter after quarter"
        );
        assert!(
            after("2026-11-24T09:00:00Z", "2026-09-30", "2026-11-25", "2026-11-25", true).is_ok(),
            "synthetic data"
        );
    }

    #[test]
    fn editions_go_forward_and_one_without_a_date_stops_those_of_real_data() {
        let back = after("2026-01-01T00:00:00Z", "2025-12-31", "2025-09-30", "2026-11-24", true);
        assert!(matches!(back, Err(EditionError::Backward { .. })));
        let undated = after("yesterday", "2025-12-31", "2026-09-30", "2026-11-24", false);
        assert!(matches!(undated, Err(EditionError::Undated(1))));
    }
}
