//! EXPLAIN of a question about protected tables: what would be asked, how wide its noise would be and what it would cost,
//! from the text, the catalogue and what was charged before (privacy.md 6.3).
//!
//! Absent: plans of DataFusion, sizes, row counts; anything from data. ANALYZE and VERBOSE are refused elsewhere.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use disclosure::{Amount, Breakdown, CellQuery, Quote};
use policy::{Asker, Dataset};
use serde_json::{Value, json};

use crate::current::Current;
use crate::guard::Guarded;
use crate::oracle::Oracle;
use crate::question::{Answer, Limits, Question, Turn};
use crate::refusal::{Code, Refusal};
use crate::run;

/// Words with which a query begins.
const BEGINNINGS: [&str; 3] = ["select", "with", "("];

/// The question behind EXPLAIN, its words at their places; `None` for any other text.
pub(crate) fn explained(question: &Question) -> Option<Question> {
    const WORD: &str = "explain";
    let text = question.sql.trim_start();
    let rest = text.get(WORD.len()..).filter(|_| text[..WORD.len()].eq_ignore_ascii_case(WORD))?;
    let begins = |word: &str| rest.trim_start().get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    let apart = rest.starts_with(|c: char| c.is_whitespace() || c == '(');
    let before = question.sql.len() - text.len();
    let sql = format!("{}{}{rest}", &question.sql[..before], " ".repeat(WORD.len()));
    (apart && BEGINNINGS.into_iter().any(begins)).then(|| Question { sql, ..question.clone() })
}

/// The answer to EXPLAIN: one row of JSON. `None` where the question reads no protected table: plans are not shown.
///
/// A question that would be refused is refused, with the same code and hint.
pub(crate) fn explain(
    question: &Question,
    limits: &Limits,
    current: &Current,
    oracle: &dyn Oracle,
) -> Result<Option<Answer>, Refusal> {
    let Guarded { questions, notes, .. } = run::guarded(question, limits, current, Some(oracle))?;
    if questions.is_empty() {
        return Ok(None);
    }
    let asker = question.asker.as_ref().ok_or_else(run::no_key)?;
    let described =
        questions.iter().map(|question| describe(question, oracle, asker)).collect::<Result<Vec<_>, _>>()?;
    let text = json!({"questions": described, "notes": notes}).to_string();
    let schema = Arc::new(Schema::new(vec![Field::new("explain", DataType::Utf8, false)]));
    let column = Arc::new(StringArray::from(vec![text]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "an explanation could not be written");
        Refusal::new(Code::Internal, "The question could not be explained; the fault is ours.")
    })?;
    let edition = current.latest().map(|edition| edition.edition);
    Ok(Some(Answer { schema, batches: vec![batch], edition, notes, turn: Turn::default() }))
}

fn describe(question: &CellQuery, oracle: &dyn Oracle, asker: &Asker) -> Result<Value, Refusal> {
    let Some(dataset) = oracle.datasets().get(&question.dataset) else { return Ok(Value::Null) };
    let texts = |level: &str, codes: &[u16]| -> Vec<String> {
        codes.iter().filter_map(|&code| dataset.code_text(level, code)).collect()
    };
    let population: serde_json::Map<String, Value> = question
        .population
        .iter()
        .map(|condition| (condition.level.clone(), json!(texts(&condition.level, &condition.codes))))
        .collect();
    let by: Vec<Value> = question.by.iter().map(|by| breakdown(by, &texts)).collect();
    let measures: Vec<Value> = oracle.quote(question, asker)?.iter().map(|quote| priced(quote, dataset)).collect();
    Ok(json!({
        "cell_query": question.id(),
        "dataset": question.dataset,
        "counts": format!("{:?}", dataset.unit).to_lowercase(),
        "population": population,
        "by": by,
        "cells": question.cells(dataset, oracle.years()),
        "measures": measures,
    }))
}

fn breakdown(by: &Breakdown, texts: &dyn Fn(&str, &[u16]) -> Vec<String>) -> Value {
    match by {
        Breakdown::Level(level) => json!(level),
        Breakdown::Classes { level, classes } => {
            json!({"level": level, "classes": classes.iter().map(|class| texts(level, class)).collect::<Vec<_>>()})
        }
    }
}

fn priced(quote: &Quote, dataset: &Dataset) -> Value {
    let measure = quote.measure.to_text();
    if quote.is_exact {
        return json!({"measure": measure, "exact": true, "grid": quote.grid});
    }
    let step = quote.step.micros();
    // Steps larger than one have a dither of half a step beside their noise.
    let dither = if step > Amount::ONE { step / 2 } else { 0 };
    let half_width = i128::from(quote.tier.half_width_95()) * step + dither;
    let weights: serde_json::Map<String, Value> =
        quote.weights.iter().map(|(counter, weight)| (counter.clone(), json!(weight))).collect();
    json!({
        "measure": measure,
        "grid": quote.grid,
        "floor": dataset.k,
        "variance": quote.tier.variance(),
        "half_width_95": half_width as f64 / 1e6,
        "free": quote.is_free,
        "charge": weights,
        "refused": if quote.is_affordable { Value::Null } else { json!("PRIV-1020") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_stands_before_a_query_and_leaves_its_words_where_they_are() {
        let of = |sql: &str| explained(&Question::new(sql)).map(|question| question.sql);
        assert_eq!(of(" EXPLAIN select 1").as_deref(), Some("         select 1"));
        assert_eq!(of("explain(select 1)").as_deref(), Some("       (select 1)"));
        for other in
            ["explain analyze select 1", "explain verbose select 1", "explained select 1", "select 1", "expl", "é"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
