//! Which connection a request to cancel is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pgwire::messages::startup::SecretKey;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

type Key = (i32, Bytes);

/// The open connections, by number and secret.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<Key, Arc<Running>>>,
}

/// What a connection does now.
#[derive(Default)]
pub(super) struct Running(Mutex<CancellationToken>);

impl Running {
    /// A token for the next question.
    pub(super) fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token.clone();
        token
    }
}

/// A place among the connections, given back when dropped.
pub(super) struct Place {
    connections: Arc<Connections>,
    key: Key,
    pub(super) running: Arc<Running>,
    /// A place among the sessions that there may be.
    _held: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Connections {
    /// Enters a connection.
    pub(super) fn enter(self: &Arc<Self>, pid: i32, secret: &SecretKey, held: OwnedSemaphorePermit) -> Place {
        let (key, running) = ((pid, secret.to_bytes()), Arc::<Running>::default());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(key.clone(), Arc::clone(&running));
        Place { connections: Arc::clone(self), key, running, _held: held }
    }

    /// Ends what the connection of that number does, if the secret is its own. Whoever asks is not told which.
    pub(super) fn cancel(&self, pid: i32, secret: &SecretKey) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = open.get(&(pid, secret.to_bytes())) {
            running.0.lock().unwrap_or_else(PoisonError::into_inner).cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_ends_a_question() {
        let connections = Arc::<Connections>::default();
        let secret = SecretKey::I32(7);
        let held = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().expect("a place");
        let place = connections.enter(1, &secret, held);
        let token = place.running.begin();
        connections.cancel(1, &SecretKey::I32(8));
        connections.cancel(2, &secret);
        assert!(!token.is_cancelled());
        connections.cancel(1, &secret);
        assert!(token.is_cancelled());
        assert!(!place.running.begin().is_cancelled(), "the next question is another");
        drop(place);
        assert!(connections.open.lock().expect("not poisoned").is_empty());
    }
}
