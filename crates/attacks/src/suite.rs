//! All attacks with their goals and controls (privacy.md 7.3).

use std::sync::{Arc, Mutex};

use anyhow::Result;
use policy::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::membership::{AcrossProfiles, Attack, Difference, Equality, ThirdSets};
use crate::people::{BALANCED, People};
use crate::referee::{Arena, Membership, Size, accuracy};
use crate::score::{Profile, Score, Scoreboard};
use crate::target::Target;

/// Persons of the population.
const PERSONS: usize = 3_000;

/// Runs the attacks of a profile.
pub fn run(profile: Profile, trials: Option<usize>, only: &[String]) -> Result<Scoreboard> {
    let policy = Arc::new(Policy::default());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let people = People { name: 1, ..People::victims(&policy, PERSONS, &mut rng) };
    let arena = Arena { policy, people, trials: trials.unwrap_or(profile.trials()), doors: Mutex::default() };
    let mut board = Scoreboard { profile, persons: PERSONS, scores: Vec::new(), remarks: Vec::new() };
    let parts: [(&str, fn(&Arena, &mut Scoreboard) -> Result<()>); 3] = [("A1", a1), ("A5", a5), ("A8", a8)];
    for (name, part) in parts {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            part(&arena, &mut board)?;
        }
    }
    Ok(board)
}

const PLAIN: Membership =
    Membership { secret: BALANCED, size: Size::Small, r: 0, pairs: 1, conditions: 2, complements: false, apart: true };

/// One attack on all targets, a line for each claim.
fn on_all(
    arena: &Arena,
    board: &mut Scoreboard,
    (name, attack): (&'static str, &dyn Attack),
    kind: Membership,
    lines: &[(String, f64, &[(Target, f64)])],
) -> Result<()> {
    let began = std::time::Instant::now();
    let trials = arena.plans(kind)?;
    for target in Target::ALL {
        let share = if target == Target::Ours { 1 } else { CONTROLS };
        let tallies = trials.run(target, attack, share)?;
        let scores = tallies.into_iter().zip(lines).map(|(tally, (class, goal, controls))| -> Score {
            accuracy(name, class.clone(), target, tally).bounded(*goal, controls)
        });
        board.scores.extend(scores);
    }
    eprintln!("{name} {} {:?}", lines[0].0, began.elapsed());
    Ok(())
}

/// The other targets are controls: a part of the trials shows whether they fall.
const CONTROLS: usize = 4;
const FALLS: &[(Target, f64)] = &[(Target::K11Exact, 0.99), (Target::Ckm, 0.90)];
const NAIVE_FALLS: &[(Target, f64)] = &[(Target::K11Exact, 0.99)];

fn a1(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        for r in 0..=2 {
            let kind = Membership { size, r, complements: true, ..PLAIN };
            let controls = if r == 0 { FALLS } else { NAIVE_FALLS };
            on_all(arena, board, ("A1", &Difference), kind, &[(format!("{}, r = {r}", size.name()), 0.53, controls)])?;
        }
    }
    Ok(())
}

fn a5(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        for apart in [true, false] {
            // Ten bases that are no neighbours of each other cannot be had of 3,000 persons.
            let (how, counts): (_, &[usize]) = if apart { ("far apart", &[1, 3]) } else { ("anyhow", &[1, 3, 10]) };
            let kind = Membership { size, pairs: counts[counts.len() - 1], apart, ..PLAIN };
            let line = |m: &usize| (format!("{}, m = {m}, bases {how}", size.name()), 0.53, FALLS);
            let lines: Vec<_> = counts.iter().map(line).collect();
            on_all(arena, board, ("A5", &Equality { counts }), kind, &lines)?;
        }
        let kind = Membership { size, pairs: 10, conditions: 1, apart: false, ..PLAIN };
        let line = |m: &usize| (format!("{}, m = {m}, std against sens", size.name()), 0.53, NAIVE_FALLS);
        let lines: Vec<_> = [1, 10].iter().map(line).collect();
        on_all(arena, board, ("A5", &AcrossProfiles { counts: &[1, 10] }), kind, &lines)?;
    }
    Ok(())
}

fn a8(arena: &Arena, board: &mut Scoreboard) -> Result<()> {
    for size in Size::BOTH {
        let kind = Membership { size, pairs: 3, ..PLAIN };
        let attack = ThirdSets { counts: &[1, 3], apart: 10..=22 };
        let line = |m: &usize| (format!("{}, third sets, m = {m}", size.name()), 0.53, FALLS);
        let lines: Vec<_> = [1, 3].iter().map(line).collect();
        on_all(arena, board, ("A8", &attack), kind, &lines)?;
    }
    Ok(())
}
