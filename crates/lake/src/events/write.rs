//! Rows to files: encodes batches of a lane and a date into Parquet and uploads them. Nothing is visible before the
//! commit; files of a batch that never commits are orphans.

use std::num::NonZeroU64;

use arrow::record_batch::RecordBatch;
use buoyant_kernel::expressions::Scalar;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::Add;
use deltalake::table::config::TablePropertiesExt;
use indexmap::IndexMap;
use parquet::file::properties::WriterProperties;

use super::schema::{self, PARTITION_COLUMNS, STATS_COLUMNS};
use super::{Events, Lane};
use crate::{Result, failpoint};

/// Files grow to this many bytes before another one begins.
pub(crate) const FILE_BYTES: u64 = 256 << 20;

/// Rows of one lane and one date, in order of (`log_stream`, `log_partition`, `log_offset`).
#[derive(Debug, Clone)]
pub struct LaneBatch {
    /// Where the rows go.
    pub lane: Lane,
    /// `ingest_date`: days since 1970 in Asia/Karachi.
    pub ingest_date: i32,
    /// Columns of [`super::file_schema`].
    pub rows: RecordBatch,
}

/// Files written and not yet committed.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// What the commit will add.
    pub adds: Vec<Add>,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Version of the table before them: where a search for their commit begins.
    pub base_version: u64,
}

/// Writes the files of one batch. Encoding happens on the calling task, so call it from a thread that may compute.
pub struct LaneWriter {
    inner: DeltaWriter,
    rows: u64,
    base_version: u64,
}

impl Events {
    /// A writer for the files of one batch.
    pub fn writer(&self) -> Result<LaneWriter> {
        let inner = self.files(schema::writer_properties())?;
        Ok(LaneWriter { inner, rows: 0, base_version: self.lake_version() })
    }

    /// delta-rs's writer of this table's files.
    pub(crate) fn files(&self, properties: WriterProperties) -> Result<DeltaWriter> {
        let columns = self.table.snapshot()?.table_config().num_indexed_cols();
        let config = WriterConfig::new(
            schema::schema(),
            PARTITION_COLUMNS.map(String::from).to_vec(),
            Some(properties),
            NonZeroU64::new(FILE_BYTES),
            Some(8192),
            columns,
            Some(STATS_COLUMNS.map(String::from).to_vec()),
        );
        Ok(DeltaWriter::new(self.log().object_store(None), config))
    }

    /// Writes the files of one batch at once.
    ///
    /// # Errors
    /// `Full`, `ReadOnly`, `Object` from the store; nothing is visible then.
    pub async fn write(&self, batches: Vec<LaneBatch>) -> Result<Written> {
        let mut writer = self.writer()?;
        for batch in batches {
            if let Err(e) = writer.write(batch).await {
                writer.abort().await;
                return Err(e);
            }
        }
        writer.close().await
    }
}

impl LaneWriter {
    /// Encodes rows; may begin to upload.
    pub async fn write(&mut self, batch: LaneBatch) -> Result<()> {
        if batch.rows.num_rows() == 0 {
            return Ok(());
        }
        let mut place = IndexMap::new();
        place.insert(PARTITION_COLUMNS[0].to_owned(), Scalar::String(batch.lane.name().to_owned()));
        place.insert(PARTITION_COLUMNS[1].to_owned(), Scalar::Date(batch.ingest_date));
        self.rows += batch.rows.num_rows() as u64;
        self.inner.write_partition(batch.rows, &place).await?;
        Ok(())
    }

    /// Finishes the files. They are durable but invisible afterwards.
    pub async fn close(self) -> Result<Written> {
        failpoint("before_upload")?;
        let adds = self.inner.close().await?;
        let bytes = adds.iter().map(|add| add.size as u64).sum();
        Ok(Written { adds, rows: self.rows, bytes, base_version: self.base_version })
    }

    /// Gives the batch up: partitions were revoked, or a write failed. Files already finished stay as orphans.
    pub async fn abort(self) {
        if let Err(error) = self.inner.abort().await {
            tracing::warn!(%error, "an upload could not be ended; its parts are left to the store's own clean-up");
        }
    }
}

impl std::fmt::Debug for LaneWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaneWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}
