//! What a request holds until it is answered: a turn, bytes, and the `Idempotency-Key` that it works for. All of it is bounded, for
//! all requests together and for those of one agency, and what cannot be had at once is refused, never queued (ingestion.md 3.11).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use policy::Agencies;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::problem::{Kind, Problem};
use super::settings::Limits;

/// Bytes are counted in units of this many, since a semaphore counts in 32 bits.
const UNIT: usize = 1 << 10;

/// A digest of an agency and its `Idempotency-Key`.
pub(crate) type KeyDigest = [u8; 32];

/// Turns and bytes that may be held.
#[derive(Clone)]
struct Pool {
    turns: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Pool {
    fn new(requests: usize, bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self { turns: Arc::new(Semaphore::new(requests)), bytes: Arc::new(Semaphore::new(units)) }
    }
}

/// What one agency may hold.
struct Share {
    pool: Pool,
    /// Its large bodies that may stand before the desks, so that those of others wait for a few of them at most.
    desks: Arc<Semaphore>,
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Room {
    all: Pool,
    /// Of each agency of the policy.
    shares: Arc<HashMap<String, Share>>,
    desks: Arc<Semaphore>,
    limits: Limits,
    at_work: Arc<Mutex<HashSet<KeyDigest>>>,
}

/// What one request holds; given back when it is dropped, which is after its answer is decided, even if its client has left.
pub(crate) struct Hold {
    _turns: [OwnedSemaphorePermit; 2],
    room: Room,
    /// That of the agency first: who has taken up its own share is told so.
    pools: [Pool; 2],
    units: Vec<OwnedSemaphorePermit>,
    /// Bytes of the units that are not used yet.
    left: usize,
    key: Option<KeyDigest>,
}

impl Room {
    /// Room for the agencies of a policy; `desks` large bodies are judged at once.
    pub(crate) fn new(limits: Limits, agencies: &Agencies, desks: usize) -> Self {
        let share = || Share {
            pool: Pool::new(limits.requests_of_one, limits.held_bytes_of_one),
            desks: Arc::new(Semaphore::new(desks)),
        };
        Self {
            all: Pool::new(limits.requests, limits.held_bytes),
            shares: Arc::new(agencies.iter().map(|agency| (agency.code.clone(), share())).collect()),
            desks: Arc::new(Semaphore::new(desks)),
            limits,
            at_work: Arc::default(),
        }
    }

    /// A turn of an agency, if there is one. An agency that the policy does not list has none.
    pub(crate) fn enter(&self, agency: &str) -> Result<Hold, Problem> {
        let own = self.shares.get(agency).ok_or_else(Problem::internal)?.pool.clone();
        let take = |pool: &Pool| Arc::clone(&pool.turns).try_acquire_owned();
        let of_one = take(&own).map_err(|_| busy(&of_one(self.limits.requests_of_one, "requests are at work")))?;
        let of_all = take(&self.all).map_err(|_| busy(&format!("{} requests are at work.", self.limits.requests)))?;
        let (room, pools) = (self.clone(), [own, self.all.clone()]);
        Ok(Hold { _turns: [of_one, of_all], room, pools, units: Vec::new(), left: 0, key: None })
    }

    /// A desk at which a large body of the agency is judged; waited for, in order, by the few that each agency may have waiting.
    pub(crate) async fn desk(&self, agency: &str) -> Result<[OwnedSemaphorePermit; 2], Problem> {
        let own = &self.shares.get(agency).ok_or_else(Problem::internal)?.desks;
        let own = Arc::clone(own).acquire_owned().await.map_err(|_| Problem::internal())?;
        let desk = Arc::clone(&self.desks).acquire_owned().await.map_err(|_| Problem::internal())?;
        Ok([own, desk])
    }

    /// Requests at work and bytes that they hold.
    pub(crate) fn held(&self) -> (usize, usize) {
        let units = (self.limits.held_bytes / UNIT).saturating_sub(self.all.bytes.available_permits());
        (self.limits.requests.saturating_sub(self.all.turns.available_permits()), units * UNIT)
    }
}

impl Hold {
    /// So many bytes more, if there is room for them.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.left {
            let units = (bytes - self.left).div_ceil(UNIT);
            let Limits { held_bytes_of_one, held_bytes, .. } = self.room.limits;
            let more = |pool: &Pool| -> Result<OwnedSemaphorePermit, TryAcquireError> {
                Arc::clone(&pool.bytes).try_acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX))
            };
            let own = more(&self.pools[0]).map_err(|_| busy(&of_one(held_bytes_of_one, "bytes are held")))?;
            let all = more(&self.pools[1])
                .map_err(|_| busy(&format!("The requests at work hold {held_bytes} bytes at most.")))?;
            match &mut self.units[..] {
                [of_one, of_all] => {
                    of_one.merge(own);
                    of_all.merge(all);
                }
                _ => self.units = vec![own, all],
            }
            self.left += units * UNIT;
        }
        self.left -= bytes;
        Ok(())
    }

    /// So many of the bytes that were taken are free for what comes next.
    pub(crate) fn spare(&mut self, bytes: usize) {
        self.left += bytes;
    }

    /// Claims an `Idempotency-Key`, unless another request works for it.
    pub(crate) fn claim(&mut self, key: KeyDigest) -> Result<(), Problem> {
        let is_free = self.room.at_work.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        if !is_free {
            return Err(Problem::new(
                Kind::KeyInFlight,
                "Another request of this agency with the same Idempotency-Key is not answered yet.",
                "Wait for its answer, or send the same request again after a second.",
            )
            .after(1));
        }
        self.key = Some(key);
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.room.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
    }
}

fn of_one(bound: usize, what: &str) -> String {
    format!("{bound} {what} for this agency, which is all that one may have at once.")
}

fn busy(detail: &str) -> Problem {
    Problem::new(
        Kind::Busy,
        detail,
        "Send the same request again after the time in Retry-After, or larger batches less often.",
    )
    .after(1)
}
