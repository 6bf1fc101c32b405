//! `amanat sql`: a question over the published editions, by the same guarded path as over HTTP. Works beside a running `up`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema};
use ledger::Door;
use policy::Asker;
use query::{Answer, Param, Question};

use crate::cli::{Format, SqlArgs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::house::House;
use crate::{edition, readers};

/// Asks and prints.
pub fn run(config: Config, args: SqlArgs) -> anyhow::Result<()> {
    let sql = if args.sql == "-" { std::io::read_to_string(std::io::stdin())? } else { args.sql };
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let house = House::open(&dir, Door::Cli, config.privacy.slot()).await?;
        let reader = edition::reader(&config, &dir, house).await?;
        let params = args.param.into_iter().map(Param::Text).collect();
        let question =
            Question { params, asker: asker(&config)?, companions: args.companions, ahead: true, ..Question::new(sql) };
        let asked = reader.ask(question, tokio_util::sync::CancellationToken::new()).await;
        asked.map_err(|refusal| anyhow::Error::from(Failure::Refused(format!("{} [{}]", refusal, refusal.code.name()))))
    })?;
    exit::print_bytes(&match args.format {
        Format::Table => explained(&answer).map_or_else(|| table(&answer, dir.is_sample()), Ok)?.into_bytes(),
        // The same renderer as over HTTP: exact decimals, every column, nulls that are not empty texts.
        Format::Csv => endpoint::answer_as_csv(answer)?,
        Format::Json => endpoint::answer_as_json(answer)?,
    })
}

/// Whose key is at hand.
fn asker(config: &Config) -> anyhow::Result<Option<Asker>> {
    let Some(key) = readers::own_key(config) else { return Ok(None) };
    match readers::readers(config)?.find(&key, readers::today()) {
        Some(asker) => Ok(Some(asker.clone())),
        None => Err(Failure::Refused(format!(
            "nobody knows the key in {}; `amanat key new` makes one",
            readers::KEY_VARIABLE
        ))
        .into()),
    }
}

/// What EXPLAIN answered, over as many lines as it takes: one row of JSON would be a table wider than any screen.
fn explained(answer: &Answer) -> Option<String> {
    let [batch] = &answer.batches[..] else { return None };
    let is_explained = batch.num_columns() == 1 && batch.num_rows() == 1 && answer.schema.field(0).name() == "explain";
    let text = batch.columns().first().filter(|_| is_explained)?.as_string_opt::<i32>()?;
    let json: serde_json::Value = serde_json::from_str(text.value(0)).ok()?;
    Some(format!("{json:#}\n"))
}

fn table(answer: &Answer, synthetic: bool) -> anyhow::Result<String> {
    let batches = rewritten(answer)?;
    let rows = answer.row_count();
    let edition = answer.edition.map_or(String::new(), |number| format!(", edition {number}"));
    let made_up = if synthetic { ", SYNTHETIC: nobody in it exists" } else { "" };
    let drawn = arrow::util::pretty::pretty_format_batches(&batches)?;
    let mut text = format!("{drawn}\n{rows} row{}{edition}{made_up}\n", if rows == 1 { "" } else { "s" });
    for note in &answer.notes {
        text.push_str(&format!("{}: {}\n", note.code.name(), note.detail));
    }
    Ok(text)
}

/// Columns of exact decimals in a form that people read; the other columns as they are. At least one batch.
fn rewritten(answer: &Answer) -> anyhow::Result<Vec<RecordBatch>> {
    let empty = [RecordBatch::new_empty(Arc::clone(&answer.schema))];
    let batches = if answer.batches.is_empty() { &empty[..] } else { &answer.batches };
    let one = |batch: &RecordBatch| {
        let columns: Vec<ArrayRef> = batch.columns().iter().map(as_text).collect();
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
