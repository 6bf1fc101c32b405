//! A lake in a bucket, as the data directory opens it: looked at once at the start, before any role works on it.

use std::path::PathBuf;

use lake::{LakeError, S3, Store, StoreIdentity, StoreKind};

use crate::config::Config;
use crate::exit::Failure;

/// The bucket of a configuration.
pub struct Bucket {
    place: S3,
    /// The data directory: what does not fit into memory lies there for a while.
    scratch: PathBuf,
}

impl Bucket {
    /// `None` where the lake is in the data directory.
    pub fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        let place = config.lake.place()?;
        Ok(place.map(|place| Self { place, scratch: config.data.clone() }))
    }

    /// Its URL, as `store.toml` names it.
    pub fn url(&self) -> &str {
        self.place.url.as_str()
    }

    /// The store in it.
    pub fn store(&self) -> anyhow::Result<Store> {
        self.place.store(&self.scratch).map_err(|error| self.unusable(&error).into())
    }

    /// Which store is in it, if there is one.
    pub fn identity(&self) -> anyhow::Result<Option<StoreIdentity>> {
        self.look(async |store| StoreIdentity::read_in(&store).await)
    }

    /// Refuses a bucket without conditional put, and makes it ours or finds that it is.
    pub fn settle(&self, fingerprint: &str, kind: StoreKind) -> anyhow::Result<()> {
        self.look(async |store| {
            store.check_conditional_put(uuid::Uuid::new_v4()).await?;
            StoreIdentity::open_or_create_in(&store, fingerprint, kind).await.map(drop)
        })
    }

    /// Refuses a bucket that holds another store than the directory says.
    pub fn agrees(&self, with: &StoreIdentity) -> anyhow::Result<()> {
        self.look(async |store| {
            let found = StoreIdentity::read_in(&store).await?.ok_or(LakeError::NoStore)?;
            found.check(&with.key_fingerprint, with.kind)
        })
    }

    fn look<T>(&self, work: impl AsyncFnOnce(Store) -> lake::Result<T>) -> anyhow::Result<T> {
        let store = self.store()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work(store)).map_err(|error| self.unusable(&error).into())
    }

    fn unusable(&self, error: &LakeError) -> Failure {
        let place = self.url();
        match error {
            LakeError::Object(cause) => {
                Failure::Unavailable(format!("the lake {place} does not answer: {cause}. Check lake.endpoint."))
            }
            _ => Failure::DataDirectory(format!("the lake {place} cannot be used: {error}")),
        }
    }
}
