//! What there is: catalogs, schemas, tables with what they say of themselves, keys (there are none).
//!
//! All of it is from the words and types of the tables; nothing of their rows. The names are those that clients of PostgreSQL see.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{Command, CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables};
use query::{ColumnInfo, TableInfo};
use tonic::Status;

use super::Shared;
use super::errors::internal;

/// Name of the one catalog: that of the database for clients of PostgreSQL.
const CATALOG: &str = "amanat";
const TABLE: &str = "TABLE";
/// The type of tables that tell about tables.
const SYSTEM_TABLE: &str = "SYSTEM TABLE";
/// The schema of those.
const INFORMATION: &str = "information_schema";
/// Kinds of tables that a client may ask for at once; there are two.
const MOST_KINDS: usize = 16;
/// Key of what a table or a column says of itself.
const COMMENT: &str = "comment";
/// The same of a column, where drivers of JDBC look for it.
const REMARKS: &str = "ARROW:FLIGHT:SQL:REMARKS";
/// Key of the table that has the codes of a column.
const CODE_LIST: &str = "amanat.code_list";

/// The rows that a command about the catalogue is answered with; none where it is about something else.
pub(super) fn answer(shared: &Shared, command: Command) -> Result<Option<RecordBatch>, Status> {
    let made = match command {
        Command::CommandGetCatalogs(command) => catalogs(command),
        Command::CommandGetDbSchemas(command) => schemas(shared, command),
        Command::CommandGetTables(command) => tables(shared, command),
        Command::CommandGetTableTypes(command) => table_types(command),
        Command::CommandGetSqlInfo(command) => shared.facts.sql_info(command),
        Command::CommandGetXdbcTypeInfo(command) => shared.facts.types(command),
        Command::CommandGetPrimaryKeys(_) => Ok(RecordBatch::new_empty(primary_keys())),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => Ok(RecordBatch::new_empty(foreign_keys())),
        _ => return Ok(None),
    };
    made.map(Some).map_err(|error| internal(&error))
}

fn catalogs(command: CommandGetCatalogs) -> Result<RecordBatch, FlightError> {
    let mut builder = command.into_builder();
    builder.append(CATALOG);
    builder.build()
}

fn schemas(shared: &Shared, command: CommandGetDbSchemas) -> Result<RecordBatch, FlightError> {
    let tables = shared.reader.current().listed();
    let names: BTreeSet<&str> = tables.iter().map(|table| table.schema).collect();
    let mut builder = command.into_builder();
    for name in names {
        builder.append(CATALOG, name);
    }
    builder.build()
}

fn tables(shared: &Shared, mut command: CommandGetTables) -> Result<RecordBatch, FlightError> {
    command.table_types.sort();
    command.table_types.dedup();
    command.table_types.truncate(MOST_KINDS);
    let mut builder = command.into_builder();
    for table in shared.reader.current().listed() {
        let kind = if table.schema == INFORMATION { SYSTEM_TABLE } else { TABLE };
        builder.append(CATALOG, table.schema, &table.name, kind, &described(&table))?;
    }
    builder.build()
}

fn table_types(command: CommandGetTableTypes) -> Result<RecordBatch, FlightError> {
    let mut builder = command.into_builder();
    builder.append(TABLE);
    builder.append(SYSTEM_TABLE);
    builder.build()
}

/// The columns of a table with what they and it say of themselves.
fn described(table: &TableInfo) -> Schema {
    let fields: Vec<Field> = table.columns.iter().map(|column| field(table, column)).collect();
    Schema::new_with_metadata(fields, HashMap::from([(COMMENT.to_owned(), table.description.clone())]))
}

fn field(table: &TableInfo, column: &ColumnInfo) -> Field {
    let codes = column.code_list.as_ref().map(|list| format!("codes in {list}"));
    let said: Vec<String> =
        column.description.clone().into_iter().chain(codes).filter(|text| !text.is_empty()).collect();
    let mut metadata = HashMap::from([
        ("ARROW:FLIGHT:SQL:CATALOG_NAME".to_owned(), CATALOG.to_owned()),
        ("ARROW:FLIGHT:SQL:SCHEMA_NAME".to_owned(), table.schema.to_owned()),
        ("ARROW:FLIGHT:SQL:TABLE_NAME".to_owned(), table.name.clone()),
        ("ARROW:FLIGHT:SQL:IS_READ_ONLY".to_owned(), "1".to_owned()),
    ]);
    if !said.is_empty() {
        let said = said.join("; ");
        metadata.extend([(COMMENT.to_owned(), said.clone()), (REMARKS.to_owned(), said)]);
    }
    if let Some(list) = &column.code_list {
        metadata.insert(CODE_LIST.to_owned(), list.clone());
    }
    if let DataType::Decimal128(precision, scale) = column.data_type {
        metadata.insert("ARROW:FLIGHT:SQL:PRECISION".to_owned(), precision.to_string());
        metadata.insert("ARROW:FLIGHT:SQL:SCALE".to_owned(), scale.to_string());
    }
    Field::new(&column.name, super::answer::plain(&column.data_type), column.is_nullable).with_metadata(metadata)
}

/// Flight SQL specification, CommandGetPrimaryKeys.
fn primary_keys() -> SchemaRef {
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        text("key_name", true),
        Field::new("key_sequence", DataType::Int32, false),
    ]))
}

/// Flight SQL specification, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetCrossReference.
fn foreign_keys() -> SchemaRef {
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]))
}
