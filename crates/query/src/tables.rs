//! The tables that a question can name, made once for each picture of the editions.
//!
//! `published`: all editions in long form, one table per indicator (latest edition, its own dimensions), the editions.
//! `reference`: code lists, definitions, denominators, and what was kept with the latest edition. `information_schema`:
//! what there is. All rows are in memory. Protected tables are named there too, and have no rows ([`crate::facade`]).
//! Absent: statistics of any kind beyond what the rows themselves say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::{cast, filter_record_batch, kernels::cmp};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::TableSource;

use crate::catalogue::{Catalogue, CodeListMeta, Dimension, IndicatorMeta};
use crate::editions::{EditionMeta, ReferenceTable};
use crate::facade::PROTECTED;
use crate::functions::FUNCTIONS;
use crate::listed::{Listed, ListedColumn};
use crate::names;

/// Name of the database, as the first part of a fully written name.
pub(crate) const DATABASE: &str = "amanat";
/// Where the numbers are.
pub(crate) const PUBLISHED: &str = "published";
/// Where the words are.
pub(crate) const REFERENCE: &str = "reference";
const INFORMATION: &str = "information_schema";
/// The long table.
pub(crate) const VALUES: &str = "indicator_values";
/// The list of editions.
const EDITIONS: &str = "editions";
/// Schemas in which a name without one is looked for, in this order.
const SEARCH: [&str; 2] = [PUBLISHED, REFERENCE];

/// One table, in memory.
pub(crate) struct Table {
    schema: &'static str,
    name: String,
    description: String,
    columns: SchemaRef,
    column_descriptions: HashMap<String, String>,
    /// Tables with the codes of columns, by column.
    code_lists: HashMap<String, String>,
    /// Greatest length of a text by column, bytes.
    widths: Vec<u64>,
    awaits_an_edition: bool,
    /// Whether it was kept with an edition, so that each edition has its own.
    is_kept: bool,
    /// For the planner.
    pub(crate) source: Arc<dyn TableSource>,
}

impl Table {
    fn new(
        schema: &'static str,
        name: &str,
        description: &str,
        columns: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<Self, ArrowError> {
        let widths = (0..columns.fields().len()).map(|at| width(&columns, at, &batches)).collect();
        let rows = MemTable::try_new(Arc::clone(&columns), vec![batches])
            .map_err(|e| ArrowError::SchemaError(e.to_string()))?;
        Ok(Self {
            schema,
            name: name.to_owned(),
            description: description.to_owned(),
            column_descriptions: described(&columns),
            code_lists: HashMap::new(),
            columns,
            widths,
            awaits_an_edition: false,
            is_kept: false,
            source: provider_as_source(Arc::new(rows)),
        })
    }

    /// The same table when the last of these editions was the latest: an indicator's rows of it, all values of it, the list up to
    /// it. The columns are those of today.
    pub(crate) fn known_at(
        &self,
        catalogue: &Catalogue,
        editions: &[(EditionMeta, RecordBatch)],
    ) -> Result<Self, ArrowError> {
        let rows = match (self.name.as_str(), editions.last()) {
            (EDITIONS, _) => table_of_editions(editions)?,
            (VALUES, Some((_, values))) => values.clone(),
            (name, Some((_, values))) => match catalogue.indicator(name) {
                Some(indicator) => rows_of(values, indicator)?,
                None => RecordBatch::new_empty(Arc::clone(&self.columns)),
            },
            (_, None) => RecordBatch::new_empty(Arc::clone(&self.columns)),
        };
        let rows = RecordBatch::try_new(Arc::clone(&self.columns), rows.columns().to_vec())?;
        Self::new(self.schema, &self.name, &self.description, Arc::clone(&self.columns), vec![rows])
    }

    /// The same table with the rows that were kept with another edition. The columns are those of today; one that was
    /// not yet there has no values.
    pub(crate) fn kept_with(&self, rows: &RecordBatch) -> Result<Self, ArrowError> {
        let column = |field: &Arc<Field>| match rows.column_by_name(field.name()) {
            Some(values) => cast(values, field.data_type()),
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
        };
        let fields = self.columns.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let columns = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let values = self.columns.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatch::try_new(Arc::clone(&columns), values)?;
        Self::new(self.schema, &self.name, &self.description, columns, vec![rows])
    }

    /// Its name with its schema, as in `access.toml`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Its schema's name and its own.
    pub(crate) fn name(&self) -> (&'static str, &str) {
        (self.schema, &self.name)
    }

    /// True where each edition has rows of its own: its numbers, and the reference tables that were kept with it.
    pub(crate) fn is_of_editions(&self) -> bool {
        self.schema == PUBLISHED || self.is_kept
    }

    /// True where its rows were kept with an edition.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// True for a table of numbers while nothing is published.
    pub(crate) fn awaits_an_edition(&self) -> bool {
        self.awaits_an_edition
    }

    /// Greatest length of a text in a column, bytes; what a number or a date takes when written, for the others.
    pub(crate) fn width(&self, column: &str) -> Option<u64> {
        self.columns.index_of(column).ok().map(|at| self.widths[at])
    }
}

/// All tables of one picture.
pub(crate) struct Tables {
    open: BTreeMap<(&'static str, String), Table>,
    /// Protected tables, which are listed and not here.
    protected: Arc<[Listed]>,
    /// False while nothing is published.
    any_edition: bool,
}

/// Why there is no table of a name.
pub(crate) enum Missing {
    /// It would hold case records.
    Microdata,
    /// It is not here; perhaps this one was meant.
    Unknown(Option<String>),
    /// It is not among the protected ones; perhaps this one was meant.
    Protected(Option<String>),
}

impl Tables {
    /// The tables over these editions, oldest first, and over the reference tables of the latest.
    pub(crate) fn new(
        catalogue: &Catalogue,
        protected: &Arc<[Listed]>,
        editions: &[(EditionMeta, RecordBatch)],
        kept: &[ReferenceTable],
    ) -> Result<Self, ArrowError> {
        let protected = Arc::clone(protected);
        let mut tables = Self { open: BTreeMap::new(), protected, any_edition: !editions.is_empty() };
        tables.published(catalogue, editions)?;
        tables.reference(catalogue)?;
        tables.kept(kept)?;
        tables.information()?;
        Ok(tables)
    }

    /// The table of a name written in one, two or three parts. Case does not matter: all names here are lower case.
    pub(crate) fn find(&self, parts: &[&str]) -> Result<&Table, Missing> {
        let parts: Vec<String> = parts.iter().map(|p| p.to_lowercase()).collect();
        let at = |schema: &str, name: &str| {
            let schema = [PUBLISHED, REFERENCE, INFORMATION].into_iter().find(|s| *s == schema)?;
            self.open.get(&(schema, name.to_owned()))
        };
        let found = match &parts[..] {
            [name] => SEARCH.iter().find_map(|schema| at(schema, name)),
            [schema, name] => at(schema, name),
            [database, schema, name] if database == DATABASE => at(schema, name),
            _ => None,
        };
        found.ok_or_else(|| self.missing(&parts))
    }

    fn missing(&self, parts: &[String]) -> Missing {
        let Some(name) = parts.last() else {
            return Missing::Unknown(None);
        };
        if names::is_microdata(name) || parts.iter().rev().skip(1).any(|p| names::is_microdata(p)) {
            return Missing::Microdata;
        }
        let near = names::nearest(name, self.open.keys().map(|(_, name)| name.as_str()));
        let full = |name: &str| self.open.keys().find(|(_, n)| n == name).map(|(schema, n)| format!("{schema}.{n}"));
        Missing::Unknown(near.and_then(full))
    }

    fn add(
        &mut self,
        schema: &'static str,
        name: &str,
        description: &str,
        columns: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<(), ArrowError> {
        let awaits_an_edition = schema == PUBLISHED && name != EDITIONS && !self.any_edition;
        let table = Table { awaits_an_edition, ..Table::new(schema, name, description, columns, batches)? };
        self.open.insert((schema, name.to_owned()), table);
        Ok(())
    }

    fn published(&mut self, catalogue: &Catalogue, editions: &[(EditionMeta, RecordBatch)]) -> Result<(), ArrowError> {
        let columns = editions.last().map_or_else(|| empty_values(catalogue), |(_, batch)| batch.schema());
        let all = editions.iter().map(|(_, b)| RecordBatch::try_new(Arc::clone(&columns), b.columns().to_vec()));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        let latest = all.last().cloned().unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&columns)));
        for indicator in &catalogue.indicators {
            let rows = rows_of(&latest, indicator)?;
            let name = indicator.id.to_lowercase();
            self.add(PUBLISHED, &name, &indicator.title.en, rows.schema(), vec![rows])?;
            for dimension in &indicator.dimensions {
                self.describe(&name, dimension, catalogue);
            }
        }
        self.add(PUBLISHED, VALUES, "All values of all editions, one row per value", columns, all)?;
        for dimension in catalogue.indicators.iter().flat_map(|indicator| &indicator.dimensions) {
            self.describe(VALUES, dimension, catalogue);
        }
        let editions = table_of_editions(editions)?;
        self.add(PUBLISHED, EDITIONS, "The editions, oldest first", editions.schema(), vec![editions])
    }

    fn describe(&mut self, table: &str, dimension: &Dimension, catalogue: &Catalogue) {
        let Some(table) = self.open.get_mut(&(PUBLISHED, table.to_owned())) else { return };
        if !dimension.title.en.is_empty() {
            table.column_descriptions.insert(dimension.name.clone(), dimension.title.en.clone());
        }
        let list = dimension.code_list.as_deref().and_then(|list| catalogue.code_list(list));
        if let Some(list) = list {
            table.code_lists.insert(dimension.name.clone(), format!("{REFERENCE}.{}", list.name.to_lowercase()));
        }
    }

    fn reference(&mut self, catalogue: &Catalogue) -> Result<(), ArrowError> {
        for list in &catalogue.code_lists {
            let rows = table_of_codes(list)?;
            let description = format!("Code list {}, version {}. Source: {}", list.name, list.version, list.source);
            self.add(REFERENCE, &list.name.to_lowercase(), &description, rows.schema(), vec![rows])?;
        }
        let rows = table_of_indicators(catalogue)?;
        self.add(REFERENCE, "indicators", "What each indicator counts", rows.schema(), vec![rows])?;
        let rows = table_of_population(catalogue)?;
        self.add(REFERENCE, "population", "Resident population, for rates", rows.schema(), vec![rows])
    }

    /// Reference tables that were kept with an edition: they take the place of what the catalogue has under their name.
    fn kept(&mut self, kept: &[ReferenceTable]) -> Result<(), ArrowError> {
        for ReferenceTable { name, description, columns, rows } in kept {
            self.add(REFERENCE, name, description, rows.schema(), vec![rows.clone()])?;
            if let Some(table) = self.open.get_mut(&(REFERENCE, name.clone())) {
                table.column_descriptions.extend(columns.clone());
                table.is_kept = true;
            }
        }
        Ok(())
    }

    fn information(&mut self) -> Result<(), ArrowError> {
        let functions = FUNCTIONS.listed();
        let functions = rows([
            ("function_name", texts(functions.iter().map(|(name, _)| Some((*name).to_owned())))),
            ("function_kind", texts(functions.iter().map(|(_, kind)| Some((*kind).to_owned())))),
        ])?;
        self.add(INFORMATION, "functions", "The functions on offer", functions.schema(), vec![functions])?;
        // Twice, so that the lists name themselves.
        for _ in 0..2 {
            let list = self.list_of_tables()?;
            self.add(INFORMATION, "tables", "The tables", list.schema(), vec![list])?;
            let columns = self.list_of_columns()?;
            self.add(INFORMATION, "columns", "The columns", columns.schema(), vec![columns])?;
        }
        Ok(())
    }

    /// The tables as they are listed, protected ones too.
    fn all(&self) -> impl Iterator<Item = Shown<'_>> {
        self.protected.iter().map(Shown::of_protected).chain(self.open.values().map(Shown::of_open))
    }

    /// The tables as the catalogue shows them.
    pub(crate) fn listed(&self) -> Vec<TableInfo> {
        let column = |column: ShownColumn<'_>| ColumnInfo {
            name: column.name.to_owned(),
            data_type: column.data_type.clone(),
            is_nullable: column.is_nullable,
            description: column.description.map(str::to_owned),
            code_list: column.code_list.map(str::to_owned),
        };
        let table = |table: Shown<'_>| TableInfo {
            schema: table.schema,
            name: table.name.to_owned(),
            description: table.description.to_owned(),
            columns: table.columns.into_iter().map(column).collect(),
        };
        self.all().map(table).collect()
    }

    fn list_of_tables(&self) -> Result<RecordBatch, ArrowError> {
        let tables: Vec<Shown<'_>> = self.all().collect();
        let text = |of: fn(&Shown<'_>) -> String| texts(tables.iter().map(|table| Some(of(table))));
        rows([
            ("table_catalog", text(|_| DATABASE.to_owned())),
            ("table_schema", text(|t| t.schema.to_owned())),
            ("table_name", text(|t| t.name.to_owned())),
            ("table_type", text(|t| if t.name == VALUES { "BASE TABLE" } else { "VIEW" }.to_owned())),
            ("description", text(|t| t.description.to_owned())),
        ])
    }

    fn list_of_columns(&self) -> Result<RecordBatch, ArrowError> {
        let tables: Vec<Shown<'_>> = self.all().collect();
        let all = || tables.iter().flat_map(|t| t.columns.iter().enumerate().map(move |(at, column)| (t, at, column)));
        let of_table = |of: fn(&Shown<'_>) -> String| texts(all().map(|(table, _, _)| Some(of(table))));
        let of_column = |of: fn(&ShownColumn<'_>) -> Option<String>| texts(all().map(|(_, _, column)| of(column)));
        rows([
            ("table_catalog", of_table(|_| DATABASE.to_owned())),
            ("table_schema", of_table(|t| t.schema.to_owned())),
            ("table_name", of_table(|t| t.name.to_owned())),
            ("column_name", of_column(|c| Some(c.name.to_owned()))),
            ("ordinal_position", numbers(all().map(|(_, at, _)| at as i64 + 1))),
            ("is_nullable", of_column(|c| Some(if c.is_nullable { "YES" } else { "NO" }.to_owned()))),
            ("data_type", of_column(|c| Some(type_name(c.data_type).to_owned()))),
            ("description", of_column(|c| c.description.map(str::to_owned))),
            ("code_list", of_column(|c| c.code_list.map(str::to_owned))),
        ])
    }
}

/// A table as the catalogue shows it: words and types, nothing of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// `published`, `reference`, `information_schema` or `protected`.
    pub schema: &'static str,
    /// Its name.
    pub name: String,
    /// What its rows are.
    pub description: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnInfo>,
}

/// A column as the catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type in an answer.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub is_nullable: bool,
    /// What it says.
    pub description: Option<String>,
    /// The table that has its codes: `reference.province`.
    pub code_list: Option<String>,
}

/// A table as `information_schema` shows it.
struct Shown<'a> {
    schema: &'static str,
    name: &'a str,
    description: &'a str,
    columns: Vec<ShownColumn<'a>>,
}

/// A column as `information_schema` shows it.
struct ShownColumn<'a> {
    name: &'a str,
    data_type: &'a DataType,
    is_nullable: bool,
    description: Option<&'a str>,
    code_list: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of_open(table: &'a Table) -> Self {
        let column = |field: &'a Arc<Field>| ShownColumn {
            name: field.name(),
            data_type: field.data_type(),
            is_nullable: field.is_nullable(),
            description: table.column_descriptions.get(field.name()).map(String::as_str),
            code_list: table.code_lists.get(field.name()).map(String::as_str),
        };
        let columns = table.columns.fields().iter().map(column).collect();
        Self { schema: table.schema, name: &table.name, description: &table.description, columns }
    }

    fn of_protected(table: &'a Listed) -> Self {
        let column = |column: &'a ListedColumn| ShownColumn {
            name: &column.name,
            data_type: &column.data_type,
            is_nullable: true,
            description: Some(&column.description),
            code_list: column.code_list.as_deref(),
        };
        let columns = table.columns.iter().map(column).collect();
        Self { schema: PROTECTED, name: &table.name, description: &table.description, columns }
    }
}

/// Columns of the long table while there is no edition to take them from.
fn empty_values(catalogue: &Catalogue) -> SchemaRef {
    let mut dimensions: Vec<&str> = Vec::new();
    for dimension in catalogue.indicators.iter().flat_map(|i| &i.dimensions) {
        if !dimensions.contains(&dimension.name.as_str()) {
            dimensions.push(&dimension.name);
        }
    }
    lake::published::schema(&dimensions)
}

/// The rows of one indicator, without the column that names it and without the dimensions of others.
fn rows_of(batch: &RecordBatch, indicator: &IndicatorMeta) -> Result<RecordBatch, ArrowError> {
    const OTHERS: [&str; 10] =
        ["edition", "measure", "time_period", "value", "lo95", "hi95", "obs_status", "conf_status", "unit", "as_of"];
    let wanted = |name: &str| OTHERS.contains(&name) || indicator.dimension(name).is_some();
    let columns: Vec<usize> =
        batch.schema().fields().iter().enumerate().filter(|(_, f)| wanted(f.name())).map(|(at, _)| at).collect();
    let Some(ids) = batch.column_by_name("indicator") else {
        return Err(ArrowError::SchemaError("there is no column indicator".into()));
    };
    let upper: StringArray = texts_of(ids)?.iter().map(|id| id.map(str::to_uppercase)).collect();
    let its = cmp::eq(&upper, &StringArray::new_scalar(indicator.id.to_uppercase()))?;
    filter_record_batch(&batch.project(&columns)?, &its)
}

fn texts_of(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn table_of_editions(editions: &[(EditionMeta, RecordBatch)]) -> Result<RecordBatch, ArrowError> {
    let all = || editions.iter().map(|(meta, _)| meta);
    // What is not a date is absent rather than an error: the numbers do not depend on it.
    let dates = cast(&texts(all().map(|e| Some(e.as_of.clone()))), &DataType::Date32)?;
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let times = cast(&texts(all().map(|e| Some(e.published_at.clone()))), &utc)?;
    debug_assert!(dates.as_any().is::<Date32Array>() && times.as_any().is::<TimestampMicrosecondArray>());
    rows([
        ("edition", numbers(all().map(|e| i64::from(e.edition)))),
        ("as_of", dates),
        ("published_at", times),
        ("synthetic", Arc::new(all().map(|e| Some(e.synthetic)).collect::<BooleanArray>())),
        ("methodology", texts(all().map(|e| e.methodology.clone()))),
        ("policy_hash", texts(all().map(|e| e.policy_hash.clone()))),
        ("sql_hash", texts(all().map(|e| e.sql_hash.clone()))),
    ])
}

fn table_of_codes(list: &CodeListMeta) -> Result<RecordBatch, ArrowError> {
    const OWN: [&str; 4] = ["code", "en", "ur", "parent"];
    let codes = || list.codes.iter();
    let attributes: BTreeSet<&str> = codes().flat_map(|c| c.attributes.keys()).map(String::as_str).collect();
    let mut columns = vec![
        (OWN[0], texts(codes().map(|c| Some(c.code.clone())))),
        (OWN[1], texts(codes().map(|c| Some(c.en.clone())))),
        (OWN[2], texts(codes().map(|c| Some(c.ur.clone())))),
        (OWN[3], texts(codes().map(|c| c.parent.clone()))),
    ];
    for name in attributes.into_iter().filter(|name| !OWN.contains(name)) {
        columns.push((name, texts(codes().map(|c| c.attributes.get(name).cloned()))));
    }
    rows(columns)
}

fn table_of_indicators(catalogue: &Catalogue) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&IndicatorMeta) -> String| texts(catalogue.indicators.iter().map(|i| Some(of(i))));
    let dimensions = |i: &IndicatorMeta| i.dimensions.iter().map(|d| d.name.clone()).collect::<Vec<_>>().join(", ");
    rows([
        ("id", text(&|i| i.id.clone())),
        ("table_name", text(&|i| format!("{PUBLISHED}.{}", i.id.to_lowercase()))),
        ("title_en", text(&|i| i.title.en.clone())),
        ("title_ur", text(&|i| i.title.ur.clone())),
        ("description_en", text(&|i| i.description.en.clone())),
        ("description_ur", text(&|i| i.description.ur.clone())),
        ("unit", text(&|i| i.unit.clone())),
        ("counting_rule_en", text(&|i| i.counting_rule.en.clone())),
        ("counting_rule_ur", text(&|i| i.counting_rule.ur.clone())),
        ("time_basis_en", text(&|i| i.time_basis.en.clone())),
        ("time_basis_ur", text(&|i| i.time_basis.ur.clone())),
        ("dimensions", text(&dimensions)),
        ("agencies", text(&|i| i.agencies.join(", "))),
        ("standard", text(&|i| i.standard.join(", "))),
        ("sensitivity", text(&|i| i.sensitivity.clone())),
        ("since", text(&|i| i.since.clone())),
    ])
}

fn table_of_population(catalogue: &Catalogue) -> Result<RecordBatch, ArrowError> {
    let all = || catalogue.population.iter();
    rows([
        ("year", numbers(all().map(|p| i64::from(p.year)))),
        ("province", texts(all().map(|p| Some(p.province.clone())))),
        ("sex", texts(all().map(|p| Some(p.sex.clone())))),
        ("age_group", texts(all().map(|p| Some(p.age_group.clone())))),
        ("population", numbers(all().map(|p| p.population))),
        ("method", texts(all().map(|p| Some(p.method.clone())))),
        ("source", texts(all().map(|p| Some(p.source.clone())))),
    ])
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn rows<'a>(columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .map(|(name, array)| (Field::new(name, array.data_type().clone(), array.null_count() > 0), array))
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// What a number, a date or a truth value takes when it is written as text, at most.
pub(crate) const WRITTEN: u64 = 48;

fn width(columns: &SchemaRef, at: usize, batches: &[RecordBatch]) -> u64 {
    match columns.field(at).data_type() {
        DataType::Utf8 => {
            let longest = |b: &RecordBatch| b.column(at).as_string::<i32>().iter().flatten().map(str::len).max();
            batches.iter().filter_map(longest).max().unwrap_or(0) as u64
        }
        _ => WRITTEN,
    }
}

/// Names of types as PostgreSQL writes them, which is what clients of `information_schema` expect.
fn type_name(of: &DataType) -> &'static str {
    match of {
        DataType::Boolean => "boolean",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::Date32 => "date",
        DataType::Timestamp(..) => "timestamp with time zone",
        DataType::Decimal128(..) => "numeric",
        _ => "text",
    }
}

/// What the columns say that several tables share.
fn described(columns: &SchemaRef) -> HashMap<String, String> {
    let text = |name: &str| {
        Some(match name {
            "edition" => "Number of the edition, from 1",
            "indicator" => "Id of the indicator: reference.indicators",
            "measure" => "What of the indicator the value is",
            "time_period" => {
                "2024, 2024-Q1, FY2024-25 (July to June): years, quarters and fiscal years stand side by side, ask for one of \
                 them; _X where the time is unknown"
            }
            "value" => "The released value; NULL where it is not shown, see conf_status",
            "lo95" => "Lower end of the 95 % interval of the protection's noise",
            "hi95" => "Upper end of the 95 % interval of the protection's noise",
            "obs_status" => {
                "SDMX observation status: A as usual, U of low reliability, Q hidden, L not collected, M cannot exist, P provisional"
            }
            "conf_status" => "SDMX confidentiality status: F free, C hidden to protect people",
            "unit" => "What one unit of the value is",
            "as_of" => "Date up to which reports were counted",
            "published_at" => "When the edition was published, UTC",
            "synthetic" => "Whether nobody in the store exists",
            "methodology" => "Version of the methodology: /v1/methodology",
            "policy_hash" => "Hash of the policy that the edition was made under",
            "sql_hash" => "Hash of the definitions that the edition was made by",
            "code" => "The code as it stands in the data",
            "en" => "Label, English",
            "ur" => "Label, Urdu",
            "parent" => "The code above it in the same list",
            _ => return None,
        })
    };
    let names = columns.fields().iter().map(|f| f.name());
    names.filter_map(|name| Some((name.clone(), text(name)?.to_owned()))).collect()
}
