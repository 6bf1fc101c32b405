//! The tests of the `.yml` files, run at every refresh.
//!
//! Nulls and codes are looked at always: one pass over states and marts. Uniqueness, relationships and reconciliation
//! are questions to the engine and are asked when a refresh is `thorough`, as the program's tests are.
//!
//! Absent: repair. A mart that fails a test is not published: the refresh stops and names the file and the test.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt16Type};

use crate::engine::{Engine, Prepared, Table};
use crate::error::ModelsError;
use crate::graph::Leaves;
use crate::model::{Column, Model, Test};

/// The name under which a question finds the rows the model has just made.
pub(crate) const OUTPUT: &str = "made";

/// The questions of a model, with what each has counted so far.
pub(crate) struct Checks {
    questions: Vec<Question>,
    prepared: Vec<Arc<Prepared>>,
}

struct Question {
    test: String,
    /// What the sum of all buckets must be: nothing, or the number of rows made.
    must_be: MustBe,
    sum: i64,
}

#[derive(PartialEq)]
enum MustBe {
    Zero,
    Rows,
}

impl Checks {
    /// Plans the questions of a model over its inputs and its output.
    pub async fn plan(
        engine: &Engine,
        model: &Model,
        leaves: &Leaves,
        fold: &Prepared,
        thorough: bool,
    ) -> Result<Self, ModelsError> {
        let mut checks = Self { questions: Vec::new(), prepared: Vec::new() };
        if !thorough {
            return Ok(checks);
        }
        let mut tables = leaves.0.clone();
        tables.push(Table { name: OUTPUT.to_owned(), schema: fold.schema(), order: Vec::new() });
        for test in &model.tests {
            let Some((sql, must_be)) = question(test) else { continue };
            let prepared = engine.prepared(&model.path, &tables, &leaves.1, &sql).await;
            let prepared = prepared.map_err(|e| ModelsError::plan(model, e))?;
            checks.prepared.push(prepared);
            checks.questions.push(Question { test: format!("{test:?}"), must_be, sum: 0 });
        }
        Ok(checks)
    }

    /// The planned questions, once.
    pub fn queries(&mut self) -> Vec<Arc<Prepared>> {
        std::mem::take(&mut self.prepared)
    }

    /// Adds the answers of a bucket.
    pub fn note(&mut self, answers: &[i64]) {
        for (question, answer) in self.questions.iter_mut().zip(answers) {
            question.sum += answer;
        }
    }

    /// Fails with the first question whose answer is not right. So many rows were made.
    pub fn verdict(&self, model: &Model, rows: u64) -> Result<(), ModelsError> {
        for question in &self.questions {
            let wanted = if question.must_be == MustBe::Rows { rows as i64 } else { 0 };
            if question.sum != wanted {
                return Err(fails(model, question.test.clone()));
            }
        }
        Ok(())
    }
}

/// Fails with the first test of single values that does not hold in these rows.
pub(crate) fn rows(model: &Model, made: &RecordBatch) -> Result<(), ModelsError> {
    for test in &model.tests {
        let holds = match test {
            Test::NotNull(columns) => not_null(made, columns),
            Test::AcceptedValues => model.columns.iter().all(|column| accepted(made, column)),
            _ => true,
        };
        if !holds {
            return Err(fails(model, format!("{test:?}")));
        }
    }
    Ok(())
}

fn fails(model: &Model, test: String) -> ModelsError {
    ModelsError::Test { path: model.path.clone(), test }
}

fn question(test: &Test) -> Option<(String, MustBe)> {
    Some(match test {
        Test::Unique(columns) => {
            (format!("SELECT count(*) FROM (SELECT DISTINCT {} FROM {OUTPUT})", columns.join(", ")), MustBe::Rows)
        }
        Test::Relationship { column, to, key } => {
            (format!("SELECT count(*) FROM {OUTPUT} o LEFT ANTI JOIN {to} t ON o.{column} = t.{key}"), MustBe::Zero)
        }
        Test::Reconcile { with, distinct, only } => {
            let only = only.as_ref().map(|column| format!(" WHERE {column}")).unwrap_or_default();
            let columns = distinct.join(", ");
            (format!("SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {with}{only})"), MustBe::Rows)
        }
        Test::NotNull(_) | Test::AcceptedValues => return None,
    })
}

/// The single number that a question answers with.
pub(crate) fn number(batches: &[RecordBatch]) -> i64 {
    batches.iter().find(|b| b.num_rows() > 0).map_or(0, |b| b.column(0).as_primitive::<Int64Type>().value(0))
}

fn not_null(batch: &RecordBatch, columns: &[String]) -> bool {
    columns.iter().all(|name| batch.column_by_name(name).is_some_and(|column| column.null_count() == 0))
}

fn accepted(batch: &RecordBatch, column: &Column) -> bool {
    let Some(list) = column.list.as_deref().and_then(events::code_list::find) else { return true };
    let Some(values) = batch.column_by_name(&column.name) else { return false };
    let codes = list.codes.len();
    if column.many {
        let beyond = |bits: i64| bits <= 0 || bits >> codes != 0;
        return values.as_primitive_opt::<Int64Type>().is_some_and(|v| !v.iter().flatten().any(beyond));
    }
    if let Some(values) = values.as_primitive_opt::<UInt16Type>() {
        return values.iter().flatten().all(|code| usize::from(code) < codes);
    }
    values
        .as_primitive_opt::<Int64Type>()
        .is_some_and(|v| v.iter().flatten().all(|code| (0..codes as i64).contains(&code)))
}
