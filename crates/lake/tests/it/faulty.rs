//! An object store whose failures a test writes down.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use lake::Store;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use tokio::sync::Semaphore;

/// What the next puts do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// As if nothing were wrong.
    None,
    /// No space left; nothing is put.
    Full,
    /// The place is read only; nothing is put.
    ReadOnly,
    /// The store is away; nothing is put.
    Away,
    /// It is put, but the answer is lost.
    LostAnswer,
    /// It is put, the answer is lost, and the client tries again by itself: it is told what became of the second try.
    Retried,
    /// It waits until the test opens the gate.
    Wait,
    /// It is given up, and arrives when the test or another fault says so.
    Late,
    /// As if nothing were wrong, but what was late arrives just before it.
    Overtaken,
    /// The process dies.
    Die,
}

/// A put that was given up and is still under way.
type UnderWay = (Path, PutPayload, PutOptions);

/// The script of a faulty store, for puts below a path.
#[derive(Debug, Clone)]
pub struct Faults {
    script: Arc<Mutex<VecDeque<Fault>>>,
    below: Arc<Mutex<String>>,
    /// So many reads work, and then none.
    reads: Arc<Mutex<Option<u32>>>,
    gate: Arc<(Semaphore, Semaphore)>,
    late: Arc<Mutex<Option<UnderWay>>>,
}

impl Default for Faults {
    fn default() -> Self {
        let gate = Arc::new((Semaphore::new(0), Semaphore::new(0)));
        let (script, below, reads, late) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        Self { script, below, reads, gate, late }
    }
}

impl Faults {
    /// A store that fails as told.
    pub fn over(&self, store: &Store) -> Store {
        let faulty = Faulty { inner: store.root_objects(), faults: self.clone() };
        Store::from_object_store(store.url().clone(), Arc::new(faulty)).unwrap()
    }

    /// What was late arrives.
    pub async fn arrive(&self, at: &dyn ObjectStore) -> Result<PutResult> {
        let (path, payload, options) = self.late.lock().unwrap().take().expect("something is late");
        at.put_opts(&path, payload, options).await
    }

    /// From now on the next puts of names that contain `name` go as the script says: of an upload in parts its beginning, each
    /// part and its end count.
    pub fn script(&self, name: &str, faults: &[Fault]) {
        name.clone_into(&mut self.below.lock().unwrap());
        *self.script.lock().unwrap() = faults.iter().copied().collect();
    }

    /// From now on so many reads work, and then none; `None`: all.
    pub fn reads(&self, work: Option<u32>) {
        *self.reads.lock().unwrap() = work;
    }

    fn read(&self) -> Result<()> {
        match &mut *self.reads.lock().unwrap() {
            None => Ok(()),
            Some(0) => Err(failed(std::io::ErrorKind::ConnectionReset)),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    /// Waits until a put waits, and gives back control.
    pub async fn someone_waits(&self) {
        self.gate.0.acquire().await.unwrap().forget();
    }

    /// Lets the put that waits go on.
    pub fn open_gate(&self) {
        self.gate.1.add_permits(1);
    }

    async fn wait(&self) {
        self.gate.0.add_permits(1);
        self.gate.1.acquire().await.unwrap().forget();
    }

    fn next(&self, location: &Path) -> Fault {
        if !location.as_ref().contains(self.below.lock().unwrap().as_str()) {
            return Fault::None;
        }
        let fault = self.script.lock().unwrap().pop_front().unwrap_or(Fault::None);
        if fault == Fault::Die {
            std::process::abort();
        }
        fault
    }
}

/// A store that fails as its script says.
#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn ObjectStore>,
    faults: Faults,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn failed(kind: std::io::ErrorKind) -> Error {
    Error::Generic { store: "Faulty", source: Box::new(std::io::Error::from(kind)) }
}

fn error_of(fault: Fault) -> Option<Error> {
    match fault {
        Fault::None | Fault::Wait | Fault::Retried | Fault::Overtaken | Fault::Die => None,
        Fault::Full => Some(failed(std::io::ErrorKind::StorageFull)),
        Fault::ReadOnly => Some(failed(std::io::ErrorKind::ReadOnlyFilesystem)),
        Fault::Away | Fault::LostAnswer | Fault::Late => Some(failed(std::io::ErrorKind::ConnectionReset)),
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fault = self.faults.next(location);
        if fault == Fault::Wait {
            self.faults.wait().await;
        }
        match fault {
            Fault::Retried => drop(self.inner.put_opts(location, payload.clone(), opts.clone()).await?),
            Fault::Late => {
                *self.faults.late.lock().unwrap() = Some((location.clone(), payload.clone(), opts.clone()));
            }
            Fault::Overtaken => drop(self.faults.arrive(&*self.inner).await?),
            _ => {}
        }
        match error_of(fault) {
            None => self.inner.put_opts(location, payload, opts).await,
            Some(error) => {
                if fault == Fault::LostAnswer {
                    self.inner.put_opts(location, payload, opts).await?;
                }
                Err(error)
            }
        }
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        match error_of(self.faults.next(at)) {
            None => {
                let upload = self.inner.put_multipart_opts(at, options).await?;
                Ok(Box::new(Parts { upload, at: at.clone(), faults: self.faults.clone() }))
            }
            Some(error) => Err(error),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.faults.read()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// An upload whose parts and end fail as the script says.
#[derive(Debug)]
struct Parts {
    upload: Box<dyn MultipartUpload>,
    at: Path,
    faults: Faults,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match error_of(self.faults.next(&self.at)) {
            None => self.upload.put_part(data),
            Some(error) => Box::pin(async { Err(error) }),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match error_of(self.faults.next(&self.at)) {
            None => self.upload.complete().await,
            Some(error) => Err(error),
        }
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}
