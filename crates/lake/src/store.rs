//! Where the lake is kept: a directory with synced files, or any `object_store` with conditional put.
//!
//! Absent: credentials and service discovery. The program builds the object store (S3 and others) and hands it over.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use deltalake::DeltaTableBuilder;
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::fsync::{FsyncStore, create_private_dir};
use crate::{LakeError, Result};

/// A place that holds one lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    url: Url,
    root: Arc<dyn ObjectStore>,
    here: Arc<PrefixStore<Arc<dyn ObjectStore>>>,
    dir: Option<PathBuf>,
}

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
    /// The object store must support `PutMode::Create`; without it two writers would overwrite each other's commits.
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
        Ok(Self { url, root, here, dir: None })
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

    /// A builder for the Delta table at `path`.
    pub(crate) fn table(&self, path: &str) -> Result<DeltaTableBuilder> {
        let url = self.url_of(path)?;
        Ok(DeltaTableBuilder::from_url(url.clone())?.with_storage_backend(self.root_objects(), url))
    }
}
