//! What asking gives and refuses, over editions in memory.

mod access;
mod companions;
mod corpus;
mod embargo;
mod fuzzed;
mod hostile;
mod known;
mod left;
mod limits;
mod ordinary;
mod pages;
mod protected;
mod reference;
mod sparse;
mod spliced;
mod tables;
mod through;
mod vault;
mod world;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use query::{Answer, Param, Question, Reader, Refusal};
use tokio_util::sync::CancellationToken;

/// Asks without limits of its own and without being cancelled.
pub async fn ask(reader: &Reader, sql: &str, params: Vec<Param>) -> Result<Answer, Refusal> {
    let question = Question { params, asker: Some(vault::analyst()), ..Question::new(sql) };
    reader.ask(question, CancellationToken::new()).await
}

/// The rows as `cell | cell`, numbers without closing zeros.
pub fn written(answer: &Answer) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in &answer.batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).expect("a plain type"))
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|c| plain(&c.value(row).to_string())).collect();
            rows.push(cells.join(" | "));
        }
    }
    rows
}

fn plain(cell: &str) -> String {
    if cell.contains('.') && cell.parse::<f64>().is_ok() {
        cell.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        cell.to_owned()
    }
}
