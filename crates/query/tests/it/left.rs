//! Askers who leave, work whose time is over, work that panics: each question that was begun has an end in the log.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use disclosure::CellQuery;
use policy::{Asker, Datasets};
use query::{Begun, Code, EditionSource, Limits, Oracle, Outcome, Question, Reader, Refusal, ReleasedCells, Settings};
use tokio_util::sync::CancellationToken;

use crate::vault::{ByRule, analyst, figure, lists};
use crate::{ask, world};

const QUESTION: &str = "select province, count(*) from victims where year = 2024 group by province";

/// Answers by rule, once it is let go: it says when it is at work, and waits.
struct Held {
    by_rule: Arc<ByRule>,
    at_work: Mutex<mpsc::Sender<()>>,
    let_go: Mutex<mpsc::Receiver<Go>>,
    ended: Mutex<mpsc::Sender<Outcome>>,
}

/// What the vault does next.
enum Go {
    Answer,
    Panic,
}

/// The test's end of it.
struct Hold {
    at_work: mpsc::Receiver<()>,
    let_go: mpsc::Sender<Go>,
    ended: mpsc::Receiver<Outcome>,
}

/// Longer than any of this takes.
const PATIENCE: Duration = Duration::from_mins(1);

impl Hold {
    fn until_at_work(&self) {
        self.at_work.recv_timeout(PATIENCE).expect("the vault is asked");
    }

    fn outcome(&self) -> Outcome {
        self.ended.recv_timeout(PATIENCE).expect("the end is recorded")
    }
}

impl Oracle for Held {
    fn years(&self) -> RangeInclusive<u16> {
        self.by_rule.years()
    }

    fn datasets(&self) -> &Datasets {
        self.by_rule.datasets()
    }

    fn begin(&self, sql: &str, asker: &Asker) -> Result<Begun, Refusal> {
        self.by_rule.begin(sql, asker)
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        self.at_work.lock().expect("not poisoned").send(()).expect("the test listens");
        let go = self.let_go.lock().expect("not poisoned").recv_timeout(PATIENCE);
        match go.expect("it is let go") {
            Go::Answer => self.by_rule.ask(questions, asker),
            Go::Panic => std::panic::resume_unwind(Box::new("as a defect would")),
        }
    }

    fn end(&self, _: Begun, outcome: &Outcome) -> Result<(), Refusal> {
        self.ended.lock().expect("not poisoned").send(outcome.clone()).expect("the test listens");
        Ok(())
    }
}

async fn held(time: Duration) -> (Reader, Hold) {
    let (at_work, is_at_work) = mpsc::channel();
    let (let_go, is_let_go) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel();
    let oracle = Held {
        by_rule: ByRule::new(|_| Some(figure(200))),
        at_work: Mutex::new(at_work),
        let_go: Mutex::new(is_let_go),
        ended: Mutex::new(ended),
    };
    let source: Arc<dyn EditionSource> = Arc::new(world::Memory { visible: 2.into() });
    let catalogue = query::Catalogue { code_lists: lists(), ..world::catalogue() };
    let settings = Settings { limits: Limits { time, ..Limits::default() }, ..Settings::default() };
    let reader = Reader::open_with_vault(source, catalogue, settings, Arc::new(oracle)).await.expect("a reader");
    (reader, Hold { at_work: is_at_work, let_go, ended: has_ended })
}

fn asked(reader: &Reader) -> tokio::task::JoinHandle<Result<query::Answer, Refusal>> {
    let reader = reader.clone();
    let question = Question { asker: Some(analyst()), ..Question::new(QUESTION) };
    tokio::spawn(async move { reader.ask(question, CancellationToken::new()).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asker_who_leaves_while_the_vault_is_at_work_leaves_a_question_with_an_end() {
    let (reader, hold) = held(PATIENCE).await;
    let asker = asked(&reader);
    tokio::task::block_in_place(|| hold.until_at_work());
    asker.abort();
    assert!(asker.await.expect_err("it has left").is_cancelled());
    hold.let_go.send(Go::Answer).expect("it waits");
    let outcome = tokio::task::block_in_place(|| hold.outcome());
    assert_eq!(outcome.refused, Some(Code::Cancelled));
    let [one] = &outcome.questions[..] else { panic!("{outcome:?}") };
    assert_eq!((one.cells, one.suppressed), (8, 0), "what was charged for is told");
    assert!(hold.ended.try_recv().is_err(), "it has one end");
    assert!(ask(&reader, "select 1", Vec::new()).await.is_ok(), "the reader goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_time_is_over_in_the_vault_is_recorded_as_such() {
    let (reader, hold) = held(Duration::from_millis(300)).await;
    let asker = asked(&reader);
    tokio::task::block_in_place(|| hold.until_at_work());
    let refusal = asker.await.expect("no panic").expect_err("too long");
    assert_eq!(refusal.code, Code::TimeLimit);
    hold.let_go.send(Go::Answer).expect("it waits");
    assert_eq!(tokio::task::block_in_place(|| hold.outcome()).refused, Some(Code::TimeLimit));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_panics_is_a_refusal_with_an_end_and_the_next_question_is_answered() {
    let (reader, hold) = held(PATIENCE).await;
    let asker = asked(&reader);
    tokio::task::block_in_place(|| hold.until_at_work());
    hold.let_go.send(Go::Panic).expect("it waits");
    let refusal = asker.await.expect("no panic here").expect_err("a defect");
    assert!(!refusal.to_string().contains("as a defect would"), "{refusal}");
    assert_eq!(tokio::task::block_in_place(|| hold.outcome()).refused, Some(Code::ProtectedInternal));
    let next = asked(&reader);
    tokio::task::block_in_place(|| hold.until_at_work());
    hold.let_go.send(Go::Answer).expect("it waits");
    assert!(next.await.expect("no panic").is_ok());
    assert_eq!(tokio::task::block_in_place(|| hold.outcome()).refused, None);
}
