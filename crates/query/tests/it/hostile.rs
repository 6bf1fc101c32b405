//! What must not be answered is refused with its code, or ends at a limit; the reader goes on.

use std::time::{Duration, Instant};

use query::{Limits, Settings};

use crate::{ask, corpus, world};

/// Long enough for an honest question in a development build, short enough for a test.
const TIME: Duration = Duration::from_secs(2);

/// Within this the work of a refused question has stopped.
const TO_STOP: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_are_refused_or_bounded() {
    let limits = Limits { time: TIME, memory: 64 << 20, ..Limits::default() };
    // One turn: whatever a question leaves running, the next one waits for.
    let settings = Settings { limits, threads: 1, at_once: 1, ..Settings::default() };
    let (reader, _) = world::reader_over(2, settings).await;
    let cases = corpus::read(corpus::HOSTILE);
    assert!(cases.len() >= 200, "{} statements", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let begin = Instant::now();
        let got = match ask(&reader, &case.sql, case.params.clone()).await {
            Ok(_) => "ok",
            Err(refusal) => {
                if refusal.code.name() == "internal" {
                    wrong.push(format!("line {}: {refusal}", case.line));
                }
                refusal.code.name()
            }
        };
        let took = begin.elapsed();
        let begin = Instant::now();
        let next = ask(&reader, "select 1", Vec::new()).await;
        let stopped = begin.elapsed();
        if next.is_err() || stopped > TO_STOP {
            wrong.push(format!("line {}: its work went on for {stopped:?}", case.line));
        }
        let shown: String = case.sql.chars().take(200).collect();
        if !case.expect.iter().any(|e| e == got) {
            wrong.push(format!("line {}: {got}, not {}\n{shown}", case.line, case.expect.join(" or ")));
        }
        if took > TIME + Duration::from_millis(200) {
            wrong.push(format!("line {}: took {took:?}\n{shown}", case.line));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
    assert!(ask(&reader, "select 1", Vec::new()).await.is_ok(), "the reader goes on");
    for file in ["/tmp/amanat.csv", "/tmp/amanat.parquet"] {
        assert!(!std::path::Path::new(file).exists(), "{file} was written");
    }
}
