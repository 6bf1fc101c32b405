//! Statements that clients have prepared: their texts, and the values that were bound last.
//!
//! Guarantees: a statement is there for who prepared it and for nobody else; there are so many in all and of one client, and each
//! ends some time after its last use. Not guaranteed: that one outlives the service. Nothing is planned or computed here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use query::Param;
use tonic::{Code, Status};

use super::errors::failed;

/// Statements of all clients.
const MOST: usize = 2_000;
/// Statements of one client.
const MOST_OF_ONE: usize = 100;
/// How long a statement is kept that nobody uses.
pub(super) const UNUSED: Duration = Duration::from_mins(30);

/// Who asks, as far as statements and cancelling go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal {
    /// The name of the key; none of who bears no key.
    pub(super) key: Option<String>,
    /// What is counted as one client: the key, or without one the address.
    pub(super) counted: String,
}

/// What was prepared.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) params: Vec<Param>,
    owner: Principal,
    used: Instant,
}

/// The statements of all clients, by handle.
#[derive(Default)]
pub(super) struct Statements(Mutex<HashMap<Bytes, Statement>>);

impl Statements {
    /// Keeps a statement under a handle that nobody can guess.
    pub(super) fn keep(&self, owner: &Principal, sql: String, handle: Bytes, now: Instant) -> Result<(), Status> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, statement| now.duration_since(statement.used) < UNUSED);
        let own = known.values().filter(|statement| statement.owner.counted == owner.counted).count();
        if own >= MOST_OF_ONE || known.len() >= MOST {
            let text = format!("There are {own} prepared statements of this client, and {} in all.", known.len());
            let hint = "Close some; those that nobody uses end after half an hour.";
            return Err(failed(Code::ResourceExhausted, "busy", &text, hint));
        }
        known.insert(handle, Statement { sql, params: Vec::new(), owner: owner.clone(), used: now });
        Ok(())
    }

    /// The statement of a handle, if it is this client's.
    pub(super) fn find(&self, owner: &Principal, handle: &Bytes, now: Instant) -> Result<Statement, Status> {
        self.with(owner, handle, now, |statement| statement.clone())
    }

    /// Binds values to a statement, instead of those that it had.
    pub(super) fn bind(
        &self,
        owner: &Principal,
        handle: &Bytes,
        params: Vec<Param>,
        now: Instant,
    ) -> Result<(), Status> {
        self.with(owner, handle, now, |statement| statement.params = params)
    }

    /// Forgets a statement. One that is not there is closed already.
    pub(super) fn close(&self, owner: &Principal, handle: &Bytes) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(handle).is_some_and(|statement| statement.owner.key == owner.key) {
            known.remove(handle);
        }
    }

    fn with<T>(
        &self,
        owner: &Principal,
        handle: &Bytes,
        now: Instant,
        does: impl FnOnce(&mut Statement) -> T,
    ) -> Result<T, Status> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let statement = known
            .get_mut(handle)
            .filter(|statement| statement.owner.key == owner.key && now.duration_since(statement.used) < UNUSED);
        let Some(statement) = statement else {
            let hint = "Prepare it again: statements end half an hour after their last use, and with the service.";
            return Err(failed(Code::NotFound, "unknown_statement", "There is no such prepared statement.", hint));
        };
        statement.used = now;
        Ok(does(statement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Principal {
        Principal { key: Some(name.to_owned()), counted: name.to_owned() }
    }

    fn handle(number: usize) -> Bytes {
        Bytes::from(number.to_string())
    }

    #[test]
    fn a_statement_is_there_for_who_prepared_it() {
        let (statements, now) = (Statements::default(), Instant::now());
        statements.keep(&of("a"), "select 1".to_owned(), handle(1), now).unwrap();
        statements.bind(&of("a"), &handle(1), vec![Param::Null], now).unwrap();
        let found = statements.find(&of("a"), &handle(1), now).unwrap();
        assert_eq!((found.sql.as_str(), found.params), ("select 1", vec![Param::Null]));
        let public = Principal { key: None, counted: "a".to_owned() };
        for other in [of("b"), public] {
            assert_eq!(statements.find(&other, &handle(1), now).unwrap_err().code(), Code::NotFound);
            statements.close(&other, &handle(1));
        }
        statements.find(&of("a"), &handle(1), now).expect("nobody else closes it");
        statements.close(&of("a"), &handle(1));
        assert_eq!(statements.find(&of("a"), &handle(1), now).unwrap_err().code(), Code::NotFound);
    }

    #[test]
    fn there_are_so_many_of_one_client_and_in_all() {
        let (statements, now) = (Statements::default(), Instant::now());
        let keep = |owner: &str, number| statements.keep(&of(owner), String::new(), handle(number), now);
        for number in 0..MOST {
            keep(&(number / MOST_OF_ONE).to_string(), number).unwrap();
        }
        assert_eq!(keep("0", MOST).unwrap_err().code(), Code::ResourceExhausted);
        assert_eq!(keep("another", MOST).unwrap_err().code(), Code::ResourceExhausted);
        statements.close(&of("0"), &handle(0));
        keep("0", MOST).expect("one place is free");
    }

    #[test]
    fn what_nobody_uses_ends() {
        let (statements, now) = (Statements::default(), Instant::now());
        statements.keep(&of("a"), String::new(), handle(1), now).unwrap();
        statements.find(&of("a"), &handle(1), now + UNUSED / 2).unwrap();
        statements.find(&of("a"), &handle(1), now + UNUSED).expect("it was used meanwhile");
        assert!(statements.find(&of("a"), &handle(1), now + UNUSED * 2).is_err());
    }
}
