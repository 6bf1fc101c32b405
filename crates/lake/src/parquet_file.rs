//! A Parquet file in an object store, for reading: chosen columns, then batches.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::{LakeError, Result};

/// Batches as they are decoded.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// Rows of a decoded batch.
const BATCH_ROWS: usize = 8192;

/// A file to be read, its footer known.
pub(crate) type Opened = ParquetRecordBatchStreamBuilder<ObjectFile>;

/// Opens a file; `bytes` saves a look at its length.
pub(crate) async fn open(objects: Arc<dyn ObjectStore>, path: &str, bytes: Option<u64>) -> Result<Opened> {
    let path = Path::from(path);
    let size = match bytes {
        Some(bytes) => bytes,
        None => objects.head(&path).await?.size,
    };
    // Where pages begin and what they hold, so that filtered reads skip pages.
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let file = ObjectFile { objects, path, size };
    Ok(Opened::new_with_options(file, options).await?.with_batch_size(BATCH_ROWS))
}

/// The columns of the file that `wanted` names, in the file's order.
pub(crate) fn rows(file: Opened, wanted: &Schema) -> Result<BatchStream> {
    let columns = columns(&file, |name| wanted.field_with_name(name).is_ok());
    Ok(file.with_projection(columns).build()?.map_err(LakeError::from).boxed())
}

/// Columns of a file by name; nested ones are whole.
pub(crate) fn columns(file: &Opened, wanted: impl Fn(&str) -> bool) -> ProjectionMask {
    let fields = file.parquet_schema().root_schema().get_fields();
    let roots = fields.iter().enumerate().filter(|(_, f)| wanted(f.name())).map(|(n, _)| n);
    ProjectionMask::roots(file.parquet_schema(), roots)
}

/// One object as Parquet's reader wants it.
#[derive(Debug, Clone)]
pub(crate) struct ObjectFile {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

fn external(e: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(e))
}

impl AsyncFileReader for ObjectFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.objects.get_range(&self.path, range).map_err(external).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { self.objects.get_ranges(&self.path, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            Ok(Arc::new(reader.load_and_finish(&mut *self, size).await?))
        }
        .boxed()
    }
}
