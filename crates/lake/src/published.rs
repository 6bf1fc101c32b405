//! Editions: the table `published.indicator_values` and its manifests; and reference tables. What readers may open.
//!
//! One edition is one commit, numbered by the transaction `edition/v1`, so that of two publishers of a number one
//! loses. The manifest travels in the commit and is written to `editions/<n>.json` after it: an edition is visible
//! when both are there. A publisher killed in between is completed by the next one ([`Published::open_or_create`]).
//!
//! Dimensions are added to, never taken away: a program that publishes more of them gives the table the new columns by one
//! commit of metadata. The files of old editions stay as they are, and so does the hash of their rows, which is over the columns
//! that the edition had. Every edition's columns lie as in [`schema`], whatever the order in which the table came by them.
//!
//! Absent: what the numbers mean, and any change: the table is append-only and old editions stay readable.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use deltalake::DeltaTable;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::transaction::{CommitBuilder, TableReference};
use deltalake::kernel::{Action, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::config::TablePropertiesExt;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::events::entry::read_commit;
use crate::events::{quiet, to_delta};
use crate::{LakeError, Result, Store, folder, parquet_file};

const PATH: &str = "lake/published/indicator_values/";
const EDITIONS: &str = "lake/published/editions";
const REFERENCE: &str = "lake/reference";
const APP_ID: &str = "edition/v1";
/// Name of a reference table's only file.
const REFERENCE_FILE: &str = "rows.parquet";

/// Attempts of a commit before its error is given back.
const ATTEMPTS: u32 = 5;

/// Columns before the dimensions.
const BEFORE: [&str; 4] = ["edition", "indicator", "measure", "time_period"];

/// Columns of `published.indicator_values` for the dimensions given, in this order: `edition`, `indicator`, `measure`,
/// `time_period`, the dimensions, `value`, `lo95`, `hi95`, `obs_status`, `conf_status`, `unit`, `as_of`.
pub fn schema(dimensions: &[&str]) -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str| Field::new(name, DataType::Decimal128(38, 6), true);
    let mut fields = vec![Field::new(BEFORE[0], DataType::Int64, false)];
    fields.extend(BEFORE[1..].iter().map(|name| text(name, false)));
    fields.extend(dimensions.iter().map(|name| text(name, true)));
    fields.extend(["value", "lo95", "hi95"].map(number));
    fields.extend(["obs_status", "conf_status", "unit"].map(|name| text(name, true)));
    fields.push(Field::new("as_of", DataType::Date32, false));
    Arc::new(Schema::new(fields))
}

/// The published tables. Readers and the publisher open it alike; only the publisher appends.
#[derive(Debug, Clone)]
pub struct Published {
    store: Store,
    table: Option<DeltaTable>,
    schema: Option<SchemaRef>,
    /// Columns of the editions that are published here; none where it is opened for reading.
    columns: Option<SchemaRef>,
}

/// An edition's number and what its publisher said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct EditionInfo {
    /// Number, from 1, without gaps.
    pub edition: i64,
    /// Version of the table that holds it.
    pub lake_version: u64,
    /// BLAKE3 of the canonical form of its rows ([`crate::canonical`]), hexadecimal.
    pub rows_blake3: String,
    /// Rows it has.
    pub rows: u64,
    /// The publisher's manifest.
    pub manifest: Value,
}

/// The file `editions/<n>.json`.
#[derive(Deserialize, serde::Serialize)]
struct OnDisk {
    edition: i64,
    lake_version: u64,
    rows: u64,
    rows_blake3: String,
    manifest: Value,
}

impl Published {
    /// Opens for reading. A store without editions is an empty one.
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone(), table: None, schema: None, columns: None }
    }

    /// Opens for publishing, with the dimensions editions will have; creates the table when missing, gives it the dimensions that
    /// it does not have yet, and completes an edition whose publisher was killed before its manifest was written.
    ///
    /// # Errors
    /// `Schema` when the table has dimensions that are not among these: a newer program has published there.
    pub async fn open_or_create(store: &Store, dimensions: &[&str]) -> Result<Self> {
        let wanted = schema(dimensions);
        let mut published = Self { columns: Some(Arc::clone(&wanted)), ..Self::open(store) };
        if published.load().await?.is_none() {
            let builder = CreateBuilder::new()
                .with_log_store(store.table(PATH)?.build_storage()?)
                .with_table_name("indicator_values")
                .with_columns(to_delta(&wanted)?)
                .with_save_mode(SaveMode::Ignore)
                .with_configuration(properties())
                .with_commit_properties(quiet());
            if let Err(error) = builder.await {
                tracing::debug!(%error, "creating the table; another process may have");
            }
            published.load().await?.ok_or(LakeError::NoTable("published.indicator_values"))?;
        }
        published.widen(&wanted).await?;
        published.complete().await?;
        Ok(published)
    }

    /// Gives the table the dimensions that it does not have yet. Another publisher may do the same at the same time.
    async fn widen(&mut self, wanted: &SchemaRef) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let missing = missing(self.schema.as_deref().unwrap_or(&Schema::empty()), wanted)?;
            if missing.is_empty() {
                return Ok(());
            }
            let table = self.table.clone().ok_or(LakeError::NoTable("published.indicator_values"))?;
            let fields = to_delta(&Schema::new(missing))?;
            if let Err(error) = table.add_columns().with_fields(fields).with_commit_properties(quiet()).await {
                tracing::debug!(%error, "adding dimensions to the table; another process may have");
            }
            self.table = None;
            self.load().await?;
        }
        Err(LakeError::Schema("the published table could not be given its new dimensions".into()))
    }

    /// Loads or updates the table; `None` when there is none yet.
    async fn load(&mut self) -> Result<Option<&DeltaTable>> {
        if let Some(table) = &mut self.table {
            table.update_state().await?;
        } else {
            let mut table = self.store.table(PATH)?.build()?;
            if !table.verify_deltatable_existence().await? {
                return Ok(None);
            }
            table.load().await?;
            self.table = Some(table);
        }
        let table = self.table.as_ref().expect("set on both ways above");
        self.schema = Some(table.snapshot()?.snapshot().arrow_schema());
        Ok(Some(table))
    }

    /// Columns of the table, when there is one.
    pub async fn table_schema(&mut self) -> Result<Option<SchemaRef>> {
        self.load().await?;
        Ok(self.schema.clone())
    }

    /// The latest visible edition; a cheap look (one listing), made for polling.
    pub async fn latest(&self) -> Result<Option<i64>> {
        Ok(self.numbers().await?.last().copied())
    }

    /// Numbers of the visible editions, ascending.
    pub async fn numbers(&self) -> Result<Vec<i64>> {
        let objects = self.store.objects();
        let names: Vec<_> = match objects.list(Some(&Path::from(EDITIONS))).try_collect::<Vec<_>>().await {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            other => other?,
        };
        let number = |name: &str| name.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<_> = names.iter().filter_map(|m| number(m.location.filename()?)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// All visible editions, ascending.
    pub async fn editions(&self) -> Result<Vec<EditionInfo>> {
        let mut found = Vec::new();
        for edition in self.numbers().await? {
            found.push(self.edition(edition).await?);
        }
        Ok(found)
    }

    /// One visible edition.
    ///
    /// # Errors
    /// `NoEdition`.
    pub async fn edition(&self, edition: i64) -> Result<EditionInfo> {
        let path = Path::from(format!("{EDITIONS}/{edition}.json"));
        let bytes = match self.store.objects().get(&path).await {
            Err(object_store::Error::NotFound { .. }) => return Err(LakeError::NoEdition(edition)),
            other => other?.bytes().await?,
        };
        let d: OnDisk = serde_json::from_slice(&bytes).map_err(|e| LakeError::json(path.to_string(), e))?;
        let OnDisk { edition, lake_version, rows, rows_blake3, manifest } = d;
        Ok(EditionInfo { edition, lake_version, rows_blake3, rows, manifest })
    }

    /// The rows of a visible edition, in the order and with the columns in which they were published: over these its hash is.
    ///
    /// # Errors
    /// `NoEdition`, `HistoryGone` never (the table's log is kept whole).
    pub async fn read(&mut self, edition: i64) -> Result<Vec<RecordBatch>> {
        let info = self.edition(edition).await?;
        let table = self.load().await?.ok_or(LakeError::NoEdition(edition))?;
        let (log, objects) = (table.log_store(), table.object_store());
        let commit = read_commit(&log, info.lake_version).await?.ok_or(LakeError::NoEdition(edition))?;
        let wanted = self.schema.clone().expect("load sets it with the table");
        let mut batches = Vec::new();
        for add in commit.adds {
            let builder = parquet_file::open(Arc::clone(&objects), &add.path, Some(add.size as u64)).await?;
            batches.extend(parquet_file::rows(builder, &wanted)?.try_collect::<Vec<_>>().await?);
        }
        Ok(batches)
    }

    /// Publishes edition `edition`, which must be the latest plus one. `id` is new at each call.
    ///
    /// # Errors
    /// `EditionTaken` when another publisher was first or numbers would be skipped; `Schema`; `Unresolved` when the
    /// store kept failing: open anew, which completes the edition if it landed, and look.
    pub async fn append_edition(
        &mut self,
        edition: i64,
        id: Uuid,
        rows: &[RecordBatch],
        manifest: Value,
    ) -> Result<EditionInfo> {
        self.load().await?.ok_or(LakeError::NoTable("published.indicator_values"))?;
        self.check_next(edition).await?;
        let of_table = || self.schema.clone().expect("load sets it with the table");
        let wanted = self.columns.clone().unwrap_or_else(of_table);
        let rows_blake3 = crate::canonical::hash(&wanted, rows)?.to_hex().to_string();
        let adds = self.upload(&wanted, rows).await?;
        let count = rows.iter().map(|b| b.num_rows() as u64).sum();
        let info = HashMap::from([
            ("batch_id".to_owned(), Value::String(id.to_string())),
            ("edition".to_owned(), Value::from(edition)),
            ("rows".to_owned(), Value::from(count)),
            ("rows_blake3".to_owned(), Value::String(rows_blake3.clone())),
            ("manifest".to_owned(), manifest.clone()),
        ]);
        let lake_version = self.commit(edition, id, adds, info).await?;
        let info = EditionInfo { edition, lake_version, rows_blake3, rows: count, manifest };
        self.show(&info).await?;
        Ok(info)
    }

    /// The number in the version loaded; 0 when none.
    async fn latest_committed(&self) -> Result<i64> {
        let table = self.table.as_ref().ok_or(LakeError::NoTable("published.indicator_values"))?;
        Ok(table.snapshot()?.transaction_version(&*table.log_store(), APP_ID).await?.unwrap_or(0))
    }

    async fn check_next(&self, asked: i64) -> Result<()> {
        let latest = self.latest_committed().await?;
        if asked == latest + 1 { Ok(()) } else { Err(LakeError::EditionTaken { asked, latest }) }
    }

    async fn upload(&self, schema: &SchemaRef, rows: &[RecordBatch]) -> Result<Vec<Action>> {
        let table = self.table.as_ref().ok_or(LakeError::NoTable("published.indicator_values"))?;
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3).expect("3 is a level of zstd"));
        let properties = WriterProperties::builder().set_compression(zstd).build();
        let columns = table.snapshot()?.table_config().num_indexed_cols();
        let stats = BEFORE.map(String::from).to_vec();
        let config =
            WriterConfig::new(Arc::clone(schema), Vec::new(), Some(properties), None, Some(8192), columns, Some(stats));
        let mut writer = DeltaWriter::new(table.object_store(), config);
        for batch in rows {
            // Same names and types; nullability may be stricter in the caller's.
            let batch = RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec())
                .map_err(|e| LakeError::Schema(e.to_string()))?;
            writer.write(&batch).await?;
        }
        Ok(writer.close().await?.into_iter().map(Action::Add).collect())
    }

    /// As for `events`, an error is ambiguous: look again before trying again.
    async fn commit(&mut self, edition: i64, id: Uuid, adds: Vec<Action>, info: HashMap<String, Value>) -> Result<u64> {
        let mut attempts = 0;
        loop {
            let table = self.table.as_ref().ok_or(LakeError::NoTable("published.indicator_values"))?;
            let (log, state) = (table.log_store(), table.snapshot()?);
            let properties =
                quiet().with_application_transaction(Transaction::new(APP_ID, edition)).with_metadata(info.clone());
            let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
            let done = CommitBuilder::from(properties)
                .with_actions(adds.clone())
                .build(Some(state as &dyn TableReference), log, operation)
                .await;
            let error = match done {
                Ok(done) => return Ok(done.version()),
                Err(e) => LakeError::from(e),
            };
            attempts += 1;
            if attempts >= ATTEMPTS {
                return Err(LakeError::Unresolved { attempts, source: Box::new(error) });
            }
            self.table = None;
            self.load().await?;
            if let Some(version) = self.version_of(edition, Some(id)).await? {
                return Ok(version);
            }
            self.check_next(edition).await?;
        }
    }

    /// The version whose commit holds an edition, if it is there and by this publisher.
    async fn version_of(&self, edition: i64, id: Option<Uuid>) -> Result<Option<u64>> {
        let table = self.table.as_ref().ok_or(LakeError::NoTable("published.indicator_values"))?;
        let (log, id) = (table.log_store(), id.map(|id| id.to_string()));
        for version in (1..=table.snapshot()?.version()).rev() {
            let Some(commit) = read_commit(&log, version).await? else {
                break;
            };
            if commit.txns.iter().any(|(app, n)| app == APP_ID && *n == edition) {
                let ours = id.is_none() || commit.batch_id == id;
                return Ok(ours.then_some(version));
            }
        }
        Ok(None)
    }

    /// Writes the manifest. It may be there already, completed by another process from the same commit.
    async fn show(&self, info: &EditionInfo) -> Result<()> {
        let EditionInfo { edition, lake_version, rows_blake3, rows, manifest } = info.clone();
        let file = OnDisk { edition, lake_version, rows, rows_blake3, manifest };
        let path = Path::from(format!("{EDITIONS}/{edition}.json"));
        let json = serde_json::to_vec_pretty(&file).map_err(|e| LakeError::json(path.to_string(), e))?;
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.objects().put_opts(&path, json.into(), create).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes the manifest of a committed edition that lacks it, from the commit.
    async fn complete(&mut self) -> Result<()> {
        let committed = self.latest_committed().await?;
        if committed == 0 || self.numbers().await?.last() == Some(&committed) {
            return Ok(());
        }
        let table = self.table.as_ref().ok_or(LakeError::NoTable("published.indicator_values"))?;
        let log = table.log_store();
        let gone = |lake_version| LakeError::HistoryGone { lake_version };
        let lake_version = self.version_of(committed, None).await?.ok_or(gone(0))?;
        let mut info = read_commit(&log, lake_version).await?.ok_or(gone(lake_version))?.info;
        tracing::info!(edition = committed, "completing an edition whose publisher stopped before its manifest");
        self.show(&EditionInfo {
            edition: committed,
            lake_version,
            rows: info.get("rows").and_then(Value::as_u64).unwrap_or(0),
            rows_blake3: info.get("rows_blake3").and_then(Value::as_str).unwrap_or_default().to_owned(),
            manifest: info.remove("manifest").unwrap_or_default(),
        })
        .await
    }

    /// Writes a reference table (code lists, populations) as a new folder; readers then see it as the latest. `name`
    /// is the table's, `version` sorts after earlier ones.
    pub async fn write_reference(
        store: &Store,
        name: &str,
        version: &str,
        rows: &RecordBatch,
        metadata: Value,
    ) -> Result<()> {
        let writer = folder::create(store, &format!("{REFERENCE}/{name}"), version).await?;
        writer.write(REFERENCE_FILE, &rows.schema(), &[], std::slice::from_ref(rows)).await?;
        writer.finish(metadata).await.map(drop)
    }

    /// Writes a version of a reference table beside the editions: what an edition that names it was made with.
    pub async fn keep_reference(&self, name: &str, version: &str, rows: &RecordBatch, metadata: Value) -> Result<()> {
        Self::write_reference(&self.store, name, version, rows, metadata).await
    }

    /// The rows of a version of a reference table, and what its writer said of it.
    ///
    /// # Errors
    /// `NoFolder` when there is none.
    pub async fn reference_at(&self, name: &str, version: &str) -> Result<(RecordBatch, Value)> {
        let found = folder::open(&self.store, &format!("{REFERENCE}/{name}"), version).await?;
        let batches: Vec<RecordBatch> = found.read(REFERENCE_FILE, None).await?.try_collect().await?;
        let schema = found.schema(REFERENCE_FILE).await?;
        let rows = concat_batches(&schema, &batches).map_err(|e| LakeError::Schema(e.to_string()))?;
        Ok((rows, found.manifest.metadata))
    }

    /// Names of the reference tables.
    pub async fn references(&self) -> Result<Vec<String>> {
        folder::names(&self.store, REFERENCE).await
    }

    /// The latest rows of a reference table.
    ///
    /// # Errors
    /// `NoFolder` when there is none of that name.
    pub async fn reference(&self, name: &str) -> Result<Vec<RecordBatch>> {
        let parent = format!("{REFERENCE}/{name}");
        let latest = folder::latest(&self.store, &parent).await?.ok_or(LakeError::NoFolder(parent))?;
        latest.read(REFERENCE_FILE, None).await?.try_collect().await
    }
}

/// The columns that a table lacks. Those of its own are among the wanted ones, in their types, and none is missing but
/// dimensions, which rows of old editions do without.
fn missing(table: &Schema, wanted: &Schema) -> Result<Vec<Field>> {
    for field in table.fields() {
        if wanted.field_with_name(field.name()).is_ok_and(|known| known.data_type() == field.data_type()) {
            continue;
        }
        let what = format!(
            "the published table has the column `{}`, which this program does not publish: a newer one has published here, \
             publish with that",
            field.name()
        );
        return Err(LakeError::Schema(what));
    }
    let missing = wanted.fields().iter().filter(|field| table.field_with_name(field.name()).is_err());
    let missing: Vec<Field> = missing.map(|field| field.as_ref().clone()).collect();
    match missing.iter().find(|field| !field.is_nullable()) {
        Some(field) => Err(LakeError::Schema(format!("the published table has no column `{}`", field.name()))),
        None => Ok(missing),
    }
}

fn properties() -> Vec<(String, Option<String>)> {
    let text = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    vec![
        text("delta.appendOnly", "true"),
        text("delta.dataSkippingStatsColumns", &BEFORE.join(",")),
        text("delta.enableExpiredLogCleanup", "false"),
    ]
}
