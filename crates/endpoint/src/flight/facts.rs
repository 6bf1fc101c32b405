//! What this door says of itself: GetSqlInfo, and the types that columns and values have (GetXdbcTypeInfo).
//!
//! Drivers read these when they connect and take what is missing for a defect, so everything that the specification names
//! and that is known is here.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{
    SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder,
};
use arrow_flight::sql::{
    CommandGetSqlInfo, CommandGetXdbcTypeInfo, Nullable, Searchable, SqlInfo, XdbcDataType, XdbcDatetimeSubcode,
};
use query::Reader;

use super::prepared::UNUSED;

/// The version of Arrow whose formats are spoken.
const ARROW: &str = "59.3";
/// Functions over numbers, of those that may be on offer.
const NUMERIC: [&str; 24] = [
    "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cot", "degrees", "exp", "floor", "ln", "log", "log10",
    "log2", "mod", "pi", "power", "radians", "round", "sign", "sin", "sqrt", "tan",
];
/// Functions over texts.
const STRING: [&str; 22] = [
    "ascii",
    "btrim",
    "char_length",
    "chr",
    "concat",
    "concat_ws",
    "initcap",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "strpos",
    "substr",
    "upper",
];
/// Functions over dates and times.
const TIME: [&str; 10] = [
    "current_date",
    "date_bin",
    "date_part",
    "date_trunc",
    "make_date",
    "now",
    "to_char",
    "to_date",
    "to_timestamp",
    "from_unixtime",
];

/// The facts, made once.
pub(super) struct Facts {
    info: SqlInfoData,
    types: XdbcTypeInfoData,
}

impl Facts {
    /// The facts of a door over a reader.
    pub(super) fn new(reader: &Reader) -> Result<Self, FlightError> {
        Ok(Self { info: info(reader).build()?, types: types()? })
    }

    /// The facts that are asked for; all where none is named.
    pub(super) fn sql_info(&self, mut command: CommandGetSqlInfo) -> Result<RecordBatch, FlightError> {
        // Each number is looked for by itself: a million of them would be work.
        command.info.sort_unstable();
        command.info.dedup();
        let asks_for_all = command.info.is_empty();
        command.info.retain(|number| SqlInfo::try_from(*number as i32).is_ok());
        if command.info.is_empty() && !asks_for_all {
            return Ok(self.info.record_batch([])?.slice(0, 0));
        }
        command.into_builder(&self.info).build()
    }

    /// The types, or the one that is asked for.
    pub(super) fn types(&self, command: CommandGetXdbcTypeInfo) -> Result<RecordBatch, FlightError> {
        command.into_builder(&self.types).build()
    }
}

fn info(reader: &Reader) -> SqlInfoDataBuilder {
    let mut info = SqlInfoDataBuilder::new();
    server(&mut info);
    grammar(&mut info);
    functions(&mut info, reader);
    bounds(&mut info, reader);
    info
}

fn server(info: &mut SqlInfoDataBuilder) {
    info.append(SqlInfo::FlightSqlServerName, "Amanat");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, ARROW);
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    info.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
    info.append(SqlInfo::FlightSqlServerCancel, true);
    info.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    info.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    // Of prepared statements, milliseconds.
    info.append(SqlInfo::FlightSqlServerStatementTimeout, i32::try_from(UNUSED.as_millis()).unwrap_or(i32::MAX));
    info.append(SqlInfo::FlightSqlServerTransactionTimeout, 0_i32);
    for nothing in [
        SqlInfo::SqlDdlCatalog,
        SqlInfo::SqlDataDefinitionCausesTransactionCommit,
        SqlInfo::SqlDataDefinitionsInTransactionsIgnored,
        SqlInfo::SqlTransactionsSupported,
        SqlInfo::SqlBatchUpdatesSupported,
        SqlInfo::SqlSavepointsSupported,
        SqlInfo::SqlNamedParametersSupported,
        SqlInfo::SqlLocatorsUpdateCopy,
        SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported,
        SqlInfo::SqlSelectForUpdateSupported,
        SqlInfo::SqlStoredProceduresSupported,
        SqlInfo::SqlSupportsIntegrityEnhancementFacility,
        SqlInfo::SqlMaxRowSizeIncludesBlobs,
    ] {
        info.append(nothing, false);
    }
    for nothing in [
        SqlInfo::SqlDdlSchema,
        SqlInfo::SqlDdlTable,
        SqlInfo::SqlSchemasSupportedActions,
        SqlInfo::SqlCatalogsSupportedActions,
        SqlInfo::SqlSupportedPositionedCommands,
        SqlInfo::SqlSupportedTransactionsIsolationLevels,
        SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive,
    ] {
        info.append(nothing, 0_i32);
    }
    info.append(SqlInfo::SqlDefaultTransactionIsolation, 0_i64);
    // Forward only, and to be read only: bit 1 and bit 1.
    info.append(SqlInfo::SqlSupportedResultSetTypes, 0b10_i32);
    info.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, 0b10_i32);
}

fn grammar(info: &mut SqlInfoDataBuilder) {
    for yes in [
        SqlInfo::SqlAllTablesAreSelectable,
        SqlInfo::SqlSupportsColumnAliasing,
        SqlInfo::SqlNullPlusNullIsNull,
        SqlInfo::SqlSupportsTableCorrelationNames,
        SqlInfo::SqlSupportsExpressionsInOrderBy,
        SqlInfo::SqlSupportsOrderByUnrelated,
        SqlInfo::SqlSupportsLikeEscapeClause,
        SqlInfo::SqlSupportsNonNullableColumns,
        SqlInfo::SqlCatalogAtStart,
        SqlInfo::SqlCorrelatedSubqueriesSupported,
    ] {
        info.append(yes, true);
    }
    info.append(SqlInfo::SqlSupportsDifferentTableCorrelationNames, false);
    // Case does not matter, in quotes neither.
    info.append(SqlInfo::SqlIdentifierCase, 1_i32);
    info.append(SqlInfo::SqlQuotedIdentifierCase, 1_i32);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    // NULL is the greatest value.
    info.append(SqlInfo::SqlNullOrdering, 0_i32);
    info.append(SqlInfo::SqlSearchStringEscape, "\\");
    info.append(SqlInfo::SqlExtraNameCharacters, "");
    info.append(SqlInfo::SqlSchemaTerm, "schema");
    info.append(SqlInfo::SqlProcedureTerm, "procedure");
    info.append(SqlInfo::SqlCatalogTerm, "database");
    info.append(SqlInfo::SqlSupportsConvert, BTreeMap::<i32, Vec<i32>>::new());
    // Bits as the specification numbers them.
    info.append(SqlInfo::SqlSupportedGroupBy, 0b11_i32);
    info.append(SqlInfo::SqlSupportedGrammar, 0b11_i32);
    info.append(SqlInfo::SqlAnsi92SupportedLevel, 0b1_i32);
    info.append(SqlInfo::SqlOuterJoinsSupportLevel, 0b110_i32);
    info.append(SqlInfo::SqlSupportedSubqueries, 0b111_i32);
    info.append(SqlInfo::SqlSupportedUnions, 0b11_i32);
    let keywords = ["explain", "filter", "ilike", "limit", "offset", "qualify", "window"];
    info.append(SqlInfo::SqlKeywords, &keywords[..]);
}

fn functions(info: &mut SqlInfoDataBuilder, reader: &Reader) {
    let all = reader.functions();
    let of = |known: &[&str]| -> Vec<String> {
        all.iter().filter(|(name, _)| known.contains(name)).map(|(name, _)| (*name).to_owned()).collect()
    };
    let named = [&NUMERIC[..], &STRING, &TIME].concat();
    let others = all.iter().filter(|(name, kind)| *kind == "scalar" && !named.contains(name));
    let others: Vec<String> = others.map(|(name, _)| (*name).to_owned()).collect();
    info.append(SqlInfo::SqlNumericFunctions, of(&NUMERIC));
    info.append(SqlInfo::SqlStringFunctions, of(&STRING));
    info.append(SqlInfo::SqlDatetimeFunctions, of(&TIME));
    info.append(SqlInfo::SqlSystemFunctions, others);
}

/// Greatest lengths and numbers; 0 where there is none, or none of its own.
fn bounds(info: &mut SqlInfoDataBuilder, reader: &Reader) {
    let unbounded = (SqlInfo::SqlMaxBinaryLiteralLength as i32..=SqlInfo::SqlMaxUsernameLength as i32)
        .filter_map(|number| SqlInfo::try_from(number).ok())
        .filter(|name| *name != SqlInfo::SqlMaxRowSizeIncludesBlobs);
    unbounded.for_each(|name| info.append(name, 0_i64));
    info.append(SqlInfo::SqlMaxStatementLength, i64::try_from(reader.limits().text).unwrap_or(i64::MAX));
}

/// The types that columns have, and that values of placeholders may have.
fn types() -> Result<XdbcTypeInfoData, FlightError> {
    let text = |sign: &str| Some(sign.to_owned());
    let mut all = XdbcTypeInfoDataBuilder::new();
    all.append(XdbcTypeInfo {
        literal_prefix: text("'"),
        literal_suffix: text("'"),
        case_sensitive: true,
        searchable: Searchable::Full,
        ..named("VARCHAR", XdbcDataType::XdbcVarchar, None)
    });
    for (name, data_type, size) in [
        ("BIGINT", XdbcDataType::XdbcBigint, 19),
        ("INTEGER", XdbcDataType::XdbcInteger, 10),
        ("SMALLINT", XdbcDataType::XdbcSmallint, 5),
        ("DECIMAL", XdbcDataType::XdbcDecimal, 38),
        ("DOUBLE", XdbcDataType::XdbcDouble, 15),
        ("REAL", XdbcDataType::XdbcReal, 7),
    ] {
        let radix = Some(10);
        let scale = (name == "DECIMAL").then_some(38);
        let params = scale.map(|_| vec!["precision".to_owned(), "scale".to_owned()]);
        all.append(XdbcTypeInfo {
            unsigned_attribute: Some(false),
            num_prec_radix: radix,
            minimum_scale: scale.map(|_| 0),
            maximum_scale: scale,
            create_params: params,
            ..named(name, data_type, Some(size))
        });
    }
    all.append(named("BOOLEAN", XdbcDataType::XdbcBit, Some(1)));
    all.append(XdbcTypeInfo {
        literal_prefix: text("date '"),
        literal_suffix: text("'"),
        sql_data_type: XdbcDataType::XdbcDatetime,
        datetime_subcode: Some(XdbcDatetimeSubcode::XdbcSubcodeYear),
        ..named("DATE", XdbcDataType::XdbcDate, Some(10))
    });
    all.append(XdbcTypeInfo {
        literal_prefix: text("timestamp '"),
        literal_suffix: text("'"),
        sql_data_type: XdbcDataType::XdbcDatetime,
        datetime_subcode: Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp),
        ..named("TIMESTAMP", XdbcDataType::XdbcTimestamp, Some(26))
    });
    all.build()
}

fn named(name: &str, data_type: XdbcDataType, size: Option<i32>) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        column_size: size,
        nullable: Nullable::NullabilityNullable,
        searchable: Searchable::Basic,
        fixed_prec_scale: false,
        local_type_name: Some(name.to_owned()),
        sql_data_type: data_type,
        ..XdbcTypeInfo::default()
    }
}
