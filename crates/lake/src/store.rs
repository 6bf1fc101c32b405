//! Where the lake is kept: a directory with synced files ([`Store::local`]), a bucket ([`crate::S3`]), or any `object_store`
//! with conditional put.
//!
//! Absent: where credentials come from. The program reads them and hands them over.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use deltalake::DeltaTableBuilder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use url::Url;
use uuid::Uuid;

use crate::fsync::{FsyncStore, create_private_dir};
use crate::{LakeError, Result};

/// A place that holds one lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    url: Url,
    root: Arc<dyn ObjectStore>,
    here: Arc<PrefixStore<Arc<dyn ObjectStore>>>,
    dir: Option<PathBuf>,
    scratch: Option<PathBuf>,
}

/// Folder of probes.
const PROBES: &str = "lake/_probe";

impl Store {
    /// The store in a local directory, which is created when missing. Every write is synced to disk before it is
    /// acknowledged (ingestion.md 2.3).
    ///
    /// # Errors
    /// `ReadOnly`, `Full` or `Io` when the directory cannot be made or found.
    pub fn local(dir: impl AsRef<FsPath>) -> Result<Self> {
        let dir = dir.as_ref();
        create_private_dir(dir)?;
        let dir = dir.canonicalize().map_err(|e| LakeError::io("find", dir, e))?;
        let url = Url::from_directory_path(&dir).map_err(|()| LakeError::BadPlace(dir.display().to_string()))?;
        let mut store = Self::from_object_store(url, Arc::new(FsyncStore::new()))?;
        store.dir = Some(dir);
        Ok(store)
    }

    /// The store at `url` in `root`, an object store rooted at the URL's scheme and host (a bucket, the file system).
    /// The object store must support `PutMode::Create` ([`Store::check_conditional_put`] finds out).
    ///
    /// # Errors
    /// `BadPlace` when the URL's path is not one of an object store.
    pub fn from_object_store(mut url: Url, root: Arc<dyn ObjectStore>) -> Result<Self> {
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let prefix = Path::from_url_path(url.path()).map_err(|e| LakeError::BadPlace(e.to_string()))?;
        let here = Arc::new(PrefixStore::new(Arc::clone(&root), prefix));
        Ok(Self { url, root, here, dir: None, scratch: None })
    }

    /// The same with a private local folder for what does not fit into memory; a store in a directory has its own.
    #[must_use]
    pub fn with_scratch(mut self, folder: &FsPath) -> Self {
        self.scratch = Some(folder.to_path_buf());
        self
    }

    /// Finds out whether the store keeps the promise on which every commit rests: of two puts that may only create an object
    /// the second is refused (ingestion.md 3.4, step 0). Without it two writers would overwrite each other's commits. `id` is
    /// new at each call and names the object, which is deleted again.
    ///
    /// # Errors
    /// `NoConditionalPut`; `BadPlace` without such a bucket, `Denied` and other storage errors when it cannot be asked.
    pub async fn check_conditional_put(&self, id: Uuid) -> Result<()> {
        let (probe, objects) = (Path::from(format!("{PROBES}/{id}")), self.objects());
        let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let lacks = |why: &str| Err(LakeError::NoConditionalPut { place: self.url.to_string(), why: why.into() });
        // The answer to the first may be lost and the put repeated by the client: it is there either way.
        let first = objects.put_opts(&probe, "probe".into(), create()).await;
        let second = match first {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {
                objects.put_opts(&probe, "probe again".into(), create()).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = objects.delete(&probe).await {
            tracing::debug!(%error, "a probe stays");
        }
        match second {
            Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Ok(_) => lacks("it overwrote an object that was to be created only"),
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {
                lacks("it does not know such a request")
            }
            Err(object_store::Error::NotFound { .. }) => {
                Err(LakeError::BadPlace(format!("there is no such bucket ({})", self.url)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Objects of this store, by paths relative to it.
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.here) as Arc<dyn ObjectStore>
    }

    /// Objects by paths relative to the URL's scheme and host: what a query engine registers for [`Store::url`].
    pub fn root_objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.root)
    }

    /// URL of the store; ends with a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// URL of an object of this store.
    ///
    /// # Errors
    /// `BadPlace` when the name cannot be part of a URL.
    pub fn url_of(&self, path: &str) -> Result<Url> {
        self.url.join(path).map_err(|e| LakeError::BadPlace(e.to_string()))
    }

    /// The local directory, when it is one.
    pub fn dir(&self) -> Option<&FsPath> {
        self.dir.as_deref()
    }

    /// A local folder for unnamed files that hold rows for a while: its owner's alone where the store has one.
    pub fn scratch(&self) -> PathBuf {
        self.scratch.clone().or_else(|| self.dir.clone()).unwrap_or_else(std::env::temp_dir)
    }

    /// A builder for the Delta table at `path`.
    pub(crate) fn table(&self, path: &str) -> Result<DeltaTableBuilder> {
        let url = self.url_of(path)?;
        Ok(DeltaTableBuilder::from_url(url.clone())?.with_storage_backend(self.root_objects(), url))
    }
}
