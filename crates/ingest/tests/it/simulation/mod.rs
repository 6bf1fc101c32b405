//! Workers in a simulated world: the log, the store, the clock, the group and chance are arguments (ingestion.md 3.16, 2).
//!
//! A world is made from a seed: two or three workers of one group on one lake, messages of every kind that arrive over time, and
//! a script of misfortunes. The same seed makes the same script, so a seed that fails is printed and played again:
//! `AMANAT_SEEDS=17..18 cargo test -p ingest simulation`. What the library under the lake reads at once on threads of its own may come
//! in another order, and then a refused read may end a look a little earlier or later: now and then a seed has to be played twice.
//!
//! In two of five worlds the policy is another: a partition stands still at the first message that cannot be accepted, or at the
//! one that is too many of its last offsets. There an undisturbed worker stands still too, and all must end where it does.
//!
//! These are failures: a breach of the invariants I1, I2, I3, I5 or I6; a row that is not what an undisturbed worker makes of
//! the same message; a world in which a healthy worker cannot catch up any more, or at the end of which agencies were told something
//! else than the table says. These are not: rows late or in other files,
//! commits more than needed, partitions that stand still while their worker is dead. These are beyond our control, and not
//! simulated: a store that forgets what it acknowledged, or that lets two creations of one name succeed.
//!
//! What happens in here: `store` (faults before and after an operation took effect, answers that are late or lost, operations
//! that take effect long after they were given up), `receipts` (a log that takes no receipts, or takes them and says it did not), `clock` (time that moves when it is told to, and a wall clock that jumps),
//! `world` (crashes, pauses, moves of partitions, in an order that the seed decides), `verdict` (what must hold at the end).

mod clock;
mod receipts;
mod store;
mod verdict;
mod world;

use std::ops::Range;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use world::World;

/// Known mistakes of such protocols; each is switched on in the real code and must be noticed (see `lake::mistake`).
const MISTAKES: [&str; 11] = [
    "mistake.no_offsets",
    "mistake.offsets_first",
    "mistake.last_offset_for_next",
    "mistake.no_claim",
    "mistake.begins_at_the_end",
    "mistake.retry_without_looking",
    "mistake.error_taken_for_success",
    "mistake.fenced_rows_stay",
    "mistake.bad_messages_dropped",
    "mistake.window_starts_empty",
    "mistake.receipts_before_they_are_acknowledged",
];

/// Seeds tried for a mistake until it is noticed. Most are in the first; a partition that is lost between the writing of files
/// and their commit, which one of them needs, is rare: world 105 has it.
const PATIENCE: Range<u64> = 100..300;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("AMANAT_SEEDS") else { return 0..100 };
    let (from, to) = text.split_once("..").expect("AMANAT_SEEDS=FROM..TO");
    from.parse().unwrap()..to.parse().unwrap()
}

/// The library under the lake lets a panic of the object store end an upload that failed, and catches it: no news.
fn keep_known_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some("Already shut down") {
                before(panic);
            }
        }));
    });
}

/// Plays the worlds of some seeds on two threads; what happened, or the first breach with its seed.
fn play_all(seeds: Range<u64>) -> Result<world::Played, String> {
    let next = AtomicU64::new(seeds.start);
    let work = || -> Result<world::Played, String> {
        let mut seen = world::Played::default();
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return Ok(seen);
            }
            seen += play(seed).map_err(|breach| format!("seed {seed}: {breach}"))?;
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut seen = work()?;
        seen += other.join().unwrap()?;
        Ok(seen)
    })
}

/// Plays the world of a seed; what went wrong, if anything.
fn play(seed: u64) -> Result<world::Played, String> {
    keep_known_panics_quiet();
    // The library under the lake wants a runtime; nothing in the world waits for its clock.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(World::new(seed).play())
}

#[test]
fn no_event_is_lost_or_doubled_in_any_simulated_world() {
    let seeds = seeds();
    let seen = play_all(seeds.clone()).unwrap_or_else(|breach| {
        panic!("{breach}\nagain: AMANAT_SEEDS=N..M cargo test -p ingest simulation, where N is the seed and M the next")
    });
    println!("{} worlds: {seen:?}", seeds.end - seeds.start);
    if seeds.end - seeds.start >= 100 {
        seen.saw_everything();
    }
}

#[test]
fn the_same_seed_plays_the_same_script() {
    let script = |played: &world::Played| {
        (played.messages, played.crashes, played.pauses, played.moves, played.lost, played.storms, played.jumps)
    };
    for seed in [3, 4] {
        let (first, second) = (play(seed).unwrap(), play(seed).unwrap());
        assert_eq!(script(&first), script(&second), "seed {seed}");
    }
}

#[test]
fn each_planted_mistake_is_noticed() {
    for mistake in MISTAKES {
        // A process of its own: a mistake is switched on for all that runs in a process.
        let tried = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "simulation::worlds_with_a_mistake", "--ignored", "--nocapture"])
            .env("AMANAT_MISTAKE", mistake)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stdout).into_owned() + &String::from_utf8_lossy(&tried.stderr);
        let noticed = said.lines().find(|line| line.starts_with("noticed"));
        println!("{mistake}: {}", noticed.unwrap_or("not noticed"));
        assert!(noticed.is_some(), "{mistake} was not noticed in the worlds {PATIENCE:?}:\n{said}");
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn worlds_with_a_mistake() {
    let mistake = std::env::var("AMANAT_MISTAKE").unwrap();
    fail::cfg(mistake, "return").unwrap();
    for seed in PATIENCE {
        if let Err(breach) = play(seed) {
            println!("noticed in world {seed}: {breach}");
            return;
        }
    }
}
