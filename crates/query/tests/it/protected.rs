//! What a question over protected tables asks of the vault, and which are refused (privacy.md 6.3).

use query::{Limits, Param, Question, Reader};

use crate::vault::{ByRule, figure, line, number};
use crate::{ask, corpus, vault, world, written};

/// The questions in codes of a text, and its notes; or the code of its refusal.
fn compiled(reader: &Reader, sql: &str, params: Vec<Param>) -> Result<Vec<String>, String> {
    match reader.compile(&Question { params, ..Question::new(sql) }) {
        Ok((questions, notes)) => {
            let mut lines: Vec<String> = questions.iter().map(line).collect();
            lines.extend(notes.iter().map(|note| note.code.name().to_owned()));
            Ok(lines)
        }
        Err(refusal) => Err(format!("{} {refusal}", refusal.code.name())),
    }
}

#[tokio::test]
async fn the_examples_of_the_specification_ask_what_it_says() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let cases = corpus::read(corpus::PROTECTED);
    assert!(cases.len() >= 40, "{} questions", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let got = compiled(&reader, &case.sql, case.params.clone());
        let code = got.as_ref().err().map_or("ok", |error| error.split(' ').next().unwrap_or_default()).to_owned();
        let lines = got.clone().unwrap_or_default();
        if !case.expect.contains(&code) || lines != case.answer {
            let told = got.err().unwrap_or_default();
            wrong.push(format!("line {}: {code} {told}\n{}\n--> {}", case.line, case.sql, lines.join("\n--> ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_specification_are_computed_over_hidden_cells() {
    let reader = vault::reader(ByRule::new(|_| None)).await;
    let mut wrong = Vec::new();
    for case in corpus::read(corpus::PROTECTED).iter().filter(|case| case.expect == ["ok"]) {
        if let Err(refusal) = ask(&reader, &case.sql, case.params.clone()).await {
            wrong.push(format!("line {}: {} {refusal}\n{}", case.line, refusal.code.name(), case.sql));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_a_row_for_every_code_and_null_where_a_cell_is_hidden() {
    let oracle = ByRule::new(|at| {
        at.iter()
            .any(|(level, code)| level == "province" && ["PK-PB", "PK-SD"].contains(&code.as_str()))
            .then(|| figure(200))
    });
    let reader = vault::reader(oracle.clone()).await;
    let sql = "select province, count(*) from victims where year = 2024 group by province";
    let question = Question { asker: "analyst".to_owned(), ..Question::new(sql) };
    let answer = reader.ask(question, tokio_util::sync::CancellationToken::new()).await.expect("an answer");
    let shown = number(&figure(200));
    let expected = [
        format!("PK-PB | {shown}"),
        format!("PK-SD | {shown}"),
        "PK-KP | NULL".to_owned(),
        "PK-BA | NULL".to_owned(),
        "PK-IS | NULL".to_owned(),
        "PK-GB | NULL".to_owned(),
        "PK-JK | NULL".to_owned(),
        "_X | NULL".to_owned(),
    ];
    assert_eq!(written(&answer), expected);
    let asked = oracle.asked.lock().expect("not poisoned");
    assert_eq!((asked.len(), asked[0].0.len(), asked[0].1.as_str()), (1, 1, "analyst"));
}

#[tokio::test]
async fn without_an_oracle_there_are_no_protected_tables() {
    let reader = world::reader(Limits::default()).await;
    let refusal = ask(&reader, "select count(*) from victims", Vec::new()).await.expect_err("no table");
    assert_eq!(refusal.code.name(), "unknown_table");
    assert!(refusal.hint.is_some_and(|hint| hint.contains("Case records cannot be queried")));
}
