//! Maintenance of the table `events`: few files in a useful order, a short log, bytes gone when their time is over
//! (ingestion.md 3.12).
//!
//! In reading order: `lease` (who maintains), `rewrite` (the one way to replace files), `sort` and `fingerprint` (what a
//! rewrite is made of), `compact`, `expire` and `erase` (which files and why), `log` (checkpoints and old commits), `remove` (what
//! nobody reads any more), `status`.
//!
//! Guarantees: no row is lost or doubled whatever fails or whoever else maintains; appends and readers go on. Absent:
//! policy, a clock, SQL. What is kept how long and what time it is are arguments.

mod compact;
mod erase;
mod expire;
mod fingerprint;
mod lease;
mod log;
mod remove;
mod rewrite;
mod sort;
mod status;

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use uuid::Uuid;

pub use compact::Wanted;
pub use erase::Erase;
pub use fingerprint::Fingerprint;
pub use lease::{Lease, Number, RENEW_EVERY, Standing, TAKE_OVER_AFTER};
pub use log::mend;
pub use rewrite::Reason;
pub use status::{Did, Round, Status};

use crate::{Events, LakeError, Result, Store};

/// Application id whose version is the number of the maintainer that committed last.
const CLAIM: &str = "claim/v1/maintain";

/// When it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970.
    pub unix_ms: i64,
    /// Today in Asia/Karachi, days since 1970: the date whose files still grow.
    pub today: i32,
}

/// How much is enough. The defaults are ingestion.md's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Files below so many bytes are small.
    pub small_bytes: u64,
    /// More small files of one size class than this are made one, on the date that still grows.
    pub most_small: usize,
    /// So many small files of a date are made one even if staging has not read them.
    pub too_many: usize,
    /// A rewrite takes files of at most so many bytes together.
    pub group_bytes: u64,
    /// A rewrite holds at most so many bytes of rows while it sorts.
    pub run_bytes: usize,
    /// A checkpoint is made after so many versions…
    pub checkpoint_every: u64,
    /// … or after so many when nobody commits.
    pub checkpoint_idle: u64,
    /// Files that no version needs are kept so long, milliseconds; never below the longest age of a batch.
    pub vacuum_after_ms: i64,
    /// Files that an expiry or an erasure replaced are kept so long, milliseconds.
    pub purge_after_ms: i64,
    /// Commits are kept so long, milliseconds.
    pub log_kept_ms: i64,
}

const HOUR_MS: i64 = 3_600_000;

impl Default for Rules {
    fn default() -> Self {
        Self {
            small_bytes: 32 << 20,
            most_small: 32,
            too_many: 1_000,
            group_bytes: 256 << 20,
            run_bytes: 64 << 20,
            checkpoint_every: 100,
            checkpoint_idle: 10,
            vacuum_after_ms: 7 * 24 * HOUR_MS,
            purge_after_ms: 24 * HOUR_MS,
            log_kept_ms: 30 * 24 * HOUR_MS,
        }
    }
}

/// Works on the table under a lease that somebody keeps (see [`Lease::keep`]).
#[derive(Debug)]
pub struct Maintainer {
    events: Events,
    holder: String,
    number: Number,
    rules: Rules,
    /// Rewrites begun, for their ids.
    begun: u64,
    /// The number is in the table, so that an earlier maintainer is refused.
    announced: bool,
    /// Side files known to hold no bytes any more.
    without_bytes: std::collections::HashSet<String>,
    /// What staging has not read yet.
    added: compact::Added,
    /// Files that were looked through for persons who are to be erased.
    looked: erase::Looked,
}

impl Maintainer {
    /// Opens the table. `holder` is the lease's, `number` what the lease keeps up to date.
    ///
    /// # Errors
    /// As [`Events::open`]; a torn checkpoint is mended first ([`mend`]).
    pub async fn open(store: &Store, holder: &str, number: Number, rules: Rules) -> Result<Self> {
        let events = match Events::open(store, holder).await {
            Err(LakeError::Delta(_) | LakeError::Parquet(_) | LakeError::Damaged { .. }) => {
                mend(store).await?;
                Events::open(store, holder).await?
            }
            other => other?,
        };
        let holder = holder.to_owned();
        let without_bytes = std::collections::HashSet::new();
        Ok(Self {
            events,
            holder,
            number,
            rules,
            begun: 0,
            announced: false,
            without_bytes,
            added: compact::Added::default(),
            looked: erase::Looked::default(),
        })
    }

    /// The same with other patience of commits.
    #[must_use]
    pub fn with_retry(mut self, retry: crate::Retry) -> Self {
        self.events = self.events.with_retry(retry);
        self
    }

    /// The table as this maintainer has seen it.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// A fresh look: at the table and at who holds the lease. Everything begins with one.
    ///
    /// # Errors
    /// `Superseded` when another process maintains; storage errors.
    pub async fn look(&mut self) -> Result<()> {
        if self.events.refresh().await.is_err() {
            self.events.reload().await?;
        }
        self.fence()?;
        if !lease::is_held_by(&self.objects(), &self.holder).await? {
            return Err(self.superseded());
        }
        Ok(())
    }

    /// Writes the number into the table once, so that a predecessor that was paused is refused when it wakes.
    ///
    /// # Errors
    /// As [`Maintainer::look`].
    pub async fn announce(&mut self) -> Result<()> {
        self.look().await?;
        if !self.announced {
            let id = self.next_id();
            self.commit(id, &[], &[], Reason::Lease, self.events.lake_version(), 0).await?;
            self.announced = true;
        }
        Ok(())
    }

    /// Holds the lease, and nobody with a higher number has committed, as far as this process has seen.
    fn fence(&self) -> Result<u64> {
        let number = self.number.get().ok_or_else(|| self.superseded())?;
        if self.claimed() > number { Err(self.superseded()) } else { Ok(number) }
    }

    fn claimed(&self) -> u64 {
        claimed(&self.events)
    }

    fn superseded(&self) -> LakeError {
        LakeError::Superseded { number: self.number.get().unwrap_or(0), found: self.claimed() }
    }

    fn objects(&self) -> Arc<dyn ObjectStore> {
        self.events.store().objects()
    }

    /// Where unnamed files may be made: beside the lake, whose directory is its owner's alone.
    fn scratch(&self) -> PathBuf {
        self.events.store().scratch()
    }

    /// Unique as the holder's name is.
    fn next_id(&mut self) -> Uuid {
        self.begun += 1;
        let hash = blake3::hash(format!("{}/{}", self.holder, self.begun).as_bytes());
        let (half, _) = hash.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
        uuid::Builder::from_custom_bytes(*half).into_uuid()
    }
}

/// The highest number under which maintenance was committed; the floor of [`Lease::keep`].
pub fn claimed(events: &Events) -> u64 {
    events.txn(CLAIM).and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}
