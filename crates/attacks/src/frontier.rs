//! Utility against A7: the lattice attack under other weights and schedules of the charges (privacy.md 6.8: "to be set by
//! simulation of A7 on the default file").
//!
//! Absent: how many questions each answers; that is `cargo xtask figures guard.questions`.

use std::fmt::Write;
use std::sync::Mutex;

use anyhow::{Result, anyhow};
use policy::{Charging, Schedule};

use crate::lattice::{Kind, Lattice, Order, Outcome};
use crate::target::Target;

/// Orders that have been the best of one or another; 1-way first never was, but where all tables can be paid.
const ORDERS: [Order; 2] = [Order::Greedy, Order::Descending];
/// Workers: the machines that this is for have two cores.
const WORKERS: usize = 2;

/// Weights and schedules, and the secrets of which they decide.
struct Alternative {
    name: &'static str,
    charging: Charging,
    kinds: &'static [Kind],
    codes: usize,
    overlapping: bool,
}

fn alternatives() -> Vec<Alternative> {
    let now = Charging::default();
    let presence = |until, halves| Charging { presence: Schedule { until, halves, ..now.presence }, ..now };
    let secret = |until| Charging {
        std: Schedule { until, ..now.std },
        sens: Schedule { until, ..now.sens },
        high: Schedule { until, ..now.high },
        many_until: until,
        ..now
    };
    let many = |many| Charging { many, ..now };
    let of = |name, charging, kinds, codes| Alternative {
        name,
        charging,
        kinds,
        codes,
        overlapping: name.contains("overlapping"),
    };
    vec![
        of("in force", now, &Kind::ALL, 2),
        of("in force, one code read", now, &Kind::ALL, 1),
        of("secret T0 = 8", secret(8), &SECRET, 2),
        of("secret T0 = 6", secret(6), &SECRET, 2),
        of("secret T0 = 5", secret(5), &SECRET, 2),
        of("secret T0 = 4", secret(4), &SECRET, 2),
        of("secret T0 = 3", secret(3), &SECRET, 2),
        of("many-valued ×3", many(3), &[Kind::Many], 2),
        of("many-valued ×2", many(2), &[Kind::Many], 2),
        of("many-valued ×1", many(1), &[Kind::Many], 2),
        of("many-valued ×1, overlapping knowledge", many(1), &[Kind::Std, Kind::Sens], 2),
        of("many-valued ×2, overlapping knowledge", many(2), &[Kind::Std, Kind::Sens], 2),
        of("A: attributes of acts are no dimensions", Charging { dimension: 1, ..now }, &[Kind::Plain], 2),
        of("presence T0 = 128", presence(128, 3), &[Kind::Plain], 2),
        of("presence T0 = 64", presence(64, 3), &[Kind::Plain], 2),
        of("presence T0 = 64, gamma 2", presence(64, 4), &[Kind::Plain], 2),
        of("presence T0 = 48", presence(48, 3), &[Kind::Plain], 2),
        of("presence T0 = 32", presence(32, 3), &[Kind::Plain], 2),
        of("presence T0 = 32, gamma 2", presence(32, 4), &[Kind::Plain], 2),
        of("presence T0 = 28", presence(28, 3), &[Kind::Plain], 2),
        of("presence T0 = 26", presence(26, 3), &[Kind::Plain], 2),
        of("presence T0 = 24", presence(24, 3), &[Kind::Plain], 2),
        of("presence T0 = 16", presence(16, 3), &[Kind::Plain], 2),
    ]
}

/// Secrets with a counter of their own.
const SECRET: [Kind; 4] = [Kind::Std, Kind::Sens, Kind::High, Kind::Many];

/// Attacks every alternative in every order, and tells the best order of each as a line of a table.
pub fn frontier(persons: usize, populations: u64, only: &str) -> Result<String> {
    let mut alternatives = alternatives();
    alternatives.retain(|alternative| alternative.name.contains(only));
    let attacks: Vec<(&str, Lattice)> = alternatives
        .iter()
        .flat_map(|alternative| alternative.kinds.iter().map(move |&kind| (alternative, kind)))
        .flat_map(|(alternative, kind)| {
            let attack = move |order| Lattice {
                kind,
                order,
                persons,
                codes: alternative.codes,
                overlapping: alternative.overlapping,
                charging: alternative.charging,
            };
            ORDERS.map(|order| (alternative.name, attack(order)))
        })
        .collect();
    let outcomes = run(&attacks, populations)?;
    let mut text =
        "| charges | secret | tables | best order | surest 5 % (goal) | all (goal) |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (attacks, outcomes) in attacks.chunks(ORDERS.len()).zip(outcomes.chunks(ORDERS.len())) {
        let by_surest =
            |a: &&(usize, &Outcome), b: &&(usize, &Outcome)| a.1.surest.accuracy().total_cmp(&b.1.surest.accuracy());
        let numbered: Vec<(usize, &Outcome)> = outcomes.iter().enumerate().collect();
        let Some((at, best)) = numbered.iter().max_by(by_surest) else { continue };
        let all = outcomes.iter().map(|outcome| outcome.all.accuracy()).fold(0.0, f64::max);
        let (name, attack) = attacks[*at];
        let [surest, everybody] = attack.kind.goals();
        let _ = writeln!(
            text,
            "| {name} | {} | {} of 41 | {} | {:.3} ({surest:.2}) | {all:.3} ({everybody:.2}) |",
            attack.kind.name(),
            best.tables,
            attack.order.name(),
            best.surest.accuracy(),
        );
    }
    Ok(text)
}

fn run(attacks: &[(&str, Lattice)], populations: u64) -> Result<Vec<Outcome>> {
    let results: Mutex<Vec<Option<Result<Outcome>>>> = Mutex::new(attacks.iter().map(|_| None).collect());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((_, attack)) = attacks.get(at) else { break };
                    let outcome = attack.run(Target::Ours, populations);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[at] = Some(outcome);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.into_iter().map(|result| result.unwrap_or_else(|| Err(anyhow!("a worker broke off")))).collect()
}
