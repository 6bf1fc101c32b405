//! Editions in memory, as `query`'s own reader and picture of them have them, without tables over them.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::catalogue::Catalogue;
use crate::editions::{EditionMeta, EditionSource, SourceError};

/// Nothing can be set here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings;

/// Holds the editions that there were when it was made.
#[derive(Clone)]
pub struct Reader {
    current: Arc<Current>,
}

impl Reader {
    pub async fn open(
        source: Arc<dyn EditionSource>,
        catalogue: Catalogue,
        _: Settings,
    ) -> Result<Self, SourceError> {
        let mut editions = Vec::new();
        for meta in source.list().await? {
            let batches = source.read(meta.edition).await?;
            let Some(first) = batches.first() else { continue };
            let batch = arrow::compute::concat_batches(&first.schema(), &batches)
                .map_err(|e| SourceError::Malformed { edition: meta.edition, what: e.to_string() })?;
            editions.push((meta, batch));
        }
        Ok(Self { current: Arc::new(Current { catalogue, editions }) })
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.current.catalogue
    }
}

/// The editions.
pub struct Current {
    catalogue: Catalogue,
    editions: Vec<(EditionMeta, RecordBatch)>,
}

impl Current {
    pub fn editions(&self) -> impl DoubleEndedIterator<Item = &EditionMeta> {
        self.editions.iter().map(|(meta, _)| meta)
    }

    pub fn latest(&self) -> Option<&EditionMeta> {
        self.editions().next_back()
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn rows_of(&self, number: u32) -> Option<(&EditionMeta, &RecordBatch)> {
        self.editions.iter().find(|(meta, _)| meta.edition == number).map(|(meta, batch)| (meta, batch))
    }
}
