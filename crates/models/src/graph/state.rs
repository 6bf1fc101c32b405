//! Rows that a model made, for the models that read them: in memory as long as there is room, and else where they are kept.
//!
//! Each bucket of a model gives one part. Parts are written as they are made ([`crate::states`]), so that one for which there is no room
//! is only dropped and read again; what a fold takes of memory does not grow with the country (models.md 6).
//!
//! Absent: what rows mean; how they are dealt to readers (see [`super::bucket`]).

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use futures::FutureExt;
use lake::folder::FolderWriter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ModelsError;
use crate::exchange;
use crate::keys::Keys;
use crate::layers::{self, Packing, Pick};
use crate::runtime::side_by_side;
use crate::states;

/// A table that a model made, or the rows of it that replace earlier ones.
#[derive(Debug)]
pub(crate) struct State {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, a part for each bucket it was made in.
    pub parts: Vec<Part>,
    /// The keys whose rows these are; `None` = of all.
    pub of: Option<Changed>,
}

/// Keys of which a table was made anew.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    /// Their hashes.
    pub keys: Arc<Keys>,
    /// Themselves, some more than once.
    pub values: Vec<ArrayRef>,
}

/// What one bucket of a model made.
#[derive(Debug)]
pub(crate) struct Part {
    /// Rows of it.
    pub rows: usize,
    /// The file in which it is kept.
    file: String,
    /// Itself, where there was room.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    rows: RecordBatch,
    /// Given back with it.
    _room: OwnedSemaphorePermit,
}

/// Memory that the rows of all models may take together.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    /// So many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes >> 10).min(Semaphore::MAX_PERMITS))))
    }

    fn hold(&self, rows: &RecordBatch) -> Option<Held> {
        let kib = u32::try_from(rows.get_array_memory_size().div_ceil(1024)).ok()?;
        let room = Arc::clone(&self.0).try_acquire_many_owned(kib).ok()?;
        Some(Held { rows: rows.clone(), _room: room })
    }
}

impl Part {
    /// Keeps rows as a part, and holds them if there is room.
    pub async fn keep(
        folder: &FolderWriter,
        file: String,
        rows: &RecordBatch,
        hashed: &[String],
        room: &Room,
    ) -> Result<Self, ModelsError> {
        layers::write(folder, &file, &[], &states::with_hashes(rows, hashed)?, Packing::Fast).await?;
        Ok(Self { rows: rows.num_rows(), file, held: room.hold(rows) })
    }
}

impl State {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// These columns of the rows of some of so many buckets by the hash of a column. Rows of others may be among them.
    pub async fn read(
        &self,
        folder: &FolderWriter,
        schema: &SchemaRef,
        by: &str,
        buckets: Range<usize>,
        of: usize,
        parallel: usize,
    ) -> Result<Vec<RecordBatch>, ModelsError> {
        let names: Arc<[String]> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let picks: Vec<Pick> =
            (buckets.len() < of).then(|| Pick::of_buckets(&states::hash_of(by), buckets, of)).into_iter().collect();
        let held = self.parts.iter().filter_map(|part| Some(&part.held.as_ref()?.rows));
        let mut found = held.map(|rows| exchange::project(rows, schema)).collect::<Result<Vec<_>, _>>()?;
        let kept = self.parts.iter().filter(|part| part.held.is_none());
        let tasks = kept.map(|part| {
            let (folder, file, names, picks) = (folder.clone(), part.file.clone(), Arc::clone(&names), picks.clone());
            async move { layers::read_written(&folder, &file, &names, &picks).await }.boxed()
        });
        for rows in side_by_side(tasks.collect(), parallel).await?.into_iter().flatten() {
            found.push(rows.with_schema(Arc::clone(schema))?);
        }
        Ok(found)
    }

    /// The values of a column of all rows.
    pub async fn column(
        &self,
        folder: &FolderWriter,
        name: &str,
        parallel: usize,
    ) -> Result<Vec<ArrayRef>, ModelsError> {
        let schema = Arc::new(self.schema.project(&[self.schema.index_of(name)?])?);
        let rows = self.read(folder, &schema, name, 0..1, 1, parallel).await?;
        Ok(rows.iter().map(|rows| Arc::clone(rows.column(0))).collect())
    }
}
