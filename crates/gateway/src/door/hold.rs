//! What a request holds until it is answered: a turn, bytes, and the `Idempotency-Key` that it works for. All of it is bounded, and
//! what cannot be had at once is refused, never queued (ingestion.md 3.11).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Kind, Problem};
use super::settings::Limits;

/// Bytes are counted in units of this many, since a semaphore counts in 32 bits.
const UNIT: usize = 1 << 10;

/// A digest of an agency and its `Idempotency-Key`.
pub(crate) type KeyDigest = [u8; 32];

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Room {
    turns: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    limits: Limits,
    at_work: Arc<Mutex<HashSet<KeyDigest>>>,
}

/// What one request holds; given back when it is dropped, which is after its answer is decided, even if its client has left.
pub(crate) struct Hold {
    _turn: OwnedSemaphorePermit,
    room: Room,
    units: Option<OwnedSemaphorePermit>,
    /// Bytes of the units that are not used yet.
    left: usize,
    key: Option<KeyDigest>,
}

impl Room {
    pub(crate) fn new(limits: Limits) -> Self {
        let units = (limits.held_bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            turns: Arc::new(Semaphore::new(limits.requests)),
            bytes: Arc::new(Semaphore::new(units)),
            limits,
            at_work: Arc::default(),
        }
    }

    /// A turn, if there is one.
    pub(crate) fn enter(&self) -> Result<Hold, Problem> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let turn = turn.map_err(|_| busy(&format!("{} requests are at work.", self.limits.requests)))?;
        Ok(Hold { _turn: turn, room: self.clone(), units: None, left: 0, key: None })
    }

    /// Requests at work and bytes that they hold.
    pub(crate) fn held(&self) -> (usize, usize) {
        let units = (self.limits.held_bytes / UNIT).saturating_sub(self.bytes.available_permits());
        (self.limits.requests.saturating_sub(self.turns.available_permits()), units * UNIT)
    }
}

impl Hold {
    /// So many bytes more, if there is room for them.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.left {
            let units = (bytes - self.left).div_ceil(UNIT);
            let count = u32::try_from(units).unwrap_or(u32::MAX);
            let permit = Arc::clone(&self.room.bytes).try_acquire_many_owned(count);
            let permit = permit.map_err(|_| {
                busy(&format!("The requests at work hold {} bytes at most.", self.room.limits.held_bytes))
            })?;
            match &mut self.units {
                Some(own) => own.merge(permit),
                None => self.units = Some(permit),
            }
            self.left += units * UNIT;
        }
        self.left -= bytes;
        Ok(())
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

fn busy(detail: &str) -> Problem {
    Problem::new(
        Kind::Busy,
        detail,
        "Send the same request again after the time in Retry-After, or larger batches less often.",
    )
    .after(1)
}
