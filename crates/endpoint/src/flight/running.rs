//! Questions that run, so that who asked them can end them by another call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::prepared::Principal;

/// The questions that run, by the number of their execution.
#[derive(Default)]
pub(super) struct Running(Mutex<HashMap<String, Run>>);

struct Run {
    /// The name of the key; none of who bears no key.
    key: Option<String>,
    token: CancellationToken,
    /// How often the same ticket is being answered.
    times: usize,
}

/// A question that runs; it is forgotten when this is dropped.
pub(super) struct Place {
    running: Arc<Running>,
    execution: String,
    /// Cancelled when the question is to end.
    pub(super) token: CancellationToken,
}

impl Running {
    /// Notes that an execution runs. None where another client runs one of that number: nobody was given it twice.
    pub(super) fn enter(self: &Arc<Self>, owner: &Principal, execution: &str) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = all.entry(execution.to_owned()).or_insert_with(|| Run {
            key: owner.key.clone(),
            token: CancellationToken::new(),
            times: 0,
        });
        if run.key != owner.key {
            return None;
        }
        run.times += 1;
        Some(Place { running: Arc::clone(self), execution: execution.to_owned(), token: run.token.clone() })
    }

    /// Ends an execution; whether it ran and was this client's.
    pub(super) fn cancel(&self, owner: &Principal, execution: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = all.get(execution).filter(|run| run.key == owner.key);
        run.inspect(|run| run.token.cancel()).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = all.get_mut(&self.execution) {
            run.times -= 1;
            if run.times == 0 {
                all.remove(&self.execution);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_ended_by_who_asked_it_and_while_it_runs() {
        let running = Arc::new(Running::default());
        let of = |name: &str| Principal { key: Some(name.to_owned()), counted: name.to_owned() };
        assert!(!running.cancel(&of("a"), "1"));
        let (first, second) = (running.enter(&of("a"), "1").unwrap(), running.enter(&of("a"), "1").unwrap());
        assert!(running.enter(&of("b"), "1").is_none());
        drop(first);
        assert!(!running.cancel(&of("b"), "1") && !second.token.is_cancelled());
        assert!(running.cancel(&of("a"), "1") && second.token.is_cancelled());
        drop(second);
        assert!(!running.cancel(&of("a"), "1"));
        assert!(!running.enter(&of("b"), "1").unwrap().token.is_cancelled());
    }
}
