//! What functions see beside their arguments: the directory and the session whose statement runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::builtin::ROWS;
use crate::described::Session;
use crate::directory::{Directory, hashed};
use crate::error::CatalogueError;

/// The session of the statement that runs, and how it failed.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(crate) user: String,
    pub(crate) user_oid: u32,
    /// The search path without `pg_catalog`.
    pub(crate) path: Vec<String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) pid: i32,
    pub(crate) now_us: i64,
    pub(crate) started_us: i64,
    /// What a function said when it failed; SQLite carries a text only.
    pub(crate) fault: Option<CatalogueError>,
}

/// One connection's facts, shared by its functions.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) directory: Arc<Directory>,
    running: Arc<Mutex<Running>>,
}

impl Facts {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { directory, running: Arc::default() }
    }

    /// Runs with the session's facts. (A poisoned lock holds facts all the same: they are set anew for each statement.)
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Running) -> T) -> T {
        act(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the facts of a session, for the next statement.
    pub(crate) fn set(&self, session: &Session<'_>) {
        let directory = &self.directory;
        let running = Running {
            user: session.user.to_owned(),
            user_oid: directory.role_named(session.user).unwrap_or_else(|| hashed("role", session.user)),
            path: if session.search_path.is_empty() {
                directory.default_path.clone()
            } else {
                session.search_path.to_vec()
            },
            settings: session.settings.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
            pid: session.backend_pid,
            now_us: session.now_us,
            started_us: session.started_us,
            fault: None,
        };
        self.with(|current| *current = running);
    }

    /// The search path.
    pub(crate) fn path(&self) -> Vec<String> {
        self.with(|running| running.path.clone())
    }

    /// The value of a setting: the session's, what follows from the descriptions, PostgreSQL's default; `None` where unknown.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        let own = self.with(|running| match name.as_str() {
            "session_authorization" => Some(running.user.clone()),
            "is_superuser" => Some("off".into()),
            "search_path" if !running.settings.contains_key("search_path") => Some(running.path.join(", ")),
            _ => running.settings.get(&name).cloned(),
        });
        own.or_else(|| match name.as_str() {
            "server_version" => Some(self.directory.server_version.clone()),
            "server_version_num" => Some(version_number(&self.directory.server_version).to_string()),
            // Nothing is ever written here, as on a server that only follows another.
            "transaction_read_only" | "default_transaction_read_only" | "in_hot_standby" => Some("on".into()),
            "log_statement" => Some("none".into()),
            _ => ROWS
                .iter()
                .filter(|(table, _)| *table == "pg_settings")
                .find(|(_, row)| {
                    row.first().and_then(Option::as_deref).is_some_and(|known| known.eq_ignore_ascii_case(&name))
                })
                .and_then(|(_, row)| row.get(1).cloned().flatten()),
        })
    }
}

/// `15.18` is 150018 (`PG_VERSION_NUM`).
fn version_number(version: &str) -> u32 {
    let mut parts =
        version.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or_default());
    parts.next().unwrap_or_default() * 10_000 + parts.next().unwrap_or_default()
}
