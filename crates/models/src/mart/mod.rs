//! The last step of a mart: surrogates of the unit and the case, columns of one type each, rows in one order.
//!
//! A mart row is `sid, case_sid, agency, occurred_from, year, quarter, month`, then the columns of its `.yml`: a code is `UInt16`,
//! several codes are the bits of an `Int64`, a number is `Int64` (privacy.md 6.2; lists are unpacked when read, see
//! `snapshot`). Rows are sorted by all columns from left to right, so that a mart is the same bytes whatever came first.
//!
//! In its file a mart has one column more where it has no `sid`: the hash of its key. By it (or by `sid`) the rows of a unit are
//! replaced in a layer above.
//!
//! Absent: surrogates of persons and ids of records; they end here.

mod order;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{cast, filter_record_batch, not};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use policy::{Dataset, Keys, Policy};

use crate::error::ModelsError;
use crate::model::{Column, Layer, Model};
use crate::snapshot::WITHOUT_DATASET;
use crate::states;

/// Columns of time, as codes.
pub(crate) const TIME: [&str; 3] = ["year", "quarter", "month"];

/// The key of every mart.
const UNIT: &str = "unit";

/// Columns without a code list that every row has, where its mart has them.
const GIVEN: [&str; 3] = ["agency", "served_by", "occurred_from"];

/// Finishes marts as the policy says.
#[derive(Debug)]
pub(crate) struct Finish {
    /// Their datasets.
    pub policy: Arc<Policy>,
    /// Of surrogates.
    pub keys: Arc<Keys>,
}

impl Finish {
    /// Whether what a model makes is a mart of a Snapshot: one that has a dataset in the policy, the calendar, and reference data. What
    /// the policy does not name otherwise has no universe for its units and can be asked for by nobody.
    fn is_own(&self, model: &Model) -> bool {
        let table = model.table.as_str();
        model.layer == Layer::Marts && (self.dataset(model).is_some() || WITHOUT_DATASET.contains(&table))
    }

    /// What the policy says of a mart.
    pub fn dataset(&self, model: &Model) -> Option<&Dataset> {
        self.policy.datasets.get(&model.table)
    }

    /// The finished rows of what a model made, in no order, if they are a mart's.
    pub fn rows(&self, model: &Model, made: &RecordBatch) -> Result<Option<RecordBatch>, ModelsError> {
        self.is_own(model).then(|| finish(model, made, self.dataset(model), &self.keys)).transpose()
    }

    /// A mart of finished rows.
    pub fn mart(
        &self,
        model: &Model,
        made: &SchemaRef,
        finished: Vec<RecordBatch>,
    ) -> Result<Option<RecordBatch>, ModelsError> {
        let Some(none) = self.rows(model, &RecordBatch::new_empty(Arc::clone(made)))? else { return Ok(None) };
        Ok(Some(order::ordered(&none.schema(), finished)?))
    }
}

/// The finished rows of what a model made. `dataset` is what the policy says of it; the reporting calendar and reference data have none.
fn finish(
    model: &Model,
    rows: &RecordBatch,
    dataset: Option<&Dataset>,
    keys: &Keys,
) -> Result<RecordBatch, ModelsError> {
    let column = |name: &str| {
        rows.column_by_name(name)
            .ok_or_else(|| ModelsError::Column { mart: model.table.clone(), column: name.to_owned() })
    };
    let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    let mut push = |name: &str, values: ArrayRef| {
        fields.push(Field::new(name, values.data_type().clone(), is_measure(model, name)));
        columns.push(values);
    };
    if let Some(dataset) = dataset {
        push("sid", sids(model, column("unit")?, &dataset.universe, keys)?);
        push("case_sid", case_sids(model, column("case_ref")?, keys)?);
    }
    for described in
        model.columns.iter().filter(|c| dataset.is_none() || !matches!(c.name.as_str(), "unit" | "case_ref"))
    {
        push(&described.name, cast(column(&described.name)?, &type_of(described, dataset.is_some()))?);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// The column of a mart's file by which its rows are replaced.
pub(crate) fn key(has_units: bool) -> String {
    if has_units { "sid".to_owned() } else { states::hash_of(UNIT) }
}

/// The keys of a mart's rows for these values of its key.
pub(crate) fn keys_of(
    model: &Model,
    values: &[ArrayRef],
    dataset: Option<&Dataset>,
    keys: &Keys,
) -> Result<crate::keys::Keys, ModelsError> {
    let mut out = Vec::new();
    for values in values {
        match dataset {
            Some(dataset) => {
                let sids = sids(model, values, &dataset.universe, keys)?;
                out.extend(sids.as_primitive::<UInt64Type>().values());
            }
            None => out.extend(crate::keys::hashes(values)?.iter().flatten()),
        }
    }
    Ok(out.into_iter().collect())
}

/// A mart with `rows` in place of those of `keys`.
pub(crate) fn replace(
    mart: &RecordBatch,
    keys: &crate::keys::Keys,
    rows: &RecordBatch,
) -> Result<RecordBatch, ModelsError> {
    if keys.is_empty() {
        return Ok(mart.clone());
    }
    let with_key = to_file(mart)?;
    let key = key(mart.column_by_name("sid").is_some());
    let hashes = with_key.column(with_key.schema().index_of(&key)?);
    let others = filter_record_batch(mart, &not(&keys.mask(hashes))?)?;
    from_files(&mart.schema(), vec![others, rows.clone()])
}

/// The rows of a mart as its file has them.
pub(crate) fn to_file(rows: &RecordBatch) -> Result<RecordBatch, ModelsError> {
    if rows.column_by_name("sid").is_some() {
        return Ok(rows.clone());
    }
    states::with_hashes(rows, &[UNIT])
}

/// The rows of a mart from the files of its layers, the lowest first.
pub(crate) fn from_files(schema: &SchemaRef, parts: Vec<RecordBatch>) -> Result<RecordBatch, ModelsError> {
    let hash = states::hash_of(UNIT);
    let own: Vec<usize> = (0..schema.fields().len()).filter(|at| *schema.field(*at).name() != hash).collect();
    let parts = parts.into_iter().map(|rows| rows.project(&own)).collect::<Result<_, _>>()?;
    Ok(order::laid(&Arc::new(schema.project(&own)?), parts)?)
}

fn is_measure(model: &Model, name: &str) -> bool {
    model.column(name).is_some_and(|c| c.list.is_none() && !TIME.contains(&name) && !GIVEN.contains(&name))
}

fn type_of(column: &Column, dataset: bool) -> DataType {
    match column.name.as_str() {
        "agency" | "served_by" | "year" | "quarter" | "month" => DataType::UInt16,
        "occurred_from" => DataType::Int32,
        _ if column.many => DataType::Int64,
        _ if column.list.is_some() => DataType::UInt16,
        _ if dataset => DataType::Int64,
        "period_from" | "period_to" | "valid_from" | "valid_to" | "changed_on" | "counted_on" => DataType::Int32,
        "of_sex" | "of_age_group" => DataType::UInt16,
        "persons" | "share_per_mille" => DataType::Int64,
        "nil" => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

fn sids(model: &Model, units: &ArrayRef, universe: &str, keys: &Keys) -> Result<ArrayRef, ModelsError> {
    if let Some(persons) = units.as_fixed_size_binary_opt() {
        let sid = |at: usize| {
            let person = persons.value(at).try_into().expect("surrogates are 16 bytes wide");
            policy::sid(keys, universe, person)
        };
        return Ok(Arc::new((0..persons.len()).map(sid).collect::<UInt64Array>()));
    }
    let records = texts(model, units, "unit")?;
    let sid = |record: Option<&str>| policy::record_sid(keys, universe, record.unwrap_or(""));
    Ok(Arc::new(records.iter().map(sid).collect::<UInt64Array>()))
}

fn case_sids(model: &Model, cases: &ArrayRef, keys: &Keys) -> Result<ArrayRef, ModelsError> {
    let cases = texts(model, cases, "case_ref")?;
    let sid = |case: Option<&str>| policy::case_sid(keys, case.unwrap_or(""));
    Ok(Arc::new(cases.iter().map(sid).collect::<UInt64Array>()))
}

fn texts<'a>(model: &Model, column: &'a ArrayRef, name: &str) -> Result<&'a arrow::array::StringArray, ModelsError> {
    let missing = || ModelsError::Column { mart: model.table.clone(), column: name.to_owned() };
    column.as_string_opt::<i32>().ok_or_else(missing)
}
