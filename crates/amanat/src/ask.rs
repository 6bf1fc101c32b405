//! `amanat sql`: a question over the published editions, by the same guarded path as over HTTP. Works beside a running `up`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema};
use query::{Answer, Param, Question};
use serde_json::{Value, json};

use crate::cli::{Format, SqlArgs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::edition;
use crate::exit::{self, Failure};

/// Asks and prints.
pub fn run(config: Config, args: SqlArgs) -> anyhow::Result<()> {
    let sql = if args.sql == "-" { std::io::read_to_string(std::io::stdin())? } else { args.sql };
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let reader = edition::reader(&config, &dir).await?;
        let question = Question { params: args.param.into_iter().map(Param::Text).collect(), ..Question::new(sql) };
        let asked = reader.ask(question, tokio_util::sync::CancellationToken::new()).await;
        asked.map_err(|refusal| anyhow::Error::from(Failure::Refused(format!("{} [{}]", refusal, refusal.code.name()))))
    })?;
    exit::print(&match args.format {
        Format::Table => table(&answer)?,
        Format::Csv => csv(&answer)?,
        Format::Json => format!("{}\n", as_json(&answer)?),
    })
}

fn table(answer: &Answer) -> anyhow::Result<String> {
    let batches = rewritten(answer, &as_text)?;
    let rows = answer.row_count();
    let edition = answer.edition.map_or(String::new(), |number| format!(", edition {number}"));
    let drawn = arrow::util::pretty::pretty_format_batches(&batches)?;
    Ok(format!("{drawn}\n{rows} row{}{edition}\n", if rows == 1 { "" } else { "s" }))
}

fn csv(answer: &Answer) -> anyhow::Result<String> {
    let mut out = Vec::new();
    let mut writer = arrow::csv::Writer::new(&mut out);
    for batch in rewritten(answer, &as_text)? {
        writer.write(&batch)?;
    }
    drop(writer);
    Ok(String::from_utf8(out)?)
}

/// `{columns, rows, row_count, edition}`, each row an object.
fn as_json(answer: &Answer) -> anyhow::Result<Value> {
    let mut out = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut out);
    for batch in rewritten(answer, &as_number)? {
        writer.write(&batch)?;
    }
    writer.finish()?;
    drop(writer);
    let rows: Value = if out.is_empty() { json!([]) } else { serde_json::from_slice(&out)? };
    let columns: Vec<&String> = answer.schema.fields().iter().map(|field| field.name()).collect();
    Ok(json!({"columns": columns, "rows": rows, "row_count": answer.row_count(), "edition": answer.edition}))
}

type Rewrite<'a> = &'a dyn Fn(&ArrayRef) -> ArrayRef;

/// Columns of exact decimals in a form that people or JSON read; the other columns as they are. At least one batch.
fn rewritten(answer: &Answer, rewrite: Rewrite<'_>) -> anyhow::Result<Vec<RecordBatch>> {
    let empty = [RecordBatch::new_empty(Arc::clone(&answer.schema))];
    let batches = if answer.batches.is_empty() { &empty[..] } else { &answer.batches };
    let one = |batch: &RecordBatch| {
        let columns: Vec<ArrayRef> = batch.columns().iter().map(rewrite).collect();
        let fields = batch.schema_ref().fields().iter().zip(&columns);
        let fields: Vec<Field> = fields.map(|(f, c)| Field::new(f.name(), c.data_type().clone(), true)).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    };
    batches.iter().map(one).collect()
}

/// A decimal without the zeros that say nothing.
fn as_text(column: &ArrayRef) -> ArrayRef {
    let DataType::Decimal128(_, scale) = column.data_type() else { return Arc::clone(column) };
    let numbers = column.as_primitive::<Decimal128Type>();
    let plain = |row: usize| {
        let text = numbers.value_as_string(row);
        if *scale > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    Arc::new((0..numbers.len()).map(|row| numbers.is_valid(row).then(|| plain(row))).collect::<StringArray>())
}

/// A decimal as JSON's number.
fn as_number(column: &ArrayRef) -> ArrayRef {
    let DataType::Decimal128(_, scale) = column.data_type() else { return Arc::clone(column) };
    let unit = 10_f64.powi(i32::from(*scale));
    let numbers = column.as_primitive::<Decimal128Type>();
    Arc::new(numbers.iter().map(|number| number.map(|number| number as f64 / unit)).collect::<Float64Array>())
}
