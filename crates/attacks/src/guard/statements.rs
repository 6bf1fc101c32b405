//! `guard.generated_sql`: statements of a grammar and mutations of the corpora, put to the guard; a share of them are asked to
//! the end (privacy.md 6.16, 4).
//!
//! A statement fails when a protected table is scanned outside the vault (its scan is an error of ours, `PRIV-5000`, and
//! so is a plan that still has one), when a panic is seen, or when a canary or a key stands in any text: answer, refusal,
//! hint, notes, logs, metrics. Most are put to the guard alone, which reads no value; one in [`ASKED`] goes through the
//! endpoint to a vault and back. Each follows from the seed and its number, so that one that fails can be made again; it
//! is told shortened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use policy::Policy;
use query::{Code, Limits};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::Found;
use super::asking::Grammar;
use super::country::{canaries, country};
use super::mutate::{Pool, mutated, shortened, statements, words};
use super::rules::RULES;
use super::wild::Wild;
use crate::people::People;
use crate::target::{Door, Sql, Target, secrets};

/// Units of each dataset.
const UNITS: usize = 600;
/// One statement in so many is asked to the end.
const ASKED: u64 = 20;
/// Statements after which a vault forgets, so that asking stays quick.
const VAULT: u64 = 4_000;
/// The number of the vault's keys.
const KEYS: u64 = 1;
/// Limits of what is asked: a statement that means much work is none of what is looked for.
const LIMITS: Duration = Duration::from_secs(2);
/// Failures that are told.
const TOLD: usize = 10;
const WORKERS: u64 = 2;

/// Panics of this process so far.
static PANICS: AtomicU64 = AtomicU64::new(0);
/// What was logged since it was last looked at.
static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// What was counted: its text is the body of `/metrics`.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
/// What no text may hold: canaries among the records, and the keys.
static FORBIDDEN: LazyLock<Vec<String>> = LazyLock::new(|| canaries().into_iter().chain(secrets(KEYS)).collect());

/// What statements are made from.
struct Maker<'a> {
    policy: &'a Policy,
    country: &'a [People],
    wild: Wild,
    /// Statements of the corpora, in words.
    seeds: Vec<Vec<String>>,
    pool: Pool,
    seed: u64,
}

#[derive(Default)]
struct Tally {
    /// By what made it and what became of it.
    outcomes: BTreeMap<String, u64>,
    asked: BTreeMap<String, u64>,
    failures: Vec<String>,
}

/// Puts so many statements to the guard.
pub fn run(count: u64, seed: u64) -> Result<Found> {
    let policy = Arc::new(Policy::default());
    let mut country = country(&policy, UNITS, &mut ChaCha8Rng::seed_from_u64(seed));
    for (name, people) in (1..).zip(&mut country) {
        people.name = name;
    }
    listen();
    let maker = Maker::new(&policy, &country, seed)?;
    let began = Instant::now();
    let tallies = std::thread::scope(|scope| {
        let work = |worker: u64| {
            let (policy, maker) = (&policy, &maker);
            scope.spawn(move || work(policy, maker, (worker..count).step_by(WORKERS as usize)))
        };
        let workers: Vec<_> = (0..WORKERS).map(work).collect();
        let ended = workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a worker broke off"))?);
        ended.collect::<Result<Vec<Tally>>>()
    })?;
    let was_asked = tallies.iter().any(|tally| !tally.asked.is_empty());
    ensure!(!was_asked || counted().contains("amanat_http_requests_total"), "nobody looked at what is counted");
    Ok(found(count, &tallies, began.elapsed()))
}

/// Where logs go.
struct Kept;
impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGS.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts panics and keeps logs and metrics from now on.
fn listen() {
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::Relaxed);
    }));
    // Where another has been set, as in a test, its logs are its own.
    let _ = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        // The fraction of a second of a log line's time can have the digits of a canary.
        .without_time()
        .with_writer(|| Kept)
        .try_init();
    if let Ok(recorder) = PrometheusBuilder::new().install_recorder() {
        let _ = METRICS.set(recorder);
    }
}

/// The text of `/metrics`.
fn counted() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

impl<'a> Maker<'a> {
    fn new(policy: &'a Policy, country: &'a [People], seed: u64) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let read = |file: &Path| std::fs::read_to_string(file).with_context(|| format!("{:?}", file.file_name()));
        let mut texts = Vec::new();
        for part in ["attacks", "questions"] {
            let mut files: Vec<_> = std::fs::read_dir(folder.join(part))?
                .map(|file| file.map(|file| file.path()))
                .collect::<Result<_, _>>()?;
            files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
            files.sort();
            for file in files {
                texts.extend(statements(&read(&file)?));
            }
        }
        let seeds: Vec<Vec<String>> = texts.iter().map(|text| words(text)).collect();
        let wild = Wild::new(policy);
        let pool = Pool::new(seeds.iter().flatten().cloned().chain(wild.words()));
        Ok(Self { policy, country, wild, seeds, pool, seed })
    }

    /// What made a statement, and the statement.
    fn statement(&self, number: u64) -> (&'static str, String) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number);
        match number / WORKERS % 4 {
            0 => ("grammar of questions", self.question(&mut rng)),
            1 => ("grammar of all SQL", self.wild.statement(&mut rng)),
            2 => ("question mutated", mutated(&[words(&self.question(&mut rng))], &self.pool, &mut rng)),
            _ => ("corpus mutated", mutated(&self.seeds, &self.pool, &mut rng)),
        }
    }

    /// A question said in one of the ways.
    fn question(&self, rng: &mut ChaCha8Rng) -> String {
        let asking = Grammar { policy: self.policy, country: self.country, about: None }.asking(rng);
        let rule = &RULES[rng.random_range(0..RULES.len())];
        (rule.say)(&asking).map_or_else(|| asking.plain().text(), |(_, otherwise)| otherwise.sql)
    }
}

fn work(policy: &Arc<Policy>, maker: &Maker<'_>, numbers: impl Iterator<Item = u64>) -> Result<Tally> {
    let door = Door::limited(policy, Limits { time: LIMITS, ..Limits::default() })?;
    let rows: Vec<&People> = maker.country.iter().collect();
    let mut tally = Tally::default();
    for (done, number) in (0_u64..).zip(numbers) {
        if done % VAULT == 0 {
            door.open(Target::Ours, KEYS, &rows)?;
        }
        let (made_by, sql) = maker.statement(number);
        let is_asked = done % ASKED == done / ASKED % ASKED;
        let judged = if is_asked { asked(&door, &sql) } else { compiled(&door, &sql) };
        let (outcome, wrong) = judged;
        if let Some(wrong) = wrong {
            let fails =
                |sql: &str| if is_asked { asked(&door, sql).1.is_some() } else { compiled(&door, sql).1.is_some() };
            tally.failures.push(format!("statement {number}: {wrong}: {}", shortened(&sql, fails)));
        }
        if is_asked {
            *tally.asked.entry(outcome).or_default() += 1;
        } else {
            *tally.outcomes.entry(format!("{made_by}: {outcome}")).or_default() += 1;
        }
    }
    Ok(tally)
}

/// What the guard makes of a statement, and what is wrong with that.
fn compiled(door: &Door, sql: &str) -> (String, Option<String>) {
    match door.compile(sql) {
        Ok(questions) if questions.is_empty() => {
            ("no protected table".to_owned(), wrong("", &format!("{questions:?}")))
        }
        Ok(questions) => ("asks the vault".to_owned(), wrong("", &format!("{questions:?}"))),
        Err(refusal) => {
            let text = format!("{} {}", refusal.detail, refusal.hint.clone().unwrap_or_default());
            let code = refusal.code.name().to_owned();
            let wrong = wrong(&code, &text);
            (code, wrong)
        }
    }
}

/// The same of a statement that is asked to the end.
fn asked(door: &Door, sql: &str) -> (String, Option<String>) {
    let reply = door.ask(sql);
    let code = if reply.is_answer() { "answered".to_owned() } else { reply.code() };
    if code.is_empty() {
        return (code, Some("no answer".to_owned()));
    }
    let in_metrics = || holds(&without_fractions(&counted())).then(|| "a canary or a key in the metrics".to_owned());
    let wrong = wrong(&code, &reply.text).or_else(in_metrics);
    (code, wrong)
}

/// What is wrong with a code and a text, with what was logged and whether a panic was seen beside it.
fn wrong(code: &str, text: &str) -> Option<String> {
    if [Code::Internal.name(), Code::ProtectedInternal.name()].contains(&code) {
        return Some(format!("a defect of ours ({code})"));
    }
    if PANICS.swap(0, Ordering::Relaxed) > 0 {
        return Some("a panic".to_owned());
    }
    let logs = std::mem::take(&mut *LOGS.lock().unwrap_or_else(PoisonError::into_inner));
    let logs = String::from_utf8_lossy(&logs);
    match (holds(text), holds(&logs)) {
        (true, _) => Some("a canary or a key in a text".to_owned()),
        (_, true) => Some("a canary or a key in a log".to_owned()),
        (false, false) => None,
    }
}

/// Metrics with the fraction of each value left out: sums of seconds have so many digits there that those of a canary
/// come by chance. What is told of a person would be a label or a whole number.
fn without_fractions(metrics: &str) -> String {
    let whole = |line: &str| match line.rsplit_once(' ') {
        Some((name, value)) => format!("{name} {}\n", value.split('.').next().unwrap_or_default()),
        None => format!("{line}\n"),
    };
    metrics.lines().map(whole).collect()
}

/// Whether a text has a canary or a key in it.
fn holds(text: &str) -> bool {
    FORBIDDEN.iter().any(|forbidden| text.contains(forbidden))
}

fn found(count: u64, tallies: &[Tally], took: Duration) -> Found {
    let failures: Vec<&String> = tallies.iter().flat_map(|tally| &tally.failures).collect();
    let sum = |of: &dyn Fn(&Tally) -> &BTreeMap<String, u64>| {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, count) in tallies.iter().flat_map(of) {
            *sums.entry(name).or_default() += count;
        }
        json!(sums)
    };
    let asked: u64 = tallies.iter().flat_map(|tally| tally.asked.values()).sum();
    Found {
        value: failures.len().to_string(),
        met: failures.is_empty(),
        details: json!({
            "statements": count,
            "asked_to_the_end": asked,
            "statements_a_second": (count as f64 / took.as_secs_f64()).round(),
            "put_to_the_guard": sum(&|tally| &tally.outcomes),
            "asked": sum(&|tally| &tally.asked),
            "failures": failures.into_iter().take(TOLD).collect::<Vec<_>>(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_a_panic_and_a_canary_or_a_key_in_a_text_or_a_log_are_failures_and_a_refusal_is_none() {
        assert_eq!(wrong("syntax", "There is no table 8 or 917."), None);
        assert!(wrong(Code::ProtectedInternal.name(), "").is_some());
        assert!(wrong(Code::Internal.name(), "").is_some());
        assert!(wrong("answered", r#"{"rows":[[7770000000009]]}"#).is_some());
        LOGS.lock().unwrap().extend(b"sum of 917381");
        assert!(wrong("answered", "").is_some());
        for key in secrets(KEYS) {
            assert!(wrong("answered", &format!(r#"{{"rows":[["{key}"]]}}"#)).is_some());
            LOGS.lock().unwrap().extend(format!("key={key} role=ministry").into_bytes());
            assert!(wrong("answered", "").is_some());
        }
        PANICS.store(1, Ordering::Relaxed);
        assert!(wrong("answered", "").is_some());
        assert_eq!(wrong("answered", ""), None);
    }

    #[test]
    fn what_is_counted_of_questions_is_looked_at_and_has_no_canary_and_no_key_in_it() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let counted = metrics::with_local_recorder(&recorder, || {
            let policy = Arc::new(Policy::default());
            let people = country(&policy, 60, &mut ChaCha8Rng::seed_from_u64(1));
            let door = Door::new(&policy).unwrap();
            door.open(Target::Ours, KEYS, &people.iter().collect::<Vec<_>>()).unwrap();
            assert!(door.ask("select count(*) from victims").is_answer());
            let canary = canaries()[0].clone();
            assert!(!door.ask(&format!("select count(*) from victims where person_id = '{canary}'")).is_answer());
            handle.render()
        });
        assert!(counted.contains(r#"amanat_sql_refusals_total{code="PRIV-1002"} 1"#), "{counted}");
        let is_found = |counted: &str| holds(&without_fractions(counted));
        assert!(!is_found(&counted), "{counted}");
        let amount = crate::guard::country::CANARY_AMOUNT;
        assert!(is_found(&format!("{counted}\namanat_sum {amount}")));
        assert!(is_found(&format!("{counted}\namanat_sum {amount}.0")));
        assert!(is_found(&format!("{counted}\namanat_total{{of=\"{amount}\"}} 1")));
        assert!(!is_found(&format!("{counted}\namanat_sql_seconds_sum 0.000{amount}")), "a time, by chance");
    }
}
