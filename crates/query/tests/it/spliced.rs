//! Questions cut up and put together again at random: nonsense that nobody thought of. Each is answered or refused, in
//! time, and never by a defect.

use std::time::Duration;

use query::{Limits, Settings};

use crate::{ask, corpus, world};

/// Nonsense asked per run; `SPLICED=20000` asks more.
const COUNT: u64 = 400;

/// A sequence that is the same in each run (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

/// The beginning of one question and the end of another, sometimes with a word replaced.
fn splice(words: &[Vec<&str>], dice: &mut Dice) -> String {
    let (a, b) = (&words[dice.below(words.len())], &words[dice.below(words.len())]);
    let mut spliced: Vec<&str> = a[..=dice.below(a.len())].to_vec();
    spliced.extend(&b[dice.below(b.len())..]);
    for _ in 0..dice.below(3) {
        let other = &words[dice.below(words.len())];
        let at = dice.below(spliced.len());
        spliced[at] = other[dice.below(other.len())];
    }
    spliced.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_refused_and_never_a_defect() {
    let limits = Limits { time: Duration::from_secs(5), memory: 64 << 20, ..Limits::default() };
    let (reader, _) = world::reader_over(2, Settings { limits, ..Settings::default() }).await;
    let texts: Vec<String> = [corpus::ORDINARY, corpus::HOSTILE]
        .into_iter()
        .flat_map(corpus::read)
        .map(|case| case.sql)
        .filter(|sql| !sql.trim().is_empty() && sql.len() < 1_000)
        .map(|sql| sql.replace('(', " ( ").replace(')', " ) ").replace(',', " , "))
        .collect();
    let words: Vec<Vec<&str>> = texts.iter().map(|sql| sql.split_whitespace().collect()).collect();
    let count = std::env::var("SPLICED").ok().and_then(|n| n.parse().ok()).unwrap_or(COUNT);
    let mut dice = Dice(3);
    let (mut answered, mut wrong) = (0, Vec::new());
    for _ in 0..count {
        let sql = splice(&words, &mut dice);
        match ask(&reader, &sql, Vec::new()).await {
            Ok(_) => answered += 1,
            Err(refusal) if refusal.code.name() == "internal" => wrong.push(sql),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} defects, for instance:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(answered > 0, "some nonsense makes sense");
}
