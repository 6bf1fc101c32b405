//! The maintainer's lease: a row of numbered objects, of which the highest tells who maintains (ingestion.md 3.12).
//!
//! Objects are made with `PutMode::Create` alone, which a disk and an object store both have. The holder makes the next
//! number every 20 s and deletes old ones; another may make it after it saw no new one for 90 s of its own clock. A
//! listing *after* the creation decides, because a holder that was paused may make a number that was deleted meanwhile.
//!
//! The lease keeps two maintainers from doing the same work; it is no lock. Safety comes from the number: each commit of
//! maintenance carries it, a commit under a lower number is refused, and two at once conflict (`rewrite`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::{Deserialize, Serialize};

use crate::{LakeError, Result, Store};

/// Where the numbers lie.
const FOLDER: &str = "lake/_lease/maintain";

/// How often the holder makes the next number.
pub const RENEW_EVERY: Duration = Duration::from_secs(20);

/// How long another sees no new number before it may make one.
pub const TAKE_OVER_AFTER: Duration = Duration::from_secs(90);

/// What an object of the lease says.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    holder: String,
    /// The holder ended and the next one need not wait.
    released: bool,
}

/// Who maintains, as seen by one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This process, under this number.
    Held {
        /// The fencing number.
        number: u64,
    },
    /// Another process, which made this number; it is given so much longer.
    Other {
        /// Its number.
        number: u64,
        /// Its name.
        holder: String,
        /// Time after which this process may take over if no new number appears.
        left: Duration,
    },
}

/// The number under which this process maintains; shared with whoever works under it. 0 = it does not.
#[derive(Debug, Clone, Default)]
pub struct Number(Arc<AtomicU64>);

impl Number {
    /// The number, if the lease is held.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|number| *number > 0)
    }

    fn set(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }
}

/// One process's view of the lease.
#[derive(Debug)]
pub struct Lease {
    objects: Arc<dyn ObjectStore>,
    holder: String,
    number: Number,
    /// Own clock when the number was made.
    renewed: Duration,
    /// Highest number of another, and own clock when it was first seen.
    seen: Option<(u64, Duration)>,
}

impl Lease {
    /// A lease that is not held. `holder` must be new at each start of a process.
    pub fn new(store: &Store, holder: &str) -> Self {
        let (objects, holder) = (store.objects(), holder.to_owned());
        Self { objects, holder, number: Number::default(), renewed: Duration::ZERO, seen: None }
    }

    /// The number that this lease keeps up to date.
    pub fn number(&self) -> Number {
        self.number.clone()
    }

    /// Takes, renews or waits for the lease; to be called every few seconds. `now` is the process's monotonic clock, and
    /// `floor` the highest number that the table has seen, below which none is made.
    ///
    /// # Errors
    /// Storage errors. Whether the lease is held is then as before; the next call finds out.
    pub async fn keep(&mut self, now: Duration, floor: u64) -> Result<Standing> {
        let Some(highest) = highest(&self.objects).await? else {
            return self.make(floor + 1, now).await;
        };
        let Some(entry) = entry(&self.objects, highest).await? else {
            return Ok(self.other(highest, String::new(), now)); // deleted since: a higher one is there
        };
        if entry.holder == self.holder && !entry.released {
            // Also a number whose answer was lost when it was made.
            self.number.set(highest);
            if now.saturating_sub(self.renewed) < RENEW_EVERY {
                return Ok(Standing::Held { number: highest });
            }
            return self.make(highest + 1, now).await;
        }
        let standing = self.other(highest, entry.holder, now);
        let over = matches!(&standing, Standing::Other { left, .. } if left.is_zero());
        if entry.released || over { self.make(highest.max(floor) + 1, now).await } else { Ok(standing) }
    }

    /// Ends the lease, so that the next process need not wait.
    ///
    /// # Errors
    /// Storage errors; the next process then waits.
    pub async fn release(&mut self) -> Result<()> {
        let Some(number) = self.number.get() else { return Ok(()) };
        self.number.set(0);
        self.put(number + 1, true).await.map(drop)
    }

    fn other(&mut self, number: u64, holder: String, now: Duration) -> Standing {
        self.number.set(0);
        let since = match self.seen {
            Some((seen, since)) if seen == number => since,
            _ => {
                self.seen = Some((number, now));
                now
            }
        };
        Standing::Other { number, holder, left: TAKE_OVER_AFTER.saturating_sub(now.saturating_sub(since)) }
    }

    async fn make(&mut self, number: u64, now: Duration) -> Result<Standing> {
        if self.put(number, false).await? && highest(&self.objects).await? == Some(number) {
            self.number.set(number);
            self.renewed = now;
            self.delete_below(number).await;
            return Ok(Standing::Held { number });
        }
        // Somebody else made it, or a higher one.
        let found = highest(&self.objects).await?.unwrap_or(number);
        let holder = entry(&self.objects, found).await?.map(|entry| entry.holder).unwrap_or_default();
        Ok(self.other(found, holder, now))
    }

    /// Whether this call made the number.
    async fn put(&self, number: u64, released: bool) -> Result<bool> {
        let entry = serde_json::to_vec(&Entry { holder: self.holder.clone(), released });
        let entry = entry.map_err(|e| LakeError::json("lease", e))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(&path(number), PutPayload::from(entry), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// What stays is deleted the next time.
    async fn delete_below(&self, number: u64) {
        let Ok(numbers) = numbers(&self.objects).await else { return };
        for old in numbers.into_iter().filter(|old| *old < number) {
            if let Err(error) = self.objects.delete(&path(old)).await {
                tracing::debug!(%error, "an old number of the lease stays");
            }
        }
    }
}

/// Whether `holder` made the highest number: the fresh look before anything is deleted.
pub(super) async fn is_held_by(objects: &Arc<dyn ObjectStore>, holder: &str) -> Result<bool> {
    let Some(highest) = highest(objects).await? else { return Ok(false) };
    Ok(entry(objects, highest).await?.is_some_and(|entry| entry.holder == holder && !entry.released))
}

fn path(number: u64) -> Path {
    Path::from(format!("{FOLDER}/{number:020}.json"))
}

async fn highest(objects: &Arc<dyn ObjectStore>) -> Result<Option<u64>> {
    Ok(numbers(objects).await?.into_iter().max())
}

async fn numbers(objects: &Arc<dyn ObjectStore>) -> Result<Vec<u64>> {
    let folder = Path::from(FOLDER);
    let number = |name: &str| name.strip_suffix(".json")?.parse::<u64>().ok();
    let found = objects.list(Some(&folder)).filter_map(|meta| async move {
        match meta {
            Ok(meta) => meta.location.filename().and_then(number).map(Ok),
            Err(object_store::Error::NotFound { .. }) => None, // deleted while we list
            Err(e) => Some(Err(e)),
        }
    });
    Ok(found.try_collect().await?)
}

async fn entry(objects: &Arc<dyn ObjectStore>, number: u64) -> Result<Option<Entry>> {
    match objects.get(&path(number)).await {
        Ok(found) => {
            let bytes = found.bytes().await?;
            serde_json::from_slice(&bytes).map(Some).map_err(|e| LakeError::json(format!("lease {number}"), e))
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
