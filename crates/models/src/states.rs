//! States that runs made, kept for later runs over some records alone: the rows of what has not changed.
//!
//! A table's file has, beside its columns, the hashes of its key and of each column by which a model reads it, so that rows are found
//! without their texts. A run over some records adds a layer: the rows of the keys that changed.
//!
//! States name persons by their surrogates, as staged rows do; marts do not. Absent: what rows mean.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use lake::Store;
use lake::folder::{Folder, FolderWriter};

use crate::error::ModelsError;
use crate::keys::{self, Keys};
use crate::layers::{self, Kept, Layers, Packing, Pick};
use crate::model::Model;

/// Where they lie in the store.
pub(crate) const STATES: &str = "lake/states";

/// What earlier runs made, and the records that changed since.
pub(crate) struct States {
    layers: Layers,
    /// The key column of each table.
    key: std::collections::BTreeMap<String, String>,
    records: Arc<Keys>,
    parallel: usize,
}

impl States {
    /// The states of which `tip` is the highest layer.
    ///
    /// # Errors
    /// Storage errors, a layer that is missing.
    pub async fn open(
        store: &Store,
        tip: Folder,
        models: &[Model],
        records: Keys,
        parallel: usize,
    ) -> Result<Self, ModelsError> {
        let key =
            models.iter().filter_map(|model| Some((model.table.clone(), hash_of(model.key.as_deref()?)))).collect();
        let layers = Layers::below(store, STATES, tip).await?;
        Ok(Self { layers, key, records: Arc::new(records), parallel })
    }

    /// The records that changed since.
    pub fn records(&self) -> Arc<Keys> {
        Arc::clone(&self.records)
    }

    /// Values of `column` in the rows of a table that are replaced.
    pub async fn keys(&self, table: &str, column: &str, replaced: &Arc<Keys>) -> Result<Vec<ArrayRef>, ModelsError> {
        if replaced.is_empty() {
            return Ok(Vec::new());
        }
        let kept = self.kept(table)?;
        let rows = self.layers.rows(kept, Some(&[column]), &[Pick::within(kept.key, replaced)], self.parallel).await?;
        Ok(rows.iter().map(|rows| Arc::clone(rows.column(0))).collect())
    }

    /// Rows of a table that are not replaced and have one of these keys in a column.
    pub async fn rows(
        &self,
        table: &str,
        schema: &SchemaRef,
        column: &str,
        keys: &Arc<Keys>,
        replaced: &Arc<Keys>,
    ) -> Result<Vec<RecordBatch>, ModelsError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let kept = self.kept(table)?;
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let picks = [Pick::within(&hash_of(column), keys), Pick::without(kept.key, replaced)];
        let rows = self.layers.rows(kept, Some(&names), &picks, self.parallel).await?;
        rows.into_iter().map(|rows| Ok(rows.with_schema(Arc::clone(schema))?)).collect()
    }

    /// All rows of a table that count, with these columns in this order.
    ///
    /// # Errors
    /// Storage errors; there is no such table.
    pub async fn all(&self, table: &str, columns: &[&str]) -> Result<Vec<RecordBatch>, ModelsError> {
        let rows = self.layers.rows(self.kept(table)?, Some(columns), &[], self.parallel).await?;
        let in_order = |rows: RecordBatch| {
            let at = columns.iter().map(|name| rows.schema().index_of(name)).collect::<Result<Vec<_>, _>>()?;
            Ok(rows.project(&at)?)
        };
        rows.into_iter().map(in_order).collect()
    }

    fn kept<'a>(&'a self, table: &'a str) -> Result<Kept<'a>, ModelsError> {
        let key = self.key.get(table).ok_or_else(|| ModelsError::NoTable(table.to_owned()))?;
        Ok(Kept { table, key, replaces: table })
    }

    /// Writes all rows that count as one layer.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn lay_together(&self, folder: &FolderWriter) -> Result<(), ModelsError> {
        for table in self.key.keys() {
            let parts = self.layers.rows(self.kept(table)?, None, &[], self.parallel).await?;
            for (part, chunk) in parts.chunks(CHUNK).enumerate() {
                let rows = concat_batches(&chunk[0].schema(), chunk)?;
                layers::write(folder, &layers::file_name(table, part), &[], &rows, Packing::Fast).await?;
            }
        }
        Ok(())
    }
}

/// Batches of a file of states that were laid together.
const CHUNK: usize = 8;

/// Name of the column of hashes of another.
pub(crate) fn hash_of(column: &str) -> String {
    format!("hash({column})")
}

/// The columns of a model's table that are hashed: its key, and those by which models read it.
pub(crate) fn hashed(model: &Model, models: &[Model]) -> Vec<String> {
    let readers = models.iter().flat_map(|reader| &reader.reads).filter(|read| read.table == model.table);
    let columns: BTreeSet<&String> = readers.filter_map(|read| read.by.as_ref()).chain(&model.key).collect();
    columns.into_iter().cloned().collect()
}

/// Rows with the hashes of some of their columns.
pub(crate) fn with_hashes(rows: &RecordBatch, hashed: &[impl AsRef<str>]) -> Result<RecordBatch, ModelsError> {
    let mut fields: Vec<Arc<Field>> = rows.schema().fields().iter().cloned().collect();
    let mut columns = rows.columns().to_vec();
    for column in hashed.iter().map(AsRef::as_ref) {
        fields.push(Arc::new(Field::new(hash_of(column), DataType::UInt64, true)));
        columns.push(Arc::new(keys::hashes(rows.column(rows.schema().index_of(column)?))?));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
