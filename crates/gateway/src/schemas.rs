//! The schema of an id, for those who read messages: from the registry in this house, or from another one by URL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::error::RegistryError;
use crate::external::{External, Said};
use crate::registry::Registry;
use crate::schema::Schema;

/// Most schemas remembered in memory. There are some dozens; beyond this the memory is begun anew.
const REMEMBERED: usize = 10_000;

/// What became of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The schema, complete in itself: nothing that it refers to is missing. The same for ever.
    Schema(Arc<Schema>),
    /// The registry knows no such id: the producer's registry is another one, or the registry is behind. Wait and ask again.
    Unknown,
    /// The registry knows the id, and no event can be written with its schema (Protobuf, or beyond the limits): why.
    Unsupported(String),
    /// The registry does not answer, or does not let us ask: why. Wait and ask again.
    Away(String),
}

/// Where schemas are found. Clones share what is remembered.
#[derive(Clone)]
pub struct Schemas {
    own: Registry,
    other: Option<External>,
    remembered: Arc<Mutex<HashMap<i32, Arc<Schema>>>>,
}

impl Schemas {
    /// Those of the registry in this house.
    pub fn of(registry: Registry) -> Self {
        Self { own: registry, other: None, remembered: Arc::default() }
    }

    /// Those of another registry. `kept_in` keeps what it has said, so that its absence stops nothing that is known.
    pub fn of_external(external: External, kept_in: Registry) -> Self {
        Self { own: kept_in, other: Some(external), remembered: Arc::default() }
    }

    /// The schema of an id.
    pub async fn find(&self, id: i32) -> Found {
        if let Some(known) = self.remembered().get(&id) {
            return Found::Schema(Arc::clone(known));
        }
        let found = match &self.other {
            None => self.own_schema(id).await,
            Some(external) => self.external_schema(external, id).await,
        };
        if let Found::Schema(schema) = &found {
            let mut remembered = self.remembered();
            if remembered.len() >= REMEMBERED {
                remembered.clear();
            }
            remembered.insert(id, Arc::clone(schema));
        }
        found
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<i32, Arc<Schema>>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn own_schema(&self, id: i32) -> Found {
        match self.on_disk(move |registry| registry.resolved(id)).await {
            Ok(schema) => Found::Schema(Arc::new(schema)),
            Err(RegistryError::SchemaNotFound(_)) => Found::Unknown,
            Err(error) => Found::Away(error.to_string()),
        }
    }

    async fn external_schema(&self, external: &External, id: i32) -> Found {
        let registry = external.shown().to_owned();
        let kept = {
            let registry = registry.clone();
            self.on_disk(move |own| own.fetched(&registry, id)).await
        };
        match kept {
            Ok(Some(draft)) => return Found::Schema(Arc::new(Schema { id, draft })),
            Ok(None) => {}
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "schemas kept from the registry are not read");
            }
        }
        match external.ask(id).await {
            Said::Unknown => Found::Unknown,
            Said::Unsupported(what) => Found::Unsupported(what),
            Said::Away(what) => Found::Away(what),
            Said::Schema(draft) => {
                let keep = draft.clone();
                if let Err(error) = self.on_disk(move |own| own.keep_fetched(&registry, id, &keep)).await {
                    warn!(id, error = &error as &dyn std::error::Error, "the registry's schema is not kept on disk");
                }
                Found::Schema(Arc::new(Schema { id, draft }))
            }
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Registry) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let own = self.own.clone();
        let done = tokio::task::spawn_blocking(move || work(&own)).await;
        done.unwrap_or_else(|_| Err(RegistryError::NotPermitted("the program is ending".into())))
    }
}
