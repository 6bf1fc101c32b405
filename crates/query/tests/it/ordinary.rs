//! Ordinary questions are answered, and rightly.

use query::{Limits, Settings};

use crate::{ask, corpus, world, written};

#[tokio::test]
async fn ordinary_questions_are_answered_right() {
    let reader = world::reader(Limits::default()).await;
    let cases = corpus::read(corpus::ORDINARY);
    assert!(cases.len() >= 40, "{} questions", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        match ask(&reader, &case.sql, case.params.clone()).await {
            Err(refusal) => wrong.push(format!("line {}: {:?} {refusal}\n{}", case.line, refusal.code, case.sql)),
            Ok(answer) => {
                let rows = written(&answer);
                if rows != case.answer {
                    wrong.push(format!("line {}:\n{}\n--> {}", case.line, case.sql, rows.join("\n--> ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[tokio::test]
async fn while_nothing_is_published_words_are_answered_and_numbers_are_not() {
    let (reader, memory) = world::reader_over(0, Settings::default()).await;
    let refusal = ask(&reader, "select * from v01", Vec::new()).await.expect_err("no edition");
    assert_eq!(refusal.code.name(), "no_edition");
    let answer = ask(&reader, "select en from reference.sex order by code", Vec::new()).await.expect("words");
    assert_eq!((written(&answer), answer.edition), (vec!["Female".to_owned(), "Male".to_owned()], None));

    memory.visible.store(1, std::sync::atomic::Ordering::SeqCst);
    assert!(reader.refresh().await.expect("refreshed"), "an edition appeared");
    let answer = ask(&reader, "select distinct edition from v01", Vec::new()).await.expect("an answer");
    assert_eq!((written(&answer), answer.edition), (vec!["1".to_owned()], Some(1)));
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_in_the_same_order() {
    let reader = world::reader(Limits::default()).await;
    let sql = "select province, sex, sum(value) from indicator_values group by cube (province, sex)";
    let first = written(&ask(&reader, sql, Vec::new()).await.expect("an answer"));
    for _ in 0..5 {
        assert_eq!(written(&ask(&reader, sql, Vec::new()).await.expect("an answer")), first);
    }
}
