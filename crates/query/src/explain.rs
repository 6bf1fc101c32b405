//! EXPLAIN of a question about protected tables: what would be asked, how wide its noise would be and what it would cost,
//! from the text, the catalogue and what was charged before (privacy.md 6.3).
//!
//! A question that would be refused for its form is refused here with the same code and hint.
//!
//! Absent: plans of DataFusion, sizes, row counts; anything from data. ANALYZE and VERBOSE are refused elsewhere.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use disclosure::{Amount, Breakdown, CellQuery, Quote};
use policy::{Asker, Dataset, Resolved};
use serde_json::{Value, json};

use crate::current::Current;
use crate::guard::Guarded;
use crate::notes::Note;
use crate::oracle::Oracle;
use crate::order::Ordered;
use crate::question::{Answer, Question, Turn};
use crate::refusal::{Code, Refusal};

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

/// The answer to EXPLAIN of a question about protected tables: one row of JSON. What the asker's share could not pay for is
/// shown with its price, and with the refusal that asking would meet.
pub(crate) fn explain(
    guarded: Guarded,
    asker: &Asker,
    current: &Current,
    oracle: &dyn Oracle,
) -> Result<Answer, Refusal> {
    let Guarded { questions, notes, .. } = guarded;
    let all = questions.clone();
    // In the order in which they would be asked: each is charged after the ones before it.
    let ordered = Ordered::coarse_to_fine(questions, oracle.datasets(), &oracle.years());
    let quoted = tokio::task::block_in_place(|| oracle.quote(&ordered.questions, asker))?;
    let mut quotes = quoted.questions;
    quotes.resize(ordered.questions.len(), Vec::new());
    let quotes = ordered.put_back(quotes).ok_or_else(Refusal::ours)?;
    let described: Vec<Value> =
        all.iter().zip(&quotes).map(|(question, quotes)| described(question, quotes, oracle)).collect();
    let refused = quoted.spent.as_ref().map(Refusal::spent);
    let text = json!({"questions": described, "refused": refused.as_ref().map(told), "notes": notes}).to_string();
    answer(text, notes, current)
}

/// The one column of an explanation.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("explain", DataType::Utf8, false)]))
}

fn answer(text: String, notes: Vec<Note>, current: &Current) -> Result<Answer, Refusal> {
    let schema = schema();
    let column = Arc::new(StringArray::from(vec![text]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "an explanation could not be written");
        Refusal::new(Code::Internal, "The question could not be explained; the fault is ours.")
    })?;
    let edition = current.latest().map(|edition| edition.edition);
    Ok(Answer { schema, batches: vec![batch], edition, notes, turn: Turn::default() })
}

/// The refusal of the whole statement.
fn told(refusal: &Refusal) -> Value {
    json!({"code": refusal.code.name(), "detail": refusal.detail, "hint": refusal.hint})
}

fn described(question: &CellQuery, quotes: &[Quote], oracle: &dyn Oracle) -> Value {
    let Some(dataset) = oracle.datasets().get(&question.dataset) else { return Value::Null };
    let population: serde_json::Map<String, Value> = question
        .population
        .iter()
        .map(|condition| (condition.level.clone(), json!(texts(dataset, &condition.level, &condition.codes))))
        .collect();
    let groups = question.groups(dataset, oracle.years());
    let by = question.by.iter().zip(groups).map(|(by, groups)| breakdown(by, groups.len(), dataset, oracle));
    json!({
        "cell_query": question.id(),
        "dataset": question.dataset,
        "counts": format!("{:?}", dataset.unit).to_lowercase(),
        "population": population,
        "by": by.collect::<Vec<_>>(),
        "cells": question.cells(dataset, oracle.years()),
        "measures": quotes.iter().map(|quote| priced(quote, dataset)).collect::<Vec<_>>(),
    })
}

/// A breakdown with the list that it is closed over: the answer has a row for each group that the population leaves,
/// whether anybody is in it or not.
fn breakdown(by: &Breakdown, groups: usize, dataset: &Dataset, oracle: &dyn Oracle) -> Value {
    let level = by.level();
    let codes = dataset.codes(level, oracle.years()).unwrap_or_default().len();
    // Periods and bands have no list but their own.
    let list = dataset.resolve(level).and_then(Resolved::list).unwrap_or(level);
    let mut said = json!({"level": level, "code_list": list, "codes": codes, "groups": groups});
    if let Breakdown::Classes { classes, .. } = by {
        said["classes"] = classes.iter().map(|class| json!(texts(dataset, level, class))).collect();
    }
    said
}

fn texts(dataset: &Dataset, level: &str, codes: &[u16]) -> Vec<String> {
    codes.iter().filter_map(|&code| dataset.code_text(level, code)).collect()
}

/// What a measure costs, and the widest noise and highest floor that its cells may have.
fn priced(quote: &Quote, dataset: &Dataset) -> Value {
    let measure = quote.measure.to_text();
    if quote.is_exact {
        return json!({"measure": measure, "exact": true, "grid": quote.grid});
    }
    let step = quote.step.micros();
    // Steps larger than one have a dither of half a step beside their noise.
    let dither = if step > Amount::ONE { step / 2 } else { 0 };
    let half_width = i128::from(quote.tier().half_width_95()) * step + dither;
    let weights: serde_json::Map<String, Value> =
        quote.weights.iter().map(|(counter, weight)| (counter.clone(), json!(weight))).collect();
    json!({
        "measure": measure,
        "grid": quote.grid,
        "profile": quote.profile.name(),
        "floor": quote.floor(dataset),
        "variance": quote.tier().variance(),
        "half_width_95": half_width as f64 / 1e6,
        "free": quote.is_free,
        "charge": weights,
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
