//! A question past a limit is refused as a whole, its work stops, and others are served meanwhile.

use std::time::{Duration, Instant};

use query::{Code, Limits, Question, Refusal, Settings};
use tokio_util::sync::CancellationToken;

use crate::{ask, world};

/// Works until it is stopped.
const ENDLESS: &str = "select count(*) from indicator_values a, indicator_values b, indicator_values c, \
                       indicator_values d where a.value + b.value + c.value > d.value + 1000000000";

fn settings(limits: Limits) -> Settings {
    Settings { limits, threads: 1, at_once: 1, waiting: 0, ..Settings::default() }
}

fn seconds(n: u64) -> Limits {
    Limits { time: Duration::from_secs(n), ..Limits::default() }
}

#[tokio::test]
async fn a_row_too_many_is_a_refusal_and_never_a_shorter_answer() {
    let reader = world::reader(Limits { rows: 4, ..Limits::default() }).await;
    let four = ask(&reader, "select code from reference.province", Vec::new()).await.expect("four rows");
    assert_eq!(four.row_count(), 4);
    let five = "select code from reference.province union all select 'x'";
    let refusal = ask(&reader, five, Vec::new()).await.expect_err("five rows");
    assert_eq!(refusal.code, Code::RowLimit);
    assert!(refusal.detail.contains("more than 4 rows"), "{refusal}");
}

#[tokio::test]
async fn an_answer_counts_against_the_memory_of_its_question() {
    let limits = Limits { memory: 64 << 10, ..Limits::default() };
    let reader = world::reader(limits).await;
    assert!(ask(&reader, "select province from v01", Vec::new()).await.is_ok());
    let refusal = ask(&reader, "select a.* from v01 a, v01 b", Vec::new()).await.expect_err("4,356 rows");
    assert_eq!(refusal.code, Code::MemoryLimit);
}

#[tokio::test]
async fn a_question_may_ask_for_less_than_the_reader_allows_and_not_for_more() {
    let reader = world::reader(Limits { rows: 3, ..Limits::default() }).await;
    let question = |rows| Question {
        limits: Some(Limits { rows, ..Limits::default() }),
        ..Question::new("select code from reference.sex")
    };
    let own = reader.ask(question(1), CancellationToken::new()).await.expect_err("two rows");
    assert_eq!(own.code, Code::RowLimit);
    let four = Question { limits: Some(Limits::default()), ..Question::new("select code from reference.province") };
    let all = reader.ask(four, CancellationToken::new()).await.expect_err("four rows");
    assert!(all.detail.contains("more than 3 rows"), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_past_its_time_is_refused_at_once_and_its_work_stops() {
    let (reader, _) = world::reader_over(2, settings(seconds(1))).await;
    let begin = Instant::now();
    let refusal = ask(&reader, ENDLESS, Vec::new()).await.expect_err("endless");
    assert_eq!(refusal.code, Code::TimeLimit);
    assert!(begin.elapsed() < Duration::from_millis(1_200), "{:?}", begin.elapsed());
    served_again(&reader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_question_is_answered_as_such_and_its_work_stops() {
    let (reader, _) = world::reader_over(2, settings(seconds(60))).await;
    let cancel = CancellationToken::new();
    let asked = tokio::spawn({
        let (reader, cancel) = (reader.clone(), cancel.clone());
        async move { endless(&reader, cancel).await }
    });
    computing(&reader).await;
    cancel.cancel();
    let refusal = asked.await.expect("no panic");
    assert_eq!(refusal.code, Code::Cancelled);
    served_again(&reader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_asker_has_gone_stops() {
    let (reader, _) = world::reader_over(2, settings(seconds(60))).await;
    let asked = tokio::spawn({
        let reader = reader.clone();
        async move { endless(&reader, CancellationToken::new()).await }
    });
    computing(&reader).await;
    asked.abort();
    served_again(&reader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_more_than_may_wait_is_refused_as_busy() {
    let (reader, _) = world::reader_over(2, settings(seconds(60))).await;
    let asked = tokio::spawn({
        let reader = reader.clone();
        async move { endless(&reader, CancellationToken::new()).await }
    });
    computing(&reader).await;
    let refusal = ask(&reader, "select 1", Vec::new()).await.expect_err("no place");
    assert_eq!((refusal.code, refusal.status()), (Code::Busy, 429));
    asked.abort();
    served_again(&reader).await;
}

#[tokio::test]
async fn an_answer_that_is_still_being_read_keeps_its_turn() {
    let (reader, _) = world::reader_over(2, settings(seconds(60))).await;
    let answer = ask(&reader, "select 1", Vec::new()).await.expect("an answer");
    let copy = answer.turn.clone();
    drop(answer);
    assert_eq!(ask(&reader, "select 1", Vec::new()).await.expect_err("no place").code, Code::Busy);
    drop(copy);
    assert!(ask(&reader, "select 1", Vec::new()).await.is_ok());
}

/// Asks until there is a place.
async fn endless(reader: &query::Reader, cancel: CancellationToken) -> Refusal {
    loop {
        let refusal = reader.ask(Question::new(ENDLESS), cancel.clone()).await.expect_err("endless");
        if refusal.code != Code::Busy {
            return refusal;
        }
    }
}

/// Waits until the only turn is taken: until another question has no place.
async fn computing(reader: &query::Reader) {
    while ask(reader, "select 1", Vec::new()).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Waits until the only turn is free again, which must be soon.
async fn served_again(reader: &query::Reader) {
    let begin = Instant::now();
    while ask(reader, "select 1", Vec::new()).await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(2), "the work goes on");
        tokio::task::yield_now().await;
    }
}
