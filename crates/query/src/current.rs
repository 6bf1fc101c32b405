//! The state that every question and request of a moment reads: the editions in memory and the tables over them.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::catalogue::Catalogue;
use crate::editions::{EditionMeta, EditionSource, SourceError};

/// An immutable picture of all editions. A new edition makes a new picture; this one stays as it is.
pub struct Current {
    catalogue: Arc<Catalogue>,
    editions: Vec<(EditionMeta, RecordBatch)>,
}

impl Current {
    pub(crate) fn empty(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue, editions: Vec::new() }
    }

    /// This picture and the editions that have appeared since.
    pub(crate) async fn advance(&self, source: &dyn EditionSource) -> Result<Self, SourceError> {
        let mut editions = Vec::new();
        for meta in source.list().await? {
            let batches = source.read(meta.edition).await?;
            let Some(first) = batches.first() else {
                continue;
            };
            let batch = arrow::compute::concat_batches(&first.schema(), &batches)
                .map_err(|e| SourceError::Malformed { edition: meta.edition, what: e.to_string() })?;
            editions.push((meta, batch));
        }
        Ok(Self { catalogue: Arc::clone(&self.catalogue), editions })
    }

    /// The editions, oldest first.
    pub fn editions(&self) -> impl DoubleEndedIterator<Item = &EditionMeta> {
        self.editions.iter().map(|(meta, _)| meta)
    }

    /// The newest edition.
    pub fn latest(&self) -> Option<&EditionMeta> {
        self.editions().next_back()
    }

    /// The edition of that number.
    pub fn edition(&self, number: u32) -> Option<&EditionMeta> {
        self.editions().find(|e| e.edition == number)
    }
}
